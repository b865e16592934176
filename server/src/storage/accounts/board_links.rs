//! Invitations to boards, and public links to them.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use boardcast_protocol::board::Role;
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;

use super::read::{decode, moment, user};
use super::write::{AccountAct, changed, time};
use super::{LinkId, SecretHash};
use crate::storage::{Storage, StorageError};

/// Invitations and public links that a board may have that have not ended; above it none is made.
pub const BOARD_LINKS_MAX: usize = 100;

/// What a link to a board is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkGives {
    /// An invitation: whoever accepts it becomes a member.
    Membership {
        /// Of this role.
        role: Role,
        /// How many may still accept it.
        uses: u32,
    },
    /// A public link: whoever has it sees the board.
    View,
}

/// An invitation to a board, or a public link to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBoardLink {
    /// Its name.
    pub id: LinkId,
    /// The board.
    pub board: BoardId,
    /// What it is for.
    pub gives: LinkGives,
    /// Who made it.
    pub made_by: UserId,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends; `None` where it works until it is revoked.
    pub expires: Option<Timestamp>,
}

/// What is to be written about links to boards.
#[derive(Debug)]
pub(in crate::storage) enum LinkAct {
    Make {
        link: Box<StoredBoardLink>,
        secret: SecretHash,
    },
    Revoke {
        board: BoardId,
        id: LinkId,
        is_invitation: bool,
    },
    Take {
        secret: SecretHash,
        now: Timestamp,
    },
    GiveBack(LinkId),
}

/// Does nothing for a board that has as many as may be.
pub(in crate::storage) const MAKE_LINK: &str = "INSERT INTO board_links \
     (id, secret, board, role, uses, made_by, created, expires) \
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE (SELECT count(*) FROM board_links \
     WHERE board = ?3 AND (expires IS NULL OR expires > ?7)) < ?9";
pub(in crate::storage) const REVOKE_LINK: &str =
    "DELETE FROM board_links WHERE id = ? AND board = ? AND (role IS NOT NULL) = ?";
pub(in crate::storage) const TAKE_LINK: &str = "UPDATE board_links SET uses = uses - 1 \
     WHERE secret = ? AND uses > 0 AND expires > ?";
pub(in crate::storage) const GIVE_LINK_BACK: &str =
    "UPDATE board_links SET uses = uses + 1 WHERE id = ? AND role IS NOT NULL";
pub(in crate::storage) const FORGET_BOARD_LINKS: &str =
    "DELETE FROM board_links WHERE expires <= ?";

macro_rules! link {
    ($rest:literal) => {
        concat!(
            "SELECT id, board, role, uses, made_by, created, expires FROM board_links ",
            $rest
        )
    };
}
pub(in crate::storage) const BOARD_LINK: &str =
    link!("WHERE secret = ? AND (expires IS NULL OR expires > ?)");
pub(in crate::storage) const BOARD_LINKS: &str = link!(
    "WHERE board = ? AND (expires IS NULL OR expires > ?) \
     ORDER BY board, created DESC, id DESC LIMIT ?"
);
pub(in crate::storage) const HAS_BOARD_LINK: &str =
    "SELECT EXISTS (SELECT 1 FROM board_links WHERE id = ?)";

/// Performs an act inside a transaction.
pub(super) async fn execute(
    conn: &mut SqliteConnection,
    act: &LinkAct,
) -> Result<bool, sqlx::Error> {
    let query = match act {
        LinkAct::Make { link, secret } => {
            let (role, uses) = match link.gives {
                LinkGives::Membership { role, uses } => (Some(role.to_string()), Some(uses)),
                LinkGives::View => (None, None),
            };
            sqlx::query(MAKE_LINK)
                .bind(link.id.0.cast_signed())
                .bind(secret.as_slice())
                .bind(link.board.as_str())
                .bind(role)
                .bind(uses)
                .bind(link.made_by.as_str())
                .bind(time(link.created))
                .bind(link.expires.map(time))
                .bind(i64::try_from(BOARD_LINKS_MAX).unwrap_or(i64::MAX))
        }
        LinkAct::Revoke {
            board,
            id,
            is_invitation,
        } => sqlx::query(REVOKE_LINK)
            .bind(id.0.cast_signed())
            .bind(board.as_str())
            .bind(*is_invitation),
        LinkAct::Take { secret, now } => sqlx::query(TAKE_LINK)
            .bind(secret.as_slice())
            .bind(time(*now)),
        LinkAct::GiveBack(id) => sqlx::query(GIVE_LINK_BACK).bind(id.0.cast_signed()),
    };
    changed(query.execute(conn).await)
}

impl Storage {
    /// Makes an invitation or a public link; `false` where the board has [`BOARD_LINKS_MAX`].
    ///
    /// # Errors
    /// There is no such board, or it cannot be written.
    pub async fn make_board_link(
        &self,
        link: StoredBoardLink,
        secret: SecretHash,
    ) -> Result<bool, StorageError> {
        let link = Box::new(link);
        self.change(AccountAct::BoardLink(LinkAct::Make { link, secret }))
            .await
    }

    /// Revokes an invitation to a board, or a public link to it; `false` where there is none.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn revoke_board_link(
        &self,
        board: BoardId,
        id: LinkId,
        is_invitation: bool,
    ) -> Result<bool, StorageError> {
        let revoke = LinkAct::Revoke {
            board,
            id,
            is_invitation,
        };
        self.change(AccountAct::BoardLink(revoke)).await
    }

    /// Uses an invitation up, or one of its uses; `false` where none is left.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn take_invitation(
        &self,
        secret: SecretHash,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let take = LinkAct::Take { secret, now };
        self.change(AccountAct::BoardLink(take)).await
    }

    /// Gives back a use of an invitation that made nobody a member.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn give_invitation_back(&self, id: LinkId) -> Result<(), StorageError> {
        let give_back = AccountAct::BoardLink(LinkAct::GiveBack(id));
        self.change(give_back).await.map(drop)
    }

    /// The invitation or public link of a secret, unless it has ended.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn board_link(
        &self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<StoredBoardLink>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query(BOARD_LINK).bind(secret.as_slice());
            let row = query.bind(time(now)).fetch_optional(pool).await?;
            Ok(row.as_ref().map(link).transpose()?)
        };
        self.observed()
            .read("look up a link to a board", read)
            .await
    }

    /// The invitations and public links of a board that have not ended, the newest first: at most
    /// [`BOARD_LINKS_MAX`].
    ///
    /// # Errors
    /// Reading failed.
    pub async fn board_links(
        &self,
        board: BoardId,
        now: Timestamp,
    ) -> Result<Vec<StoredBoardLink>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let rows = sqlx::query(BOARD_LINKS)
                .bind(board.as_str())
                .bind(time(now))
                .bind(i64::try_from(BOARD_LINKS_MAX).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await?;
            let links: Result<Vec<_>, sqlx::Error> = rows.iter().map(link).collect();
            Ok(links?)
        };
        self.observed().read("list links to a board", read).await
    }

    /// Whether a link to a board has not been revoked.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn has_board_link(&self, id: LinkId) -> Result<bool, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query_scalar(HAS_BOARD_LINK).bind(id.0.cast_signed());
            Ok(query.fetch_one(pool).await?)
        };
        self.observed()
            .read("look up a link to a board", read)
            .await
    }
}

fn link(row: &SqliteRow) -> Result<StoredBoardLink, sqlx::Error> {
    let board: &str = row.try_get(1)?;
    let role: Option<&str> = row.try_get(2)?;
    let role = role.map(|role| serde_json::from_value::<Role>(role.into()));
    let role = role
        .transpose()
        .map_err(|e| sqlx::Error::Decode(e.into()))?;
    let uses: Option<u32> = row.try_get(3)?;
    let expires: Option<i64> = row.try_get(6)?;
    Ok(StoredBoardLink {
        id: LinkId(row.try_get::<i64, _>(0)?.cast_unsigned()),
        board: board.parse().map_err(decode)?,
        gives: match role {
            Some(role) => LinkGives::Membership {
                role,
                uses: uses.unwrap_or(0),
            },
            None => LinkGives::View,
        },
        made_by: user(row, 4)?,
        created: moment(row, 5)?,
        expires: expires.map(|at| Timestamp(at.cast_unsigned())),
    })
}
