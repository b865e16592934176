//! Somebody who only listens: the versions of one board over the answer to a request.
//!
//! To rooms, limits and the sweeper it is a connection like any other, with an outbox of the same
//! bounds and the same frames. What it shows of life is that it takes what is sent: a peer that
//! acknowledges nothing is found by the kernel.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::Position;

use super::door::Place;
use super::profile::{Speaker, cut_agent};
use super::registry::Connection;
use super::services::Services;
use crate::auth::Identity;
use crate::room::{Codec, Frame, Joining, Origin, Outbox, RoomHandle, RoomInput};
use crate::{chance, clock};

/// Frames that are taken from the outbox at a time.
const TAKE: usize = 16;

/// What a listener is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A message of the protocol.
    Message(Bytes),
    /// Nothing happened for a while.
    Alive,
    /// The connection ends, with a code and its words.
    End(u16, String),
}

/// A connection that only listens.
#[derive(Debug)]
pub struct Listening {
    services: Arc<Services>,
    connection: Arc<Connection>,
    speaker: (ClientId, Identity),
    taken: VecDeque<Frame>,
    /// Bytes of the last frame, which counts as written when the next one is asked for.
    unwritten: usize,
    is_over: bool,
    _place: Place,
}

impl Listening {
    /// Enters the registry. `hangup` drops the socket: a reader that takes nothing is not asked for
    /// more, so nothing here would notice.
    ///
    /// # Errors
    /// The user has too many connections.
    pub async fn open(
        services: &Arc<Services>,
        (peer, agent, hangup): (SocketAddr, Option<&str>, CancellationToken),
        identity: Identity,
        place: Place,
    ) -> Result<Self, CloseCode> {
        let outbox = Outbox::new(Codec::Json, services.rules.outbox);
        let now = clock::now();
        let connection = services.connections.open(outbox, peer, identity.expires);
        connection.hang_up_by(hangup);
        let bits = u128::from(chance::up_to(u64::MAX)) << 64 | u128::from(connection.id.0);
        let client = ClientId::from_u128(bits);
        let (user, proof) = (identity.actor.user, identity.proof);
        let times = (now, identity.expires);
        if let Err(code) = (services.connections).admit(&connection, user, client, times) {
            services.connections.remove(connection.id, None, now);
            return Err(code);
        }
        connection.profile.introduce(Speaker {
            actor: identity.actor,
            client,
            name: identity.name.clone(),
            agent: agent.and_then(cut_agent),
            proof: identity.proof,
            grant: identity.grant.clone(),
        });
        let listening = Self {
            services: Arc::clone(services),
            connection,
            speaker: (client, identity),
            taken: VecDeque::new(),
            unwritten: 0,
            is_over: false,
            _place: place,
        };
        services.turn_away_disabled(&listening.connection, &user);
        services.turn_away_ended(&listening.connection, proof).await;
        services.turn_back(&listening.connection);
        Ok(listening)
    }

    /// Subscribes to a board, from where the listener has come to.
    pub async fn join(&self, board: BoardId, at: Option<Position>) {
        let (client, identity) = &self.speaker;
        let origin = Origin {
            conn: self.connection.id,
            client: *client,
            actor: identity.on(board),
            address: self.connection.profile.address().ip(),
            outbox: Arc::clone(&self.connection.outbox),
        };
        let joining = Joining {
            origin,
            req: None,
            at,
        };
        let input = RoomInput::Join(Box::new(joining));
        // Known before it joins: whoever goes away meanwhile leaves this room.
        if let Ok(Some(room)) = self.services.rooms.open(board).await {
            self.connection.profile.remember(&room);
        }
        if !matches!(self.services.rooms.send(board, input).await, Ok(true)) {
            // Whoever comes back hears why.
            self.connection.outbox.close(CloseCode::InternalError);
        }
    }

    /// The last frame has gone; rooms that had left this listener behind hear of it.
    fn note_written(&mut self) {
        let bytes = std::mem::take(&mut self.unwritten);
        if bytes == 0 {
            return;
        }
        self.connection.count_read();
        self.connection.outbox.written(bytes);
        let conn = self.connection.id;
        for board in self.connection.outbox.take_left_behind() {
            let Some(room) = self.connection.profile.room(board) else {
                continue;
            };
            self.deliver(room, RoomInput::Drained { conn });
        }
    }

    fn deliver(&self, room: RoomHandle, input: RoomInput) {
        let refused = match room.try_send(input) {
            Ok(()) => return,
            Err(TrySendError::Full(input) | TrySendError::Closed(input)) => input,
        };
        self.services.tasks.spawn(async move {
            // A room that has ended has forgotten the listener.
            let _ = room.send(refused).await;
        });
    }
}

impl Stream for Listening {
    type Item = Told;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Told>> {
        let this = self.get_mut();
        this.note_written();
        if this.is_over || this.connection.is_dropped() {
            return Poll::Ready(None);
        }
        if this.taken.is_empty() {
            let outbox = &this.connection.outbox;
            outbox.register(context.waker());
            outbox.take(&mut this.taken, TAKE);
        }
        let Some(frame) = this.taken.pop_front() else {
            return Poll::Pending;
        };
        this.unwritten = frame.len();
        let told = read(&frame);
        this.is_over = matches!(told, Told::End(..));
        Poll::Ready(Some(told))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let (conn, user) = (self.connection.id, self.speaker.1.actor.user);
        let connections = &self.services.connections;
        connections.remove(conn, Some(user), clock::now());
        for room in self.connection.profile.take_rooms() {
            let room = self.services.rooms.get(room.board()).unwrap_or(room);
            self.deliver(room, RoomInput::Gone { conn });
        }
    }
}

/// What a frame of the server says: its own frames are whole and not masked.
fn read(frame: &Frame) -> Told {
    let opcode = frame.first().map_or(0, |first| first & 0x0f);
    let head = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    let payload = frame.slice(head.min(frame.len())..);
    match opcode {
        8 => {
            let code = payload
                .first_chunk()
                .map_or(1005, |code| u16::from_be_bytes(*code));
            let words = payload.get(2..).unwrap_or_default();
            Told::End(code, String::from_utf8_lossy(words).into_owned())
        }
        1 => Told::Message(payload),
        _ => Told::Alive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame;

    #[test]
    fn frames_of_each_length_are_read() {
        for bytes in [0, 125, 126, 65_535, 65_536] {
            let text = "x".repeat(bytes);
            let told = read(&frame::text(text.as_bytes()));
            assert_eq!(told, Told::Message(text.into()));
        }
        assert_eq!(read(&frame::ping(b"12345678")), Told::Alive);
        let end = Told::End(4505, "bye".to_owned());
        assert_eq!(read(&frame::close(4505, "bye")), end);
    }
}
