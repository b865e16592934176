//! The log is trimmed: what nobody resumes from leaves it, what people see of it stays.

use boardcast_protocol::board::view_hash;
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::position::{Timestamp, Version};

use super::harness::{NOW, TestRoom, copy_of, id, options, retitle, start};
use crate::storage::{Retention, Storage, StorageError, Trimmed};

const LATER: Timestamp = Timestamp(NOW.0 + 86_400_000);

/// All but the newest versions are old enough.
fn keep(versions: u64) -> Retention {
    Retention {
        keep_ms: 0,
        keep_versions: versions,
    }
}

async fn trim(storage: &Storage, room: &TestRoom, retention: Retention) -> Trimmed {
    storage
        .trim_board(room.id(), retention, LATER)
        .await
        .unwrap()
}

/// A card of the first column goes to its end.
fn reorder(card: &str) -> Command {
    Command::CardMove {
        card: id(card),
        column: "todo".parse().unwrap(),
        place: Place::default(),
    }
}

/// A board with a history: the last of its versions, and those that only changed an order.
fn live(room: &mut TestRoom) -> Vec<u64> {
    room.furnish();
    let mut unseen = Vec::new();
    for n in 0..8 {
        room.submit(reorder(&format!("c{n}")));
        unseen.push(room.version.0);
        room.submit(retitle("c7", &format!("Title {n}")));
    }
    room.change();
    unseen
}

/// Its rows are written, while the room goes on.
async fn written(storage: &Storage, room: &mut TestRoom) {
    room.hand_rows();
    let version = room.version.0.cast_signed();
    while number(storage, "SELECT version FROM boards").await != version {
        tokio::task::yield_now().await;
    }
}

async fn number(storage: &Storage, sql: &'static str) -> i64 {
    let found: Option<i64> = sqlx::query_scalar(sql)
        .fetch_one(storage.readers())
        .await
        .unwrap();
    found.unwrap_or_default()
}

/// All activity of the board or of a card, by pages of three.
async fn history(storage: &Storage, room: &TestRoom, card: Option<&str>) -> Vec<(u64, String)> {
    let mut all: Vec<(u64, String)> = Vec::new();
    loop {
        let before = all.last().map(|(version, _)| Version(*version));
        let page = storage.activity(room.id(), card.map(id), before, 3).await;
        let page = page.unwrap();
        if page.is_empty() {
            return all;
        }
        let text = |entry| serde_json::to_string(entry).unwrap();
        all.extend(page.iter().map(|entry| (entry.n.0, text(entry))));
    }
}

/// The board is what it was, wherever it is opened.
async fn assert_opens_equal(storage: &Storage, room: &TestRoom) -> TestRoom {
    let again = TestRoom::open(storage, room.id()).await;
    assert_eq!(again.board, room.board);
    assert_eq!(view_hash(again.board.view()), view_hash(room.board.view()));
    assert_eq!(again.version, room.version);
    assert_eq!(again.loaded.clients, [room.client()]);
    again
}

#[tokio::test]
async fn a_trimmed_board_is_the_same_board() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    live(&mut room);
    written(&storage, &mut room).await;
    room.journal.close().await.unwrap();
    let last = room.version.0;
    let trimmed = trim(&storage, &room, keep(5)).await;
    assert_eq!(trimmed.versions, last - 5);
    assert_eq!(trim(&storage, &room, keep(5)).await, Trimmed::default());

    let again = assert_opens_equal(&storage, &room).await;
    assert_eq!(again.loaded.base, Version(last - 5));
    assert_eq!(again.loaded.recent.len(), 5);
    assert_eq!(again.loaded.epochs, room.loaded.epochs);
}

#[tokio::test]
async fn r2_the_log_gives_what_follows_the_base_and_nothing_before() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    live(&mut room);
    written(&storage, &mut room).await;
    let last = room.version;
    let versions = async |after| {
        let part = storage.past(room.id(), Version(after), last, 1 << 20).await;
        part.unwrap().len() as u64
    };
    assert_eq!(versions(0).await, last.0);
    trim(&storage, &room, keep(10)).await;
    let base = last.0 - 10;
    assert_eq!(versions(base - 1).await, 0, "a gap");
    assert_eq!(versions(base).await, 10);
    assert_eq!(versions(base + 3).await, 7);
    let small = storage.past(room.id(), Version(base), last, 1).await;
    assert_eq!(small.unwrap().len(), 1, "one at least");
}

#[tokio::test]
async fn history_is_the_same_without_what_only_changed_an_order() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    let unseen = live(&mut room);
    written(&storage, &mut room).await;
    for n in 0..3 {
        room.submit(retitle("c7", &format!("Late {n}")));
    }
    room.durable().await;
    let seen = async |card| {
        let mut all = history(&storage, &room, card).await;
        all.retain(|(version, _)| !unseen.contains(version));
        all
    };
    let before = [
        seen(None).await,
        seen(Some("c7")).await,
        seen(Some("c1")).await,
    ];
    assert!(before[1].len() > 10 && before[2].len() > 1);
    // What moved inside its column is in the history as long as it is in the log.
    let all = history(&storage, &room, None).await;
    assert_eq!(all.len(), before[0].len() + unseen.len());

    // All that only changed an order is among the trimmed ones, and changes after it are not.
    let trimmed = trim(&storage, &room, keep(8)).await;
    assert_eq!(trimmed.versions - trimmed.seen, unseen.len() as u64);
    let after = [
        history(&storage, &room, None).await,
        history(&storage, &room, Some("c7")).await,
        history(&storage, &room, Some("c1")).await,
    ];
    assert_eq!(after, before);
    let dangling = "SELECT count(*) FROM card_versions AS c \
        WHERE NOT EXISTS (SELECT 1 FROM events AS e WHERE e.version = c.version) \
        AND NOT EXISTS (SELECT 1 FROM activity AS a WHERE a.version = c.version)";
    assert_eq!(number(&storage, dangling).await, 0);
    let unnamed = "SELECT count(*) FROM activity WHERE client IS NULL OR seq IS NULL";
    assert_eq!(
        number(&storage, unnamed).await,
        0,
        "who did it, by which submit"
    );
}

#[tokio::test]
async fn the_last_version_survives_when_all_of_the_log_is_trimmed() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    live(&mut room);
    written(&storage, &mut room).await;
    assert_eq!(
        trim(&storage, &room, keep(0)).await.versions,
        room.version.0
    );
    assert_eq!(number(&storage, "SELECT count(*) FROM events").await, 0);

    // As after a kill: the next epoch begins at the last version, and versions go on from there.
    let copy = copy_of(dir.path());
    let storage = Storage::open(options(copy.path())).await.unwrap();
    let mut again = assert_opens_equal(&storage, &room).await;
    assert_ne!(again.loaded.epochs, room.loaded.epochs);
    let began = "SELECT began FROM epochs ORDER BY number DESC LIMIT 1";
    let last = room.version.0.cast_signed();
    assert_eq!(number(&storage, began).await, last);
    again.submit(retitle("c1", "after all"));
    again.durable().await;
    assert_eq!(again.version, room.version.next());
}

#[tokio::test]
async fn a_room_goes_on_while_its_log_is_trimmed() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    live(&mut room);
    written(&storage, &mut room).await;
    for n in 0..40 {
        room.submit(retitle("c1", &format!("Meanwhile {n}")));
        if n % 10 == 0 {
            trim(&storage, &room, keep(3)).await;
        }
    }
    written(&storage, &mut room).await;
    trim(&storage, &room, keep(3)).await;
    storage.close().await.unwrap();

    let storage = Storage::open(options(dir.path())).await.unwrap();
    let again = assert_opens_equal(&storage, &room).await;
    assert_eq!(again.loaded.recent.len(), 3);
}

#[tokio::test]
async fn nothing_is_trimmed_that_the_rows_lack_or_that_is_young_or_not_worth_it() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    live(&mut room);
    room.durable().await;
    assert_eq!(trim(&storage, &room, keep(0)).await.versions, 0, "no rows");
    written(&storage, &mut room).await;

    let young = Retention {
        keep_ms: 2 * 86_400_000,
        keep_versions: 0,
    };
    assert_eq!(trim(&storage, &room, young).await.versions, 0);
    let few = keep(room.version.0 - room.version.0 / 8);
    assert_eq!(trim(&storage, &room, few).await.versions, 0);

    // The times of versions are their numbers here: all up to the twentieth are old.
    let old = Retention {
        keep_ms: LATER.0 - NOW.0 - 20,
        keep_versions: 0,
    };
    assert_eq!(trim(&storage, &room, old).await.versions, 20);
    let nowhere = storage.trim_board("nowhere".parse().unwrap(), keep(0), LATER);
    assert_eq!(nowhere.await.unwrap(), Trimmed::default());
}

#[tokio::test]
async fn a_crash_between_the_steps_leaves_everything_consistent() {
    let (dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    let unseen = live(&mut room);
    written(&storage, &mut room).await;
    let before = history(&storage, &room, None).await;
    let last = room.version.0;
    // The base moves, some versions leave the log, then the disk takes no more.
    storage
        .execute(
            "CREATE TRIGGER crash BEFORE DELETE ON events WHEN old.version > 0 \
             BEGIN SELECT raise(ABORT, 'crash'); END",
        )
        .await
        .unwrap();
    let error = storage.trim_board(room.id(), keep(4), LATER).await;
    assert!(matches!(error, Err(StorageError::Refused(_))), "{error:?}");
    assert_eq!(
        number(&storage, "SELECT version FROM bases").await,
        (last - 4).cast_signed()
    );
    assert_eq!(number(&storage, "SELECT count(*) FROM activity").await, 0);
    assert_eq!(history(&storage, &room, None).await, before);

    let copy = copy_of(dir.path());
    let storage = Storage::open(options(copy.path())).await.unwrap();
    let again = assert_opens_equal(&storage, &room).await;
    assert_eq!(history(&storage, &room, None).await, before);
    storage.execute("DROP TRIGGER crash").await.unwrap();
    let trimmed = trim(&storage, &again, keep(4)).await;
    assert_eq!(trimmed.versions, last - 4);
    let mut seen = before;
    seen.retain(|(version, _)| !unseen.contains(version));
    assert_eq!(history(&storage, &room, None).await, seen);
    again.journal.close().await.unwrap();
    assert_opens_equal(&storage, &room).await;
}

#[tokio::test]
async fn a_long_log_is_trimmed_in_steps_each_of_which_leaves_it_whole() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    room.furnish();
    for n in 0..1_700 {
        room.submit(retitle("c1", &format!("Title {n}")));
    }
    written(&storage, &mut room).await;
    // The third step fails: two have moved a thousand versions.
    storage
        .execute(
            "CREATE TRIGGER crash BEFORE DELETE ON events WHEN old.version > 1000 \
             BEGIN SELECT raise(ABORT, 'crash'); END",
        )
        .await
        .unwrap();
    let error = storage.trim_board(room.id(), keep(100), LATER).await;
    assert!(error.is_err());
    assert_eq!(
        number(&storage, "SELECT min(version) FROM events").await,
        1_001
    );
    assert_eq!(
        number(&storage, "SELECT count(*) FROM activity").await,
        1_000
    );
    let both = "SELECT count(*) FROM events AS e JOIN activity AS a ON a.version = e.version";
    assert_eq!(number(&storage, both).await, 0);
    assert_eq!(
        history(&storage, &room, None).await.len() as u64,
        room.version.0
    );

    storage.execute("DROP TRIGGER crash").await.unwrap();
    let trimmed = trim(&storage, &room, keep(100)).await;
    assert_eq!(trimmed.versions, room.version.0 - 100 - 1_000);
    assert_eq!(
        history(&storage, &room, None).await.len() as u64,
        room.version.0
    );
    room.journal.close().await.unwrap();
    assert_opens_equal(&storage, &room).await;
}

#[tokio::test]
async fn runs_that_no_board_refers_to_are_forgotten() {
    let (dir, storage) = start().await;
    let room = TestRoom::create(&storage).await;
    drop(room);
    storage.close().await.unwrap();
    for _ in 0..3 {
        let storage = Storage::open(options(dir.path())).await.unwrap();
        storage.close().await.unwrap();
    }
    let storage = Storage::open(options(dir.path())).await.unwrap();
    assert_eq!(number(&storage, "SELECT count(*) FROM runs").await, 5);
    assert!(storage.forget_runs().await.unwrap());
    // The board was not closed in the first one, and the last one is now.
    assert_eq!(number(&storage, "SELECT count(*) FROM runs").await, 2);
    assert!(!storage.forget_runs().await.unwrap());
}
