//! Getting files.

use super::{Stage, noise};

#[tokio::test]
async fn a_range_is_a_part_and_a_known_tag_is_304() {
    let stage = Stage::new().await;
    let bytes = noise(300_000);
    let file = stage.attached("c1", "a.bin", &bytes).await;
    let whole = stage.get(&file).await;
    let tag = whole.header("etag").expect("a tag").to_owned();
    assert_eq!(tag.len(), 66, "the hash of the file: {tag}");
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("cache-control"), Some("private, no-cache"));

    let known = [("if-none-match", tag.as_str())];
    let same = stage.ask("GET", &file, &stage.ann, &known, &[]).await;
    assert_eq!((same.status, same.body().len()), (304, 0));

    for (range, part) in [
        ("bytes=0-0", 0..1),
        ("bytes=100000-199999", 100_000..200_000),
        ("bytes=299999-", 299_999..300_000),
        ("bytes=-1000", 299_000..300_000),
    ] {
        let got = stage
            .ask("GET", &file, &stage.ann, &[("range", range)], &[])
            .await;
        assert_eq!(got.status, 206, "{range}");
        assert!(got.body() == &bytes[part.clone()], "{range}");
        let told = format!("bytes {}-{}/300000", part.start, part.end - 1);
        assert_eq!(got.header("content-range"), Some(told.as_str()));
    }
    let behind = [("range", "bytes=300000-")];
    let got = stage.ask("GET", &file, &stage.ann, &behind, &[]).await;
    assert_eq!(got.problem(), "range-not-satisfiable");
    assert_eq!(
        (got.status, got.header("content-range")),
        (416, Some("bytes */300000"))
    );
    for headers in [
        [("range", "bytes=0-1,4-5"), ("if-range", tag.as_str())],
        [("range", "bytes=0-1"), ("if-range", "\"other\"")],
    ] {
        let got = stage.ask("GET", &file, &stage.ann, &headers, &[]).await;
        assert_eq!(
            (got.status, got.body().len()),
            (200, 300_000),
            "{headers:?}"
        );
    }
    let head = stage.ask("HEAD", &file, &stage.ann, &[], &[]).await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("300000"))
    );
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_damaged_or_missing_file_is_an_error_and_never_other_bytes() {
    let stage = Stage::new().await;
    let bytes = noise(300_000);
    let file = stage.attached("c1", "a.bin", &bytes).await;
    let path = stage.only_file();
    let mut other = bytes.clone();
    other[150_000] ^= 1;
    std::fs::write(&path, &other).expect("damage");
    for headers in [&[][..], &[("range", "bytes=0-9")]] {
        let got = stage.ask("GET", &file, &stage.ann, headers, &[]).await;
        assert_eq!((got.status, got.problem().as_str()), (500, "damaged-file"));
        let hint = got.json()["detail"].as_str().expect("a hint").to_owned();
        assert!(
            hint.contains("backup") && hint.contains("boardcast check"),
            "{hint}"
        );
    }
    std::fs::remove_file(&path).expect("no file");
    let got = stage.get(&file).await;
    assert_eq!((got.status, got.problem().as_str()), (500, "damaged-file"));
    let server = stage.scene.server.server();
    assert_eq!(server.attachments().counts().damaged(), 3);

    // The same bytes put it back.
    stage.attached("c2", "b.bin", &bytes).await;
    assert!(stage.get(&file).await.body() == bytes);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn damage_behind_the_back_of_the_store_is_seen_at_the_next_read() {
    let stage = Stage::new().await;
    let bytes = noise(100_000);
    let file = stage.attached("c1", "a.bin", &bytes).await;
    assert_eq!(stage.get(&file).await.status, 200);
    let path = stage.only_file();
    let modified = std::fs::metadata(&path).and_then(|found| found.modified());
    let modified = modified.expect("a time");
    let mut other = bytes.clone();
    other[99_999] ^= 1;
    // As a disk does it: neither size nor time tell.
    std::fs::write(&path, &other).expect("damage");
    let opened = std::fs::File::options().write(true).open(&path);
    opened
        .and_then(|opened| opened.set_modified(modified))
        .expect("the old time");
    let cut = stage.get(&file).await;
    assert!(!cut.is_whole(), "nobody has a whole file");
    let got = stage.get(&file).await;
    assert_eq!((got.status, got.problem().as_str()), (500, "damaged-file"));
    stage.scene.server.stop().await;
}
