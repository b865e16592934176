//! System calls of the server that are made to fail, or to take longer, by `strace`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

use super::mount::{NotHere, tool};

/// Longest wait until all threads are traced.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// A kind of call that storage makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Call {
    /// Writes to the database and its write-ahead log.
    Write,
    /// Syncs of them.
    Fsync,
}

impl Call {
    fn names(self) -> &'static str {
        match self {
            Self::Write => "pwrite64",
            Self::Fsync => "fsync,fdatasync",
        }
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inject {
    /// The n-th call of each thread fails.
    Fail(Error, u32),
    /// Each call takes so many microseconds longer.
    Delay(u32),
}

/// What a call fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Error {
    /// The device fails.
    Eio,
    /// No space is left.
    Enospc,
}

impl fmt::Display for Inject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fail(Error::Eio, n) => write!(f, "error=EIO:when={n}"),
            Self::Fail(Error::Enospc, n) => write!(f, "error=ENOSPC:when={n}"),
            Self::Delay(us) => write!(f, "delay_exit={us}"),
        }
    }
}

/// A tracer; it lets go of the server when it is dropped.
#[derive(Debug)]
pub struct Tracer {
    child: Child,
    log: PathBuf,
}

/// The command that runs a server, whose arguments are still to come, under a tracer that is not its
/// parent: the process that is started is the server.
///
/// # Errors
/// `strace` is missing.
pub fn before(data: &Path, call: Call, inject: Inject, log: &Path) -> Result<Command, NotHere> {
    let mut command = strace(data, call, inject, log)?;
    command.args(["-D", "--seccomp-bpf"]);
    Ok(command)
}

/// How many calls were touched, as a tracer's log says.
///
/// # Errors
/// The log cannot be read.
pub fn injected(log: &Path) -> anyhow::Result<usize> {
    let text = std::fs::read(log).context("the log of strace")?;
    Ok(String::from_utf8_lossy(&text).matches("(INJECTED)").count())
}

fn strace(data: &Path, call: Call, inject: Inject, log: &Path) -> Result<Command, NotHere> {
    let mut command = tool("strace", "strace")?;
    command.args(["-f", "-q", "-o"]).arg(log);
    for file in ["boardcast.db", "boardcast.db-wal"] {
        command.arg("-P").arg(data.join(file));
    }
    let names = call.names();
    command
        .args(["-e", &format!("trace={names}")])
        .args(["-e", &format!("inject={names}:{inject}")]);
    Ok(command)
}

impl Tracer {
    /// Traces all threads of a server that runs.
    ///
    /// # Errors
    /// `strace` is missing, or the machine does not permit it.
    pub async fn attach(
        pid: u32,
        data: &Path,
        call: Call,
        inject: Inject,
        log: &Path,
    ) -> anyhow::Result<Result<Self, NotHere>> {
        let mut command = match strace(data, call, inject, log) {
            Ok(command) => command,
            Err(not_here) => return Ok(Err(not_here)),
        };
        let mut child = command
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to run strace")?;
        let until = Instant::now() + PATIENCE;
        while !is_traced(pid)? {
            if child.try_wait()?.is_some() {
                let told = child.wait_with_output()?;
                let told = String::from_utf8_lossy(&told.stderr);
                return Ok(Err(NotHere(format!("strace: {}", told.trim()))));
            }
            if Instant::now() >= until {
                let _ = child.kill();
                let _ = child.wait();
                bail!("strace does not get hold of the server");
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Ok(Self {
            child,
            log: log.to_owned(),
        }))
    }

    /// Waits until a call was touched.
    ///
    /// # Errors
    /// None is within `patience`.
    pub async fn hits(&self, patience: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        while injected(&self.log)? == 0 {
            if Instant::now() >= until {
                bail!("the call was not made within {patience:?}");
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// Whether all threads of a process have a tracer.
fn is_traced(pid: u32) -> anyhow::Result<bool> {
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may have ended meanwhile.
        let status = std::fs::read_to_string(task?.path().join("status")).unwrap_or_default();
        if status.lines().any(|line| line == "TracerPid:\t0") {
            return Ok(false);
        }
    }
    Ok(true)
}
