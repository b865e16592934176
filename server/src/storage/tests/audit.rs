//! The audit log: appended in groups, bounded, and never changed.

use boardcast_protocol::position::Timestamp;
use serde_json::json;

use super::harness::{NOW, reopen, start};
use crate::storage::{AUDIT_KEPT_MS, AuditAct, AuditEntry, AuditFilter, Storage};

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
