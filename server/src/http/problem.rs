//! Errors of HTTP: problem details (RFC 9457) that say what would be right.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::accounts::{AccountError, RETRY_AFTER_S as HASH_RETRY_S};
use crate::auth::{ApiTokenError, TicketError, TokenError};

/// When to try again where storage takes nothing, in seconds.
const STORAGE_RETRY_S: u32 = 5;

/// An error as a response: status, title and a hint for people.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    hint: String,
    headers: Box<HeaderMap>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    status: u16,
    title: &'a str,
    detail: &'a str,
}

impl Problem {
    /// A problem; the hint says what was wrong and what would be right.
    pub fn new(status: StatusCode, hint: impl Into<String>) -> Self {
        Self {
            status,
            hint: hint.into(),
            headers: Box::default(),
        }
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
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
