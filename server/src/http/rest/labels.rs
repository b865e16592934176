//! Labels of a board.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{BoardId, LabelId};

use super::extract::{Asked, Ids, IfNoneMatch, present};
use super::list::{Listed, Page, behind};
use super::room::look;
use super::thing::Thing;
use super::write::{Receipt, Writer};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::http::sent::Sent;

/// The labels by id.
pub(super) async fn list(
    State(app): State<App>,
    Known(identity): Known,
    Ids(board): Ids<BoardId>,
    Asked(page): Asked<Page>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let limit = page.limit()?;
    let after: Option<LabelId> = page.after(|cursor| cursor.parse().ok())?;
    let listed = look(&app, identity.on(board), board, move |(board, position)| {
        let labels = behind(&board.view().labels, after);
        Listed::of("labels", position, limit, labels, |last| {
            last.id.to_string()
        })
    });
    Ok(listed.await?.answer(&known))
}

/// A label to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLabel {
    id: Option<LabelId>,
    #[serde(default)]
    name: String,
    color: Option<String>,
}

/// Makes a label.
pub(super) async fn create(
    State(app): State<App>,
    writer: Writer,
    Ids(board): Ids<BoardId>,
    Sent(new): Sent<NewLabel>,
) -> Result<Response, Problem> {
    let label = new.id.unwrap_or_else(|| LabelId::from_u128(writer.id()));
    let cmd = Command::LabelCreate {
        label,
        name: new.name,
        color: new.color,
    };
    let place = format!("/api/v1/boards/{board}/labels/{label}");
    writer
        .make(&app, board, (label.as_str(), place), vec![cmd])
        .await
}

/// What is changed of a label. Absent fields stay, `null` clears.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelPatch {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    color: Option<Option<String>>,
}

/// Changes a label.
pub(super) async fn change(
    State(app): State<App>,
    writer: Writer,
    Ids((board, label)): Ids<(BoardId, LabelId)>,
    Sent(LabelPatch { name, color }): Sent<LabelPatch>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::LabelSet { label, name, color };
    writer
        .change(&app, board, Thing::Label(label), vec![cmd])
        .await
}

/// Deletes a label and takes it off all cards.
pub(super) async fn remove(
    State(app): State<App>,
    writer: Writer,
    Ids((board, label)): Ids<(BoardId, LabelId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::LabelRemove { label };
    writer
        .change(&app, board, Thing::Label(label), vec![cmd])
        .await
}
