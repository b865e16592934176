//! Random conversations and random bytes.

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as PeerFrame;

use super::*;

/// One message or control frame as a client would send it.
#[derive(Debug, Clone)]
struct Sent {
    event: Event,
    frames: Vec<PeerFrame>,
}

fn peer_frame(opcode: OpCode, is_final: bool, mask: u32, payload: &[u8]) -> PeerFrame {
    let header = FrameHeader {
        is_final,
        opcode,
        mask: Some(mask.to_ne_bytes()),
        ..FrameHeader::default()
    };
    PeerFrame::from_payload(header, payload.to_vec().into())
}

fn control_frame() -> impl Strategy<Value = Sent> {
    let payload = prop::collection::vec(any::<u8>(), 0..=125);
    (any::<bool>(), payload, any::<u32>()).prop_map(|(is_ping, payload, mask)| {
        let opcode = OpCode::Control(if is_ping {
            Control::Ping
        } else {
            Control::Pong
        });
        let frames = vec![peer_frame(opcode, true, mask, &payload)];
        let event = if is_ping {
            Event::Ping(payload)
        } else {
            Event::Pong(payload)
        };
        Sent { event, frames }
    })
}

fn payload() -> impl Strategy<Value = Event> {
    let short = "[a-zé€📌]{0,40}".prop_map(Event::Text);
    let long = (100..40_000usize).prop_map(|chars| Event::Text("né€".repeat(chars / 3)));
    let binary = prop::collection::vec(any::<u8>(), 0..600).prop_map(Event::Binary);
    prop_oneof![4 => short, 1 => long, 2 => binary]
}

fn message() -> impl Strategy<Value = Sent> {
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    (payload(), cuts, any::<u32>()).prop_map(|(event, cuts, mask)| {
        let (first, bytes) = match &event {
            Event::Text(text) => (Data::Text, text.as_bytes()),
            Event::Binary(bytes) => (Data::Binary, &bytes[..]),
            Event::Ping(_) | Event::Pong(_) | Event::Close(..) | Event::Error(_) => unreachable!(),
        };
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(bytes.len());
        let mut from = 0;
        let mut frames = Vec::new();
        for (at, &to) in ends.iter().enumerate() {
            let data = if at == 0 { first } else { Data::Continue };
            let is_final = at + 1 == ends.len();
            let mask = mask.wrapping_add(at as u32);
            frames.push(peer_frame(
                OpCode::Data(data),
                is_final,
                mask,
                &bytes[from..to],
            ));
            from = to;
        }
        Sent { event, frames }
    })
}

/// Messages one after another, control frames between and inside them.
fn conversation() -> impl Strategy<Value = (Vec<u8>, Vec<Event>)> {
    let inside = prop::collection::vec(prop::option::of(control_frame()), 4);
    prop::collection::vec((message(), inside), 0..6).prop_map(|turns| {
        let mut bytes = Vec::new();
        let mut events = Vec::new();
        for (message, inside) in turns {
            let last = message.frames.len() - 1;
            for (at, frame) in message.frames.into_iter().enumerate() {
                frame.format(&mut bytes).unwrap();
                if at == last {
                    events.push(message.event.clone());
                }
                if let Some(control) = inside.get(at).cloned().flatten() {
                    for frame in control.frames {
                        frame.format(&mut bytes).unwrap();
                    }
                    events.push(control.event);
                }
            }
        }
        (bytes, events)
    })
}

/// Cuts `bytes` into pieces of these sizes, over and over.
fn pieces<'a>(mut bytes: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    sizes.iter().cycle().map_while(move |&size| {
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

proptest! {
    #[test]
    fn decodes_what_tungstenite_writes(
        (bytes, events) in conversation(),
        sizes in prop::collection::vec(1..5000usize, 1..5),
    ) {
        let limits = ReaderLimits { max_message_bytes: 300_000, max_frame_bytes: usize::MAX, accept_binary: true };
        let (reader, decoded) = decode(limits, pieces(&bytes, &sizes));
        prop_assert_eq!(decoded, events);
        prop_assert_eq!(reader.held_bytes(), 0);
    }

    /// `decode` asserts the bound on memory after every piece.
    #[test]
    fn any_bytes_neither_panic_nor_pass_the_limit(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        sizes in prop::collection::vec(1..700usize, 1..4),
        accept_binary: bool,
    ) {
        let limits = ReaderLimits { max_message_bytes: 500, max_frame_bytes: usize::MAX, accept_binary };
        decode(limits, pieces(&bytes, &sizes));
    }

    /// The same with headers that pass the first checks, so that payloads are reached.
    #[test]
    fn any_frames_neither_panic_nor_pass_the_limit(
        frames in prop::collection::vec(
            (
                prop::sample::select(&[0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a][..]),
                prop::collection::vec(any::<u8>(), 0..200),
            ),
            0..20,
        ),
        sizes in prop::collection::vec(1..100usize, 1..4),
    ) {
        let limits = ReaderLimits { max_message_bytes: 500, max_frame_bytes: usize::MAX, accept_binary: true };
        let bytes: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame(*first, payload)).collect();
        decode(limits, pieces(&bytes, &sizes));
    }
}
