//! Columns of a board.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use boardcast_protocol::board::{Wip, WipKind};
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::{BoardId, ColumnId};

use super::extract::{Asked, Ids, IfNoneMatch, present};
use super::list::{Listed, Page};
use super::room::look;
use super::thing::Thing;
use super::write::{Receipt, Writer, read_thing};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::http::sent::Sent;

/// The columns in their order, archived ones included.
pub(super) async fn list(
    State(app): State<App>,
    Known(identity): Known,
    Ids(board): Ids<BoardId>,
    Asked(page): Asked<Page>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let limit = page.limit()?;
    let after: Option<ColumnId> = page.after(|cursor| cursor.parse().ok())?;
    let listed = look(&app, identity.on(board), board, move |(board, position)| {
        let columns = board.columns();
        let from = after.map_or(0, |after| {
            let last = columns.iter().position(|column| column.id == after);
            last.map_or(columns.len(), |last| last + 1)
        });
        let columns = columns.into_iter().skip(from);
        Listed::of("columns", position, limit, columns, |last| {
            last.id.to_string()
        })
    });
    Ok(listed.await?.answer(&known))
}

/// A limit of cards in work, of which no field is passed over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWip {
    limit: u32,
    kind: WipKind,
}

impl From<NewWip> for Wip {
    fn from(NewWip { limit, kind }: NewWip) -> Self {
        Self { limit, kind }
    }
}

/// A column to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewColumn {
    id: Option<ColumnId>,
    title: String,
    #[schemars(with = "Option<Wip>")]
    wip: Option<NewWip>,
    #[serde(default)]
    done: bool,
    after: Option<ColumnId>,
    before: Option<ColumnId>,
}

/// Makes a column: between its neighbours, else at the end.
pub(super) async fn create(
    State(app): State<App>,
    writer: Writer,
    Ids(board): Ids<BoardId>,
    Sent(new): Sent<NewColumn>,
) -> Result<Response, Problem> {
    let column = new.id.unwrap_or_else(|| ColumnId::from_u128(writer.id()));
    let cmd = Command::ColumnCreate {
        column,
        title: new.title,
        wip: new.wip.map(Wip::from),
        done: new.done,
        place: Place {
            after: new.after,
            before: new.before,
        },
    };
    let place = format!("/api/v1/boards/{board}/columns/{column}");
    writer
        .make(&app, board, (column.as_str(), place), vec![cmd])
        .await
}

/// A column.
pub(super) async fn read(
    State(app): State<App>,
    Known(identity): Known,
    Ids((board, column)): Ids<(BoardId, ColumnId)>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    read_thing(
        &app,
        identity.on(board),
        board,
        Thing::Column(column),
        &known,
    )
    .await
}

/// What is changed of a column. Absent fields stay, `null` clears; with a neighbour it moves there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnPatch {
    title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Option<Wip>>")]
    wip: Option<Option<NewWip>>,
    done: Option<bool>,
    archived: Option<bool>,
    after: Option<ColumnId>,
    before: Option<ColumnId>,
}

/// Changes a column, as one version.
pub(super) async fn change(
    State(app): State<App>,
    writer: Writer,
    Ids((board, column)): Ids<(BoardId, ColumnId)>,
    Sent(patch): Sent<ColumnPatch>,
) -> Result<Json<Receipt>, Problem> {
    let ColumnPatch {
        title,
        wip,
        done,
        archived,
        after,
        before,
    } = patch;
    let mut cmds = Vec::new();
    if title.is_some() || wip.is_some() || done.is_some() || archived.is_some() {
        cmds.push(Command::ColumnSet {
            column,
            title,
            wip: wip.map(|wip| wip.map(Wip::from)),
            done,
            archived,
        });
    }
    if after.is_some() || before.is_some() {
        let place = Place { after, before };
        cmds.push(Command::ColumnMove { column, place });
    }
    writer
        .change(&app, board, Thing::Column(column), cmds)
        .await
}

/// Deletes a column that holds no card.
pub(super) async fn remove(
    State(app): State<App>,
    writer: Writer,
    Ids((board, column)): Ids<(BoardId, ColumnId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::ColumnRemove { column };
    writer
        .change(&app, board, Thing::Column(column), vec![cmd])
        .await
}
