//! Who has an account: made, listed, disabled, given a link to set a password.

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::key;
use super::{AccountError, Accounts, Email, Key, NewPassword, PersonName};
use crate::storage::{Account, LinkFor, StoredLink};

/// How long a link works that sets a password, in milliseconds: three days.
const PASSWORD_LINK_TTL_MS: u64 = 3 * 24 * 60 * 60 * 1_000;
/// How long a link works that makes the first administrator, in milliseconds: a day.
const FIRST_START_TTL_MS: u64 = 24 * 60 * 60 * 1_000;

/// A person who is to have an account.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// The user as boards know it; a random one for `None`.
    pub user: Option<UserId>,
    /// The name that people see.
    pub name: PersonName,
    /// The address to sign in with.
    pub email: Email,
    /// Whether it administers the server.
    pub admin: bool,
}

impl NewPerson {
    fn into_account(self, password: Option<String>, now: Timestamp) -> Account {
        Account {
            user: self
                .user
                .unwrap_or_else(|| UserId::from_u128(rand::random())),
            name: self.name.into_string(),
            email_key: self.email.key(),
            email: self.email.into_string(),
            password,
            admin: self.admin,
            disabled: false,
            bot: false,
            created: now,
        }
    }
}

/// A link that works once, as it is handed out.
#[derive(Clone, Debug)]
pub struct OneTimeLink {
    /// Its secret.
    pub key: Key,
    /// The page that takes it, which begins with `/`.
    page: &'static str,
    /// Until when it works.
    pub expires: Timestamp,
}

impl OneTimeLink {
    /// The path of the page, with the secret in the fragment, which browsers do not send.
    pub fn path(&self) -> String {
        format!("{}#link={}", self.page, self.key.text())
    }

    fn new(page: &'static str, expires: Timestamp) -> Self {
        let key = Key::random();
        Self { key, page, expires }
    }

    fn stored(&self, purpose: LinkFor) -> StoredLink {
        StoredLink {
            secret: self.key.hash(),
            purpose,
            expires: self.expires,
        }
    }
}

impl Accounts {
    /// A link that makes the first administrator, valid for a day; `None` where the server has one.
    /// Earlier links no longer work.
    ///
    /// # Errors
    /// Reading or writing failed.
    pub async fn first_start(&self, now: Timestamp) -> Result<Option<OneTimeLink>, AccountError> {
        if self.storage.has_administrator().await? {
            return Ok(None);
        }
        let link = OneTimeLink::new("/first-start", Timestamp(now.0 + FIRST_START_TTL_MS));
        let stored = link.stored(LinkFor::FirstStart);
        self.storage.put_link(stored).await?;
        Ok(Some(link))
    }

    /// Makes the first administrator by such a link. Where the answer is an error the link still
    /// works, unless it says that it does not.
    ///
    /// # Errors
    /// The link is not valid, the user or the address has an account, too many passwords wait, or
    /// it cannot be written.
    pub async fn make_first_administrator(
        &self,
        link: &str,
        person: NewPerson,
        password: NewPassword,
        now: Timestamp,
    ) -> Result<Account, AccountError> {
        let password = self.passwords.hash(password).await?;
        let person = NewPerson {
            admin: true,
            ..person
        };
        let account = person.into_account(Some(password), now);
        let link = key::hash(link);
        let added = self.storage.add_first_account(account.clone(), link, now);
        if added.await? {
            return Ok(account);
        }
        Err(match self.is_taken(&account).await? {
            true => AccountError::Taken,
            false => AccountError::Link,
        })
    }

    async fn is_taken(&self, account: &Account) -> Result<bool, AccountError> {
        let by_user = self.storage.account(account.user).await?;
        let by_email = self.storage.account_of_email(&account.email_key).await?;
        Ok(by_user.is_some() || by_email.is_some())
    }

    /// Makes an account, and the link by which the person sets a password, valid for three days.
    ///
    /// # Errors
    /// The user or the address has an account, or it cannot be written.
    pub async fn add(
        &self,
        person: NewPerson,
        now: Timestamp,
    ) -> Result<(Account, OneTimeLink), AccountError> {
        let account = person.into_account(None, now);
        let link = password_link(now);
        let stored = link.stored(LinkFor::Password(account.user));
        let added = self
            .storage
            .add_account(account.clone(), Some(stored))
            .await?;
        added.then_some((account, link)).ok_or(AccountError::Taken)
    }

    /// Accounts by user, after `after`; at most `limit`.
    ///
    /// # Errors
    /// Reading failed.
    pub async fn list(
        &self,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Account>, AccountError> {
        Ok(self.storage.accounts(after, limit).await?)
    }

    /// Disables an account, which ends its sessions and links, or enables it.
    ///
    /// # Errors
    /// There is none, it is the last administrator, or it cannot be written.
    pub async fn set_disabled(&self, user: UserId, disabled: bool) -> Result<(), AccountError> {
        match self.storage.set_disabled(user, disabled).await? {
            true => Ok(()),
            false => Err(self.why_not_changed(user).await?),
        }
    }

    /// Makes an account an administrator of the server, or takes it back, which ends its sessions.
    ///
    /// # Errors
    /// There is none, it is the last administrator, or it cannot be written.
    pub async fn set_admin(&self, user: UserId, admin: bool) -> Result<(), AccountError> {
        match self.storage.set_admin(user, admin).await? {
            true => Ok(()),
            false => Err(self.why_not_changed(user).await?),
        }
    }

    async fn why_not_changed(&self, user: UserId) -> Result<AccountError, AccountError> {
        Ok(match self.storage.account(user).await? {
            Some(_) => AccountError::LastAdministrator,
            None => AccountError::NoSuchAccount,
        })
    }

    /// A link by which a person sets a new password, valid for three days. The present password and
    /// sessions stay until it is used; an earlier link no longer works.
    ///
    /// # Errors
    /// There is no such account, it is disabled or a bot, or it cannot be written.
    pub async fn reset(&self, user: UserId, now: Timestamp) -> Result<OneTimeLink, AccountError> {
        let account = self.storage.account(user).await?;
        let account = account.ok_or(AccountError::NoSuchAccount)?;
        if account.disabled {
            return Err(AccountError::Disabled);
        }
        if account.bot {
            return Err(AccountError::NoPerson);
        }
        let link = password_link(now);
        let stored = link.stored(LinkFor::Password(user));
        self.storage.put_link(stored).await?;
        Ok(link)
    }

    /// Sets the password of the person whom a link was given to, and ends all of its sessions.
    ///
    /// # Errors
    /// The link is not valid, too many passwords wait, or it cannot be written.
    pub async fn set_password(
        &self,
        link: &str,
        password: NewPassword,
        now: Timestamp,
    ) -> Result<Account, AccountError> {
        let link = key::hash(link);
        // Before the work of hashing, which nobody is to cause without a link.
        let user = self.storage.user_of_link(&link, now).await?;
        let user = user.ok_or(AccountError::Link)?;
        let password = self.passwords.hash(password).await?;
        if !self.storage.set_password(link, password, now).await? {
            return Err(AccountError::Link);
        }
        let account = self.storage.account(user).await?;
        account.ok_or(AccountError::Link)
    }
}

fn password_link(now: Timestamp) -> OneTimeLink {
    OneTimeLink::new("/password", Timestamp(now.0 + PASSWORD_LINK_TTL_MS))
}
