//! Ledgers: what clients were told is durable, as they wrote it down themselves.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::limits::CLIENT_KEPT_MS;
use boardcast_protocol::position::{Epoch, Seq, Timestamp, Version};

use super::CheckError;
use super::report::{CheckReport, Invariant, LedgerCounts};
use crate::clock;

/// Lines of all ledgers together, of about 64 bytes in memory each. More are refused.
const LINES_MAX: u64 = 10_000_000;
/// Longest line; a longer one is none of a ledger.
const LINE_MAX_BYTES: u64 = 4_096;

#[derive(Deserialize)]
struct Written {
    board: BoardId,
    client: ClientId,
    seq: Seq,
    version: Version,
    epoch: Epoch,
    at: Timestamp,
}

/// A command that was told to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    client: ClientId,
    seq: Seq,
    version: Version,
    epoch: Epoch,
    at: Timestamp,
}

/// All ledgers, by board.
#[derive(Debug, Default)]
pub(super) struct Ledgers {
    boards: BTreeMap<BoardId, Vec<Told>>,
    counts: LedgerCounts,
}

impl Ledgers {
    /// Reads the files: JSON lines. A last line without an end is left out and counted.
    ///
    /// # Errors
    /// A file cannot be read, holds something else, or there are too many lines.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, CheckError> {
        let mut ledgers = Self::default();
        for file in files {
            ledgers.read_file(file)?;
        }
        Ok(ledgers)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), CheckError> {
        let wrong = |reason: String| CheckError::Ledger {
            file: path.to_owned(),
            reason,
        };
        let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
        let mut file = BufReader::new(file);
        let mut text = Vec::new();
        for number in 1_u64.. {
            text.clear();
            let mut line = file.by_ref().take(LINE_MAX_BYTES);
            let read = line.read_until(b'\n', &mut text);
            if read.map_err(|error| wrong(error.to_string()))? == 0 {
                break;
            }
            if text.last() != Some(&b'\n') && (text.len() as u64) < LINE_MAX_BYTES {
                self.counts.cut += 1;
                break;
            }
            let told: Written = serde_json::from_slice(&text)
                .map_err(|error| wrong(format!("line {number} is none of a ledger: {error}")))?;
            self.counts.lines += 1;
            if self.counts.lines > LINES_MAX {
                let hint = format!("there are more than {LINES_MAX} lines; check them in parts");
                return Err(wrong(hint));
            }
            self.boards.entry(told.board).or_default().push(Told {
                client: told.client,
                seq: told.seq,
                version: told.version,
                epoch: told.epoch,
                at: told.at,
            });
        }
        Ok(())
    }

    /// What was told about a board; it is given out once.
    pub(super) fn take(&mut self, board: BoardId) -> BoardLedger {
        let mut told = self.boards.remove(&board).unwrap_or_default();
        told.sort_unstable();
        let lines = told.len();
        told.dedup_by_key(|told| (told.client, told.seq, told.version, told.epoch));
        self.counts.repeated += (lines - told.len()) as u64;
        BoardLedger {
            seen: vec![Seen::default(); told.len()],
            told,
        }
    }

    /// Counts what a board's log has shown.
    pub(super) fn add(&mut self, counts: LedgerCounts) {
        self.counts.found += counts.found;
        self.counts.proven += counts.proven;
        self.counts.forgotten += counts.forgotten;
        self.counts.lost += counts.lost;
        self.counts.doubled += counts.doubled;
        self.counts.misplaced += counts.misplaced;
    }

    /// When all boards were read: what is left is of boards that do not exist.
    pub(super) fn finish(self, report: &mut CheckReport) {
        report.ledger = self.counts;
        for (board, told) in self.boards {
            report.ledger.lost += told.len() as u64;
            for told in told {
                report.add(
                    Invariant::LedgerBoard,
                    Some(board.as_str()),
                    format_args!("no such board, but a ledger has {}", told.name()),
                    "a board",
                );
            }
        }
    }
}

impl Told {
    fn name(&self) -> String {
        let Self {
            client,
            seq,
            version,
            ..
        } = self;
        format!("client {client}, seq {seq}, at version {version}")
    }
}

/// What is known of a board when its log was read to the end.
pub(super) struct Ending<'a> {
    pub(super) id: &'a str,
    pub(super) epochs: &'a [(Epoch, Version)],
    /// Versions up to it may be trimmed.
    pub(super) base: Version,
    /// The oldest version that the log keeps.
    pub(super) first: Version,
    /// The highest number of each client that is remembered.
    pub(super) last_seqs: &'a HashMap<ClientId, Seq>,
}

/// What the log has of a command that was told.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    times: u32,
    as_told: bool,
    last: Version,
}

/// What was told about one board, by client and number.
#[derive(Debug)]
pub(super) struct BoardLedger {
    told: Vec<Told>,
    seen: Vec<Seen>,
}

impl BoardLedger {
    /// The log has this command at this version.
    pub(super) fn note(&mut self, client: ClientId, seq: Seq, version: Version) {
        let start = (self.told).partition_point(|told| (told.client, told.seq) < (client, seq));
        let lines = self.told.iter().zip(&mut self.seen).skip(start);
        for (told, seen) in lines.take_while(|(told, _)| (told.client, told.seq) == (client, seq)) {
            seen.times += 1;
            seen.as_told |= told.version == version;
            seen.last = version;
        }
    }

    /// Judges every line.
    pub(super) fn finish(self, ending: &Ending<'_>, report: &mut CheckReport) -> LedgerCounts {
        let mut counts = LedgerCounts::default();
        let forgotten_before = clock::now().0.saturating_sub(CLIENT_KEPT_MS);
        for (told, seen) in self.told.iter().zip(&self.seen) {
            judge_epoch(told, ending, report);
            let mut violated = |invariant, found: String| {
                report.add(invariant, Some(ending.id), found, told.name());
            };
            if seen.times > 1 {
                counts.doubled += 1;
                let found = format!("it is in the log {} times", seen.times);
                violated(Invariant::LedgerOnce, found);
            }
            if seen.as_told {
                counts.found += 1;
            } else if seen.times > 0 {
                counts.misplaced += 1;
                let found = format!("it is in the log at version {}", seen.last);
                violated(Invariant::LedgerVersion, found);
            } else if !ending.may_be_trimmed(told.version) {
                counts.lost += 1;
                violated(Invariant::LedgerFound, "it is not in the log".to_owned());
            } else {
                match ending.last_seqs.get(&told.client) {
                    Some(last) if *last >= told.seq => counts.proven += 1,
                    None if told.at.0 < forgotten_before => counts.forgotten += 1,
                    last => {
                        counts.lost += 1;
                        let last = last.map_or(0, |last| last.0);
                        let found = format!("it was trimmed, the client's last number is {last}");
                        violated(Invariant::LedgerFound, found);
                    }
                }
            }
        }
        counts
    }
}

impl Ending<'_> {
    fn may_be_trimmed(&self, version: Version) -> bool {
        version <= self.base && version < self.first
    }
}

fn judge_epoch(told: &Told, ending: &Ending<'_>, report: &mut CheckReport) {
    let mut epochs = ending.epochs.iter();
    let known = epochs.any(|(epoch, _)| *epoch == told.epoch);
    // What is left are the later ones.
    let next = epochs.min_by_key(|(_, began)| *began);
    if !known {
        let found = format!("epoch {} is not in the history", told.epoch);
        report.add(
            Invariant::LedgerEpoch,
            Some(ending.id),
            found,
            format_args!("it was told for {}", told.name()),
        );
    }
    if let Some((epoch, began)) = next.filter(|(_, began)| told.version > *began) {
        report.add(
            Invariant::LedgerWithinEpoch,
            Some(ending.id),
            format_args!("epoch {epoch} began at {began}"),
            format_args!("epoch {} goes on to {}", told.epoch, told.name()),
        );
    }
}
