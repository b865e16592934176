//! The binaries themselves, as processes that can be stopped and killed.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};

/// The path of `boardcast`, which is built if it is not up to date.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| folder().join("boardcast"))
}

/// The path of `boardcast-sim`, which is built if it is not up to date.
pub fn simulator() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| folder().join("boardcast-sim"))
}

/// Builds `boardcast-planted`, the server into which faults can be planted, beside the others.
pub fn build_planted() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "boardcast"])
            .args(["--features", "planted-faults", "--bin", "boardcast-planted"])
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the binary is built");
    });
}

/// The folder of both binaries. They are built by one command, so that they share what they depend
/// on.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--bins"])
            .args(["--package", "boardcast", "--package", "boardcast-sim"])
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the binaries are built");
        let test = std::env::current_exe().expect("the path of this test");
        test.ancestors().nth(2).expect("a target folder").to_owned()
    })
}

/// Runs `boardcast` to its end.
pub fn run(args: &[&str]) -> Output {
    output(binary(), args)
}

/// Runs `boardcast-sim` to its end.
pub fn simulate(args: &[&str]) -> Output {
    output(simulator(), args)
}

fn output(binary: &Path, args: &[&str]) -> Output {
    Command::new(binary)
        .args(args)
        .env_remove("BOARDCAST_TOKEN")
        .env_remove("BOARDCAST_DATA_DIR")
        .output()
        .expect("the binary runs")
}

/// What a run said on standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a run said on standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running `boardcast serve`; killed when it is dropped.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    address: SocketAddr,
    said: Vec<String>,
    /// What it says from then on.
    later: Option<JoinHandle<Vec<String>>>,
}

impl Serving {
    /// Starts a server on a free port and waits until it is ready.
    pub fn start(data_dir: &Path) -> Self {
        Self::start_at(data_dir, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts a server at `address` and waits until it is ready.
    pub fn start_at(data_dir: &Path, address: SocketAddr) -> Self {
        Self::start_with(data_dir, address, &[])
    }

    /// The same with more flags.
    pub fn start_with(data_dir: &Path, address: SocketAddr, flags: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.arg("serve").args(flags);
        Self::spawn(command, data_dir, address)
    }

    /// The same under a limit of open files.
    pub fn start_with_files(data_dir: &Path, files_max: u32) -> Self {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={files_max}"));
        command.arg(binary()).arg("serve");
        Self::spawn(command, data_dir, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    fn spawn(mut command: Command, data_dir: &Path, address: SocketAddr) -> Self {
        let mut child = command
            .args(["--listen", &address.to_string(), "--data-dir"])
            .arg(data_dir)
            .args(["--return-window-ms", "200"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let stderr = child.stderr.take().expect("standard error");
        let mut lines = BufReader::new(stderr).lines();
        let mut said = Vec::new();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let url = line.strip_prefix("listening on ");
                let address = url.and_then(|url| url.split_once("://"));
                let address = address.map(|(_, address)| address.to_owned());
                said.push(line);
                address
            })
            .expect("a server that is ready");
        // Somebody has to go on reading, or the server would stand still when the pipe is full.
        let later = std::thread::spawn(move || lines.map(Result::unwrap_or_default).collect());
        Self {
            child,
            address: address.parse().expect("an address"),
            said,
            later: Some(later),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it said before it was ready.
    pub fn said(&self) -> &[String] {
        &self.said
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address of a path over HTTP.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Asks it to stop, and waits for its end. The exit code.
    pub fn terminate(self) -> Option<i32> {
        self.ask_to_stop();
        self.ended()
    }

    /// Asks it to read its files again.
    pub fn ask_to_reload(&self) {
        self.signal(Signal::HUP);
    }

    /// Asks it to stop, and waits for its end. All lines that it wrote to standard error.
    pub fn log(mut self) -> Vec<String> {
        self.ask_to_stop();
        self.child.wait().expect("the end of the server");
        let later = self.later.take().map(JoinHandle::join);
        let later = later.expect("a reader").expect("its lines");
        let mut all = std::mem::take(&mut self.said);
        all.extend(later);
        all
    }

    /// Asks it to stop.
    pub fn ask_to_stop(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits for its end. The exit code.
    pub fn ended(mut self) -> Option<i32> {
        self.child.wait().expect("the end of the server").code()
    }

    /// Kills it at once, as a crash would.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("the end of the server");
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        kill_process(Pid::from_raw(pid).expect("a process id"), signal).expect("a signal");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `boardcast-sim`; killed when it is dropped.
#[derive(Debug)]
pub struct Simulating(Option<Child>);

impl Simulating {
    /// Starts it.
    pub fn start(args: &[&str]) -> Self {
        let child = Command::new(simulator())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        Self(Some(child))
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Output {
        let child = self.0.take().expect("a process that was not waited for");
        child.wait_with_output().expect("the end of the simulator")
    }
}

impl Drop for Simulating {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
