//! Members of a board.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use boardcast_protocol::board::Role;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{BoardId, UserId};

use super::extract::{Asked, Ids, IfNoneMatch};
use super::list::{Listed, Page, behind};
use super::room::look;
use super::thing::Thing;
use super::write::{Receipt, Writer};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::http::sent::Sent;

/// The members by id.
pub(super) async fn list(
    State(app): State<App>,
    Known(identity): Known,
    Ids(board): Ids<BoardId>,
    Asked(page): Asked<Page>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let limit = page.limit()?;
    let after: Option<UserId> = page.after(|cursor| cursor.parse().ok())?;
    let listed = look(&app, identity.on(board), board, move |(board, position)| {
        let members = behind(&board.view().members, after);
        Listed::of("members", position, limit, members, |last| {
            last.id.to_string()
        })
    });
    Ok(listed.await?.answer(&known))
}

/// A member to be added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMember {
    user: UserId,
    name: Option<String>,
    role: Role,
}

/// Adds a member, or gives a member this role and name.
pub(super) async fn add(
    State(app): State<App>,
    writer: Writer,
    Ids(board): Ids<BoardId>,
    Sent(NewMember { user, name, role }): Sent<NewMember>,
) -> Result<Response, Problem> {
    let place = format!("/api/v1/boards/{board}/members/{user}");
    let cmd = Command::MemberAdd { user, name, role };
    writer
        .make(&app, board, (user.as_str(), place), vec![cmd])
        .await
}

/// What is changed of a member. An absent name stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberPatch {
    name: Option<String>,
    role: Role,
}

/// Gives a member another role, or another name.
pub(super) async fn change(
    State(app): State<App>,
    writer: Writer,
    Ids((board, user)): Ids<(BoardId, UserId)>,
    Sent(MemberPatch { name, role }): Sent<MemberPatch>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::MemberAdd { user, name, role };
    writer
        .change(&app, board, Thing::Member(user), vec![cmd])
        .await
}

/// Takes a member off the board and off its cards.
pub(super) async fn remove(
    State(app): State<App>,
    writer: Writer,
    Ids((board, user)): Ids<(BoardId, UserId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::MemberRemove { user };
    writer
        .change(&app, board, Thing::Member(user), vec![cmd])
        .await
}
