//! The path below which a server is found, where a proxy serves other things on the same host.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::{Next, from_fn};
use bytes::Bytes;

/// Largest path.
const MAX_BYTES: usize = 256;

/// What the paths of the server itself begin with: a path below which it is found begins with none of
/// them, or it could not be told whether a proxy has taken it away.
const OWN: [&str; 18] = [
    "account.js",
    "admin",
    "api",
    "app.js",
    "assets",
    "b",
    "first-start",
    "healthz",
    "icon.svg",
    "index.html",
    "me",
    "metrics",
    "password",
    "readyz",
    "sign-in",
    "style.css",
    "worker.js",
    "ws",
];

/// The path below which the server is found: empty, or such as `/boards`, without a slash at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base(Option<Arc<str>>);

/// A text that is not a path below which a server can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "segments of A-Z a-z 0-9 - _ . ~, at most 256 bytes, the first of which is not a path of the \
     server's own such as `api`"
)]
pub struct InvalidBase;

impl Base {
    /// The path as it is written: empty, or with a slash at its beginning and perhaps at its end.
    ///
    /// # Errors
    /// It has segments that are empty, are none, or hold other characters, or is one of the server's
    /// own.
    pub fn parse(path: &str) -> Result<Self, InvalidBase> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Ok(Self(None));
        }
        let segments = path.strip_prefix('/').ok_or(InvalidBase)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let is_segment =
            |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
        let first = segments.split('/').next().unwrap_or_default();
        if path.len() > MAX_BYTES || OWN.contains(&first) || !segments.split('/').all(is_segment) {
            return Err(InvalidBase);
        }
        Ok(Self(Some(path.into())))
    }

    /// The path of an address such as `https://boards.example/boards`; none where it is wrong.
    pub fn of_url(url: &str) -> Self {
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = authority.find('/').map_or("", |at| &authority[at..]);
        Self::parse(path).unwrap_or_default()
    }

    /// The path, without a slash at its end.
    pub(super) fn path(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// A document in which all that begins at the root of the host begins at this path.
    pub(super) fn place(&self, document: &'static [u8]) -> Bytes {
        match (&self.0, std::str::from_utf8(document)) {
            (Some(base), Ok(text)) => text.replace("=\"/", &format!("=\"{base}/")).into(),
            (None, _) | (_, Err(_)) => Bytes::from_static(document),
        }
    }

    /// A router that is found below this path, and without it: some proxies take it away.
    pub(super) fn over(&self, router: Router) -> Router {
        if self.0.is_none() {
            return router;
        }
        let base = self.clone();
        let found = move |mut request: Request, next: Next| {
            let base = base.clone();
            async move {
                if let Some(own) = base.strip(request.uri()) {
                    *request.uri_mut() = own;
                }
                let mut response = next.run(request).await;
                base.lead_below(response.headers_mut());
                response
            }
        };
        Router::new().fallback_service(router).layer(from_fn(found))
    }

    /// The address without this path, where it has it.
    fn strip(&self, uri: &Uri) -> Option<Uri> {
        let base = self.0.as_deref()?;
        let rest = uri.path_and_query()?.as_str().strip_prefix(base)?;
        let rest = match rest.bytes().next() {
            Some(b'/') => Cow::Borrowed(rest),
            None | Some(b'?') => Cow::Owned(format!("/{rest}")),
            Some(_) => return None,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(rest.as_ref()).ok()?);
        Uri::from_parts(parts).ok()
    }

    /// `Location` names a path of the server.
    fn lead_below(&self, headers: &mut HeaderMap) {
        let Some(Ok(place)) = headers.get(header::LOCATION).map(HeaderValue::to_str) else {
            return;
        };
        let place = HeaderValue::from_str(&format!("{}{place}", self.path()));
        if let Ok(place) = place {
            headers.insert(header::LOCATION, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_plain_segments_and_is_none_of_the_servers_own() {
        for (path, base) in [
            ("", ""),
            ("/", ""),
            ("/boards", "/boards"),
            ("/boards/", "/boards"),
            ("/team/boards-2_b.c~d/", "/team/boards-2_b.c~d"),
            ("/apiary", "/apiary"),
        ] {
            assert_eq!(Base::parse(path).unwrap().path(), base, "{path}");
        }
        let long = format!("/{}", "x".repeat(256));
        for path in [
            "boards",
            "//",
            "/a//b",
            "/./a",
            "/a/..",
            "/a b",
            "/a%20b",
            "/a\"b",
            "/a<b",
            "/a?b",
            "/a#b",
            "/ä",
            "/api",
            "/admin/x",
            "/ws/",
            "/b/boards",
            "/assets/x",
            "/admin",
            "/worker.js/x",
            &long,
        ] {
            assert_eq!(Base::parse(path), Err(InvalidBase), "{path}");
        }
    }

    #[test]
    fn the_path_of_an_address_is_what_follows_its_host() {
        for (url, base) in [
            ("https://boards.example", ""),
            ("https://boards.example:8443", ""),
            ("https://boards.example/team/boards", "/team/boards"),
            ("http://[::1]:8080/boards", "/boards"),
        ] {
            assert_eq!(Base::of_url(url).path(), base, "{url}");
        }
    }

    #[test]
    fn addresses_lose_the_path_where_they_have_it() {
        let base = Base::parse("/boards").unwrap();
        for (uri, own) in [
            ("/boards", Some("/")),
            ("/boards?a=b", Some("/?a=b")),
            ("/boards/", Some("/")),
            (
                "/boards/api/v1/boards?limit=2",
                Some("/api/v1/boards?limit=2"),
            ),
            ("/boards/boards/", Some("/boards/")),
            ("http://host/boards/ws", Some("http://host/ws")),
            ("/api/v1/boards", None),
            ("/boardsx/", None),
            ("/Boards/", None),
            ("/", None),
        ] {
            let own = own.map(|own: &str| own.parse().unwrap());
            assert_eq!(base.strip(&uri.parse().unwrap()), own, "{uri}");
        }
    }

    #[test]
    fn what_a_document_names_by_path_is_below_it() {
        let document = br#"<meta name="boardcast-base" content="/"><a href="/me" title="a/b">"#;
        let placed = Base::parse("/team/x").unwrap().place(document);
        let expected =
            r#"<meta name="boardcast-base" content="/team/x/"><a href="/team/x/me" title="a/b">"#;
        assert_eq!(placed, expected.as_bytes());
        assert_eq!(Base::default().place(document), &document[..]);
    }
}
