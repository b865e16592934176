//! Every connection: a list that can be searched and sorted, and the end of one.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::json;

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::ids::{BoardId, ClientId, UserId};
use boardcast_protocol::position::Timestamp;

use super::{Admin, Looks};
use crate::connection::registry::{Connection, Connections};
use crate::frame::MAX_CLOSE_REASON_BYTES;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::trail::Trail;
use crate::room::{Codec, ConnId};
use crate::storage::{AuditAct, AuditEntry};

/// Connections of one page.
const PAGE_MAX: usize = 200;
const PAGE: usize = 50;
/// What the reason of a close frame begins with when the administrator gives one.
const CLOSED: &str = "closed by an administrator: ";
/// A reason that fits the close frame.
const REASON_MAX_BYTES: usize = MAX_CLOSE_REASON_BYTES - CLOSED.len();

/// Which connections, in which order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    user: Option<UserId>,
    board: Option<BoardId>,
    address: Option<IpAddr>,
    sort: Option<String>,
    #[serde(default)]
    offset: usize,
    #[serde(default = "page")]
    limit: usize,
}

fn page() -> usize {
    PAGE
}

/// A page of connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionsPage {
    /// How many fit the query.
    pub total: usize,
    /// How many of them come before this page.
    pub offset: usize,
    /// At most 200.
    pub connections: Vec<ConnectionEntry>,
}

/// One connection at one moment. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEntry {
    /// Its number, as `welcome` tells it.
    pub id: u64,
    /// The user; nobody before `hello`.
    pub user: Option<UserId>,
    /// The client.
    pub client: Option<ClientId>,
    /// Name and version of the program, as it says itself; at most 64 bytes.
    pub agent: Option<String>,
    /// The boards that it has subscribed to and not left.
    pub boards: Vec<BoardId>,
    /// Where it comes from.
    pub address: SocketAddr,
    /// `json` or `deflate`.
    pub codec: String,
    /// When it was opened.
    pub since: Timestamp,
    /// When something came last, to within a second.
    pub active: Timestamp,
    /// When it ends unless something happens: the time for `hello`, then the end of the token.
    pub ends: Timestamp,
    /// The last round trip of a ping, in microseconds; none before the first.
    pub round_trip_us: Option<u32>,
    /// Bytes that wait to be written.
    pub queue_bytes: usize,
    /// What went to the client: bytes written, frames queued.
    pub sent: Flow,
    /// What came from it: bytes read, text messages.
    pub received: Flow,
    /// Messages refused because of a limit of the connection.
    pub limits_hit: u32,
    /// Ticks of presence that it missed because it was slow.
    pub presence_dropped: u64,
}

/// What went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Bytes, frame headers included.
    pub bytes: u64,
    /// Messages.
    pub messages: u64,
}

impl ConnectionEntry {
    fn of(connection: &Connection) -> Self {
        let (profile, outbox) = (&connection.profile, &connection.outbox);
        let observed = connection.observed();
        let speaker = profile.speaker();
        Self {
            id: connection.id.0,
            user: speaker.map(|speaker| speaker.actor.user),
            client: speaker.map(|speaker| speaker.client),
            agent: speaker.and_then(|speaker| Some(speaker.agent.as_deref()?.to_owned())),
            boards: profile.boards(),
            address: profile.address(),
            codec: match outbox.codec() {
                Codec::Json => "json".to_owned(),
                Codec::Deflate => "deflate".to_owned(),
            },
            since: profile.since,
            active: profile.active(),
            ends: observed.ends_at,
            round_trip_us: profile.round_trip_us(),
            queue_bytes: observed.pending_bytes,
            sent: Flow {
                bytes: observed.written_bytes,
                messages: outbox.pushed_frames(),
            },
            received: Flow {
                bytes: profile.read_bytes(),
                messages: profile.messages(),
            },
            limits_hit: profile.limits_hit(),
            presence_dropped: outbox.dropped_presence(),
        }
    }
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Id,
    User,
    Address,
    Active,
    RoundTrip,
    Queue,
    Sent,
    Received,
    Limits,
}

const SORTS: [(&str, By); 9] = [
    ("id", By::Id),
    ("user", By::User),
    ("address", By::Address),
    ("active", By::Active),
    ("round_trip", By::RoundTrip),
    ("queue", By::Queue),
    ("sent", By::Sent),
    ("received", By::Received),
    ("limits", By::Limits),
];

/// Compares by one thing; of equals the older connection comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sort {
    by: By,
    descending: bool,
}

/// What a connection is sorted by: taken once, because it changes meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Nothing,
    User(UserId),
    Address(SocketAddr),
    Number(u64),
}

impl Sort {
    fn parse(text: &str) -> Result<Self, Problem> {
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let Some((_, by)) = SORTS.iter().find(|(known, _)| *known == name) else {
            let names: Vec<_> = SORTS.iter().map(|(name, _)| *name).collect();
            let hint = format!("`sort` is one of {}, or -NAME", names.join(", "));
            return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
        };
        Ok(Self {
            by: *by,
            descending,
        })
    }

    fn key(self, connection: &Connection) -> Key {
        let profile = &connection.profile;
        match self.by {
            By::Id => Key::Number(connection.id.0),
            By::User => (profile.speaker()).map_or(Key::Nothing, |s| Key::User(s.actor.user)),
            By::Address => Key::Address(profile.address()),
            By::Active => Key::Number(profile.active().0),
            By::RoundTrip => {
                let us = profile.round_trip_us();
                us.map_or(Key::Nothing, |us| Key::Number(us.into()))
            }
            By::Queue => Key::Number(connection.outbox.pending_bytes() as u64),
            By::Sent => Key::Number(connection.observed().written_bytes),
            By::Received => Key::Number(profile.read_bytes()),
            By::Limits => Key::Number(profile.limits_hit().into()),
        }
    }

    fn compare(self, a: &(Key, Arc<Connection>), b: &(Key, Arc<Connection>)) -> Ordering {
        let by_key = a.0.cmp(&b.0);
        let by_key = if self.descending {
            by_key.reverse()
        } else {
            by_key
        };
        by_key.then(a.1.id.cmp(&b.1.id))
    }
}

impl ListQuery {
    fn wants(&self, connection: &Connection) -> bool {
        let profile = &connection.profile;
        let is_user =
            |user: &UserId| (profile.speaker()).is_some_and(|speaker| speaker.actor.user == *user);
        self.user.as_ref().is_none_or(is_user)
            && self.board.is_none_or(|board| profile.is_on(board))
            && (self.address).is_none_or(|ip| profile.address().ip() == ip.to_canonical())
    }

    fn page(&self, sort: Sort, connections: &Connections) -> ConnectionsPage {
        let mut found: Vec<_> = connections
            .collect(|connection| self.wants(connection))
            .into_iter()
            .map(|connection| (sort.key(&connection), connection))
            .collect();
        found.sort_unstable_by(|a, b| sort.compare(a, b));
        let page = found.iter().skip(self.offset).take(self.limit);
        ConnectionsPage {
            total: found.len(),
            offset: self.offset,
            connections: page.map(|(_, c)| ConnectionEntry::of(c)).collect(),
        }
    }
}

/// Lists connections.
pub(super) async fn list(
    State(app): State<App>,
    Extension(looks): Extension<Looks>,
    _: Admin,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<ConnectionsPage>, Problem> {
    let Query(query) = query.map_err(|rejection| {
        let hint = format!(
            "known are `user`, `board`, `address`, `sort`, `offset` and `limit`: {}",
            rejection.body_text()
        );
        Problem::new(StatusCode::BAD_REQUEST, hint)
    })?;
    if !(1..=PAGE_MAX).contains(&query.limit) {
        let hint = format!("`limit` is 1 to {PAGE_MAX}; get further pages with `offset`");
        return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
    }
    let sort = Sort::parse(query.sort.as_deref().unwrap_or("id"))?;
    let connections = Arc::clone(&app.services.connections);
    let page = looks.look(move || query.page(sort, &connections)).await?;
    Ok(Json(page))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseQuery {
    reason: Option<String>,
}

/// Ends a connection: what waits for it is written, then the close frame. A client that takes
/// nothing is dropped as any other that does not read.
pub(super) async fn close(
    State(app): State<App>,
    Admin(admin): Admin,
    Path(id): Path<String>,
    trail: Trail,
    query: Result<Query<CloseQuery>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let wrong = || {
        let hint = format!(
            "`reason` has 1 to {REASON_MAX_BYTES} bytes without control characters; nothing else \
             is known here"
        );
        Problem::new(StatusCode::BAD_REQUEST, hint)
    };
    let Query(CloseQuery { reason }) = query.map_err(|_| wrong())?;
    let is_wrong = |reason: &String| {
        !(1..=REASON_MAX_BYTES).contains(&reason.len()) || reason.contains(char::is_control)
    };
    if reason.as_ref().is_some_and(is_wrong) {
        return Err(wrong());
    }
    let found = id.parse().ok().map(ConnId);
    let found = found.and_then(|id| app.services.connections.get(id));
    let Some(connection) = found else {
        let hint = "there is no such connection; GET /api/v1/admin/connections lists all";
        return Err(Problem::new(StatusCode::NOT_FOUND, hint));
    };
    let code = CloseCode::ClosedByAdmin;
    let told = reason.as_ref().map_or_else(
        || code.reason().to_owned(),
        |reason| format!("{CLOSED}{reason}"),
    );
    connection.outbox.close_with(code, code.code(), &told);
    let user = connection.profile.speaker().map(|s| s.actor.user);
    trail.note(AuditEntry {
        by: Some(admin.actor.user),
        about: user,
        detail: json!({"connection": connection.id.0, "reason": reason}),
        ..trail.entry(AuditAct::ConnectionClosed)
    });
    tracing::info!(
        connection = connection.id.0, user = user.map(tracing::field::display),
        by = %admin.actor.user, reason, "an administrator closed a connection"
    );
    Ok(StatusCode::NO_CONTENT)
}
