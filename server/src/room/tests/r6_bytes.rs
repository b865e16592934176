//! R6: what a delivery costs on the wire beside its events.

use boardcast_protocol::command::CardChange;

use super::*;

/// The events of a version are as long as the command that they come of, in `make bench`.
const PAYLOAD_BYTES: usize = 200;

fn card() -> CardId {
    "c1".parse().unwrap()
}

fn set_title(title: String) -> Command {
    Command::CardSet {
        card: card(),
        set: Box::new(CardChange {
            title: Some(title),
            ..CardChange::default()
        }),
    }
}

/// A command of [`PAYLOAD_BYTES`]; each `letter` makes another one.
fn payload(letter: &str) -> Command {
    let bare = codec::encode(&set_title(String::new())).len();
    let command = set_title(letter.repeat(PAYLOAD_BYTES - bare));
    assert_eq!(codec::encode(&command).len(), PAYLOAD_BYTES);
    command
}

/// A board of `make bench` after 212 operations, all on disk, and one of its connections.
fn scene() -> (Bench, Peer) {
    let mut loaded = loaded();
    let mut view = View::new("b0".parse().unwrap(), "Board 0".to_owned());
    view.columns = loaded.board.view().columns.clone();
    let editor = member("u-1", Role::Editor);
    view.members.insert(editor.id, editor);
    loaded.board = Board::new(view, BTreeMap::new(), BTreeSet::new());
    for version in [
        &mut loaded.version,
        &mut loaded.rows_version,
        &mut loaded.base,
    ] {
        *version = Version(211);
    }
    let mut bench = Bench::with(loaded, RoomLimits::default());
    bench.now = 1_790_000_000_000;
    let mut peer = Peer::new(1, "u-1");
    peer.client = "g0".parse().unwrap();
    assert!(bench.handle(peer.join(None)).is_none());
    let create = Command::CardCreate {
        card: card(),
        column: column(),
        title: "Card 1".to_owned(),
        place: Where::default(),
        set: Box::default(),
        labels: Vec::new(),
        assignees: Vec::new(),
    };
    bench.accepted(&peer, 10, create);
    bench.room.flush();
    bench.room.durable(Version(212));
    bench.room.tell_presence();
    peer.take();
    (bench, peer)
}

/// Accepts a payload for each letter, and sends them; the bytes of the frame.
fn frame_bytes(bench: &mut Bench, peer: &mut Peer, first_seq: u64, letters: &[&str]) -> usize {
    for (seq, letter) in (first_seq..).zip(letters) {
        bench.accepted(peer, seq, payload(letter));
    }
    bench.room.flush();
    let bytes = peer.outbox.pending_bytes();
    let batches = peer.batches();
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].v.len(), letters.len());
    bytes
}

#[test]
fn r6_a_version_that_leaves_alone_has_249_bytes_for_200_of_payload() {
    let (mut bench, mut peer) = scene();
    assert_eq!(frame_bytes(&mut bench, &mut peer, 11, &["a"]), 249);
    // Version 213 is not on disk, which the next batch says.
    assert_eq!(frame_bytes(&mut bench, &mut peer, 12, &["b"]), 249 + 4);
}

#[test]
fn r6_four_versions_in_a_frame_have_237_bytes_each() {
    let (mut bench, mut peer) = scene();
    let bytes = frame_bytes(&mut bench, &mut peer, 11, &["a", "b", "c", "d"]);
    assert_eq!(bytes, 4 * 237);
}
