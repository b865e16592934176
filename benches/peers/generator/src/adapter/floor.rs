//! The floor: raw TCP, on which a connection says its board in four bytes and then writes frames
//! as a server would, which are relayed untouched.

use super::{Adapter, Seat, Upgrade};
use crate::marker::Op;
use crate::ws::Out;

pub(super) struct Floor;

impl Adapter for Floor {
    fn upgrade(&self, _seat: &Seat) -> Option<Upgrade> {
        None
    }

    fn open(&self, seat: &Seat, out: &mut Out) {
        out.raw(&seat.board().to_le_bytes());
    }

    fn join(&self, _seat: &mut Seat, _message: &[u8], _out: &mut Out) -> anyhow::Result<bool> {
        Ok(true)
    }

    fn publish(&self, _seat: &Seat, op: &Op, out: &mut Out) {
        let mut payload = Vec::with_capacity(op.bytes);
        op.write_move(&mut payload);
        out.as_server_text(&payload);
    }
}
