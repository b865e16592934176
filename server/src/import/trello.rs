//! Boards that Trello exported.
//!
//! The state comes from `lists`, `cards` and what belongs to them, and comments from the `actions`,
//! of which an export holds the newest 1,000; what they did to cards is the history of a new board. A
//! card's `email` is a secret posting address: it is never read.

mod actions;
mod cards;
mod details;
mod file;
mod history;
mod loose;
mod tags;
#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use boardcast_protocol::board::{Board, Column, Knows, Omissions, Stamp, View, Wip, WipKind};
use boardcast_protocol::ids::{BoardId, ColumnId, UserId};
use boardcast_protocol::limits::CARDS_MAX;
use boardcast_protocol::order::{self, Rank};
use boardcast_protocol::position::Timestamp;

use self::file::{List, TrelloFile};
use self::loose::Position;
use self::tags::Tags;
use self::values::{Texts, id_bits};
use super::file::read_json;
use super::{FileError, ImportFile, Past, Source};

/// The names of Trello's plain backgrounds.
const BACKGROUNDS: [&str; 9] = [
    "blue", "orange", "green", "red", "purple", "pink", "lime", "sky", "grey",
];

/// Reads an export of Trello. What the file does not say about authors is ascribed to `importer`.
///
/// # Errors
/// It cannot be read, is no such export, holds more than a board takes, or names two lists or two
/// cards alike.
pub fn read(source: Source<'_>, importer: UserId) -> Result<ImportFile, FileError> {
    let (file, digest) = read_json::<TrelloFile>(source)?;
    if file.lists.is_none() && file.cards.is_none() {
        let hint = "this is not an export of a Trello board: it has neither `lists` nor `cards`";
        return Err(FileError::Format(hint.into()));
    }
    let mut omissions = Omissions::default();
    let source = source_of(&file);
    let (board, history) = board(file, &source, importer, &mut omissions)?;
    board.verify()?;
    Ok(ImportFile {
        board,
        knows: Knows::Trello,
        source: format!("trello:{source}"),
        digest,
        omissions,
        history,
    })
}

/// The board's id at Trello; a file without one is known by its name and its lists.
fn source_of(file: &TrelloFile) -> String {
    if !file.id.is_empty() {
        return file.id.clone();
    }
    let lists = file.lists.iter().flat_map(|lists| &lists.0);
    let mut ids: Vec<_> = lists.map(|list| list.id.as_str()).collect();
    ids.sort_unstable();
    format!("{}/{}", file.name, ids.join(","))
}

fn board(
    file: TrelloFile,
    source: &str,
    importer: UserId,
    omissions: &mut Omissions,
) -> Result<(Board, Vec<Past>), FileError> {
    let id = BoardId::from_u128(id_bits(source));
    let mut view = View::new(id, Texts(omissions).title(&file.name, "board"));
    view.archived = file.closed;
    let background = file.prefs.background.0;
    view.background = BACKGROUNDS
        .contains(&background.as_str())
        .then_some(background);
    if !file.desc.is_empty() {
        omissions.add("board description", "a board has no description here");
    }
    omissions.add_many(
        "action",
        file.actions.others,
        "of the history only what was done to cards is taken over",
    );
    omissions.add_many(
        "action",
        file.actions.surplus,
        "the newest 5,000 are taken over of the history",
    );
    let lists = file.lists.unwrap_or_default().0;
    let columns = put_columns(&mut view, lists, omissions)?;
    let cards = file.cards.unwrap_or_default().0;
    let tags = Tags::read(
        &mut view,
        tags::Sources {
            labels: file.labels.0,
            members: file.members.0,
            memberships: file.memberships.0,
            fields: file.custom_fields.0,
        },
        &cards,
        omissions,
    );
    let parts = details::Parts::sort(file.checklists.0, file.actions.comments, &cards, omissions);
    let details = cards::put(
        &mut view,
        cards::Sources {
            cards,
            columns,
            tags,
            parts,
            importer,
        },
        omissions,
    )?;
    let history = history::read(file.actions.deeds, &view, &details, importer, omissions);
    Ok((Board::new(view, details, BTreeSet::new()), history))
}

/// Puts the lists on the board, by position; returns the columns by the ids of the lists.
fn put_columns(
    view: &mut View,
    lists: Vec<List>,
    omissions: &mut Omissions,
) -> Result<BTreeMap<String, ColumnId>, FileError> {
    let mut columns = BTreeMap::new();
    for (list, rank) in ranked(lists, |list| list.pos) {
        let id = ColumnId::from_u128(id_bits(&list.id));
        let limit = list.soft_limit.0.filter(|limit| *limit >= 1.0);
        let column = Column {
            id,
            title: Texts(omissions).title(&list.name, "list"),
            rank,
            wip: limit.map(|limit| Wip {
                limit: whole(limit, CARDS_MAX as u32),
                kind: WipKind::Soft,
            }),
            done: false,
            archived: list.closed,
        };
        if view.columns.insert(id, column).is_some() {
            return Err(twice("list", &list.id));
        }
        columns.insert(list.id, id);
    }
    Ok(columns)
}

/// A number of the file as a whole one, at most `max`.
fn whole(number: f64, max: u32) -> u32 {
    if number >= f64::from(max) {
        return max;
    }
    // Not negative and below u32::MAX, so nothing is lost but the fraction.
    number.max(0.0) as u32
}

fn twice(what: &str, id: &str) -> FileError {
    FileError::Format(format!("the id {id:?} stands on two {what}s of the file"))
}

/// The things by position (those without one last, equal ones as in the file), with new ranks.
fn ranked<T>(mut things: Vec<T>, position: impl Fn(&T) -> Position) -> Vec<(T, Rank)> {
    let place = |thing: &T| position(thing).0.unwrap_or(f64::INFINITY);
    things.sort_by(|a, b| place(a).total_cmp(&place(b)));
    let ranks = order::spread(None, None, things.len()).unwrap_or_default();
    things.into_iter().zip(ranks).collect()
}

/// The author `id` at a time; the importer where the file names none.
fn stamp(id: &str, importer: UserId, at: Option<Timestamp>) -> Stamp {
    Stamp {
        by: if id.is_empty() {
            importer
        } else {
            UserId::from_u128(id_bits(id))
        },
        at: at.unwrap_or_default(),
    }
}
