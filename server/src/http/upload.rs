//! Bodies that are larger than memory should hold.

use std::time::Duration;

use axum::body::Body;
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

/// Writes a body to a file.
///
/// # Errors
/// 413: it is larger. 408: it stopped coming. 400: it broke off. 500: it cannot be written.
pub(super) async fn receive(
    headers: &HeaderMap,
    mut body: Body,
    Bounds { max_bytes, pause }: Bounds,
    file: &mut File,
) -> Result<(), Problem> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > max_bytes) {
        return Err(too_large(max_bytes));
    }
    let mut received = 0;
    loop {
        let frame = timeout(pause, body.frame()).await.map_err(|_| {
            let pause_ms = pause.as_millis();
            let hint = format!("the body stopped coming for {pause_ms} ms; send it again");
            Problem::new(StatusCode::REQUEST_TIMEOUT, hint)
        })?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| {
            let hint = format!("the body broke off: {error}");
            Problem::new(StatusCode::BAD_REQUEST, hint)
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        received += data.len() as u64;
        if received > max_bytes {
            return Err(too_large(max_bytes));
        }
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
