//! WebSocket frames from client to server, decoded without I/O.

use std::{io::Cursor, mem, ops::Range};

use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

use super::{mask, protocol_error::ProtocolError};
use crate::frame::{Control, Data, MAX_CONTROL_BYTES, OpCode};

/// The longest header of a client frame: 2 bytes, 8 of length, 4 of mask.
const MAX_HEADER_BYTES: usize = 14;

/// What a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderLimits {
    /// The longest message, whole or as the sum of its fragments.
    pub max_message_bytes: usize,
    /// The longest frame of a message.
    pub max_frame_bytes: usize,
    /// Whether binary messages are handed out or are an error.
    pub accept_binary: bool,
}

/// What a client has sent, unmasked and in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message; only with [`ReaderLimits::accept_binary`].
    Binary(&'a [u8]),
    /// A ping, to be answered by a pong with the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong(&'a [u8]),
    /// A close frame, after which nothing more is read.
    Close {
        /// The client's code, if it gave one.
        code: Option<u16>,
        /// The client's reason, empty if it gave none.
        reason: &'a str,
    },
}

/// Decodes the byte stream of one client.
///
/// It holds heap memory only while a frame or a fragmented message is incomplete, at most
/// `max_message_bytes` for a message and 125 bytes for a control frame between its fragments, and
/// never more than twice what has arrived, whatever length a header announces.
///
/// After an error the stream cannot be understood any more: the connection is to be closed.
#[derive(Debug)]
pub struct FrameReader {
    limits: ReaderLimits,
    head: [u8; MAX_HEADER_BYTES],
    head_bytes: usize,
    frame: Option<Frame>,
    /// The kind of the message whose last fragment has not begun.
    fragmented: Option<Kind>,
    /// What has come of an incomplete message.
    message: Vec<u8>,
    /// How much of `message` is known to be UTF-8.
    valid_bytes: usize,
    /// What has come of an incomplete control frame.
    control: Vec<u8>,
    closed: bool,
}

/// The frames in one slice of input, handed out one by one by [`Frames::next`].
///
/// Dropping it early discards the input that has not been read.
#[derive(Debug)]
pub struct Frames<'r> {
    reader: &'r mut FrameReader,
    input: &'r mut [u8],
    at: usize,
    /// A message that was put together from several slices, while it is lent out.
    assembled: Vec<u8>,
}

impl FrameReader {
    /// A reader at the beginning of a stream.
    pub fn new(limits: ReaderLimits) -> Self {
        Self {
            limits,
            head: [0; MAX_HEADER_BYTES],
            head_bytes: 0,
            frame: None,
            fragmented: None,
            message: Vec::new(),
            valid_bytes: 0,
            control: Vec::new(),
            closed: false,
        }
    }

    /// Changes the limit for all frames that begin from now on.
    pub fn set_max_message_bytes(&mut self, max_message_bytes: usize) {
        self.limits.max_message_bytes = max_message_bytes;
    }

    /// The heap memory held for what is incomplete, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.message.capacity() + self.control.capacity()
    }

    /// Reads the bytes that came next from the socket. They are unmasked in place.
    pub fn feed<'r>(&'r mut self, input: &'r mut [u8]) -> Frames<'r> {
        Frames {
            reader: self,
            input,
            at: 0,
            assembled: Vec::new(),
        }
    }

    /// The next frame's header, if `unread` completes it, and how much of `unread` was used.
    fn read_header(&mut self, unread: &[u8]) -> Result<(Option<Frame>, usize), ProtocolError> {
        let had = self.head_bytes;
        let taken = unread.len().min(MAX_HEADER_BYTES - had);
        self.head[had..had + taken].copy_from_slice(&unread[..taken]);

        let mut head = Cursor::new(&self.head[..had + taken]);
        // On bytes in memory the parser has one error only, a reserved opcode.
        let parsed = FrameHeader::parse(&mut head)
            .map_err(|_| ProtocolError::ReservedOpcode(self.head[0] & 0x0f))?;
        let head_bytes = head.position() as usize;
        match parsed {
            Some((header, length)) => {
                if header.len(length) != head_bytes {
                    return Err(ProtocolError::LengthNotMinimal);
                }
                self.head_bytes = 0;
                Ok((Some(self.admit(&header, length)?), head_bytes - had))
            }
            None => {
                self.head_bytes += taken;
                Ok((None, taken))
            }
        }
    }

    /// Checks all that a header can tell, before a byte of the payload is kept.
    fn admit(&mut self, header: &FrameHeader, length: u64) -> Result<Frame, ProtocolError> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(ProtocolError::ReservedBits);
        }
        let mask = header.mask.ok_or(ProtocolError::Unmasked)?;
        let (kind, left) = match header.opcode {
            OpCode::Control(control) => admit_control(control, header.is_final, length)?,
            OpCode::Data(data) => self.admit_data(data, length)?,
        };
        if !header.is_final {
            self.fragmented = Some(kind);
        }
        Ok(Frame {
            kind,
            is_final: header.is_final,
            mask,
            left,
        })
    }

    fn admit_data(&self, data: Data, length: u64) -> Result<(Kind, usize), ProtocolError> {
        let kind = match (data, self.fragmented) {
            (Data::Continue, Some(kind)) => kind,
            (Data::Continue, None) => return Err(ProtocolError::OrphanContinuation),
            (Data::Text | Data::Binary, Some(_)) => return Err(ProtocolError::InterruptedMessage),
            (Data::Text, None) => Kind::Text,
            (Data::Binary, None) if self.limits.accept_binary => Kind::Binary,
            (Data::Binary, None) => return Err(ProtocolError::Binary),
            (Data::Reserved(opcode), _) => return Err(ProtocolError::ReservedOpcode(opcode)),
        };
        let limit_bytes = self.limits.max_frame_bytes;
        if limit_bytes < self.limits.max_message_bytes && length > limit_bytes as u64 {
            return Err(ProtocolError::FrameTooBig { limit_bytes });
        }
        let limit_bytes = self.limits.max_message_bytes;
        let room = limit_bytes.saturating_sub(self.message.len());
        match usize::try_from(length) {
            Ok(length) if length <= room => Ok((kind, length)),
            Ok(_) | Err(_) => Err(ProtocolError::MessageTooBig { limit_bytes }),
        }
    }

    /// Whether a part of the message or control frame came before.
    fn has_kept(&self, kind: Kind) -> bool {
        if kind.is_control() {
            !self.control.is_empty()
        } else {
            !self.message.is_empty()
        }
    }

    /// Keeps a piece of a payload that is not complete or not the first of its message.
    fn keep(&mut self, frame: Frame, piece: &[u8]) -> Result<(), ProtocolError> {
        if frame.kind.is_control() {
            append(&mut self.control, piece, MAX_CONTROL_BYTES);
            return Ok(());
        }
        let bound = if frame.is_final {
            self.message.len() + frame.left
        } else {
            self.limits.max_message_bytes
        };
        append(&mut self.message, piece, bound);
        if frame.kind == Kind::Text {
            self.validate()?;
        }
        Ok(())
    }

    /// Refuses text as soon as no continuation could make it UTF-8.
    fn validate(&mut self) -> Result<(), ProtocolError> {
        match str::from_utf8(&self.message[self.valid_bytes..]) {
            Ok(_) => self.valid_bytes = self.message.len(),
            Err(error) if error.error_len().is_some() => return Err(ProtocolError::TextNotUtf8),
            Err(error) => self.valid_bytes += error.valid_up_to(),
        }
        Ok(())
    }

    /// Takes what has been kept for `kind`, which is complete, and leaves no memory behind.
    fn finish(&mut self, kind: Kind) -> Vec<u8> {
        match kind {
            Kind::Text | Kind::Binary => {
                self.fragmented = None;
                self.valid_bytes = 0;
                mem::take(&mut self.message)
            }
            Kind::Ping | Kind::Pong => mem::take(&mut self.control),
            Kind::Close => {
                self.closed = true;
                self.message = Vec::new();
                mem::take(&mut self.control)
            }
        }
    }
}

impl Frames<'_> {
    /// The next message or control frame that the input completes; `None` when the input is used
    /// up, and for ever after a close frame.
    #[expect(
        clippy::should_implement_trait,
        reason = "an Iterator cannot lend from itself"
    )]
    pub fn next(&mut self) -> Result<Option<Incoming<'_>>, ProtocolError> {
        let Some((kind, payload)) = self.advance()? else {
            return Ok(None);
        };
        let payload = match payload {
            Payload::InPlace(range) => &self.input[range],
            Payload::Assembled(bytes) => {
                self.assembled = bytes;
                &self.assembled
            }
        };
        kind.incoming(payload).map(Some)
    }

    /// Changes the limit for all frames that begin from now on, those in this input included.
    pub fn set_max_message_bytes(&mut self, max_message_bytes: usize) {
        self.reader.set_max_message_bytes(max_message_bytes);
    }

    fn advance(&mut self) -> Result<Option<(Kind, Payload)>, ProtocolError> {
        while !self.reader.closed && self.at < self.input.len() {
            let frame = match self.reader.frame.take() {
                Some(frame) => frame,
                None => {
                    let (frame, used) = self.reader.read_header(&self.input[self.at..])?;
                    self.at += used;
                    match frame {
                        Some(frame) => frame,
                        None => return Ok(None),
                    }
                }
            };
            if let Some(payload) = self.read_payload(frame)? {
                return Ok(Some((frame.kind, payload)));
            }
        }
        Ok(None)
    }

    /// Reads what the input has of the frame's payload. `Some` if that completes a message or a
    /// control frame.
    fn read_payload(&mut self, mut frame: Frame) -> Result<Option<Payload>, ProtocolError> {
        let taken = frame.left.min(self.input.len() - self.at);
        let range = self.at..self.at + taken;
        self.at = range.end;

        let piece = &mut self.input[range.clone()];
        mask::apply(piece, frame.mask);
        let is_complete = taken == frame.left && frame.is_final;
        if is_complete && !self.reader.has_kept(frame.kind) {
            self.reader.finish(frame.kind);
            return Ok(Some(Payload::InPlace(range)));
        }
        self.reader.keep(frame, piece)?;
        if is_complete {
            let assembled = self.reader.finish(frame.kind);
            return Ok(Some(Payload::Assembled(assembled)));
        }
        if taken < frame.left {
            frame.left -= taken;
            frame.mask = mask::rotated(frame.mask, taken);
            self.reader.frame = Some(frame);
        }
        Ok(None)
    }
}

/// A frame whose header has been read.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// For a continuation, the kind of its message.
    kind: Kind,
    is_final: bool,
    /// The mask for the next byte of the payload and those after it.
    mask: [u8; 4],
    /// How many bytes of the payload are still to come.
    left: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
    Ping,
    Pong,
    Close,
}

/// Where a complete payload is.
enum Payload {
    InPlace(Range<usize>),
    Assembled(Vec<u8>),
}

impl Kind {
    fn is_control(self) -> bool {
        match self {
            Self::Text | Self::Binary => false,
            Self::Ping | Self::Pong | Self::Close => true,
        }
    }

    fn incoming(self, payload: &[u8]) -> Result<Incoming<'_>, ProtocolError> {
        match self {
            Self::Text => str::from_utf8(payload)
                .map(Incoming::Text)
                .map_err(|_| ProtocolError::TextNotUtf8),
            Self::Binary => Ok(Incoming::Binary(payload)),
            Self::Ping => Ok(Incoming::Ping(payload)),
            Self::Pong => Ok(Incoming::Pong(payload)),
            Self::Close => close(payload),
        }
    }
}

fn close(payload: &[u8]) -> Result<Incoming<'_>, ProtocolError> {
    let (code, reason) = match payload {
        [] => (None, payload),
        [_] => return Err(ProtocolError::HalfCloseCode),
        [high, low, reason @ ..] => (Some(u16::from_be_bytes([*high, *low])), reason),
    };
    if let Some(code) = code
        && !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
    {
        return Err(ProtocolError::CloseCodeNotAllowed(code));
    }
    let reason = str::from_utf8(reason).map_err(|_| ProtocolError::CloseReasonNotUtf8)?;
    Ok(Incoming::Close { code, reason })
}

fn admit_control(
    control: Control,
    is_final: bool,
    length: u64,
) -> Result<(Kind, usize), ProtocolError> {
    let kind = match control {
        Control::Close => Kind::Close,
        Control::Ping => Kind::Ping,
        Control::Pong => Kind::Pong,
        Control::Reserved(opcode) => return Err(ProtocolError::ReservedOpcode(opcode)),
    };
    if !is_final {
        return Err(ProtocolError::FragmentedControl);
    }
    match usize::try_from(length) {
        Ok(length) if length <= MAX_CONTROL_BYTES => Ok((kind, length)),
        Ok(_) | Err(_) => Err(ProtocolError::ControlTooLong(length)),
    }
}

/// Appends `piece`, growing the buffer by doubling but not beyond `bound` bytes.
fn append(buffer: &mut Vec<u8>, piece: &[u8], bound: usize) {
    let needed = buffer.len() + piece.len();
    if needed > buffer.capacity() {
        let capacity = (2 * buffer.capacity()).min(bound).max(needed);
        buffer.reserve_exact(capacity - buffer.len());
    }
    buffer.extend_from_slice(piece);
}

#[cfg(test)]
mod tests;
