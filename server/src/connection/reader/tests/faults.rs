//! What breaks the protocol, and the close code for it.

use super::*;

#[test]
fn faults_of_framing_are_1002() {
    use ProtocolError::{
        ControlTooLong, FragmentedControl, HalfCloseCode, InterruptedMessage, LengthNotMinimal,
        OrphanContinuation, ReservedBits, ReservedOpcode, Unmasked,
    };
    let overlong_16 = [&[0x81, 0x80 | 126, 0, 125][..], &MASK].concat();
    let overlong_64 = [&[0x81, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff][..], &MASK].concat();
    for (name, bytes, error) in [
        ("unmasked", vec![0x81, 1, b'a'], Unmasked),
        ("unmasked and empty", vec![0x81, 0], Unmasked),
        ("unmasked ping", vec![0x89, 0], Unmasked),
        ("RSV1", frame(0xc1, b"a"), ReservedBits),
        ("RSV2", frame(0xa1, b"a"), ReservedBits),
        ("RSV3", frame(0x91, b"a"), ReservedBits),
        ("RSV1 ping", frame(0xc9, b""), ReservedBits),
        ("opcode 3", frame(0x83, b"a"), ReservedOpcode(3)),
        ("opcode 7", frame(0x87, b"a"), ReservedOpcode(7)),
        ("opcode 11", frame(0x8b, b""), ReservedOpcode(11)),
        ("opcode 15", frame(0x8f, b""), ReservedOpcode(15)),
        ("125 in two bytes", overlong_16, LengthNotMinimal),
        ("65535 in eight bytes", overlong_64, LengthNotMinimal),
        ("fragmented ping", frame(0x09, b"a"), FragmentedControl),
        ("fragmented close", frame(0x08, b""), FragmentedControl),
        ("126-byte ping", frame(0x89, &[0; 126]), ControlTooLong(126)),
        ("126-byte pong", frame(0x8a, &[0; 126]), ControlTooLong(126)),
        (
            "126-byte close",
            close_frame(1000, &[b'r'; 124]),
            ControlTooLong(126),
        ),
        (
            "ping of 2^62",
            announce(0x89, 1 << 62),
            ControlTooLong(1 << 62),
        ),
        ("orphan continuation", frame(0x80, b"a"), OrphanContinuation),
        (
            "orphan first of more",
            frame(0x00, b"a"),
            OrphanContinuation,
        ),
        ("one-byte close", frame(0x88, b"\x03"), HalfCloseCode),
    ] {
        assert_eq!(error.close_code(), 1002);
        assert_decodes(name, LIMITS, &bytes, &[Event::Error(error)]);
        let after_text = [frame(0x81, b"hi"), bytes].concat();
        assert_decodes(
            name,
            LIMITS,
            &after_text,
            &[text("hi"), Event::Error(error)],
        );
    }
    for (name, second) in [("text", 0x81), ("text of more", 0x01), ("binary", 0x82)] {
        let bytes = [frame(0x01, b"a"), frame(second, b"b")].concat();
        assert_eq!(InterruptedMessage.close_code(), 1002);
        assert_decodes(name, LIMITS, &bytes, &[Event::Error(InterruptedMessage)]);
    }
    let twice = [frame(0x01, b"a"), frame(0x80, b"b"), frame(0x80, b"c")].concat();
    let expected = [text("ab"), Event::Error(OrphanContinuation)];
    assert_decodes("continuation after the last", LIMITS, &twice, &expected);
}

#[test]
fn close_codes() {
    for code in [
        0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ] {
        let error = ProtocolError::CloseCodeNotAllowed(code);
        assert_eq!(error.close_code(), 1002);
        let name = code.to_string();
        assert_decodes(
            &name,
            LIMITS,
            &close_frame(code, b"x"),
            &[Event::Error(error)],
        );
    }
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
        4999,
    ] {
        let event = Event::Close(Some(code), String::new());
        assert_decodes(&code.to_string(), LIMITS, &close_frame(code, b""), &[event]);
    }
}

#[test]
fn bad_utf8_is_1007() {
    for (name, payload) in [
        ("overlong slash", &b"a\xc0\xaf"[..]),
        ("overlong, three bytes", b"\xe0\x80\xaf"),
        ("surrogate", b"\xed\xa0\x80"),
        ("above U+10FFFF", b"\xf4\x90\x80\x80"),
        ("lone continuation", b"a\x80b"),
        ("never used byte", b"\xff"),
        ("cut character", b"ab\xe2\x82"),
    ] {
        let error = ProtocolError::TextNotUtf8;
        assert_eq!(error.close_code(), 1007);
        assert_decodes(name, LIMITS, &frame(0x81, payload), &[Event::Error(error)]);
        for at in 0..=payload.len() {
            let (first, second) = payload.split_at(at);
            let bytes = [frame(0x01, first), frame(0x80, second)].concat();
            assert_decodes(name, LIMITS, &bytes, &[Event::Error(error)]);
        }
        let error = ProtocolError::CloseReasonNotUtf8;
        assert_eq!(error.close_code(), 1007);
        let bytes = close_frame(1000, payload);
        assert_decodes(name, LIMITS, &bytes, &[Event::Error(error)]);
    }
}

#[test]
fn bad_utf8_fails_before_the_message_ends() {
    let events = decode(LIMITS, [&frame(0x01, b"ok \xed\xa0")[..]]).1;
    assert_eq!(events, [Event::Error(ProtocolError::TextNotUtf8)]);
    let events = decode(LIMITS, [&frame(0x81, b"ok \xff and more")[..12]]).1;
    assert_eq!(events, [Event::Error(ProtocolError::TextNotUtf8)]);
}

#[test]
fn binary_is_1003_unless_accepted() {
    let bytes = [frame(0x02, b"\xff"), frame(0x80, b"\x00")].concat();
    let error = ProtocolError::Binary;
    assert_eq!(error.close_code(), 1003);
    assert_decodes("refused", LIMITS, &bytes, &[Event::Error(error)]);
    let limits = ReaderLimits {
        accept_binary: true,
        ..LIMITS
    };
    let expected = [Event::Binary(vec![0xff, 0x00])];
    assert_decodes("accepted", limits, &bytes, &expected);
}
