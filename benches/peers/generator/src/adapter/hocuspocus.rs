//! Hocuspocus: the Yjs synchronisation protocol with the document's name before each message.
//! Each operation sets a new key of the map `cards`.

use super::{Adapter, Seat, Upgrade};
use crate::marker::Op;
use crate::ws::Out;

const SYNC: u8 = 0;
const AUTH: u8 = 2;
const SYNC_STEP_1: u8 = 0;
const SYNC_STEP_2: u8 = 1;
const UPDATE: u8 = 2;
/// The item has a key in its parent, and its content is a list of any values.
const ITEM_WITH_KEY_OF_ANY: u8 = 0x20 | 8;
const ANY_STRING: u8 = 119;
/// Client ids of Yjs are numbers; these stay clear of small ones.
const FIRST_CLIENT: u64 = 1_000_000;

pub(super) struct Hocuspocus;

impl Adapter for Hocuspocus {
    fn upgrade(&self, _seat: &Seat) -> Option<Upgrade> {
        Some(Upgrade::at("/"))
    }

    fn open(&self, seat: &Seat, out: &mut Out) {
        let mut auth = named(seat.board());
        auth.extend_from_slice(&[AUTH, 0]);
        string(b"t", &mut auth);
        out.binary(&auth);
        let mut sync = named(seat.board());
        sync.extend_from_slice(&[SYNC, SYNC_STEP_1]);
        string(&[0], &mut sync);
        out.binary(&sync);
    }

    fn join(&self, seat: &mut Seat, message: &[u8], _out: &mut Out) -> anyhow::Result<bool> {
        let rest = message.get(named(seat.board()).len()..).unwrap_or_default();
        Ok(rest.starts_with(&[SYNC, SYNC_STEP_2]))
    }

    fn publish(&self, seat: &Seat, op: &Op, out: &mut Out) {
        let number = seat.number.unwrap_or_default();
        let mut update = vec![1, 1];
        varint(FIRST_CLIENT + number as u64, &mut update);
        varint(seat.sent, &mut update);
        update.push(ITEM_WITH_KEY_OF_ANY);
        update.push(1);
        string(b"cards", &mut update);
        string(format!("c{number}-{}", seat.sent).as_bytes(), &mut update);
        update.extend_from_slice(&[1, ANY_STRING]);
        let mut value = Vec::with_capacity(op.bytes);
        op.write_move(&mut value);
        string(&value, &mut update);
        update.push(0);
        let mut message = named(op.board);
        message.extend_from_slice(&[SYNC, UPDATE]);
        string(&update, &mut message);
        out.binary(&message);
    }
}

fn named(board: u32) -> Vec<u8> {
    let mut message = Vec::with_capacity(320);
    string(format!("b{board}").as_bytes(), &mut message);
    message
}

fn varint(mut value: u64, into: &mut Vec<u8>) {
    while value > 127 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn string(bytes: &[u8], into: &mut Vec<u8>) {
    varint(bytes.len() as u64, into);
    into.extend_from_slice(bytes);
}
