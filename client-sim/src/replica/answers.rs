//! Answers to own commands, and details of opened cards.

use boardcast_protocol::board::detail_digest;
use boardcast_protocol::message::{CardDetail, Outcome, OutcomeResult, VersionEntry};
use boardcast_protocol::position::{Seq, Version};

use super::{Answered, Effect, OPENED_MAX, Opened, Replica};
use crate::violation::Violation;

impl Replica {
    pub(super) fn echo(&mut self, entry: &VersionEntry, effects: &mut Vec<Effect>) {
        if entry.client != Some(self.client) || entry.n <= self.high {
            return;
        }
        let Some(seq) = entry.seq else { return };
        // A resume shows again what was answered while this client was not subscribed.
        if !self.is_live() && !self.pending.is_open(seq) {
            return;
        }
        self.answered(seq, OutcomeResult::Accepted, Some(entry.n), None, effects);
    }

    pub(super) fn outcome(&mut self, message: &Outcome, effects: &mut Vec<Effect>) {
        let (version, why) = match message.result {
            OutcomeResult::Busy | OutcomeResult::Unavailable => {
                self.pending.refuse(message.seq);
                effects.push(Effect::Retry(message.retry_ms.unwrap_or(100)));
                return;
            }
            OutcomeResult::Accepted => (message.version, None),
            OutcomeResult::Rejected => {
                let reason = message.reason.map(|reason| format!("{reason:?}"));
                (None, Some(reason.unwrap_or_default().to_lowercase()))
            }
            OutcomeResult::NoChange | OutcomeResult::Forgotten => (None, None),
        };
        self.answered(message.seq, message.result, version, why, effects);
        self.pending
            .durable(self.durable, |saved| effects.push(Effect::Saved(saved)));
    }

    pub(super) fn answered(
        &mut self,
        seq: Seq,
        result: OutcomeResult,
        version: Option<Version>,
        why: Option<String>,
        effects: &mut Vec<Effect>,
    ) {
        match self.pending.answer(seq, version) {
            Ok(true) => effects.push(Effect::Answered(Answered { seq, result, why })),
            Ok(false) => {}
            Err(violation) => {
                let note = format!("command {seq} was answered more often than asked");
                effects.push(Effect::Violation(violation, note));
            }
        }
    }

    pub(super) fn durable_to(&mut self, version: Version, effects: &mut Vec<Effect>) {
        self.durable = self.durable.max(version);
        if !self.pending.is_empty() {
            let durable = self.durable;
            self.pending
                .durable(durable, |saved| effects.push(Effect::Saved(saved)));
        }
    }

    pub(super) fn open(&mut self, message: &CardDetail, effects: &mut Vec<Effect>) {
        // A detail older than the view lacks what happened between: it cannot be kept up.
        if self.view.is_none() || self.position.is_none_or(|at| at.version > message.version) {
            return;
        }
        if self.opened.len() >= OPENED_MAX {
            self.opened.pop_first();
        }
        let opened = Opened {
            detail: message.detail.clone(),
            since: message.version,
        };
        self.opened.insert(message.card, opened);
        self.check_opened(effects);
    }

    /// The digest of each opened card is the one in the view.
    pub(super) fn check_opened(&mut self, effects: &mut Vec<Effect>) {
        let (Some(view), Some(at)) = (&self.view, self.position) else {
            return;
        };
        self.opened.retain(|id, opened| {
            let Some(card) = view.cards.get(id) else {
                return opened.since > at.version;
            };
            let equal =
                opened.since > at.version || card.detail.digest == detail_digest(&opened.detail);
            if !equal {
                let note = format!("the detail of card {id} does not match its digest");
                effects.push(Effect::Violation(Violation::Diverged, note));
            }
            equal
        });
    }
}
