//! How large files are, and how many there may be.

use super::{Stage, board, noise};
use std::time::Duration;

use boardcast_tests::harness::PATIENCE;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// Waits until what was received of files that were given up is gone.
async fn nothing_incoming(stage: &Stage) {
    let gone = async {
        while stage.incoming() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let gone = tokio::time::timeout(PATIENCE, gone).await;
    gone.expect("nothing is left");
}

#[tokio::test]
async fn a_file_above_the_limit_is_413_announced_or_not_and_leaves_nothing() {
    let stage = Stage::with(|config| config.attachments.max_bytes = 100_000).await;
    let over = noise(100_001);
    let told = stage.attach("c1", "a.bin", &over).await;
    assert_eq!((told.status, told.problem().as_str()), (413, "too-large"));

    let address = stage.scene.server.address();
    let mut request = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         transfer-encoding: chunked\r\n\r\n",
        stage.place("c1", "a.bin"),
        stage.ann
    );
    for _ in 0..101 {
        request += &format!("3e8\r\n{}\r\n", "x".repeat(1_000));
    }
    let (head, _) = boardcast_tests::raw::exchange(address, &request).await;
    assert_eq!(head.status, 413, "{head:?}");
    stage.attached("c1", "b.bin", &over[..100_000]).await;
    assert_eq!(stage.files().len(), 1);
    nothing_incoming(&stage).await;
    let empty = stage.attach("c1", "c.bin", b"").await;
    assert_eq!((empty.status, empty.problem().as_str()), (422, "invalid"));
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_board_above_its_quota_is_507_and_others_go_on() {
    let stage = Stage::with(|config| config.attachments.quota.board_bytes = 1_000).await;
    let other = board(&stage.scene, &stage.ann).await;
    let file = stage.attached("c1", "a.bin", &noise(600)).await;
    for bytes in [&noise(600)[..], &noise(401)] {
        let full = stage.attach("c2", "b.bin", bytes).await;
        assert_eq!((full.status, full.problem().as_str()), (507, "no-space"));
        let hint = full.json()["detail"].as_str().expect("a hint").to_owned();
        assert!(hint.contains("attachment_board_bytes"), "{hint}");
    }
    // One whose length is not announced leaves nothing either.
    let address = stage.scene.server.address();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         transfer-encoding: chunked\r\n\r\n3e8\r\n{}\r\n0\r\n\r\n",
        stage.place("c1", "a.bin"),
        stage.ann,
        "x".repeat(1_000)
    );
    let (head, _) = boardcast_tests::raw::exchange(address, &request).await;
    assert_eq!(head.status, 507, "{head:?}");
    assert_eq!(stage.files().len(), 1);
    stage.attached("c2", "c.bin", &noise(400)).await;
    let place = format!("{other}/cards/c1/attachments?name=a.bin");
    let made = stage
        .ask("POST", &place, &stage.ann, &[], &noise(600))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(stage.get(&file).await.status, 200);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn files_above_the_quota_of_the_server_are_507_and_those_it_has_are_not() {
    let stage = Stage::with(|config| config.attachments.quota.server_bytes = 1_000).await;
    stage.attached("c1", "a.bin", &noise(1_000)).await;
    stage.attached("c2", "b.bin", &noise(1_000)).await;
    let full = stage.attach("c1", "c.bin", b"x").await;
    assert_eq!((full.status, full.problem().as_str()), (507, "no-space"));
    let hint = full.json()["detail"].as_str().expect("a hint").to_owned();
    assert!(hint.contains("attachment_bytes"), "{hint}");
    let totals = stage.scene.server.server().attachments().totals().await;
    assert_eq!(totals.expect("the totals").bytes, 1_000);
    stage.scene.server.stop().await;
}

/// Begins to send a file, and stops in the middle of it.
async fn half_sent(stage: &Stage, token: &str) -> TcpStream {
    let address = stage.scene.server.address();
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-length: 1000\r\n\r\nhalf",
        stage.place("c1", "a.bin"),
    );
    socket.write_all(head.as_bytes()).await.expect("a request");
    socket
}

#[tokio::test]
async fn who_sends_many_files_at_a_time_is_held_back_alone() {
    let stage = Stage::with(|config| {
        config.attachments.uploads = 3;
        config.attachments.uploads_per_user = 2;
    })
    .await;
    stage.add("bob", "editor").await;
    let bob = stage.scene.server.token("bob");
    let slow = [half_sent(&stage, &bob).await, half_sent(&stage, &bob).await];
    let place = stage.place("c1", "b.bin");
    let send = async |token: &str| stage.ask("POST", &place, token, &[], b"bytes").await;
    let refused = async {
        loop {
            let answer = send(&bob).await;
            if answer.status == 429 {
                return answer;
            }
            assert_eq!(answer.status, 201, "{answer:?}");
        }
    };
    let refused = tokio::time::timeout(PATIENCE, refused).await;
    let refused = refused.expect("the places are taken");
    assert_eq!(refused.problem(), "too-many-requests");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(send(&stage.ann).await.status, 201, "others go on");
    let third = half_sent(&stage, &stage.ann).await;
    let full = async {
        while send(&stage.ann).await.status != 503 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let full = tokio::time::timeout(PATIENCE, full).await;
    full.expect("all places are taken");
    drop((slow, third));
    let free = async {
        while send(&bob).await.status != 201 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let free = tokio::time::timeout(PATIENCE, free).await;
    free.expect("places come back");
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_file_that_stops_coming_is_given_up() {
    let stage = Stage::with(|config| config.http.body_pause_ms = 50).await;
    let mut socket = half_sent(&stage, &stage.ann).await;
    let said = boardcast_tests::raw::rest(&mut socket).await;
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    assert_eq!(stage.files(), [""; 0]);
    nothing_incoming(&stage).await;
    stage.scene.server.stop().await;
}
