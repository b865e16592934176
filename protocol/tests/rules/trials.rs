//! Boards and the turns that random clients take on them.

use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::board::{
    Actor, Applied, Board, CardKey, Member, Moment, Reason, Rejection, Role, Seen, Stamp, View,
    transact,
};
use boardcast_protocol::command::Command;
use boardcast_protocol::position::{Timestamp, Version};

use proptest::prelude::ProptestConfig;

use crate::arbitrary::{Dice, actor, command};
use crate::examples::{COMMANDS, command_name};

/// A board that holds its admin and nothing else.
pub(crate) fn empty() -> Board {
    let mut view = View::new("board1".parse().expect("an id"), "Board".into());
    let admin = Member {
        id: "ann".parse().expect("an id"),
        name: "Ann".into(),
        role: Role::Admin,
    };
    view.members.insert(admin.id, admin);
    Board::new(view, BTreeMap::new(), BTreeSet::new())
}

/// Few enough cases to run with every build; the seeds of a failure are told, not kept in a file.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(count)
    }
}

/// The moment of a version, a second apart.
pub(crate) fn moment(version: u64, actor: &Actor) -> Moment {
    Moment {
        version: Version(version),
        stamp: Stamp {
            by: actor.user,
            at: Timestamp(1_700_000_000_000 + version * 1_000),
        },
    }
}

/// What one client asks for at once.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) actor: Actor,
    pub(crate) commands: Vec<Command>,
    pub(crate) seen: Seen,
}

/// A turn that depends on the seed and the board.
pub(crate) fn turn(seed: u64, board: &Board) -> Turn {
    let mut dice = Dice::new(seed);
    let count = if dice.one_in(3) { 1 + dice.below(5) } else { 1 };
    let commands: Vec<_> = (0..count).map(|_| command(&mut dice, board)).collect();
    let mut seen = Seen::new();
    if count == 1 && dice.one_in(4) {
        for key in [CardKey::Title, CardKey::Place, CardKey::Description] {
            seen.insert(key, Version(dice.below(60) as u64));
        }
    }
    Turn {
        actor: actor(&mut dice),
        commands,
        seen,
    }
}

/// Carries the turn out as `version`.
pub(crate) fn take(board: &mut Board, turn: &Turn, version: u64) -> Result<Applied, Rejection> {
    let moment = moment(version, &turn.actor);
    transact(board, &turn.actor, &turn.commands, &turn.seen, moment)
}

#[test]
fn random_turns_carry_out_every_command_and_meet_every_rejection() {
    let mut done = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    let mut dice = Dice::new(1);
    for _ in 0..40 {
        let mut board = empty();
        for version in 1..400 {
            let turn = turn(dice.next(), &board);
            match take(&mut board, &turn, version) {
                Ok(applied) if applied.events.is_empty() => {}
                Ok(_) => done.extend(turn.commands.iter().map(command_name)),
                Err(rejection) => {
                    reasons.insert(rejection.reason);
                }
            }
        }
    }
    let missed: Vec<_> = COMMANDS
        .iter()
        .filter(|name| !done.contains(*name) && **name != "VersionUndo")
        .collect();
    assert!(missed.is_empty(), "never carried out: {missed:?}");
    use Reason as R;
    for reason in [
        R::Forbidden,
        R::NotFound,
        R::DuplicateId,
        R::UsedId,
        R::Invalid,
        R::WipLimit,
        R::NotEmpty,
        R::Cycle,
        R::LastAdmin,
        R::Conflict,
    ] {
        assert!(reasons.contains(&reason), "never met: {reason:?}");
    }
}
