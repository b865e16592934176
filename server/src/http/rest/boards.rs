//! Boards: those of a user, a new one, and the view of one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use boardcast_protocol::board::{Action, Board, Member, Role, View, title_of_new_board};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;

use super::extract::{Asked, Ids, IfNoneMatch};
use super::list::{Page, tagged};
use super::room::{ask, no_such_board, unavailable};
use super::thing::{Thing, position_of, position_tag};
use super::write::{Receipt, Writer, not_read, refusal, rejected};
use crate::auth::Identity;
use crate::clock;
use crate::http::App;
use crate::http::auth::require;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::http::sent::Sent;
use crate::room::{RequestRefused, RoomInput};
use crate::storage::{ImportRecord, Imported};

/// A board in a list.
#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    id: BoardId,
    title: String,
    role: Role,
    archived: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Boards {
    boards: Vec<Entry>,
    next: Option<BoardId>,
}

/// Which boards of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    limit: Option<usize>,
    cursor: Option<String>,
    /// The archived boards instead of the others.
    #[serde(default)]
    archived: bool,
}

/// The boards of whoever asks, by id; all boards for an administrator.
pub(super) async fn list(
    State(app): State<App>,
    Known(identity): Known,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Boards>, Problem> {
    let Wanted {
        limit,
        cursor,
        archived,
    } = wanted;
    let (page, archived) = (Page { limit, cursor }, Some(archived));
    let (limit, after) = (page.limit()?, page.after(|cursor| cursor.parse().ok())?);
    require(&identity, Action::ListBoards)?;
    let (user, storage) = (identity.actor.user, &app.services.storage);
    let found = match identity.grant.boards() {
        Some(among) => storage.boards_among(user, among, archived, after).await,
        None => {
            let user = (!identity.actor.admin).then_some(user);
            storage.boards_of(user, archived, after, limit + 1).await
        }
    };
    let mut found = found.map_err(|error| not_read(&error))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| last.board);
    let entry = |summary: boardcast_protocol::message::BoardSummary| Entry {
        id: summary.board,
        title: summary.title,
        role: (identity.grant.on(summary.board).limit(Some(summary.role))).unwrap_or(summary.role),
        archived: summary.archived,
    };
    let boards = found.into_iter().map(entry).collect();
    Ok(Json(Boards { boards, next }))
}

/// A board to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBoard {
    /// Its title, 1 to 2,048 bytes.
    title: String,
}

/// Makes a board; whoever asks becomes its admin.
pub(super) async fn create(
    State(app): State<App>,
    writer: Writer,
    Sent(new): Sent<NewBoard>,
) -> Result<Response, Problem> {
    let title = title_of_new_board(&new.title).map_err(rejected)?.to_owned();
    require(&writer.identity, Action::CreateBoard)?;
    writer.take(&app, 1)?;
    let Identity { actor, name, .. } = &writer.identity;
    let owner = Member {
        id: actor.user,
        name: name.to_string(),
        role: Role::Admin,
    };
    let board = match writer.key.client(actor.user, 0) {
        None => {
            let made = app.services.rooms.create(&title, &owner).await;
            made.map_err(|error| {
                tracing::error!(user = %owner.id, %error, "failed to make a board");
                unavailable(&error.to_string())
            })?
        }
        Some(_) => create_once(&app, &writer, title, owner).await?,
    };
    let place = HeaderValue::from_str(&format!("/api/v1/boards/{board}")).ok();
    let receipt = Receipt {
        board,
        id: None,
        outcome: "accepted",
        version: None,
    };
    let mut response = (StatusCode::CREATED, Json(receipt)).into_response();
    if let Some(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Makes a board once for a key: the key is noted in the same transaction, as the source of an
/// import that brings nothing, for as long as there is the board.
async fn create_once(
    app: &App,
    writer: &Writer,
    title: String,
    owner: Member,
) -> Result<BoardId, Problem> {
    let storage = &app.services.storage;
    let id = BoardId::from_u128(writer.id());
    let source = format!("key:{}:{id}", owner.id);
    let digest = format!("{:x?}", &Sha256::digest(&title)[..]);
    let mut view = View::new(id, title);
    view.members.insert(owner.id, owner);
    let record = ImportRecord {
        board: id,
        digest: digest.clone(),
        ids: Vec::new(),
    };
    let imported = Imported {
        history: Vec::new(),
        first: None,
        source: source.clone(),
        record,
    };
    let empty = Board::new(view, Default::default(), Default::default());
    let made = (storage.create_imported_board(&empty, imported, clock::now())).await;
    if made.map_err(|error| not_read(&error))? {
        return Ok(id);
    }
    let before = storage.import_record(&source).await;
    match before.map_err(|error| not_read(&error))? {
        Some(before) if before.digest == digest => Ok(id),
        Some(_) | None => Err(refusal(RequestRefused::KeyReused)),
    }
}

/// The view of a board: the bytes are the same for all who ask at a version.
pub(super) async fn read(
    State(app): State<App>,
    Known(identity): Known,
    Ids(board): Ids<BoardId>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let actor = identity.on(board);
    let at = known.only().and_then(position_of);
    let viewed = ask(&app, board, |answer| RoomInput::View {
        actor,
        known: at,
        answer,
    });
    let viewed = viewed.await?.ok_or_else(no_such_board)?;
    let tag = position_tag(viewed.position);
    Ok(tagged(&tag, viewed.json.unwrap_or_default(), &known))
}

/// What is changed of a board. Absent fields stay, `null` clears.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardPatch {
    title: Option<String>,
    #[serde(default, deserialize_with = "super::extract::present")]
    background: Option<Option<String>>,
    archived: Option<bool>,
}

/// Changes the board itself.
pub(super) async fn change(
    State(app): State<App>,
    writer: Writer,
    Ids(board): Ids<BoardId>,
    Sent(patch): Sent<BoardPatch>,
) -> Result<Json<Receipt>, Problem> {
    let BoardPatch {
        title,
        background,
        archived,
    } = patch;
    let cmd = Command::BoardSet {
        title,
        background,
        archived,
    };
    writer.change(&app, board, Thing::Board, vec![cmd]).await
}
