//! Boards for programs: reads from the room, and writes that become commands of the protocol.
//!
//! Nothing here decides anything about a board. A read is a look in one turn of the board's room, but
//! for the search over all boards, which begins in the index; a write is a list of commands that the room takes like those of a socket, and is answered when they
//! are on disk (rule R5).

mod activity;
mod attachments;
mod bin;
mod boards;
mod cards;
mod checklists;
mod columns;
mod commands;
mod comments;
mod events;
mod extract;
mod fields;
mod files;
mod key;
mod labels;
mod list;
mod members;
mod range;
mod room;
mod search;
mod thing;
mod write;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, patch, post, put};

use boardcast_protocol::limits::MESSAGE_MAX_BYTES;

use schemars::SchemaGenerator;

pub(super) use self::extract::TAGS_MAX_BYTES;
use super::App;

/// Tells the generator every body and every answer.
pub(super) fn schemas(generator: &mut SchemaGenerator) {
    generator.subschema_for::<activity::History>();
    generator.subschema_for::<attachments::AttachmentPatch>();
    generator.subschema_for::<bin::Bin>();
    generator.subschema_for::<boards::Boards>();
    generator.subschema_for::<boards::NewBoard>();
    generator.subschema_for::<boards::BoardPatch>();
    generator.subschema_for::<boardcast_protocol::board::View>();
    generator.subschema_for::<cards::NewCard>();
    generator.subschema_for::<cards::CardPatch>();
    generator.subschema_for::<thing::WholeCard<'_>>();
    generator.subschema_for::<checklists::NewChecklist>();
    generator.subschema_for::<checklists::ChecklistPatch>();
    generator.subschema_for::<checklists::NewItem>();
    generator.subschema_for::<checklists::ItemPatch>();
    generator.subschema_for::<columns::NewColumn>();
    generator.subschema_for::<columns::ColumnPatch>();
    generator.subschema_for::<commands::Commands>();
    generator.subschema_for::<commands::Answer>();
    generator.subschema_for::<comments::NewComment>();
    generator.subschema_for::<comments::CommentPatch>();
    generator.subschema_for::<labels::NewLabel>();
    generator.subschema_for::<labels::LabelPatch>();
    generator.subschema_for::<members::NewMember>();
    generator.subschema_for::<members::MemberPatch>();
    generator.subschema_for::<search::Hits>();
    generator.subschema_for::<write::Receipt>();
}

/// All routes about boards.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/boards", get(boards::list).post(boards::create))
        .route(
            "/api/v1/boards/{board}",
            get(boards::read).patch(boards::change).delete(bin::delete),
        )
        .route("/api/v1/bin", get(bin::list))
        .route("/api/v1/bin/{board}/restore", post(bin::restore))
        .route("/api/v1/search", get(search::search))
        .route("/api/v1/boards/{board}/commands", post(commands::submit))
        .route(
            "/api/v1/boards/{board}/columns",
            get(columns::list).post(columns::create),
        )
        .route(
            "/api/v1/boards/{board}/columns/{column}",
            get(columns::read)
                .patch(columns::change)
                .delete(columns::remove),
        )
        .route(
            "/api/v1/boards/{board}/cards",
            get(cards::list).post(cards::create),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}",
            get(cards::read).patch(cards::change).delete(cards::remove),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/labels/{label}",
            put(cards::put_label).delete(cards::remove_label),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/assignees/{user}",
            put(cards::put_assignee).delete(cards::remove_assignee),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/checklists",
            get(checklists::list).post(checklists::create),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/checklists/{checklist}",
            patch(checklists::change).delete(checklists::remove),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/checklists/{checklist}/items",
            post(checklists::create_item),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/checklists/{checklist}/items/{item}",
            patch(checklists::change_item).delete(checklists::remove_item),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/comments",
            get(comments::list).post(comments::create),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/comments/{comment}",
            patch(comments::change).delete(comments::remove),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/attachments",
            post(attachments::create),
        )
        .route(
            "/api/v1/boards/{board}/cards/{card}/attachments/{attachment}",
            patch(attachments::change).delete(attachments::remove),
        )
        .route(
            "/api/v1/boards/{board}/attachments/{attachment}",
            get(files::read),
        )
        .route(
            "/api/v1/boards/{board}/attachments/{attachment}/thumbnail",
            get(files::thumbnail),
        )
        .route(
            "/api/v1/boards/{board}/labels",
            get(labels::list).post(labels::create),
        )
        .route(
            "/api/v1/boards/{board}/labels/{label}",
            patch(labels::change).delete(labels::remove),
        )
        .route(
            "/api/v1/boards/{board}/members",
            get(members::list).post(members::add),
        )
        .route(
            "/api/v1/boards/{board}/members/{user}",
            patch(members::change).delete(members::remove),
        )
        .route("/api/v1/boards/{board}/activity", get(activity::read))
        .route("/api/v1/boards/{board}/events", get(events::stream))
        .layer(DefaultBodyLimit::max(MESSAGE_MAX_BYTES))
}
