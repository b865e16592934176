//! Bots, and tokens for programs: made, listed, revoked.

use boardcast_protocol::board::Scope;
use boardcast_protocol::ids::{BoardId, UserId};
use boardcast_protocol::position::Timestamp;

use super::{AccountError, Accounts, Key, PersonName};
use crate::auth::TOKEN_PREFIX;
use crate::storage::{Account, StoredToken, TokenId};

/// Boards that a token may be limited to.
pub const TOKEN_BOARDS_MAX: usize = 20;
/// How long a token lasts, in milliseconds, unless told otherwise: 90 days.
const TTL_MS: u64 = 90 * 24 * 60 * 60 * 1_000;
/// The longest that it may last, in milliseconds: 366 days.
const TTL_MAX_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What its owner calls it.
    pub name: PersonName,
    /// What it is for.
    pub scope: Scope,
    /// The boards that it is for, at most [`TOKEN_BOARDS_MAX`]; `None` for all.
    pub boards: Option<Vec<BoardId>>,
    /// When it ends; in 90 days for `None`.
    pub expires: Option<Timestamp>,
}

impl NewToken {
    fn into_stored(self, user: UserId, now: Timestamp) -> Result<StoredToken, AccountError> {
        let boards = self.boards.map(|mut boards| {
            boards.sort_unstable();
            boards.dedup();
            boards
        });
        let counts = 1..=TOKEN_BOARDS_MAX;
        if (boards.as_ref()).is_some_and(|boards| !counts.contains(&boards.len())) {
            return Err(AccountError::Boards);
        }
        let expires = self.expires.unwrap_or(Timestamp(now.0 + TTL_MS));
        if expires <= now || expires.0 - now.0 > TTL_MAX_MS {
            return Err(AccountError::Expires);
        }
        Ok(StoredToken {
            id: TokenId(rand::random()),
            user,
            name: self.name.into_string(),
            scope: self.scope,
            boards,
            created: now,
            expires,
            used: None,
        })
    }
}

impl Accounts {
    /// Makes the account of a program.
    ///
    /// # Errors
    /// The user has an account, or it cannot be written.
    pub async fn add_bot(
        &self,
        user: Option<UserId>,
        name: PersonName,
        admin: bool,
        now: Timestamp,
    ) -> Result<Account, AccountError> {
        let user = user.unwrap_or_else(|| UserId::from_u128(rand::random()));
        let account = Account::bot(user, name.into_string(), admin, now);
        let added = self.storage.add_account(account.clone(), None).await?;
        added.then_some(account).ok_or(AccountError::Taken)
    }

    /// Makes a token of a user: its text, which nobody is told again, and what is kept of it.
    ///
    /// # Errors
    /// The user has no account, is disabled or has too many tokens, the token is out of its bounds, or
    /// it cannot be written.
    pub async fn make_token(
        &self,
        user: UserId,
        token: NewToken,
        now: Timestamp,
    ) -> Result<(String, StoredToken), AccountError> {
        let token = token.into_stored(user, now)?;
        let text = format!("{TOKEN_PREFIX}{}", Key::random().text());
        let secret = super::key::hash(&text);
        if self.storage.make_token(token.clone(), secret).await? {
            return Ok((text, token));
        }
        Err(match self.storage.account(user).await? {
            None => AccountError::NoSuchAccount,
            Some(account) if account.disabled => AccountError::Disabled,
            Some(_) => AccountError::TooManyTokens,
        })
    }

    /// Makes a token of a bot.
    ///
    /// # Errors
    /// As [`Accounts::make_token`], and the user is a person.
    pub async fn make_bot_token(
        &self,
        user: UserId,
        token: NewToken,
        now: Timestamp,
    ) -> Result<(String, StoredToken), AccountError> {
        let account = self.storage.account(user).await?;
        match account.ok_or(AccountError::NoSuchAccount)?.bot {
            true => self.make_token(user, token, now).await,
            false => Err(AccountError::NoBot),
        }
    }

    /// The tokens of a user that have not ended, the newest first: at most 50.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn tokens(
        &self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Vec<StoredToken>, AccountError> {
        Ok(self.storage.tokens_of(user, now).await?)
    }

    /// Revokes a token of a user. Its sockets are the caller's to close.
    ///
    /// # Errors
    /// There is none, or it cannot be written.
    pub async fn revoke_token(&self, user: UserId, id: TokenId) -> Result<(), AccountError> {
        match self.storage.revoke_token(user, id).await? {
            true => Ok(()),
            false => Err(AccountError::NoSuchToken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn stored(boards: Option<usize>, expires: Option<u64>) -> Result<StoredToken, AccountError> {
        let ids = |count| (0..count).map(|n| BoardId::from_u128(n as u128));
        let token = NewToken {
            name: PersonName::new("ci").unwrap(),
            scope: Scope::Read,
            boards: boards.map(|count| ids(count).chain(ids(count)).collect()),
            expires: expires.map(Timestamp),
        };
        token.into_stored("ann".parse().unwrap(), NOW)
    }

    #[test]
    fn a_token_is_for_few_boards_and_for_a_bounded_time() {
        assert_eq!(stored(Some(20), None).unwrap().boards.unwrap().len(), 20);
        for count in [0, 21] {
            let refused = stored(Some(count), None);
            assert!(matches!(refused, Err(AccountError::Boards)), "{count}");
        }
        let in_90_days = Timestamp(NOW.0 + TTL_MS);
        assert_eq!(stored(None, None).unwrap().expires, in_90_days);
        assert!(stored(None, Some(NOW.0 + TTL_MAX_MS)).is_ok());
        for expires in [0, NOW.0, NOW.0 + TTL_MAX_MS + 1, u64::MAX] {
            let refused = stored(None, Some(expires));
            assert!(matches!(refused, Err(AccountError::Expires)), "{expires}");
        }
    }
}
