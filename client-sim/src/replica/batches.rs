//! Versions as they come: in order, once, and each of them.

use std::sync::Arc;

use boardcast_protocol::message::{Batch, ServerMessage, VersionEntry};
use boardcast_protocol::position::{Epoch, Position, Version};

use super::{EARLY_MS, Effect, Phase, Receipt, Replica, apply};
use crate::arrival::Arrival;
use crate::violation::Violation;

impl Replica {
    /// The epoch of the batches that come now; `None` while they are ignored. A batch bears none: it
    /// belongs to the last `subscribed` or `snapshot` of its board.
    pub fn batch_epoch(&self) -> Option<Epoch> {
        self.takes_batches_at().map(|at| at.epoch)
    }

    fn takes_batches_at(&self) -> Option<Position> {
        let waiting = matches!(
            self.phase,
            Phase::Away
                | Phase::Joining {
                    snapshot_due: true,
                    ..
                }
        );
        self.position.filter(|_| !waiting)
    }

    pub(super) fn batch(
        &mut self,
        arrival: &Arc<Arrival>,
        batch: &Batch,
        receipt: &mut Receipt,
        effects: &mut Vec<Effect>,
    ) {
        let Some(at) = self.takes_batches_at() else {
            return;
        };
        if let Some(early) = self.early.take() {
            let ServerMessage::Batch(next) = &early.message else {
                return;
            };
            if batch.from == at.version && batch.to() <= next.from {
                let note = format!("versions up to {} came after {}", batch.to(), next.to());
                effects.push(Effect::Violation(Violation::Reordered, note));
                self.take(arrival, batch, receipt, effects);
                let mut later = Receipt::default();
                self.batch(&early, next, &mut later, effects);
                receipt.held += later.live.len() as u64;
                receipt.resumed += later.resumed;
                return;
            }
            self.early = Some(early);
            *receipt = self.give_up_early(effects);
            return;
        }
        match batch.from.cmp(&at.version) {
            std::cmp::Ordering::Equal => self.take(arrival, batch, receipt, effects),
            std::cmp::Ordering::Greater => {
                self.early = Some(Arc::clone(arrival));
                effects.push(Effect::Retry(EARLY_MS));
            }
            std::cmp::Ordering::Less => {
                let note = format!(
                    "versions {} to {} came at {}",
                    batch.from.next(),
                    batch.to(),
                    at.version
                );
                effects.push(Effect::Violation(Violation::Duplicate, note));
                if batch.to() > at.version {
                    self.take(arrival, batch, receipt, effects);
                }
            }
        }
    }

    /// The batch before the one that came too soon does not come any more.
    pub(super) fn give_up_early(&mut self, effects: &mut Vec<Effect>) -> Receipt {
        let mut receipt = Receipt::default();
        let (Some(early), Some(at)) = (self.early.take(), self.position) else {
            return receipt;
        };
        if let ServerMessage::Batch(batch) = &early.message {
            receipt.missed = batch.to().0 - at.version.0;
            let note = format!(
                "versions {} to {} are missing",
                at.version.next(),
                batch.from
            );
            self.ask(Violation::Gap, note, effects);
        }
        receipt
    }

    pub(super) fn ask(&mut self, violation: Violation, note: String, effects: &mut Vec<Effect>) {
        self.phase = Phase::Away;
        effects.push(Effect::Violation(violation, note));
        effects.push(Effect::Subscribe);
    }

    pub(super) fn take(
        &mut self,
        arrival: &Arc<Arrival>,
        batch: &Batch,
        receipt: &mut Receipt,
        effects: &mut Vec<Effect>,
    ) {
        let Some(mut at) = self.position else { return };
        if let Some(flaw) = arrival.flaw {
            let note = format!(
                "the versions {} to {} are flawed",
                batch.from.next(),
                batch.to()
            );
            effects.push(Effect::Violation(flaw, note));
        }
        let until = match self.phase {
            Phase::Joining { until, .. } => until,
            Phase::Away | Phase::Live => Version(0),
        };
        let seen = at.version.max(self.high).max(until);
        let fresh = batch.v.partition_point(|entry| entry.n <= at.version);
        let live = batch.v.partition_point(|entry| entry.n <= seen).max(fresh);
        receipt.resumed += (live - fresh) as u64;
        receipt.live = live..batch.v.len();
        for entry in &batch.v[fresh..] {
            self.apply(entry, effects);
            self.echo(entry, effects);
        }
        at.version = batch.to();
        self.position = Some(at);
        self.high = self.high.max(batch.to());
        if !self.opened.is_empty() {
            self.check_opened(effects);
        }
        self.durable_to(batch.durable, effects);
        self.join(effects);
    }

    pub(super) fn apply(&mut self, entry: &VersionEntry, effects: &mut Vec<Effect>) {
        if let Some(view) = &mut self.view {
            apply(view, entry, |note| {
                effects.push(Effect::Violation(Violation::Diverged, note));
            });
        }
        for (card, opened) in &mut self.opened {
            if opened.since < entry.n {
                let about = entry.ev.iter().filter(|event| event.card() == Some(*card));
                about.for_each(|event| opened.detail.apply(event));
            }
        }
    }
}
