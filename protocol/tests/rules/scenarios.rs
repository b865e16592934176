//! Scenario files: commands, and what must come of them, for every implementation of the rules.
//!
//! A step names its author, its time, its commands and the revisions they saw. It is accepted with
//! these events and this hash of the view afterwards, or rejected, or changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::board::{
    Actor, Board, Moment, Rejection, Role, Seen, Stamp, View, transact, view_hash,
};
use boardcast_protocol::command::Command;
use boardcast_protocol::event::Event;
use boardcast_protocol::position::{Timestamp, Version};
use serde_json::{Value, json};

use crate::examples::{commands, id};
use crate::golden::{assert_files, golden_dir, pretty};
use crate::invariants::assert_whole;

/// A board on which the examples of all commands fit one after the other.
pub(crate) fn stage(zoe: Option<Role>) -> Board {
    let mut members = vec![json!({"id": "ann", "name": "Ann Lee", "role": "admin"})];
    members.extend(zoe.map(|role| json!({"id": "zoe", "name": "Zoe", "role": role})));
    let at = json!({"by": "ann", "at": 1_690_000_000_000_u64});
    let card = |id: &str, number: u32, rank: &str, more: Value| {
        let mut card = json!({
            "id": id, "number": number, "title": format!("Card {number}"), "column": "todo",
            "rank": rank, "created": at, "changed": at,
        });
        for (key, value) in more.as_object().unwrap() {
            card[key] = value.clone();
        }
        card
    };
    let steps = json!({"checklists": [{
        "id": "steps", "title": "Steps", "rank": "V",
        "items": [{"id": "i0", "text": "Begin", "rank": "V"}],
    }]});
    let view = json!({
        "id": "board1", "title": "Release 1", "background": "ocean", "next_number": 3,
        "members": members,
        "columns": [
            {"id": "done", "title": "Done", "rank": "W", "done": true},
            {"id": "todo", "title": "To do", "rank": "V"},
        ],
        "labels": [{"id": "docs", "name": "docs", "color": "blue"}],
        "fields": [{"id": "cost", "name": "Cost", "kind": "number"}],
        "cards": [card("k0", 1, "V", steps), card("k2", 2, "V001", json!({}))],
    });
    board_of(serde_json::from_value(view).unwrap())
}

fn board_of(view: View) -> Board {
    Board::new(view, BTreeMap::new(), BTreeSet::new())
}

/// What a step must come to, as its author writes it down.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expect {
    Events,
    NoChange,
    Rejected(&'static str),
}

struct Step {
    by: &'static str,
    cmds: Vec<Value>,
    seen: Value,
    expect: Expect,
}

fn step(by: &'static str, expect: Expect, cmds: impl IntoIterator<Item = Value>) -> Step {
    Step {
        by,
        cmds: cmds.into_iter().collect(),
        seen: json!({}),
        expect,
    }
}

fn ok(cmd: Value) -> Step {
    step("ann", Expect::Events, [cmd])
}

fn same(cmd: Value) -> Step {
    step("ann", Expect::NoChange, [cmd])
}

fn no(reason: &'static str, cmd: Value) -> Step {
    step("ann", Expect::Rejected(reason), [cmd])
}

fn seen(mut step: Step, seen: Value) -> Step {
    step.seen = seen;
    step
}

/// Plays the steps and writes down what came of them.
fn play(name: &str, mut board: Board, steps: Vec<Step>) -> Value {
    let start = serde_json::to_value(board.view()).unwrap();
    let mut replica = board.view().clone();
    let mut version = 0;
    let mut written = Vec::new();
    for (index, step) in steps.into_iter().enumerate() {
        let at = Timestamp(1_700_000_000_000 + 1_000 * index as u64);
        let by = id(step.by);
        let stamp = Stamp { by, at };
        let moment = Moment {
            version: Version(version + 1),
            stamp,
        };
        let commands: Vec<Command> = step
            .cmds
            .iter()
            .map(|cmd| serde_json::from_value(cmd.clone()).unwrap())
            .collect();
        let saw: Seen = serde_json::from_value(step.seen.clone()).unwrap();
        let actor = Actor::new(by, false);
        let result = transact(&mut board, &actor, &commands, &saw, moment);
        assert_whole(&board);
        let (found, expect) = outcome(&mut replica, moment, result.map(|applied| applied.events));
        assert_eq!(found, step.expect, "{name}, step {index}: {expect}");
        assert_eq!(&replica, board.view(), "{name}, step {index}");
        version += u64::from(found == Expect::Events);
        let mut entry = json!({"by": by, "at": at, "cmds": commands, "expect": expect});
        if !saw.is_empty() {
            entry["seen"] = step.seen;
        }
        written.push(entry);
    }
    json!({"name": name, "start": start, "steps": written})
}

fn outcome(
    replica: &mut View,
    moment: Moment,
    result: Result<Vec<Event>, Rejection>,
) -> (Expect, Value) {
    match result {
        Ok(events) if events.is_empty() => (Expect::NoChange, json!({"no_change": true})),
        Ok(events) => {
            for event in &events {
                replica.apply(moment, event).unwrap();
            }
            let hash = view_hash(replica);
            let version = moment.version;
            let expect = json!({"version": version, "events": events, "hash": hash});
            (Expect::Events, expect)
        }
        Err(rejection) => {
            let reason = serde_json::to_value(rejection.reason).unwrap();
            let known = REASONS.iter().find(|known| reason == **known);
            let known = known.unwrap_or_else(|| panic!("{reason} is not known here"));
            let mut expect = json!({"rejected": reason});
            if let Some(conflict) = rejection.conflict {
                expect["conflict"] = serde_json::to_value(conflict).unwrap();
            }
            (Expect::Rejected(known), expect)
        }
    }
}

const REASONS: &[&str] = &[
    "forbidden",
    "not_found",
    "duplicate_id",
    "used_id",
    "invalid",
    "limit",
    "wip_limit",
    "not_empty",
    "cycle",
    "last_admin",
    "conflict",
];

#[test]
fn r12_scenarios_come_out_as_they_are_written_down() {
    let played = [
        every_command(),
        rejections(),
        conflicts(),
        rebalancing(),
        lists(),
        consequences(),
        nothing_to_do(),
        archived_board(),
    ];
    let files = played.into_iter().map(|scenario| {
        let name = scenario["name"].as_str().unwrap().replace(' ', "-");
        (name, pretty(&scenario))
    });
    let files: BTreeMap<String, String> = files.collect();
    for reason in REASONS {
        let wanted = format!("\"rejected\": \"{reason}\"");
        let met = files.values().any(|text| text.contains(&wanted));
        assert!(met, "a scenario ends in {reason}");
    }
    assert_files(&golden_dir("scenarios"), &files);
}

fn every_command() -> Value {
    let steps = commands()
        .iter()
        .filter(|command| !matches!(command, Command::VersionUndo { .. }))
        .map(|command| ok(serde_json::to_value(command).unwrap()))
        .collect();
    play("every command", stage(None), steps)
}

fn rejections() -> Value {
    let title = |text: &str| json!({"type": "card.set", "card": "k0", "set": {"title": text}});
    let steps = vec![
        step("zoe", Expect::Rejected("forbidden"), [title("Mine")]),
        step(
            "bob",
            Expect::Rejected("forbidden"),
            [title("Not a member")],
        ),
        no(
            "not_found",
            json!({"type": "card.set", "card": "k9", "set": {"title": "No"}}),
        ),
        no(
            "not_found",
            json!({"type": "card.move", "card": "k0", "column": "gone"}),
        ),
        no(
            "not_found",
            json!({"type": "card.label", "card": "k0", "label": "gone", "on": true}),
        ),
        no(
            "not_found",
            json!({"type": "card.assign", "card": "k0", "user": "bob", "on": true}),
        ),
        no(
            "duplicate_id",
            json!({"type": "card.create", "card": "k0", "column": "todo", "title": "Again"}),
        ),
        ok(json!({"type": "card.remove", "card": "k2"})),
        no(
            "used_id",
            json!({"type": "card.create", "card": "k2", "column": "todo", "title": "Again"}),
        ),
        no("invalid", title("")),
        no("invalid", title("two\nlines")),
        no(
            "invalid",
            json!({"type": "card.field", "card": "k0", "field": "cost", "value": {"text": "much"}}),
        ),
        no(
            "invalid",
            json!({"type": "card.field", "card": "k0", "field": "cost", "value": {"number": "1e9"}}),
        ),
        no(
            "invalid",
            json!({"type": "attachment.add", "card": "k0", "attachment": "a1", "name": "x", "url": "javascript:alert(1)"}),
        ),
        no(
            "invalid",
            json!({"type": "sprint.create", "sprint": "s1", "title": "S", "start": 2, "end": 1}),
        ),
        no(
            "invalid",
            json!({"type": "label.create", "label": "l1", "color": ""}),
        ),
        ok(json!({"type": "column.set", "column": "done", "wip": {"limit": 1, "kind": "hard"}})),
        ok(json!({"type": "card.create", "card": "k3", "column": "done", "title": "Fits"})),
        no(
            "wip_limit",
            json!({"type": "card.move", "card": "k0", "column": "done"}),
        ),
        ok(json!({"type": "card.archive", "card": "k3", "archived": true})),
        ok(json!({"type": "card.move", "card": "k0", "column": "done"})),
        no(
            "wip_limit",
            json!({"type": "card.archive", "card": "k3", "archived": false}),
        ),
        no(
            "not_empty",
            json!({"type": "column.remove", "column": "done"}),
        ),
        ok(json!({"type": "card.set", "card": "k3", "set": {"parent": "k0"}})),
        no(
            "cycle",
            json!({"type": "card.set", "card": "k0", "set": {"parent": "k3"}}),
        ),
        no(
            "cycle",
            json!({"type": "card.block", "card": "k0", "by": "k0", "on": true}),
        ),
        no(
            "last_admin",
            json!({"type": "member.remove", "user": "ann"}),
        ),
        no(
            "last_admin",
            json!({"type": "member.add", "user": "ann", "role": "editor"}),
        ),
        step("ann", Expect::Rejected("limit"), []),
        step(
            "ann",
            Expect::Rejected("limit"),
            (0..101).map(|_| title("Many")),
        ),
    ];
    play("rejections", stage(Some(Role::Viewer)), steps)
}

fn conflicts() -> Value {
    let title = |text: &str| json!({"type": "card.set", "card": "k0", "set": {"title": text}});
    let text = |text: &str| json!({"type": "card.set", "card": "k0", "set": {"description": text}});
    let moved = |to: &str| json!({"type": "card.move", "card": "k0", "column": to});
    let by_zoe = |step: Step| Step { by: "zoe", ..step };
    let steps = vec![
        ok(title("By Ann")),
        by_zoe(seen(no("conflict", title("By Zoe")), json!({"title": 0}))),
        by_zoe(seen(same(title("By Ann")), json!({"title": 0}))),
        by_zoe(seen(no("conflict", title("By Zoe")), json!({"title": 2}))),
        by_zoe(seen(ok(title("By Zoe")), json!({"title": 1}))),
        by_zoe(ok(text("Zoe writes."))),
        seen(
            no("conflict", text("Ann writes.")),
            json!({"description": 2}),
        ),
        seen(
            ok(text("Ann writes.")),
            json!({"description": 3, "title": 0}),
        ),
        ok(moved("done")),
        by_zoe(seen(no("conflict", moved("todo")), json!({"place": 0}))),
        by_zoe(ok(title("The last writer wins"))),
        seen(
            step("ann", Expect::Rejected("invalid"), [title("A"), title("B")]),
            json!({"title": 9}),
        ),
    ];
    play("conflicts", stage(Some(Role::Editor)), steps)
}

fn rebalancing() -> Value {
    let mut view = stage(None).view().clone();
    let first = view.cards[&id("k0")].clone();
    let tight = ["V", "V0000000000000001", "V0000000000000002", "W"];
    view.cards.clear();
    for (number, rank) in (1..).zip(tight) {
        let mut card = first.clone();
        card.id = id(&format!("k{number}"));
        card.number = number;
        card.rank = id(rank);
        card.checklists.clear();
        view.cards.insert(card.id, card);
    }
    view.next_number = 5;
    let create = json!({"type": "card.create", "card": "k5", "column": "todo", "title": "Between", "place": {"after": "k1"}});
    let steps = vec![
        ok(create),
        ok(json!({"type": "card.move", "card": "k4", "column": "todo", "place": {"before": "k5"}})),
    ];
    let scenario = play("rebalancing", board_of(view), steps);
    assert!(scenario.to_string().contains("card.ranked"));
    scenario
}

fn lists() -> Value {
    let create = |card: &str| json!({"type": "card.create", "card": card, "column": "todo", "title": "New", "place": {"before": "k0"}});
    let steps = vec![
        step(
            "ann",
            Expect::Rejected("not_found"),
            [
                create("k5"),
                json!({"type": "card.remove", "card": "k0"}),
                json!({"type": "board.set", "title": "Never"}),
                json!({"type": "column.create", "column": "new", "title": "Never"}),
                json!({"type": "card.move", "card": "k5", "column": "gone"}),
            ],
        ),
        step(
            "ann",
            Expect::Events,
            [
                create("k5"),
                json!({"type": "column.create", "column": "new", "title": "New", "place": {"before": "done"}}),
                json!({"type": "card.move", "card": "k5", "column": "new"}),
                json!({"type": "card.set", "card": "k5", "set": {"title": "Moved"}}),
                json!({"type": "comment.create", "card": "k5", "comment": "m1", "text": "In one version."}),
            ],
        ),
        ok(json!({"type": "card.remove", "card": "k0"})),
    ];
    play("lists", stage(None), steps)
}

fn consequences() -> Value {
    let steps = vec![
        ok(json!({"type": "member.add", "user": "bob", "role": "editor"})),
        ok(json!({"type": "card.assign", "card": "k0", "user": "bob", "on": true})),
        ok(
            json!({"type": "item.set", "card": "k0", "checklist": "steps", "item": "i0", "assignee": "bob"}),
        ),
        ok(json!({"type": "card.label", "card": "k0", "label": "docs", "on": true})),
        ok(json!({"type": "card.field", "card": "k2", "field": "cost", "value": {"number": "3"}})),
        ok(json!({"type": "sprint.create", "sprint": "s1", "title": "Sprint 1"})),
        ok(json!({"type": "card.set", "card": "k0", "set": {"sprint": "s1", "parent": "k2"}})),
        ok(json!({"type": "card.block", "card": "k0", "by": "k2", "on": true})),
        ok(
            json!({"type": "attachment.add", "card": "k0", "attachment": "a1", "name": "cover.png"}),
        ),
        ok(json!({"type": "card.set", "card": "k0", "set": {"cover": "a1"}})),
        ok(json!({"type": "member.remove", "user": "bob"})),
        ok(json!({"type": "label.remove", "label": "docs"})),
        ok(json!({"type": "field.remove", "field": "cost"})),
        ok(json!({"type": "sprint.remove", "sprint": "s1"})),
        ok(json!({"type": "attachment.remove", "card": "k0", "attachment": "a1"})),
        ok(json!({"type": "card.remove", "card": "k2"})),
    ];
    play("consequences", stage(None), steps)
}

fn nothing_to_do() -> Value {
    let steps = vec![
        same(json!({"type": "board.set", "title": "Release 1"})),
        same(
            json!({"type": "card.move", "card": "k2", "column": "todo", "place": {"after": "k0"}}),
        ),
        same(json!({"type": "card.move", "card": "k2", "column": "todo"})),
        same(json!({"type": "column.move", "column": "todo", "place": {"before": "done"}})),
        same(json!({"type": "card.set", "card": "k0", "set": {"title": "Card 1", "due": null}})),
        same(json!({"type": "card.label", "card": "k0", "label": "docs", "on": false})),
        same(json!({"type": "card.archive", "card": "k0", "archived": false})),
        same(json!({"type": "card.field", "card": "k0", "field": "cost"})),
        same(json!({"type": "member.add", "user": "ann", "role": "admin"})),
    ];
    play("nothing to do", stage(None), steps)
}

fn archived_board() -> Value {
    let create = json!({"type": "label.create", "label": "l1", "name": "new"});
    let steps = vec![
        ok(json!({"type": "board.set", "archived": true})),
        no("invalid", create.clone()),
        ok(json!({"type": "member.remove", "user": "zoe"})),
        no("invalid", json!({"type": "board.set", "title": "Later"})),
        same(json!({"type": "board.set", "archived": true, "title": "Release 1"})),
        ok(json!({"type": "board.set", "archived": false, "title": "Later"})),
        ok(create),
    ];
    play("archived board", stage(Some(Role::Editor)), steps)
}
