//! Who credentials speak for, and what they are good for.

use std::sync::Arc;

use boardcast_protocol::board::{Action, Actor, Pass, Scope, Who};
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Timestamp;

use super::KeyId;
use crate::storage::{LinkId, SessionId, TokenId};

/// Who credentials speak for, what they are good for, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user, where no board is meant: what is limited to some boards opens none by it. A room is
    /// asked with [`Identity::on`].
    pub actor: Actor,
    /// The name that people see; the user's id where the token has none.
    pub name: Box<str>,
    /// When the credentials end: an open connection ends with them.
    pub expires: Timestamp,
    /// What it was proved by.
    pub proof: Proof,
    /// What it is good for.
    pub grant: Grant,
}

/// What an identity was proved by: what ends its sockets when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A token that this key has signed.
    Signed(KeyId),
    /// The session of a browser.
    Session(SessionId),
    /// A token for programs.
    Token(TokenId),
    /// A public link to a board.
    Link(LinkId),
}

/// What credentials are good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// All that the user may.
    Full,
    /// A token for programs.
    Token {
        /// What it is for.
        scope: Scope,
        /// The boards that it is for; `None` for all.
        boards: Option<Arc<[BoardId]>>,
    },
    /// A public link to this board.
    Link(BoardId),
}

impl Grant {
    /// Whether it is good for an action, if the user may do it.
    pub fn may(&self, action: Action) -> bool {
        match self {
            Self::Full => true,
            // What is about no board reaches beyond a list of boards.
            Self::Token { scope, boards } => {
                let is_within = boards.is_none() || action.is_of_board();
                scope.may(action) && (is_within || action == Action::ListBoards)
            }
            Self::Link(_) => Who::Link.may(action),
        }
    }

    /// Whether anything may be changed by it.
    pub fn may_write(&self) -> bool {
        self.may(Action::Edit)
    }

    /// What it makes of the role on a board.
    pub fn on(&self, board: BoardId) -> Pass {
        match self {
            Self::Full => Pass::Full,
            Self::Token { scope, boards } => {
                let is_for = |boards: &Arc<[BoardId]>| boards.contains(&board);
                match boards.as_ref().is_none_or(is_for) {
                    true => Pass::AtMost(scope.most()),
                    false => Pass::Closed,
                }
            }
            Self::Link(shown) if *shown == board => Pass::Link,
            Self::Link(_) => Pass::Closed,
        }
    }

    /// The boards that it is for; `None` for all.
    pub fn boards(&self) -> Option<&[BoardId]> {
        match self {
            Self::Full => None,
            Self::Token { boards, .. } => boards.as_deref(),
            Self::Link(board) => Some(std::slice::from_ref(board)),
        }
    }

    /// What it makes of the role where no board is meant.
    fn pass(&self) -> Pass {
        match self {
            Self::Full => Pass::Full,
            Self::Token {
                boards: None,
                scope,
            } => Pass::AtMost(scope.most()),
            Self::Token {
                boards: Some(_), ..
            }
            | Self::Link(_) => Pass::Closed,
        }
    }
}

impl Identity {
    /// Somebody whose credentials are good for all that the user may.
    pub fn full(actor: Actor, name: Box<str>, expires: Timestamp, proof: Proof) -> Self {
        Self {
            actor,
            name,
            expires,
            proof,
            grant: Grant::Full,
        }
    }

    /// The user by credentials that are good for less: it administers the server only where they are
    /// good for that.
    pub fn limited(self, grant: Grant) -> Self {
        let actor = Actor {
            admin: self.actor.admin && grant.may(Action::AdministerServer),
            pass: grant.pass(),
            ..self.actor
        };
        Self {
            actor,
            grant,
            ..self
        }
    }

    /// The user as the room of a board is to see it.
    pub fn on(&self, board: BoardId) -> Actor {
        Actor {
            pass: self.grant.on(board),
            ..self.actor
        }
    }

    /// The session of the browser, where it is signed in by a cookie.
    pub fn session(&self) -> Option<SessionId> {
        match self.proof {
            Proof::Session(session) => Some(session),
            Proof::Signed(_) | Proof::Token(_) | Proof::Link(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use boardcast_protocol::board::Role;

    use super::*;

    fn by(scope: Scope, boards: Option<&[&str]>, admin: bool) -> Identity {
        let boards = boards.map(|ids| ids.iter().map(|id| id.parse().unwrap()).collect());
        let actor = Actor::new("ann".parse().unwrap(), admin);
        Identity::full(actor, "Ann".into(), Timestamp(9), Proof::Token(TokenId(1)))
            .limited(Grant::Token { scope, boards })
    }

    #[test]
    fn a_list_of_boards_closes_all_others_and_the_server() {
        let identity = by(Scope::Admin, Some(&["b"]), true);
        assert_eq!(
            identity.on("b".parse().unwrap()).pass,
            Pass::AtMost(Role::Admin)
        );
        assert_eq!(identity.on("c".parse().unwrap()).pass, Pass::Closed);
        assert_eq!(identity.actor.pass, Pass::Closed, "no board is meant");
        assert!(!identity.actor.admin, "the server is no board of the list");
        for action in [Action::CreateBoard, Action::AdministerServer] {
            assert!(!identity.grant.may(action), "{action:?}");
        }
        assert!(identity.grant.may(Action::ListBoards));
    }

    #[test]
    fn only_the_greatest_scope_administers_and_none_is_a_person() {
        for scope in Scope::ALL {
            let identity = by(scope, None, true);
            assert_eq!(identity.actor.admin, scope == Scope::Admin);
            assert!(!identity.grant.may(Action::OwnAccount));
            assert_eq!(identity.grant.may_write(), scope != Scope::Read);
        }
        assert!(
            !by(Scope::Admin, None, false).actor.admin,
            "nothing is given"
        );
        assert!(Grant::Full.may(Action::OwnAccount));
    }
}
