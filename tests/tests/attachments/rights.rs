//! Who may send and get files: each kind of person, with each kind of credentials.

use serde_json::json;

use super::{Stage, send};

/// What somebody is answered who sends a file, and who gets one.
async fn tried(stage: &Stage, file: &str, headers: &[(&str, &str)], what: &str) -> (u16, u16) {
    let place = stage.url(&stage.place("c1", "a.bin"));
    let sent = send("POST", &place, headers, what.as_bytes().to_vec()).await;
    let got = send("GET", &stage.url(file), headers, Vec::new()).await;
    let small = format!("{}/thumbnail", stage.url(file));
    let small = send("GET", &small, headers, Vec::new()).await;
    match got.status {
        200 => assert_eq!(
            (got.body(), small.problem().as_str()),
            (&b"bytes"[..], "no-thumbnail"),
            "{what}"
        ),
        refused => assert_eq!((got.problem(), small.status), (small.problem(), refused)),
    }
    (sent.status, got.status)
}

#[tokio::test]
async fn r10_sending_needs_an_editor_and_getting_whoever_sees_the_board() {
    let stage = Stage::new().await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    for role in ["viewer", "commenter", "editor", "admin"] {
        stage.add(role, role).await;
    }
    let server = &stage.scene.server;
    for (user, expected) in [
        ("stranger", (404, 404)),
        ("viewer", (403, 200)),
        ("commenter", (403, 200)),
        ("editor", (201, 200)),
        ("admin", (201, 200)),
    ] {
        let bearer = format!("Bearer {}", server.token(user));
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(
            tried(&stage, &file, &headers, user).await,
            expected,
            "{user}"
        );
    }
    let bearer = format!("Bearer {}", server.token_of_admin("root"));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(tried(&stage, &file, &headers, "root").await, (201, 200));
    assert_eq!(tried(&stage, &file, &[], "nobody").await, (401, 401));
    let headers = [("authorization", "Bearer none")];
    assert_eq!(tried(&stage, &file, &headers, "forged").await, (401, 401));
    let others = [
        format!("{}x", stage.board),
        "/api/v1/boards/none".to_owned(),
    ];
    for board in others {
        let there = stage.get(&format!("{board}/attachments/x")).await;
        assert_eq!(there.problem(), "no-such-board");
    }
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn r10_a_public_link_gets_files_until_it_is_revoked_and_sends_none() {
    let stage = Stage::new().await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    let links = format!("{}/links", stage.board);
    let made = (stage.scene)
        .bear("POST", &links, &stage.ann, Some(&json!({})))
        .await
        .json();
    let bearer = format!("Bearer {}", made["link"].as_str().expect("a link"));
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(tried(&stage, &file, &headers, "link").await, (403, 200));
    let id = made["id"].as_str().expect("an id");
    let gone = format!("{links}/{id}");
    let revoked = stage.ask("DELETE", &gone, &stage.ann, &[], &[]).await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    assert_eq!(tried(&stage, &file, &headers, "revoked").await, (401, 401));
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn r10_tokens_are_good_for_their_scope_and_cookies_for_pages_of_the_server() {
    let stage = Stage::new().await;
    let scene = &stage.scene;
    let cookie = scene.settle("bob").await;
    stage.add("bob", "editor").await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    let (board, _) = super::ids(&file);
    let (elsewhere, _) = super::ids(&format!("{}/x/y", super::board(scene, &stage.ann).await));
    for (scope, boards, expected) in [
        ("read", None, (403, 200)),
        ("write", None, (201, 200)),
        ("write", Some(board), (201, 200)),
        ("write", Some(elsewhere), (404, 404)),
    ] {
        let boards = boards.as_ref().map(std::slice::from_ref);
        let token = scene.token_of(&cookie, scope, boards).await;
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let what = format!("{scope} {boards:?}");
        assert_eq!(
            tried(&stage, &file, &headers, &what).await,
            expected,
            "{what}"
        );
    }
    let own = scene.origin();
    for (origin, expected) in [
        (Some(own.as_str()), (201, 200)),
        (None, (403, 200)),
        (Some("http://evil.example"), (403, 200)),
        (Some("null"), (403, 200)),
    ] {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let what = format!("{origin:?}");
        assert_eq!(
            tried(&stage, &file, &headers, &what).await,
            expected,
            "{what}"
        );
    }
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn r10_who_is_refused_is_told_so_before_the_file_is_read() {
    let stage = Stage::new().await;
    stage.add("viewer", "viewer").await;
    let viewer = stage.scene.server.token("viewer");
    // Its bytes never come: whoever waits for them answers 408.
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {viewer}\r\n\
         content-length: 1000\r\n\r\n",
        stage.place("c1", "a.bin"),
        stage.scene.server.address()
    );
    let (head, _) = boardcast_tests::raw::exchange(stage.scene.server.address(), &request).await;
    assert_eq!(head.status, 403, "{head:?}");
    stage.scene.server.stop().await;
}
