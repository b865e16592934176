//! Writes: commands on their way to the room, and what came of them.

use std::net::IpAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

use boardcast_protocol::board::{Actor, Reason, Rejection};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::{Seq, Version};

use super::extract::{IfMatch, IfNoneMatch};
use super::key::{Key, PARTS_OF_CLIENT};
use super::list::tagged;
use super::room::{RETRY_S, ask, look, no_such_board, unavailable};
use super::thing::Thing;
use crate::auth::Identity;
use crate::clock;
use crate::http::App;
use crate::http::peer::Peer;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::room::{Condition, Decided, Request, RequestRefused, RoomInput};
use crate::storage::StorageError;

/// How long an answer waits for the disk; then 503, and the same request with the same key finds
/// out what became of it.
const DURABLE_WITHIN: Duration = Duration::from_secs(30);
/// When to come back where a user has as many keys as are kept, in seconds.
const KEYS_RETRY_S: u32 = 3_600;

/// Who writes, under which key, and onto which state of the thing.
pub(super) struct Writer {
    pub(super) identity: Identity,
    address: IpAddr,
    pub(super) key: Key,
    pub(super) onto: IfMatch,
}

impl FromRequestParts<App> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self {
            identity: Known::from_request_parts(parts, app).await?.0,
            address: Peer::from_request_parts(parts, app).await?.ip(),
            key: Key::from_request_parts(parts, app).await?,
            onto: IfMatch::from_request_parts(parts, app).await?,
        })
    }
}

/// What became of a write. It is the same each time that the same request comes under the same key.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Receipt {
    /// The board.
    pub(super) board: BoardId,
    /// What was made or changed, where it has an id of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// `accepted`, or `no_change` where there was nothing to do.
    pub(super) outcome: &'static str,
    /// The version of the board that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<Version>,
}

impl Writer {
    /// Holds the user to the rate of commands.
    ///
    /// # Errors
    /// 429.
    pub(super) fn take(&self, app: &App, commands: usize) -> Result<(), Problem> {
        let user = self.identity.actor.user;
        let taken = (app.services).take_commands(user, commands, clock::now());
        taken.map_err(|wait_ms| {
            let per_s = app.services.rules.limits.commands_per_s_per_user;
            let hint = format!("a user may send {per_s} commands a second");
            let wait_s = u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
            Problem::new(StatusCode::TOO_MANY_REQUESTS, hint).retry_after_s(wait_s.max(1))
        })
    }

    /// An id for a thing that is made without one.
    pub(super) fn id(&self) -> u128 {
        self.key.id(self.identity.actor.user, 0)
    }

    /// Makes a thing: 201 with its place.
    ///
    /// # Errors
    /// As [`Writer::change`].
    pub(super) async fn make(
        self,
        app: &App,
        board: BoardId,
        (id, place): (&str, String),
        cmds: Vec<Command>,
    ) -> Result<Response, Problem> {
        let receipt = {
            let whole = self.onto.is_asked().then_some(Thing::Board);
            self.write(app, board, whole, cmds).await?
        };
        let receipt = Receipt {
            id: Some(id.to_owned()),
            ..receipt
        };
        let location = HeaderValue::from_str(&place).ok();
        let mut response = (StatusCode::CREATED, Json(receipt)).into_response();
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Ok(response)
    }

    /// Changes a thing that is there, or takes it away.
    ///
    /// # Errors
    /// 404: it is not there. 412: it is not in the state of `If-Match`. Else as the commands of the
    /// protocol are refused.
    pub(super) async fn change(
        self,
        app: &App,
        board: BoardId,
        thing: Thing,
        cmds: Vec<Command>,
    ) -> Result<Json<Receipt>, Problem> {
        if cmds.is_empty() {
            let hint = "the body changes nothing; name at least one field";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint));
        }
        self.write(app, board, Some(thing), cmds).await.map(Json)
    }

    async fn write(
        self,
        app: &App,
        board: BoardId,
        thing: Option<Thing>,
        cmds: Vec<Command>,
    ) -> Result<Receipt, Problem> {
        let mine = self.onto.is_asked().then(|| commands_json(&cmds));
        self.take(app, cmds.len())?;
        let condition = thing.map(|thing| condition(thing, self.onto.clone()));
        let decided = self.decide(app, board, 0, cmds, condition).await?;
        let decided = decided.map_err(|refused| match (refused, thing) {
            (RequestRefused::Stale(Value::Null), Some(thing)) => no_such(thing),
            (RequestRefused::Stale(theirs), _) => stale(mine.unwrap_or_default(), theirs),
            (other, _) => refusal(other),
        })?;
        let version = decided.version;
        durable(decided.durable).await?;
        Ok(Receipt {
            board,
            id: None,
            outcome: outcome(version),
            version,
        })
    }

    /// Hands commands to the room, as part `part` of the request.
    ///
    /// # Errors
    /// The room cannot be asked.
    pub(super) async fn decide(
        &self,
        app: &App,
        board: BoardId,
        part: usize,
        cmds: Vec<Command>,
        condition: Option<Condition>,
    ) -> Result<Result<Decided, RequestRefused>, Problem> {
        let (actor, address) = (self.identity.on(board), self.address);
        let seq = Seq((part % PARTS_OF_CLIENT) as u64 + 1);
        let name = (self.key.client(actor.user, part)).map(|client| (client, seq));
        ask(app, board, |answer| {
            RoomInput::Request(Box::new(Request {
                actor,
                address,
                name,
                cmds,
                condition,
                answer,
            }))
        })
        .await
    }
}

/// The thing is there, and in one of the states that the writer has seen.
pub(super) fn condition(thing: Thing, onto: IfMatch) -> Condition {
    Box::new(move |sight| {
        let Some((_, tag)) = thing.tagged(sight) else {
            return Err(Value::Null);
        };
        if onto.holds(&tag) {
            return Ok(());
        }
        let mut theirs = thing.value(sight.0);
        if let Value::Object(theirs) = &mut theirs {
            theirs.insert("etag".to_owned(), tag.into());
        }
        Err(theirs)
    })
}

pub(super) fn commands_json(cmds: &[Command]) -> Value {
    serde_json::to_value(cmds).unwrap_or_default()
}

pub(super) fn outcome(version: Option<Version>) -> &'static str {
    match version {
        Some(_) => "accepted",
        None => "no_change",
    }
}

/// Waits until it is on disk.
///
/// # Errors
/// 503: it takes too long, or the room has ended; the request may have been carried out.
pub(super) async fn durable(wait: oneshot::Receiver<()>) -> Result<(), Problem> {
    match timeout(DURABLE_WITHIN, wait).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => {
            let hint = "it was accepted, but is not on disk yet; send it again with the same \
                        `Idempotency-Key` to hear what became of it";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, hint);
            Err(problem.of_kind("not-durable").retry_after_s(RETRY_S))
        }
    }
}

/// Storage cannot be asked.
pub(super) fn not_read(error: &StorageError) -> Problem {
    tracing::error!(%error, "failed to answer a request from storage");
    unavailable("this cannot be read or written at the moment")
}

/// A thing that is not on the board of the path.
pub(super) fn no_such(thing: Thing) -> Problem {
    let hint = format!("there is no such {} on this board", thing.name());
    Problem::new(StatusCode::NOT_FOUND, hint)
}

/// The thing has changed since it was read.
pub(super) fn stale(mine: Value, theirs: Value) -> Problem {
    let hint = "it has changed since you read it: `theirs` is what is there now, with its tag as \
                `etag`; `mine` is what you sent";
    let problem = Problem::new(StatusCode::PRECONDITION_FAILED, hint);
    problem.with("mine", mine).with("theirs", theirs)
}

/// What became of a request that the room did not carry out.
pub(super) fn refusal(refused: RequestRefused) -> Problem {
    match refused {
        RequestRefused::NoSuchBoard => no_such_board(),
        RequestRefused::Rejected(rejection) => rejected(rejection),
        RequestRefused::Stale(theirs) => stale(Value::Null, theirs),
        RequestRefused::KeyReused => {
            let hint = "the `Idempotency-Key` was used for another request; use a new one";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint).of_kind("key-reused")
        }
        RequestRefused::TooManyKeys => {
            let hint = "as many keys are kept as there is place for, each for 24 hours; send many \
                        commands under one key, or without";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, hint);
            problem.of_kind("too-many-keys").retry_after_s(KEYS_RETRY_S)
        }
        RequestRefused::Busy { retry_ms, hint } => {
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, hint);
            let retry_s = retry_ms.div_ceil(1_000);
            problem.of_kind("busy").retry_after_s(retry_s)
        }
        RequestRefused::Unavailable { .. } => {
            unavailable("the board cannot be written at the moment")
        }
    }
}

/// A rejection of the board.
pub(super) fn rejected(rejection: Rejection) -> Problem {
    let (status, kind) = match rejection.reason {
        Reason::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
        Reason::NotFound => (StatusCode::NOT_FOUND, "not-found"),
        Reason::DuplicateId => (StatusCode::CONFLICT, "duplicate-id"),
        Reason::UsedId => (StatusCode::CONFLICT, "used-id"),
        Reason::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        Reason::Limit => (StatusCode::CONFLICT, "limit"),
        Reason::WipLimit => (StatusCode::CONFLICT, "wip-limit"),
        Reason::NotEmpty => (StatusCode::CONFLICT, "not-empty"),
        Reason::Cycle => (StatusCode::CONFLICT, "cycle"),
        Reason::LastAdmin => (StatusCode::CONFLICT, "last-admin"),
        Reason::Conflict => (StatusCode::CONFLICT, "conflict"),
        Reason::SeqReused => (StatusCode::UNPROCESSABLE_ENTITY, "key-reused"),
    };
    Problem::new(status, rejection.hint).of_kind(kind)
}

/// Headers of an answer that bears a tag.
pub(super) fn tag_header(tag: &str) -> HeaderMap {
    let value = HeaderValue::from_str(tag).ok();
    value.map(|tag| (header::ETAG, tag)).into_iter().collect()
}

/// One thing, with its tag.
pub(super) async fn read_thing(
    app: &App,
    actor: Actor,
    board: BoardId,
    thing: Thing,
    known: &IfNoneMatch,
) -> Result<Response, Problem> {
    let seen = look(app, actor, board, move |sight| thing.tagged(sight)).await?;
    let (json, tag) = seen.ok_or_else(|| no_such(thing))?;
    Ok(tagged(&tag, json, known))
}
