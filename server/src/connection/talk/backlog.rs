//! What a connection waits for before it goes on.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use boardcast_protocol::board::{Actor, Member, title_of_new_board};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::limits::{ACTIVITY_PAGE_MAX, BOARDS_PAGE_MAX};
use boardcast_protocol::message::{
    ActivityPage, ActivityQuery, BoardCreate, BoardCreated, Boards, BoardsList, ErrorCode,
    ErrorMessage, Hello, ServerMessage, Unsubscribed,
};
use tokio::sync::oneshot;

use crate::auth::{ApiTokenError, Grant, is_api_token};
use crate::clock;
use crate::connection::services::Services;
use crate::connection::session::{Effect, Input};
use crate::room::{OpenError, RoomHandle, RoomInput, Rooms, no_such_board};
use crate::storage::{Storage, StorageError};

/// Something that takes its time.
pub(super) type Running = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What came of it.
pub(super) enum Done {
    Nothing,
    Answered(Box<ServerMessage>),
    /// The token of a `hello` was looked up.
    LookedUp(Input),
    Opened {
        effect: Effect,
        room: Result<Option<RoomHandle>, OpenError>,
    },
}

/// What comes from the client or the outbox and waits for its turn.
pub(super) enum Item {
    Heard(Input),
    Drained(BoardId),
}

/// What a connection waits for, and what waits behind it: at most the messages of one read.
pub(super) struct Backlog {
    pub(super) running: Running,
    pub(super) effects: VecDeque<Effect>,
    pub(super) items: VecDeque<Item>,
}

impl Backlog {
    pub(super) fn new(running: Running, effects: VecDeque<Effect>) -> Self {
        Self {
            running,
            effects,
            items: VecDeque::new(),
        }
    }
}

/// Looks up the token of a `hello`.
pub(super) fn look_up(services: Arc<Services>, hello: Hello) -> Running {
    Box::pin(async move {
        let token = hello.token.as_deref().unwrap_or_default();
        let now = clock::now();
        let found = match is_api_token(token) {
            true => services.api_tokens.identify(token, now).await.map_err(told),
            false => {
                let identified = services.tokens.identify(token, now).await;
                identified.map_err(|error| error.to_string())
            }
        };
        Done::LookedUp(Input::LookedUp(hello, found.map(Box::new)))
    })
}

fn told(error: ApiTokenError) -> String {
    match error {
        ApiTokenError::NotValid => error.to_string(),
        ApiTokenError::Storage(error) => {
            tracing::error!(%error, "failed to look up a token");
            "the token cannot be looked up at the moment; try again".to_owned()
        }
    }
}

/// Hands an input to a room that has no place for it, or lies down; a board that has ended meanwhile
/// does not exist.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "nobody waits for an answer to the others"
)]
pub(super) fn deliver(rooms: Rooms, board: BoardId, input: RoomInput) -> Running {
    let no_such_board = |req| ServerMessage::Error(no_such_board(req, board, None));
    let unheard = match &input {
        RoomInput::Join(joining) => Some(no_such_board(joining.req)),
        RoomInput::OpenCard { req, .. } => Some(no_such_board(Some(*req))),
        RoomInput::Leave { req, .. } => {
            let req = *req;
            Some(ServerMessage::Unsubscribed(Unsubscribed { req, board }))
        }
        _ => None,
    };
    Box::pin(async move {
        match (rooms.send(board, input).await, unheard) {
            (Ok(false), Some(answer)) => answered(answer),
            (Ok(_) | Err(_), _) => Done::Nothing,
        }
    })
}

pub(super) fn create_board(rooms: Rooms, owner: Member, create: BoardCreate) -> Running {
    let BoardCreate { req, title } = create;
    Box::pin(async move {
        let title = match title_of_new_board(&title) {
            Ok(title) => title,
            Err(rejection) => return error(req, None, ErrorCode::BadMessage, rejection.hint),
        };
        match rooms.create(title, &owner).await {
            Ok(board) => answered(ServerMessage::BoardCreated(BoardCreated { req, board })),
            Err(failure) => {
                tracing::error!(user = %owner.id, error = %failure, "failed to make a board");
                error(req, None, ErrorCode::Unavailable, failure.to_string())
            }
        }
    })
}

/// The boards of a user, with the role that the credentials leave; of credentials that are for some
/// boards, those of them that are the user's.
pub(super) fn list_boards(
    storage: Storage,
    actor: Actor,
    grant: Grant,
    list: &BoardsList,
) -> Running {
    let BoardsList {
        req,
        after,
        archived,
    } = *list;
    let archived = Some(archived);
    let user = (!actor.admin).then_some(actor.user);
    Box::pin(async move {
        let listed = match grant.boards() {
            Some(among) => {
                storage
                    .boards_among(actor.user, among, archived, after)
                    .await
            }
            None => {
                let limit = BOARDS_PAGE_MAX + 1;
                storage.boards_of(user, archived, after, limit).await
            }
        };
        match listed {
            Ok(mut boards) => {
                let more = boards.len() > BOARDS_PAGE_MAX;
                boards.truncate(BOARDS_PAGE_MAX);
                for summary in &mut boards {
                    let role = grant.on(summary.board).limit(Some(summary.role));
                    summary.role = role.unwrap_or(summary.role);
                }
                answered(ServerMessage::Boards(Boards { req, boards, more }))
            }
            Err(failure) => unreadable(req, None, &failure),
        }
    })
}

pub(super) fn read_activity(
    room: RoomHandle,
    storage: Storage,
    actor: Actor,
    query: &ActivityQuery,
) -> Running {
    let ActivityQuery {
        req,
        board,
        card,
        before,
        limit,
    } = *query;
    Box::pin(async move {
        let limit = limit as usize;
        if !(1..=ACTIVITY_PAGE_MAX).contains(&limit) {
            let hint = format!("`limit` is 1 to {ACTIVITY_PAGE_MAX}");
            return error(req, Some(board), ErrorCode::BadMessage, hint);
        }
        let (answer, role) = oneshot::channel();
        let asked = room.send(RoomInput::RoleOf { actor, answer }).await.is_ok();
        match role.await {
            Ok(Some(_)) if asked => {}
            Ok(_) => {
                let error = no_such_board(Some(req), board, None);
                return answered(ServerMessage::Error(error));
            }
            Err(_) => {
                let hint = "the board is being closed; try again";
                return error(req, Some(board), ErrorCode::Busy, hint);
            }
        }
        match storage.activity(board, card, before, limit + 1).await {
            Ok(mut entries) => {
                let more = entries.len() > limit;
                entries.truncate(limit);
                answered(ServerMessage::Activity(ActivityPage {
                    req,
                    board,
                    entries,
                    more,
                }))
            }
            Err(failure) => unreadable(req, Some(board), &failure),
        }
    })
}

fn answered(message: ServerMessage) -> Done {
    Done::Answered(Box::new(message))
}

fn error(req: u32, board: Option<BoardId>, code: ErrorCode, hint: impl Into<String>) -> Done {
    answered(ServerMessage::Error(ErrorMessage {
        req: Some(req),
        board,
        seq: None,
        code,
        hint: hint.into(),
    }))
}

fn unreadable(req: u32, board: Option<BoardId>, failure: &StorageError) -> Done {
    tracing::error!(error = %failure, "failed to answer a query from storage");
    let hint = "this cannot be read at the moment";
    error(req, board, ErrorCode::Unavailable, hint)
}
