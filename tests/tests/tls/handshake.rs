//! Who does not speak TLS, or not to its end.

use boardcast_tests::harness::PATIENCE;
use boardcast_tests::raw::{exchange, rest};
use boardcast_tests::tls::Certificate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{serving, start};

#[tokio::test]
async fn plain_http_is_told_that_the_port_speaks_tls() {
    let (scene, ..) = start().await;
    let request = "GET / HTTP/1.1\r\nHost: boards\r\n\r\n";
    let (head, mut stream) = exchange(scene.server.address(), request).await;
    assert_eq!(head.status, 400);
    let said = rest(&mut stream).await;
    assert_eq!(
        String::from_utf8_lossy(&said),
        "this port speaks TLS; begin with https://\n"
    );
    assert_eq!(
        head.header("content-length"),
        Some(said.len().to_string().as_str())
    );
}

/// A connection that says nothing, and one that stops in the middle of the handshake, take the places
/// of others until their time is over.
#[tokio::test]
async fn a_handshake_that_does_not_end_has_a_place_and_a_time() {
    let files = tempfile::tempdir().expect("a folder");
    let certificate = Certificate::make();
    let scene = serving(&certificate, files.path(), |config| {
        config.http.connections_max = 2;
        let tls = config.tls.as_mut().expect("TLS");
        tls.handshake_within_ms = 1_000;
    })
    .await;
    let address = scene.server.address();
    let mut silent = TcpStream::connect(address).await.expect("a connection");
    let mut halted = TcpStream::connect(address).await.expect("a connection");
    // The head of a record of 512 bytes, and no more.
    let begun = [22, 3, 1, 2, 0, 1];
    halted.write_all(&begun).await.expect("it is sent");
    let refused = certificate.connect(address).await;
    assert!(refused.is_err(), "both places are taken");

    for stream in [&mut silent, &mut halted] {
        let ended = timeout(PATIENCE, stream.read(&mut [0; 64])).await;
        assert!(matches!(ended.expect("the end in time"), Ok(0) | Err(_)));
    }
    let served = certificate.connect(address).await;
    assert!(served.is_ok(), "the places are free again: {served:?}");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_handshake() {
    let files = tempfile::tempdir().expect("a folder");
    let scene = serving(&Certificate::make(), files.path(), |config| {
        config.drain.drain_ms = 3_600_000;
        let tls = config.tls.as_mut().expect("TLS");
        tls.handshake_within_ms = 3_600_000;
    })
    .await;
    let mut silent = TcpStream::connect(scene.server.address())
        .await
        .expect("a connection");
    // Connections are accepted in their order.
    let request = "GET / HTTP/1.1\r\nHost: boards\r\n\r\n";
    exchange(scene.server.address(), request).await;
    timeout(PATIENCE, scene.server.stop())
        .await
        .expect("it stops");
    assert_eq!(silent.read(&mut [0]).await.expect("the end"), 0);
}
