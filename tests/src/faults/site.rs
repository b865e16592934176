//! Where a part happens: a folder of its own, the data, the tokens, an address.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use rand::RngExt;
use tempfile::TempDir;

use super::binaries::Binaries;
use super::server::Server;

/// Ports that no connection takes by itself: a client that knocks at a port in the range of those
/// may meet itself while the server is away.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// Users; client i signs in as user i mod so many.
const USERS: usize = 20;

/// Where a part happens. The folder is removed when it is dropped.
#[derive(Debug)]
pub struct Site {
    dir: TempDir,
    data: PathBuf,
    address: SocketAddr,
    binaries: Binaries,
    flags: Vec<String>,
}

impl Site {
    /// With the data in its own folder.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(binaries: &Binaries) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("boardcast-faults-")
            .tempdir()
            .context("failed to make a folder")?;
        Ok(Self {
            data: dir.path().join("data"),
            dir,
            address: free_address()?,
            binaries: binaries.clone(),
            flags: vec![
                "--max-connections-per-user".to_owned(),
                "10000".to_owned(),
                "--return-window-ms".to_owned(),
                "200".to_owned(),
            ],
        })
    }

    /// Puts the data elsewhere.
    pub fn with_data(mut self, data: PathBuf) -> Self {
        self.data = data;
        self
    }

    /// Starts servers with more flags.
    pub fn with_flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).into()));
        self
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the data are.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where servers listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The programs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The file of the tokens, one a user, valid for a month.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn tokens(&self) -> anyhow::Result<PathBuf> {
        let path = self.path("tokens");
        if path.exists() {
            return Ok(path);
        }
        self.tokens_by(self.binaries.server())
    }

    /// The same, made by `program`: `boardcast` with an environment of its own.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn tokens_by(&self, mut program: Command) -> anyhow::Result<PathBuf> {
        let path = self.path("tokens");
        let made = program
            .args(["token", "--user", "sim", "--ttl", "30d", "--count"])
            .arg(USERS.to_string())
            .arg("--data-dir")
            .arg(&self.data)
            .output()?;
        if !made.status.success() {
            let told = String::from_utf8_lossy(&made.stderr);
            bail!("no tokens: {told}");
        }
        std::fs::write(&path, made.stdout)?;
        Ok(path)
    }

    /// The first token.
    ///
    /// # Errors
    /// There are none.
    pub fn token(&self) -> anyhow::Result<String> {
        let text = std::fs::read_to_string(self.tokens()?)?;
        Ok(text.lines().next().context("no token")?.to_owned())
    }

    /// The command that starts a server.
    pub fn command(&self) -> Command {
        self.arguments_of(self.binaries.server())
    }

    /// The command that starts a server inside another program, such as a tracer.
    pub fn command_inside(&self, mut outer: Command) -> Command {
        let inner = self.binaries.server();
        outer.arg(inner.get_program());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => outer.env(name, value),
                None => outer.env_remove(name),
            };
        }
        self.arguments_of(outer)
    }

    fn arguments_of(&self, mut command: Command) -> Command {
        command
            .args(["serve", "--listen", &self.address.to_string(), "--data-dir"])
            .arg(&self.data)
            .args(&self.flags);
        command
    }

    /// Starts a server and waits until it is ready.
    ///
    /// # Errors
    /// It does not get ready.
    pub async fn serve(&self) -> anyhow::Result<Server> {
        let mut server = Server::spawn(&mut self.command())?;
        server.ready().await?;
        Ok(server)
    }
}

/// An address on loopback that nobody listens at.
///
/// # Errors
/// There is none.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    for _ in 0..1_000 {
        let address = SocketAddr::from(([127, 0, 0, 1], rand::rng().random_range(PORTS)));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port of {PORTS:?} is free");
}
