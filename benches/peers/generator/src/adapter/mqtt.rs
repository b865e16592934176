//! MQTT 3.1.1 at QoS 0 inside binary frames.

use super::{Adapter, Seat, Upgrade};
use crate::marker::Op;
use crate::ws::Out;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;

pub(super) struct Mqtt;

impl Adapter for Mqtt {
    fn upgrade(&self, _seat: &Seat) -> Option<Upgrade> {
        Some(Upgrade {
            subprotocol: Some("mqtt"),
            ..Upgrade::at("/mqtt")
        })
    }

    fn open(&self, seat: &Seat, out: &mut Out) {
        // Protocol name and level, clean session, no keep-alive.
        let mut body = b"\x00\x04MQTT\x04\x02\x00\x00".to_vec();
        let client = format!("g{}", seat.number.unwrap_or_default());
        string(&client, &mut body);
        out.binary(&packet(CONNECT, &body));
    }

    fn join(&self, seat: &mut Seat, message: &[u8], out: &mut Out) -> anyhow::Result<bool> {
        let kind = message.first().copied();
        if kind == Some(CONNACK) {
            let mut body = vec![0, 1];
            string(&topic(seat.board()), &mut body);
            body.push(0);
            out.binary(&packet(SUBSCRIBE, &body));
        }
        Ok(kind == Some(SUBACK))
    }

    fn publish(&self, _seat: &Seat, op: &Op, out: &mut Out) {
        let mut body = Vec::with_capacity(op.bytes + 16);
        string(&topic(op.board), &mut body);
        op.write_move(&mut body);
        out.binary(&packet(PUBLISH, &body));
    }

    fn is_stream(&self) -> bool {
        true
    }
}

fn topic(board: u32) -> String {
    format!("b/{board}")
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut left = body.len();
    loop {
        let low = (left % 128) as u8;
        left /= 128;
        packet.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

fn string(text: &str, body: &mut Vec<u8>) {
    body.extend_from_slice(&(text.len() as u16).to_be_bytes());
    body.extend_from_slice(text.as_bytes());
}
