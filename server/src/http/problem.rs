//! Errors of HTTP: problem details (RFC 9457) that say what would be right.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::accounts::{AccountError, RETRY_AFTER_S as HASH_RETRY_S};
use crate::auth::{ApiTokenError, TicketError, TokenError};

/// What the `type` of each problem begins with: its name follows, and the page there explains it.
const PLACE: &str = "/api/#";
/// When to try again where storage takes nothing, in seconds.
const STORAGE_RETRY_S: u32 = 5;

/// An error as a response: status, title and a hint for people.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    /// What it is, for programs; `None`: what the status says.
    kind: Option<&'static str>,
    hint: String,
    members: Map<String, Value>,
    headers: Box<HeaderMap>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    status: u16,
    title: &'a str,
    detail: &'a str,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

impl Problem {
    /// A problem; the hint says what was wrong and what would be right.
    pub fn new(status: StatusCode, hint: impl Into<String>) -> Self {
        Self {
            status,
            kind: None,
            hint: hint.into(),
            members: Map::new(),
            headers: Box::default(),
        }
    }

    /// The same with a stable name of its own: what its `type` ends with.
    #[must_use]
    pub fn of_kind(mut self, kind: &'static str) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The same with a member of its own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The same with further headers.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The same with the time after which to try again.
    #[must_use]
    pub fn retry_after_s(mut self, seconds: u32) -> Self {
        self.headers.insert(header::RETRY_AFTER, seconds.into());
        self
    }

    /// Whether it says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// Bad or missing credentials.
    pub fn unauthorized(hint: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, hint);
        let scheme = HeaderValue::from_static("Bearer");
        problem.headers.insert(header::WWW_AUTHENTICATE, scheme);
        problem
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::unauthorized(error.to_string())
    }
}

impl From<ApiTokenError> for Problem {
    fn from(error: ApiTokenError) -> Self {
        match error {
            ApiTokenError::NotValid => Self::unauthorized(error.to_string()),
            ApiTokenError::Storage(error) => AccountError::from(error).into(),
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let hint = error.to_string();
        match error {
            AccountError::Name
            | AccountError::Email
            | AccountError::Password
            | AccountError::Boards
            | AccountError::Expires => Self::new(StatusCode::UNPROCESSABLE_ENTITY, hint),
            AccountError::Taken
            | AccountError::LastAdministrator
            | AccountError::Disabled
            | AccountError::TooManyTokens
            | AccountError::NoPerson
            | AccountError::NoBot => Self::new(StatusCode::CONFLICT, hint),
            AccountError::OldPassword => Self::new(StatusCode::FORBIDDEN, hint),
            AccountError::NoSuchAccount | AccountError::NoSuchToken => {
                Self::new(StatusCode::NOT_FOUND, hint)
            }
            AccountError::Link | AccountError::SignIn => Self::unauthorized(hint),
            AccountError::TooMany { retry_after_s, .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, hint).retry_after_s(retry_after_s)
            }
            AccountError::Busy(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(HASH_RETRY_S)
            }
            AccountError::Storage(error) => {
                tracing::error!(%error, "accounts cannot be read or written");
                let hint = "accounts cannot be read or written at the moment";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, hint).retry_after_s(STORAGE_RETRY_S)
            }
        }
    }
}

impl From<TicketError> for Problem {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::NotValid => Self::unauthorized(error.to_string()),
            TicketError::TooMany => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).retry_after_s(30)
            }
        }
    }
}

/// The names of all problems, with their status and what they mean.
pub(super) const KINDS: [(&str, u16, &str); 31] = [
    ("bad-request", 400, "The request cannot be read as it is."),
    ("unauthorized", 401, "Credentials are missing or not valid."),
    (
        "forbidden",
        403,
        "The role, or where the request comes from, does not allow it.",
    ),
    ("not-found", 404, "There is no such thing."),
    (
        "no-such-board",
        404,
        "There is no such board, or it is not yours: the answer is the same.",
    ),
    (
        "no-thumbnail",
        404,
        "The file has no thumbnail: it is no image, or one that cannot be read or is too large.",
    ),
    (
        "method-not-allowed",
        405,
        "The path does not answer to this method; `Allow` names those that it does.",
    ),
    ("request-timeout", 408, "The body did not come in time."),
    ("conflict", 409, "It does not go with what is there."),
    ("duplicate-id", 409, "The id of the new thing is in use."),
    (
        "used-id",
        409,
        "The id of the new thing belonged to one that was deleted.",
    ),
    ("limit", 409, "A limit of the board is reached."),
    ("wip-limit", 409, "The column is full."),
    ("not-empty", 409, "The thing still holds others."),
    ("cycle", 409, "The link would lead back to its own card."),
    (
        "last-admin",
        409,
        "The last admin of a board cannot leave or be demoted.",
    ),
    (
        "precondition-failed",
        412,
        "It has changed since it was read: `mine` and `theirs` are both values.",
    ),
    ("too-large", 413, "The body is larger than is accepted."),
    (
        "unsupported-media-type",
        415,
        "The body is not announced as what it must be.",
    ),
    (
        "range-not-satisfiable",
        416,
        "`Range` lies behind the file.",
    ),
    (
        "invalid",
        422,
        "A field has a value that is not allowed, or is not known.",
    ),
    (
        "key-reused",
        422,
        "The `Idempotency-Key` was used for another request.",
    ),
    (
        "upgrade-required",
        426,
        "The WebSocket version is not spoken.",
    ),
    (
        "too-many-requests",
        429,
        "More than is allowed; `Retry-After` says when to try again.",
    ),
    (
        "too-many-keys",
        429,
        "As many keys are remembered as there is place for, each for 24 hours.",
    ),
    (
        "internal",
        500,
        "Something went wrong in the server; its log says what.",
    ),
    (
        "damaged-file",
        500,
        "A file is missing or damaged: it has to be put back from a backup.",
    ),
    (
        "no-space",
        507,
        "A quota of files is reached, or the disk is full.",
    ),
    (
        "busy",
        503,
        "There is too much to do at the moment; `Retry-After` says when to try again.",
    ),
    (
        "unavailable",
        503,
        "It is not possible at the moment; `Retry-After` says when to try again.",
    ),
    (
        "not-durable",
        503,
        "It was accepted and is not on disk yet; send it again with the same key.",
    ),
];

/// What a status says, where a problem has no name of its own.
fn kind_of(status: StatusCode) -> &'static str {
    let known = KINDS.iter().filter(|(_, of, _)| *of == status.as_u16());
    // Of several the general one.
    let general = |kind: &&str| !["no-such-board", "busy"].contains(kind);
    known
        .map(|(kind, ..)| *kind)
        .find(general)
        .unwrap_or("internal")
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.kind.unwrap_or_else(|| kind_of(self.status));
        let body = Body {
            r#type: format!("{PLACE}{kind}"),
            members: &self.members,
            status: self.status.as_u16(),
            title: self.status.canonical_reason().unwrap_or("Error"),
            detail: &self.hint,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.extend(*self.headers);
        let problem = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, problem);
        response
    }
}
