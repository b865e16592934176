//! Faults between a browser and the server.

use std::time::Duration;

use boardcast_tests::harness::TestServer;
use boardcast_tests::tls::Certificate;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::proxy::{Habits, Proxy};
use crate::{examine, wrong};

/// A server that pings each 3 s and believes proxies on this machine, or none.
async fn server(believes: bool) -> TestServer {
    TestServer::with(|config| {
        config.connections.heartbeat.ping_every_ms = 3_000;
        if believes {
            let networks = vec!["127.0.0.1".parse().expect("an address")];
            config.http.trusted_proxies = boardcast::http::peer::TrustedProxies::new(networks);
        }
    })
    .await
}

/// What is found behind a proxy, with a token.
async fn behind(server: &TestServer, habits: Habits) -> (Vec<serde_json::Value>, Option<i32>) {
    let files = TempDir::new().expect("a folder");
    let scheme = if habits.certificate.is_some() {
        "https"
    } else {
        "http"
    };
    let ca = habits.certificate.as_ref();
    let ca = ca.map(|certificate| certificate.write(files.path()).0);
    let proxy = Proxy::start(server.address(), habits).await;
    let mut args = vec![format!("{scheme}://{}", proxy.address)];
    args.extend(["--token".to_owned(), server.token("ann")]);
    if let Some(ca) = ca {
        args.extend(["--ca".to_owned(), ca.display().to_string()]);
    }
    examine(args).await
}

#[tokio::test]
async fn a_server_without_a_proxy_and_behind_right_ones_has_no_fault() {
    let server = server(true).await;
    let (found, code) = examine(vec![server.url("")]).await;
    assert_eq!((wrong(&found), code), (vec![], Some(0)), "{found:?}");
    let address = found.iter().find(|finding| finding["check"] == "address");
    assert_eq!(address.expect("it")["what"], "there is nothing in between");
    let silence = found.iter().find(|finding| finding["check"] == "silence");
    assert_eq!(silence.expect("it")["verdict"], "skipped");

    for certificate in [None, Some(Certificate::make())] {
        let habits = Habits {
            certificate,
            ..Habits::default()
        };
        let (found, code) = behind(&server, habits).await;
        assert_eq!((wrong(&found), code), (vec![], Some(0)), "{found:?}");
        assert!(
            found.iter().all(|finding| finding["verdict"] == "ok"),
            "{found:?}"
        );
    }
}

#[tokio::test]
async fn each_fault_of_a_proxy_is_named_with_what_to_change() {
    let right = Habits::default;
    let over_tls = || Habits {
        certificate: Some(Certificate::make()),
        ..right()
    };
    let (believing, other) = (server(true).await, server(false).await);
    for (server, habits, expected) in [
        (
            &believing,
            Habits {
                takes: &["upgrade", "connection"],
                ..right()
            },
            &[("upgrade", "proxy_set_header Upgrade")][..],
        ),
        (
            &believing,
            Habits {
                writes: &[("Host", "BACKEND")],
                ..right()
            },
            &[("origin", "proxy_set_header Host")],
        ),
        (&other, right(), &[("address", "--trusted-proxies")]),
        (
            &believing,
            Habits {
                says_for: false,
                takes: &["x-forwarded-for"],
                ..right()
            },
            &[("address", "$proxy_add_x_forwarded_for")],
        ),
        (
            &believing,
            Habits {
                says_for: false,
                ..right()
            },
            &[
                ("address", "$proxy_add_x_forwarded_for"),
                ("claims", "$proxy_add_x_forwarded_for"),
            ],
        ),
        (
            &believing,
            Habits {
                says_proto: false,
                ..over_tls()
            },
            &[
                ("origin", "X-Forwarded-Proto"),
                ("scheme", "X-Forwarded-Proto"),
            ],
        ),
        (
            &other,
            over_tls(),
            &[
                ("address", "--trusted-proxies"),
                ("origin", "--public-url https://"),
                ("scheme", "--trusted-proxies"),
            ],
        ),
        (
            &believing,
            Habits {
                writes: &[("Origin", "http://BACKEND"), ("Host", "BACKEND")],
                ..right()
            },
            &[("strangers", "`Origin`")],
        ),
        (
            &believing,
            Habits {
                gathers: true,
                ..right()
            },
            &[("events", "proxy_buffering off")],
        ),
        (
            &believing,
            Habits {
                cuts: Some(Duration::from_millis(1_500)),
                ..right()
            },
            &[("silence", "proxy_read_timeout 9s")],
        ),
    ] {
        let (found, code) = behind(server, habits.clone()).await;
        let named = wrong(&found);
        let is_expected = named.len() == expected.len()
            && (named.iter().zip(expected))
                .all(|((check, change), (wanted, part))| check == wanted && change.contains(part));
        assert!(is_expected, "{habits:?}: {found:#?}");
        assert_eq!(code, Some(1), "{habits:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_takes_tokens_away_is_named() {
    let server = server(true).await;
    let habits = Habits {
        takes: &["authorization"],
        ..Habits::default()
    };
    let (found, code) = behind(&server, habits).await;
    assert_eq!(code, Some(1));
    assert_eq!(wrong(&found)[0].0, "credentials", "{found:#?}");
}

#[tokio::test]
async fn what_does_not_answer_or_is_something_else_is_one_fault() {
    let server = server(true).await;
    // Nobody listens on a port that was free.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let free = listener.local_addr().expect("an address");
    drop(listener);
    for (url, part) in [
        (format!("http://{free}"), "failed to connect"),
        (server.url("/elsewhere"), "something else answers"),
        (format!("https://{}", server.address()), "TLS"),
    ] {
        let (found, code) = examine(vec![url.clone()]).await;
        assert_eq!((found.len(), code), (1, Some(1)), "{url} {found:?}");
        assert_eq!(found[0]["check"], "answers");
        let what = found[0]["what"].as_str().expect("a text");
        assert!(what.contains(part), "{url}: {what}");
    }
}

/// What answers may be anybody, and say anything.
#[tokio::test]
async fn a_terminal_obeys_no_server() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answering = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a socket");
        let body = r#"{"detail": "\u001b[2Jgone\u009b1m"}"#;
        let head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length:";
        let answer = format!("{head} {}\r\n\r\n{body}", body.len());
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(socket.read_u8().await.expect("a request"));
        }
        socket.write_all(answer.as_bytes()).await.expect("sent");
    });
    let run = move || boardcast_tests::process::run(&["doctor", &url]);
    let output = tokio::task::spawn_blocking(run).await.expect("an output");
    answering.await.expect("it was asked");
    let told = boardcast_tests::process::stdout(&output);
    assert!(told.contains("[2Jgone"), "{told}");
    assert!(
        !told
            .trim_end()
            .contains(|c: char| c.is_control() && c != '\n'),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_has_signed_is_named() {
    let files = TempDir::new().expect("a folder");
    let certificate = Certificate::make();
    let (cert, key) = certificate.write(files.path());
    let server = TestServer::with(|config| {
        config.tls = Some(boardcast::http::tls::TlsRules::new(cert.clone(), key));
    })
    .await;
    let url = format!("https://{}", server.address());
    let (found, _) = examine(vec![url.clone()]).await;
    let what = found[0]["what"].as_str().expect("a text");
    assert!(
        what.contains("no authority that is known has signed it"),
        "{what}"
    );
    let ca = cert.display().to_string();
    let (found, code) = examine(vec![url, "--ca".to_owned(), ca]).await;
    assert_eq!((wrong(&found), code), (vec![], Some(0)), "{found:?}");
}
