use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;
use std::path::PathBuf;

use boardcast_protocol::board::{Actor, Board, Moment, Role, Seen, Stamp, View, transact};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::limits::SUBMIT_COMMANDS_MAX;
use boardcast_protocol::position::{Timestamp, Version};

use super::trace::{self, Trace, parse_moment};
use super::translate::{Translated, Translator};
use super::{Actions, Counting};
use crate::crew::admit;

fn shared(file: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BOARDCAST_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = root.join("data").join(file);
    if path.exists() {
        return Some(path);
    }
    // Past the capture of the test runner: a skipped test is to be seen.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {} is not there; set BOARDCAST_SHARED",
        path.display()
    );
    None
}

struct Played {
    actions: Actions,
    rejected: Vec<String>,
    view: View,
}

/// Replays a trace against a board without a server.
fn play(trace: &Trace) -> Played {
    let people: HashMap<String, UserId> = trace
        .actors()
        .iter()
        .chain(&trace.others())
        .map(|person| {
            (
                person.clone(),
                person.parse().unwrap_or_else(|_| user(person)),
            )
        })
        .collect();
    let view = View::new("b".parse().unwrap(), "b".into());
    let mut board = Board::new(view, BTreeMap::new(), BTreeSet::new());
    let mut version = Version(0);
    let mut commit = |user: UserId, admin: bool, cmds: &[Command]| {
        version = version.next();
        let stamp = Stamp {
            by: user,
            at: Timestamp(1),
        };
        let actor = Actor::new(user, admin);
        let moment = Moment { version, stamp };
        let done = transact(&mut board, &actor, cmds, &Seen::new(), moment);
        done.map_err(|rejection| format!("{rejection}: {:?}", cmds.last()))
    };
    let first = user("first");
    for some in admit(people.values().copied(), Role::Admin).chunks(SUBMIT_COMMANDS_MAX) {
        commit(first, true, some).unwrap();
    }
    let mut translator = Translator::new(people.clone());
    for some in translator.initial(trace).chunks(SUBMIT_COMMANDS_MAX) {
        commit(first, true, some).unwrap();
    }
    let mut counting = Counting::default();
    let mut rejected = Vec::new();
    for action in &trace.actions {
        let translated = translator.translate(action);
        counting.count(action, &translated);
        if let Translated::Sent { cmds, .. } = translated
            && let Err(why) = commit(people[&action.actor], false, &cmds)
        {
            rejected.push(why);
        }
    }
    Played {
        actions: counting.done(translator.prepared()),
        rejected,
        view: board.view().clone(),
    }
}

fn user(name: &str) -> UserId {
    let bits = name
        .bytes()
        .fold(1u128, |sum, byte| sum * 31 + u128::from(byte));
    UserId::from_u128(bits)
}

#[test]
fn at_least_95_percent_of_the_card_and_list_actions_are_sent_and_fit() {
    let files = [
        "trello-amirite.json",
        "trello-spark-project.json",
        "trello-food-app.json",
        "trello-photo-cms-it.json",
        "trello-custom-fields-fixture.json",
        "trace-photo-cms-it.jsonl",
    ];
    for file in files {
        let Some(path) = shared(file) else { continue };
        let trace = trace::read(&path).unwrap();
        let played = play(&trace);
        let actions = &played.actions;
        eprintln!("{file}: {actions:?}");
        assert!(
            actions.card_and_list_sent * 100 >= actions.card_and_list * 95,
            "{file}: {actions:?}"
        );
        let skipped: u64 = actions.skipped.iter().map(|skipped| skipped.count).sum();
        assert_eq!(actions.read, actions.sent + skipped, "{file}");
        assert_eq!(played.rejected, Vec::<String>::new(), "{file}");
    }
}

#[test]
fn the_replayed_board_is_the_board_of_the_export() {
    let Some(path) = shared("trello-food-app.json") else {
        return;
    };
    let trace = trace::read(&path).unwrap();
    let view = play(&trace).view;
    for list in &trace.lists {
        let id = u128::from_str_radix(&list.id, 16).unwrap();
        let column = &view.columns[&boardcast_protocol::ids::ColumnId::from_u128(id)];
        assert_eq!(Some(column.title.as_str()), list.name.as_deref());
    }
    for card in &trace.at_end {
        let id = u128::from_str_radix(&card.id, 16).unwrap();
        let found = &view.cards[&boardcast_protocol::ids::CardId::from_u128(id)];
        assert_eq!(Some(found.title.as_str()), card.name.as_deref());
        let list = u128::from_str_radix(card.id_list.as_deref().unwrap(), 16).unwrap();
        assert_eq!(
            found.column,
            boardcast_protocol::ids::ColumnId::from_u128(list)
        );
    }
}

#[test]
fn actions_are_read_oldest_first_past_comment_lines() {
    let export = r#"// 2024-01-01 exported
{"name":"B","actions":[
  {"id":"02","type":"b","date":"2017-11-22T08:19:10.146Z","idMemberCreator":"m","data":{}},
  {"id":"01","type":"a","date":"2016-02-29T00:00:00Z","idMemberCreator":"n"}]}"#;
    let dir = std::env::temp_dir().join(format!("boardcast-sim-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("export.json");
    std::fs::write(&path, export).unwrap();
    let trace = trace::read(&path).unwrap();
    assert_eq!(trace.actors(), ["n", "m"]);
    assert_eq!(trace.actions[0].at, Timestamp(1_456_704_000_000));
    std::fs::write(&path, "{\"actions\":[").unwrap();
    assert!(trace::read(&path).is_err());
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn moments_are_milliseconds_of_utc() {
    let moment = |text| parse_moment(text).map(|at| at.0);
    assert_eq!(moment("1970-01-01T00:00:00.001Z"), Some(1));
    assert_eq!(moment("2017-11-22T08:19:10.146Z"), Some(1_511_338_750_146));
    assert_eq!(moment("2000-02-29T12:00:00Z"), Some(951_825_600_000));
    for bad in [
        "",
        "2017-13-01T00:00:00Z",
        "2017-11-22 08:19",
        "1969-12-31T23:59:59.000Z",
    ] {
        assert_eq!(moment(bad), None, "{bad}");
    }
}
