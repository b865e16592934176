//! Signing in, and the sessions that come of it.

use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::key;
use super::{AccountError, Accounts, Email, Key, NewPassword};
use crate::auth::{Grant, Identity, Proof};
use crate::connection::Source;
use crate::storage::{Account, NewSession, SessionId, StorageError, StoredSession};

/// How long a session lasts, in milliseconds: 30 days from the sign-in on.
pub const SESSION_TTL_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// When a session was used last is noted again after this time, in milliseconds.
const USED_EVERY_MS: u64 = 5 * 60 * 1_000;
/// What is kept of the name that a browser gives itself, in bytes; the rest is cut.
const AGENT_MAX_BYTES: usize = 200;

/// Where somebody signs in.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Where it comes from, as far as limits go.
    pub source: Source,
    /// Its address.
    pub address: String,
    /// What it calls itself.
    pub agent: String,
    /// What the session that it has, if any, was signed in with.
    pub secret: Option<String>,
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// What proves it from now on.
    pub key: Key,
    /// The session.
    pub session: StoredSession,
    /// Who it is.
    pub account: Account,
}

impl Accounts {
    /// Signs somebody in by address and password. Attempts are counted by source and by address,
    /// whether there is such an account or not, and take as long.
    ///
    /// # Errors
    /// Something is wrong, the answer does not say what; or there were too many attempts, too many
    /// passwords wait, or it cannot be written.
    pub async fn sign_in(
        &self,
        email: &str,
        password: String,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<SignedIn, AccountError> {
        self.per_source
            .take(browser.source, 1, now)
            .map_err(|wait_ms| too_many("from this address", wait_ms))?;
        let email = Email::new(email).map_err(|_| AccountError::SignIn)?;
        let key = email.key();
        self.count_attempt(&key, now)?;
        let account = self.storage.account_of_email(&key).await?;
        let kept = account
            .as_ref()
            .and_then(|account| account.password.clone());
        let is_right = self.passwords.verify(password, kept).await?;
        match account {
            Some(account) if is_right => self.begin_session(account, browser, now).await,
            Some(_) | None => Err(AccountError::SignIn),
        }
    }

    /// Changes the password of a person who knows the present one, and ends all sessions of the person
    /// but `keep`. Attempts are counted as those to sign in are.
    ///
    /// # Errors
    /// The present password is wrong or there is none, there were too many attempts, too many passwords
    /// wait, or it cannot be written.
    pub async fn change_password(
        &self,
        user: UserId,
        (old, new): (String, NewPassword),
        (source, keep): (Source, Option<SessionId>),
        now: Timestamp,
    ) -> Result<(), AccountError> {
        self.per_source
            .take(source, 1, now)
            .map_err(|wait_ms| too_many("from this address", wait_ms))?;
        let account = self.storage.account(user).await?;
        let account = account.ok_or(AccountError::NoSuchAccount)?;
        self.count_attempt(&account.email_key, now)?;
        let kept = account.password.ok_or(AccountError::OldPassword)?;
        let is_right = self.passwords.verify(old, Some(kept.clone())).await?;
        if !is_right {
            return Err(AccountError::OldPassword);
        }
        let new = self.passwords.hash(new).await?;
        let changed = self.storage.change_password(user, (kept, new), keep);
        changed
            .await?
            .then_some(())
            .ok_or(AccountError::OldPassword)
    }

    /// Counts an attempt at an account, by what tells its address apart.
    fn count_attempt(&self, key: &str, now: Timestamp) -> Result<(), AccountError> {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = key::hash(key);
        let digest = u128::from_be_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
        self.per_account
            .take(digest, 1, now)
            .map_err(|wait_ms| too_many("to this account", wait_ms))
    }

    /// Begins a session of somebody who has just proved who it is, in place of the one that the
    /// browser has.
    ///
    /// # Errors
    /// The account is disabled or has another password by now, or it cannot be written.
    pub async fn begin_session(
        &self,
        account: Account,
        browser: &Browser,
        now: Timestamp,
    ) -> Result<SignedIn, AccountError> {
        let key = Key::random();
        let session = StoredSession {
            id: SessionId(rand::random()),
            user: account.user,
            created: now,
            used: now,
            expires: Timestamp(now.0 + SESSION_TTL_MS),
            agent: shown(&browser.agent),
            address: browser.address.clone(),
        };
        let new = NewSession {
            secret: key.hash(),
            session: session.clone(),
            password: account.password.clone().ok_or(AccountError::SignIn)?,
            replaces: browser.secret.as_deref().map(key::hash),
        };
        if !self.storage.begin_session(new).await? {
            return Err(AccountError::SignIn);
        }
        Ok(SignedIn {
            key,
            session,
            account,
        })
    }

    /// Who is signed in with a secret; `None` where its session has ended.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn identify(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<Identity>, StorageError> {
        let Some(session) = self.storage.session(&key::hash(secret), now).await? else {
            return Ok(None);
        };
        let account = self.storage.account(session.user).await?;
        let Some(account) = account.filter(|account| !account.disabled) else {
            return Ok(None);
        };
        if now.0 >= session.used.0.saturating_add(USED_EVERY_MS) {
            let storage = self.storage.clone();
            // Nobody waits for it.
            tokio::spawn(async move {
                if let Err(error) = storage.use_session(session.id, now).await {
                    tracing::warn!(%error, "failed to note that a session was used");
                }
            });
        }
        Ok(Some(Identity {
            actor: Actor::new(account.user, account.admin),
            name: account.name.into(),
            expires: session.expires,
            proof: Proof::Session(session.id),
            grant: Grant::Full,
        }))
    }

    /// The sessions of a user, the newest first: at most 20.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn sessions(&self, user: UserId) -> Result<Vec<StoredSession>, AccountError> {
        Ok(self.storage.sessions_of(user).await?)
    }

    /// Ends a session of a user; whether there was one.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, AccountError> {
        Ok(self.storage.end_session(user, id).await?)
    }
}

/// What is kept of what a browser calls itself.
fn shown(agent: &str) -> String {
    let end = agent.floor_char_boundary(AGENT_MAX_BYTES);
    agent[..end].replace(char::is_control, " ")
}

fn too_many(whose: &'static str, wait_ms: u64) -> AccountError {
    let retry_after_s = u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
    AccountError::TooMany {
        whose,
        retry_after_s: retry_after_s.max(1),
    }
}
