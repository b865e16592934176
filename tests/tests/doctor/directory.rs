//! Faults of a data directory.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

use boardcast_tests::process::Serving;

use crate::{examine, wrong};

#[tokio::test]
async fn files_that_are_open_to_others_and_too_few_descriptors_are_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let serving = Serving::start_with_files(&data, 1_000);
    let url = format!("http://{}", serving.address());
    let args = || {
        vec![
            url.clone(),
            "--data-dir".to_owned(),
            data.display().to_string(),
        ]
    };

    let (found, code) = examine(args()).await;
    // What the disk of this machine has left is not the matter of this test.
    let named = |found: &[serde_json::Value]| {
        let mut named: Vec<_> = wrong(found)
            .into_iter()
            .map(|(check, change)| (check.to_owned(), change.to_owned()))
            .collect();
        named.retain(|(check, _)| !matches!(check.as_str(), "disk" | "inodes"));
        named
    };
    let descriptors = named(&found);
    assert_eq!(descriptors.len(), 1, "{found:#?}");
    assert_eq!(descriptors[0].0, "descriptors");
    assert!(descriptors[0].1.contains("LimitNOFILE="), "{found:#?}");
    assert!(found.iter().any(|finding| finding["check"] == "disk"));
    assert!(found.iter().any(|finding| finding["check"] == "inodes"));
    assert!(matches!(code, Some(0 | 1)));

    let secret = data.join("secret.key");
    for (path, open, closed, check) in [
        (&data, 0o755, 0o700, "directory"),
        (&secret, 0o640, 0o600, "files"),
    ] {
        set_permissions(path, Permissions::from_mode(open)).expect("it is opened");
        let (found, code) = examine(args()).await;
        let named = named(&found);
        assert_eq!(code, Some(1));
        let change = format!("chmod {closed:03o} {}", path.display());
        assert!(named.contains(&(check.to_owned(), change)), "{found:#?}");
        set_permissions(path, Permissions::from_mode(closed)).expect("it is closed");
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let none = dir.path().join("none").display().to_string();
    let args = ["http://127.0.0.1:1", "--data-dir", &none].map(str::to_owned);
    let (found, code) = examine(args.into()).await;
    assert_eq!(code, Some(1));
    assert_eq!(wrong(&found)[0].0, "directory", "{found:?}");
}
