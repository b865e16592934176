use std::sync::Arc;

use boardcast_protocol::codec;
use boardcast_protocol::command::Command;
use boardcast_protocol::message::ServerMessage;
use boardcast_protocol::position::{Epoch, Seq};
use std::io::Write;

use super::{Chronicle, FRAME_SHARED_BYTES};
use crate::arrival::Arrival;
use crate::testing::{Ground, card, client, rename};
use crate::violation::Violation;

fn read_in(epoch: Option<Epoch>, chronicle: &Chronicle, message: &ServerMessage) -> Arc<Arrival> {
    chronicle
        .read(&codec::encode(message), false, epoch)
        .unwrap()
        .unwrap()
}

fn read(chronicle: &Chronicle, message: &ServerMessage) -> Arc<Arrival> {
    read_in(Some(Epoch(1)), chronicle, message)
}

fn grown(titles: &[&str]) -> Ground {
    let mut ground = Ground::new(2);
    for title in titles {
        assert!(ground.commit(None, &rename(0, title)));
    }
    ground
}

#[test]
fn equal_bytes_are_decoded_once() {
    let ground = grown(&["a", "b"]);
    let chronicle = Chronicle::new(ground.id());
    let first = read(&chronicle, &ground.batch(1, 3));
    assert!(Arc::ptr_eq(&first, &read(&chronicle, &ground.batch(1, 3))));
    assert!(!Arc::ptr_eq(&first, &read(&chronicle, &ground.batch(1, 2))));
}

#[test]
fn equal_bytes_are_other_versions_in_another_epoch() {
    let ground = grown(&["a", "b"]);
    let chronicle = Chronicle::new(ground.id());
    let first = read(&chronicle, &ground.batch(1, 3));
    let later = read_in(Some(Epoch(2)), &chronicle, &ground.batch(1, 3));
    assert!(!Arc::ptr_eq(&first, &later));
    let again = read_in(Some(Epoch(2)), &chronicle, &ground.batch(1, 3));
    assert!(Arc::ptr_eq(&later, &again));
}

#[test]
fn a_batch_that_its_receiver_ignores_is_not_recorded() {
    let mut ground = Ground::new(2);
    let chronicle = Chronicle::new(ground.id());
    ground.commit(Some((client(5), Seq(1))), &rename(0, "a"));
    chronicle.intend(client(5), Seq(1), 42);
    let ignored = read_in(None, &chronicle, &ground.batch(1, 2));
    assert!(ignored.intended_ns.is_empty());
    assert_eq!(read(&chronicle, &ground.batch(1, 2)).intended_ns, [42]);
}

#[test]
fn the_shortest_batch_is_recorded() {
    let mut ground = Ground::new(2);
    let chronicle = Chronicle::new(ground.id());
    read(&chronicle, &ground.snapshot());
    let remove = Command::CardRemove { card: card(0) };
    ground.commit(None, &[remove]);
    let batch = ground.batch(1, 2);
    assert!(codec::encode(&batch).len() < FRAME_SHARED_BYTES);
    read(&chronicle, &batch);
    chronicle.with_view(|view| assert_eq!(view.unwrap().1, ground.board.view()));
}

#[test]
fn a_deflated_frame_is_the_same_message() {
    let ground = grown(&["a", "b"]);
    let chronicle = Chronicle::new(ground.id());
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(&codec::encode(&ground.batch(1, 3)))
        .unwrap();
    let frame = encoder.finish().unwrap();
    let arrival = chronicle.read(&frame, true, None).unwrap().unwrap();
    assert_eq!(arrival.message, ground.batch(1, 3));
    assert!(chronicle.read(&frame, false, None).is_err());
}

#[test]
fn other_content_of_a_version_is_noticed_whoever_received_it() {
    let ground = grown(&["a", "b"]);
    let chronicle = Chronicle::new(ground.id());
    read(&chronicle, &ground.snapshot());
    assert_eq!(read(&chronicle, &ground.batch(1, 3)).flaw, None);
    assert_eq!(
        read(&chronicle, &ground.batch(2, 3)).flaw,
        None,
        "cut differently"
    );
    let other = grown(&["a", "another"]);
    assert_eq!(
        read(&chronicle, &other.batch(1, 3)).flaw,
        Some(Violation::Diverged)
    );
}

#[test]
fn r2_another_epoch_may_replace_a_lost_tail() {
    let ground = grown(&["a", "b"]);
    let chronicle = Chronicle::new(ground.id());
    read(&chronicle, &Ground::new(2).snapshot());
    read(&chronicle, &ground.batch(1, 3));
    let mut after_crash = grown(&["a", "other"]);
    after_crash.epoch = Epoch(2);
    let arrival = read_in(Some(Epoch(2)), &chronicle, &after_crash.batch(1, 3));
    assert_eq!(arrival.flaw, None);
    chronicle.with_view(|view| assert!(view.is_none(), "it was of the lost tail"));
    read(&chronicle, &after_crash.snapshot());
    chronicle.with_view(|view| assert_eq!(view.unwrap().1, after_crash.board.view()));
}

#[test]
fn the_reference_follows_each_version_once() {
    let mut ground = Ground::new(2);
    let chronicle = Chronicle::new(ground.id());
    read(&chronicle, &ground.snapshot());
    ground.commit(None, &rename(0, "a"));
    ground.commit(None, &rename(1, "b"));
    read(&chronicle, &ground.batch(1, 2));
    read(&chronicle, &ground.batch(1, 3));
    chronicle.with_view(|view| assert_eq!(view.unwrap().1, ground.board.view()));
    assert_eq!(read(&chronicle, &ground.snapshot()).flaw, None);
}

#[test]
fn r4_a_command_that_is_applied_twice_is_noticed() {
    let mut ground = Ground::new(2);
    let chronicle = Chronicle::new(ground.id());
    ground.commit(Some((client(5), Seq(1))), &rename(0, "a"));
    ground.commit(Some((client(5), Seq(1))), &rename(0, "b"));
    assert_eq!(
        read(&chronicle, &ground.batch(1, 3)).flaw,
        Some(Violation::Duplicate)
    );
}

#[test]
fn a_version_knows_when_it_was_meant_to_be_sent_in_every_frame() {
    let mut ground = Ground::new(2);
    let chronicle = Chronicle::new(ground.id());
    chronicle.intend(client(5), Seq(1), 42);
    ground.commit(Some((client(5), Seq(1))), &rename(0, "a"));
    ground.commit(None, &rename(0, "b"));
    assert_eq!(read(&chronicle, &ground.batch(1, 2)).intended_ns, [42]);
    assert_eq!(read(&chronicle, &ground.batch(1, 3)).intended_ns, [42, 0]);
}
