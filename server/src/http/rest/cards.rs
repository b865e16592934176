//! Cards of a board.

use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Deserialize;

use boardcast_protocol::board::{Card, Priority};
use boardcast_protocol::command::{CardChange, Command, Place};
use boardcast_protocol::ids::{BoardId, CardId, ColumnId, LabelId, SprintId, UserId};
use boardcast_protocol::position::Timestamp;
use boardcast_protocol::search::{Asker, Query};

use super::extract::{Asked, Ids, IfNoneMatch, present};
use super::list::{Listed, Page};
use super::room::look;
use super::search;
use super::thing::Thing;
use super::write::{Receipt, Writer, read_thing};
use crate::clock;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::http::sent::Sent;

/// Which cards, and which page of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    limit: Option<usize>,
    cursor: Option<String>,
    column: Option<ColumnId>,
    label: Option<LabelId>,
    assignee: Option<UserId>,
    archived: Option<bool>,
    q: Option<String>,
}

/// Text of cards that a query looks at in one turn of the room; the page ends behind it, and may be
/// short. A few milliseconds.
const TEXT_MAX_BYTES: usize = 256 * 1_024;
/// What a card costs beside its text: 4,096 cards are looked at in one turn at most.
const CARD_BYTES: usize = 64;

impl Wanted {
    fn has(&self, card: &Card) -> bool {
        self.column.is_none_or(|column| card.column == column)
            && self.label.is_none_or(|label| card.labels.contains(&label))
            && (self.assignee).is_none_or(|user| card.assignees.contains(&user))
            && (self.archived).is_none_or(|archived| card.archived == archived)
    }
}

/// The cards by id; those of one column in their order there.
pub(super) async fn list(
    State(app): State<App>,
    Known(identity): Known,
    Ids(board): Ids<BoardId>,
    Asked(mut wanted): Asked<Wanted>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let page = Page {
        limit: wanted.limit,
        cursor: wanted.cursor.take(),
    };
    let limit = page.limit()?;
    let after: Option<(String, CardId)> = page.after(|cursor| {
        let (rank, id) = cursor.rsplit_once('.').unwrap_or(("", cursor));
        Some((rank.to_owned(), id.parse().ok()?))
    })?;
    let query = search::query(wanted.q.as_deref().unwrap_or_default())?;
    let asker = Asker {
        user: identity.actor.user,
        now: clock::now(),
    };
    // What is due, and who asks, are not in the tag.
    let known = match query.depends_on_asker() {
        true => IfNoneMatch::nothing(),
        false => known,
    };
    let listed = look(&app, identity.on(board), board, move |(board, position)| {
        let keep = |card: &Card| {
            let detail = board.detail(card.id);
            let view = board.view();
            if wanted.q.is_none() || !wanted.has(card) {
                return (wanted.has(card), 0);
            }
            if !query.has_words() || !query.may_match(view, card, &asker) {
                return (query.may_match(view, card, &asker), CARD_BYTES);
            }
            let bytes = Query::text_bytes(card, detail) + CARD_BYTES;
            (query.matches(view, card, detail, &asker), bytes)
        };
        let bounds = (limit, TEXT_MAX_BYTES);
        let Some(column) = wanted.column else {
            let from = after.map_or(Bound::Unbounded, |(_, id)| Bound::Excluded(id));
            let cards = board.view().cards.range((from, Bound::Unbounded));
            let cards = cards.map(|(_, card)| card);
            return Listed::sifted("cards", position, bounds, cards, keep, |last| {
                last.id.to_string()
            });
        };
        let is_behind = |card: &&Card| {
            let last = after.as_ref().map(|(rank, id)| (rank.as_str(), *id));
            last.is_none_or(|last| (card.rank.as_str(), card.id) > last)
        };
        let cards = board.lane(column).filter(is_behind);
        Listed::sifted("cards", position, bounds, cards, keep, |last| {
            format!("{}.{}", last.rank.as_str(), last.id)
        })
    });
    Ok(listed.await?.answer(&known))
}

/// A card to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCard {
    id: Option<CardId>,
    column: ColumnId,
    title: String,
    after: Option<CardId>,
    before: Option<CardId>,
    description: Option<String>,
    priority: Option<Priority>,
    start: Option<Timestamp>,
    due: Option<Timestamp>,
    complete: Option<bool>,
    estimate: Option<u32>,
    parent: Option<CardId>,
    sprint: Option<SprintId>,
    cover: Option<String>,
    #[serde(default)]
    labels: Vec<LabelId>,
    #[serde(default)]
    assignees: Vec<UserId>,
}

/// Makes a card: between its neighbours, else at the end of its column.
pub(super) async fn create(
    State(app): State<App>,
    writer: Writer,
    Ids(board): Ids<BoardId>,
    Sent(new): Sent<NewCard>,
) -> Result<Response, Problem> {
    let card = new.id.unwrap_or_else(|| CardId::from_u128(writer.id()));
    let cmd = Command::CardCreate {
        card,
        column: new.column,
        title: new.title,
        place: Place {
            after: new.after,
            before: new.before,
        },
        set: Box::new(CardChange {
            title: None,
            description: new.description,
            priority: new.priority,
            start: new.start.map(Some),
            due: new.due.map(Some),
            complete: new.complete,
            estimate: new.estimate.map(Some),
            parent: new.parent.map(Some),
            sprint: new.sprint.map(Some),
            cover: new.cover.map(Some),
        }),
        labels: new.labels,
        assignees: new.assignees,
    };
    let place = format!("/api/v1/boards/{board}/cards/{card}");
    writer
        .make(&app, board, (card.as_str(), place), vec![cmd])
        .await
}

/// A card with its description and comments.
pub(super) async fn read(
    State(app): State<App>,
    Known(identity): Known,
    Ids((board, card)): Ids<(BoardId, CardId)>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    read_thing(&app, identity.on(board), board, Thing::Card(card), &known).await
}

/// What is changed of a card. Absent fields stay, `null` clears; with a column or a neighbour it
/// moves there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CardPatch {
    title: Option<String>,
    description: Option<String>,
    priority: Option<Priority>,
    #[serde(default, deserialize_with = "present")]
    start: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "present")]
    due: Option<Option<Timestamp>>,
    complete: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    estimate: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present")]
    parent: Option<Option<CardId>>,
    #[serde(default, deserialize_with = "present")]
    sprint: Option<Option<SprintId>>,
    #[serde(default, deserialize_with = "present")]
    cover: Option<Option<String>>,
    archived: Option<bool>,
    column: Option<ColumnId>,
    after: Option<CardId>,
    before: Option<CardId>,
}

impl CardPatch {
    fn commands(self, card: CardId) -> Result<Vec<Command>, Problem> {
        let set = CardChange {
            title: self.title,
            description: self.description,
            priority: self.priority,
            start: self.start,
            due: self.due,
            complete: self.complete,
            estimate: self.estimate,
            parent: self.parent,
            sprint: self.sprint,
            cover: self.cover,
        };
        let mut cmds = Vec::new();
        if set != CardChange::default() {
            let set = Box::new(set);
            cmds.push(Command::CardSet { card, set });
        }
        let Self { after, before, .. } = self;
        match self.column {
            Some(column) => cmds.push(Command::CardMove {
                card,
                column,
                place: Place { after, before },
            }),
            None if after.is_some() || before.is_some() => {
                let hint = "`after` and `before` go with the `column` that they are in";
                let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
                return Err(Problem::new(status, hint));
            }
            None => {}
        }
        let archive = |archived| Command::CardArchive { card, archived };
        cmds.extend(self.archived.map(archive));
        Ok(cmds)
    }
}

/// Changes a card, as one version.
pub(super) async fn change(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card)): Ids<(BoardId, CardId)>,
    Sent(patch): Sent<CardPatch>,
) -> Result<Json<Receipt>, Problem> {
    let cmds = patch.commands(card)?;
    writer.change(&app, board, Thing::Card(card), cmds).await
}

/// Deletes a card for good.
pub(super) async fn remove(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card)): Ids<(BoardId, CardId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::CardRemove { card };
    writer
        .change(&app, board, Thing::Card(card), vec![cmd])
        .await
}

/// Puts a label on a card.
pub(super) async fn put_label(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, label)): Ids<(BoardId, CardId, LabelId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::CardLabel {
        card,
        label,
        on: true,
    };
    writer
        .change(&app, board, Thing::Card(card), vec![cmd])
        .await
}

/// Takes a label off a card.
pub(super) async fn remove_label(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, label)): Ids<(BoardId, CardId, LabelId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::CardLabel {
        card,
        label,
        on: false,
    };
    writer
        .change(&app, board, Thing::Card(card), vec![cmd])
        .await
}

/// Assigns a member to a card.
pub(super) async fn put_assignee(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, user)): Ids<(BoardId, CardId, UserId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::CardAssign {
        card,
        user,
        on: true,
    };
    writer
        .change(&app, board, Thing::Card(card), vec![cmd])
        .await
}

/// Takes a member off a card.
pub(super) async fn remove_assignee(
    State(app): State<App>,
    writer: Writer,
    Ids((board, card, user)): Ids<(BoardId, CardId, UserId)>,
) -> Result<Json<Receipt>, Problem> {
    let cmd = Command::CardAssign {
        card,
        user,
        on: false,
    };
    writer
        .change(&app, board, Thing::Card(card), vec![cmd])
        .await
}
