//! How often somebody may ask under `/api/v1`, told with every answer there.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::peer::Peer;
use super::problem::Problem;
use crate::auth::Identity;
use crate::clock;
use crate::connection::{Asker, Quota};

/// What is held to the rate.
const PREFIX: &str = "/api/v1/";
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Holds who asks to the rate of requests. Who that is stays with the request, so that it is found
/// out once.
pub(super) async fn hold(State(app): State<App>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(PREFIX) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    // Who is nobody is told so where it matters; here the address is held to the rate.
    let identity = Identity::from_request_parts(&mut parts, &app).await.ok();
    let asker = match (&identity, parts.extensions.get::<Peer>()) {
        (Some(identity), _) => Asker::User(identity.actor.user),
        (None, Some(peer)) => Asker::Source(peer.source()),
        (None, None) => return next.run(Request::from_parts(parts, body)).await,
    };
    let quota = app.services.take_request(asker, clock::now());
    let mut response = match quota.retry_after_s {
        Some(retry_after_s) => {
            let hint = format!("{} requests fit at once; come back later", quota.limit);
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, hint);
            problem.retry_after_s(retry_after_s).into_response()
        }
        None => {
            if let Some(identity) = identity {
                parts.extensions.insert(Known(identity));
            }
            next.run(Request::from_parts(parts, body)).await
        }
    };
    tell(quota, response.headers_mut());
    response
}

fn tell(quota: Quota, headers: &mut HeaderMap) {
    let Quota {
        limit,
        window_s,
        left,
        reset_s,
        ..
    } = quota;
    let policy = format!("\"requests\";q={limit};w={window_s}");
    let now = format!("\"requests\";r={left};t={reset_s}");
    for (name, value) in [(POLICY, policy), (LEFT, now)] {
        headers.extend(
            HeaderValue::from_str(&value)
                .ok()
                .map(|value| (name, value)),
        );
    }
}

/// Who asks, as [`hold`] has found out.
#[derive(Clone, Debug)]
pub(super) struct Known(pub(super) Identity);

impl FromRequestParts<App> for Known {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        app: &App,
    ) -> Result<Self, Problem> {
        match parts.extensions.remove::<Self>() {
            Some(known) => Ok(known),
            None => Identity::from_request_parts(parts, app).await.map(Self),
        }
    }
}
