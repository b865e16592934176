//! The pages for browsers, compiled into the binary: the browser client of `web/app` where it was
//! built before the server was, else small pages that show a board live and sign people in.

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;

use super::App;
use super::base::Base;

/// What a browser asks for at a path.
struct File {
    path: &'static str,
    media_type: &'static str,
    body: &'static [u8],
    /// The same by `Content-Encoding`, best first; none where it is compressed when it is asked for.
    compressed: &'static [(&'static str, &'static [u8])],
}

// `CLIENT`: the files of the browser client, none where it was not built.
include!(concat!(env!("OUT_DIR"), "/client.rs"));

/// The document of the browser client, which answers all of [`CLIENT_PAGES`].
const CLIENT_DOCUMENT: &str = "/index.html";

/// The paths that the browser client knows: those of `web/app/src/route.ts`.
const CLIENT_PAGES: [&str; 9] = [
    "/",
    "/admin",
    "/admin/{part}",
    "/first-start",
    "/me",
    "/password",
    "/sign-in",
    "/b/{board}",
    "/b/{board}/c/{card}",
];

/// Files below it are named after what they hold: a change has another name.
const NAMED_AFTER_CONTENT: &str = "/assets/";

static SMALL_ACCOUNT: &[u8] = include_bytes!("../../assets/account.html");

static SMALL: &[File] = &[
    File::html("/", include_bytes!("../../assets/index.html")),
    File::html("/first-start", SMALL_ACCOUNT),
    File::html("/password", SMALL_ACCOUNT),
    File::html("/sign-in", SMALL_ACCOUNT),
    File::script("/account.js", include_bytes!("../../assets/account.js")),
    File::script("/app.js", include_bytes!("../../assets/app.js")),
    File {
        path: "/style.css",
        media_type: "text/css; charset=utf-8",
        body: include_bytes!("../../assets/style.css"),
        compressed: &[],
    },
    File {
        path: "/icon.svg",
        media_type: "image/svg+xml",
        body: include_bytes!("../../assets/icon.svg"),
        compressed: &[],
    },
];

/// Whether this binary holds the browser client; otherwise it serves small pages.
pub fn has_browser_client() -> bool {
    CLIENT.iter().any(|file| file.path == CLIENT_DOCUMENT)
}

/// Documents name what they need, and where the server is found, below `base`.
pub(super) fn routes(base: &Base) -> Router<App> {
    if !has_browser_client() {
        return (SMALL.iter()).fold(Router::new(), |router, file| {
            router.route(file.path, file.serve(base))
        });
    }
    (CLIENT.iter()).fold(Router::new(), |router, file| {
        if file.path == CLIENT_DOCUMENT {
            (CLIENT_PAGES.iter()).fold(router, |router, page| router.route(page, file.serve(base)))
        } else {
            router.route(file.path, file.serve(base))
        }
    })
}

impl File {
    const fn html(path: &'static str, body: &'static [u8]) -> Self {
        Self {
            path,
            media_type: "text/html; charset=utf-8",
            body,
            compressed: &[],
        }
    }

    const fn script(path: &'static str, body: &'static [u8]) -> Self {
        Self {
            path,
            media_type: "text/javascript; charset=utf-8",
            body,
            compressed: &[],
        }
    }

    /// Asked for anew each time, so that a page and a server of different versions do not meet,
    /// unless its name says what it holds.
    fn serve(&'static self, base: &Base) -> MethodRouter<App> {
        let kept = if self.path.starts_with(NAMED_AFTER_CONTENT) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let headers = [
            (header::CONTENT_TYPE, self.media_type),
            (header::CACHE_CONTROL, kept),
        ];
        let body = match self.media_type.starts_with("text/html") {
            true => base.place(self.body),
            false => Bytes::from_static(self.body),
        };
        get(move |asked: HeaderMap| async move {
            match self.encoded(&asked) {
                Some(encoded) => (headers, encoded).into_response(),
                None => (headers, body).into_response(),
            }
        })
    }

    /// What was compressed before, in the best coding that is taken.
    fn encoded(&self, asked: &HeaderMap) -> Option<Response> {
        let (coding, body) = (self.compressed.iter()).find(|(coding, _)| takes(asked, coding))?;
        let headers = [
            (header::CONTENT_ENCODING, *coding),
            (header::VARY, "accept-encoding"),
        ];
        Some((headers, Bytes::from_static(body)).into_response())
    }
}

/// Whether `Accept-Encoding` names a coding and does not refuse it.
fn takes(asked: &HeaderMap, coding: &str) -> bool {
    (asked.get_all(header::ACCEPT_ENCODING).iter())
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            let weight = weight.trim().trim_start_matches("q=").trim();
            name.trim().eq_ignore_ascii_case(coding)
                && !weight.parse().is_ok_and(|weight: f32| weight <= 0.0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in quotes after `attribute`.
    fn named(text: &'static str, attribute: &str) -> impl Iterator<Item = &'static str> {
        let after = text.split(attribute).skip(1);
        after.filter_map(|rest| rest.split('"').next())
    }

    /// What documents among the files name that is not among them.
    fn missing(files: &'static [File], documents: usize) -> Vec<&'static str> {
        let mut found = 0;
        let mut missing = Vec::new();
        for file in files {
            if !file.media_type.starts_with("text/html") {
                continue;
            }
            found += 1;
            let text = std::str::from_utf8(file.body).unwrap();
            let all = named(text, " src=\"").chain(named(text, " href=\""));
            missing.extend(all.filter(|path| !files.iter().any(|file| file.path == *path)));
        }
        assert_eq!(found, documents);
        missing
    }

    /// Or it could not be told whether a proxy has taken the path below which the server is away.
    #[test]
    fn a_server_is_not_found_below_a_path_of_its_pages() {
        let files = SMALL.iter().chain(CLIENT).map(|file| file.path);
        let paths: Vec<_> = files.chain(CLIENT_PAGES).collect();
        assert!(paths.contains(&"/admin") && paths.contains(&"/style.css"));
        for path in paths.into_iter().filter(|path| *path != "/") {
            let first = path.split('/').nth(1).unwrap();
            assert!(Base::parse(&format!("/{first}")).is_err(), "{path}");
        }
    }

    #[test]
    fn a_coding_is_taken_unless_it_is_not_named_or_refused() {
        let cases = [
            ("br", true),
            ("gzip, deflate, br, zstd", true),
            ("gzip;q=0.5, BR ;q=0.1", true),
            ("gzip, br; q=0", false),
            ("br;q=0.000", false),
            ("gzip", false),
            ("", false),
        ];
        for (value, taken) in cases {
            let asked = [(header::ACCEPT_ENCODING, value.parse().unwrap())];
            let asked = HeaderMap::from_iter(asked);
            assert_eq!(takes(&asked, "br"), taken, "{value}");
        }
    }

    #[test]
    fn what_was_compressed_before_is_smaller() {
        let named = (CLIENT.iter()).filter(|file| file.path.starts_with(NAMED_AFTER_CONTENT));
        for file in named.filter(|file| file.body.len() > 1_024) {
            let codings: Vec<_> = file.compressed.iter().map(|(coding, _)| *coding).collect();
            assert_eq!(codings, ["br", "gzip"], "{}", file.path);
            for (_, body) in file.compressed {
                assert!(body.len() < file.body.len(), "{}", file.path);
            }
        }
    }

    #[test]
    fn what_a_document_names_is_served() {
        assert_eq!(missing(SMALL, 4), Vec::<&str>::new());
        let documents = usize::from(has_browser_client());
        assert_eq!(missing(CLIENT, documents), Vec::<&str>::new());
    }
}
