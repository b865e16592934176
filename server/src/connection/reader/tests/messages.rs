//! What a client says correctly.

use super::*;

#[test]
fn whole_messages() {
    let long = "é".repeat(500);
    for (name, bytes, expected) in [
        ("empty text", frame(0x81, b""), text("")),
        ("text", frame(0x81, "grüße".as_bytes()), text("grüße")),
        (
            "125 bytes",
            frame(0x81, &[b'a'; 125]),
            text(&"a".repeat(125)),
        ),
        (
            "126 bytes",
            frame(0x81, &[b'a'; 126]),
            text(&"a".repeat(126)),
        ),
        ("at the limit", frame(0x81, long.as_bytes()), text(&long)),
        ("empty ping", frame(0x89, b""), Event::Ping(vec![])),
        (
            "long ping",
            frame(0x89, &[7; 125]),
            Event::Ping(vec![7; 125]),
        ),
        ("pong", frame(0x8a, b"x"), Event::Pong(b"x".to_vec())),
        (
            "empty close",
            frame(0x88, b""),
            Event::Close(None, String::new()),
        ),
        (
            "close",
            close_frame(1000, "tschüß".as_bytes()),
            Event::Close(Some(1000), "tschüß".to_owned()),
        ),
        (
            "long close",
            close_frame(4999, &[b'r'; 123]),
            Event::Close(Some(4999), "r".repeat(123)),
        ),
    ] {
        assert_decodes(name, LIMITS, &bytes, &[expected]);
    }
}

#[test]
fn long_length_form() {
    let payload = "a".repeat(70_000);
    let limits = ReaderLimits {
        max_message_bytes: 70_000,
        max_frame_bytes: usize::MAX,
        ..LIMITS
    };
    let bytes = frame(0x81, payload.as_bytes());
    for size in [1, 4096, bytes.len()] {
        assert_eq!(decode(limits, bytes.chunks(size)).1, [text(&payload)]);
    }
}

#[test]
fn sequences() {
    for (name, frames, expected) in [
        (
            "several in one slice",
            vec![frame(0x81, b"a"), frame(0x89, b"p"), frame(0x81, b"bc")],
            vec![text("a"), Event::Ping(b"p".to_vec()), text("bc")],
        ),
        (
            "fragments",
            vec![
                frame(0x01, b"a"),
                frame(0x00, b""),
                frame(0x00, b"b"),
                frame(0x80, b"c"),
            ],
            vec![text("abc")],
        ),
        (
            "a character over two fragments",
            vec![
                frame(0x01, b"\xf0\x9f"),
                frame(0x00, b"\x93"),
                frame(0x80, b"\x8c!"),
            ],
            vec![text("📌!")],
        ),
        (
            "empty fragments",
            vec![
                frame(0x01, b""),
                frame(0x00, b""),
                frame(0x80, b""),
                frame(0x81, b"x"),
            ],
            vec![text(""), text("x")],
        ),
        (
            "control frames between fragments",
            vec![
                frame(0x01, b"a"),
                frame(0x89, b"1"),
                frame(0x8a, b""),
                frame(0x80, b"b"),
            ],
            vec![Event::Ping(b"1".to_vec()), Event::Pong(vec![]), text("ab")],
        ),
        (
            "fragments up to the limit",
            vec![
                frame(0x01, &[b'a'; 999]),
                frame(0x80, b"a"),
                frame(0x81, b"b"),
            ],
            vec![text(&"a".repeat(1000)), text("b")],
        ),
        (
            "anything after a close is not read",
            vec![close_frame(1001, b""), frame(0x81, b"a"), vec![0xff, 0x00]],
            vec![Event::Close(Some(1001), String::new())],
        ),
        (
            "a close between fragments",
            vec![frame(0x01, b"a"), close_frame(1000, b""), frame(0x80, b"b")],
            vec![Event::Close(Some(1000), String::new())],
        ),
    ] {
        assert_decodes(name, LIMITS, &frames.concat(), &expected);
    }
}
