//! Bodies that are larger than memory should hold.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::problem::Problem;

/// What a body is held to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Its size.
    pub max_bytes: u64,
    /// It is given up when it pauses for so long.
    pub pause: Duration,
}

/// Whether the body is announced as `wanted`.
pub(super) fn has_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case(wanted)
}

/// The length that a body is announced with.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    let announced = headers.get(header::CONTENT_LENGTH)?;
    announced.to_str().ok()?.parse().ok()
}

/// A body, piece by piece.
pub(super) struct Pieces {
    body: Body,
    bounds: Bounds,
    received: u64,
}

impl Pieces {
    /// A body that is held to `bounds`.
    ///
    /// # Errors
    /// 413: it is announced as larger.
    pub(super) fn of(headers: &HeaderMap, body: Body, bounds: Bounds) -> Result<Self, Problem> {
        if announced(headers).is_some_and(|bytes| bytes > bounds.max_bytes) {
            return Err(too_large(bounds.max_bytes));
        }
        Ok(Self {
            body,
            bounds,
            received: 0,
        })
    }

    /// Its bytes so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// The next piece; `None` behind the last one.
    ///
    /// # Errors
    /// 413: it is larger. 408: it stopped coming. 400: it broke off.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let Bounds { max_bytes, pause } = self.bounds;
        loop {
            let frame = timeout(pause, self.body.frame()).await.map_err(|_| {
                let pause_ms = pause.as_millis();
                let hint = format!("the body stopped coming for {pause_ms} ms; send it again");
                Problem::new(StatusCode::REQUEST_TIMEOUT, hint)
            })?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| {
                let hint = format!("the body broke off: {error}");
                Problem::new(StatusCode::BAD_REQUEST, hint)
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            self.received += data.len() as u64;
            if self.received > max_bytes {
                return Err(too_large(max_bytes));
            }
            return Ok(Some(data));
        }
    }
}

/// Writes a body to a file.
///
/// # Errors
/// 413: it is larger. 408: it stopped coming. 400: it broke off. 500: it cannot be written.
pub(super) async fn receive(
    headers: &HeaderMap,
    body: Body,
    bounds: Bounds,
    file: &mut File,
) -> Result<(), Problem> {
    let mut pieces = Pieces::of(headers, body, bounds)?;
    while let Some(data) = pieces.next().await? {
        file.write_all(&data)
            .await
            .map_err(|error| not_stored(&error))?;
    }
    file.flush().await.map_err(|error| not_stored(&error))
}

fn too_large(max_bytes: u64) -> Problem {
    let hint = format!("a file of at most {max_bytes} bytes is accepted");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, hint)
}

pub(super) fn not_stored(error: &std::io::Error) -> Problem {
    tracing::error!(%error, "a body could not be stored");
    let hint = "the file could not be stored";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, hint)
}
