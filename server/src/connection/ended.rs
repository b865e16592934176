//! Sockets of people who may no longer have them: of accounts that were disabled, of sessions that
//! were ended, of tokens and links that were revoked, of keys that were retired.
//!
//! Whoever ends something calls these behind the commit. A socket that comes in meanwhile is found
//! here, or it finds the end itself when it is admitted.

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::ids::UserId;

use super::registry::Connection;
use super::services::Services;
use crate::auth::{KeyId, Proof};
use crate::storage::{LinkId, TokenId};

/// What follows the words of the close code.
const DISABLED: &str = "the account is disabled";
/// What is said in place of the words of the close code.
const RIGHTS_CHANGED: &str = "the rights of the account have changed; reconnect";

impl Services {
    /// Disables a user: its tokens are not valid any more, and its sockets are closed for good.
    pub fn disable_user(&self, user: UserId) {
        self.tokens.set_disabled(user, true);
        self.api_tokens.forget(user);
        for connection in self.connections.of_user(user) {
            close_disabled(&connection);
        }
    }

    /// Forgets what the tokens of a user give, and closes its sockets, to come back with the rights that
    /// it has now.
    pub fn renew_user(&self, user: UserId) {
        self.api_tokens.forget(user);
        for connection in self.connections.of_user(user) {
            renew(&connection);
        }
    }

    /// Closes the sockets of a user whose sessions have ended; where it cannot be read which those
    /// are, the sockets of all its sessions, to come back.
    pub async fn close_ended_sessions(&self, user: UserId) {
        let live = self.storage.sessions_of(user).await;
        for connection in self.connections.of_user(user) {
            let Some(Proof::Session(id)) = connection.profile.speaker().map(|s| s.proof) else {
                continue;
            };
            match &live {
                Ok(live) if live.iter().any(|live| live.id == id) => {}
                Ok(_) => connection.outbox.close(CloseCode::Unauthorized),
                Err(error) => {
                    tracing::warn!(%error, "failed to list sessions; their sockets are closed");
                    connection.outbox.close(CloseCode::InternalError);
                }
            }
        }
    }

    /// Closes a connection that has just been admitted, if its user was disabled meanwhile.
    pub(super) fn turn_away_disabled(&self, connection: &Connection, user: &UserId) {
        if self.tokens.is_disabled(user) {
            close_disabled(connection);
        }
    }

    /// Forgets a token of a user that was revoked, and closes its sockets.
    pub fn close_revoked_token(&self, user: UserId, id: TokenId) {
        self.api_tokens.forget(user);
        for connection in self.connections.of_user(user) {
            let proof = connection.profile.speaker().map(|s| s.proof);
            if proof == Some(Proof::Token(id)) {
                connection.outbox.close(CloseCode::Unauthorized);
            }
        }
    }

    /// Forgets a public link that was revoked, and closes the sockets that came by it. Looks at all
    /// connections.
    pub fn close_revoked_link(&self, id: LinkId) {
        self.api_tokens.forget_link(id);
        let came_by_it = |connection: &Connection| {
            let speaker = connection.profile.speaker();
            speaker.is_some_and(|speaker| speaker.proof == Proof::Link(id))
        };
        for connection in self.connections.collect(came_by_it) {
            connection.outbox.close(CloseCode::Unauthorized);
        }
    }

    /// Closes the sockets that came by tokens of keys that are not accepted any more. Looks at all
    /// connections.
    pub(super) fn close_retired_keys(&self) {
        let came_by_one = |connection: &Connection| {
            let proof = connection.profile.speaker().map(|s| s.proof);
            matches!(proof, Some(Proof::Signed(key)) if !self.tokens.accepts(key))
        };
        for connection in self.connections.collect(came_by_one) {
            connection.outbox.close(CloseCode::Unauthorized);
        }
    }

    /// Closes a connection that has just been admitted, if its key was retired meanwhile.
    pub(super) fn turn_away_retired(&self, connection: &Connection, key: KeyId) {
        if !self.tokens.accepts(key) {
            connection.outbox.close(CloseCode::Unauthorized);
        }
    }

    /// Closes a connection that has just been admitted, if its session, token, link or key was ended
    /// meanwhile.
    pub(super) async fn turn_away_ended(&self, connection: &Connection, proof: Proof) {
        let is_live = match proof {
            Proof::Signed(key) => return self.turn_away_retired(connection, key),
            Proof::Session(session) => self.storage.has_session(session).await,
            Proof::Token(token) => self.storage.has_token(token).await,
            Proof::Link(link) => self.storage.has_board_link(link).await,
        };
        match is_live {
            Ok(true) => self.renew_lost_rights(connection).await,
            Ok(false) => connection.outbox.close(CloseCode::Unauthorized),
            Err(error) => {
                tracing::warn!(%error, "failed to look up credentials; their socket is closed");
                connection.outbox.close(CloseCode::InternalError);
            }
        }
    }

    /// Closes a connection of an administrator whose right was taken back meanwhile, to come back.
    async fn renew_lost_rights(&self, connection: &Connection) {
        let speaker = connection.profile.speaker();
        let Some(speaker) = speaker.filter(|speaker| speaker.actor.admin) else {
            return;
        };
        match self.storage.account(speaker.actor.user).await {
            Ok(Some(account)) if account.admin => {}
            Ok(_) => renew(connection),
            Err(error) => {
                tracing::warn!(%error, "failed to look up an account; its socket is closed");
                connection.outbox.close(CloseCode::InternalError);
            }
        }
    }
}

fn renew(connection: &Connection) {
    let code = CloseCode::TokenExpired;
    connection
        .outbox
        .close_with(code, code.code(), RIGHTS_CHANGED);
}

fn close_disabled(connection: &Connection) {
    let code = CloseCode::ClosedByAdmin;
    let told = format!("{}: {DISABLED}", code.reason());
    connection.outbox.close_with(code, code.code(), &told);
}
