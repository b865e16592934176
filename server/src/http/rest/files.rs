//! The bytes of attachments, and their thumbnails.
//!
//! Nothing that somebody has sent runs as a page of this server: what is no image of a known kind is
//! bytes to be saved, no type is guessed, and whatever opens it stands in a sandbox.

use std::io;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};

use boardcast_protocol::ids::{AttachmentId, BoardId};

use super::extract::{Ids, IfNoneMatch};
use super::range::Ranged;
use super::room::look;
use super::write::not_read;
use crate::auth::Identity;
use crate::files::{FileBytes, FileKind};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::quota::Known;
use crate::storage::AttachedFile;

/// What a file may do where a browser shows it: nothing.
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Whoever has it asks again, so that rights count on each use.
const CACHED: HeaderValue = HeaderValue::from_static("private, no-cache");

/// A file, or a part of it.
pub(super) async fn read(
    State(app): State<App>,
    Known(identity): Known,
    Ids((board, attachment)): Ids<(BoardId, AttachmentId)>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (file, name) = find(&app, &identity, board, attachment).await?;
    let tag = format!("\"{}\"", file.hash);
    let kind = FileKind::of_mime(&file.mime);
    let told = told(kind, &tag, &disposition(kind, &name));
    if known.has(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, told).into_response());
    }
    app.attachments.sound(file.hash).await?;
    let accepts = [(header::ACCEPT_RANGES, "bytes")];
    let range = match Ranged::of(&headers, &tag, file.bytes) {
        Ranged::Whole => None,
        Ranged::Part(range) => Some(range),
        Ranged::Nothing => {
            let size = [(header::CONTENT_RANGE, format!("bytes */{}", file.bytes))];
            let hint = format!("the file has {} bytes; `Range` is behind them", file.bytes);
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, hint);
            return Ok((size, problem).into_response());
        }
    };
    let bytes = app.attachments.files().read(file.hash, range.clone()).await;
    let body = streamed(bytes.map_err(crate::attachments::AttachmentError::from)?);
    Ok(match range {
        None => {
            let length = [(header::CONTENT_LENGTH, file.bytes.to_string())];
            (told, accepts, length, body).into_response()
        }
        Some(range) => {
            let (first, last) = (range.start, range.end - 1);
            let part = [
                (header::CONTENT_LENGTH, (range.end - first).to_string()),
                (
                    header::CONTENT_RANGE,
                    format!("bytes {first}-{last}/{}", file.bytes),
                ),
            ];
            (StatusCode::PARTIAL_CONTENT, told, accepts, part, body).into_response()
        }
    })
}

/// The thumbnail of an image.
pub(super) async fn thumbnail(
    State(app): State<App>,
    Known(identity): Known,
    Ids((board, attachment)): Ids<(BoardId, AttachmentId)>,
    known: IfNoneMatch,
) -> Result<Response, Problem> {
    let (file, _) = find(&app, &identity, board, attachment).await?;
    let tag = format!("\"{}.thumbnail\"", file.hash);
    if known.has(&tag) {
        let told = told(FileKind::Other, &tag, "inline");
        return Ok((StatusCode::NOT_MODIFIED, told).into_response());
    }
    let thumbnail = app.attachments.thumbnail(&file).await?;
    let told = told(thumbnail.kind, &tag, "inline");
    Ok((told, thumbnail.image).into_response())
}

/// The file of an attachment that is on the board, and its name.
async fn find(
    app: &App,
    identity: &Identity,
    board: BoardId,
    attachment: AttachmentId,
) -> Result<(AttachedFile, String), Problem> {
    let file = app.attachments.find(board, attachment).await;
    let file = file.map_err(|error| not_read(&error))?;
    let card = file.as_ref().map(|file| file.card);
    let name = look(app, identity.on(board), board, move |(board, _)| {
        let card = board.view().cards.get(&card?)?;
        Some(card.attachments.get(&attachment)?.name.clone())
    });
    let (Some(name), Some(file)) = (name.await?, file) else {
        let hint = "there is no such file on this board; an attachment that is a link says with \
                    `url` where it is";
        return Err(Problem::new(StatusCode::NOT_FOUND, hint));
    };
    Ok((file, name))
}

fn told(kind: FileKind, tag: &str, disposition: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let texts = [
        (header::ETAG, tag),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    for (name, text) in texts {
        headers.extend(HeaderValue::from_str(text).ok().map(|text| (name, text)));
    }
    let mime = HeaderValue::from_static(kind.mime());
    headers.insert(header::CONTENT_TYPE, mime);
    headers.insert(header::CACHE_CONTROL, CACHED);
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(RESOURCE_POLICY, SAME_ORIGIN);
    headers
}

/// How a browser is to take a file, with its name in ASCII and in full (RFC 6266, RFC 8187).
fn disposition(kind: FileKind, name: &str) -> String {
    let how = match kind.is_image() {
        true => "inline",
        false => "attachment",
    };
    let is_plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%');
    let plain: String = (name.chars())
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    let mut full = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                full.push(char::from(byte));
            }
            _ => full.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{full}")
}

/// Where it ends early, the announced length tells the client that it was cut off.
fn streamed(bytes: FileBytes) -> Body {
    let told = stream::unfold(Some(bytes), async |bytes| {
        let mut bytes = bytes?;
        match bytes.next().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(bytes))),
            Ok(None) => None,
            Err(error) => Some((Err(io::Error::other(error)), None)),
        }
    });
    Body::from_stream(told.fuse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_in_ascii_and_in_full() {
        for (kind, name, told) in [
            (
                FileKind::Png,
                "plan.png",
                "inline; filename=\"plan.png\"; filename*=UTF-8''plan.png",
            ),
            (
                FileKind::Other,
                "Ü \"1%\".svg",
                "attachment; filename=\"_ _1__.svg\"; filename*=UTF-8''%C3%9C%20%221%25%22.svg",
            ),
            (
                FileKind::Other,
                "a\r\nb: c",
                "attachment; filename=\"a__b: c\"; filename*=UTF-8''a%0D%0Ab%3A%20c",
            ),
        ] {
            assert_eq!(disposition(kind, name), told);
            assert!(HeaderValue::from_str(told).is_ok());
        }
    }
}
