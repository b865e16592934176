//! Each invariant of a database, broken by hand.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Scene, VERSIONS};

/// Statements, and exactly the invariants that they break.
const DAMAGE: &[(&str, &[&str])] = &[
    (
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema \
         SET sql = replace(sql, '(id, board)', '(board, id)') WHERE name = 'members_by_user'",
        &["integrity", "rows_match_log"],
    ),
    (
        "INSERT INTO members (board, id, doc) VALUES ('nosuch', 'x', '{}')",
        &["foreign_keys"],
    ),
    (
        "UPDATE cards SET doc = '{\"id\": \"k1\"}' WHERE id = 'k1'",
        &["readable"],
    ),
    (
        "UPDATE events SET was = '[{}]' WHERE version = 12",
        &["clients_match_log", "readable"],
    ),
    (
        "INSERT INTO events (board, version, at, by_user, ev, was) \
         VALUES ('nosuch', 1, 1, 'ann', '[]', '[]')",
        &["log_boards"],
    ),
    (
        "INSERT INTO imports VALUES ('a file', $BOARD, 'digest', 'no array')",
        &["imports"],
    ),
    ("UPDATE users SET name = ''", &["users"]),
    ("UPDATE boards SET deleted = 1", &["bin"]),
    ("UPDATE boards SET deleted_by = 'ann'", &["bin"]),
    (
        "INSERT INTO accounts (user, name, email, email_key, admin, created) \
         SELECT id, name, 'Ann@x.example', 'Ann@x.example', 0, 1 FROM users",
        &["accounts"],
    ),
    ("UPDATE epochs SET number = 2", &["epochs_numbered"]),
    ("DELETE FROM epochs", &["epochs_numbered"]),
    (
        "INSERT INTO epochs SELECT board, 2, epoch, 3 FROM epochs",
        &["epochs_unique"],
    ),
    (
        "INSERT INTO epochs VALUES ($BOARD, 2, '00000000000000aa', 9), \
         ($BOARD, 3, '00000000000000bb', 8)",
        &["epochs_rising"],
    ),
    (
        "INSERT INTO epochs VALUES ($BOARD, 2, '00000000000000aa', 13)",
        &["epochs_within_log"],
    ),
    (
        "DELETE FROM events WHERE version = 2; \
         DELETE FROM card_versions WHERE version = 2",
        // Without the member of that version its card is assigned to nobody; its outcome is alone.
        &[
            "board_valid",
            "clients_match_log",
            "rows_match_log",
            "versions_contiguous",
        ],
    ),
    (
        "DELETE FROM events WHERE version = 1",
        &[
            "board_valid",
            "clients_match_log",
            "rows_match_log",
            "versions_contiguous",
        ],
    ),
    (
        "DELETE FROM card_index WHERE rowid = (SELECT id FROM indexed_cards WHERE card = 'k1')",
        &["index_matches_rows"],
    ),
    (
        "INSERT OR REPLACE INTO card_index (rowid, title, terms) \
         SELECT id, 'other', 'card' FROM indexed_cards WHERE card = 'k1'",
        &["index_matches_rows"],
    ),
    (
        "INSERT INTO card_index (rowid, title) VALUES (77 << 32, 'nobody')",
        &["index_matches_rows"],
    ),
    (
        "UPDATE indexed_cards SET digest = 1 WHERE card = 'k1'",
        &["index_matches_rows"],
    ),
    (
        "DELETE FROM indexed_cards WHERE card = 'k1'",
        &["index_matches_rows"],
    ),
    ("DELETE FROM bases", &["base_valid"]),
    (
        "UPDATE bases SET doc = json_set(doc, '$.view.title', '')",
        &["base_valid"],
    ),
    ("UPDATE bases SET doc = '{}'", &["base_valid"]),
    ("UPDATE boards SET version = 13", &["rows_within_log"]),
    (
        "UPDATE events SET ev = '[{\"type\":\"label.removed\",\"label\":\"nosuch\"}]' \
         WHERE version = 12",
        &["replay"],
    ),
    (
        "UPDATE cards SET doc = json_set(doc, '$.title', 'Worse') WHERE id = 'k2'",
        &["rows_match_log"],
    ),
    (
        "UPDATE boards SET doc = json_set(doc, '$.title', 'Mine')",
        &["rows_match_log"],
    ),
    ("DELETE FROM details", &["rows_match_log"]),
    ("DELETE FROM columns WHERE id = 'todo'", &["rows_match_log"]),
    (
        "INSERT INTO labels SELECT board, 'blue', json_set(doc, '$.id', 'blue') FROM labels",
        &["rows_match_log"],
    ),
    ("DELETE FROM tombstones", &["tombstones_match_log"]),
    (
        "INSERT INTO tombstones SELECT board, 'k9' FROM tombstones",
        &["tombstones_match_log"],
    ),
    (
        "UPDATE events SET ev = replace(ev, '\"ben\"', '\"eve\"') WHERE version = 4; \
         UPDATE cards SET doc = replace(doc, '\"ben\"', '\"eve\"')",
        // What log and rows show is not what was indexed.
        &["board_valid", "index_matches_rows"],
    ),
    (
        // Both columns get one rank, in the log and in the rows.
        "UPDATE events SET ev = (SELECT json_set(ev, '$[1].column.rank', \
             json_extract(ev, '$[0].column.rank'))) WHERE version = 1; \
         UPDATE columns SET doc = json_set(doc, '$.rank', \
             (SELECT json_extract(doc, '$.rank') FROM columns WHERE id = 'todo'))",
        &["board_valid"],
    ),
    (
        "UPDATE events SET ev = replace(ev, '\"described\":true,', '') WHERE version = 4; \
         UPDATE events SET ev = replace(ev, 'All of it', 'Some of it') WHERE version = 4; \
         UPDATE details SET doc = replace(doc, 'All of it', 'Some of it')",
        &["board_valid", "index_matches_rows"],
    ),
    (
        "UPDATE events SET seq = 3 WHERE version = 4",
        &["clients_match_log", "seq_once"],
    ),
    (
        "UPDATE events SET client = NULL, seq = NULL WHERE version = 4; \
         UPDATE events SET seq = 4 WHERE version = 6",
        &["clients_match_log", "seq_rising"],
    ),
    ("DELETE FROM clients", &["clients_match_log"]),
    ("UPDATE clients SET last_seq = 11", &["clients_match_log"]),
    (
        "UPDATE clients SET outcomes = json_set(outcomes, '$[3].version', 5)",
        &["clients_match_log"],
    ),
    (
        "UPDATE clients SET outcomes = json_set(outcomes, '$[3].result', 'no_change')",
        &["clients_match_log"],
    ),
    (
        "DELETE FROM card_versions WHERE version = 8",
        &["card_versions_match_log"],
    ),
    (
        "INSERT INTO files VALUES (zeroblob(32), 3, 'image/png', 1)",
        &["files_whole"],
    ),
    ("UPDATE file_totals SET bytes = 7", &["files_counted"]),
    (
        "INSERT INTO card_versions VALUES ($BOARD, 'k1', 2)",
        &["card_versions_match_log"],
    ),
    (
        "UPDATE card_versions SET card = 'k2' WHERE card = 'k1' AND version = 7",
        &["card_versions_match_log"],
    ),
    (
        "INSERT INTO activity VALUES ($BOARD, 13, 1, 'ann', NULL, NULL, '[]', '[]')",
        &["activity_matches_log"],
    ),
    (
        "INSERT INTO activity SELECT board, version, at, 'ben', client, seq, ev, was \
         FROM events WHERE version = 3",
        &["activity_matches_log"],
    ),
];

#[tokio::test]
async fn a_database_that_was_left_alone_is_clean() {
    let scene = Scene::new().await;
    let checked = scene.check(&[]);
    checked.assert_clean();
    assert_eq!(checked.report["boards"], 1);
    assert_eq!(checked.report["versions"], VERSIONS);
}

#[tokio::test]
async fn each_invariant_that_is_broken_is_named() {
    let scene = Scene::new().await;
    let mut wrong = String::new();
    for (statements, broken) in DAMAGE {
        let damaged = scene.copy();
        damaged.execute(statements).await;
        let checked = damaged.check(&[]);
        assert_eq!(checked.code, Some(1), "{statements}");
        let wanted: BTreeSet<_> = broken.iter().copied().collect();
        let report = &checked.report;
        if checked.broken() != wanted {
            wrong += &format!("{statements}\n{wanted:?}\n{report:#}\n");
        }
        let violations = report["violations"].as_array().expect("violations");
        assert_eq!(report["total"], violations.len(), "{statements}");
        for violation in violations {
            for field in ["found", "expected", "hint"] {
                assert_ne!(violation[field], json!(""), "{violation}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test]
async fn a_log_that_lags_behind_its_trimming_is_clean_at_every_step() {
    let scene = Scene::new().await;
    // What is trimmed is kept as activity, but for a move inside a column, which nobody sees.
    let steps = [
        "INSERT INTO activity SELECT board, version, at, by_user, client, seq, ev, was \
         FROM events WHERE version <> 8",
        "UPDATE bases SET version = 12, doc = (SELECT json_object('view', json_set(b.doc, \
            '$.members', json((SELECT json_group_array(json(doc)) FROM members)), \
            '$.columns', json((SELECT json_group_array(json(doc)) FROM columns)), \
            '$.labels', json((SELECT json_group_array(json(doc)) FROM labels)), \
            '$.fields', json((SELECT json_group_array(json(doc)) FROM fields)), \
            '$.sprints', json((SELECT json_group_array(json(doc)) FROM sprints)), \
            '$.cards', json((SELECT json_group_array(json(doc)) FROM cards))), \
            'details', json((SELECT json_group_object(id, json(doc)) FROM details)), \
            'buried', json((SELECT json_group_array(id) FROM tombstones))) FROM boards AS b)",
        "DELETE FROM events WHERE version <= 5",
        "DELETE FROM events WHERE version <= 8; DELETE FROM card_versions WHERE version = 8",
        "DELETE FROM events",
    ];
    let ledger = scene.ledger(&scene.lines().await);
    for (step, proven) in steps.into_iter().zip([0, 0, 0, 1, 1]) {
        scene.execute(step).await;
        let checked = scene.check(&[&ledger]);
        checked.assert_clean();
        assert_eq!(checked.ledger("found"), VERSIONS - proven, "{step}");
        assert_eq!(checked.ledger("proven"), proven, "{step}");
    }
    scene
        .execute("UPDATE clients SET last_seq = 7, outcomes = '[]'")
        .await;
    let checked = scene.check(&[&ledger]);
    assert!(
        checked.broken().contains("ledger_found"),
        "{}",
        checked.report
    );
    assert_eq!(checked.ledger("lost"), 1);
}
