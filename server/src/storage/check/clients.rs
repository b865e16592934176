//! What is kept of each client (rule R4), against the log.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::TryStreamExt;
use sqlx::Row;

use boardcast_protocol::ids::{BoardId, ClientId, UserId};
use boardcast_protocol::limits::{CLIENT_KEPT_MS, OUTCOMES_KEPT};
use boardcast_protocol::message::OutcomeResult;
use boardcast_protocol::position::{Seq, Timestamp, Version};

use super::report::{CheckReport, Invariant};
use super::{Check, CheckError};
use crate::clock;
use crate::storage::{KEY_KEPT_MS, KeptOutcome};

const CLIENTS: &str =
    "SELECT client, user, last_seq, outcomes FROM clients WHERE board = ? ORDER BY client";

/// A command that became a version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    pub(super) client: ClientId,
    pub(super) seq: Seq,
    /// The digest of its body; the activity does not keep it.
    pub(super) body: Option<u64>,
    pub(super) version: Version,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
struct Kept {
    last_seq: Seq,
    outcomes: Vec<KeptOutcome>,
    /// Versions of outcomes that the log has confirmed.
    confirmed: BTreeSet<Version>,
}

/// The numbers that the log has of a client.
#[derive(Debug, Default)]
struct Logged {
    seqs: Vec<Seq>,
    last_at: Timestamp,
}

/// The clients of a board: as kept, and as the log shows them. 8 bytes for each command of the
/// board.
#[derive(Debug)]
pub(super) struct Clients {
    board: BoardId,
    rows_version: Version,
    kept: BTreeMap<ClientId, Kept>,
    logged: BTreeMap<ClientId, Logged>,
    /// Clients that should be kept and are not: each is told once.
    missing: BTreeSet<ClientId>,
    forgotten_before: u64,
    /// A key that is older may have been forgotten and stand for another request.
    keys_forgotten_before: u64,
}

impl Check<'_> {
    /// Reads what is kept, as of the version of the rows.
    pub(super) async fn clients(
        &mut self,
        board: BoardId,
        rows_version: Version,
    ) -> Result<Clients, CheckError> {
        let id = Some(board.as_str());
        let mut kept = BTreeMap::new();
        let mut rows = sqlx::query(CLIENTS)
            .bind(board.as_str())
            .fetch(&mut *self.conn);
        while let Some(row) = rows.try_next().await? {
            let (client, user): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            let last_seq = Seq(row.try_get::<i64, _>(2)?.cast_unsigned());
            let outcomes = serde_json::from_str::<Vec<KeptOutcome>>(row.try_get(3)?);
            let (Ok(client), Ok(_), Ok(outcomes)) =
                (client.parse::<ClientId>(), user.parse::<UserId>(), outcomes)
            else {
                let found = format!("client {client:?} of user {user:?}");
                let expected = "ids, and outcomes that can be read";
                self.report.add(Invariant::Readable, id, found, expected);
                continue;
            };
            let kept_client = Kept {
                last_seq,
                outcomes,
                confirmed: BTreeSet::new(),
            };
            kept_client.judge(client, board, rows_version, &mut self.report);
            kept.insert(client, kept_client);
        }
        Ok(Clients {
            board,
            rows_version,
            kept,
            logged: BTreeMap::new(),
            missing: BTreeSet::new(),
            forgotten_before: clock::now().0.saturating_sub(CLIENT_KEPT_MS),
            keys_forgotten_before: clock::now().0.saturating_sub(KEY_KEPT_MS),
        })
    }
}

impl Kept {
    fn judge(
        &self,
        client: ClientId,
        board: BoardId,
        rows_version: Version,
        report: &mut CheckReport,
    ) {
        let mut violated = |found: String, expected: String| {
            report.add(
                Invariant::ClientsMatchLog,
                Some(board.as_str()),
                format!("client {client}: {found}"),
                expected,
            );
        };
        let count = self.outcomes.len();
        if count > OUTCOMES_KEPT {
            violated(
                format!("{count} outcomes"),
                format!("{OUTCOMES_KEPT} at most"),
            );
        }
        if !self.outcomes.is_sorted_by(|a, b| a.seq < b.seq) {
            violated(
                "outcomes out of order".into(),
                "by number, each once".into(),
            );
        }
        if let Some(last) = self.outcomes.last().filter(|last| last.seq > self.last_seq) {
            let found = format!("an outcome of number {}", last.seq);
            violated(found, format!("{} at most, the last number", self.last_seq));
        }
        for outcome in self.accepted() {
            if outcome.version.is_none_or(|version| version > rows_version) {
                let version = outcome.version.map_or(0, |version| version.0);
                let found = format!("number {} accepted at version {version}", outcome.seq);
                violated(found, format!("at most {rows_version}, that of the rows"));
            }
        }
    }

    fn accepted(&self) -> impl Iterator<Item = &KeptOutcome> {
        let accepted = |outcome: &&KeptOutcome| outcome.result == OutcomeResult::Accepted;
        self.outcomes.iter().filter(accepted)
    }
}

impl Clients {
    /// The log has this command; commands come in the order of their versions.
    pub(super) fn note(&mut self, command: Command, report: &mut CheckReport) {
        if command.client.is_of_key() && command.at.0 < self.keys_forgotten_before {
            return;
        }
        self.note_seq(command, report);
        let Some(kept) = self.kept.get_mut(&command.client) else {
            let forgotten = command.at.0 < self.forgotten_before;
            let late = command.version > self.rows_version;
            if !forgotten && !late && self.missing.insert(command.client) {
                report.add(
                    Invariant::ClientsMatchLog,
                    Some(self.board.as_str()),
                    format_args!("client {} is not kept", command.client),
                    format_args!("its number {} of version {}", command.seq, command.version),
                );
            }
            return;
        };
        if let Err((found, expected)) = kept.confirm(command, self.rows_version) {
            report.add(
                Invariant::ClientsMatchLog,
                Some(self.board.as_str()),
                format_args!("client {}: {found}", command.client),
                expected,
            );
        }
    }

    /// A client that was silent for 90 days may have been forgotten and begin anew.
    fn note_seq(&mut self, command: Command, report: &mut CheckReport) {
        let Command {
            client,
            seq,
            version,
            at,
            ..
        } = command;
        let logged = self.logged.entry(client).or_default();
        if at.0.saturating_sub(logged.last_at.0) > CLIENT_KEPT_MS {
            logged.seqs.clear();
        }
        logged.last_at = at;
        if let Some(last) = logged.seqs.last().filter(|last| seq <= **last) {
            let again = logged.seqs.binary_search(&seq).is_ok();
            let (invariant, expected) = if again {
                (Invariant::SeqOnce, "a number once".to_owned())
            } else {
                (Invariant::SeqRising, format!("a number above {last}"))
            };
            let found = format!("client {client}, number {seq} at version {version}");
            report.add(invariant, Some(self.board.as_str()), found, expected);
            return;
        }
        logged.seqs.push(seq);
    }

    /// When the log was read to its end: outcomes that it should have confirmed. What is at or below
    /// the base may have been trimmed.
    pub(super) fn finish(&self, base: Version, report: &mut CheckReport) {
        for (client, kept) in &self.kept {
            for outcome in kept.accepted() {
                let Some(version) = outcome.version.filter(|version| *version > base) else {
                    continue;
                };
                if version <= self.rows_version && !kept.confirmed.contains(&version) {
                    report.add(
                        Invariant::ClientsMatchLog,
                        Some(self.board.as_str()),
                        format_args!("client {client}: number {} as {version}", outcome.seq),
                        "a version of the log with that number",
                    );
                }
            }
        }
    }

    /// The highest number of each client that is kept.
    pub(super) fn last_seqs(&self) -> HashMap<ClientId, Seq> {
        let last = |(client, kept): (&ClientId, &Kept)| (*client, kept.last_seq);
        self.kept.iter().map(last).collect()
    }
}

impl Kept {
    /// What is kept and what the log has of a command agree, or what was found and expected.
    fn confirm(&mut self, command: Command, rows: Version) -> Result<(), (String, String)> {
        let Command {
            seq, body, version, ..
        } = command;
        if version > rows {
            if seq > self.last_seq {
                return Ok(());
            }
            let found = format!("the last number {}", self.last_seq);
            let expected = format!("below {seq} of version {version}, which is after the rows");
            return Err((found, expected));
        }
        if seq > self.last_seq {
            let found = format!("the last number {}", self.last_seq);
            return Err((found, format!("at least {seq} of version {version}")));
        }
        let kept = self.outcomes.iter().find(|kept| kept.seq == seq);
        match kept {
            Some(kept)
                if kept.result == OutcomeResult::Accepted
                    && kept.version == Some(version)
                    && body.is_none_or(|body| body == kept.body) =>
            {
                self.confirmed.insert(version);
                Ok(())
            }
            Some(kept) => Err((
                format!(
                    "number {seq} is kept as {}",
                    serde_json::to_string(kept).unwrap_or_default()
                ),
                format!("accepted as {version}, with the body of the log"),
            )),
            None if self.outcomes.first().is_some_and(|first| first.seq < seq) => Err((
                format!("no outcome of number {seq}"),
                format!("accepted as {version}"),
            )),
            None => Ok(()),
        }
    }
}
