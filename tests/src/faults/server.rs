//! A server as a process that faults are made on.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

/// Longest wait for a server to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two looks at a process.
const LOOK: Duration = Duration::from_millis(2);
/// Lines of standard error that are kept.
const LINES_KEPT: usize = 40;

#[derive(Debug, Default)]
struct Said {
    ready: bool,
    panics: u64,
    lines: VecDeque<String>,
}

/// A running server; killed, and waited for, when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    said: Arc<Mutex<Said>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Starts it; it is not ready yet.
    ///
    /// # Errors
    /// There is no such program.
    pub fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            // The signals of a terminal are for the harness, which ends its processes itself.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to run {}", command.get_program().display()))?;
        let stderr = child.stderr.take().context("no standard error")?;
        let said = Arc::new(Mutex::new(Said::default()));
        let heard = Arc::clone(&said);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut said = heard.lock().unwrap_or_else(PoisonError::into_inner);
                said.ready |= line.starts_with("listening on ");
                said.panics += u64::from(line.contains("panicked at"));
                said.lines.push_back(line);
                if said.lines.len() > LINES_KEPT {
                    said.lines.pop_front();
                }
            }
        });
        Ok(Self {
            child,
            said,
            reader: Some(reader),
        })
    }

    /// Waits until it listens.
    ///
    /// # Errors
    /// It ends, or does not come.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            if self.said(|said| said.ready) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at its start ({status}): {}", self.text());
            }
            if Instant::now() >= until {
                bail!(
                    "the server is not ready after {PATIENCE:?}: {}",
                    self.text()
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A value of `/proc/PID/status` in bytes.
    ///
    /// # Errors
    /// The server has ended, or there is no such line.
    pub fn memory(&self, name: &str) -> anyhow::Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim_matches(':').split_whitespace().next());
        Ok(kib.context("no such line")?.parse::<u64>()? * 1_024)
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The process cannot be asked.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not end.
    pub async fn end(&mut self) -> anyhow::Result<ExitStatus> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                if let Some(reader) = self.reader.take() {
                    let _ = reader.join();
                }
                return Ok(status);
            }
            if Instant::now() >= until {
                bail!("the server does not end: {}", self.text());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Stops all its threads where they stand; it can only be killed then.
    ///
    /// # Errors
    /// It has ended.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Kills it at once, as a crash would.
    ///
    /// # Errors
    /// It had ended by itself, or panicked.
    pub fn kill(mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server had ended by itself ({status}): {}", self.text());
        }
        self.child.kill()?;
        self.child.wait()?;
        if self.panics() > 0 {
            bail!("the server panicked: {}", self.text());
        }
        Ok(())
    }

    /// Asks it to stop, and waits for its end. The exit code.
    ///
    /// # Errors
    /// It does not end.
    pub async fn terminate(mut self) -> anyhow::Result<Option<i32>> {
        self.signal(Signal::TERM)?;
        Ok(self.end().await?.code())
    }

    /// The last lines that it said.
    pub fn text(&self) -> String {
        self.said(|said| said.lines.iter().cloned().collect::<Vec<_>>().join("\n"))
    }

    /// How often it panicked.
    pub fn panics(&self) -> u64 {
        self.said(|said| said.panics)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.context("a process id")?, signal)?)
    }

    fn said<T>(&self, look: impl FnOnce(&Said) -> T) -> T {
        look(&self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
