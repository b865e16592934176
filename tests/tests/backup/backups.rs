//! A backup is one consistent moment, whatever goes on beside it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use boardcast_tests::harness::PATIENCE;
use boardcast_tests::process::{Serving, Simulating, stderr, stdout};

use super::{Scene, column, failed, succeeded, text};

/// Commands that are durable before the backup begins.
const DURABLE_BEFORE: usize = 100;

#[test]
fn a_backup_under_load_has_everything_that_was_durable_before_it() {
    let scene = Scene::new();
    let tokens = scene.path("tokens");
    let told = scene.path("ledger");
    let data = scene.data();
    let users = ["--user", "sim", "--count", "4", "--data-dir", text(&data)];
    let users = succeeded(&[&["token"][..], &users].concat());
    fs::write(&tokens, users).expect("a token file");
    let serving = Serving::start(&data);
    let server = serving.url("");
    let mut args = vec!["run", "--clients", "12", "--boards", "3", "--rate", "60"];
    args.extend(["--duration", "6s", "--settle", "60s", "--server", &server]);
    args.extend(["--token-file", text(&tokens), "--ledger", text(&told)]);
    let fleet = Simulating::start(&args);

    let before = until_lines(&told, DURABLE_BEFORE);
    let ledger = scene.path("ledger.before");
    fs::write(&ledger, &before).expect("a ledger");
    let file = scene.path("backup.db");
    let admin = scene.admin();
    succeeded(&[
        "backup",
        text(&file),
        "--server",
        &server,
        "--token",
        &admin,
    ]);
    let report = scene.clean(&["--file", text(&file), "--ledger", text(&ledger)]);
    assert_eq!(report["boards"], 3);
    assert_eq!(report["ledger"]["found"], before.lines().count());
    assert!(report["ledger"]["found"].as_u64() >= Some(DURABLE_BEFORE as u64));
    let mode = fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(scene.files("unfinished-"), Vec::<std::path::PathBuf>::new());

    let again = failed(&[
        "backup",
        text(&file),
        "--server",
        &server,
        "--token",
        &admin,
    ]);
    assert!(again.contains("--force"), "{again}");
    let forced = ["backup", text(&file), "--force", "--server", &server];
    succeeded(&[&forced[..], &["--token", &admin]].concat());
    scene.clean(&["--file", text(&file), "--ledger", text(&ledger)]);

    let ended = fleet.finish();
    let said = format!("{}{}", stdout(&ended), stderr(&ended));
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert_eq!(serving.terminate(), Some(0));
    scene.clean(&["--data-dir", text(&data), "--ledger", text(&told)]);
}

/// The whole lines of a ledger, as soon as there are so many.
fn until_lines(ledger: &std::path::Path, count: usize) -> String {
    let began = std::time::Instant::now();
    loop {
        let found = fs::read_to_string(ledger).unwrap_or_default();
        let whole = found.rfind('\n').map_or(0, |end| end + 1);
        if found[..whole].lines().count() >= count {
            return found[..whole].to_owned();
        }
        assert!(began.elapsed() < PATIENCE * 2, "durable commands");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn a_backup_of_a_directory_takes_in_what_a_crash_left_in_the_log() {
    let scene = Scene::new();
    let data = scene.data();
    let serving = Serving::start(&data);
    let mut ann = scene.client(&serving).await;
    ann.hello(None).await;
    let board = ann.create_board("Plans").await;
    ann.subscribe(board, None).await;
    for seq in 1..=5 {
        ann.submit(board, seq, column(&format!("c{seq}"))).await;
    }
    ann.durable(board, 5).await;
    let file = scene.path("backup.db");
    let args = ["backup", text(&file), "--data-dir", text(&data)];
    let told = failed(&args);
    assert!(told.contains("is in use"), "{told}");
    assert!(!file.exists());
    serving.kill();
    succeeded(&args);
    let report = scene.clean(&["--file", text(&file)]);
    assert_eq!(report["versions"], 5);
    let nowhere = scene.path("no/such/backup.db");
    failed(&["backup", text(&nowhere), "--data-dir", text(&data)]);
}
