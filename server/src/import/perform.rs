//! What an import does to the server: the way through the board's room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use boardcast_protocol::board::{
    Action, Actor, Board, Incoming, Member, Merged, Moment, Omissions, Reason, Rejection, Role,
    Skipped, Stamp, View, install, merge,
};
use boardcast_protocol::ids::{AnyId, BoardId, UserId};
use boardcast_protocol::position::{Timestamp, Version};

use super::{CSV_MAX_BYTES, Counts, ImportFile, Past};
use crate::room::{Import, ImportRefused, OpenError, RoomHandle, RoomInput, Rooms};
use crate::storage::{Append, ImportRecord, Imported, Refusal, Storage, StorageError};

/// Who imports.
#[derive(Clone, Debug)]
pub struct Importer {
    /// The author of the change; its role on a board that exists is looked at.
    pub actor: Actor,
    /// Becomes admin of a board that is made.
    pub owner: Option<Member>,
}

impl Importer {
    /// Somebody who may write the data directory itself: no user, and admin of everything.
    pub fn offline() -> Self {
        // "import" in base 62; a user of this name has no rights by it.
        let user = "import".parse().unwrap_or_else(|_| UserId::from_u128(0));
        Self {
            actor: Actor::new(user, true),
            owner: None,
        }
    }

    /// A user of the server.
    pub fn user(actor: Actor, name: &str) -> Self {
        let owner = Member {
            id: actor.user,
            name: name.to_owned(),
            role: Role::Admin,
        };
        Self {
            actor,
            owner: Some(owner),
        }
    }
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// There is a new board.
    Created,
    /// A board that was there has changed.
    Updated,
    /// Nothing has changed.
    Unchanged,
}

/// The report of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportAnswer {
    /// The board.
    pub board: BoardId,
    /// What became of it.
    pub outcome: Outcome,
    /// What the file holds.
    #[serde(flatten)]
    pub counts: Counts,
    /// What was left out, and why.
    pub skipped: Vec<Skipped>,
}

/// Why a file was not imported. The board is as before.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The board of the file exists here, and the user is not on it; or it ended meanwhile.
    #[error("there is no board {0}, or you are not a member of it")]
    NoSuchBoard(BoardId),
    /// The board does not take it.
    #[error("{0}")]
    Rejected(Rejection),
    /// The room cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal takes no version at the moment.
    #[error("{}; import the file again later", refusal(*.0))]
    Refused(Refusal),
    /// The cards of the board make a larger table than is told.
    #[error(
        "the cards have more than {} MiB of text; export the board as JSON",
        CSV_MAX_BYTES / (1_024 * 1_024)
    )]
    TableTooLarge,
    /// It cannot be read or written.
    #[error("failed to {0}")]
    Storage(#[from] StorageError),
    /// The room ended before it had answered.
    #[error("the server is stopping; import the file again later")]
    Stopping,
}

/// Imports a file: makes its board or brings it up to date, in one version, and answers when that
/// is durable. The same file again changes nothing.
///
/// A new board and all that the file holds are one transaction.
///
/// # Errors
/// Nothing has changed.
pub async fn import(
    rooms: &Rooms,
    storage: &Storage,
    importer: &Importer,
    file: ImportFile,
    now: Timestamp,
) -> Result<ImportAnswer, ImportError> {
    let id = file.board.view().id;
    let counts = Counts::of(&file.board);
    let record = storage.import_record(&file.source).await?;
    let record = record.filter(|record| record.board == id);
    let incoming = Incoming {
        knows: file.knows,
        before: record
            .iter()
            .flat_map(|r| &r.ids)
            .filter_map(|id| id.parse().ok())
            .collect(),
        board: file.board,
    };
    let mut answer = ImportAnswer {
        board: id,
        outcome: Outcome::Unchanged,
        counts,
        skipped: file.omissions.into_list(),
    };
    let is_same = record.is_some_and(|record| record.digest == file.digest);
    let incoming = Arc::new(incoming);
    let record = ImportRecord {
        board: id,
        digest: file.digest,
        ids: incoming.ids().iter().map(AnyId::to_string).collect(),
    };
    let past = file.history.len();
    let room = match rooms.open(id).await? {
        Some(room) => room,
        None => {
            let (empty, first, left_out) =
                prepare(&incoming, importer.clone(), (past, now)).await?;
            let imported = Imported {
                history: versions(file.history),
                first,
                source: file.source.clone(),
                record: record.clone(),
            };
            if (storage.create_imported_board(&empty, imported, now)).await? {
                answer.outcome = Outcome::Created;
                answer.skipped.extend(left_out);
                // Its room writes the rows, which lists and the search read.
                if let Err(error) = rooms.open(id).await {
                    tracing::warn!(board = %id, %error, "an imported board is not in the search yet: it cannot be opened at the moment; upkeep does it within an hour");
                }
                return Ok(answer);
            }
            // Another import has made it meanwhile.
            rooms.open(id).await?.ok_or(ImportError::NoSuchBoard(id))?
        }
    };
    check_admin(&room, importer.actor).await?;
    if is_same {
        return Ok(answer);
    }
    let (events, left_out) = change(&room, importer.actor, Arc::clone(&incoming)).await?;
    if events > 0 {
        answer.outcome = Outcome::Updated;
    }
    answer.skipped.extend(left_out);
    if past > 0 {
        let mut omissions = Omissions::default();
        omissions.add_many(
            "action",
            past,
            "the history is taken over when the board is made",
        );
        answer.skipped.extend(omissions.into_list());
    }
    storage.save_import_record(&file.source, &record).await?;
    Ok(answer)
}

/// The role of the user on the board; `None` for a stranger.
///
/// # Errors
/// The room has ended.
pub async fn role_of(room: &RoomHandle, actor: Actor) -> Result<Option<Role>, ImportError> {
    let (answer, role) = oneshot::channel();
    let asked = room.send(RoomInput::RoleOf { actor, answer }).await;
    asked.map_err(|_| ImportError::Stopping)?;
    role.await.map_err(|_| ImportError::Stopping)
}

async fn check_admin(room: &RoomHandle, actor: Actor) -> Result<(), ImportError> {
    let role = role_of(room, actor).await?;
    let role = role.ok_or(ImportError::NoSuchBoard(room.board()))?;
    if role.may(Action::Administer) {
        return Ok(());
    }
    let hint = "the board of the file exists here: only an admin of it may import onto it";
    Err(ImportError::Rejected(Rejection::new(
        Reason::Forbidden,
        hint,
    )))
}

/// A new board, the version that fills it, and what was left out.
type Prepared = (Board, Option<Append>, Vec<Skipped>);

/// Tries the file on an empty board: no board is made for a file that does not fit.
async fn prepare(
    incoming: &Arc<Incoming>,
    importer: Importer,
    (past, now): (usize, Timestamp),
) -> Result<Prepared, ImportError> {
    let incoming = Arc::clone(incoming);
    let prepared = spawn_blocking(move || {
        let file = incoming.board.view();
        let mut view = View::new(file.id, file.title.clone());
        let owner = importer.owner.into_iter();
        view.members.extend(owner.map(|owner| (owner.id, owner)));
        let empty = Board::new(view, BTreeMap::new(), incoming.board.buried().clone());
        let Merged { events, skipped } = merge(&empty, &incoming)?;
        let moment = Moment {
            version: Version(past as u64 + 1),
            stamp: Stamp {
                by: importer.actor.user,
                at: now,
            },
        };
        let applied = install(&mut empty.clone(), events, moment)?;
        let first = (!applied.events.is_empty()).then(|| Append {
            version: moment.version,
            origin: None,
            by: moment.stamp.by,
            at: now,
            events: json(&applied.events),
            was: json(&applied.was),
        });
        Ok((empty, first, skipped))
    });
    let prepared = prepared.await.map_err(|_| ImportError::Stopping)?;
    prepared.map_err(ImportError::Rejected)
}

/// What a file tells of the past, as versions from 1 on.
fn versions(history: Vec<Past>) -> Vec<Append> {
    let numbered = (1..).map(Version).zip(history);
    let append = |(version, past): (Version, Past)| Append {
        version,
        origin: None,
        by: past.by,
        at: past.at,
        events: json(&past.events),
        was: json(&past.was),
    };
    numbered.map(append).collect()
}

fn json(value: &impl Serialize) -> Bytes {
    // Events hold no map with keys that are not strings, the only case that fails.
    serde_json::to_vec(value).unwrap_or_default().into()
}

fn refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Busy => "there is more to be written than the disk takes at the moment",
        Refusal::Unavailable => "the board cannot be written at the moment",
    }
}

/// Goes through the room; returns the count of events and what was left out.
async fn change(
    room: &RoomHandle,
    actor: Actor,
    incoming: Arc<Incoming>,
) -> Result<(usize, Vec<Skipped>), ImportError> {
    let skipped = Arc::new(Mutex::new(Vec::new()));
    let left_out = Arc::clone(&skipped);
    let (answer, report) = oneshot::channel();
    let import = Import {
        actor,
        change: Box::new(move |board: &Board| {
            let merged = merge(board, &incoming)?;
            let stays_archived = board.view().archived && incoming.board.view().archived;
            if stays_archived && !merged.events.is_empty() {
                return Err(Rejection::archived());
            }
            *left_out.lock().unwrap_or_else(PoisonError::into_inner) = merged.skipped;
            Ok(merged.events)
        }),
        answer,
    };
    let asked = room.send(RoomInput::Import(Box::new(import))).await;
    asked.map_err(|_| ImportError::Stopping)?;
    let report = report.await.map_err(|_| ImportError::Stopping)?;
    let report = report.map_err(|refused| match refused {
        ImportRefused::Rejected(rejection) => ImportError::Rejected(rejection),
        ImportRefused::Refused(refusal) => ImportError::Refused(refusal),
    })?;
    let skipped = std::mem::take(&mut *skipped.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((report.events, skipped))
}

#[cfg(test)]
mod tests;
