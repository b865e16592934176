//! The audit log: appended in groups, bounded, and never changed.

use std::fs;

use boardcast_protocol::position::Timestamp;
use serde_json::json;

use super::harness::{NOW, reopen, start};
use crate::storage::{AUDIT_KEPT_MS, AuditAct, AuditEntry, AuditFilter, Storage, leave_note};

fn entry(number: u64) -> AuditEntry {
    AuditEntry {
        by: Some("ann".parse().unwrap()),
        address: Some("127.0.0.1".to_owned()),
        detail: json!({"number": number}),
        ..AuditEntry::new(AuditAct::SignIn, Timestamp(NOW.0 + number))
    }
}

async fn all(storage: &Storage) -> Vec<u64> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = storage
            .audited(AuditFilter::All, before, 700)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        let count = |e: &crate::storage::StoredAudit| match e.act.as_str() {
            "entries_lost" => e.detail["count"].as_u64().unwrap(),
            _ => e.detail["number"].as_u64().unwrap(),
        };
        found.extend(page.iter().map(count));
    }
    found
}

#[tokio::test]
async fn entries_are_written_together_in_their_order_and_outlive_a_restart() {
    let (dir, storage) = start().await;
    for number in 0..2_000 {
        storage.audit(entry(number));
    }
    assert_eq!(all(&storage).await, [0; 0], "nobody waits for it");
    storage.write_audit(NOW).await.unwrap();
    storage.close().await.unwrap();
    let storage = reopen(dir.path()).await;
    let expected: Vec<_> = (0..2_000).rev().collect();
    assert_eq!(all(&storage).await, expected);
}

#[tokio::test]
async fn above_the_bound_entries_are_lost_and_an_entry_says_how_many() {
    let (_dir, storage) = start().await;
    for number in 0..10_007 {
        storage.audit(entry(number));
    }
    storage.write_audit(NOW).await.unwrap();
    let found = all(&storage).await;
    assert_eq!(found.len(), 10_001);
    assert_eq!(
        found[..2],
        [7, 9_999],
        "the last entry counts those that were lost"
    );
}

#[tokio::test]
async fn entries_end_by_age_and_by_count_the_oldest_first() {
    let (_dir, storage) = start().await;
    for number in 0..3_000 {
        storage.audit(entry(number));
    }
    storage.write_audit(NOW).await.unwrap();
    let later = Timestamp(NOW.0 + AUDIT_KEPT_MS + 1_500);
    while storage.forget_audit(later, 1_000_000).await.unwrap() {}
    let found = all(&storage).await;
    assert_eq!((found.len(), found.last()), (1_500, Some(&1_500)));
    while storage.forget_audit(NOW, 10).await.unwrap() {}
    let expected: Vec<_> = (2_990..3_000).rev().collect();
    assert_eq!(all(&storage).await, expected);
}

#[tokio::test]
async fn no_entry_is_changed() {
    let (_dir, storage) = start().await;
    storage.audit(entry(1));
    storage.write_audit(NOW).await.unwrap();
    let changed = storage.execute("UPDATE audit SET act = 'nothing'").await;
    let error = changed.unwrap_err().to_string();
    assert!(error.contains("append-only"), "{error}");
    assert_eq!(all(&storage).await, [1]);
}

fn note(number: u64) -> AuditEntry {
    AuditEntry {
        about: Some("ann".parse().unwrap()),
        detail: json!({"number": number}),
        ..AuditEntry::new(AuditAct::KeyRotated, Timestamp(NOW.0 + number))
    }
}

#[tokio::test]
async fn what_commands_have_left_is_taken_in_once_and_in_its_order() {
    let (dir, storage) = start().await;
    for number in [2, 3, 1] {
        leave_note(dir.path(), &note(number)).unwrap();
    }
    storage.write_audit(NOW).await.unwrap();
    leave_note(dir.path(), &note(4)).unwrap();
    storage.close().await.unwrap();
    let storage = reopen(dir.path()).await;
    storage.write_audit(NOW).await.unwrap();
    storage.write_audit(NOW).await.unwrap();
    assert_eq!(all(&storage).await, [4, 3, 2, 1]);
    assert_eq!(fs::read_dir(dir.path().join("notes")).unwrap().count(), 0);
    let noted = storage.audited(AuditFilter::All, None, 1).await.unwrap();
    let last = &noted[0];
    assert_eq!(
        (last.act.as_str(), last.at),
        ("key_rotated", Timestamp(NOW.0 + 4))
    );
    assert_eq!((last.about.as_deref(), &last.by), (Some("ann"), &None));
}

#[tokio::test]
async fn a_note_that_cannot_be_read_is_lost_and_one_that_cannot_be_removed_counts_once() {
    let (dir, storage) = start().await;
    let notes = dir.path().join("notes");
    fs::create_dir(&notes).unwrap();
    let unknown = r#"{"at":1,"act":"nothing","about":null,"detail":{}}"#;
    for text in ["{", unknown, &"x".repeat(5_000)] {
        fs::write(notes.join("0"), text).unwrap();
        storage.write_audit(NOW).await.unwrap();
    }
    assert_eq!(all(&storage).await, [1, 1, 1], "an entry counts each");
    // No file, so nothing removes it.
    fs::create_dir(notes.join("1")).unwrap();
    for _ in 0..3 {
        storage.write_audit(NOW).await.unwrap();
    }
    assert_eq!(all(&storage).await, [1, 1, 1, 1]);
    let draft = notes.join("unfinished-x");
    fs::write(&draft, "{").unwrap();
    storage.write_audit(NOW).await.unwrap();
    assert!(draft.exists(), "somebody writes it");
    assert_eq!(all(&storage).await.len(), 4);
}

#[tokio::test]
async fn so_many_notes_wait_and_further_ones_are_refused() {
    let (dir, storage) = start().await;
    for number in 0..1_000 {
        leave_note(dir.path(), &note(number)).unwrap();
    }
    let refused = leave_note(dir.path(), &note(1_000))
        .unwrap_err()
        .to_string();
    assert!(refused.contains("start the server"), "{refused}");
    storage.write_audit(NOW).await.unwrap();
    let expected: Vec<_> = (0..1_000).rev().collect();
    assert_eq!(all(&storage).await, expected);
    leave_note(dir.path(), &note(1_000)).unwrap();
}
