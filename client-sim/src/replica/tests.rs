use std::sync::Arc;

use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::message::{Durable, Mode, Outcome, OutcomeResult, ServerMessage};
use boardcast_protocol::position::{Epoch, Seq, Version};

use super::{Effect, Keep, Receipt, Replica};
use crate::fault::{Fault, FaultKind};
use crate::testing::{Ground, arrival, card, client, column, rename};
use crate::violation::{Violation, Violations};

/// A replica and what came of it.
struct Witness {
    replica: Replica,
    effects: Vec<Effect>,
}

impl Witness {
    /// Subscribed and live.
    fn on(ground: &Ground, keep: Keep) -> Self {
        let mut witness = Self {
            replica: Replica::new(ground.id(), client(1), keep),
            effects: Vec::new(),
        };
        witness.hear(ground.subscribed(Mode::Snapshot, 0));
        witness.hear(ground.snapshot());
        assert!(witness.replica.is_live());
        witness
    }

    fn hear(&mut self, message: ServerMessage) -> Receipt {
        self.replica.handle(&arrival(message), &mut self.effects)
    }

    fn submit(&mut self, title: &str) -> Seq {
        let seq = self.replica.submit(rename(0, title), 1);
        self.replica.pump(&mut self.effects);
        seq
    }

    fn outcome(&mut self, ground: &Ground, seq: u64, result: OutcomeResult, version: Option<u64>) {
        self.hear(ServerMessage::Outcome(Outcome {
            board: ground.id(),
            seq: Seq(seq),
            result,
            version: version.map(Version),
            reason: None,
            hint: None,
            conflict: None,
            retry_ms: Some(5),
        }));
    }

    fn violations(&self) -> Violations {
        let mut violations = Violations::default();
        for effect in &self.effects {
            if let Effect::Violation(violation, _) = effect {
                violations.add(*violation);
            }
        }
        violations
    }

    fn sends(&self) -> usize {
        let is_send = |effect: &&Effect| matches!(effect, Effect::Send(_));
        self.effects.iter().filter(is_send).count()
    }

    fn saved(&self) -> usize {
        let is_saved = |effect: &&Effect| matches!(effect, Effect::Saved(_));
        self.effects.iter().filter(is_saved).count()
    }
}

fn grown(versions: u64) -> Ground {
    let mut ground = Ground::new(3);
    for number in 0..versions {
        assert!(ground.commit(None, &rename(u128::from(number % 3), &format!("T{number}"))));
    }
    ground
}

#[test]
fn r3_contiguous_batches_lead_to_the_same_board() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::View);
    ground.commit(None, &rename(0, "a"));
    ground.commit(None, &rename(1, "b"));
    let receipt = witness.hear(ground.batch(1, 3));
    assert_eq!(receipt.live, 0..2);
    assert_eq!(witness.replica.view(), Some(ground.board.view()));
    assert_eq!(witness.violations().total, 0);
}

#[test]
fn a_lost_batch_is_a_gap_and_is_asked_for() {
    let ground = grown(0);
    let mut witness = Witness::on(&ground, Keep::View);
    let ground = grown(4);
    witness.hear(ground.batch(2, 3));
    assert_eq!(witness.violations().total, 0, "the one before may be late");
    let receipt = witness.replica.retry(&mut witness.effects);
    assert_eq!(receipt.missed, 2);
    assert_eq!(witness.violations().gaps, 1);
    assert!(witness.effects.contains(&Effect::Subscribe));
    witness.hear(ground.batch(3, 4));
    assert_eq!(witness.violations().total, 1, "ignored until `subscribed`");
    witness.hear(ground.subscribed(Mode::Events, 0));
    let receipt = witness.hear(ground.batch(1, 5));
    assert_eq!((receipt.resumed, receipt.live.len()), (4, 0));
    assert_eq!(witness.replica.view(), Some(ground.board.view()));
    assert_eq!(witness.violations().total, 1);
}

#[test]
fn two_batches_that_changed_places_are_reordered_and_still_applied() {
    let mut witness = Witness::on(&grown(0), Keep::View);
    let ground = grown(4);
    witness.hear(ground.batch(3, 5));
    let receipt = witness.hear(ground.batch(1, 3));
    assert_eq!((receipt.live.len(), receipt.held), (2, 2));
    assert_eq!(witness.violations().reordered, 1);
    assert_eq!(witness.violations().total, 1);
    assert_eq!(witness.replica.view(), Some(ground.board.view()));
}

#[test]
fn a_batch_that_comes_twice_is_a_duplicate_and_applied_once() {
    let mut witness = Witness::on(&grown(0), Keep::View);
    let ground = grown(2);
    witness.hear(ground.batch(1, 3));
    witness.hear(ground.batch(1, 3));
    assert_eq!(witness.violations().duplicates, 1);
    assert_eq!(witness.replica.view(), Some(ground.board.view()));
}

#[test]
fn r2_batches_are_of_the_epoch_of_the_last_subscribed_or_snapshot() {
    let mut ground = grown(0);
    let mut witness = Witness::on(&ground, Keep::Position);
    assert_eq!(witness.replica.batch_epoch(), Some(ground.epoch));
    witness.replica.disconnected();
    assert_eq!(witness.replica.batch_epoch(), None);
    ground.epoch = Epoch(2);
    witness.hear(ground.subscribed(Mode::Events, 0));
    assert_eq!(witness.replica.batch_epoch(), Some(Epoch(2)));
    ground.epoch = Epoch(3);
    witness.hear(ground.subscribed(Mode::Snapshot, 0));
    assert_eq!(witness.replica.batch_epoch(), None);
    witness.hear(ground.snapshot());
    assert_eq!(witness.replica.batch_epoch(), Some(Epoch(3)));
    assert_eq!(witness.replica.position().unwrap().epoch, Epoch(3));
}

#[test]
fn an_event_that_does_not_fit_is_a_divergence() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::View);
    let remove = Command::CardRemove { card: card(0) };
    ground.commit(None, &[remove]);
    let ServerMessage::Batch(mut batch) = ground.batch(1, 2) else {
        unreachable!("a batch was made");
    };
    let again = batch.v[0].ev.clone();
    batch.v[0].ev.extend(again);
    witness.hear(ServerMessage::Batch(batch));
    assert_eq!(witness.violations().diverged, 1);
}

#[test]
fn r5_an_echo_is_the_answer_and_durable_ends_it() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::Position);
    let seq = witness.submit("mine");
    assert_eq!(witness.sends(), 1);
    ground.commit(Some((client(1), seq)), &rename(0, "mine"));
    witness.hear(ground.batch(1, 2));
    assert_eq!(witness.replica.pending().unanswered(), 0);
    assert_eq!(witness.saved(), 0);
    witness.hear(ServerMessage::Durable(Durable {
        board: ground.id(),
        epoch: ground.epoch,
        version: Version(2),
    }));
    assert_eq!(witness.saved(), 1);
    assert!(witness.replica.pending().is_empty());
}

#[test]
fn r5_durable_may_come_before_the_echo() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::Position);
    let seq = witness.submit("mine");
    ground.commit(Some((client(1), seq)), &rename(0, "mine"));
    witness.hear(ServerMessage::Durable(Durable {
        board: ground.id(),
        epoch: ground.epoch,
        version: Version(2),
    }));
    witness.hear(ground.batch(1, 2));
    assert_eq!((witness.saved(), witness.violations().total), (1, 0));
}

#[test]
fn r4_an_answer_too_many_is_a_duplicate() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::Position);
    let seq = witness.submit("mine");
    ground.commit(Some((client(1), seq)), &rename(0, "mine"));
    witness.hear(ground.batch(1, 2));
    witness.outcome(&ground, 1, OutcomeResult::Accepted, Some(2));
    assert_eq!(witness.violations().duplicates, 1);
    witness.outcome(&ground, 2, OutcomeResult::NoChange, None);
    assert_eq!(witness.violations().duplicates, 2, "never asked");
}

#[test]
fn r4_after_a_cut_unanswered_commands_go_out_again_in_order() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::View);
    for title in ["one", "two", "three"] {
        witness.submit(title);
    }
    ground.commit(Some((client(1), Seq(1))), &rename(0, "one"));
    witness.replica.disconnected();
    witness.effects.clear();
    witness.hear(ground.subscribed(Mode::Events, 2));
    assert_eq!(
        witness.sends(),
        0,
        "the echo of the first may be among the events"
    );
    witness.hear(ground.batch(1, 2));
    assert_eq!(witness.replica.pending().answered_to(), Seq(1));
    assert_eq!(
        witness.sends(),
        2,
        "the second was answered without an echo, the third is new"
    );
    witness.outcome(&ground, 2, OutcomeResult::NoChange, None);
    ground.commit(Some((client(1), Seq(3))), &rename(0, "three"));
    witness.hear(ground.batch(2, 3));
    assert_eq!(witness.replica.pending().answered_to(), Seq(3));
    assert_eq!(witness.violations().total, 0);
}

#[test]
fn a_snapshot_replaces_the_board_and_asks_again_for_what_it_may_cover() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::View);
    let seq = witness.submit("mine");
    ground.commit(Some((client(1), seq)), &rename(0, "mine"));
    let receipt = witness.hear(ground.snapshot());
    assert_eq!(receipt.skipped, 1);
    assert_eq!(witness.sends(), 2);
    witness.outcome(&ground, 1, OutcomeResult::Accepted, Some(2));
    assert_eq!(witness.replica.pending().unanswered(), 0);
    assert_eq!(witness.replica.view(), Some(ground.board.view()));
    assert_eq!(witness.violations().total, 0);
}

#[test]
fn r2_commands_of_a_lost_tail_are_sent_again() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::View);
    let seq = witness.submit("mine");
    ground.commit(Some((client(1), seq)), &rename(0, "mine"));
    witness.hear(ground.batch(1, 2));
    witness.replica.disconnected();
    witness.effects.clear();
    let mut after_crash = Ground::new(3);
    after_crash.epoch = Epoch(2);
    witness.hear(after_crash.subscribed(Mode::Snapshot, 0));
    witness.hear(after_crash.snapshot());
    assert_eq!(witness.sends(), 1);
    after_crash.commit(Some((client(1), seq)), &rename(0, "mine"));
    witness.hear(after_crash.batch(1, 2));
    assert_eq!(witness.replica.pending().unanswered(), 0);
    assert_eq!(witness.violations().total, 0);
}

#[test]
fn r5_a_durable_version_that_is_gone_is_noticed() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::Position);
    let seq = witness.submit("mine");
    ground.commit(Some((client(1), seq)), &rename(0, "mine"));
    witness.hear(ground.batch(1, 2));
    witness.hear(ServerMessage::Durable(Durable {
        board: ground.id(),
        epoch: ground.epoch,
        version: Version(2),
    }));
    witness.replica.disconnected();
    witness.hear(Ground::new(3).subscribed(Mode::Snapshot, 0));
    let violations = witness.violations();
    assert_eq!((violations.gaps, violations.unanswered), (1, 1));
}

#[test]
fn r4_busy_holds_back_higher_numbers() {
    let ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::Position);
    witness.submit("one");
    witness.outcome(&ground, 1, OutcomeResult::Busy, None);
    witness.submit("two");
    assert_eq!(witness.sends(), 1);
    witness.replica.retry(&mut witness.effects);
    assert_eq!(witness.sends(), 3);
    witness.outcome(&ground, 1, OutcomeResult::NoChange, None);
    witness.outcome(&ground, 2, OutcomeResult::NoChange, None);
    assert_eq!(witness.violations().total, 0);
    assert!(witness.replica.pending().is_empty());
}

#[test]
fn the_detail_of_an_opened_card_is_kept_up_and_checked() {
    use boardcast_protocol::message::CardDetail;
    let mut ground = Ground::new(3);
    let comment = |text: &str, number| Command::CommentCreate {
        card: card(0),
        comment: boardcast_protocol::ids::CommentId::from_u128(number),
        text: text.into(),
    };
    ground.commit(None, &[comment("first", 1)]);
    let mut witness = Witness::on(&ground, Keep::View);
    let opened = |ground: &Ground| {
        ServerMessage::Card(CardDetail {
            req: 1,
            board: ground.id(),
            card: card(0),
            version: ground.version(),
            detail: ground.board.detail(card(0)).cloned().unwrap_or_default(),
        })
    };
    witness.hear(opened(&ground));
    ground.commit(None, &[comment("second", 2)]);
    witness.hear(ground.batch(2, 3));
    assert_eq!(witness.violations().total, 0);
    let ServerMessage::Card(mut wrong) = opened(&ground) else {
        unreachable!("a card was made");
    };
    wrong.detail.description = "another".into();
    witness.hear(ServerMessage::Card(wrong));
    assert_eq!(witness.violations().diverged, 1);
}

#[test]
fn each_planted_fault_is_noticed_by_its_name() {
    let kinds = [
        (FaultKind::Gap, Violation::Gap),
        (FaultKind::Duplicate, Violation::Duplicate),
        (FaultKind::Reorder, Violation::Reordered),
    ];
    for (kind, violation) in kinds {
        let mut witness = Witness::on(&grown(0), Keep::View);
        let mut fault = Fault::new(kind, client(1));
        let ground = grown(8);
        for from in 1..9 {
            for arrival in fault.pass(arrival(ground.batch(from, from + 1))) {
                witness.replica.handle(&arrival, &mut witness.effects);
            }
        }
        let seen = witness.effects.iter().find_map(|effect| match effect {
            Effect::Violation(violation, _) => Some(*violation),
            Effect::Send(_)
            | Effect::Subscribe
            | Effect::Retry(_)
            | Effect::Answered(_)
            | Effect::Saved(_) => None,
        });
        assert_eq!(seen, Some(violation), "{kind:?}");
    }
}

#[test]
fn planted_divergence_and_lost_answers_stay_until_the_end() {
    let mut witness = Witness::on(&grown(0), Keep::View);
    let mut fault = Fault::new(FaultKind::Diverge, client(1));
    let ground = grown(8);
    for from in 1..9 {
        for arrival in fault.pass(arrival(ground.batch(from, from + 1))) {
            witness.replica.handle(&arrival, &mut witness.effects);
        }
    }
    assert_ne!(witness.replica.view(), Some(ground.board.view()));

    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::View);
    let mut fault = Fault::new(FaultKind::Unanswered, client(1));
    for number in 1..9u64 {
        let title = format!("T{number}");
        let seq = witness.submit(&title);
        ground.commit(Some((client(1), seq)), &rename(0, &title));
        for arrival in fault.pass(arrival(ground.batch(number, number + 1))) {
            witness.replica.handle(&arrival, &mut witness.effects);
        }
    }
    assert_eq!(witness.replica.pending().unanswered(), 1);
}

#[test]
fn a_flaw_that_is_known_of_a_frame_counts_for_each_that_receives_it() {
    let mut witness = Witness::on(&grown(0), Keep::Position);
    let arrival = Arc::new(crate::arrival::Arrival {
        flaw: Some(Violation::Diverged),
        ..crate::arrival::Arrival::new(grown(3).batch(1, 4))
    });
    witness.replica.handle(&arrival, &mut witness.effects);
    assert_eq!(witness.violations().diverged, 1);
}

#[test]
fn moves_are_followed_too() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::View);
    let to_front = Command::CardMove {
        card: card(2),
        column: column(),
        place: Place::before(card(0)),
    };
    ground.commit(None, &[to_front]);
    witness.hear(ground.batch(1, 2));
    assert_eq!(
        witness.replica.hash(),
        Some(boardcast_protocol::board::view_hash(ground.board.view()))
    );
}

#[test]
fn r5_a_resume_that_shows_what_was_answered_without_a_subscription_is_no_second_answer() {
    let mut ground = Ground::new(3);
    let mut witness = Witness::on(&ground, Keep::View);
    let seq = witness.submit("mine");
    ground.commit(Some((client(1), seq)), &rename(0, "mine"));
    // The membership was gone and came back, so that the submit met a board without this subscriber.
    witness.outcome(&ground, 1, OutcomeResult::Accepted, Some(2));
    witness.replica.disconnected();
    witness.hear(ground.subscribed(Mode::Events, 1));
    witness.hear(ground.batch(1, 2));
    assert!(witness.replica.is_live());
    assert_eq!(witness.replica.view(), Some(ground.board.view()));
    assert_eq!(witness.violations().total, 0);
}
