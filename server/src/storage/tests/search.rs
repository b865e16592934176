//! The search index: it is what the rows are, and finds what they hold.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use sqlx::Connection;

use boardcast_protocol::board::Role;
use boardcast_protocol::command::{CardChange, Command};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::search::{Asker, Query};

use super::harness::{
    NOW, TestRoom, card, column, copy_of, describe, id, options, reopen, retitle, start, user,
};
use crate::storage::directory::DATABASE;
use crate::storage::{
    CARDS_VISITED_MAX, CardSearch, CheckTarget, SearchCursor, Storage, check, connect, reindex,
};

/// Fails where the index, or anything else, is not what the log leads to.
async fn assert_whole(dir: &Path) {
    let target = CheckTarget::File(dir.join(DATABASE));
    let report = check(&target, &[], &|_, _| ControlFlow::Continue(())).await;
    let report = report.unwrap();
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
}

async fn search(storage: &Storage, query: &str) -> Vec<String> {
    search_for(storage, query, None, None).await.0
}

async fn search_for(
    storage: &Storage,
    query: &str,
    boards: Option<&[BoardId]>,
    after: Option<SearchCursor>,
) -> (Vec<String>, Option<SearchCursor>) {
    let query: Query = query.parse().unwrap();
    let asker = Asker {
        user: user(),
        now: NOW,
    };
    let search = CardSearch {
        query: &query,
        asker,
        all: false,
        boards,
        after,
        limit: 10,
    };
    let found = storage.search(search).await.unwrap();
    let mut ids: Vec<_> = (found.cards.iter())
        .map(|found| found.card.id.to_string())
        .collect();
    if query.phrases().next().is_none() {
        ids.sort();
    }
    (ids, found.next)
}

fn comment(card: &str, id: &str, text: &str) -> Command {
    Command::CommentCreate {
        card: card.parse().unwrap(),
        comment: id.parse().unwrap(),
        text: text.into(),
    }
}

#[tokio::test]
async fn cards_are_found_by_each_of_their_texts_the_title_first() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.submit(retitle("c5", "Besuch in 北京 needle"));
    room.submit(describe("c6", "a needle, and für die Straße"));
    room.submit(comment("c7", "m2", "where is the Needle?"));
    room.submit(Command::ChecklistCreate {
        card: id("c8"),
        checklist: "k".parse().unwrap(),
        title: "Needles".into(),
        place: Default::default(),
    });
    room.hand_rows();
    room.journal.close().await.unwrap();

    let found = search(&storage, "needle").await;
    assert_eq!(found[0], "c5", "{found:?}");
    assert_eq!(found.len(), 4);
    assert_eq!(search(&storage, "京").await, ["c5"]);
    assert_eq!(search(&storage, "北京").await, ["c5"]);
    assert_eq!(search(&storage, "strasse fur").await, ["c6"]);
    assert_eq!(search(&storage, "needle -where").await.len(), 3);
    assert_eq!(
        search(&storage, "needle assignee:me column:todo")
            .await
            .len(),
        4
    );
    assert_eq!(search(&storage, "needle assignee:bob").await.len(), 0);
    assert_eq!(search(&storage, "board:spring \"where is\"").await, ["c7"]);
    assert_eq!(search(&storage, "board:autumn needle").await.len(), 0);
    drop(room);
    storage.close().await.unwrap();
    assert_whole(dir.path()).await;
}

#[tokio::test]
async fn the_index_follows_every_change_of_the_rows() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    room.change();
    room.submit(retitle("c1", "Another"));
    room.submit(Command::CommentRemove {
        card: id("c3"),
        comment: "m1".parse().unwrap(),
    });
    room.submit(Command::CardArchive {
        card: id("c9"),
        archived: true,
    });
    room.submit(Command::CardLabel {
        card: id("c6"),
        label: "red".parse().unwrap(),
        on: true,
    });
    room.hand_rows();
    room.submit(card("again", "todo"));
    room.hand_rows();
    room.journal.close().await.unwrap();

    assert_eq!(
        search(&storage, "first").await.len(),
        0,
        "the comment is gone"
    );
    assert_eq!(search(&storage, "card late").await, ["late"]);
    assert_eq!(search(&storage, "c4").await.len(), 0, "the card is gone");
    assert_eq!(search(&storage, "c9").await.len(), 0, "it is archived");
    assert_eq!(search(&storage, "is:archived c9").await, ["c9"]);
    assert_eq!(search(&storage, "label:area").await, ["c6"]);
    assert_eq!(search(&storage, "column:done").await, ["c5", "late"]);
    drop(room);
    storage.close().await.unwrap();
    assert_whole(dir.path()).await;
}

#[tokio::test]
async fn after_a_kill_the_index_is_what_the_rows_are() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    room.durable().await;
    room.change();
    room.durable().await;
    let before = copy_of(dir.path());
    room.hand_rows();
    room.submit(retitle("c1", "Afterwards"));
    room.durable().await;
    let after = copy_of(dir.path());
    for copy in [before, after] {
        assert_whole(copy.path()).await;
        let storage = Storage::open(options(copy.path())).await.unwrap();
        let mut room = TestRoom::open(&storage, room.id()).await;
        room.submit(card("more", "todo"));
        room.hand_rows();
        room.journal.close().await.unwrap();
        assert_eq!(search(&storage, "\"card more\"").await, ["more"]);
        drop(room);
        storage.close().await.unwrap();
        assert_whole(copy.path()).await;
    }
}

#[tokio::test]
async fn only_boards_of_the_user_are_searched_and_of_these_only_some_where_that_is_said() {
    let (_dir, storage) = start().await;
    let mut boards = Vec::new();
    for is_mine in [true, true, false] {
        let mut room = TestRoom::create(&storage).await;
        room.submit(column("todo"));
        room.submit(card(if is_mine { "k" } else { "secret" }, "todo"));
        room.submit(retitle(if is_mine { "k" } else { "secret" }, "Needle"));
        if !is_mine {
            room.submit(Command::MemberAdd {
                user: "eve".parse().unwrap(),
                name: None,
                role: Role::Admin,
            });
            room.submit(Command::MemberRemove { user: user() });
        }
        room.hand_rows();
        room.journal.close().await.unwrap();
        boards.push(room.id());
    }
    for query in ["needle", "is:open"] {
        assert_eq!(search(&storage, query).await, ["k", "k"], "{query}");
        let found = search_for(&storage, query, Some(&boards[1..]), None).await;
        assert_eq!(found.0, ["k"], "{query}");
        let found = search_for(&storage, query, Some(&boards[2..]), None).await;
        assert_eq!(
            found.0.len(),
            0,
            "{query}: it names the board of somebody else"
        );
    }
}

#[tokio::test]
async fn pages_go_on_where_the_one_before_ended_and_look_at_so_many_cards() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.submit(column("todo"));
    let count = CARDS_VISITED_MAX + 30;
    for n in 0..count {
        room.submit(card(&format!("c{n:05}"), "todo"));
    }
    room.submit(describe("c01025", "last"));
    room.hand_rows();
    room.journal.close().await.unwrap();
    for query in ["card", "assignee:me"] {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (ids, next) = search_for(&storage, query, None, after).await;
            all.extend(ids);
            let Some(next) = next else { break };
            after = Some(next);
        }
        assert_eq!(all.len(), count, "{query}");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "{query}: none stands twice");
    }
    // Cards that do not match are looked at as well: a page may be empty, and the next one follows.
    let (mut pages, mut after) = (0, None);
    loop {
        let (ids, next) = search_for(&storage, "assignee:me -c0", None, after).await;
        assert_eq!(ids.len(), 0);
        pages += 1;
        let Some(next) = next else { break };
        after = Some(next);
    }
    assert_eq!(pages, 2);
}

#[tokio::test]
async fn pages_go_over_all_boards_in_the_order_of_the_index() {
    let (_dir, storage) = start().await;
    for _ in 0..8 {
        let mut room = TestRoom::create(&storage).await;
        room.submit(column("todo"));
        for n in 0..5 {
            room.submit(card(&format!("c{n}"), "todo"));
        }
        room.hand_rows();
        room.journal.close().await.unwrap();
    }
    for query in ["card", "is:open", "assignee:me"] {
        let mut found = BTreeSet::new();
        let (mut count, mut after) = (0, None);
        loop {
            let query: Query = query.parse().unwrap();
            let search = CardSearch {
                query: &query,
                asker: Asker {
                    user: user(),
                    now: NOW,
                },
                all: false,
                boards: None,
                after,
                limit: 3,
            };
            let page = storage.search(search).await.unwrap();
            count += page.cards.len();
            found.extend(
                page.cards
                    .iter()
                    .map(|found| (found.view.id, found.card.id)),
            );
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!((found.len(), count), (40, 40), "{query}");
    }
}

#[tokio::test]
async fn a_filtered_page_looks_at_the_cards_that_it_holds() {
    let (_dir, storage) = start().await;
    let mut rooms = Vec::new();
    for _ in 0..2 {
        let mut room = TestRoom::create(&storage).await;
        room.submit(column("todo"));
        for label in ["bug", "rare"] {
            room.submit(Command::LabelCreate {
                label: label.parse().unwrap(),
                name: label.to_uppercase(),
                color: None,
            });
        }
        for n in 0..800 {
            let mut labels = Vec::new();
            if n % 5 == 0 {
                labels.push("bug".parse().unwrap());
            }
            if n == 799 {
                labels.push("rare".parse().unwrap());
            }
            room.submit(Command::CardCreate {
                card: id(&format!("c{n}")),
                column: "todo".parse().unwrap(),
                title: format!("Number {n}"),
                place: Default::default(),
                set: Box::default(),
                labels,
                assignees: Vec::new(),
            });
        }
        room.hand_rows();
        room.journal.close().await.unwrap();
        rooms.push(room);
    }
    for (query, found, visited) in [
        ("label:bug", 100, 100),
        ("label:bug number", 100, 100),
        ("label:rare", 2, 2),
        ("label:rare number", 2, 2),
        ("nothing", 0, 0),
    ] {
        let query: Query = query.parse().unwrap();
        let user = user();
        let asker = Asker { user, now: NOW };
        let search = CardSearch {
            query: &query,
            asker,
            all: false,
            boards: None,
            after: None,
            limit: 100,
        };
        for all in [false, true] {
            let page = storage.search(CardSearch { all, ..search }).await.unwrap();
            assert_eq!(
                (page.cards.len(), page.visited),
                (found, visited),
                "{query:?}"
            );
        }
    }
}

#[tokio::test]
async fn rows_of_an_older_database_are_indexed_at_the_start_also_when_that_is_cut_short() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    for n in 0..450 {
        room.submit(card(&format!("more{n}"), "done"));
    }
    room.hand_rows();
    room.journal.close().await.unwrap();
    drop(room);
    storage.close().await.unwrap();
    for sql in [
        // Older than the index: the migration has just made its tables.
        "DELETE FROM server WHERE key = 'card_index'; DELETE FROM indexed_cards; \
         DELETE FROM indexed_boards; INSERT INTO card_index (card_index) VALUES ('delete-all')",
        // Cut short after some cards.
        "UPDATE server SET value = '1 under way' WHERE key = 'card_index'; \
         DELETE FROM card_index WHERE rowid IN (SELECT id FROM indexed_cards ORDER BY card LIMIT 99); \
         DELETE FROM indexed_cards WHERE id IN (SELECT id FROM indexed_cards ORDER BY card LIMIT 99)",
        // Made in another form.
        "UPDATE server SET value = '0' WHERE key = 'card_index'; \
         INSERT OR REPLACE INTO card_index (rowid, title) SELECT id, 'x' FROM indexed_cards; \
         UPDATE indexed_cards SET digest = 0",
    ] {
        let mut conn = connect::plain(&dir.path().join(DATABASE)).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        let storage = reopen(dir.path()).await;
        assert_eq!(search(&storage, "\"card more449\"").await, ["more449"]);
        assert_eq!(search(&storage, "long text").await, ["c1"]);
        storage.close().await.unwrap();
        assert_whole(dir.path()).await;
    }
}

#[tokio::test]
async fn an_index_that_is_wrong_is_found_by_the_check_and_made_anew() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    room.journal.close().await.unwrap();
    drop(room);
    storage.close().await.unwrap();
    let mut conn = connect::plain(&dir.path().join(DATABASE)).await.unwrap();
    sqlx::raw_sql(
        "INSERT OR REPLACE INTO card_index (rowid, title) SELECT id, 'x' FROM indexed_cards",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    conn.close().await.unwrap();
    let target = CheckTarget::File(dir.path().join(DATABASE));
    let report = check(&target, &[], &|_, _| ControlFlow::Continue(())).await;
    let names: Vec<_> = (report.unwrap().violations.iter())
        .map(|violation| violation.invariant.name())
        .collect();
    assert_eq!(names, ["index_matches_rows"]);
    assert_eq!(reindex(dir.path()).await.unwrap(), 20);
    assert_whole(dir.path()).await;
}

#[tokio::test]
async fn a_move_writes_nothing_to_the_index() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    room.hand_rows();
    room.durable().await;
    while !room.journal.rows_are_written() {
        tokio::task::yield_now().await;
    }
    // Whoever writes to the index fails from now on.
    for sql in [
        "CREATE TRIGGER a BEFORE UPDATE ON indexed_cards BEGIN SELECT raise(ABORT, 'written'); END",
        "CREATE TRIGGER b BEFORE INSERT ON indexed_cards BEGIN SELECT raise(ABORT, 'written'); END",
    ] {
        storage.execute(sql).await.unwrap();
    }
    room.submit(Command::CardMove {
        card: id("c5"),
        column: "done".parse().unwrap(),
        place: Default::default(),
    });
    room.submit(Command::CardSet {
        card: id("c6"),
        set: Box::new(CardChange {
            estimate: Some(Some(3)),
            ..CardChange::default()
        }),
    });
    room.hand_rows();
    room.journal.close().await.unwrap();
    assert_eq!(search(&storage, "column:done").await, ["c5"]);
}
