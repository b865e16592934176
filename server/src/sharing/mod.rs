//! Who else may come to a board: invitations that make members, and public links that show it. Knows
//! no HTTP.

mod error;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use boardcast_protocol::board::{Action, Actor, Board, Role, decide};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Timestamp;

pub use self::error::SharingError;
use crate::accounts::Key;
use crate::auth::{Identity, LINK_PREFIX};
use crate::room::{Import, ImportRefused, RoomHandle, RoomInput, Rooms};
use crate::storage::{LinkGives, LinkId, Storage, StoredBoardLink};

/// What an invitation begins with.
pub const INVITATION_PREFIX: &str = "bci_";
/// How many may accept one invitation at most.
pub const USES_MAX: u32 = 1_000;
/// How long an invitation works, in milliseconds, unless told otherwise: a week.
const INVITATION_TTL_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// The longest that an invitation or a public link may work, in milliseconds: 366 days. A public link
/// that names no end works until it is revoked.
const TTL_MAX_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

/// The invitations and public links of all boards.
#[derive(Clone, Debug)]
pub struct Sharing {
    rooms: Rooms,
    storage: Storage,
}

/// What somebody has become by an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// A member of this board.
    pub board: BoardId,
    /// Of this role.
    pub role: Role,
    /// Whether that is new.
    pub is_new: bool,
}

impl Sharing {
    /// Those that `storage` keeps, of the boards of `rooms`.
    pub fn new(rooms: Rooms, storage: Storage) -> Self {
        Self { rooms, storage }
    }

    /// Makes an invitation, or a public link: its text, which nobody is told again, and what is kept.
    ///
    /// # Errors
    /// There is no such board, the role does not allow it, the board has too many, something is out of
    /// its bounds, or it cannot be written.
    pub async fn make(
        &self,
        identity: &Identity,
        board: BoardId,
        (gives, expires): (LinkGives, Option<Timestamp>),
        now: Timestamp,
    ) -> Result<(String, StoredBoardLink), SharingError> {
        self.check(identity, board, action(&gives)).await?;
        let is_in_bounds = |end: &Timestamp| *end > now && end.0 - now.0 <= TTL_MAX_MS;
        if !expires.iter().all(is_in_bounds) {
            return Err(SharingError::Expires);
        }
        let (prefix, expires) = match gives {
            LinkGives::Membership { uses, .. } if !(1..=USES_MAX).contains(&uses) => {
                return Err(SharingError::Uses);
            }
            LinkGives::Membership { .. } => {
                let end = expires.unwrap_or(Timestamp(now.0 + INVITATION_TTL_MS));
                (INVITATION_PREFIX, Some(end))
            }
            LinkGives::View => (LINK_PREFIX, expires),
        };
        let link = StoredBoardLink {
            id: LinkId(rand::random()),
            board,
            gives,
            made_by: identity.actor.user,
            created: now,
            expires,
        };
        let text = format!("{prefix}{}", Key::random().text());
        let made = self
            .storage
            .make_board_link(link.clone(), Key::hash_of(&text));
        made.await?
            .then_some((text, link))
            .ok_or(SharingError::TooMany)
    }

    /// The invitations of a board, or its public links, the newest first.
    ///
    /// # Errors
    /// There is no such board, the role does not allow it, or reading failed.
    pub async fn list(
        &self,
        identity: &Identity,
        board: BoardId,
        which: Action,
        now: Timestamp,
    ) -> Result<Vec<StoredBoardLink>, SharingError> {
        self.check(identity, board, which).await?;
        let mut links = self.storage.board_links(board, now).await?;
        links.retain(|link| action(&link.gives) == which);
        Ok(links)
    }

    /// Revokes an invitation of a board, or a public link. The sockets of a link are the caller's to
    /// close.
    ///
    /// # Errors
    /// There is no such board or link, the role does not allow it, or it cannot be written.
    pub async fn revoke(
        &self,
        identity: &Identity,
        board: BoardId,
        which: Action,
        id: LinkId,
    ) -> Result<(), SharingError> {
        self.check(identity, board, which).await?;
        let is_invitation = which == Action::Invite;
        let revoked = self.storage.revoke_board_link(board, id, is_invitation);
        revoked.await?.then_some(()).ok_or(SharingError::NoSuchLink)
    }

    /// Makes whoever accepts an invitation a member, through the board's room. Who is a member with
    /// the same role or a greater one stays so, and no use is taken.
    ///
    /// # Errors
    /// The invitation is not valid, the board does not take the member, or it cannot be written.
    pub async fn accept(
        &self,
        identity: &Identity,
        text: &str,
        now: Timestamp,
    ) -> Result<Accepted, SharingError> {
        let is_invitation = text.starts_with(INVITATION_PREFIX);
        let secret = Key::hash_of(text);
        let found = match is_invitation {
            true => self.storage.board_link(&secret, now).await?,
            false => None,
        };
        let link = found.ok_or(SharingError::NotValid)?;
        let (board, LinkGives::Membership { role, uses }) = (link.board, link.gives) else {
            return Err(SharingError::NotValid);
        };
        let room = self.room(board).await?;
        let present = role_of(&room, Actor::new(identity.actor.user, false)).await?;
        if let Some(present) = present.filter(|present| *present >= role) {
            let (role, is_new) = (present, false);
            return Ok(Accepted {
                board,
                role,
                is_new,
            });
        }
        if uses == 0 || !self.storage.take_invitation(secret, now).await? {
            return Err(SharingError::NotValid);
        }
        match join(&room, identity, role, now).await {
            Ok((role, is_new)) => {
                if !is_new {
                    self.storage.give_invitation_back(link.id).await?;
                }
                Ok(Accepted {
                    board,
                    role,
                    is_new,
                })
            }
            Err(error) => {
                self.storage.give_invitation_back(link.id).await?;
                Err(error)
            }
        }
    }

    async fn check(
        &self,
        identity: &Identity,
        board: BoardId,
        action: Action,
    ) -> Result<(), SharingError> {
        let room = self.room(board).await?;
        match role_of(&room, identity.on(board)).await? {
            None => Err(SharingError::NoSuchBoard),
            Some(role) if role.may(action) && identity.grant.may(action) => Ok(()),
            Some(_) => Err(SharingError::Forbidden(action)),
        }
    }

    async fn room(&self, board: BoardId) -> Result<RoomHandle, SharingError> {
        let room = self.rooms.open(board).await?;
        room.ok_or(SharingError::NoSuchBoard)
    }
}

fn action(gives: &LinkGives) -> Action {
    match gives {
        LinkGives::Membership { .. } => Action::Invite,
        LinkGives::View => Action::Share,
    }
}

async fn role_of(room: &RoomHandle, actor: Actor) -> Result<Option<Role>, SharingError> {
    let (answer, role) = oneshot::channel();
    let asked = room.send(RoomInput::RoleOf { actor, answer }).await;
    asked.map_err(|_| SharingError::Stopping)?;
    role.await.map_err(|_| SharingError::Stopping)
}

/// Puts a member on the board, in one turn of its room, and waits until that is durable. The role that
/// it has then, and whether that is new.
async fn join(
    room: &RoomHandle,
    identity: &Identity,
    role: Role,
    now: Timestamp,
) -> Result<(Role, bool), SharingError> {
    let user = identity.actor.user;
    // Who made the invitation had the right; whoever accepts it is the author.
    let actor = Actor::new(user, true);
    let command = Command::MemberAdd {
        user,
        name: Some(identity.name.to_string()),
        role,
    };
    let became = Arc::new(Mutex::new(role));
    let told = Arc::clone(&became);
    let change = move |board: &Board| {
        let present = board.view().members.get(&user).map(|member| member.role);
        if let Some(present) = present.filter(|present| *present >= role) {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = present;
            return Ok(Vec::new());
        }
        decide(board, &actor, &command, now)
    };
    let (answer, report) = oneshot::channel();
    let import = Import {
        actor,
        change: Box::new(change),
        answer,
    };
    let asked = room.send(RoomInput::Import(Box::new(import))).await;
    asked.map_err(|_| SharingError::Stopping)?;
    let report = report.await.map_err(|_| SharingError::Stopping)?;
    let report = report.map_err(|refused| match refused {
        ImportRefused::Rejected(rejection) => SharingError::Rejected(rejection),
        ImportRefused::Refused(refusal) => SharingError::Refused(refusal),
    })?;
    let role = *became.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((role, report.events > 0))
}
