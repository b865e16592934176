//! Attachments of a card: files that are sent, new names, taking off.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::timeout;

use boardcast_protocol::board::Action;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{AttachmentId, BoardId, CardId};
use boardcast_protocol::position::ByteSize;

use super::extract::{Asked, Ids};
use super::room::{ask, look, no_such_board};
use super::thing::Thing;
use super::write::{Receipt, Writer, no_such, not_read};
use crate::attachments::{AttachmentError, file_name};
use crate::clock;
use crate::files::{FileError, Received};
use crate::http::App;
use crate::http::auth::require;
use crate::http::problem::Problem;
use crate::http::sent::Sent;
use crate::http::upload::{Bounds, Pieces, announced};
use crate::room::RoomInput;
use crate::storage::AttachmentPlace;

/// A file has this long to come, and a second more for each [`BYTES_PER_S`] of the largest one.
const WITHIN_S: u64 = 60;
/// Who sends more slowly does not get the largest file through.
const BYTES_PER_S: u64 = 16 * 1_024;
/// When to try again where a user or all users send as many files as may be, in seconds.
const PLACES_RETRY_S: u32 = 2;

/// When to try again where the store of files does not do what it is asked for, in seconds.
const STORE_RETRY_S: u32 = 10;

/// What the body is called.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    name: String,
}

/// Attaches the body as a file. What can be told before it is told before it is read.
pub(super) async fn create(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card)): Ids<(BoardId, CardId)>,
    Asked(Named { name }): Asked<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let name = file_name(&name);
    let name = name.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    may_attach(&app, &writer, board, card).await?;
    let files = &app.attachments;
    let place = files.place(writer.identity.actor.user)?;
    let attachment = AttachmentId::from_u128(writer.id());
    let at = AttachmentPlace {
        board,
        card,
        attachment,
    };
    // A request that comes again under its key takes no more space.
    let known = files.find(board, attachment).await;
    if known.map_err(|error| not_read(&error))?.is_none() {
        let bytes = announced(&headers).unwrap_or_default();
        files.admit(board, bytes).await?;
    }
    let received = receive(&app, &headers, body).await?;
    let file = files.keep(at, received, clock::now()).await?;
    drop(place);
    let cmd = Command::AttachmentAdd {
        card,
        attachment,
        name,
        mime: Some(file.mime.to_owned()),
        size: Some(ByteSize(file.bytes)),
        url: None,
    };
    let location = format!("/api/v1/boards/{board}/attachments/{attachment}");
    let made = writer
        .make(&app, board, (attachment.as_str(), location), vec![cmd])
        .await;
    if made.is_err()
        && let Err(error) = files.refused(at, clock::now()).await
    {
        tracing::warn!(%board, %attachment, %error, "a file that was refused stays for longer");
    }
    made
}

/// Refuses who may not change the card, and a card that is not there, before the file is sent.
async fn may_attach(
    app: &App,
    writer: &Writer,
    board: BoardId,
    card: CardId,
) -> Result<(), Problem> {
    let actor = writer.identity.on(board);
    let role = ask(app, board, |answer| RoomInput::RoleOf { actor, answer }).await?;
    let role = role.ok_or_else(no_such_board)?;
    if !role.may(Action::Edit) {
        let words = Action::Edit.words();
        let hint = format!("your role on this board does not allow it: {words}");
        return Err(Problem::new(StatusCode::FORBIDDEN, hint));
    }
    require(&writer.identity, Action::Edit)?;
    let has_card = look(app, actor, board, move |(board, _)| {
        board.view().cards.contains_key(&card)
    });
    match has_card.await? {
        true => Ok(()),
        false => Err(no_such(Thing::Card(card))),
    }
}

/// The body as a file in the store.
async fn receive(app: &App, headers: &HeaderMap, body: Body) -> Result<Received, Problem> {
    let files = &app.attachments;
    let max_bytes = files.rules().max_bytes;
    let bounds = Bounds {
        max_bytes,
        pause: app.imports.bounds.pause,
    };
    let within = Duration::from_secs(WITHIN_S + max_bytes / BYTES_PER_S);
    let received = timeout(within, async {
        let mut pieces = Pieces::of(headers, body, bounds)?;
        let mut file = files.files().receive().await.map_err(not_kept)?;
        while let Some(piece) = pieces.next().await? {
            file.write(&piece).await.map_err(not_kept)?;
        }
        if pieces.received() == 0 {
            let hint = "the body is empty; send the bytes of the file";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint));
        }
        file.finish().await.map_err(not_kept)
    });
    received.await.map_err(|_| {
        let hint = format!("the file did not come within {} s", within.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, hint)
    })?
}

fn not_kept(error: FileError) -> Problem {
    AttachmentError::from(error).into()
}

/// The new name of an attachment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AttachmentPatch {
    name: String,
}

/// Renames an attachment.
pub(super) async fn change(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, attachment)): Ids<(BoardId, CardId, AttachmentId)>,
    Sent(AttachmentPatch { name }): Sent<AttachmentPatch>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::AttachmentSet {
        card,
        attachment,
        name,
    };
    let thing = Thing::Attachment(card, attachment);
    writer.change(&app, board, thing, vec![cmd]).await
}

/// Takes an attachment off its card.
pub(super) async fn remove(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, attachment)): Ids<(BoardId, CardId, AttachmentId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::AttachmentRemove { card, attachment };
    let thing = Thing::Attachment(card, attachment);
    writer.change(&app, board, thing, vec![cmd]).await
}

impl From<AttachmentError> for Problem {
    fn from(error: AttachmentError) -> Self {
        let hint = error.to_string();
        match error {
            AttachmentError::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, hint),
            AttachmentError::BoardFull { .. }
            | AttachmentError::ServerFull { .. }
            | AttachmentError::Files(FileError::Full) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, hint)
            }
            AttachmentError::UserBusy { .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, hint).retry_after_s(PLACES_RETRY_S)
            }
            AttachmentError::Busy | AttachmentError::ThumbnailsBusy => {
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, hint);
                problem.of_kind("busy").retry_after_s(PLACES_RETRY_S)
            }
            AttachmentError::OtherFile => {
                let hint = "the `Idempotency-Key` was used for another file; use a new one";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, hint).of_kind("key-reused")
            }
            AttachmentError::NoThumbnail(_) => {
                Self::new(StatusCode::NOT_FOUND, hint).of_kind("no-thumbnail")
            }
            AttachmentError::Files(FileError::Missing(_) | FileError::Damaged { .. }) => {
                tracing::error!(%error, "a file cannot be sent");
                let hint = format!("{hint}; `boardcast check` lists all that are not whole");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, hint).of_kind("damaged-file")
            }
            AttachmentError::Files(FileError::Silent(_) | FileError::Store(_)) => {
                tracing::error!(%error, "the store of files does not answer");
                let hint = "the store of files does not answer; try again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(STORE_RETRY_S)
            }
            AttachmentError::Files(
                FileError::Directory { .. }
                | FileError::Elsewhere { .. }
                | FileError::Key(_)
                | FileError::Settings(_)
                | FileError::Denied(_)
                | FileError::NoBucket
                | FileError::Foreign { .. }
                | FileError::Unmarked { .. },
            ) => {
                tracing::error!(%error, "the store of files cannot be used");
                let hint =
                    "the store of files refuses this server; ask who runs it, whose log says why";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(STORE_RETRY_S)
            }
            AttachmentError::Storage(error) => not_read(&error),
        }
    }
}
