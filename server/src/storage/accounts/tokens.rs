//! Tokens for programs, of people and of bots.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use boardcast_protocol::board::Scope;
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;

use super::read::{moment, user};
use super::write::{AccountAct, changed, time};
use super::{Account, SecretHash, TokenId};
use crate::storage::{Storage, StorageError};

/// Tokens that a user may have that have not expired; above it none is made.
pub const TOKENS_MAX: usize = 50;

/// A token for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// Its name.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// What it is for.
    pub scope: Scope,
    /// The boards that it is for; `None` for all.
    pub boards: Option<Vec<BoardId>>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was used last, to within a few minutes.
    pub used: Option<Timestamp>,
}

/// What is to be written about tokens.
#[derive(Debug)]
pub(in crate::storage) enum TokenAct {
    Make {
        token: Box<StoredToken>,
        secret: SecretHash,
    },
    Revoke {
        user: UserId,
        id: TokenId,
    },
    Use(Vec<(TokenId, Timestamp)>),
}

/// Does nothing for a user without an account, and for one who has as many as may be.
pub(in crate::storage) const MAKE_TOKEN: &str = "INSERT INTO tokens \
     (id, secret, user, name, scope, boards, created, expires) \
     SELECT ?1, ?2, user, ?4, ?5, ?6, ?7, ?8 FROM accounts WHERE user = ?3 AND disabled = 0 \
     AND (SELECT count(*) FROM tokens WHERE user = ?3 AND expires > ?7) < ?9";
pub(in crate::storage) const REVOKE_TOKEN: &str = "DELETE FROM tokens WHERE id = ? AND user = ?";
pub(in crate::storage) const USE_TOKEN: &str = "UPDATE tokens SET used = ? WHERE id = ?";
pub(in crate::storage) const FORGET_TOKENS: &str = "DELETE FROM tokens WHERE expires <= ?";

macro_rules! token {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.user, t.name, t.scope, t.boards, t.created, t.expires, t.used",
            $rest
        )
    };
}
pub(in crate::storage) const TOKEN: &str = token!(
    ", a.name, a.admin FROM tokens AS t JOIN accounts AS a ON a.user = t.user \
     WHERE t.secret = ? AND t.expires > ? AND a.disabled = 0"
);
pub(in crate::storage) const TOKENS: &str = token!(
    " FROM tokens AS t WHERE t.user = ? AND t.expires > ? \
     ORDER BY t.user, t.created DESC, t.id DESC LIMIT ?"
);
pub(in crate::storage) const HAS_TOKEN: &str = "SELECT EXISTS (SELECT 1 FROM tokens WHERE id = ?)";

/// Performs an act inside a transaction.
pub(super) async fn execute(
    conn: &mut SqliteConnection,
    act: &TokenAct,
) -> Result<bool, sqlx::Error> {
    match act {
        TokenAct::Make { token, secret } => {
            let boards = token.boards.as_ref().map(serde_json::to_string);
            let boards = boards.transpose();
            let boards = boards.map_err(|error| sqlx::Error::Encode(error.into()))?;
            let query = sqlx::query(MAKE_TOKEN)
                .bind(token.id.0.cast_signed())
                .bind(secret.as_slice())
                .bind(token.user.as_str())
                .bind(&token.name)
                .bind(token.scope.name())
                .bind(boards)
                .bind(time(token.created))
                .bind(time(token.expires))
                .bind(i64::try_from(TOKENS_MAX).unwrap_or(i64::MAX));
            changed(query.execute(conn).await)
        }
        TokenAct::Revoke { user, id } => {
            let query = sqlx::query(REVOKE_TOKEN).bind(id.0.cast_signed());
            changed(query.bind(user.as_str()).execute(conn).await)
        }
        TokenAct::Use(uses) => {
            for (id, at) in uses {
                let query = sqlx::query(USE_TOKEN).bind(time(*at));
                query.bind(id.0.cast_signed()).execute(&mut *conn).await?;
            }
            Ok(!uses.is_empty())
        }
    }
}

/// Whose a token is: what there is to know of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOwner {
    /// The name that people see.
    pub name: String,
    /// Whether it administers the server.
    pub admin: bool,
}

impl Storage {
    /// Makes a token; `false` where its user has no account, is disabled, or has [`TOKENS_MAX`].
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn make_token(
        &self,
        token: StoredToken,
        secret: SecretHash,
    ) -> Result<bool, StorageError> {
        let token = Box::new(token);
        let act = AccountAct::Token(TokenAct::Make { token, secret });
        self.change(act).await
    }

    /// Revokes a token of a user; `false` where there is none.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn revoke_token(&self, user: UserId, id: TokenId) -> Result<bool, StorageError> {
        let act = AccountAct::Token(TokenAct::Revoke { user, id });
        self.change(act).await
    }

    /// Notes when tokens were used last, in one transaction.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn use_tokens(&self, uses: Vec<(TokenId, Timestamp)>) -> Result<(), StorageError> {
        let act = AccountAct::Token(TokenAct::Use(uses));
        self.change(act).await.map(drop)
    }

    /// The token of a secret and whose it is, unless it has ended or its user is disabled.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn token(
        &self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<(StoredToken, TokenOwner)>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query(TOKEN).bind(secret.as_slice());
            let row = query.bind(time(now)).fetch_optional(pool).await?;
            let Some(row) = row else { return Ok(None) };
            let owner = TokenOwner {
                name: row.try_get(8)?,
                admin: row.try_get(9)?,
            };
            Ok(Some((token(&row)?, owner)))
        };
        self.observed().read("look up a token", read).await
    }

    /// The tokens of a user that have not ended, the newest first: at most [`TOKENS_MAX`].
    ///
    /// # Errors
    /// Reading failed.
    pub async fn tokens_of(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<StoredToken>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let rows = sqlx::query(TOKENS)
                .bind(user.as_str())
                .bind(time(now))
                .bind(i64::try_from(TOKENS_MAX).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await?;
            let tokens: Result<Vec<_>, sqlx::Error> = rows.iter().map(token).collect();
            Ok(tokens?)
        };
        self.observed().read("list tokens", read).await
    }

    /// Whether a token has not been revoked.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn has_token(&self, id: TokenId) -> Result<bool, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query_scalar(HAS_TOKEN).bind(id.0.cast_signed());
            Ok(query.fetch_one(pool).await?)
        };
        self.observed().read("look up a token", read).await
    }
}

impl Account {
    /// The account of a program: no address, no password.
    pub fn bot(user: UserId, name: String, admin: bool, now: Timestamp) -> Self {
        Self {
            user,
            name,
            email: String::new(),
            email_key: user.to_string(),
            password: None,
            admin,
            disabled: false,
            bot: true,
            created: now,
        }
    }
}

fn token(row: &SqliteRow) -> Result<StoredToken, sqlx::Error> {
    let scope: &str = row.try_get(3)?;
    let boards: Option<&str> = row.try_get(4)?;
    let used: Option<i64> = row.try_get(7)?;
    Ok(StoredToken {
        id: TokenId(row.try_get::<i64, _>(0)?.cast_unsigned()),
        user: user(row, 1)?,
        name: row.try_get(2)?,
        scope: serde_json::from_value(scope.into()).map_err(|e| sqlx::Error::Decode(e.into()))?,
        boards: boards
            .map(serde_json::from_str)
            .transpose()
            .map_err(|e| sqlx::Error::Decode(e.into()))?,
        created: moment(row, 5)?,
        expires: moment(row, 6)?,
        used: used.map(|used| Timestamp(used.cast_unsigned())),
    })
}
