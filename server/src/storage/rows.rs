//! Writes boards' rows: what the log leads to, behind it and coalesced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use sqlx::SqliteConnection;

use boardcast_protocol::event::Entity;
use boardcast_protocol::ids::{AnyId, CardId, ClientId};
use boardcast_protocol::position::Version;

use super::ClientRecord;
use super::chunked::{Chunked, text};
use super::fault::Fault;
use super::queue::QueuedRows;
use super::search;

/// A table with a row for each part of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Members,
    Columns,
    Labels,
    Fields,
    Sprints,
    Cards,
    Details,
}

impl Table {
    pub(super) const ALL: [Self; 7] = [
        Self::Members,
        Self::Columns,
        Self::Labels,
        Self::Fields,
        Self::Sprints,
        Self::Cards,
        Self::Details,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Columns => "columns",
            Self::Labels => "labels",
            Self::Fields => "fields",
            Self::Sprints => "sprints",
            Self::Cards => "cards",
            Self::Details => "details",
        }
    }

    pub(super) fn delete_sql(self) -> &'static str {
        match self {
            Self::Members => "DELETE FROM members WHERE board = ? AND id = ?",
            Self::Columns => "DELETE FROM columns WHERE board = ? AND id = ?",
            Self::Labels => "DELETE FROM labels WHERE board = ? AND id = ?",
            Self::Fields => "DELETE FROM fields WHERE board = ? AND id = ?",
            Self::Sprints => "DELETE FROM sprints WHERE board = ? AND id = ?",
            Self::Cards => "DELETE FROM cards WHERE board = ? AND id = ?",
            Self::Details => "DELETE FROM details WHERE board = ? AND id = ?",
        }
    }
}

pub(super) static PUT: LazyLock<[Chunked; Table::ALL.len()]> = LazyLock::new(|| {
    Table::ALL.map(|table| {
        let head = format!("INSERT INTO {} (board, id, doc) VALUES", table.name());
        Chunked::repeatable(
            &head,
            3,
            "ON CONFLICT (board, id) DO UPDATE SET doc = excluded.doc",
        )
    })
});

pub(super) static SET_BOARDS: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::repeatable(
        "UPDATE boards SET version = v.column2, doc = coalesce(v.column3, doc) FROM (VALUES",
        3,
        ") AS v WHERE boards.id = v.column1",
    )
});

pub(super) static BURY: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::repeatable(
        "INSERT INTO tombstones (board, id) VALUES",
        2,
        "ON CONFLICT DO NOTHING",
    )
});

pub(super) static PUT_CLIENTS: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::repeatable(
        "INSERT INTO clients (board, client, user, last_seq, seen, outcomes) VALUES",
        6,
        "ON CONFLICT (board, client) DO UPDATE SET user = excluded.user, \
         last_seq = excluded.last_seq, seen = excluded.seen, outcomes = excluded.outcomes",
    )
});

pub(super) static PUT_CARD_VERSIONS: LazyLock<Chunked> = LazyLock::new(|| {
    Chunked::repeatable(
        "INSERT INTO card_versions (board, card, version) VALUES",
        3,
        "ON CONFLICT DO NOTHING",
    )
});

/// The rows of several boards, each part once and as it was handed over last.
#[derive(Default)]
pub(super) struct Coalesced<'a> {
    pub(super) boards: BTreeMap<&'a Arc<str>, (Version, Option<&'a Bytes>)>,
    pub(super) parts: BTreeMap<(Table, &'a Arc<str>, &'a str), Option<&'a Bytes>>,
    pub(super) touched: BTreeSet<(&'a Arc<str>, CardId, Version)>,
    pub(super) buried: BTreeSet<(&'a Arc<str>, AnyId)>,
    pub(super) clients: BTreeMap<(&'a Arc<str>, ClientId), &'a ClientRecord>,
}

impl<'a> Coalesced<'a> {
    pub(super) fn of(all: &'a [QueuedRows]) -> Self {
        let mut this = Self::default();
        for QueuedRows { board, rows } in all {
            let key = board.key();
            let head = this.boards.entry(key).or_default();
            head.0 = rows.version;
            for (entity, doc) in &rows.parts {
                let (table, id) = match entity {
                    Entity::Board => {
                        this.boards.entry(key).or_default().1 = doc.as_ref();
                        continue;
                    }
                    Entity::Member(id) => (Table::Members, id.as_str()),
                    Entity::Column(id) => (Table::Columns, id.as_str()),
                    Entity::Label(id) => (Table::Labels, id.as_str()),
                    Entity::Field(id) => (Table::Fields, id.as_str()),
                    Entity::Sprint(id) => (Table::Sprints, id.as_str()),
                    Entity::Card(id) => (Table::Cards, id.as_str()),
                    Entity::Detail(id) => (Table::Details, id.as_str()),
                };
                this.parts.insert((table, key, id), doc.as_ref());
            }
            let touched = rows.touched.iter();
            (this.touched).extend(touched.map(|(card, version)| (key, *card, *version)));
            this.buried.extend(rows.buried.iter().map(|id| (key, *id)));
            for client in &rows.clients {
                this.clients.insert((key, client.client), client);
            }
        }
        this
    }
}

/// Writes the rows of boards, whose log is committed up to their versions, and the index of their cards.
pub(super) async fn write(conn: &mut SqliteConnection, all: &[QueuedRows]) -> Result<(), Fault> {
    let rows = Coalesced::of(all);
    set_boards(conn, &rows).await?;
    note_cards(conn, &rows).await?;
    for (table, put) in Table::ALL.into_iter().zip(PUT.iter()) {
        write_parts(conn, &rows, table, put).await?;
    }
    let buried: Vec<_> = rows.buried.iter().collect();
    BURY.run(conn, &buried, |query, (board, id)| {
        Ok(query
            .bind(Arc::clone(board))
            .bind(Arc::<str>::from(id.as_str())))
    })
    .await?;
    let clients: Vec<_> = rows.clients.iter().collect();
    PUT_CLIENTS
        .run(conn, &clients, |query, ((board, id), client)| {
            let outcomes = serde_json::to_string(&client.outcomes)
                .map_err(|error| Fault::Data(error.to_string()))?;
            Ok(query
                .bind(Arc::clone(board))
                .bind(Arc::<str>::from(id.as_str()))
                .bind(Arc::<str>::from(client.user.as_str()))
                .bind(client.last_seq.0.cast_signed())
                .bind(client.seen.0.cast_signed())
                .bind(outcomes))
        })
        .await?;
    search::index::write(conn, &rows).await
}

async fn note_cards(conn: &mut SqliteConnection, rows: &Coalesced<'_>) -> Result<(), Fault> {
    let touched: Vec<_> = rows.touched.iter().collect();
    PUT_CARD_VERSIONS
        .run(conn, &touched, |query, (board, card, version)| {
            Ok(query
                .bind(Arc::clone(board))
                .bind(Arc::<str>::from(card.as_str()))
                .bind(version.0.cast_signed()))
        })
        .await
        .map(drop)
}

async fn set_boards(conn: &mut SqliteConnection, rows: &Coalesced<'_>) -> Result<(), Fault> {
    let boards: Vec<_> = rows.boards.iter().collect();
    let changed = SET_BOARDS
        .run(conn, &boards, |query, (board, (version, doc))| {
            Ok(query
                .bind(Arc::clone(board))
                .bind(version.0.cast_signed())
                .bind(doc.map(|doc| text(doc)).transpose()?))
        })
        .await?;
    if changed == boards.len() as u64 {
        return Ok(());
    }
    Err(Fault::Data(
        "rows came for a board that does not exist".to_owned(),
    ))
}

async fn write_parts(
    conn: &mut SqliteConnection,
    rows: &Coalesced<'_>,
    table: Table,
    put: &Chunked,
) -> Result<(), Fault> {
    let mut puts = Vec::new();
    for ((of, board, id), doc) in &rows.parts {
        if *of != table {
            continue;
        }
        if let Some(doc) = doc {
            puts.push((*board, *id, *doc));
            continue;
        }
        sqlx::query(table.delete_sql())
            .bind(Arc::clone(board))
            .bind(Arc::<str>::from(*id))
            .execute(&mut *conn)
            .await
            .map_err(|error| Fault::of_statement(&error))?;
    }
    put.run(conn, &puts, |query, (board, id, doc)| {
        Ok(query
            .bind(Arc::clone(board))
            .bind(Arc::<str>::from(*id))
            .bind(text(doc)?))
    })
    .await
    .map(drop)
}
