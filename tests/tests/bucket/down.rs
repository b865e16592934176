//! Stores that are down, or say nothing.

use std::time::Duration;

use boardcast_tests::harness::{PATIENCE, TestServer};
use boardcast_tests::scene::Scene;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Stage, Store, noise};

#[tokio::test]
async fn while_the_store_is_down_files_are_503_boards_go_on_and_all_is_well_behind_it() {
    let stage = Stage::new().await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    stage.store.stop().await;
    for answer in [
        stage.get(&file).await,
        stage.attach("c1", "b.bin", b"small").await,
        stage.attach("c1", "b.bin", &noise(Store::MUCH_BYTES)).await,
    ] {
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (503, "unavailable")
        );
        assert!(
            answer.hint().contains("does not answer; try again"),
            "{}",
            answer.hint()
        );
        assert!(answer.retry_after().is_some());
    }
    let one = &stage.card("c1").await["attachments"];
    assert_eq!(one.as_array().map(Vec::len), Some(1));
    stage.store.start().await;
    assert_eq!(stage.get(&file).await.body(), b"bytes");
    stage.attached("c1", "b.bin", b"small").await;
    assert_eq!((stage.files().len(), stage.incoming()), (2, 0));
    let totals = stage.scene.server.server().attachments().totals().await;
    assert_eq!(totals.expect("the totals").files, 2);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_store_that_goes_down_during_an_upload_leaves_nothing_behind_the_next_start() {
    let stage = Stage::new().await;
    let bytes = noise(12_000_000);
    let mut socket = TcpStream::connect(stage.scene.server.address())
        .await
        .expect("a connection");
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        stage.place("c1", "a.bin"),
        stage.scene.server.address(),
        stage.ann,
        bytes.len()
    );
    socket.write_all(head.as_bytes()).await.expect("a head");
    socket.write_all(&bytes[..6_000_000]).await.expect("bytes");
    let begun = async {
        while !stage
            .store
            .asked()
            .iter()
            .any(|(_, path, _)| path.contains("partNumber=1"))
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, begun).await.expect("a first part");
    stage.store.stop().await;
    // It may have said so before all is sent.
    let _ = socket.write_all(&bytes[6_000_000..]).await;
    let said = boardcast_tests::raw::rest(&mut socket).await;
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
    assert_ne!(stage.incoming(), 0, "the store could not be told");
    stage.store.start().await;
    let stage = stage.restart().await;
    assert_eq!((stage.files().len(), stage.incoming()), (0, 0));
    assert_eq!(
        stage.card("c1").await["attachments"],
        serde_json::Value::Null
    );
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn an_upload_that_its_sender_gives_up_is_ended_in_the_store_at_once() {
    let stage = Stage::with(|config| config.http.body_pause_ms = 100).await;
    let mut socket = TcpStream::connect(stage.scene.server.address())
        .await
        .expect("a connection");
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-length: 12000000\r\n\r\n",
        stage.place("c1", "a.bin"),
        stage.scene.server.address(),
        stage.ann,
    );
    socket.write_all(head.as_bytes()).await.expect("a head");
    socket.write_all(&noise(6_000_000)).await.expect("bytes");
    let said = boardcast_tests::raw::rest(&mut socket).await;
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    let ended = async {
        while stage.incoming() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, ended).await.expect("nothing is left");
    let asked = stage.store.asked();
    let count = |method: &str, part: &str| {
        let fits = |asked: &&(String, String, u64)| asked.0 == method && asked.1.contains(part);
        asked.iter().filter(fits).count()
    };
    assert_eq!(
        (count("PUT", "partNumber="), count("DELETE", "uploadId=")),
        (1, 1)
    );
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_store_that_goes_down_during_a_download_cuts_it_off() {
    let stage = Stage::new().await;
    let bytes = noise(24_000_000);
    let file = stage.attached("c1", "a.bin", &bytes).await;
    assert!(stage.get(&file).await.body() == bytes);
    let mut socket = TcpStream::connect(stage.scene.server.address())
        .await
        .expect("a connection");
    let head = format!(
        "GET {file} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        stage.scene.server.address(),
        stage.ann,
    );
    socket.write_all(head.as_bytes()).await.expect("a request");
    let mut first = vec![0; 100_000];
    let read = timeout(PATIENCE, socket.read_exact(&mut first)).await;
    read.expect("in time").expect("some bytes");
    assert!(first.starts_with(b"HTTP/1.1 200 "));
    stage.store.stop().await;
    let rest = boardcast_tests::raw::rest(&mut socket).await;
    let got = first.len() + rest.len();
    assert!(got < bytes.len(), "cut off: {got}");
    stage.store.start().await;
    assert!(stage.get(&file).await.body() == bytes);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_store_that_says_nothing_is_given_up_after_few_requests() {
    let store = Store::new().await;
    let mut rules = store.rules();
    rules.timeout = Duration::from_millis(200);
    let stage = Stage::in_store(store, move |config| {
        config.files = boardcast::files::FilesPlace::Bucket(rules);
    });
    let stage = stage.await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    stage.store.asked();
    stage.store.set_silent(true);
    let got = stage.get(&file).await;
    assert_eq!((got.status, got.problem().as_str()), (503, "unavailable"));
    let asked = stage.store.asked();
    assert!((1..=4).contains(&asked.len()), "{asked:?}");
    stage.store.set_silent(false);
    assert_eq!(stage.get(&file).await.body(), b"bytes");
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_server_starts_while_its_store_is_down_but_not_for_the_first_time() {
    let store = Store::new().await;
    store.stop().await;
    let said = super::refusals::refused(store.rules()).await;
    assert!(said.contains("check `s3_endpoint`"), "{said}");
    store.start().await;
    let stage = Stage::in_store(store, |_| {}).await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    let Stage {
        scene,
        store,
        board,
        ..
    } = stage;
    let data = scene.server.stop().await;
    store.stop().await;
    let server = TestServer::over_with(data, |config| store.configure(config)).await;
    let ann = server.token("ann");
    let scene = Scene { server };
    let stage = Stage {
        scene,
        ann,
        board,
        store,
    };
    assert_eq!(stage.card("c1").await["title"], "One");
    assert_eq!(stage.get(&file).await.status, 503);
    stage.store.start().await;
    assert_eq!(stage.get(&file).await.body(), b"bytes");
    stage.scene.server.stop().await;
}
