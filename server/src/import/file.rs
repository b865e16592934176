//! A file on its way in: counted, hashed and freed of what stands before its JSON.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use boardcast_protocol::board::Fault;

/// How often the progress of a large file is told, in bytes.
const PROGRESS_BYTES: u64 = 256 * 1_024;

/// Why a file was not imported. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It could not be read.
    #[error("failed to read the file: {0}")]
    Io(#[from] io::Error),
    /// It is not the JSON that was expected.
    #[error("not readable at line {line}, column {column} (byte {byte}): {what}")]
    Json {
        /// The line, counted from 1.
        line: u64,
        /// The column, counted from 1 in bytes.
        column: u64,
        /// Bytes of the file that were read.
        byte: u64,
        /// What is wrong there.
        what: String,
    },
    /// It is JSON, but not an export of the program that was named.
    #[error("{0}")]
    Format(String),
    /// The board in it breaks a rule.
    #[error("the board in the file breaks a rule: {0}")]
    Fault(#[from] Fault),
}

/// Told how many bytes have been read.
type Progress<'a> = Box<dyn FnMut(u64) + Send + 'a>;

/// A file that is being read.
pub struct Source<'a> {
    inner: BufReader<Box<dyn Read + Send + 'a>>,
    progress: Progress<'a>,
    hash: Sha256,
    read: u64,
    told: u64,
    hashed: Vec<u8>,
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

impl<'a> Source<'a> {
    /// Reads from `inner`.
    pub fn new(inner: impl Read + Send + 'a) -> Self {
        Self {
            inner: BufReader::with_capacity(64 * 1_024, Box::new(inner)),
            progress: Box::new(|_| {}),
            hash: Sha256::new(),
            read: 0,
            told: 0,
            hashed: Vec::with_capacity(8 * 1_024),
        }
    }

    /// Tells the bytes read so far to `progress`, every 256 KiB and at the end.
    #[must_use]
    pub fn with_progress(mut self, progress: impl FnMut(u64) + Send + 'a) -> Self {
        self.progress = Box::new(progress);
        self
    }

    /// Skips a byte-order mark, empty lines and lines that begin with `//`; returns how many lines.
    fn skip_prelude(&mut self) -> io::Result<u64> {
        if self.inner.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            self.take(3);
        }
        let mut lines = 0;
        loop {
            let start = self.inner.fill_buf()?;
            let is_comment = start.starts_with(b"//");
            match start.first() {
                Some(b'\n') => {
                    lines += 1;
                    self.take(1);
                }
                Some(b'\r' | b' ' | b'\t') => self.take(1),
                Some(b'/') if is_comment => self.skip_line()?,
                Some(_) | None => return Ok(lines),
            }
        }
    }

    /// Skips to the end of the line, without its line break.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.inner.fill_buf()?;
            let (count, found) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.take(count);
            if found {
                return Ok(());
            }
        }
    }

    fn take(&mut self, count: usize) {
        let buffer = self.inner.buffer();
        let count = count.min(buffer.len());
        self.hash.update(&buffer[..count]);
        self.inner.consume(count);
        self.count(count);
    }

    fn count(&mut self, bytes: usize) {
        self.read += bytes as u64;
        if self.read >= self.told + PROGRESS_BYTES {
            self.told = self.read;
            (self.progress)(self.read);
        }
    }

    fn finish(mut self) -> String {
        self.hash.update(&self.hashed);
        (self.progress)(self.read);
        let digest = self.hash.finalize();
        digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        // The JSON reader takes single bytes; they are gathered because hashing single bytes is slow.
        self.hashed.extend_from_slice(&into[..count]);
        if self.hashed.len() >= 4_096 {
            self.hash.update(&self.hashed);
            self.hashed.clear();
        }
        self.count(count);
        Ok(count)
    }
}

/// Reads the one JSON value of a file, and the file's digest.
pub(super) fn read_json<T: DeserializeOwned>(
    mut source: Source<'_>,
) -> Result<(T, String), FileError> {
    let lines = source.skip_prelude()?;
    let mut reader = serde_json::Deserializer::from_reader(&mut source);
    let value = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(value) => Ok((value, source.finish())),
        Err(error) => Err(describe(error, lines, source.read)),
    }
}

fn describe(error: serde_json::Error, lines: u64, byte: u64) -> FileError {
    if error.is_io() {
        return FileError::Io(error.into());
    }
    let (line, column) = (error.line() as u64, error.column() as u64);
    let text = error.to_string();
    let what = text
        .rfind(" at line ")
        .map_or(text.as_str(), |end| &text[..end]);
    FileError::Json {
        line: line + lines,
        column,
        byte,
        what: if error.is_eof() {
            format!("{what}: the file is cut off")
        } else {
            what.to_owned()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<u32>, String> {
        read_json(Source::new(text))
            .map(|(value, _)| value)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn what_stands_before_the_json_is_skipped() {
        let text = b"\xef\xbb\xbf// 2024-01-01\n\n  // more\r\n [1,\n2]";
        assert_eq!(read(text), Ok(vec![1, 2]));
        assert!(read(b"").unwrap_err().contains("byte 0"));
        assert!(read(b"// only this").unwrap_err().contains("cut off"));
    }

    #[test]
    fn an_error_tells_the_line_of_the_file() {
        let error = read(b"// a\n// b\n[1,\n x]").unwrap_err();
        assert_eq!(
            error,
            "not readable at line 4, column 2 (byte 16): expected value"
        );
        let error = read(b"[1,2").unwrap_err();
        assert!(
            error.ends_with("(byte 4): EOF while parsing a list: the file is cut off"),
            "{error}"
        );
        assert!(read(b"[1] 2").unwrap_err().contains("trailing characters"));
    }

    #[test]
    fn a_million_open_brackets_are_an_error() {
        let error =
            read_json::<serde_json::Value>(Source::new(&[b'['; 1_000_000][..])).unwrap_err();
        assert!(error.to_string().contains("recursion limit"), "{error}");
    }

    #[test]
    fn the_digest_is_that_of_the_whole_file() {
        let text = format!("// x\n[{}]\n", "1,".repeat(5_000).trim_end_matches(','));
        let (_, digest) = read_json::<Vec<u32>>(Source::new(text.as_bytes())).unwrap();
        let expected = Sha256::digest(text.as_bytes());
        assert!(
            expected.iter().map(|b| format!("{b:02x}")).eq(digest
                .as_bytes()
                .chunks(2)
                .map(|pair| String::from_utf8_lossy(pair).into_owned()))
        );
    }
}
