//! Sending files.

use boardcast_protocol::event::Event;
use serde_json::{Value, json};

use super::{Stage, board, ids, noise};

#[tokio::test]
async fn a_file_that_is_sent_is_on_the_board_live_and_comes_back_as_it_was() {
    let stage = Stage::new().await;
    let mut bob = stage.scene.server.client("ann").await;
    let bytes = noise(1_000_000);
    let (board, _) = ids(&format!("{}/attachments/x", stage.board));
    bob.subscribe(board, None).await;
    let file = stage.attached("c1", "Plan%20%C3%BC.bin", &bytes).await;

    let batch = bob.batch().await;
    let events = batch.v.iter().flat_map(|version| &version.ev);
    let put = events.filter_map(|event| match event {
        Event::AttachmentPut { attachment, .. } => Some(attachment.clone()),
        _ => None,
    });
    let put: Vec<_> = put.collect();
    let [attachment] = put.as_slice() else {
        panic!("not one attachment: {put:?}");
    };
    assert_eq!(attachment.id, ids(&file).1);
    let told = serde_json::to_value(attachment).expect("JSON");
    assert_eq!(told["name"], "Plan ü.bin");
    assert_eq!(told["mime"], "application/octet-stream");
    assert_eq!(told["size"], 1_000_000);
    assert_eq!(told["url"], Value::Null);
    let on_card = &stage.card("c1").await["attachments"][0];
    assert_eq!(on_card, &told);

    let got = stage.get(&file).await;
    assert_eq!((got.status, got.body() == bytes), (200, true));
    assert_eq!(got.header("content-length"), Some("1000000"));
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_and_survive_a_restart() {
    let stage = Stage::new().await;
    let bytes = noise(70_000);
    let first = stage.attached("c1", "a.bin", &bytes).await;
    let second = stage.attached("c2", "b.bin", &bytes).await;
    assert_ne!(first, second);
    assert_eq!(stage.files().len(), 1);
    let totals = stage.scene.server.server().attachments().totals().await;
    let totals = totals.expect("the totals");
    assert_eq!((totals.files, totals.bytes), (1, 70_000));

    let stage = stage.restart().await;
    for file in [first, second] {
        assert_eq!(stage.get(&file).await.body(), bytes);
    }
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn names_that_are_paths_or_hide_something_are_400() {
    let stage = Stage::new().await;
    let long = "x".repeat(5 * 1_024);
    for name in [
        "",
        ".",
        "..",
        "../plan.txt",
        "%2e%2e%2fplan.txt",
        "..%5Cplan.txt",
        "%2Fetc%2Fpasswd",
        "plan%00.txt",
        "plan%0D%0ASet-Cookie%3A%20a%3Db",
        "exe%E2%80%AEgnp.txt",
        "%ff%fe",
        &long,
    ] {
        let answer = stage.attach("c1", name, b"bytes").await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "bad-request"),
            "{name}"
        );
    }
    let nameless = format!("{}/cards/c1/attachments", stage.board);
    let answer = stage.ask("POST", &nameless, &stage.ann, &[], b"x").await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(stage.files(), [""; 0]);
    let markup = "%3Cimg%20onerror%3Dx%3E%252e%252e.svg";
    let file = stage.attached("c1", markup, b"<svg onload=x>").await;
    let name = &stage.card("c1").await["attachments"][0]["name"];
    assert_eq!(name, "<img onerror=x>%2e%2e.svg");
    let got = stage.get(&file).await;
    let told = got.header("content-disposition").expect("how");
    assert!(
        told.starts_with("attachment; filename=\"<img onerror=x>_2e_2e.svg\""),
        "{told}"
    );
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn what_a_file_is_announced_as_does_not_count() {
    let stage = Stage::new().await;
    let html = b"<!doctype html><script>alert(1)</script>";
    for (announced, name) in [
        ("text/html", "page.html"),
        ("image/svg+xml", "image.svg"),
        ("image/png", "image.png"),
    ] {
        let headers = [("content-type", announced)];
        let place = stage.place("c1", name);
        let made = stage.ask("POST", &place, &stage.ann, &headers, html).await;
        assert_eq!(made.status, 201, "{made:?}");
        let file = made.header("location").expect("a place");
        let got = stage.get(file).await;
        let header = |name| got.header(name);
        assert_eq!(header("content-type"), Some("application/octet-stream"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        let policy = "default-src 'none'; sandbox";
        assert_eq!(header("content-security-policy"), Some(policy));
        let told = header("content-disposition").expect("how");
        assert!(told.starts_with("attachment; "), "{told}");
    }
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn r4_a_file_under_a_key_is_attached_once_and_other_bytes_are_refused() {
    let stage = Stage::new().await;
    let key = [("idempotency-key", "k1")];
    let place = stage.place("c1", "a.bin");
    let send = async |bytes: &'static [u8], place: &str| {
        stage.ask("POST", place, &stage.ann, &key, bytes).await
    };
    let first = send(b"bytes", &place).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = send(b"bytes", &place).await;
    assert_eq!((again.status, &again.body()), (201, &first.body()));
    for (bytes, place) in [
        (&b"other"[..], place.clone()),
        (b"bytes", stage.place("c1", "b.bin")),
        (b"bytes", stage.place("c2", "a.bin")),
    ] {
        let other = send(bytes, &place).await;
        assert_eq!(
            (other.status, other.problem().as_str()),
            (422, "key-reused"),
            "{place}"
        );
    }
    let attachments = stage.card("c1").await["attachments"].clone();
    assert_eq!(attachments.as_array().map(Vec::len), Some(1));
    assert_eq!(stage.card("c2").await["attachments"], Value::Null);
    let file = first.header("location").expect("a place");
    assert_eq!(stage.get(file).await.body(), b"bytes");
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_file_is_not_found_under_another_board_or_once_it_is_taken_off() {
    let stage = Stage::new().await;
    let other = board(&stage.scene, &stage.ann).await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    let (_, id) = ids(&file);
    for path in [
        format!("{other}/attachments/{id}"),
        format!("{other}/attachments/{id}/thumbnail"),
        format!("{}/attachments/none", stage.board),
        format!("{}/attachments/..%2f..", stage.board),
    ] {
        let got = stage.get(&path).await;
        assert_eq!(got.status, 404, "{path} {got:?}");
    }
    let nowhere = stage.place("none", "a.bin");
    let answer = stage.ask("POST", &nowhere, &stage.ann, &[], b"x").await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (404, "not-found")
    );

    let of_card = format!("{}/cards/c1/attachments/{id}", stage.board);
    let renamed = json!({"name": "b.bin"});
    let path = format!("{}/cards/c2/attachments/{id}", stage.board);
    let elsewhere = (stage.scene)
        .bear("PATCH", &path, &stage.ann, Some(&renamed))
        .await;
    assert_eq!(elsewhere.status, 404, "{elsewhere:?}");
    let done = (stage.scene)
        .bear("PATCH", &of_card, &stage.ann, Some(&renamed))
        .await;
    assert_eq!(done.status, 200, "{done:?}");
    let told = stage.get(&file).await;
    let told = told.header("content-disposition").expect("how").to_owned();
    assert!(told.contains("\"b.bin\""), "{told}");

    let removed = stage.ask("DELETE", &of_card, &stage.ann, &[], &[]).await;
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(stage.get(&file).await.problem(), "not-found");
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_link_that_is_attached_is_no_file() {
    let stage = Stage::new().await;
    stage
        .commands(json!([
            {"type": "attachment.add", "card": "c1", "attachment": "a1", "name": "Plan",
             "url": "https://example.org/plan.png", "mime": "image/png"},
            {"type": "attachment.add", "card": "c1", "attachment": "a2", "name": "Forged",
             "mime": "image/png", "size": 12}
        ]))
        .await;
    for id in ["a1", "a2"] {
        for end in ["", "/thumbnail"] {
            let got = stage
                .get(&format!("{}/attachments/{id}{end}", stage.board))
                .await;
            assert_eq!((got.status, got.problem().as_str()), (404, "not-found"));
        }
    }
    stage.scene.server.stop().await;
}
