//! The way into a board's room for a request.

use axum::http::StatusCode;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::BoardId;

use crate::connection::refusals::Cause;
use crate::http::App;
use crate::http::problem::Problem;
use crate::room::{Answer, Look, OpenError, RoomHandle, RoomInput, Sight};

/// When to try again where the server is busy, in seconds.
pub(super) const RETRY_S: u32 = 1;
/// How often a room that has just ended is opened again before the answer is 503.
const TRIES: usize = 4;

/// A board that does not exist, or is not the user's: nobody can tell them apart.
pub(super) fn no_such_board() -> Problem {
    let hint = "there is no such board, or you are not a member of it";
    Problem::new(StatusCode::NOT_FOUND, hint).of_kind("no-such-board")
}

/// Asks the room of a board, which is opened where it sleeps.
///
/// # Errors
/// 404: there is no such board. 503: the room has too much to do, or cannot be opened.
pub(super) async fn ask<T>(
    app: &App,
    board: BoardId,
    question: impl FnOnce(Answer<T>) -> RoomInput,
) -> Result<T, Problem> {
    let (answer, answered) = oneshot::channel();
    let mut input = question(answer);
    for _ in 0..TRIES {
        let room = open(app, board).await?;
        match room.try_send(input) {
            Ok(()) => {
                return answered
                    .await
                    .map_err(|_| unavailable("the board was closed"));
            }
            Err(TrySendError::Full(_)) => {
                let hint = "the board has more to do than it takes; try again";
                return Err(busy(hint));
            }
            Err(TrySendError::Closed(refused)) => input = refused,
        }
    }
    Err(unavailable("the board is being closed"))
}

/// Looks at a board in one turn of its room.
///
/// # Errors
/// As [`ask`]; 404 for who is not a member as well.
pub(super) async fn look<T: Send + 'static>(
    app: &App,
    actor: Actor,
    board: BoardId,
    see: impl FnOnce(Sight<'_>) -> T + Send + 'static,
) -> Result<T, Problem> {
    let seen = ask(app, board, |answer| RoomInput::Look {
        actor,
        see: Look(Box::new(move |sight| {
            let _ = answer.send(sight.map(see));
        })),
    });
    seen.await?.ok_or_else(no_such_board)
}

async fn open(app: &App, board: BoardId) -> Result<RoomHandle, Problem> {
    let rooms = &app.services.rooms;
    if let Some(room) = rooms.get(board) {
        return Ok(room);
    }
    match rooms.open(board).await {
        Ok(Some(room)) => Ok(room),
        Ok(None) => Err(no_such_board()),
        Err(error) => {
            match &error {
                OpenError::Busy { .. } => app.services.refusals.note(Cause::LoadedBytes),
                OpenError::Storage(source) => {
                    tracing::error!(%board, error = %source, "failed to open a board");
                }
                OpenError::Stopping => {}
            }
            Err(unavailable(&error.to_string()))
        }
    }
}

pub(super) fn busy(hint: &str) -> Problem {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, hint);
    problem.of_kind("busy").retry_after_s(RETRY_S)
}

pub(super) fn unavailable(hint: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(RETRY_S)
}
