//! What somebody did is undone, unless somebody has changed it since.

use boardcast_protocol::board::{
    Actor, Applied, Board, Deed, Reason, Rejection, Role, Seen, Stamp, View, transact, undo,
};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::event::Event;
use boardcast_protocol::limits::UNDO_EVENTS_MAX;
use boardcast_protocol::position::Version;

use crate::arbitrary::Dice;
use crate::examples::id;
use crate::replay::timeless;
use crate::trials::{empty, moment, take, turn};

/// A board and the versions that were made on it.
struct History {
    board: Board,
    version: u64,
}

impl History {
    fn new() -> Self {
        let mut history = Self {
            board: empty(),
            version: 0,
        };
        for user in ["bob", "cid"] {
            history.does("ann", member(user, Role::Editor));
        }
        for column in ["todo", "done"] {
            history.does("ann", vec![make_column(column)]);
        }
        for card in ["k1", "k2", "k3"] {
            history.does("ann", vec![make_card(card, "todo")]);
        }
        history
    }

    fn does(&mut self, user: &str, commands: impl IntoIterator<Item = Command>) -> Deed {
        let commands: Vec<_> = commands.into_iter().collect();
        let actor = Actor::new(id(user), false);
        self.version += 1;
        let moment = moment(self.version, &actor);
        let applied = transact(&mut self.board, &actor, &commands, &Seen::new(), moment);
        deed(self.version, &actor, applied.expect("it fits"))
    }

    fn undoes(&mut self, user: &str, deed: &Deed) -> Result<Deed, Rejection> {
        let actor = Actor::new(id(user), false);
        let before = self.board.clone();
        let next = moment(self.version + 1, &actor);
        match undo(&mut self.board, &actor, deed, next) {
            Ok(applied) => {
                self.version += 1;
                self.board.verify().expect("the board keeps its rules");
                Ok(self::deed(self.version, &actor, applied))
            }
            Err(rejection) => {
                assert_eq!(self.board, before, "nothing was undone");
                Err(rejection)
            }
        }
    }

    fn view(&self) -> View {
        timeless(self.board.view())
    }

    fn lane(&self, column: &str) -> Vec<String> {
        let lane = self.board.lane(id(column));
        lane.map(|card| card.id.to_string()).collect()
    }
}

fn deed(version: u64, actor: &Actor, applied: Applied) -> Deed {
    Deed {
        version: Version(version),
        by: actor.user,
        events: applied.events,
        was: applied.was,
    }
}

fn member(user: &str, role: Role) -> Vec<Command> {
    let user = id(user);
    vec![Command::MemberAdd {
        user,
        name: None,
        role,
    }]
}

fn make_column(column: &str) -> Command {
    Command::ColumnCreate {
        column: id(column),
        title: column.into(),
        wip: None,
        done: false,
        place: Place::default(),
    }
}

fn make_card(card: &str, column: &str) -> Command {
    Command::CardCreate {
        card: id(card),
        column: id(column),
        title: card.into(),
        place: Place::default(),
        set: Box::default(),
        labels: Vec::new(),
        assignees: Vec::new(),
    }
}

fn title(card: &str, title: &str) -> Vec<Command> {
    let set = Box::new(CardChange {
        title: Some(title.into()),
        ..CardChange::default()
    });
    vec![Command::CardSet {
        card: id(card),
        set,
    }]
}

fn move_to(
    card: &str,
    column: &str,
    place: Place<boardcast_protocol::ids::CardId>,
) -> Vec<Command> {
    vec![Command::CardMove {
        card: id(card),
        column: id(column),
        place,
    }]
}

fn reason(result: Result<Deed, Rejection>) -> Reason {
    result.expect_err("it is rejected").reason
}

#[test]
fn what_was_just_done_is_undone_and_done_again() {
    let (mut done, mut refused) = (0, Vec::new());
    let mut dice = Dice::new(7);
    for _ in 0..30 {
        let mut board = empty();
        for version in 1..250 {
            let turn = turn(dice.next(), &board);
            let before = board.clone();
            let Ok(applied) = take(&mut board, &turn, version * 3) else {
                continue;
            };
            let after = board.clone();
            let first = deed(version * 3, &turn.actor, applied);
            match undo(
                &mut board,
                &turn.actor,
                &first,
                moment(version * 3 + 1, &turn.actor),
            ) {
                Err(rejection) => {
                    assert_eq!(board, after);
                    refused.push(rejection.reason);
                    continue;
                }
                Ok(undone) => {
                    board.verify().expect("the board keeps its rules");
                    assert_eq!(
                        ranked(&board, &first),
                        ranked(&before, &first),
                        "{first:#?}"
                    );
                    assert_eq!(texts(&board), texts(&before));
                    let second = deed(version * 3 + 1, &turn.actor, undone);
                    let next = moment(version * 3 + 2, &turn.actor);
                    undo(&mut board, &turn.actor, &second, next).expect("it is done again");
                    assert_eq!(ranked(&board, &first), ranked(&after, &first), "{first:#?}");
                    assert_eq!(texts(&board), texts(&after));
                    done += 1;
                }
            }
        }
    }
    assert!(done > 1_000, "{done}");
    assert!(refused.len() * 20 < done, "{} of {done}", refused.len());
    let known = [
        Reason::Forbidden,
        Reason::Invalid,
        Reason::WipLimit,
        Reason::LastAdmin,
    ];
    let others: Vec<_> = refused.iter().filter(|r| !known.contains(r)).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// The view without ranks that cards got to make room for others: they keep them. A comment that was
/// changed says when, so its digest is another.
fn ranked(board: &Board, deed: &Deed) -> View {
    let mut view = timeless(board.view());
    for card in view.cards.values_mut() {
        card.detail.digest.clear();
    }
    for event in &deed.events {
        if let Event::CardRanked { card, rank } = event
            && let Some(card) = view.cards.get_mut(card)
        {
            card.rank = rank.clone();
        }
    }
    view
}

/// Descriptions and comments, without when a comment was changed.
fn texts(board: &Board) -> Vec<(String, Stamp, String)> {
    let mut texts = Vec::new();
    for (card, detail) in board.details() {
        let made = board.view().cards[card].created;
        texts.push((card.to_string(), made, detail.description.clone()));
        let comments = detail.comments.values();
        texts.extend(comments.map(|c| (c.id.to_string(), c.written, c.text.clone())));
    }
    texts
}

#[test]
fn a_field_that_somebody_has_changed_since_is_left_and_both_values_are_told() {
    let mut history = History::new();
    let renamed = history.does("ann", title("k1", "Mine"));
    history.does("bob", title("k1", "Theirs"));
    let rejection = history.undoes("ann", &renamed).unwrap_err();
    assert_eq!(rejection.reason, Reason::Conflict);
    let conflict = rejection.conflict.unwrap();
    assert_eq!(
        (&conflict.mine, &conflict.theirs),
        (&"k1".into(), &"Theirs".into())
    );
    // Other fields of the card are no conflict, and one that was put back meanwhile is none.
    let mut history = History::new();
    let renamed = history.does("ann", title("k1", "Mine"));
    history.does("bob", move_to("k1", "done", Place::default()));
    history.undoes("ann", &renamed).unwrap();
    assert_eq!(history.board.view().cards[&id("k1")].title, "k1");
    assert_eq!(history.lane("done"), ["k1"]);
    let nothing = history.undoes("ann", &renamed).unwrap();
    assert_eq!(nothing.events, []);
}

#[test]
fn a_card_that_somebody_has_put_where_it_was_in_between_stays_there() {
    let mut history = History::new();
    let mut commands = move_to("k1", "done", Place::default());
    commands.extend(move_to("k1", "todo", Place::default()));
    let deed = history.does("bob", commands);
    history.does("cid", move_to("k1", "done", Place::default()));
    assert_eq!(reason(history.undoes("bob", &deed)), Reason::Conflict);
    assert_eq!(history.lane("done"), ["k1"]);
    let mut history = History::new();
    let mut commands = title("k1", "one");
    commands.extend(title("k1", "two"));
    let deed = history.does("bob", commands);
    let again = history.undoes("bob", &deed).expect("nobody came between");
    assert_eq!(history.board.view().cards[&id("k1")].title, "k1");
    history.undoes("bob", &again).expect("it is done again");
    assert_eq!(history.board.view().cards[&id("k1")].title, "two");
}

#[test]
fn several_versions_are_undone_one_after_the_other_and_done_again() {
    let mut history = History::new();
    let mut boards = vec![history.view()];
    let mut deeds = Vec::new();
    for step in [
        title("k1", "One"),
        title("k1", "Two"),
        move_to("k1", "done", Place::default()),
        move_to("k1", "todo", Place::after(id("k2"))),
        vec![make_card("k4", "todo")],
        title("k4", "Four"),
    ] {
        deeds.push(history.does("ann", step));
        boards.push(history.view());
    }
    let mut undone = Vec::new();
    for deed in deeds.iter().rev() {
        boards.pop();
        undone.push(history.undoes("ann", deed).unwrap());
        assert_eq!(&history.view(), boards.last().unwrap());
    }
    for deed in undone.iter().rev() {
        history.undoes("ann", deed).unwrap();
    }
    assert_eq!(history.lane("todo"), ["k2", "k1", "k3", "k4"]);
    assert_eq!(history.board.view().cards[&id("k4")].title, "Four");
}

#[test]
fn only_the_author_undoes_and_only_with_the_rights_of_today() {
    let mut history = History::new();
    let renamed = history.does("bob", title("k1", "Bob's"));
    assert_eq!(reason(history.undoes("ann", &renamed)), Reason::Forbidden);
    history.does("ann", member("bob", Role::Commenter));
    assert_eq!(reason(history.undoes("bob", &renamed)), Reason::Forbidden);
    history.does("ann", member("bob", Role::Editor));
    let archive = Command::BoardSet {
        title: None,
        background: None,
        archived: Some(true),
    };
    let archived = history.does("ann", vec![archive]);
    assert_eq!(reason(history.undoes("bob", &renamed)), Reason::Invalid);
    history.undoes("ann", &archived).unwrap();
    history.undoes("bob", &renamed).unwrap();
    assert_eq!(history.board.view().cards[&id("k1")].title, "k1");
}

#[test]
fn what_was_made_goes_only_where_nobody_uses_it() {
    let mut history = History::new();
    let label = Command::LabelCreate {
        label: id("l"),
        name: "Bug".into(),
        color: None,
    };
    let made = history.does("ann", vec![label]);
    let on = |on| Command::CardLabel {
        card: id("k1"),
        label: id("l"),
        on,
    };
    history.does("bob", vec![on(true)]);
    assert_eq!(reason(history.undoes("ann", &made)), Reason::Conflict);
    history.does("bob", vec![on(false)]);
    history.undoes("ann", &made).unwrap();
    let column = history.does("ann", vec![make_column("new")]);
    history.does("bob", vec![make_card("k5", "new")]);
    assert_eq!(reason(history.undoes("ann", &column)), Reason::NotEmpty);
    let card = history.does("ann", vec![make_card("k6", "todo")]);
    history.does("bob", title("k6", "Bob's"));
    assert_eq!(reason(history.undoes("ann", &card)), Reason::Conflict);
}

#[test]
fn what_was_deleted_comes_back_whole_and_its_references_with_it() {
    let mut history = History::new();
    let label = Command::LabelCreate {
        label: id("l"),
        name: "Bug".into(),
        color: None,
    };
    history.does("ann", vec![label]);
    let on = Command::CardLabel {
        card: id("k1"),
        label: id("l"),
        on: true,
    };
    let comment = Command::CommentCreate {
        card: id("k1"),
        comment: id("c"),
        text: "Look".into(),
    };
    history.does("bob", vec![on, comment]);
    let before = (history.view(), texts(&history.board));
    let gone = history.does(
        "ann",
        vec![
            Command::LabelRemove { label: id("l") },
            Command::CardRemove { card: id("k1") },
        ],
    );
    history.undoes("ann", &gone).unwrap();
    assert_eq!((history.view(), texts(&history.board)), before);
    // The label comes first, or the card would bear one that is not there.
    let card = history.does("ann", vec![Command::CardRemove { card: id("k1") }]);
    history.does("bob", vec![Command::LabelRemove { label: id("l") }]);
    assert_eq!(reason(history.undoes("ann", &card)), Reason::Conflict);
}

#[test]
fn a_full_column_takes_nothing_back_and_a_great_version_is_not_undone() {
    let mut history = History::new();
    let moved = history.does("ann", move_to("k1", "done", Place::default()));
    let wip = Some(Some(boardcast_protocol::board::Wip {
        limit: 2,
        kind: boardcast_protocol::board::WipKind::Hard,
    }));
    let limit = Command::ColumnSet {
        column: id("todo"),
        title: None,
        wip,
        done: None,
        archived: None,
    };
    history.does("bob", vec![limit]);
    assert_eq!(reason(history.undoes("ann", &moved)), Reason::WipLimit);
    history.does("bob", move_to("k2", "done", Place::default()));
    history.undoes("ann", &moved).unwrap();
    assert_eq!(history.lane("todo"), ["k1", "k3"]);

    let great = Deed {
        events: vec![moved.events[0].clone(); UNDO_EVENTS_MAX + 1],
        was: vec![None; UNDO_EVENTS_MAX + 1],
        ..moved
    };
    assert_eq!(reason(history.undoes("ann", &great)), Reason::Limit);
}

#[test]
fn a_card_whose_place_was_taken_comes_back_right_behind() {
    let mut history = History::new();
    history.does("ann", vec![make_card("k4", "done")]);
    let moved = history.does("ann", move_to("k4", "todo", Place::default()));
    history.does(
        "bob",
        vec![make_card("k5", "done"), make_card("k6", "done")],
    );
    let rank = |card: &str| history.board.view().cards[&id(card)].rank.clone();
    let wanted = moved.was.last().unwrap().as_ref().unwrap();
    assert!(matches!(wanted, Event::CardSet { set, .. } if set.rank == Some(rank("k5"))));
    history.undoes("ann", &moved).unwrap();
    assert_eq!(history.lane("done"), ["k5", "k4", "k6"]);
}
