//! How large a message and a frame may be.

use boardcast::connection::refusals::Cause;
use boardcast_protocol::message::ErrorCode;
use boardcast_tests::client::TestClient;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{count, scene};

const MAX_BYTES: usize = 16 * 1_024;

/// Sends a text that is no message of the protocol, in frames of `frame_bytes`.
async fn send_in_frames(client: &mut TestClient, bytes: usize, frame_bytes: usize) {
    let text = "x".repeat(bytes);
    let pieces: Vec<_> = text.as_bytes().chunks(frame_bytes).collect();
    for (at, piece) in pieces.iter().enumerate() {
        let kind = if at == 0 { Data::Text } else { Data::Continue };
        let is_last = at + 1 == pieces.len();
        let frame = Frame::message(piece.to_vec(), OpCode::Data(kind), is_last);
        client.send(Message::Frame(frame)).await;
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_closes_its_connection_alone() {
    let (server, mut bob) = scene(|config| {
        config.connections.session.message_max_bytes = MAX_BYTES;
    })
    .await;
    let token = server.token("ann");
    for frame_bytes in [usize::MAX, 1_000] {
        let mut ann = TestClient::connect(server.address(), Some(&token)).await;
        let welcome = ann.hello(None).await;
        assert_eq!(welcome.limits.message_bytes as usize, MAX_BYTES);
        send_in_frames(&mut ann, MAX_BYTES, frame_bytes.min(MAX_BYTES)).await;
        assert_eq!(ann.error().await.code, ErrorCode::NotJson);
        send_in_frames(&mut ann, MAX_BYTES + 1, frame_bytes.min(MAX_BYTES + 1)).await;
        assert_eq!(ann.closed().await, Some(1009));
        bob.is_served().await;
    }
    assert_eq!(count(&server, Cause::MessageBytes), 2);
    server.stop().await;
}

#[tokio::test]
async fn a_frame_that_is_too_long_closes_its_connection_alone() {
    let (server, mut bob) = scene(|config| {
        config.connections.session.frame_max_bytes = MAX_BYTES;
    })
    .await;
    let mut ann = server.client("ann").await;
    send_in_frames(&mut ann, 4 * MAX_BYTES, MAX_BYTES).await;
    assert_eq!(ann.error().await.code, ErrorCode::NotJson);
    send_in_frames(&mut ann, MAX_BYTES + 1, MAX_BYTES + 1).await;
    assert_eq!(ann.closed().await, Some(1009));
    assert_eq!(count(&server, Cause::FrameBytes), 1);
    bob.is_served().await;
    server.stop().await;
}
