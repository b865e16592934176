//! The end of files that nothing refers to.

use std::time::Duration;

use boardcast::clock;
use boardcast::storage::AttachmentPlace;
use boardcast_protocol::position::Timestamp;
use boardcast_tests::harness::PATIENCE;
use serde_json::json;

use super::{Stage, Store, ids, noise};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

impl Stage {
    /// A round of the upkeep, so many days from now: found to be gone, ended, removed.
    pub(super) async fn sweep_in(&self, days: u64) -> (u64, u64, u64) {
        let at = Timestamp(clock::now().0 + days * DAY_MS);
        let attachments = self.scene.server.server().attachments();
        let swept = attachments.sweep(at).await.expect("a round");
        (swept.gone, swept.ended, swept.removed)
    }

    /// Rounds of the upkeep until so many attachments were found to be gone: rows are written behind
    /// the log.
    pub(super) async fn gone(&self, count: u64) {
        let found = async {
            let mut found = 0;
            while found < count {
                let (gone, ended, removed) = self.sweep_in(0).await;
                assert_eq!((ended, removed), (0, 0), "nothing ends at once");
                found += gone;
            }
            assert_eq!(found, count);
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.expect("rows in time");
    }

    /// Receives a file and keeps it as what an attachment will be, as an upload does before it asks
    /// the board.
    async fn keep(&self, attachment: &str, bytes: &[u8]) {
        let attachments = self.scene.server.server().attachments();
        let mut file = attachments.files().receive().await.expect("a file");
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        file.write(&bytes).await.expect("bytes");
        let received = file.finish().await.expect("a whole file");
        let place = AttachmentPlace {
            board: ids(&format!("{}/attachments/x", self.board)).0,
            card: "c1".parse().expect("an id"),
            attachment: attachment.parse().expect("an id"),
        };
        let kept = attachments.keep(place, received, clock::now()).await;
        kept.expect("it is kept");
    }
}

#[tokio::test]
async fn a_file_stays_for_thirty_days_after_its_last_attachment_and_not_longer() {
    let stage = Stage::new().await;
    let bytes = noise(10_000);
    let first = stage.attached("c1", "a.bin", &bytes).await;
    let second = stage.attached("c2", "b.bin", &bytes).await;
    let other = stage.attached("c2", "c.bin", b"other").await;
    assert_eq!(stage.sweep_in(0).await, (0, 0, 0));
    assert_eq!(stage.sweep_in(400).await, (0, 0, 0), "what is shown stays");

    let removed = format!("{}/cards/c1/attachments/{}", stage.board, ids(&first).1);
    assert_eq!(
        stage
            .ask("DELETE", &removed, &stage.ann, &[], &[])
            .await
            .status,
        200
    );
    stage.gone(1).await;
    assert_eq!(stage.sweep_in(29).await, (0, 0, 0), "history may name it");
    assert_eq!(stage.sweep_in(31).await, (0, 1, 0), "another card has it");
    assert!(stage.get(&second).await.body() == bytes);

    // Deleting the card counts.
    let card = format!("{}/cards/c2", stage.board);
    assert_eq!(
        stage
            .ask("DELETE", &card, &stage.ann, &[], &[])
            .await
            .status,
        200
    );
    assert_eq!(stage.get(&other).await.status, 404);
    stage.gone(2).await;
    assert_eq!(stage.files().len(), 2);
    assert_eq!(stage.sweep_in(31).await, (0, 2, 2));
    assert_eq!(stage.files(), [""; 0]);
    let attachments = stage.scene.server.server().attachments();
    let totals = attachments.totals().await.expect("the totals");
    assert_eq!((totals.files, totals.bytes), (0, 0));
    assert_eq!(attachments.counts().removed(), 2);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn what_a_crash_leaves_between_file_and_command_ends() {
    let stage = Stage::new().await;
    stage.keep("lost", b"noted, and never on the board").await;
    let attachments = stage.scene.server.server().attachments();
    let mut file = attachments.files().receive().await.expect("a file");
    let unnoted = bytes::Bytes::from_static(b"in the store, and not noted");
    file.write(&unnoted).await.expect("bytes");
    let received = file.finish().await.expect("a whole file");
    received.keep().await.expect("it is kept");
    assert_eq!(stage.files().len(), 2);
    let lost = format!("{}/attachments/lost", stage.board);
    assert_eq!(stage.get(&lost).await.problem(), "not-found");
    assert_eq!(
        stage.sweep_in(0).await,
        (1, 0, 1),
        "what nobody knows goes at once"
    );
    assert_eq!(stage.sweep_in(31).await, (0, 1, 1));
    assert_eq!(stage.files(), [""; 0]);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_file_whose_upload_broke_off_leaves_nothing() {
    let stage = Stage::new().await;
    let attachments = std::sync::Arc::clone(stage.scene.server.server().attachments());
    let mut file = attachments.files().receive().await.expect("a file");
    let half = bytes::Bytes::from(noise(Store::MUCH_BYTES));
    file.write(&half).await.expect("bytes");
    assert_ne!(stage.incoming(), 0);
    // As a crash does: nobody tidies up before the next start.
    std::mem::forget(file);
    drop(attachments);
    let stage = stage.restart().await;
    assert_eq!(stage.incoming(), 0);
    stage.scene.server.stop().await;
}

#[tokio::test]
async fn a_board_that_refuses_an_attachment_has_its_file_for_ten_minutes() {
    let stage = Stage::new().await;
    let links: Vec<_> = (0..200)
        .map(|number| {
            json!({"type": "attachment.add", "card": "c1", "attachment": format!("a{number}"),
                   "name": "x", "url": "https://example.org/"})
        })
        .collect();
    for part in links.chunks(50) {
        stage.commands(json!(part)).await;
    }
    let full = stage.attach("c1", "a.bin", b"bytes").await;
    assert_eq!((full.status, full.problem().as_str()), (409, "limit"));
    assert_eq!(stage.sweep_in(0).await, (0, 0, 0));
    assert_eq!(stage.files().len(), 1);
    assert_eq!(stage.sweep_in(1).await, (0, 1, 1));
    assert_eq!(stage.files(), [""; 0]);
    stage.scene.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_comes_again_while_it_is_removed_is_there() {
    let stage = Stage::new().await;
    let bytes = noise(50_000);
    let attachments = std::sync::Arc::clone(stage.scene.server.server().attachments());
    let mut removed = 0;
    for round in 0..100 {
        stage.keep(&format!("old-{round}"), &bytes).await;
        let name = stage.files().remove(0);
        // Each round is a year of its own, so that all that was noted before it ends in it.
        let year = clock::now().0 + round * 400 * DAY_MS;
        let seen = attachments.sweep(Timestamp(year)).await;
        seen.expect("a round");
        let sweeping = tokio::spawn({
            let attachments = std::sync::Arc::clone(&attachments);
            async move {
                let month = attachments.sweep(Timestamp(year + 31 * DAY_MS)).await;
                month.expect("a round").removed
            }
        });
        // At another moment of the round each time.
        tokio::time::sleep(Duration::from_micros(250 * round)).await;
        stage.keep(&format!("new-{round}"), &bytes).await;
        removed += sweeping.await.expect("a round");
        let sound = attachments.files().sound(name.parse().expect("a name"));
        sound.await.expect("a file that an attachment refers to");
    }
    assert!(removed > 0, "nothing was removed, so nothing was tried");
    stage.scene.server.stop().await;
}
