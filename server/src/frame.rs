//! WebSocket frames from server to client.
//!
//! A server's frames are not masked, so one encoded frame is the same for every client and can be
//! shared by all of them.

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
pub use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The longest payload of a ping, pong or close frame (RFC 6455 section 5.5).
pub const MAX_CONTROL_BYTES: usize = 125;

/// The longest reason of a close frame: its payload less the two bytes of the code.
pub const MAX_CLOSE_REASON_BYTES: usize = MAX_CONTROL_BYTES - 2;

/// A text message as one frame. The payload must be UTF-8, which is not checked.
pub fn text(payload: &[u8]) -> Bytes {
    whole(OpCode::Data(Data::Text), &[payload])
}

/// A binary message as one frame.
pub fn binary(payload: &[u8]) -> Bytes {
    whole(OpCode::Data(Data::Binary), &[payload])
}

/// A ping. Of a payload above [`MAX_CONTROL_BYTES`] the rest is cut.
pub fn ping(payload: &[u8]) -> Bytes {
    whole(OpCode::Control(Control::Ping), &[control(payload)])
}

/// A pong, which repeats the payload of the ping. Of a payload above [`MAX_CONTROL_BYTES`] the
/// rest is cut.
pub fn pong(payload: &[u8]) -> Bytes {
    whole(OpCode::Control(Control::Pong), &[control(payload)])
}

/// A close frame. A reason above [`MAX_CLOSE_REASON_BYTES`] is cut between two characters.
pub fn close(code: u16, reason: &str) -> Bytes {
    let end = reason.floor_char_boundary(MAX_CLOSE_REASON_BYTES);
    let reason = &reason.as_bytes()[..end];
    whole(
        OpCode::Control(Control::Close),
        &[&code.to_be_bytes(), reason],
    )
}

/// Appends the header of a frame whose `payload_bytes` follow: for payloads that are composed in
/// place, and for messages sent as several frames (the first with its opcode, the others with
/// [`Data::Continue`], `is_final` only on the last).
pub fn header(opcode: OpCode, is_final: bool, payload_bytes: usize, out: &mut Vec<u8>) {
    #[expect(clippy::expect_used, reason = "writing to a Vec cannot fail")]
    server_header(opcode, is_final)
        .format(payload_bytes as u64, out)
        .expect("a header fits a Vec");
}

fn whole(opcode: OpCode, parts: &[&[u8]]) -> Bytes {
    let payload_bytes = parts.iter().map(|part| part.len()).sum::<usize>();
    let header_bytes = server_header(opcode, true).len(payload_bytes as u64);
    let mut frame = Vec::with_capacity(header_bytes + payload_bytes);
    header(opcode, true, payload_bytes, &mut frame);
    for part in parts {
        frame.extend_from_slice(part);
    }
    Bytes::from(frame)
}

fn server_header(opcode: OpCode, is_final: bool) -> FrameHeader {
    FrameHeader {
        is_final,
        opcode,
        mask: None,
        ..FrameHeader::default()
    }
}

fn control(payload: &[u8]) -> &[u8] {
    &payload[..payload.len().min(MAX_CONTROL_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_takes_the_shortest_form() {
        for (payload_bytes, head) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let payload = vec![b'x'; payload_bytes];
            let frame = text(&payload);
            assert_eq!(&frame[..head.len()], head);
            assert_eq!(&frame[head.len()..], payload);
        }
    }

    #[test]
    fn frames_bear_their_opcode() {
        assert_eq!(&binary(b"\x00\xff")[..], [0x82, 2, 0x00, 0xff]);
        assert_eq!(&ping(b"7")[..], [0x89, 1, b'7']);
        assert_eq!(&pong(b"7")[..], [0x8a, 1, b'7']);
        assert_eq!(
            &close(1000, "bye")[..],
            [0x88, 5, 0x03, 0xe8, b'b', b'y', b'e']
        );
    }

    #[test]
    fn control_payloads_are_cut_at_125_bytes() {
        assert_eq!(ping(&[1; 126]).len(), 2 + MAX_CONTROL_BYTES);
        assert_eq!(pong(&[1; 125]).len(), 2 + MAX_CONTROL_BYTES);
    }

    #[test]
    fn close_reason_is_cut_between_characters() {
        let frame = close(1008, &"é".repeat(100));
        assert_eq!(frame[1], 2 + 122);
        assert_eq!(str::from_utf8(&frame[4..]), Ok("é".repeat(61).as_str()));
    }

    #[test]
    fn a_message_may_be_sent_in_pieces() {
        let mut out = Vec::new();
        header(OpCode::Data(Data::Text), false, 1, &mut out);
        out.push(b'a');
        header(OpCode::Data(Data::Continue), true, 1, &mut out);
        out.push(b'b');
        assert_eq!(out, [0x01, 1, b'a', 0x80, 1, b'b']);
    }
}
