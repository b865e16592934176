//! Bytes in, [`Event`]s out: the table cases are read whole, byte by byte and split everywhere.

use super::*;

mod bounds;
mod faults;
mod messages;
mod random;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const LIMITS: ReaderLimits = ReaderLimits {
    max_message_bytes: 1000,
    max_frame_bytes: usize::MAX,
    accept_binary: false,
};

/// [`Incoming`] with its own memory.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Error(ProtocolError),
}

impl From<Incoming<'_>> for Event {
    fn from(incoming: Incoming<'_>) -> Self {
        match incoming {
            Incoming::Text(text) => Self::Text(text.to_owned()),
            Incoming::Binary(bytes) => Self::Binary(bytes.to_owned()),
            Incoming::Ping(payload) => Self::Ping(payload.to_owned()),
            Incoming::Pong(payload) => Self::Pong(payload.to_owned()),
            Incoming::Close { code, reason } => Self::Close(code, reason.to_owned()),
        }
    }
}

/// Feeds one slice. False once an error has ended the stream.
fn feed(reader: &mut FrameReader, input: &[u8], events: &mut Vec<Event>) -> bool {
    let mut input = input.to_vec();
    let mut frames = reader.feed(&mut input);
    loop {
        match frames.next() {
            Ok(Some(incoming)) => events.push(incoming.into()),
            Ok(None) => return true,
            Err(error) => {
                events.push(Event::Error(error));
                return false;
            }
        }
    }
}

fn decode<'a>(
    limits: ReaderLimits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (FrameReader, Vec<Event>) {
    let mut reader = FrameReader::new(limits);
    let mut events = Vec::new();
    for piece in pieces {
        let goes_on = feed(&mut reader, piece, &mut events);
        assert!(reader.held_bytes() <= limits.max_message_bytes + MAX_CONTROL_BYTES);
        if !goes_on {
            break;
        }
    }
    (reader, events)
}

/// Asserts what the bytes mean, whole, byte by byte and split at each position.
fn assert_decodes(name: &str, limits: ReaderLimits, bytes: &[u8], expected: &[Event]) {
    assert_eq!(decode(limits, [bytes]).1, expected, "{name}");
    assert_eq!(decode(limits, bytes.chunks(1)).1, expected, "{name}, by 1");
    for at in 0..=bytes.len() {
        let (first, second) = bytes.split_at(at);
        let events = decode(limits, [first, second]).1;
        assert_eq!(events, expected, "{name}, split at {at}");
    }
}

fn masked(mut payload: Vec<u8>) -> Vec<u8> {
    mask::apply(&mut payload, MASK);
    payload
}

/// A masked frame with this first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = announce(first, payload.len() as u64);
    bytes.extend(masked(payload.to_vec()));
    bytes
}

/// The header of a masked frame of this length.
fn announce(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        65_536.. => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

fn close_frame(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(0x88, &[&code.to_be_bytes(), reason].concat())
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}
