//! Comments on a card.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{BoardId, CardId, CommentId};

use super::extract::{Asked, Ids, IfNoneMatch};
use super::list::{Listed, Page, behind};
use super::room::look;
use super::thing::Thing;
use super::write::{Receipt, Writer, no_such};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::http::sent::Sent;

/// The comments by id.
pub(super) async fn list(
    State(app): State<App>,
    Known(identity): Known,
    Ids((board, card)): Ids<(BoardId, CardId)>,
    Asked(page): Asked<Page>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let limit = page.limit()?;
    let after: Option<CommentId> = page.after(|cursor| cursor.parse().ok())?;
    let listed = look(&app, identity.on(board), board, move |(board, position)| {
        board.view().cards.get(&card)?;
        let comments =
            (board.detail(card).into_iter()).flat_map(|detail| behind(&detail.comments, after));
        let name = "comments";
        Some(Listed::of(name, position, limit, comments, |last| {
            last.id.to_string()
        }))
    });
    let listed = listed.await?.ok_or_else(|| no_such(Thing::Card(card)))?;
    Ok(listed.answer(&known))
}

/// A comment to be written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewComment {
    id: Option<CommentId>,
    text: String,
}

/// Writes a comment.
pub(super) async fn create(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card)): Ids<(BoardId, CardId)>,
    Sent(new): Sent<NewComment>,
) -> Result<Response, Problem> {
    let comment = new.id.unwrap_or_else(|| CommentId::from_u128(writer.id()));
    let place = format!("/api/v1/boards/{board}/cards/{card}/comments/{comment}");
    let text = new.text;
    let cmd = Command::CommentCreate {
        card,
        comment,
        text,
    };
    writer
        .make(&app, board, (comment.as_str(), place), vec![cmd])
        .await
}

/// The new text of a comment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommentPatch {
    text: String,
}

/// Changes a comment of one's own.
pub(super) async fn change(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, comment)): Ids<(BoardId, CardId, CommentId)>,
    Sent(CommentPatch { text }): Sent<CommentPatch>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::CommentSet {
        card,
        comment,
        text,
    };
    writer
        .change(&app, board, Thing::Comment(card, comment), vec![cmd])
        .await
}

/// Deletes a comment: one's own, or any as an admin of the board.
pub(super) async fn remove(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, comment)): Ids<(BoardId, CardId, CommentId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::CommentRemove { card, comment };
    writer
        .change(&app, board, Thing::Comment(card, comment), vec![cmd])
        .await
}
