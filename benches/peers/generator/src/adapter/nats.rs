//! The NATS client protocol inside binary frames.

use super::{Adapter, Control, Seat, Upgrade, contains};
use crate::marker::{Op, write_to};
use crate::ws::Out;

const GREETED: u32 = 1;

pub(super) struct Nats;

impl Adapter for Nats {
    fn upgrade(&self, _seat: &Seat) -> Option<Upgrade> {
        Some(Upgrade::at("/"))
    }

    fn join(&self, seat: &mut Seat, message: &[u8], out: &mut Out) -> anyhow::Result<bool> {
        if seat.stage != GREETED && contains(message, "INFO ") {
            seat.stage = GREETED;
            let mut text = Vec::new();
            text.extend_from_slice(
                b"CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1,",
            );
            text.extend_from_slice(b"\"lang\":\"rust\",\"version\":\"0\"}\r\n");
            write_to(
                &mut text,
                format_args!("SUB b.{} 1\r\nPING\r\n", seat.board()),
            );
            out.binary(&text);
        }
        Ok(seat.stage == GREETED && contains(message, "PONG"))
    }

    fn publish(&self, _seat: &Seat, op: &Op, out: &mut Out) {
        let mut message = Vec::with_capacity(op.bytes + 32);
        write_to(
            &mut message,
            format_args!("PUB b.{} {}\r\n", op.board, op.bytes),
        );
        op.write_move(&mut message);
        message.extend_from_slice(b"\r\n");
        out.binary(&message);
    }

    fn control(&self, message: &[u8], out: &mut Out) -> Control {
        if contains(message, "PING\r\n") {
            out.binary(b"PONG\r\n");
        }
        Control::Other
    }

    fn is_stream(&self) -> bool {
        true
    }
}
