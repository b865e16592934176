//! WebSocket frames, as much as a client needs that offers no extension.

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
/// Any mask will do on loopback; a fixed one costs no random number.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Bytes that are about to go out on one connection.
#[derive(Debug, Default)]
pub(crate) struct Out(pub(crate) Vec<u8>);

impl Out {
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, payload: &[u8]) {
        self.masked(TEXT, payload);
    }

    pub(crate) fn binary(&mut self, payload: &[u8]) {
        self.masked(BINARY, payload);
    }

    pub(crate) fn pong(&mut self, payload: &[u8]) {
        self.masked(PONG, payload);
    }

    /// A frame as a server sends it; the floor relays it untouched.
    pub(crate) fn as_server_text(&mut self, payload: &[u8]) {
        self.header(TEXT, 0, payload.len());
        self.0.extend_from_slice(payload);
    }

    fn masked(&mut self, opcode: u8, payload: &[u8]) {
        self.header(opcode, MASKED, payload.len());
        self.0.extend_from_slice(&MASK);
        let masked = payload.iter().zip(MASK.iter().cycle());
        self.0.extend(masked.map(|(byte, mask)| byte ^ mask));
    }

    fn header(&mut self, opcode: u8, masked: u8, bytes: usize) {
        self.0.push(FINAL | opcode);
        if bytes < 126 {
            self.0.push(masked | bytes as u8);
        } else if let Ok(bytes) = u16::try_from(bytes) {
            self.0.push(masked | 126);
            self.0.extend_from_slice(&bytes.to_be_bytes());
        } else {
            self.0.push(masked | 127);
            self.0.extend_from_slice(&(bytes as u64).to_be_bytes());
        }
    }
}

/// The head of a server's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) opcode: u8,
    pub(crate) is_final: bool,
    pub(crate) head_bytes: usize,
    pub(crate) payload_bytes: usize,
}

impl Head {
    /// The head at the start of `bytes`, if it is complete.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else {
            return None;
        };
        let (length_bytes, payload_bytes) = match second & 0x7f {
            126 => (2, usize::from(u16::from_be_bytes(*rest.first_chunk()?))),
            127 => (8, u64::from_be_bytes(*rest.first_chunk()?) as usize),
            short => (0, usize::from(short)),
        };
        Some(Self {
            opcode: first & 0x0f,
            is_final: first & FINAL != 0,
            head_bytes: 2 + length_bytes,
            payload_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        for bytes in [0, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; bytes];
            let mut out = Out::default();
            out.as_server_text(&payload);
            let head = Head::read(&out.0).unwrap();
            assert_eq!(
                (head.opcode, head.is_final, head.payload_bytes),
                (TEXT, true, bytes)
            );
            assert_eq!(out.0[head.head_bytes..], payload);
            assert_eq!(Head::read(&out.0[..head.head_bytes - 1]), None);
        }
    }

    #[test]
    fn a_masked_payload_comes_back() {
        let mut out = Out::default();
        out.text(b"{\"type\":\"join\"}");
        let (head, masked) = out.0.split_at(6);
        assert_eq!(head[..2], [0x81, 0x80 | 15]);
        let plain: Vec<u8> = masked
            .iter()
            .zip(head[2..].iter().cycle())
            .map(|(a, b)| a ^ b)
            .collect();
        assert_eq!(plain, b"{\"type\":\"join\"}");
    }
}
