//! Limits and memory.

use super::*;

#[test]
fn too_big_is_1009_before_anything_is_kept() {
    let error = ProtocolError::MessageTooBig { limit_bytes: 1000 };
    assert_eq!(error.close_code(), 1009);
    for (name, bytes) in [
        ("one byte more", announce(0x81, 1001)),
        ("2^62", announce(0x81, 1 << 62)),
        ("2^64 - 1", announce(0x81, u64::MAX)),
        ("first of more", announce(0x01, 1001)),
    ] {
        assert_decodes(name, LIMITS, &bytes, &[Event::Error(error)]);
        assert_eq!(decode(LIMITS, [&bytes[..]]).0.held_bytes(), 0, "{name}");
    }
    let sum = [frame(0x01, &[b'a'; 600]), announce(0x80, 401)].concat();
    assert_decodes("sum of fragments", LIMITS, &sum, &[Event::Error(error)]);
    let sum = [frame(0x01, &[b'a'; 600]), announce(0x80, u64::MAX - 10)].concat();
    assert_decodes("sum that overflows", LIMITS, &sum, &[Event::Error(error)]);
}

#[test]
fn the_limit_can_change_between_messages_and_inside_one() {
    let mut reader = FrameReader::new(LIMITS);
    let mut events = Vec::new();
    reader.set_max_message_bytes(2000);
    feed(&mut reader, &frame(0x81, &[b'a'; 2000]), &mut events);
    feed(&mut reader, &frame(0x01, &[b'b'; 20]), &mut events);
    reader.set_max_message_bytes(10);
    feed(&mut reader, &frame(0x80, b"c"), &mut events);
    let error = ProtocolError::MessageTooBig { limit_bytes: 10 };
    assert_eq!(events, [text(&"a".repeat(2000)), Event::Error(error)]);
}

#[test]
fn memory_is_held_only_while_something_is_incomplete() {
    let mut reader = FrameReader::new(LIMITS);
    let mut events = Vec::new();
    for (step, bytes, is_held) in [
        ("whole message", frame(0x81, &[b'a'; 800]), false),
        ("half a header", vec![0x81], false),
        ("the other half", vec![0x80 | 5, 0, 0, 0, 0], false),
        ("a part", vec![b'a'; 3], true),
        ("the rest", vec![b'a'; 2], false),
        ("a fragment", frame(0x01, b"abc"), true),
        ("a ping between", frame(0x89, b"p"), true),
        ("the last fragment", frame(0x80, b"d"), false),
        ("a part of a ping", frame(0x89, b"pp")[..7].to_vec(), true),
        (
            "the rest of the ping",
            frame(0x89, b"pp")[7..].to_vec(),
            false,
        ),
        ("a fragment again", frame(0x01, b"abc"), true),
        ("a close", frame(0x88, b""), false),
    ] {
        assert!(feed(&mut reader, &bytes, &mut events), "{step}");
        assert_eq!(reader.held_bytes() > 0, is_held, "{step}");
    }
}

#[test]
fn announced_lengths_reserve_nothing() {
    let mut reader = FrameReader::new(LIMITS);
    let mut events = Vec::new();
    feed(&mut reader, &announce(0x81, 1000), &mut events);
    assert_eq!(reader.held_bytes(), 0);
    assert!(feed(&mut reader, &masked(vec![b'a'; 10]), &mut events));
    assert!((10..=20).contains(&reader.held_bytes()));
}
