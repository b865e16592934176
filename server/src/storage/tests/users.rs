//! Users that say hello are remembered, many in one transaction.

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::harness::{
    NOW, TestRoom, column, copy_of, give_back, healthy, hold_writes, options, reopen, start, user,
};
use crate::storage::{Health, Storage, StorageError};

const LATER: Timestamp = Timestamp(NOW.0 + 1);

fn numbered(n: usize) -> UserId {
    format!("u{n:05}").parse().unwrap()
}

/// Remembers users before the journal has a turn.
fn remember(storage: &Storage, users: std::ops::Range<usize>, name: &str, now: Timestamp) {
    for n in users {
        let named = format!("{name} {n}");
        storage.remember_user(numbered(n), &named, now).unwrap();
    }
}

/// Resolves when so many users have been written.
async fn written(storage: &Storage, users: u64) {
    while storage.status().counters.users < users {
        tokio::task::yield_now().await;
    }
}

/// Id, name and time of all users, by id.
async fn kept(storage: &Storage) -> Vec<(String, String, i64)> {
    sqlx::query_as("SELECT id, name, first_seen FROM users ORDER BY id")
        .fetch_all(storage.readers())
        .await
        .unwrap()
}

#[tokio::test]
async fn thousands_of_users_share_few_transactions() {
    let (dir, storage) = start().await;
    let held = hold_writes(dir.path()).await;
    remember(&storage, 0..3_000, "New", NOW);
    give_back(held).await;
    written(&storage, 3_000).await;
    let counters = storage.status().counters;
    assert_eq!((counters.users, counters.users_transactions), (3_000, 3));

    // Those who come again are written again only where their name is another.
    let held = hold_writes(dir.path()).await;
    remember(&storage, 0..1_000, "New", LATER);
    remember(&storage, 1_000..2_000, "Other", LATER);
    give_back(held).await;
    storage.close().await.unwrap();
    let counters = storage.status().counters;
    assert_eq!((counters.users, counters.users_transactions), (5_000, 5));

    let storage = reopen(dir.path()).await;
    let users = kept(&storage).await;
    assert_eq!(users.len(), 3_000);
    for (n, (id, name, first_seen)) in users.iter().enumerate() {
        let name_now = if (1_000..2_000).contains(&n) {
            format!("Other {n}")
        } else {
            format!("New {n}")
        };
        assert_eq!((id.as_str(), name), (numbered(n).as_str(), &name_now));
        assert_eq!(*first_seen, NOW.0.cast_signed());
    }
}

#[tokio::test]
async fn a_user_is_written_once_with_its_present_name() {
    let (_dir, storage) = start().await;
    for (name, now) in [("Ann", NOW), ("Ann", LATER), ("Anna", LATER)] {
        storage.remember_user(user(), name, now).unwrap();
    }
    written(&storage, 1).await;
    let ann = (user().as_str().to_owned(), "Anna".to_owned());
    assert_eq!(kept(&storage).await, [(ann.0, ann.1, NOW.0.cast_signed())]);
    assert_eq!(storage.status().counters.users_transactions, 1);
}

#[tokio::test]
async fn a_crash_before_users_are_written_forgets_them_until_they_come_again() {
    let (dir, storage) = start().await;
    remember(&storage, 0..1, "Early", NOW);
    written(&storage, 1).await;
    remember(&storage, 1..2, "Late", NOW);
    let copy = copy_of(dir.path());
    let crashed = Storage::open(options(copy.path())).await.unwrap();
    assert_eq!(kept(&crashed).await.len(), 1);
    remember(&crashed, 1..2, "Late", LATER);
    written(&crashed, 1).await;
    let (id, name, first_seen) = kept(&crashed).await.remove(1);
    assert_eq!((id.as_str(), name.as_str()), ("u00001", "Late 1"));
    assert_eq!(first_seen, LATER.0.cast_signed());
}

#[tokio::test]
async fn r8_users_that_wait_are_bounded() {
    let (_dir, storage) = start().await;
    storage.execute("PRAGMA max_page_count = 1").await.unwrap();
    let mut count = 0;
    let refused = loop {
        match storage.remember_user(numbered(count), "Waits", NOW) {
            Ok(()) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StorageError::Unavailable(_)));
    // The journal may have taken a group of them, which it cannot write.
    assert!((20_000..=21_024).contains(&count), "{count}");
    remember(&storage, count - 1..count, "Known", NOW);
    storage
        .execute("PRAGMA max_page_count = 1000000")
        .await
        .unwrap();
    written(&storage, count as u64).await;
    remember(&storage, count..count + 1, "Again", NOW);
    storage.close().await.unwrap();
    assert_eq!(storage.status().counters.users, count as u64 + 1);
}

#[tokio::test]
async fn a_user_that_breaks_a_rule_is_left_out_alone() {
    let (_dir, storage) = start().await;
    storage
        .execute(
            "CREATE TRIGGER unwanted BEFORE INSERT ON users WHEN new.id = 'u00613' \
             BEGIN SELECT RAISE(ABORT, 'unwanted'); END",
        )
        .await
        .unwrap();
    remember(&storage, 0..1_024, "One", NOW);
    written(&storage, 1_023).await;
    let users = kept(&storage).await;
    assert_eq!(users.len(), 1_023);
    assert!(users.iter().all(|(id, ..)| id != "u00613"));
    assert_eq!(storage.status().health, Health::Healthy);
}

#[tokio::test]
async fn on_a_full_disk_users_wait_and_health_tells() {
    let (_dir, storage) = start().await;
    let mut room = TestRoom::create(&storage).await;
    storage.execute("PRAGMA max_page_count = 1").await.unwrap();
    remember(&storage, 0..1_024, "Waits", NOW);
    while storage.status().health == Health::Healthy {
        tokio::task::yield_now().await;
    }
    assert!(matches!(storage.status().health, Health::Degraded { .. }));
    assert_eq!(storage.status().counters.users, 0);
    remember(&storage, 0..2_000, "Waits", NOW);
    storage
        .execute("PRAGMA max_page_count = 1000000")
        .await
        .unwrap();
    healthy(&storage).await;
    written(&storage, 1_024 + 2_000).await;
    assert_eq!(kept(&storage).await.len(), 2_000);
    room.submit(column("todo"));
    room.durable().await;
}

#[tokio::test]
async fn nobody_is_remembered_after_the_end() {
    let (_dir, storage) = start().await;
    storage.close().await.unwrap();
    let late = storage.remember_user(user(), "Late", NOW);
    assert!(matches!(late, Err(StorageError::Stopped(_))), "{late:?}");
}
