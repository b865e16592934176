//! No query that is served reads a whole table.

use sqlx::{AssertSqlSafe, Row};

use super::harness::start;
use crate::storage::accounts::{
    board_links, read as account_reads, tokens, write as account_writes,
};
use crate::storage::rows::Table;
use crate::storage::search::{fill, find, index, labels};
use crate::storage::{
    attachments, audit, bin, client, database, history, load, log, past, read, requests, rows,
    trim, users,
};

/// Statements that may read or sort more than they answer with, and why.
const EXCUSED: [(&str, &[&str], &str); 7] = [
    (
        find::RANKED_OF_USER,
        &["USE TEMP B-TREE FOR ORDER BY"],
        "sorts up to 10,000 cards by how well they fit",
    ),
    (
        find::RANKED_OF_ALL,
        &["USE TEMP B-TREE FOR ORDER BY"],
        "sorts up to 10,000 cards by how well they fit",
    ),
    (
        find::LISTED_OF_USER,
        &["USE TEMP B-TREE FOR ORDER BY"],
        "sorts the boards of one user",
    ),
    (
        trim::OLD_RUNS,
        &["SCAN boards"],
        "reads which runs boards refer to, once a night, beside the journal",
    ),
    (
        trim::FORGET_RUNS,
        &["SCAN boards"],
        "looks whether a board refers to one of four runs, once a night",
    ),
    (
        bin::WHOLE_BIN,
        &["USE TEMP B-TREE FOR ORDER BY"],
        "sorts what is in the bin, for an administrator",
    ),
    (
        labels::ALL_LABELS,
        &["SCAN l"],
        "reads up to 20,000 labels for an administrator, whose search is over all boards",
    ),
];

pub(super) fn served() -> Vec<&'static str> {
    let mut all = vec![
        load::ROWS,
        load::EPOCHS,
        load::LOG,
        client::CLIENT,
        past::PAST,
        read::BOARDS_OF_USER,
        read::BOARDS_AMONG,
        read::ALL_BOARDS,
        read::BEHIND,
        read::ACTIVITY,
        read::TRIMMED_ACTIVITY,
        read::LATE_CARD_ACTIVITY,
        read::CARD_ACTIVITY,
        read::IMPORT,
        requests::CREATE,
        requests::FIRST_EPOCH,
        requests::FIRST_MEMBER,
        requests::FIRST_BURIED,
        requests::FIRST_BASE,
        requests::ENDED_CLEANLY,
        requests::NEXT_EPOCH,
        requests::MARK_OPEN,
        requests::FORGET_CLIENTS,
        requests::FORGET_KEYS,
        requests::SLEEP,
        requests::SAVE_IMPORT,
        requests::MARK_CLEAN,
        trim::EXTENT,
        trim::WRITTEN_AT,
        trim::BASE,
        trim::ENDING,
        trim::MOVE_BASE,
        trim::IS_BASED,
        trim::KEEP_ACTIVITY,
        trim::FORGET_CARD_VERSIONS,
        trim::END_LOG,
        trim::OLD_RUNS,
        trim::FORGET_RUNS,
        database::BEGIN_RUN,
        rows::PUT_CARD_VERSIONS.single(),
        index::KNOWN,
        index::NUMBER_BOARDS,
        index::LAST_IDS,
        index::DETAILS,
        index::FORGET_TOKENS,
        index::FORGET_CARDS,
        index::PUT_TOKENS.single(),
        index::PUT_CARDS.single(),
        fill::STATE,
        fill::SET_STATE,
        fill::NEXT_CARDS,
        find::RANKED_OF_USER,
        find::RANKED_OF_ALL,
        find::LISTED_OF_USER,
        find::LISTED_OF_ALL,
        labels::LABELS_OF_USER,
        labels::ALL_LABELS,
        account_reads::ACCOUNT,
        account_reads::ACCOUNT_OF_EMAIL,
        account_reads::ACCOUNTS,
        account_reads::DISABLED,
        account_reads::SESSION,
        account_reads::SESSIONS,
        account_reads::HAS_SESSION,
        account_writes::IS_TAKEN,
        account_writes::ADD,
        account_writes::HAS_ADMINISTRATOR,
        account_writes::HAS_OTHER_ADMINISTRATOR,
        account_writes::IS_FIRST_START,
        account_writes::END_LINKS,
        account_writes::PUT_LINK,
        account_writes::USER_OF_LINK,
        account_writes::SET_PASSWORD,
        account_writes::CHANGE_PASSWORD,
        account_writes::END_OTHER_SESSIONS,
        account_writes::IS_ADMINISTRATOR,
        account_writes::SET_DISABLED,
        account_writes::SET_ADMIN,
        account_writes::BEGIN_SESSION,
        account_writes::END_SECRET,
        account_writes::END_OLDEST,
        account_writes::USE_SESSION,
        account_writes::END_SESSION,
        account_writes::END_SESSIONS,
        account_writes::FORGET_SESSIONS,
        account_writes::FORGET_LINKS,
        tokens::MAKE_TOKEN,
        tokens::REVOKE_TOKEN,
        tokens::USE_TOKEN,
        tokens::FORGET_TOKENS,
        tokens::TOKEN,
        tokens::TOKENS,
        tokens::HAS_TOKEN,
        board_links::MAKE_LINK,
        board_links::REVOKE_LINK,
        board_links::TAKE_LINK,
        board_links::GIVE_LINK_BACK,
        board_links::FORGET_BOARD_LINKS,
        board_links::BOARD_LINK,
        board_links::BOARD_LINKS,
        board_links::HAS_BOARD_LINK,
        attachments::REATTACH,
        attachments::IS_ATTACHED,
        attachments::FITS,
        attachments::PUT_FILE,
        attachments::ATTACH,
        attachments::MARK,
        attachments::END,
        attachments::KEPT,
        attachments::FORGET_FILE,
        attachments::FILE_OF,
        attachments::BOARD_BYTES,
        attachments::TOTALS,
        attachments::UNUSED,
        attachments::UNKNOWN,
        audit::APPEND.single(),
        audit::FORGET_OLD,
        audit::FORGET_MORE,
        audit::ENTRIES,
        audit::ENTRIES_OF_ACT,
        audit::ENTRIES_BY,
        audit::ENTRIES_ABOUT,
        audit::ENTRIES_OF_BOARD,
        bin::PUT,
        bin::TAKE_OUT,
        bin::CONDEMN,
        bin::ENDED,
        bin::SINCE,
        bin::BIN_OF_USER,
        bin::WHOLE_BIN,
        bin::REMOVE_TOKENS,
        bin::REMOVE_INDEXED,
        bin::REMOVE_ACTIVITY,
        bin::REMOVE_ATTACHMENTS,
        bin::REMOVE_BASE,
        bin::REMOVE_CARDS,
        bin::REMOVE_CARD_VERSIONS,
        bin::REMOVE_CLIENTS,
        bin::REMOVE_COLUMNS,
        bin::REMOVE_DETAILS,
        bin::REMOVE_EPOCHS,
        bin::REMOVE_EVENTS,
        bin::REMOVE_FIELDS,
        bin::REMOVE_IMPORTS,
        bin::REMOVE_LABELS,
        bin::REMOVE_LINKS,
        bin::REMOVE_MEMBERS,
        bin::REMOVE_NUMBER,
        bin::REMOVE_SPRINTS,
        bin::REMOVE_TOMBSTONES,
        bin::IS_CONDEMNED,
        bin::REMOVE_BOARD,
        history::PUT.single(),
        history::NOTE_CARDS,
        log::INSERT.single(),
        rows::SET_BOARDS.single(),
        rows::BURY.single(),
        rows::PUT_CLIENTS.single(),
        users::REMEMBER.single(),
    ];
    all.extend(
        rows::PUT
            .iter()
            .map(crate::storage::chunked::Chunked::single),
    );
    all.extend(Table::ALL.map(Table::delete_sql));
    all
}

#[tokio::test]
async fn no_served_query_scans_a_table() {
    let (_dir, storage) = start().await;
    let (mut steps, mut faults) = (Vec::new(), Vec::new());
    for sql in served() {
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(storage.readers())
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        for step in plan {
            let detail: String = step.get("detail");
            // Values of the statement itself, and JSON that is bound to it or found by key.
            let own = ["VIRTUAL TABLE", "CONSTANT ROW", "SCAN v", "SCAN (subquery"];
            // What a subquery of a search has found.
            let is_found = matches!(detail.as_str(), "SCAN r" | "SCAN n");
            let is_own = is_found || own.iter().any(|own| detail.contains(own));
            let scans = detail.starts_with("SCAN") && !is_own;
            let sorts = detail.contains("TEMP B-TREE FOR ORDER BY");
            let is_excused = EXCUSED
                .iter()
                .any(|(excused, steps, _)| *excused == sql && steps.contains(&detail.as_str()));
            if !is_excused && (scans || sorts) {
                faults.push(format!(
                    "{sql}
{detail}"
                ));
            }
            steps.push((sql, detail));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    for (sql, excused, reason) in EXCUSED {
        for step in excused {
            let is_there = steps
                .iter()
                .any(|(of, detail)| *of == sql && detail == step);
            assert!(is_there, "{sql} needs no excuse any more: {reason}");
        }
    }
    // What is found in the index is asked for by what stands in it, not by looking through it.
    for sql in [
        find::RANKED_OF_USER,
        find::RANKED_OF_ALL,
        find::LISTED_OF_USER,
        find::LISTED_OF_ALL,
    ] {
        let of = |(sql_of, detail): &&(&str, String)| {
            *sql_of == sql && detail.contains("VIRTUAL TABLE INDEX")
        };
        let index: Vec<_> = steps.iter().filter(of).map(|(_, detail)| detail).collect();
        assert!(
            index.iter().any(|step| step.contains(":M")),
            "{sql}\n{index:?}"
        );
    }
}
