//! Writes users that have said hello.

use std::time::Instant;

use super::groups::Work;
use super::{End, Journal};

impl Journal {
    /// Writes the users that are due; whether there were any. Where one breaks a rule of the database,
    /// the group is halved until it stands alone, and is not remembered.
    pub(super) async fn write_users(&mut self) -> Result<bool, End> {
        let users = self.queue.users.take(self.closing.is_some() || self.left);
        if users.is_empty() {
            return Ok(false);
        }
        let mut groups = vec![users];
        while let Some(mut group) = groups.pop() {
            let began = Instant::now();
            match self.persist(Work::Users(&group)).await? {
                Ok(()) => {
                    self.checkpoints.wrote(group.len(), 0);
                    self.queue.observed.note("remember users", began.elapsed());
                    self.queue.count(|counters| {
                        counters.users += group.len() as u64;
                        counters.users_transactions += 1;
                    });
                }
                Err(_) if group.len() > 1 => {
                    let other = group.split_off(group.len() / 2);
                    groups.extend([other, group]);
                }
                Err(reason) => {
                    let user = group.first().map(|user| user.id.as_str());
                    tracing::warn!(user, reason, "failed to remember a user");
                }
            }
        }
        Ok(true)
    }
}
