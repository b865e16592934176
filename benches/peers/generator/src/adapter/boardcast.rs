//! Boardcast, as `docs/protocol.md` tells it: every connection is a user of its own with a client
//! id of its own, sets titles of cards, and waits until that is durable.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use memchr::memmem;
use serde::Deserialize;

use super::{Adapter, Control, Durability, Seat, Upgrade};
use crate::load::{Load, Place};
use crate::marker::{Op, START, write_to};
use crate::ws::Out;

/// Cards of all boards together, at the least: one card touched again and again would be one row.
const CARDS: u32 = 500;
const CARDS_OF_A_BOARD: u32 = 5;
/// A server takes 100 subscriptions on a connection.
const BOARDS_OF_AN_OPENER: u32 = 100;

/// `[board, from, versions, durable?]`: the only message that is an array.
const BATCH: &[u8] = b"[";
const SNAPSHOT: &[u8] = b"{\"type\":\"snapshot\"";
const DURABLE: &[u8] = b"{\"type\":\"durable\"";

pub(super) struct Boardcast {
    users: Vec<String>,
    /// Admins, who may open any board.
    openers: Vec<String>,
    cards: u32,
}

/// What is read of a message that is no batch. The hint says in words what went wrong.
#[derive(Debug, Deserialize)]
struct Answer<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    result: Option<&'a str>,
    last_seq: Option<u64>,
    code: Option<serde_json::Value>,
    reason: Option<String>,
    hint: Option<String>,
}

impl Answer<'_> {
    fn why(&self) -> String {
        let result = self.result.unwrap_or(self.kind);
        let code = self.code.as_ref().map(ToString::to_string);
        let parts = [
            code.as_deref(),
            self.reason.as_deref(),
            self.hint.as_deref(),
        ];
        let words = parts.into_iter().flatten().map(|part| format!(", {part}"));
        words.fold(format!("the server answers {result}"), |said, word| {
            said + &word
        })
    }
}

impl Boardcast {
    /// Connection n has the token of user n, and takes turns with others where there are fewer.
    pub(super) fn new(users: Vec<String>, openers: Vec<String>, boards: u32) -> Self {
        Self {
            users,
            openers,
            cards: cards_of_a_board(boards),
        }
    }
}

impl Adapter for Boardcast {
    fn upgrade(&self, seat: &Seat) -> Option<Upgrade> {
        let (tokens, turn) = match seat.number {
            Some(number) => (&self.users, number),
            None => (&self.openers, (seat.board() / BOARDS_OF_AN_OPENER) as usize),
        };
        let token = &tokens[turn % tokens.len()];
        Some(Upgrade {
            subprotocol: Some("boardcast.v1.json"),
            bearer: Some(token.clone()),
            ..Upgrade::at("/ws")
        })
    }

    fn open(&self, seat: &Seat, out: &mut Out) {
        let client = match seat.number {
            Some(number) => format!("g{number}"),
            None => format!("opener-{}", seat.board()),
        };
        out.text(
            format!(
                "{{\"type\":\"hello\",\"v\":1,\"client\":\"{client}\",\"agent\":\"generator\"}}"
            )
            .as_bytes(),
        );
        for board in seat.boards.clone() {
            let subscribe = format!(
                "{{\"type\":\"subscribe\",\"req\":{},\"board\":\"b{board}\"}}",
                board + 1
            );
            out.text(subscribe.as_bytes());
        }
    }

    fn join(&self, seat: &mut Seat, message: &[u8], _out: &mut Out) -> anyhow::Result<bool> {
        if message.starts_with(SNAPSHOT) {
            seat.stage += 1;
            return Ok(seat.stage as usize == seat.boards.len());
        }
        let answer: Answer<'_> =
            serde_json::from_slice(message).context("the server's answer cannot be read")?;
        match answer.kind {
            // Numbers go on behind those that this client has used before.
            "subscribed" => seat.sent = answer.last_seq.unwrap_or(0),
            "error" | "goodbye" => bail!(answer.why()),
            _ => {}
        }
        Ok(false)
    }

    fn publish(&self, seat: &Seat, op: &Op, out: &mut Out) {
        let mut message = Vec::with_capacity(op.bytes + 64);
        let (board, seq) = (op.board, seat.sent + 1);
        write_to(
            &mut message,
            format_args!("{{\"type\":\"submit\",\"board\":\"b{board}\",\"seq\":{seq},\"cmds\":["),
        );
        self.write_command(op, &mut message);
        message.extend_from_slice(b"]}");
        out.text(&message);
    }

    fn control(&self, message: &[u8], _out: &mut Out) -> Control {
        if message.starts_with(DURABLE) {
            return Control::Other;
        }
        if message.starts_with(SNAPSHOT) {
            return Control::Refused("a snapshot takes the place of batches".to_owned());
        }
        match serde_json::from_slice::<Answer<'_>>(message) {
            Ok(answer) if matches!(answer.kind, "outcome" | "error" | "goodbye") => {
                Control::Refused(answer.why())
            }
            Ok(_) => Control::Other,
            Err(why) => Control::Refused(format!("a message cannot be read: {why}")),
        }
    }

    fn is_control(&self, message: &[u8]) -> bool {
        !message.starts_with(BATCH)
    }

    fn durability(&self) -> Option<&dyn Durability> {
        Some(self)
    }

    fn boards_of_an_opener(&self) -> Option<u32> {
        (!self.openers.is_empty()).then_some(BOARDS_OF_AN_OPENER)
    }
}

impl Boardcast {
    /// The command is the payload: it has the length of what the other servers relay.
    fn write_command(&self, op: &Op, into: &mut Vec<u8>) {
        let start = into.len();
        let card = op.nth_of_board % u64::from(self.cards);
        write_to(
            into,
            format_args!("{{\"type\":\"card.set\",\"card\":\"c{card}\",\"set\":{{\"title\":\""),
        );
        op.write_marker(into);
        op.fill(start, b"\"}}", into);
    }
}

impl Durability for Boardcast {
    /// Each version of a board that is measured is one operation, so its place among the markers is
    /// its place in the batch.
    fn version_at(&self, message: &[u8], at: usize) -> Option<u64> {
        let before = memmem::find_iter(&message[..at], START).count() as u64;
        Some(batch_from(message)? + before + 1)
    }

    fn durable(&self, message: &[u8]) -> Option<u64> {
        if message.starts_with(BATCH) {
            return batch_durable(message).or_else(|| batch_from(message));
        }
        if !message.starts_with(DURABLE) {
            return None;
        }
        let key = b"\"version\":";
        number(&message[memmem::find(message, key)? + key.len()..])
    }
}

/// The version before the first one of a batch.
fn batch_from(batch: &[u8]) -> Option<u64> {
    let board_end = memchr::memchr(b',', batch)?;
    number(&batch[board_end + 1..])
}

/// What a batch says behind its versions, where it says something.
fn batch_durable(batch: &[u8]) -> Option<u64> {
    let array = batch.strip_suffix(b"]")?;
    let last = &array[memchr::memrchr(b',', array)? + 1..];
    last.iter().all(u8::is_ascii_digit).then(|| number(last))?
}

fn number(digits: &[u8]) -> Option<u64> {
    let count = digits
        .iter()
        .take_while(|digit| digit.is_ascii_digit())
        .count();
    std::str::from_utf8(&digits[..count]).ok()?.parse().ok()
}

fn cards_of_a_board(boards: u32) -> u32 {
    CARDS.div_ceil(boards).max(CARDS_OF_A_BOARD)
}

/// Writes a document for each board of the loads, with its subscribers as members.
///
/// The user of connection n is `u-` and n + 1, as `boardcast token --user u --count N` names them.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write_documents(loads: &[Load], into: &Path) -> anyhow::Result<()> {
    let boards = loads.iter().map(|load| load.boards).sum();
    let cards = cards_of_a_board(boards);
    for place in Place::all(loads) {
        for board in place.boards() {
            let path = into.join(format!("b{board}.json"));
            let members: Vec<_> = place
                .seats_of(board)
                .map(|seat| format!("u-{}", seat + 1))
                .collect();
            let text = document(board, &members, cards).to_string();
            std::fs::write(&path, text)
                .with_context(|| format!("failed to write {}", path.display()))?;
        }
    }
    writeln!(std::io::stdout(), "{boards}").context("failed to print the count")
}

fn document(board: u32, members: &[String], cards: u32) -> serde_json::Value {
    let stamp = serde_json::json!({"by": "admin", "at": 1_700_000_000_000_u64});
    let cards: Vec<_> = (0..cards)
        .map(|card| {
            serde_json::json!({
                "id": format!("c{card}"),
                "number": card + 1,
                "title": format!("Card {card}"),
                "created": stamp,
                "changed": stamp,
            })
        })
        .collect();
    let members: Vec<_> = members
        .iter()
        .map(|user| serde_json::json!({"id": user, "name": user, "role": "editor"}))
        .collect();
    serde_json::json!({
        "format": "boardcast.board",
        "version": 1,
        "id": format!("b{board}"),
        "title": format!("Board {board}"),
        "next_number": cards.len() + 1,
        "members": members,
        "columns": [{"id": "todo", "title": "To do", "cards": cards}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter() -> Boardcast {
        Boardcast::new(vec!["ann".into()], Vec::new(), 1)
    }

    #[test]
    fn the_command_is_the_payload() {
        let op = Op {
            due: 7,
            seq: 9,
            board: 0,
            nth_of_board: 501,
            bytes: 200,
        };
        let mut command = Vec::new();
        adapter().write_command(&op, &mut command);
        assert_eq!(command.len(), 200);
        let value: serde_json::Value = serde_json::from_slice(&command).unwrap();
        assert_eq!(value["card"], "c1");
        let title = value["set"]["title"].as_str().unwrap();
        assert!(
            title.starts_with("op@0000000000000007.00000009."),
            "{title}"
        );
    }

    #[test]
    fn versions_are_read_from_a_batch() {
        let batch = br#"["b0",40,[["u-1",17,[{"title":"op@1"}],"g0",1],["u-2",18,[{"title":"op@2"}],"g1",1]],39]"#;
        let at = |marker: &[u8]| memmem::find(batch, marker).unwrap();
        assert_eq!(adapter().version_at(batch, at(b"op@1")), Some(41));
        assert_eq!(adapter().version_at(batch, at(b"op@2")), Some(42));
        assert_eq!(adapter().durable(batch), Some(39));
        assert!(!adapter().is_control(batch));
        let all_before = br#"["b0",40,[["u-1",17,[{"title":"op@1"}],"g0",1]]]"#;
        assert_eq!(adapter().durable(all_before), Some(40));
        let durable = br#"{"type":"durable","board":"b0","epoch":"e","version":42}"#;
        assert_eq!(adapter().durable(durable), Some(42));
        assert_eq!(
            adapter().control(durable, &mut Out::default()),
            Control::Other
        );
    }

    #[test]
    fn what_is_turned_away_is_seen() {
        let turned_away = [
            r#"{"type":"outcome","board":"b0","seq":3,"result":"busy","retry_ms":250}"#,
            r#"{"type":"error","board":"b0","seq":3,"code":"bad_message","hint":"no"}"#,
            r#"{"type":"goodbye","code":1012,"retry_ms":1}"#,
            r#"{"type":"snapshot","view":{}}"#,
        ];
        for message in turned_away {
            let control = adapter().control(message.as_bytes(), &mut Out::default());
            assert!(matches!(control, Control::Refused(_)), "{message}");
        }
        let others = [
            r#"{"type":"presence","board":"b0","count":2}"#,
            r#"{"type":"pong","t":1}"#,
        ];
        for message in others {
            let control = adapter().control(message.as_bytes(), &mut Out::default());
            assert_eq!(control, Control::Other, "{message}");
        }
    }

    #[test]
    fn a_client_goes_on_behind_its_last_number_and_is_ready_with_its_last_snapshot() {
        let mut seat = Seat {
            number: Some(1),
            boards: 0..2,
            stage: 0,
            sent: 0,
        };
        let mut join = |message: &str| {
            let ready = adapter().join(&mut seat, message.as_bytes(), &mut Out::default());
            (ready.unwrap(), seat.sent)
        };
        assert_eq!(join(r#"{"type":"welcome","v":1}"#), (false, 0));
        assert_eq!(
            join(r#"{"type":"subscribed","req":1,"last_seq":16}"#),
            (false, 16)
        );
        assert_eq!(join(r#"{"type":"snapshot","board":"b0"}"#), (false, 16));
        assert_eq!(join(r#"{"type":"snapshot","board":"b1"}"#), (true, 16));
        let no = adapter().join(
            &mut seat,
            br#"{"type":"error","code":"no_such_board","hint":"not yours"}"#,
            &mut Out::default(),
        );
        assert!(no.unwrap_err().to_string().contains("not yours"));
    }
}
