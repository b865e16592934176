//! The files of the certificate: what they must hold, and what happens when they change.

use std::fs;
use std::net::SocketAddr;

use boardcast::config::Config;
use boardcast::http::tls::TlsRules;
use boardcast::reload::Reload;
use boardcast::{ServeError, Server};
use boardcast_tests::client::{TestClient, request_as};
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::process::{Serving, run, stderr};
use boardcast_tests::tls::Certificate;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::{serving, start};

/// Waits until the server shows this certificate.
async fn shown(certificate: &Certificate, address: SocketAddr) {
    let waiting = async {
        while certificate.connect(address).await.is_err() {
            sleep(PATIENCE / 1_000).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("the certificate");
}

#[tokio::test]
async fn files_that_change_are_in_force_and_connections_go_on() {
    let (scene, old, files) = start().await;
    let address = scene.server.address();
    let opening = request_as(address, Some(&scene.server.token("ann")));
    let stream = old.connect(address).await.expect("TLS");
    let opened = TestClient::open_over(stream, opening).await;
    let mut ann = opened.expect("a WebSocket");
    ann.hello(None).await;

    let new = Certificate::make();
    new.write(files.path());
    shown(&new, address).await;
    assert!(old.connect(address).await.is_err(), "it is no longer shown");
    ann.create_board("Plans").await;
}

#[tokio::test]
async fn files_that_are_faulty_leave_the_certificate_in_force_until_they_are_right() {
    let (scene, old, files) = start().await;
    let address = scene.server.address();
    let (other, new) = (Certificate::make(), Certificate::make());
    let (cert, key) = old.write(files.path());
    for faulty in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n", &other.pem] {
        fs::write(&cert, faulty).expect("a file");
        // As long as the files are looked at many times.
        for _ in 0..20 {
            sleep(PATIENCE / 1_000).await;
            let served = old.connect(address).await;
            assert!(served.is_ok(), "{faulty}: {served:?}");
        }
    }
    fs::remove_file(&key).expect("it is removed");
    sleep(PATIENCE / 100).await;
    assert!(old.connect(address).await.is_ok());
    new.write(files.path());
    shown(&new, address).await;
}

#[tokio::test]
async fn a_server_does_not_start_with_files_that_cannot_be_used() {
    let files = tempfile::tempdir().expect("a folder");
    let (one, other) = (Certificate::make(), Certificate::make());
    let (cert, key) = one.write(files.path());
    let place = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    let large = "x".repeat(1_100_000);
    for (cert, key, expected) in [
        (
            cert.clone(),
            place("other", &other.key_pem),
            "cannot be used with the key",
        ),
        (place("empty", ""), key.clone(), "has no certificate in PEM"),
        (key.clone(), key.clone(), "has no certificate in PEM"),
        (cert.clone(), cert.clone(), "has no private key in PEM"),
        (files.path().join("none"), key.clone(), "failed to read"),
        (place("large", &large), key.clone(), "larger than 1 MiB"),
    ] {
        let data = tempfile::tempdir().expect("a folder");
        let mut config = Config::in_dir(data.path());
        config.tls = Some(TlsRules::new(cert.clone(), key));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let refused = Server::start(config, listener).await;
        let error = refused.expect_err("it does not start");
        assert!(matches!(error, ServeError::Tls(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn files_that_are_looked_at_seldom_are_read_when_the_server_is_asked_to() {
    let files = tempfile::tempdir().expect("a folder");
    let (old, new) = (Certificate::make(), Certificate::make());
    let reload = Reload::default();
    let scene = serving(&old, files.path(), |config| {
        config.tls.as_mut().expect("TLS").look_every_ms = 3_600_000;
        config.reload = reload.clone();
    })
    .await;
    new.write(files.path());
    assert!(old.connect(scene.server.address()).await.is_ok());
    reload.ask();
    shown(&new, scene.server.address()).await;
}

#[tokio::test]
async fn a_hangup_asks_it_to_and_the_link_of_the_first_start_is_https() {
    let files = tempfile::tempdir().expect("a folder");
    let data = tempfile::tempdir().expect("a folder");
    let (old, new) = (Certificate::make(), Certificate::make());
    let (cert, key) = old.write(files.path());
    let flags = [
        "--tls-cert",
        cert.to_str().expect("a path"),
        "--tls-key",
        key.to_str().expect("a path"),
    ];
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let serving = Serving::start_with(data.path(), any, &flags);
    let said = serving.said();
    let link = format!("https://{}/first-start#link=", serving.address());
    assert!(said.iter().any(|line| line.contains(&link)), "{said:?}");
    assert!(old.connect(serving.address()).await.is_ok());
    new.write(files.path());
    serving.ask_to_reload();
    shown(&new, serving.address()).await;
    assert_eq!(serving.terminate(), Some(0));
}

#[test]
fn a_certificate_without_a_key_is_wrong_usage() {
    let output = run(&["serve", "--tls-cert", "cert.pem"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`tls_cert` needs `tls_key` as well"));
}
