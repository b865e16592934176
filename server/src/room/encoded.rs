//! Messages, encoded and framed once for each codec (rule R6).

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use boardcast_protocol::codec;

use super::{Codec, Frame};
use crate::frame::{self, Data, OpCode};

/// Messages up to this many bytes are sent as text by every codec: deflating them gains nothing.
const DEFLATE_FROM_BYTES: usize = 1_024;

/// A message as a whole frame for each codec; deflated when it is first asked for so.
#[derive(Debug)]
pub(super) struct Encoded {
    text: Frame,
    payload_bytes: usize,
    deflated: Option<Frame>,
}

impl Encoded {
    /// Encodes a message.
    pub(super) fn new(message: &impl serde::Serialize) -> Self {
        Self::concat(&[&codec::encode(message)])
    }

    /// A message from the pieces of its JSON text.
    pub(super) fn concat<Piece: AsRef<[u8]>>(pieces: &[Piece]) -> Self {
        let payload_bytes = pieces.iter().map(|piece| piece.as_ref().len()).sum();
        let mut frame = Vec::with_capacity(payload_bytes + 10);
        frame::header(OpCode::Data(Data::Text), true, payload_bytes, &mut frame);
        for piece in pieces {
            frame.extend_from_slice(piece.as_ref());
        }
        Self {
            text: Bytes::from(frame),
            payload_bytes,
            deflated: None,
        }
    }

    /// The frame for a codec.
    pub(super) fn frame(&mut self, codec: Codec) -> Frame {
        match codec {
            Codec::Json => self.text.clone(),
            Codec::Deflate if self.payload_bytes <= DEFLATE_FROM_BYTES => self.text.clone(),
            Codec::Deflate => self
                .deflated
                .get_or_insert_with(|| deflate(&self.text, self.payload_bytes))
                .clone(),
        }
    }

    /// The length of the message in bytes.
    pub(super) fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    /// The length of its frames in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.deflated.as_ref().map_or(0, Bytes::len)
    }
}

/// A message for one connection.
pub(super) fn frame_for(codec: Codec, message: &impl serde::Serialize) -> Frame {
    Encoded::new(message).frame(codec)
}

fn deflate(text: &Frame, payload_bytes: usize) -> Frame {
    let payload = &text[text.len() - payload_bytes..];
    let mut encoder =
        DeflateEncoder::new(Vec::with_capacity(payload_bytes / 3), Compression::fast());
    // Writing to memory cannot fail; if it did, the text is as good.
    match encoder.write_all(payload).and_then(|()| encoder.finish()) {
        Ok(deflated) => frame::binary(&deflated),
        Err(_) => text.clone(),
    }
}
