//! What concerns no room: who comes in, boards that are made and listed.

use std::sync::Arc;

use boardcast_protocol::board::{Action, Member, Role};
use boardcast_protocol::ids::ClientId;
use boardcast_protocol::message::{
    BoardCreate, BoardsList, ErrorCode, ErrorMessage, ServerMessage,
};

use super::Talk;
use super::backlog::{self, Done, Running};
use crate::auth::{Identity, Proof};
use crate::clock;
use crate::connection::profile::Speaker;

impl Talk {
    pub(super) fn admit(
        &mut self,
        identity: Identity,
        client: ClientId,
        agent: Option<Box<str>>,
    ) -> Option<Running> {
        let Identity {
            actor,
            name,
            expires,
            proof,
            grant,
        } = identity;
        let now = clock::now();
        let admitted =
            (self.services.connections).admit(&self.connection, actor.user, client, (now, expires));
        if let Err(code) = admitted {
            self.close(code);
            return None;
        }
        self.source_place = None;
        // Who comes by a public link is nobody to be remembered.
        if !matches!(proof, Proof::Link(_)) {
            // `welcome` does not wait until it is on the disk: nothing that is kept refers to it.
            let noted = (self.services.storage).remember_user(actor.user, &name, now);
            if let Err(error) = noted {
                tracing::warn!(user = %actor.user, %error, "failed to remember a user");
            }
        }
        self.connection.profile.introduce(Speaker {
            actor,
            client,
            name,
            agent,
            proof,
            grant,
        });
        let (services, connection) = (Arc::clone(&self.services), Arc::clone(&self.connection));
        services.turn_away_disabled(&connection, &actor.user);
        if let Proof::Signed(key) = proof {
            services.turn_away_retired(&connection, key);
            return None;
        }
        Some(Box::pin(async move {
            services.turn_away_ended(&connection, proof).await;
            Done::Nothing
        }))
    }

    /// Whether the credentials are good for what was asked; if not, that is the answer.
    fn may(&mut self, action: Action, req: u32) -> bool {
        let may = (self.speaker()).is_some_and(|speaker| speaker.grant.may(action));
        if !may {
            self.reply(&ServerMessage::Error(ErrorMessage {
                req: Some(req),
                board: None,
                seq: None,
                code: ErrorCode::Forbidden,
                hint: "the token is not good for this; use one of a greater scope".to_owned(),
            }));
        }
        may
    }

    pub(super) fn create_board(&mut self, create: BoardCreate) -> Option<Running> {
        if !self.may(Action::CreateBoard, create.req) {
            return None;
        }
        let speaker = self.speaker()?;
        let owner = Member {
            id: speaker.actor.user,
            name: speaker.name.to_string(),
            role: Role::Admin,
        };
        let rooms = self.services.rooms.clone();
        Some(backlog::create_board(rooms, owner, create))
    }

    pub(super) fn list_boards(&mut self, list: &BoardsList) -> Option<Running> {
        if !self.may(Action::ListBoards, list.req) {
            return None;
        }
        let speaker = self.speaker()?;
        let (actor, grant) = (speaker.actor, speaker.grant.clone());
        let storage = self.services.storage.clone();
        Some(backlog::list_boards(storage, actor, grant, list))
    }
}
