//! What the server does for its database now and then: bringing rows up to date that no room is
//! there for, trimming, and forgetting what has ended: old keys of requests, sessions, tokens, links,
//! old entries of the audit log, boards that have been in the bin for long enough, and files that
//! nothing refers to.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use boardcast_protocol::ids::BoardId;

use crate::attachments::Attachments;
use crate::clock;
use crate::room::Rooms;
use crate::storage::{AUDIT_KEPT_MAX, AuditAct, AuditEntry, Retention, Storage, StorageError};

/// From the start to the first round: whoever comes back after a restart goes first.
const FIRST_AFTER: Duration = Duration::from_secs(60);
const ROUND_EVERY: Duration = Duration::from_secs(60 * 60);
/// Between two boards, and between two calls for one: commits of people go first.
const PAUSE: Duration = Duration::from_millis(20);
/// Boards that are listed at a time.
const PAGE: usize = 64;

/// Goes through all boards, one after the other, round after round, until it is stopped.
pub(crate) async fn upkeep(
    rooms: Rooms,
    storage: Storage,
    retention: Retention,
    attachments: Arc<Attachments>,
    stop: CancellationToken,
) {
    let rounds = async {
        catch_up(&rooms, &storage).await;
        sleep(FIRST_AFTER).await;
        loop {
            catch_up(&rooms, &storage).await;
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

/// Opens the boards whose rows are behind their log: their rooms write the rows, which lists and the
/// search read. After a kill these are the boards that were changed in its last second.
async fn catch_up(rooms: &Rooms, storage: &Storage) {
    let mut after = None;
    loop {
        let page = match storage.boards_behind(after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "failed to list the boards whose rows are behind");
                return;
            }
        };
        let Some(last) = page.last() else { return };
        after = Some(*last);
        for board in page {
            if let Err(error) = rooms.open(board).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%board, error, "failed to open a board whose rows are behind; the search shows it as it was before");
            }
            sleep(PAUSE).await;
        }
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
    use std::collections::{BTreeMap, BTreeSet};

    use boardcast_protocol::board::{Board, View};
    use boardcast_protocol::position::{Timestamp, Version};
    use bytes::Bytes;

    use super::*;
    use crate::attachments::AttachmentRules;
    use crate::room::RoomLimits;
    use crate::storage::{
        Append, AuditFilter, BinPage, ImportRecord, Imported, Rows, StorageOptions,
    };

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
    async fn boards_that_no_room_has_written_are_brought_up_to_date() {
        let dir = tempfile::TempDir::new().unwrap();
        let storage = Storage::open(StorageOptions::new(dir.path()))
            .await
            .unwrap();
        let (level, behind) = (board(&storage, 3).await, BoardId::from_u128(7));
        let view = View::new(behind, "Old".to_owned());
        let empty = Board::new(view, BTreeMap::new(), BTreeSet::new());
        let imported = Imported {
            history: Vec::new(),
            first: Some(Append {
                version: Version(1),
                origin: None,
                by: "ann".parse().unwrap(),
                at: Timestamp(1),
                events: Bytes::from_static(br#"[{"type":"board.set","title":"New"}]"#),
                was: Bytes::from_static(b"[]"),
            }),
            source: "a file".to_owned(),
            record: ImportRecord {
                board: behind,
                digest: String::new(),
                ids: Vec::new(),
            },
        };
        let made = storage.create_imported_board(&empty, imported, clock::now());
        assert!(made.await.unwrap());
        assert_eq!(storage.boards_behind(None, PAGE).await.unwrap(), [behind]);

        let rooms = Rooms::new(storage.clone(), RoomLimits::default());
        catch_up(&rooms, &storage).await;
        assert!(rooms.get(level).is_none(), "only what is behind is opened");
        rooms.stop().await;
        assert_eq!(storage.boards_behind(None, PAGE).await.unwrap(), []);
        let boards = storage.boards_of(None, None, None, PAGE).await.unwrap();
        assert!(boards.iter().any(|board| board.title == "New"));
        storage.close().await.unwrap();
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
        let rooms = Rooms::new(storage.clone(), RoomLimits::default());
        let upkeep = tokio::spawn(upkeep(
            rooms.clone(),
            storage.clone(),
            Retention::default(),
            attachments,
            stop.clone(),
        ));
        stop.cancel();
        upkeep.await.unwrap();
        rooms.stop().await;
        storage.close().await.unwrap();
    }
}
