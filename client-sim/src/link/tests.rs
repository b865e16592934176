use futures::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::*;

#[test]
fn a_server_is_named_by_scheme_host_and_port() {
    let server: Server = "http://127.0.0.1:8080/".parse().unwrap();
    assert_eq!((server.host.as_str(), server.port), ("127.0.0.1", 8080));
    let server: Server = "ws://[::1]:9".parse().unwrap();
    assert_eq!((server.host.as_str(), server.port), ("::1", 9));
    let server: Server = "http://board".parse().unwrap();
    assert_eq!((server.host.as_str(), server.port), ("board", 80));
    assert_eq!("https://x".parse::<Server>(), Err(ServerError::Scheme));
    assert_eq!("http://:1".parse::<Server>(), Err(ServerError::Authority));
    assert_eq!("http://x:y".parse::<Server>(), Err(ServerError::Authority));
}

#[test]
fn a_refusal_says_when_to_come_back() {
    let refused = |status: u16, after: Option<&str>| {
        let mut response = tungstenite::http::Response::new(None);
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(after) = after {
            let after = HeaderValue::from_str(after).unwrap();
            response.headers_mut().insert(header::RETRY_AFTER, after);
        }
        upgrade_error(tungstenite::Error::Http(Box::new(response)))
    };
    let later = |error| match error {
        ConnectError::Later(_, after) => after,
        ConnectError::Refused(status) => panic!("refused for good: {status}"),
    };
    assert_eq!(later(refused(503, Some("7"))), Some(Duration::from_secs(7)));
    assert_eq!(later(refused(429, Some("99999"))), Some(RETRY_MAX));
    assert_eq!(later(refused(503, None)), None);
    assert_eq!(later(refused(503, Some("soon"))), None);
    assert!(matches!(
        refused(401, Some("7")),
        ConnectError::Refused(StatusCode::UNAUTHORIZED)
    ));
}

#[test]
fn a_large_fleet_connects_from_several_loopback_addresses() {
    let target = |address: &str| Target {
        url: String::new(),
        address: address.parse().unwrap(),
        codec: Codec::Json,
        sources: 1,
    };
    let local = target("127.0.0.1:1");
    assert_eq!(local.source(19_999), None);
    assert_eq!(local.source(20_000), Some(Ipv4Addr::new(127, 0, 0, 2)));
    assert_eq!(local.clients_of_source(50_000), 20_000);
    let remote = target("192.0.2.1:1");
    assert_eq!(remote.source(20_000), None);
    assert_eq!(remote.clients_of_source(50_000), 50_000);
    assert!(remote.from_sources(2).is_err());

    let several = local.from_sources(3).unwrap();
    let sources: Vec<_> = (0..4).map(|index| several.source(index)).collect();
    let last = |part| Some(Ipv4Addr::new(127, 0, 0, part));
    assert_eq!(sources, [last(1), last(2), last(3), last(1)]);
    assert_eq!(several.clients_of_source(50_000), 16_667);
}

#[tokio::test]
#[expect(clippy::result_large_err, reason = "a foreign signature")]
async fn a_large_message_leaves_no_large_buffer_and_nothing_is_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target {
        url: "ws://x/ws".into(),
        address: listener.local_addr().unwrap(),
        codec: Codec::Json,
        sources: 1,
    };
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let accepting = accept_hdr_async(stream, |_: &Request, mut response: Response| {
            let protocol = HeaderValue::from_static(SUBPROTOCOL_JSON);
            response
                .headers_mut()
                .insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
            Ok(response)
        });
        let mut socket = accepting.await.unwrap();
        for number in 0..100 {
            // What is large is sent by itself, and together with what follows it.
            let large = Message::Text("x".repeat(100_000 + number).into());
            let small = Message::Text(number.to_string().into());
            socket.feed(large).await.unwrap();
            if number % 2 == 0 {
                socket.flush().await.unwrap();
            }
            socket.feed(Message::Ping("p".into())).await.unwrap();
            socket.send(small).await.unwrap();
            if number % 10 == 0 {
                tokio::task::yield_now().await;
            }
        }
        // Dropped with pongs unread it would take back what is on its way.
        socket
    });
    let mut socket = target.connect("t", None, None).await.unwrap();
    let (mut lengths, mut shrunken) = (Vec::new(), 0);
    while lengths.len() < 200 {
        let message = socket.next().await.unwrap().unwrap();
        let swollen = has_swollen(&mut socket, &message);
        if let Message::Text(text) = &message {
            lengths.push(text.len());
        }
        drop(message);
        if swollen {
            socket.flush().await.unwrap();
            socket = shrunk(socket).await;
            shrunken += 1;
            assert_eq!(socket.get_ref().largest(), Some(0), "nothing waits in it");
        }
    }
    let expected: Vec<_> = (0..100)
        .flat_map(|number: usize| [100_000 + number, number.to_string().len()])
        .collect();
    assert_eq!(lengths, expected);
    assert!(shrunken > 0, "the last message at least leaves it empty");
    drop(serving.await.unwrap());
}
