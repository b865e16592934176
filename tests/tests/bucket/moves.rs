//! Backups, restores and checks of data directories whose files are in a bucket.

use std::ops::ControlFlow;
use std::path::Path;

use boardcast::files::FilesPlace;
use boardcast::storage::{CheckReport, CheckTarget, back_up, check, restore};

use super::stage::Stage;
use super::{Store, noise};

async fn checked(data: &Path, place: &FilesPlace) -> CheckReport {
    let target = CheckTarget::Directory(data.to_owned(), place.clone());
    let report = check(&target, &[], &|_, _| ControlFlow::Continue(())).await;
    report.expect("a check")
}

#[tokio::test]
async fn files_move_between_bucket_and_directory_by_backup_and_restore() {
    let stage = Stage::new().await;
    let (small, large) = (noise(1_000), noise(Store::MUCH_BYTES));
    let first = stage.attached("c1", "a.bin", &small).await;
    let second = stage.attached("c2", "b.bin", &large).await;
    let online = stage.scene.server.server().services().storage.backup();
    let online = online.await.expect("a backup");
    assert!(online.bytes > large.len() as u64);
    drop(online);

    let Stage {
        scene,
        store,
        board,
        ..
    } = stage;
    let data = scene.server.stop().await;
    let bucket = FilesPlace::Bucket(store.rules());
    assert_eq!(checked(data.path(), &bucket).await.files, 2);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("all.db");
    back_up((data.path(), &bucket), &file, false)
        .await
        .expect("a backup");

    // Out of the bucket.
    restore((data.path(), &FilesPlace::Directory), &file)
        .await
        .expect("a restore");
    let report = checked(data.path(), &FilesPlace::Directory).await;
    assert_eq!((report.files, report.total), (2, 0), "{report:?}");
    let elsewhere = CheckTarget::Directory(data.path().to_owned(), bucket.clone());
    let said = check(&elsewhere, &[], &|_, _| ControlFlow::Continue(())).await;
    let said = said.expect_err("it is not there").to_string();
    assert!(said.contains("are in the directory itself"), "{said}");

    // And into another one.
    let other = Store::new().await;
    let bucket = FilesPlace::Bucket(other.rules());
    restore((data.path(), &bucket), &file)
        .await
        .expect("a restore");
    let report = checked(data.path(), &bucket).await;
    assert_eq!((report.files, report.total), (2, 0), "{report:?}");
    store.stop().await;
    let server = boardcast_tests::harness::TestServer::over_with(data, |config| {
        other.configure(config);
    });
    let server = server.await;
    let stage = Stage {
        ann: server.token("ann"),
        scene: boardcast_tests::scene::Scene { server },
        board,
        store: other,
    };
    assert!(stage.get(&first).await.body() == small);
    assert!(stage.get(&second).await.body() == large);
    assert_eq!((stage.files().len(), stage.incoming()), (2, 0));
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_restore_that_was_refused_can_be_tried_again() {
    let stage = Stage::new().await;
    let bytes = noise(1_000);
    stage.attached("c1", "a.bin", &bytes).await;
    let Stage { scene, store, .. } = stage;
    let data = scene.server.stop().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("all.db");
    let bucket = FilesPlace::Bucket(store.rules());
    back_up((data.path(), &bucket), &file, false)
        .await
        .expect("a backup");
    let wrong = folder.path().join("wrong.db");
    std::fs::write(&wrong, "no database").expect("a file");
    let other = Store::new().await;
    let place = FilesPlace::Bucket(other.rules());
    let fresh = tempfile::tempdir().expect("a folder");
    restore((fresh.path(), &place), &wrong)
        .await
        .expect_err("it is no backup");
    restore((fresh.path(), &place), &file)
        .await
        .expect("a restore");
    let report = checked(fresh.path(), &place).await;
    assert_eq!((report.files, report.total), (1, 0), "{report:?}");

    // The bucket of the first is not taken by the way.
    let said = restore((fresh.path(), &bucket), &file).await;
    let said = said.expect_err("it is taken").to_string();
    assert!(said.contains("another data directory"), "{said}");
    assert_eq!(checked(data.path(), &bucket).await.total, 0);
}

#[tokio::test]
async fn a_check_names_what_is_damaged_or_missing_in_the_bucket_and_backups_leave_it_out() {
    let stage = Stage::new().await;
    stage.attached("c1", "a.bin", &noise(5_000)).await;
    let damaged = stage.only_file();
    stage.attached("c2", "b.bin", &noise(70_000)).await;
    stage.attached("c2", "c.bin", b"sound").await;
    let mut bytes = std::fs::read(&damaged).expect("a file");
    bytes[2_500] ^= 1;
    std::fs::write(&damaged, bytes).expect("damage");
    let other = stage.files().into_iter().find(|name| {
        let path = stage.root().join(&name[..2]).join(name);
        std::fs::metadata(path).is_ok_and(|about| about.len() == 70_000)
    });
    let other = other.expect("the other file");
    std::fs::remove_file(stage.root().join(&other[..2]).join(&other)).expect("a loss");

    let Stage { scene, store, .. } = stage;
    let data = scene.server.stop().await;
    let place = FilesPlace::Bucket(store.rules());
    let report = checked(data.path(), &place).await;
    assert_eq!((report.files, report.total), (3, 2), "{report:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("all.db");
    back_up((data.path(), &place), &file, false)
        .await
        .expect("a backup of the rest");
    let report = check(&CheckTarget::File(file), &[], &|_, _| {
        ControlFlow::Continue(())
    })
    .await;
    assert_eq!(report.expect("a check").total, 2);

    // A store that does not answer is no damage.
    store.stop().await;
    let target = CheckTarget::Directory(data.path().to_owned(), place);
    let said = check(&target, &[], &|_, _| ControlFlow::Continue(())).await;
    let said = said.expect_err("no check").to_string();
    assert!(said.contains("check `s3_endpoint`"), "{said}");
}
