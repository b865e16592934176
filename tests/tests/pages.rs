//! The pages for browsers: the browser client where it was built before the server, small pages
//! where it was not.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use boardcast::http::has_browser_client;
use boardcast_tests::harness::TestServer;
use boardcast_tests::process::Serving;
use boardcast_tests::raw::{Head, exchange, rest};
use flate2::read::GzDecoder;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What a test needs that another build of the server has.
fn skipped(test: &str, needs: &str) {
    // Not `eprintln!`, which the test harness captures.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: it needs {needs}");
}

fn dist() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/app/dist")
}

/// Asks in HTTP/1.0, in which no body comes in chunks.
async fn asked(server: &TestServer, method: &str, path: &str, coding: &str) -> (Head, Vec<u8>) {
    let address = server.address();
    let request =
        format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nAccept-Encoding: {coding}\r\n\r\n");
    let (head, mut stream) = exchange(address, &request).await;
    (head, rest(&mut stream).await)
}

async fn get(server: &TestServer, path: &str) -> (Head, Vec<u8>) {
    asked(server, "GET", path, "identity").await
}

/// The files of the built client and the paths at which they are served.
fn files(folder: &Path, at: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let files = entries.flat_map(|entry| {
        let entry = entry.expect("an entry");
        let path = format!("{at}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files(&entry.path(), &path)
        } else {
            vec![(path, fs::read(entry.path()).expect("a file"))]
        }
    });
    files.collect()
}

#[tokio::test]
async fn all_pages_of_the_browser_client_are_its_document() {
    if !has_browser_client() {
        return skipped("all_pages_of_the_browser_client", "make client");
    }
    let server = TestServer::start().await;
    let document = fs::read(dist().join("index.html")).expect("the document");
    for path in [
        "/",
        "/admin",
        "/admin/audit",
        "/first-start",
        "/me",
        "/password",
        "/sign-in",
        "/b/x",
        "/b/x/c/y",
        "/b/x?from=mail",
    ] {
        let (head, body) = get(&server, path).await;
        assert_eq!(head.status, 200, "{path}");
        assert_eq!(
            head.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(head.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(head.header("content-security-policy"), Some(POLICY));
        assert!(body == document, "{path}");
    }
    for path in ["/b", "/b/x/c", "/b/x/c/y/z", "/index.html", "/app.js"] {
        let (head, _) = get(&server, path).await;
        assert_eq!(head.status, 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn files_of_the_browser_client_are_served_as_they_are_built() {
    if !has_browser_client() {
        return skipped("files_of_the_browser_client", "make client");
    }
    let server = TestServer::start().await;
    let mut compressed = 0;
    for (path, built) in files(&dist(), "") {
        if path == "/index.html" {
            continue;
        }
        let (head, body) = get(&server, &path).await;
        if [".map", ".br", ".gz"].iter().any(|end| path.ends_with(end)) {
            assert_eq!(head.status, 404, "{path}");
            continue;
        }
        assert_eq!(head.status, 200, "{path}");
        assert!(body == built, "{path}");
        let (_, extension) = path.rsplit_once('.').expect("an extension");
        let media_type = match extension {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "json" => "application/json",
            "svg" => "image/svg+xml",
            _ => panic!("no media type of {path} is known here"),
        };
        assert_eq!(head.header("content-type"), Some(media_type), "{path}");
        let kept = if path.starts_with("/assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        assert_eq!(head.header("cache-control"), Some(kept), "{path}");
        if built.len() < 2_048 {
            continue;
        }
        compressed += 1;
        let (head, body) = asked(&server, "GET", &path, "gzip").await;
        assert_eq!(head.header("content-encoding"), Some("gzip"), "{path}");
        assert!(body.len() * 3 < built.len() * 2, "{path}: {}", body.len());
        let mut unpacked = Vec::new();
        let read = GzDecoder::new(body.as_slice()).read_to_end(&mut unpacked);
        read.expect("gzip");
        assert!(unpacked == built, "{path}");
        assert_eq!(head.header("vary"), Some("accept-encoding"), "{path}");
        for (taken, coding, end) in [("gzip, br", "br", "br"), ("gzip, br;q=0", "gzip", "gz")] {
            let (head, body) = asked(&server, "GET", &path, taken).await;
            assert_eq!(head.header("content-encoding"), Some(coding), "{path}");
            let beside = fs::read(dist().join(format!("{}.{end}", &path[1..])));
            assert!(body == beside.expect("what is sent"), "{path}");
        }
    }
    assert!(compressed >= 2, "a script and a style sheet at least");
    server.stop().await;
}

#[tokio::test]
async fn without_the_browser_client_small_pages_show_boards() {
    if has_browser_client() {
        return skipped(
            "without_the_browser_client",
            "a server without web/app/dist",
        );
    }
    let server = TestServer::start().await;
    let (head, body) = get(&server, "/").await;
    assert_eq!(head.status, 200);
    assert!(String::from_utf8_lossy(&body).contains("src=\"/app.js\""));
    for path in ["/app.js", "/account.js", "/style.css", "/icon.svg"] {
        let (head, _) = get(&server, path).await;
        assert_eq!(head.status, 200, "{path}");
        assert_eq!(head.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(head.header("content-security-policy"), Some(POLICY));
    }
    assert_eq!(get(&server, "/b/x").await.0.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_page_is_not_found_and_not_kept() {
    let server = TestServer::start().await;
    let long = format!("/assets/{}", "x".repeat(5 * 1_024));
    for path in [
        "/assets/index.js",
        "/assets/",
        "/assets/../etc/passwd",
        "/../../../../etc/passwd",
        "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/..%5c..%5cboardcast.db",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/assets/x%00.js",
        "/assets/boardcast.db",
        "/secret.key",
        &long,
        "/x",
    ] {
        let (head, _) = get(&server, path).await;
        assert_eq!(head.status, 404, "{path}");
        assert_eq!(
            head.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(head.header("cache-control"), Some("no-store"), "{path}");
    }
    let (head, body) = asked(&server, "HEAD", "/", "identity").await;
    assert_eq!((head.status, body.len()), (200, 0));
    let (head, _) = asked(&server, "DELETE", "/", "identity").await;
    assert_eq!(head.status, 405);
    server.stop().await;
}

#[tokio::test]
async fn a_server_without_the_browser_client_says_so_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let serving = Serving::start(dir.path());
    let says = |line: &&String| line.contains("small pages are served");
    let said = serving.said().iter().filter(says).count();
    assert_eq!(said, usize::from(!has_browser_client()));
    assert_eq!(serving.terminate(), Some(0));
}
