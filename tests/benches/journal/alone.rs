//! The journal alone: the versions and rows of a run, handed over as fast as it takes them.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use boardcast::storage::{BoardJournal, Refusal, Storage, StorageOptions};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Timestamp;

use crate::content::{Content, Write};

/// Hands over everything; the time until all of it is written.
pub(crate) async fn run(dir: &Path, content: &Content) -> anyhow::Result<Duration> {
    let storage = Storage::open(StorageOptions::new(dir)).await?;
    let mut boards: HashMap<BoardId, BoardJournal> = HashMap::new();
    for (board, _) in &content.versions {
        if !boards.contains_key(board) {
            let opened = storage.open_board(*board, Timestamp(0)).await?;
            boards.insert(*board, opened.context("no such board")?.1);
        }
    }
    let began = Instant::now();
    for write in &content.writes {
        match write {
            Write::Log(range) => {
                for (board, entry) in &content.versions[range.clone()] {
                    let journal = boards.get(board).context("not opened")?;
                    let slot = loop {
                        match journal.reserve() {
                            Ok(slot) => break slot,
                            Err(Refusal::Busy) => {
                                tokio::time::sleep(Duration::from_millis(1)).await;
                            }
                            Err(Refusal::Unavailable) => anyhow::bail!("the journal has failed"),
                        }
                    };
                    slot.append(entry.clone());
                }
            }
            Write::Rows(all) => {
                for rows in all {
                    let journal = boards.get(&rows.board).context("not opened")?;
                    let mut handed = journal.rows(rows.rows.clone());
                    while let Err(rows) = handed {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        handed = journal.rows(rows);
                    }
                }
            }
            Write::Checkpoint => {}
        }
    }
    loop {
        let status = storage.status();
        if status.queued_versions == 0 && status.queued_rows_bytes == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let time = began.elapsed();
    for journal in boards.values() {
        journal.close().await?;
    }
    storage.close().await?;
    Ok(time)
}
