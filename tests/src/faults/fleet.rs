//! The fleet that works while faults are made, and its report.

use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::Instant;

use super::args::Load;
use super::ledger::Ledger;
use super::outcome::Outcome;
use super::site::Site;

/// Longest time a fleet may take to settle and to compare after its commands have ended.
const PATIENCE: Duration = Duration::from_secs(240);
/// The same as the fleet is told it.
const SETTLE: &str = "120s";
/// Time between two looks at a process.
const LOOK: Duration = Duration::from_millis(20);

/// A running fleet; killed, and waited for, when it is dropped.
#[derive(Debug)]
pub struct Fleet {
    child: Child,
    report: std::path::PathBuf,
    said: std::path::PathBuf,
    complaints: std::path::PathBuf,
}

impl Fleet {
    /// Starts a fleet that works until [`Self::finish`], against `server` (a URL).
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(site: &Site, server: &str, load: Load, seed: u64) -> anyhow::Result<Self> {
        let (report, said) = (site.path("report"), site.path("fleet.txt"));
        let complaints = site.path("fleet.err");
        let child = site
            .binaries()
            .simulator()
            .args(["run", "--server", server, "--duration", "24h"])
            .args(["--settle", SETTLE, "--seed", &seed.to_string()])
            .args(["--clients", &load.clients.to_string()])
            .args(["--boards", &load.boards.to_string()])
            .args(["--rate", &load.rate.to_string()])
            .args(["--cards", &load.cards.to_string()])
            .arg("--token-file")
            .arg(site.tokens()?)
            .arg("--ledger")
            .arg(site.path("ledger"))
            .arg("--report")
            .arg(&report)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&said)?)
            .stderr(std::fs::File::create(&complaints)?)
            .spawn()
            .context("failed to run boardcast-sim")?;
        Ok(Self {
            child,
            report,
            said,
            complaints,
        })
    }

    /// Whether it has ended before it was told to.
    ///
    /// # Errors
    /// The process cannot be asked.
    pub fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits for the first durable commands, for at most `patience`.
    ///
    /// # Errors
    /// They do not come, or the fleet ends before.
    pub async fn begins(&mut self, ledger: &mut Ledger, patience: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        loop {
            if !ledger.read()?.is_empty() {
                return Ok(());
            }
            let complaints = std::fs::read_to_string(&self.complaints).unwrap_or_default();
            if self.has_ended()? {
                bail!("the fleet ended before it began to work: {complaints}");
            }
            if Instant::now() > until {
                bail!("no command was durable after {patience:?}: {complaints}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends the commands and waits until everything is settled and compared.
    ///
    /// # Errors
    /// There is no report.
    pub async fn finish(mut self) -> anyhow::Result<Report> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if self.child.try_wait()?.is_none() {
            kill_process(pid.context("a process id")?, Signal::INT)?;
        }
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() >= until {
                bail!("the fleet does not end");
            }
            tokio::time::sleep(LOOK).await;
        }
        let said = std::fs::read_to_string(&self.said).unwrap_or_default();
        let text = std::fs::read(&self.report)
            .with_context(|| format!("the fleet has left no report: {said}"))?;
        Ok(Report {
            value: serde_json::from_slice(&text).context("the report of the fleet")?,
            said,
        })
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a fleet has found.
#[derive(Debug)]
pub struct Report {
    value: Value,
    said: String,
}

impl Report {
    /// A count by its JSON pointer; 0 where there is none.
    pub fn count(&self, pointer: &str) -> u64 {
        let value = self.value.pointer(pointer);
        value.and_then(Value::as_u64).unwrap_or_default()
    }

    /// Adds the counts of the fleet to the figures, and its violations to the failures.
    pub fn judge(&self, outcome: &mut Outcome) {
        for (figure, pointer) in [
            ("sent", "/commands/sent"),
            ("durable", "/commands/durable"),
            ("rejected", "/commands/rejected"),
            ("unanswered", "/commands/unanswered"),
            ("forgotten", "/commands/forgotten"),
            ("violations", "/violations/total"),
            ("diverged", "/violations/diverged"),
            ("resumed with events", "/connections/resumed_with_events"),
            (
                "resumed with snapshot",
                "/connections/resumed_with_snapshot",
            ),
        ] {
            outcome.add(figure, self.count(pointer));
        }
        let settled = self.value["settled"] == Value::Bool(true);
        let ended = &self.value["connections"]["ended"];
        let clean = settled
            && self.count("/violations/total") == 0
            && self.count("/commands/unanswered") == 0
            && ended.as_array().is_some_and(Vec::is_empty);
        outcome.expect(clean, || format!("the fleet is not content: {}", self.said));
    }
}
