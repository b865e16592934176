//! The marker that every operation carries, by which deliveries are counted whatever the protocol.

use std::io::Write;

use memchr::memmem::Finder;

/// What each marker begins with.
pub(crate) const START: &[u8] = b"op@";
/// `op@<16 hex>.<8 hex>.`
pub(crate) const MARKER_BYTES: usize = 3 + 16 + 1 + 8 + 1;

/// One operation: a change of a card.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    /// When it was to be published, in nanoseconds of the monotonic clock.
    pub(crate) due: u64,
    /// Its number among all operations of this process.
    pub(crate) seq: u32,
    pub(crate) board: u32,
    pub(crate) nth_of_board: u64,
    /// Length of the payload.
    pub(crate) bytes: usize,
}

impl Op {
    /// Writes the marker: no character that JSON escapes.
    pub(crate) fn write_marker(&self, into: &mut Vec<u8>) {
        write_to(into, format_args!("op@{:016x}.{:08x}.", self.due, self.seq));
    }

    /// Writes a card move of exactly `bytes` bytes as JSON, for servers that relay anything.
    pub(crate) fn write_move(&self, into: &mut Vec<u8>) {
        let start = into.len();
        into.extend_from_slice(b"{\"type\":\"card.move\",\"id\":\"");
        self.write_marker(into);
        write_to(
            into,
            format_args!(
                "\",\"board\":\"b{}\",\"card\":\"c{:04}\",\"from\":\"list-{}\",\"to\":\"list-{}\",\"v\":{},\"title\":\"",
                self.board,
                self.nth_of_board % 500,
                self.seq % 5,
                (self.seq % 5 + 1) % 5,
                self.seq,
            ),
        );
        self.fill(start, b"\"}", into);
    }

    /// Lengthens what stands from `start` on, so that with `end` it is a payload long.
    pub(crate) fn fill(&self, start: usize, end: &[u8], into: &mut Vec<u8>) {
        let bytes = (start + self.bytes).saturating_sub(end.len());
        into.resize(into.len().max(bytes), b'k');
        into.extend_from_slice(end);
    }
}

pub(crate) fn write_to(into: &mut Vec<u8>, what: std::fmt::Arguments<'_>) {
    // Writing to a Vec cannot fail.
    let _ = into.write_fmt(what);
}

/// A marker that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) at: usize,
    pub(crate) due: u64,
    pub(crate) seq: u32,
}

/// Finds markers in what a server sends.
#[derive(Debug)]
pub(crate) struct Scanner(Finder<'static>);

impl Scanner {
    pub(crate) fn new() -> Self {
        Self(Finder::new(START))
    }

    /// The markers in `bytes`, in their order.
    #[inline]
    pub(crate) fn hits<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Hit> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let at = from + self.0.find(&bytes[from..])?;
                if let Some(hit) = read(bytes, at) {
                    from = at + MARKER_BYTES;
                    return Some(hit);
                }
                from = at + START.len();
            }
        })
    }
}

#[inline]
fn read(bytes: &[u8], at: usize) -> Option<Hit> {
    let marker: &[u8; MARKER_BYTES] = bytes[at..].first_chunk()?;
    if marker[19] != b'.' || marker[28] != b'.' {
        return None;
    }
    Some(Hit {
        at,
        due: hex(&marker[3..19])?,
        seq: hex(&marker[20..28])? as u32,
    })
}

#[inline]
fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(seq: u32) -> Op {
        Op {
            due: 0x1234_5678_9abc,
            seq,
            board: 499,
            nth_of_board: 123_456,
            bytes: 200,
        }
    }

    #[test]
    fn a_move_is_json_of_the_length_asked_for_and_holds_its_marker() {
        for seq in [0, u32::MAX] {
            let mut payload = Vec::new();
            op(seq).write_move(&mut payload);
            assert_eq!(payload.len(), 200);
            serde_json::from_slice::<serde_json::Value>(&payload).unwrap();
            let scanner = Scanner::new();
            let hits: Vec<Hit> = scanner.hits(&payload).collect();
            assert_eq!(hits.len(), 1);
            assert_eq!((hits[0].due, hits[0].seq), (0x1234_5678_9abc, seq));
        }
    }

    #[test]
    fn every_marker_of_a_batch_is_found_and_nothing_else() {
        let mut batch = b"op@ op@0000000000000001_00000001. ".to_vec();
        for seq in 0..3 {
            op(seq).write_move(&mut batch);
        }
        batch.extend_from_slice(b"op@000000");
        let scanner = Scanner::new();
        let seqs: Vec<u32> = scanner.hits(&batch).map(|hit| hit.seq).collect();
        assert_eq!(seqs, [0, 1, 2]);
    }
}
