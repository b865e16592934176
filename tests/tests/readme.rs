//! What the README tells people to type works as it stands there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use boardcast_tests::process::binary;
use rustix::process::{Pid, Signal, kill_process};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The lines of the README's shell blocks.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    lines.map(str::to_owned).collect()
}

/// A Trello export of one list and one card.
const MY_BOARD: &str = r#"{"id":"5a1532fe1a583c9b3bb5bc8b","name":"Mine","lists":[{"id":"5a153332afe7db2602b95313",
"name":"To do","closed":false,"pos":1}],"cards":[{"id":"5a33ad61a0583c44d0780f29","name":"First","idList":
"5a153332afe7db2602b95313","pos":1,"closed":false,"idShort":1}]}"#;

struct Script {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Script {
    /// Runs what `make run` runs, on another port and folder and with the build of the tests, which
    /// other tests run at this time.
    fn start(listen: &str, data: &Path) -> Self {
        let mut child = Command::new(root().join("scripts/run.sh"))
            .env("PROFILE", "dev")
            .env("CLIENT", "keep")
            .env("LISTEN", listen)
            .env("DATA", data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    /// What it says, up to the line that ends with `last`.
    fn until(&mut self, last: &str) -> String {
        let mut text = String::new();
        while !text.trim_end().ends_with(last) {
            let read = self.said.read_line(&mut text).unwrap();
            assert!(read > 0, "the script has ended after: {text}");
        }
        text
    }

    fn stop(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

#[test]
fn the_commands_of_the_readme_work() {
    let programs = binary().parent().unwrap().display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("boardcast-data");
    fs::write(folder.path().join("my-board.json"), MY_BOARD).unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let listen = port.to_string();
    let mut script = Script::start(&listen, &data);
    let said = script.until("boardcast-data.");
    assert!(
        said.contains(&format!("http://{listen}/#ticket=")),
        "{said}"
    );

    let (makes, others): (Vec<_>, Vec<_>) = commands()
        .into_iter()
        .partition(|line| line.starts_with("make "));
    assert_eq!(makes.len(), 2, "make run and make test: {makes:?}");
    assert!(others.len() >= 5, "{others:?}");
    for line in others {
        let here = line
            .replace("target/release", &programs)
            .replace("127.0.0.1:8080", &listen)
            .replace("--duration 20s", "--duration 2s");
        let done = Command::new("sh")
            .args(["-c", &here])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{line}\n{error}");
    }
    let export = fs::read_to_string(folder.path().join("sample-bike-workshop.json")).unwrap();
    assert!(
        export.contains("\"columns\""),
        "an export holds the columns"
    );
    assert_eq!(script.stop(), Some(0), "a stopped server ends with success");
}
