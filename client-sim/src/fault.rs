//! Faults that are planted into what one client receives, to prove that they are noticed.

use std::sync::Arc;

use boardcast_protocol::event::Event;
use boardcast_protocol::ids::ClientId;
use boardcast_protocol::message::{Batch, ServerMessage};

use crate::arrival::Arrival;

/// Batches that pass before the fault.
const BATCHES_BEFORE: u32 = 3;

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FaultKind {
    /// A batch is lost.
    Gap,
    /// A batch comes twice.
    Duplicate,
    /// Two batches change places.
    Reorder,
    /// A batch has other content.
    Diverge,
    /// The answer to an own command is lost.
    Unanswered,
}

/// A fault on its way.
#[derive(Debug)]
pub struct Fault {
    kind: FaultKind,
    client: ClientId,
    batches: u32,
    done: bool,
    held: Option<Arc<Arrival>>,
}

impl Fault {
    /// Goes wrong at the first fitting batch after three others.
    pub fn new(kind: FaultKind, client: ClientId) -> Self {
        Self {
            kind,
            client,
            batches: 0,
            done: false,
            held: None,
        }
    }

    /// What the client receives in place of `arrival`.
    pub fn pass(&mut self, arrival: Arc<Arrival>) -> Vec<Arc<Arrival>> {
        let ServerMessage::Batch(batch) = &arrival.message else {
            return vec![arrival];
        };
        if let Some(held) = self.held.take() {
            return vec![arrival, held];
        }
        self.batches += 1;
        if self.done || self.batches <= BATCHES_BEFORE {
            return vec![arrival];
        }
        self.done = true;
        match self.kind {
            FaultKind::Gap => Vec::new(),
            FaultKind::Duplicate => vec![Arc::clone(&arrival), arrival],
            FaultKind::Reorder => {
                self.held = Some(arrival);
                Vec::new()
            }
            FaultKind::Diverge => vec![altered(&arrival, batch, |batch| {
                if let Some(entry) = batch.v.last_mut() {
                    entry.ev.push(Event::BoardSet {
                        title: Some("a planted fault".into()),
                        background: Some(Some("#bad000".into())),
                        archived: None,
                    });
                }
            })],
            FaultKind::Unanswered => {
                let own = batch
                    .v
                    .iter()
                    .any(|entry| entry.client == Some(self.client));
                self.done = own;
                let client = self.client;
                vec![altered(&arrival, batch, |batch| {
                    let mut entries = batch.v.iter_mut();
                    if let Some(entry) = entries.find(|entry| entry.client == Some(client)) {
                        entry.client = None;
                    }
                })]
            }
        }
    }
}

fn altered(arrival: &Arrival, batch: &Batch, alter: impl FnOnce(&mut Batch)) -> Arc<Arrival> {
    let mut batch = batch.clone();
    alter(&mut batch);
    Arc::new(Arrival {
        message: ServerMessage::Batch(batch),
        flaw: arrival.flaw,
        intended_ns: arrival.intended_ns.clone(),
    })
}
