//! Backups that the server takes by itself.

use std::fs;
use std::path::Path;

use boardcast::backups::{BackupRules, BackupStats};
use boardcast::config::Config;
use boardcast_tests::harness::PATIENCE;
use boardcast_tests::process::{run, stderr};
use boardcast_tests::scene::Scene;
use tokio::time::{sleep, timeout};

/// A server that takes backups into `dir`, the first at once.
async fn scene(dir: &Path, change: impl FnOnce(&mut BackupRules)) -> Scene {
    let mut rules = BackupRules {
        first_after_ms: 0,
        retry_after_ms: 20,
        ..BackupRules::new(dir.to_owned())
    };
    change(&mut rules);
    Scene::with(|config: &mut Config| config.backups = Some(rules)).await
}

async fn stats(scene: &Scene) -> BackupStats {
    let root = scene.server.token_of_admin("root");
    let answer = scene.bear("GET", "/api/v1/admin/stats", &root, None).await;
    serde_json::from_value(answer.json()["backups"].clone()).expect("numbers of backups")
}

/// Waits until they are so.
async fn wait_for(scene: &Scene, is_so: impl Fn(&BackupStats) -> bool) -> BackupStats {
    let waiting = async {
        loop {
            let stats = stats(scene).await;
            if is_so(&stats) {
                return stats;
            }
            sleep(PATIENCE / 400).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it is so")
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn backups_are_taken_over_and_over_and_the_newest_stay() {
    let place = tempfile::tempdir().expect("a folder");
    let dir = place.path().join("backups");
    fs::create_dir(&dir).expect("a folder");
    for other in [
        "boards-20200101T000000Z.db",
        "boardcast-20200101T000000Z.db.gz",
    ] {
        fs::write(dir.join(other), "of somebody else").expect("a file");
    }
    let old = dir.join("boardcast-20200101T000000Z.db");
    fs::write(&old, "an old one").expect("a file");
    let scene = scene(&dir, |rules| {
        // Names tell seconds.
        rules.every_ms = 1_100;
        rules.keep = 2;
    })
    .await;
    let mut ann = scene.server.client("ann").await;
    ann.create_board("Plans").await;

    let stats = wait_for(&scene, |stats| stats.taken >= 3).await;
    assert!(stats.scheduled && stats.newest.is_some());
    assert_eq!((stats.failed, stats.reason), (0, None));
    let waiting = async {
        while names(&dir).len() != 4 {
            sleep(PATIENCE / 400).await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .expect("two of ours and two of others");
    assert!(!old.exists());
    scene.server.stop().await;

    let kept = names(&dir);
    let ours: Vec<_> = (kept.iter())
        .filter(|name| name.starts_with("boardcast-202") && name.ends_with(".db"))
        .collect();
    assert_eq!(ours.len(), 2, "{kept:?}");
    for name in ours {
        let file = dir.join(name);
        let output = run(&["check", "--file", file.to_str().expect("a path")]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
}

/// The clock was ahead when it was taken.
#[tokio::test]
async fn a_backup_of_the_future_neither_holds_up_the_next_nor_outlives_it() {
    let place = tempfile::tempdir().expect("a folder");
    let dir = place.path().join("backups");
    fs::create_dir(&dir).expect("a folder");
    let ahead = dir.join("boardcast-21000101T000000Z.db");
    fs::write(&ahead, "taken too early").expect("a file");
    let scene = scene(&dir, |rules| {
        rules.every_ms = 1_100;
        rules.keep = 1;
    })
    .await;
    wait_for(&scene, |stats| stats.taken >= 2).await;
    let waiting = async {
        while names(&dir).len() != 1 {
            sleep(PATIENCE / 400).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("one stays");
    assert!(!ahead.exists(), "{:?}", names(&dir));
}

#[tokio::test]
async fn one_that_fails_is_told_and_tried_again_and_removes_nothing() {
    let place = tempfile::tempdir().expect("a folder");
    let dir = place.path().join("backups");
    fs::write(&dir, "a file in the way").expect("a file");
    let scene = scene(&dir, |rules| rules.keep = 1).await;
    let failed = wait_for(&scene, |stats| stats.failed >= 2).await;
    assert_eq!((failed.taken, failed.newest), (0, None));
    let reason = failed.reason.expect("a reason");
    assert!(reason.contains(&dir.display().to_string()), "{reason}");
    let answer = scene.ask("GET", "/metrics", &[], None).await;
    let metrics = answer.text();
    assert!(
        metrics.contains("\nboardcast_backups_taken_total 0\n"),
        "{metrics}"
    );
    let line = metrics
        .lines()
        .find(|line| line.starts_with("boardcast_backups_failed_total "));
    assert_ne!(line, Some("boardcast_backups_failed_total 0"));

    fs::remove_file(&dir).expect("it is out of the way");
    let taken = wait_for(&scene, |stats| stats.taken == 1).await;
    assert_eq!(taken.reason, None);
    assert_eq!(names(&dir).len(), 1);
    let answer = scene.ask("GET", "/metrics", &[], None).await;
    let metrics = answer.text();
    assert!(
        metrics.contains("\nboardcast_backups_taken_total 1\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_start_goes_on_where_the_run_before_was_and_clears_what_it_left() {
    let place = tempfile::tempdir().expect("a folder");
    let dir = place.path();
    let first = scene(dir, |_| {}).await;
    let stats_of_first = wait_for(&first, |stats| stats.taken == 1).await;
    first.server.stop().await;
    fs::write(dir.join("unfinished-abc"), "half").expect("a file");

    let second = scene(dir, |_| {}).await;
    let found = wait_for(&second, |stats| stats.newest.is_some()).await;
    // To the second, as names tell it.
    assert_eq!(
        found.newest.map(|at| at / 1_000),
        stats_of_first.newest.map(|at| at / 1_000)
    );
    let waiting = async {
        while names(dir).len() != 1 {
            sleep(PATIENCE / 400).await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .expect("what was left is gone");
    assert_eq!(stats(&second).await.taken, 0, "the next is due in a day");
}
