//! Reads accounts, sessions and links.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::write::{HAS_ADMINISTRATOR, USER_OF_LINK, time};
use super::{Account, SESSIONS_MAX, SecretHash, SessionId, StoredSession};
use crate::storage::{Storage, StorageError};

macro_rules! account {
    ($rest:literal) => {
        concat!(
            "SELECT user, name, email, email_key, password, admin, disabled, created, bot \
             FROM accounts ",
            $rest
        )
    };
}
macro_rules! session {
    ($rest:literal) => {
        concat!(
            "SELECT id, user, created, used, expires, agent, address FROM sessions ",
            $rest
        )
    };
}

pub(in crate::storage) const ACCOUNT: &str = account!("WHERE user = ?");
pub(in crate::storage) const ACCOUNT_OF_EMAIL: &str = account!("WHERE email_key = ?");
pub(in crate::storage) const ACCOUNTS: &str = account!("WHERE user > ? ORDER BY user LIMIT ?");
pub(in crate::storage) const DISABLED: &str = "SELECT user FROM accounts WHERE disabled = 1";
pub(in crate::storage) const SESSION: &str = session!("WHERE secret = ? AND expires > ?");
pub(in crate::storage) const SESSIONS: &str =
    session!("WHERE user = ? ORDER BY created DESC, id DESC LIMIT ?");
pub(in crate::storage) const HAS_SESSION: &str =
    "SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?)";

impl Storage {
    /// The account of a user.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn account(&self, user: UserId) -> Result<Option<Account>, StorageError> {
        self.find_account(ACCOUNT, user.as_str()).await
    }

    /// The account of an address, by what tells it apart.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn account_of_email(&self, key: &str) -> Result<Option<Account>, StorageError> {
        self.find_account(ACCOUNT_OF_EMAIL, key).await
    }

    async fn find_account(
        &self,
        sql: &'static str,
        key: &str,
    ) -> Result<Option<Account>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let row = sqlx::query(sql).bind(key).fetch_optional(pool).await?;
            Ok(row.as_ref().map(account).transpose()?)
        };
        self.observed().read("look up an account", read).await
    }

    /// Accounts by user, after `after`; at most `limit`.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn accounts(
        &self,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Account>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let rows = sqlx::query(ACCOUNTS)
                .bind(after.map_or(String::new(), |user| user.to_string()))
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await?;
            let accounts: Result<Vec<_>, sqlx::Error> = rows.iter().map(account).collect();
            Ok(accounts?)
        };
        self.observed().read("list accounts", read).await
    }

    /// The users whose accounts are disabled: all of them.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn disabled_users(&self) -> Result<Vec<UserId>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let rows = sqlx::query(DISABLED).fetch_all(pool).await?;
            let users: Result<Vec<_>, sqlx::Error> = rows.iter().map(|r| user(r, 0)).collect();
            Ok(users?)
        };
        self.observed().read("list disabled accounts", read).await
    }

    /// Whether the server has an administrator who is not disabled.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn has_administrator(&self) -> Result<bool, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            Ok(sqlx::query_scalar(HAS_ADMINISTRATOR)
                .fetch_one(pool)
                .await?)
        };
        self.observed().read("look up an account", read).await
    }

    /// Whose password a link sets; `None` where it is not valid or the account is disabled.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn user_of_link(
        &self,
        link: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<UserId>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query(USER_OF_LINK).bind(link.as_slice());
            let row = query.bind(time(now)).fetch_optional(pool).await?;
            Ok(row.map(|row| user(&row, 0)).transpose()?)
        };
        self.observed().read("look up a link", read).await
    }

    /// The session of a secret, unless it has ended.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn session(
        &self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<StoredSession>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query(SESSION).bind(secret.as_slice());
            let row = query.bind(time(now)).fetch_optional(pool).await?;
            Ok(row.as_ref().map(session).transpose()?)
        };
        self.observed().read("look up a session", read).await
    }

    /// The sessions of a user, the newest first: at most [`SESSIONS_MAX`].
    ///
    /// # Errors
    /// Reading failed.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<StoredSession>, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let rows = sqlx::query(SESSIONS)
                .bind(user.as_str())
                .bind(i64::try_from(SESSIONS_MAX).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await?;
            let sessions: Result<Vec<_>, sqlx::Error> = rows.iter().map(session).collect();
            Ok(sessions?)
        };
        self.observed().read("list sessions", read).await
    }

    /// Whether a session has not been ended.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn has_session(&self, id: SessionId) -> Result<bool, StorageError> {
        let pool = self.inner.readers.pool()?;
        let read = async {
            let query = sqlx::query_scalar(HAS_SESSION).bind(id.0.cast_signed());
            Ok(query.fetch_one(pool).await?)
        };
        self.observed().read("look up a session", read).await
    }
}

fn account(row: &SqliteRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        user: user(row, 0)?,
        name: row.try_get(1)?,
        email: row.try_get(2)?,
        email_key: row.try_get(3)?,
        password: row.try_get(4)?,
        admin: row.try_get(5)?,
        disabled: row.try_get(6)?,
        created: moment(row, 7)?,
        bot: row.try_get(8)?,
    })
}

fn session(row: &SqliteRow) -> Result<StoredSession, sqlx::Error> {
    Ok(StoredSession {
        id: SessionId(row.try_get::<i64, _>(0)?.cast_unsigned()),
        user: user(row, 1)?,
        created: moment(row, 2)?,
        used: moment(row, 3)?,
        expires: moment(row, 4)?,
        agent: row.try_get(5)?,
        address: row.try_get(6)?,
    })
}

pub(super) fn user(row: &SqliteRow, column: usize) -> Result<UserId, sqlx::Error> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(decode)
}

pub(super) fn moment(row: &SqliteRow, column: usize) -> Result<Timestamp, sqlx::Error> {
    Ok(Timestamp(row.try_get::<i64, _>(column)?.cast_unsigned()))
}

pub(super) fn decode(error: boardcast_protocol::ids::IdError) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
