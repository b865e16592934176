//! What is there over plain HTTP is there over TLS.

use boardcast_protocol::board::view_hash;
use boardcast_protocol::command::Command;
use boardcast_tests::client::{TestClient, apply, request, request_as};
use boardcast_tests::http::ask_over;
use boardcast_tests::scene::{PASSWORD, email};
use serde_json::{Value, json};

use crate::start;

fn command(value: Value) -> Command {
    serde_json::from_value(value).expect("a command")
}

#[tokio::test]
async fn cookies_are_bound_to_tls_and_the_own_origin_is_https() {
    let (scene, certificate, _files) = start().await;
    let at = |path: &str| format!("https://{}{path}", scene.server.address());
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>| {
        ask_over(certificate.trusted(), &at(path), method, headers, body).await
    };
    assert_eq!(ask("GET", "/readyz", &[], None).await.status, 200);
    assert!(ask("GET", "/", &[], None).await.text().contains("<html"));

    let bearer = format!("Bearer {}", scene.server.token_of_admin("root"));
    let root = [("Authorization", bearer.as_str())];
    let person = json!({"user": "ann", "name": "Ann", "email": email("ann")});
    let added = ask("POST", "/api/v1/admin/users", &root, Some(&person)).await;
    let link = boardcast_tests::scene::secret(added.json()["link"].as_str().expect("a link"));
    let set = json!({"link": link, "password": PASSWORD});
    let answer = ask("POST", "/api/v1/password", &[], Some(&set)).await;
    let cookie = answer.cookie().expect("a cookie");
    assert!(cookie.starts_with("__Host-boardcast="), "{cookie}");
    assert!(cookie.ends_with("; Secure"), "{cookie}");

    let cookie = answer.sent_back();
    for (origin, status) in [(at(""), 101), (at("").replace("https", "http"), 403)] {
        let mut opening = request(scene.server.address(), "/ws");
        let headers = opening.headers_mut();
        headers.insert("Cookie", cookie.parse().expect("a header"));
        headers.insert("Origin", origin.parse().expect("a header"));
        let stream = certificate.connect(scene.server.address()).await;
        let opened = TestClient::open_over(stream.expect("TLS"), opening).await;
        match opened {
            Ok(mut client) => {
                assert_eq!(client.hello(None).await.user.as_str(), "ann");
                assert_eq!(status, 101, "{origin}");
            }
            Err(error) => assert!(error.to_string().contains(&status.to_string()), "{error}"),
        }
    }
}

/// More than the buffers of TLS and of the kernel hold: what was sealed and not taken by the socket
/// goes on its way when the socket takes more, though nothing follows it.
#[tokio::test]
async fn a_board_that_fills_every_buffer_comes_whole_to_who_reads_late() {
    let (scene, certificate, _files) = start().await;
    let address = scene.server.address();
    let connect = async |user: &str| {
        let opening = request_as(address, Some(&scene.server.token(user)));
        let stream = certificate.connect(address).await.expect("TLS");
        let opened = TestClient::open_over(stream, opening).await;
        let mut client = opened.expect("a WebSocket");
        client.hello(None).await;
        client
    };
    let mut ann = connect("ann").await;
    let board = ann.create_board("Plans").await;
    ann.subscribe(board, None).await;
    let column = json!({"type": "column.create", "column": "todo", "title": "To do"});
    ann.submit(board, 1, vec![command(column)]).await;
    for seq in 2..=41 {
        let card = |n: u64| {
            let title = format!("{seq} {n} {}", "x".repeat(400));
            let card = format!("c{seq}-{n}");
            command(json!({"type": "card.create", "card": card, "column": "todo", "title": title}))
        };
        ann.submit(board, seq, (0..50).map(card).collect()).await;
    }
    ann.durable(board, 41).await;

    let mut tablet = connect("ann").await;
    let subscribe = json!({"type": "subscribe", "req": 7, "board": board});
    tablet.say(&subscribe).await;
    // The server has sent what the buffers take when somebody who came later is served.
    connect("bob").await;
    let late = tablet.subscribe(board, None).await;
    let view = late.view.expect("a snapshot");
    assert_eq!(view.cards.len(), 2_000);

    // What is done from now on comes as it does to anybody.
    let mut seen = view;
    let title = json!({"type": "board.set", "title": "Done"});
    ann.submit(board, 42, vec![command(title)]).await;
    let batch = tablet.batch().await;
    batch.v.iter().for_each(|entry| apply(&mut seen, entry));
    let fresh = connect("ann").await.subscribe(board, None).await;
    assert_eq!(
        view_hash(&seen),
        view_hash(&fresh.view.expect("a snapshot"))
    );
}

#[tokio::test]
async fn a_stop_says_goodbye_over_tls() {
    let (scene, certificate, _files) = start().await;
    let address = scene.server.address();
    let opening = request_as(address, Some(&scene.server.token("ann")));
    let stream = certificate.connect(address).await.expect("TLS");
    let opened = TestClient::open_over(stream, opening).await;
    let mut client = opened.expect("a WebSocket");
    client.hello(None).await;
    let stopping = scene.server.stop();
    let (_, closed) = tokio::join!(stopping, client.closed());
    assert_eq!(closed, Some(1012));
}
