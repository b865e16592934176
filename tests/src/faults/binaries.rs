//! The programs that faults are made on.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The programs that faults are made on.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// `boardcast`.
    pub server: PathBuf,
    /// `boardcast-sim`.
    pub simulator: PathBuf,
}

impl Binaries {
    /// Those in `dir`, or beside the running program.
    ///
    /// # Errors
    /// One is missing.
    pub fn find(dir: Option<&Path>) -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("failed to find this program")?;
        let dir = dir
            .or_else(|| own.parent())
            .context("this program has no folder")?;
        let found = Self {
            server: dir.join("boardcast"),
            simulator: dir.join("boardcast-sim"),
        };
        for path in [&found.server, &found.simulator] {
            if !path.is_file() {
                bail!(
                    "{} is missing: `cargo build --release --workspace --bins` makes it",
                    path.display()
                );
            }
        }
        Ok(found)
    }

    /// The same with `boardcast-planted`, the server into which faults can be planted.
    ///
    /// # Errors
    /// It is missing.
    pub fn planted(&self) -> anyhow::Result<Self> {
        let server = self.server.with_file_name("boardcast-planted");
        if !server.is_file() {
            bail!(
                "{} is missing: `cargo build --release -p boardcast --features planted-faults \
                 --bin boardcast-planted` makes it",
                server.display()
            );
        }
        Ok(Self {
            server,
            simulator: self.simulator.clone(),
        })
    }

    /// `boardcast`, with a clean environment.
    pub fn server(&self) -> Command {
        clean(&self.server)
    }

    /// `boardcast-sim`, with a clean environment.
    pub fn simulator(&self) -> Command {
        clean(&self.simulator)
    }
}

fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BOARDCAST_") {
            command.env_remove(name);
        }
    }
    command
}
