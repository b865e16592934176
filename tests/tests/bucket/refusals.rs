//! Buckets that are not there, are somebody else's, or do not take the key.

use std::fs;

use boardcast::config::Config;
use boardcast::files::{BucketRules, FilesPlace};
use boardcast::{ServeError, Server};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{Stage, Store, noise};

async fn started(data: &TempDir, rules: BucketRules) -> Result<Server, ServeError> {
    let mut config = Config::in_dir(data.path());
    config.files = FilesPlace::Bucket(rules);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    Server::start(config, listener).await
}

/// What a server says that does not start on a new data directory.
pub(super) async fn refused(rules: BucketRules) -> String {
    let data = tempfile::tempdir().expect("a folder");
    let started = started(&data, rules).await;
    started
        .map(drop)
        .expect_err("it does not start")
        .to_string()
}

#[tokio::test]
async fn a_start_names_a_key_or_a_bucket_that_is_wrong_and_what_to_do() {
    let store = Store::new().await;
    let mut elsewhere = store.rules();
    elsewhere.bucket = "no-plans".to_owned();
    let said = refused(elsewhere).await;
    assert!(
        said.contains("no") && said.contains("correct `s3_bucket`"),
        "{said}"
    );

    for (id, secret, code) in [
        ("AKIDNOBODY", "not-a-secret", "NotSignedUp"),
        ("AKIDBOARDCAST", "hidden-and-wrong", "SignatureDoesNotMatch"),
    ] {
        store.set_key(id, secret);
        let said = refused(store.rules()).await;
        assert!(
            said.contains(code) && said.contains("check the access key id"),
            "{said}"
        );
        assert!(!said.contains(secret), "{said}");
    }
    let mut without = store.rules();
    without.key = Some("/nowhere/key.toml".into());
    let said = refused(without).await;
    assert!(said.contains("/nowhere/key.toml cannot be read"), "{said}");
    assert!(
        !store.root(std::path::Path::new("")).exists(),
        "nothing was written"
    );
}

#[tokio::test]
async fn a_key_that_is_refused_later_is_503_until_its_file_is_right_again() {
    let stage = Stage::new().await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    stage.store.set_key("AKIDNOBODY", "revoked");
    for answer in [
        stage.get(&file).await,
        stage.attach("c1", "b.bin", b"other").await,
    ] {
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (503, "unavailable")
        );
        assert!(
            answer.hint().contains("ask who runs it"),
            "{}",
            answer.hint()
        );
        assert!(answer.retry_after().is_some());
    }
    stage.store.set_right_key();
    assert_eq!(stage.get(&file).await.body(), b"bytes");
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_bucket_that_is_gone_or_emptied_does_not_make_files_damaged() {
    let stage = Stage::new().await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    let hidden = stage.store.bucket().with_file_name("hidden");
    fs::rename(stage.store.bucket(), &hidden).expect("no bucket");
    assert_eq!(stage.get(&file).await.status, 503);
    fs::create_dir(stage.store.bucket()).expect("an empty bucket");
    let empty = stage.get(&file).await;
    assert_eq!(
        (empty.status, empty.problem().as_str()),
        (503, "unavailable")
    );
    // The upkeep does not take it for the end of all files.
    let attachments = stage.scene.server.server().attachments();
    let swept = attachments.sweep(boardcast::clock::now()).await;
    let said = swept.expect_err("no round").to_string();
    assert!(
        said.contains("s3://plans/boardcast/files/boardcast-owner is not there"),
        "{said}"
    );
    fs::remove_dir_all(stage.store.bucket()).expect("no empty bucket");
    fs::rename(&hidden, stage.store.bucket()).expect("the bucket");
    assert_eq!(stage.get(&file).await.body(), b"bytes");
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_bucket_has_one_data_directory_and_another_is_refused() {
    let stage = Stage::new().await;
    let file = stage.attached("c1", "a.bin", b"bytes").await;
    let mark = "s3://plans/boardcast/files/boardcast-owner";
    let other = tempfile::tempdir().expect("a folder");
    let said = started(&other, stage.store.rules()).await;
    let said = said.map(drop).expect_err("it is taken").to_string();
    assert!(
        said.contains(mark) && said.contains("`s3_prefix`"),
        "{said}"
    );

    // A prefix of its own is a store of its own.
    let mut beside = stage.store.rules();
    beside.prefix = "other".to_owned();
    let server = started(&other, beside).await.expect("it starts");
    let swept = server.attachments().sweep(boardcast::clock::now()).await;
    assert_eq!(swept.expect("a round").removed, 0);
    server.stop().await.expect("a stop");

    // Whoever deletes the mark gives the bucket away; the one before removes nothing any more.
    let third = tempfile::tempdir().expect("a folder");
    fs::remove_file(stage.root().join("boardcast-owner")).expect("a mark");
    let server = started(&third, stage.store.rules()).await;
    server.expect("it starts").stop().await.expect("a stop");
    let attachments = stage.scene.server.server().attachments();
    let swept = attachments.sweep(boardcast::clock::now()).await;
    let said = swept.expect_err("no round").to_string();
    assert!(said.contains("another data directory"), "{said}");
    assert_eq!(
        stage.get(&file).await.body(),
        b"bytes",
        "it may still be read"
    );
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn files_are_not_looked_for_where_they_are_not() {
    let stage = Stage::new().await;
    let bytes = noise(1_000);
    stage.attached("c1", "a.bin", &bytes).await;
    let Stage { scene, store, .. } = stage;
    let data = scene.server.stop().await;
    let mut elsewhere = store.rules();
    elsewhere.prefix = "elsewhere".to_owned();
    for place in [FilesPlace::Directory, FilesPlace::Bucket(elsewhere)] {
        let mut config = Config::in_dir(data.path());
        config.files = place.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let said = Server::start(config, listener).await;
        let said = said.map(drop).expect_err("it does not start").to_string();
        let named = [format!("names {place}"), format!("name {place}")];
        assert!(named.iter().any(|named| said.contains(named)), "{said}");
        assert!(said.contains("are in s3://plans/boardcast/files"), "{said}");
        assert!(said.contains("take a backup"), "{said}");
    }
    let server = started(&data, store.rules()).await.expect("it starts");
    server.stop().await.expect("a stop");

    let with_files = Store::new().await;
    let in_directory = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(in_directory.path().join("attachments/ab/")).expect("a folder");
    fs::write(in_directory.path().join("attachments/ab/c"), "x").expect("a file");
    let said = started(&in_directory, with_files.rules()).await;
    let said = said.map(drop).expect_err("it does not start").to_string();
    assert!(said.contains("are in the directory itself"), "{said}");
}
