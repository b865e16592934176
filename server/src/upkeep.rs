//! What the server does for its database now and then: trimming, and forgetting what has ended: old
//! keys of requests, sessions, tokens, links, old entries of the audit log, boards that have been in the bin
//! for long enough, and files that nothing refers to.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use boardcast_protocol::ids::BoardId;

use crate::attachments::Attachments;
use crate::clock;
use crate::storage::{AUDIT_KEPT_MAX, AuditAct, AuditEntry, Retention, Storage, StorageError};

/// From the start to the first round: whoever comes back after a restart goes first.
const FIRST_AFTER: Duration = Duration::from_secs(60);
const ROUND_EVERY: Duration = Duration::from_secs(60 * 60);
/// Between two boards, and between two calls for one: commits of people go first.
const PAUSE: Duration = Duration::from_millis(20);
/// Boards that are listed at a time.
const PAGE: usize = 64;

/// Trims the logs of all boards, one after the other, round after round, until it is stopped.
pub(crate) async fn upkeep(
    storage: Storage,
    retention: Retention,
    attachments: Arc<Attachments>,
    stop: CancellationToken,
) {
    let rounds = async {
        sleep(FIRST_AFTER).await;
        loop {
            round(&storage, retention).await;
            empty_bin(&storage).await;
            sweep(&attachments).await;
            sleep(ROUND_EVERY).await;
        }
    };
    // A step that is under way is one transaction of the journal: it is finished or never begun.
    tokio::select! {
        () = stop.cancelled() => {}
        () = rounds => {}
    }
}

async fn round(storage: &Storage, retention: Retention) {
    let (mut versions, mut boards) = (0, 0);
    let mut after = None;
    loop {
        let page = match storage.boards_of(None, None, after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "failed to list the boards to be trimmed; the next round is in an hour"
                );
                break;
            }
        };
        let Some(last) = page.last() else { break };
        after = Some(last.board);
        for board in page.iter().map(|summary| summary.board) {
            match trim(storage, board, retention).await {
                Ok(0) => {}
                Ok(trimmed) => {
                    versions += trimmed;
                    boards += 1;
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(%board, error, "failed to trim the log of a board; it grows until the next round");
                }
            }
        }
    }
    if let Err(error) = storage.forget_runs().await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            error,
            "failed to forget old runs; the next round is in an hour"
        );
    }
    if let Err(error) = storage.forget_ended(clock::now()).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            error,
            "failed to forget sessions and links that have ended; the next round is in an hour"
        );
    }
    if let Err(error) = forget_audit(storage).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(
            error,
            "failed to end old entries of the audit log; the next round is in an hour"
        );
    }
    if versions > 0 {
        tracing::info!(versions, boards, "old versions left the log");
    }
}

/// Removes the boards that have been in the bin for long enough.
async fn empty_bin(storage: &Storage) {
    loop {
        match remove_ended(storage).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "failed to remove boards from the bin; the next round is in an hour"
                );
                return;
            }
        }
    }
}

/// Removes one of them, few rows at a time; `false` where there is none.
async fn remove_ended(storage: &Storage) -> Result<bool, StorageError> {
    let Some(board) = storage.ended_board(clock::now()).await? else {
        return Ok(false);
    };
    while storage.remove_some(board).await? {
        sleep(PAUSE).await;
    }
    tracing::info!(%board, "a board was removed from the bin");
    storage.audit(AuditEntry {
        board: Some(board),
        ..AuditEntry::new(AuditAct::BoardRemoved, clock::now())
    });
    Ok(true)
}

/// Removes files that nothing refers to.
async fn sweep(attachments: &Attachments) {
    match attachments.sweep(clock::now()).await {
        Ok(swept) if swept.ended + swept.removed > 0 => {
            let (ended, removed) = (swept.ended, swept.removed);
            tracing::info!(ended, removed, "files that nothing refers to were removed");
        }
        Ok(_) => {}
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "failed to remove files that nothing refers to; the next round is in an hour"
            );
        }
    }
}

/// Ends old entries of the audit log, few at a time.
async fn forget_audit(storage: &Storage) -> Result<(), StorageError> {
    while storage.forget_audit(clock::now(), AUDIT_KEPT_MAX).await? {
        sleep(PAUSE).await;
    }
    Ok(())
}

/// Forgets old keys of a board and trims it as far as it goes; the count of versions.
async fn trim(
    storage: &Storage,
    board: BoardId,
    retention: Retention,
) -> Result<u64, StorageError> {
    let mut versions = 0;
    storage.forget_keys(board, clock::now()).await?;
    loop {
        sleep(PAUSE).await;
        let trimmed = storage.trim_board(board, retention, clock::now()).await?;
        if trimmed.versions == 0 {
            return Ok(versions);
        }
        versions += trimmed.versions;
    }
}

#[cfg(test)]
mod tests {
    use boardcast_protocol::position::{Timestamp, Version};
    use bytes::Bytes;

    use super::*;
    use crate::attachments::AttachmentRules;
    use crate::storage::{Append, AuditFilter, BinPage, Rows, StorageOptions};

    /// A board with so many versions, written and closed.
    async fn board(storage: &Storage, versions: u64) -> BoardId {
        let board = storage
            .create_board("Old", None, clock::now())
            .await
            .unwrap();
        let (_, journal) = storage
            .open_board(board, clock::now())
            .await
            .unwrap()
            .unwrap();
        for version in (1..=versions).map(Version) {
            journal.reserve().unwrap().append(Append {
                version,
                origin: None,
                by: "ann".parse().unwrap(),
                at: Timestamp(version.0),
                events: Bytes::from_static(b"[]"),
                was: Bytes::from_static(b"[]"),
            });
        }
        let rows = Rows {
            version: Version(versions),
            ..Rows::default()
        };
        journal.rows(rows).unwrap();
        journal.close().await.unwrap();
        board
    }

    async fn kept(storage: &Storage, board: BoardId) -> usize {
        let opened = storage.open_board(board, clock::now()).await.unwrap();
        let (loaded, journal) = opened.unwrap();
        journal.close().await.unwrap();
        assert_eq!(loaded.version, Version(40), "none is made twice");
        loaded.recent.len()
    }

    #[tokio::test]
    async fn a_round_trims_all_boards() {
        let dir = tempfile::TempDir::new().unwrap();
        let storage = Storage::open(StorageOptions::new(dir.path()))
            .await
            .unwrap();
        let boards = [board(&storage, 40).await, board(&storage, 40).await];
        let defaults = Retention::default();
        round(&storage, defaults).await;
        for board in boards {
            assert_eq!(kept(&storage, board).await, 40, "the newest 2,000 stay");
        }
        let few = Retention {
            keep_versions: 7,
            ..defaults
        };
        round(&storage, few).await;
        for board in boards {
            assert_eq!(kept(&storage, board).await, 7);
        }
    }

    #[tokio::test]
    async fn a_round_removes_boards_that_have_been_in_the_bin_for_thirty_days_and_notes_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let storage = Storage::open(StorageOptions::new(dir.path()))
            .await
            .unwrap();
        let day_ms = 24 * 60 * 60 * 1_000;
        let mut boards = Vec::new();
        for days in [31, 29, 40] {
            let board = board(&storage, 3).await;
            let at = Timestamp(clock::now().0 - days * day_ms);
            let put = storage.put_into_bin(board, "ann".parse().unwrap(), at);
            assert!(put.await.unwrap());
            boards.push(board);
        }
        empty_bin(&storage).await;
        let all = BinPage {
            user: None,
            among: None,
            after: None,
            limit: 9,
        };
        let left = storage.bin(all, Timestamp(0)).await.unwrap();
        let left: Vec<_> = left.iter().map(|binned| binned.board).collect();
        assert_eq!(left, [boards[1]]);
        storage.write_audit(clock::now()).await.unwrap();
        let removed = AuditFilter::Act(AuditAct::BoardRemoved);
        let noted = storage.audited(removed, None, 9).await.unwrap();
        let noted: Vec<_> = noted.iter().map(|entry| entry.board.clone()).collect();
        let removed = [boards[0], boards[2]].map(|board| Some(board.to_string()));
        assert_eq!(noted, removed, "the newest first");
    }

    #[tokio::test]
    async fn it_stops_when_it_is_told() {
        let dir = tempfile::TempDir::new().unwrap();
        let storage = Storage::open(StorageOptions::new(dir.path()))
            .await
            .unwrap();
        let stop = CancellationToken::new();
        let rules = AttachmentRules::default();
        let attachments = Arc::new(Attachments::new(storage.clone(), rules));
        let upkeep = tokio::spawn(upkeep(
            storage.clone(),
            Retention::default(),
            attachments,
            stop.clone(),
        ));
        stop.cancel();
        upkeep.await.unwrap();
        storage.close().await.unwrap();
    }
}
