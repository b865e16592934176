//! What a bucket is asked.

use super::{Stage, Store, noise};

const PART_BYTES: u64 = 5 * 1_024 * 1_024;

#[tokio::test]
async fn a_small_file_is_one_request_and_a_large_one_comes_in_parts() {
    let stage = Stage::new().await;
    stage.store.asked();
    let small = noise(PART_BYTES as usize - 1);
    stage.attached("c1", "small.bin", &small).await;
    let asked = stage.store.asked();
    let [(method, path, bytes)] = asked.as_slice() else {
        panic!("more than one request: {asked:?}");
    };
    assert_eq!((method.as_str(), *bytes), ("PUT", PART_BYTES - 1));
    let name = path.rsplit('/').next().expect("a name");
    assert!(
        path.starts_with("/plans/boardcast/files/") && name.len() == 64,
        "{path}"
    );

    let large = noise(12_000_000);
    let file = stage.attached("c1", "large.bin", &large).await;
    let asked = stage.store.asked();
    let parts: Vec<_> = asked
        .iter()
        .filter(|(_, path, _)| path.contains("partNumber="))
        .map(|(_, _, bytes)| *bytes)
        .collect();
    assert_eq!(parts, [PART_BYTES, PART_BYTES, 12_000_000 - 2 * PART_BYTES]);
    let largest = asked.iter().map(|(_, _, bytes)| *bytes).max();
    assert_eq!(largest, Some(PART_BYTES), "memory holds a part: {asked:?}");
    assert_eq!(stage.incoming(), 0);
    assert!(stage.get(&file).await.body() == large);
    assert_eq!(stage.files().len(), 2);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_range_asks_the_bucket_for_no_more_once_the_file_is_known_to_be_sound() {
    let stage = Stage::new().await;
    let bytes = noise(3_000_000);
    let file = stage.attached("c1", "a.bin", &bytes).await;
    assert_eq!(stage.get(&file).await.status, 200);
    stage.store.asked();
    let range = [("range", "bytes=1000000-1000099")];
    let got = stage.ask("GET", &file, &stage.ann, &range, &[]).await;
    assert!(got.body() == &bytes[1_000_000..1_000_100]);
    let asked = stage.store.asked();
    let methods: Vec<_> = asked.iter().map(|(method, ..)| method.as_str()).collect();
    assert_eq!(methods, ["HEAD", "GET"], "{asked:?}");
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_store_behind_tls_is_trusted_by_its_certificate_alone() {
    let store = Store::over_tls().await;
    let stage = Stage::in_store(store, |_| {}).await;
    let bytes = noise(Store::MUCH_BYTES);
    let file = stage.attached("c1", "a.bin", &bytes).await;
    assert!(stage.get(&file).await.body() == bytes);
    let other = Store::over_tls().await;
    let mut rules = other.rules();
    rules.ca = stage.store.rules().ca;
    other.asked();
    let said = super::refusals::refused(rules).await;
    assert!(said.contains("certificate"), "{said}");
    assert_eq!(other.asked(), [], "nothing is said to a stranger");
    stage.scene.server.stop().await;
}
