//! Cards over all boards that whoever asks may read.
//!
//! The index tells which cards there are, as the rows show them. A board that is loaded, or whose rows
//! are behind, is asked itself: by its members of this moment, and by its cards as they stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use boardcast_protocol::board::{Action, Card, Detail, Role, View};
use boardcast_protocol::ids::{BoardId, CardId, ColumnId};
use boardcast_protocol::search::{Asker, Found, Query};

use super::extract::Asked;
use super::list::Page;
use super::room::look;
use super::write::not_read;
use crate::auth::Identity;
use crate::clock;
use crate::http::App;
use crate::http::auth::require;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::storage::{CardSearch, FoundCard, SearchCursor};

/// Longest cursor: the digits of a place in the index.
const CURSOR_MAX_BYTES: usize = 18;

/// What is looked for, and which page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    q: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A card that was found.
#[derive(Debug, Serialize, JsonSchema)]
struct Hit {
    board: BoardId,
    /// The title of the board.
    board_title: String,
    card: CardId,
    /// The number of the card for people.
    number: u32,
    title: String,
    column: ColumnId,
    /// The title of the column.
    column_title: String,
    archived: bool,
    /// Where the words of the query stand; `null` for a query without words.
    found: Option<Found>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Hits {
    hits: Vec<Hit>,
    next: Option<String>,
}

/// Reads a query.
///
/// # Errors
/// 422: it is none; the hint names the place.
pub(super) fn query(text: &str) -> Result<Query, Problem> {
    text.parse().map_err(|error| {
        let hint = format!("`q` is no query, {error}");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint)
    })
}

/// The cards that match, the best first.
pub(super) async fn search(
    State(app): State<App>,
    Known(identity): Known,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Hits>, Problem> {
    require(&identity, Action::ListBoards)?;
    let query = query(wanted.q.as_deref().unwrap_or_default())?;
    if query.terms.is_empty() {
        let hint =
            "`q` says what to look for: words, a \"phrase\", or a filter such as `is:overdue`";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint));
    }
    let page = Page {
        limit: wanted.limit,
        cursor: wanted.cursor,
    };
    let (limit, after) = (page.limit()?, page.after(read_cursor)?);
    let asker = Asker {
        user: identity.actor.user,
        now: clock::now(),
    };
    let search = CardSearch {
        query: &query,
        asker,
        all: identity.actor.admin,
        boards: identity.grant.boards(),
        after,
        limit,
    };
    let found = app.services.storage.search(search).await;
    let found = found.map_err(|error| not_read(&error))?;
    let next = found.next.map(|SearchCursor(next)| next.to_string());
    let hits = Hits {
        hits: shown(&app, &identity, Arc::new(query), asker, found.cards).await?,
        next,
    };
    Ok(Json(hits))
}

/// What of the cards whoever asks may see, in the same order.
async fn shown(
    app: &App,
    identity: &Identity,
    query: Arc<Query>,
    asker: Asker,
    cards: Vec<FoundCard>,
) -> Result<Vec<Hit>, Problem> {
    let mut asked: BTreeMap<BoardId, Vec<(usize, CardId)>> = BTreeMap::new();
    let mut hits = BTreeMap::new();
    for (place, found) in cards.into_iter().enumerate() {
        let board = found.view.id;
        if found.late || app.services.rooms.get(board).is_some() {
            asked.entry(board).or_default().push((place, found.card.id));
            continue;
        }
        let role = if identity.actor.admin {
            Some(Role::Admin)
        } else {
            found.role
        };
        let role = identity.on(board).pass.limit(role);
        if role.is_some_and(|role| role.may(Action::Read)) {
            let hit = Hit::of(&query, &found.view, &found.card, found.detail.as_ref());
            hits.insert(place, hit);
        }
    }
    for (board, cards) in asked {
        let query = Arc::clone(&query);
        let seen = look(app, identity.on(board), board, move |(board, _)| {
            let view = board.view();
            let hit = |(place, id): (usize, CardId)| {
                let (card, detail) = (view.cards.get(&id)?, board.detail(id));
                let matches = query.matches(view, card, detail, &asker);
                matches.then(|| (place, Hit::of(&query, view, card, detail)))
            };
            cards.into_iter().filter_map(hit).collect::<Vec<_>>()
        });
        match seen.await {
            Ok(seen) => hits.extend(seen),
            Err(problem) if problem.is_not_found() => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(hits.into_values().collect())
}

impl Hit {
    fn of(query: &Query, view: &View, card: &Card, detail: Option<&Detail>) -> Self {
        let column = view.columns.get(&card.column);
        Self {
            board: view.id,
            board_title: view.title.clone(),
            card: card.id,
            number: card.number,
            title: card.title.clone(),
            column: card.column,
            column_title: column.map_or(String::new(), |column| column.title.clone()),
            archived: card.archived,
            found: query.find(card, detail),
        }
    }
}

fn read_cursor(text: &str) -> Option<SearchCursor> {
    let is_number = text.len() <= CURSOR_MAX_BYTES && text.bytes().all(|b| b.is_ascii_digit());
    let number = is_number.then(|| text.parse().ok())?;
    number.map(SearchCursor)
}
