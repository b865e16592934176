//! Answers those who wait for a write of their own.

use std::time::Instant;

use super::{End, Journal};
use crate::storage::fault::Fault;
#[cfg(test)]
use crate::storage::requests::Act;
use crate::storage::requests::Request;
use crate::storage::{Health, StorageError};

impl Journal {
    /// Answers the requests that are ready; whether there were any.
    pub(super) async fn answer_ready(&mut self) -> Result<bool, End> {
        let (ready, waiting): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(Request::is_ready);
        self.waiting = waiting;
        if ready.is_empty() {
            return Ok(false);
        }
        let bytes = ready.iter().map(Request::bytes).sum();
        self.checkpoints.wrote(ready.len() * 4, bytes);
        match self.execute(&ready).await {
            Ok(done) => {
                for (request, done) in ready.into_iter().zip(done) {
                    request.answer(Ok(done));
                }
                return Ok(true);
            }
            Err(Fault::Unclear(reason)) => return Err(self.unclear(ready, reason)),
            Err(Fault::Busy(_) | Fault::Disk(_) | Fault::Data(_)) => {}
        }
        let mut ready = ready.into_iter();
        while let Some(request) = ready.next() {
            let result = match self.execute(std::slice::from_ref(&request)).await {
                Ok(done) => Ok(done.first().copied().unwrap_or_default()),
                Err(Fault::Data(reason)) => Err(StorageError::Refused(reason)),
                Err(Fault::Busy(reason) | Fault::Disk(reason)) => {
                    Err(StorageError::Unavailable(reason))
                }
                Err(Fault::Unclear(reason)) => {
                    return Err(self.unclear(std::iter::once(request).chain(ready), reason));
                }
            };
            request.answer(result);
        }
        Ok(true)
    }

    async fn execute(&mut self, ready: &[Request]) -> Result<Vec<bool>, Fault> {
        let acts: Vec<_> = ready.iter().map(|request| &request.act).collect();
        let began = Instant::now();
        let performed = self.writer.perform(self.run, &acts).await;
        (self.queue.observed).note("open, close and trim boards", began.elapsed());
        performed
    }

    /// Runs the statements of tests, which bring about faults and take them away again.
    #[cfg(test)]
    pub(super) async fn execute_statements(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        for request in waiting {
            if let Act::Execute(sql) = request.act {
                let result = self.writer.execute(sql).await;
                let refused = |fault| StorageError::Refused(format!("{fault:?}"));
                request.answer(result.map(|()| true).map_err(refused));
            } else {
                self.waiting.push(request);
            }
        }
    }

    /// Nobody who is answered finds a place in the journal any more.
    fn unclear(&self, requests: impl IntoIterator<Item = Request>, reason: String) -> End {
        self.queue.set_health(Health::Stopped {
            reason: reason.clone(),
        });
        for request in requests {
            request.answer(Err(StorageError::Stopped(reason.clone())));
        }
        End::Unclear(reason)
    }
}
