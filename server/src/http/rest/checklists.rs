//! Checklists of a card, and their items.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::{BoardId, CardId, ChecklistId, ItemId, UserId};
use boardcast_protocol::position::Timestamp;

use super::extract::{Asked, Ids, IfNoneMatch, present};
use super::list::{Listed, Page, behind};
use super::room::look;
use super::thing::Thing;
use super::write::{Receipt, Writer, no_such};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::http::sent::Sent;

/// The checklists by id, with their items.
pub(super) async fn list(
    State(app): State<App>,
    Known(identity): Known,
    Ids((board, card)): Ids<(BoardId, CardId)>,
    Asked(page): Asked<Page>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let limit = page.limit()?;
    let after: Option<ChecklistId> = page.after(|cursor| cursor.parse().ok())?;
    let listed = look(&app, identity.on(board), board, move |(board, position)| {
        let lists = behind(&board.view().cards.get(&card)?.checklists, after);
        let name = "checklists";
        Some(Listed::of(name, position, limit, lists, |last| {
            last.id.to_string()
        }))
    });
    let listed = listed.await?.ok_or_else(|| no_such(Thing::Card(card)))?;
    Ok(listed.answer(&known))
}

/// A checklist to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChecklist {
    id: Option<ChecklistId>,
    title: String,
    after: Option<ChecklistId>,
    before: Option<ChecklistId>,
}

/// Makes a checklist.
pub(super) async fn create(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card)): Ids<(BoardId, CardId)>,
    Sent(new): Sent<NewChecklist>,
) -> Result<Response, Problem> {
    let checklist = new
        .id
        .unwrap_or_else(|| ChecklistId::from_u128(writer.id()));
    let cmd = Command::ChecklistCreate {
        card,
        checklist,
        title: new.title,
        place: Place {
            after: new.after,
            before: new.before,
        },
    };
    let place = format!("/api/v1/boards/{board}/cards/{card}/checklists/{checklist}");
    writer
        .make(&app, board, (checklist.as_str(), place), vec![cmd])
        .await
}

/// What is changed of a checklist. Absent fields stay; with a neighbour it moves there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChecklistPatch {
    title: Option<String>,
    after: Option<ChecklistId>,
    before: Option<ChecklistId>,
}

/// Changes a checklist, as one version.
pub(super) async fn change(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, checklist)): Ids<(BoardId, CardId, ChecklistId)>,
    Sent(patch): Sent<ChecklistPatch>,
) -> Result<Json<Receipt>, Problem> {
    let mut cmds = Vec::new();
    cmds.extend(patch.title.map(|title| Command::ChecklistSet {
        card,
        checklist,
        title,
    }));
    let ChecklistPatch { after, before, .. } = patch;
    if after.is_some() || before.is_some() {
        cmds.push(Command::ChecklistMove {
            card,
            checklist,
            place: Place { after, before },
        });
    }
    let thing = Thing::Checklist(card, checklist);
    writer.change(&app, board, thing, cmds).await
}

/// Deletes a checklist with its items.
pub(super) async fn remove(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, checklist)): Ids<(BoardId, CardId, ChecklistId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::ChecklistRemove { card, checklist };
    let thing = Thing::Checklist(card, checklist);
    writer.change(&app, board, thing, vec![cmd]).await
}

/// An item to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewItem {
    id: Option<ItemId>,
    text: String,
    after: Option<ItemId>,
    before: Option<ItemId>,
}

/// Makes an item.
pub(super) async fn create_item(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, checklist)): Ids<(BoardId, CardId, ChecklistId)>,
    Sent(new): Sent<NewItem>,
) -> Result<Response, Problem> {
    let item = new.id.unwrap_or_else(|| ItemId::from_u128(writer.id()));
    let cmd = Command::ItemCreate {
        card,
        checklist,
        item,
        text: new.text,
        place: Place {
            after: new.after,
            before: new.before,
        },
    };
    let list = format!("/api/v1/boards/{board}/cards/{card}/checklists/{checklist}");
    let place = format!("{list}/items/{item}");
    writer
        .make(&app, board, (item.as_str(), place), vec![cmd])
        .await
}

/// What is changed of an item. Absent fields stay, `null` clears; with a neighbour it moves there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemPatch {
    text: Option<String>,
    done: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    assignee: Option<Option<UserId>>,
    #[serde(default, deserialize_with = "present")]
    due: Option<Option<Timestamp>>,
    after: Option<ItemId>,
    before: Option<ItemId>,
}

/// Changes an item, as one version.
pub(super) async fn change_item(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, checklist, item)): Ids<(BoardId, CardId, ChecklistId, ItemId)>,
    Sent(patch): Sent<ItemPatch>,
) -> Result<Json<Receipt>, Problem> {
    let ItemPatch {
        text,
        done,
        assignee,
        due,
        after,
        before,
    } = patch;
    let mut cmds = Vec::new();
    if text.is_some() || done.is_some() || assignee.is_some() || due.is_some() {
        cmds.push(Command::ItemSet {
            card,
            checklist,
            item,
            text,
            done,
            assignee,
            due,
        });
    }
    if after.is_some() || before.is_some() {
        cmds.push(Command::ItemMove {
            card,
            checklist,
            item,
            place: Place { after, before },
        });
    }
    let thing = Thing::Item(card, checklist, item);
    writer.change(&app, board, thing, cmds).await
}

/// Deletes an item.
pub(super) async fn remove_item(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, checklist, item)): Ids<(BoardId, CardId, ChecklistId, ItemId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::ItemRemove {
        card,
        checklist,
        item,
    };
    let thing = Thing::Item(card, checklist, item);
    writer.change(&app, board, thing, vec![cmd]).await
}
