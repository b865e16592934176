//! The bare loop: prepared statements, one row each, no queue, no thread, nobody who waits.

use std::path::Path;
use std::time::{Duration, Instant};

use boardcast::storage::Append;
use boardcast_protocol::event::Entity;
use boardcast_protocol::ids::BoardId;
use rusqlite::{Connection, Statement, params};

use crate::content::{BoardRows, Content, Write};

const LOG: &str = "INSERT INTO events (board, version, at, by_user, client, seq, body, ev, was) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
const NOTE_CARD: &str =
    "INSERT INTO card_versions (board, card, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
const SET_BOARD: &str = "UPDATE boards SET version = ?2, doc = coalesce(?3, doc) WHERE id = ?1";
const PUT_CLIENT: &str = "INSERT INTO clients (board, client, user, last_seq, seen, outcomes) VALUES (?, ?, ?, ?, ?, ?) \
     ON CONFLICT (board, client) DO UPDATE SET user = excluded.user, \
     last_seq = excluded.last_seq, seen = excluded.seen, outcomes = excluded.outcomes";

/// What the loop took.
pub(crate) struct Bare {
    pub(crate) time: Duration,
    pub(crate) group_us: Vec<u64>,
}

struct Statements<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    checkpoint: Statement<'c>,
    log: Statement<'c>,
    note_card: Statement<'c>,
    set_board: Statement<'c>,
    put_client: Statement<'c>,
    /// Put and delete, for each table of parts.
    put: Vec<(Statement<'c>, Statement<'c>)>,
}

/// Writes everything again, with the settings of the journal.
pub(crate) fn run(database: &Path, content: &Content) -> anyhow::Result<Bare> {
    let conn = Connection::open(database)?;
    conn.execute_batch(
        "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA foreign_keys = on; \
         PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0; \
         PRAGMA journal_size_limit = 67108864; PRAGMA busy_timeout = 5000",
    )?;
    let mut statements = Statements::prepare(&conn)?;
    let mut group_us = Vec::new();
    let began = Instant::now();
    for write in &content.writes {
        let step = Instant::now();
        match write {
            Write::Checkpoint => {
                let mut rows = statements.checkpoint.query([])?;
                while rows.next()?.is_some() {}
            }
            Write::Log(range) => {
                statements.begin.execute([])?;
                for (board, entry) in &content.versions[range.clone()] {
                    statements.append(*board, entry)?;
                }
                statements.commit.execute([])?;
                group_us.push(u64::try_from(step.elapsed().as_micros())?);
            }
            Write::Rows(all) => {
                statements.begin.execute([])?;
                for rows in all {
                    statements.put(rows)?;
                }
                statements.commit.execute([])?;
            }
        }
    }
    Ok(Bare {
        time: began.elapsed(),
        group_us,
    })
}

impl<'c> Statements<'c> {
    fn prepare(conn: &'c Connection) -> rusqlite::Result<Self> {
        let tables = [
            "members", "columns", "labels", "fields", "sprints", "cards", "details",
        ];
        let put = tables.map(|table| {
            let put = format!(
                "INSERT INTO {table} (board, id, doc) VALUES (?, ?, ?) \
                 ON CONFLICT (board, id) DO UPDATE SET doc = excluded.doc"
            );
            let delete = format!("DELETE FROM {table} WHERE board = ? AND id = ?");
            Ok((conn.prepare(&put)?, conn.prepare(&delete)?))
        });
        Ok(Self {
            begin: conn.prepare("BEGIN IMMEDIATE")?,
            commit: conn.prepare("COMMIT")?,
            checkpoint: conn.prepare("PRAGMA wal_checkpoint(PASSIVE)")?,
            log: conn.prepare(LOG)?,
            note_card: conn.prepare(NOTE_CARD)?,
            set_board: conn.prepare(SET_BOARD)?,
            put_client: conn.prepare(PUT_CLIENT)?,
            put: put.into_iter().collect::<rusqlite::Result<_>>()?,
        })
    }

    fn append(&mut self, board: BoardId, entry: &Append) -> anyhow::Result<()> {
        let origin = entry.origin.as_ref();
        self.log.execute(params![
            board.as_str(),
            entry.version.0.cast_signed(),
            entry.at.0.cast_signed(),
            entry.by.as_str(),
            origin.map(|(client, _, _)| client.as_str()),
            origin.map(|(_, seq, _)| seq.0.cast_signed()),
            origin.map(|(_, _, body)| body.cast_signed()),
            std::str::from_utf8(&entry.events)?,
            std::str::from_utf8(&entry.was)?,
        ])?;
        Ok(())
    }

    fn put(&mut self, all: &BoardRows) -> anyhow::Result<()> {
        let BoardRows {
            board,
            rows,
            outcomes,
        } = all;
        let board = board.as_str();
        for (card, version) in &rows.touched {
            self.note_card
                .execute(params![board, card.as_str(), version.0.cast_signed()])?;
        }
        let mut head = None;
        for (entity, doc) in &rows.parts {
            let doc = doc.as_deref().map(std::str::from_utf8).transpose()?;
            let (table, id) = match entity {
                Entity::Board => {
                    head = doc;
                    continue;
                }
                Entity::Member(id) => (0, id.as_str()),
                Entity::Column(id) => (1, id.as_str()),
                Entity::Label(id) => (2, id.as_str()),
                Entity::Field(id) => (3, id.as_str()),
                Entity::Sprint(id) => (4, id.as_str()),
                Entity::Card(id) => (5, id.as_str()),
                Entity::Detail(id) => (6, id.as_str()),
            };
            match doc {
                Some(doc) => self.put[table].0.execute(params![board, id, doc])?,
                None => self.put[table].1.execute(params![board, id])?,
            };
        }
        self.set_board
            .execute(params![board, rows.version.0.cast_signed(), head])?;
        for (client, outcomes) in rows.clients.iter().zip(outcomes) {
            self.put_client.execute(params![
                board,
                client.client.as_str(),
                client.user.as_str(),
                client.last_seq.0.cast_signed(),
                client.seen.0.cast_signed(),
                outcomes,
            ])?;
        }
        Ok(())
    }
}
