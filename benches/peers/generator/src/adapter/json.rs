//! The plain JSON of the small servers beside this one: join, joined, op.

use super::{Adapter, Seat, Upgrade, contains};
use crate::marker::{Op, write_to};
use crate::ws::Out;

pub(super) struct Json;

impl Adapter for Json {
    fn upgrade(&self, _seat: &Seat) -> Option<Upgrade> {
        Some(Upgrade::at("/"))
    }

    fn open(&self, seat: &Seat, out: &mut Out) {
        let board = seat.board();
        out.text(format!("{{\"type\":\"join\",\"room\":\"b{board}\"}}").as_bytes());
    }

    fn join(&self, _seat: &mut Seat, message: &[u8], _out: &mut Out) -> anyhow::Result<bool> {
        Ok(contains(message, "\"joined\""))
    }

    fn publish(&self, _seat: &Seat, op: &Op, out: &mut Out) {
        let mut message = Vec::with_capacity(op.bytes + 48);
        let board = op.board;
        write_to(
            &mut message,
            format_args!("{{\"type\":\"op\",\"room\":\"b{board}\",\"data\":"),
        );
        op.write_move(&mut message);
        message.push(b'}');
        out.text(&message);
    }
}
