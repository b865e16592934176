//! Socket.IO 4 (Engine.IO 4) over its WebSocket transport.

use super::{Adapter, Control, Seat, Upgrade};
use crate::marker::{Op, write_to};
use crate::ws::Out;

pub(super) struct Socketio;

impl Adapter for Socketio {
    fn upgrade(&self, _seat: &Seat) -> Option<Upgrade> {
        Some(Upgrade::at("/socket.io/?EIO=4&transport=websocket"))
    }

    fn join(&self, seat: &mut Seat, message: &[u8], out: &mut Out) -> anyhow::Result<bool> {
        if message.starts_with(b"0{") {
            out.text(b"40");
        } else if message.starts_with(b"40") {
            out.text(format!("420[\"join\",\"b{}\"]", seat.board()).as_bytes());
        } else {
            self.control(message, out);
        }
        Ok(message.starts_with(b"430"))
    }

    fn publish(&self, _seat: &Seat, op: &Op, out: &mut Out) {
        let mut message = Vec::with_capacity(op.bytes + 48);
        write_to(&mut message, format_args!("42[\"op\",\"b{}\",", op.board));
        op.write_move(&mut message);
        message.push(b']');
        out.text(&message);
    }

    fn control(&self, message: &[u8], out: &mut Out) -> Control {
        if message == b"2" {
            out.text(b"3");
        }
        Control::Other
    }
}
