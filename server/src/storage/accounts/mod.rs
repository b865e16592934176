//! Accounts of people and bots, their sessions, their tokens, links that work once, and links to boards.
//!
//! Secrets are kept as their SHA-256 and passwords as PHC strings: who reads the file can use none.

pub(super) mod board_links;
mod number;
pub(super) mod read;
pub(super) mod tokens;
pub(super) mod write;

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

pub use self::board_links::{BOARD_LINKS_MAX, LinkGives, StoredBoardLink};
pub use self::number::{LinkId, SessionId, TokenId};
pub use self::tokens::{StoredToken, TOKENS_MAX};
pub(super) use self::write::AccountAct;
use super::requests::Act;
use super::{Storage, StorageError};

/// Sessions that a person may have; above it a sign-in ends the oldest.
pub const SESSIONS_MAX: usize = 20;

/// What is kept of a secret.
pub type SecretHash = [u8; 32];

/// A person who signs in at this server.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user, as boards know it.
    pub user: UserId,
    /// The name that people see.
    pub name: String,
    /// The address, as it was given.
    pub email: String,
    /// Its [`email_key`]; no two accounts have the same.
    pub email_key: String,
    /// The password as a PHC string; `None` until a link has set one.
    pub password: Option<String>,
    /// Whether it administers the server.
    pub admin: bool,
    /// Whether nobody may sign in as it.
    pub disabled: bool,
    /// Whether it is a program: it has tokens, and neither address nor password.
    pub bot: bool,
    /// When it was made.
    pub created: Timestamp,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.user)
    }
}

/// What tells an address apart from others: it without regard to case.
pub fn email_key(email: &str) -> String {
    email.to_lowercase()
}

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Its name.
    pub id: SessionId,
    /// Who is signed in.
    pub user: UserId,
    /// When it began.
    pub created: Timestamp,
    /// When it was used last, to within a few minutes.
    pub used: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// What the browser called itself.
    pub agent: String,
    /// The address from which it began.
    pub address: String,
}

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFor {
    /// To make the first administrator.
    FirstStart,
    /// To set the password of this user.
    Password(UserId),
}

/// A link that works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLink {
    /// What is kept of its secret.
    pub secret: SecretHash,
    /// What it is for. An earlier link for the same no longer works.
    pub purpose: LinkFor,
    /// Until when it works.
    pub expires: Timestamp,
}

/// A session that is about to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What is kept of its secret.
    pub secret: SecretHash,
    /// What is known of it.
    pub session: StoredSession,
    /// The password by which it was checked: if the account has another by now, nothing begins.
    pub password: String,
    /// A session of the same browser that ends with it.
    pub replaces: Option<SecretHash>,
}

impl Storage {
    /// Makes an account without a password, and the link by which its owner sets one, if it is to;
    /// `false` where the user or the address has an account.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn add_account(
        &self,
        account: Account,
        link: Option<StoredLink>,
    ) -> Result<bool, StorageError> {
        self.change(AccountAct::Add { account, link }).await
    }

    /// Makes the first administrator, and uses the link up. `false`, and nothing is changed, where
    /// the link is not valid, the server has an administrator, or user or address have an account.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn add_first_account(
        &self,
        account: Account,
        link: SecretHash,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        self.change(AccountAct::AddFirst { account, link, now })
            .await
    }

    /// Keeps a link, in place of an earlier one for the same.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn put_link(&self, link: StoredLink) -> Result<(), StorageError> {
        self.change(AccountAct::PutLink(link)).await.map(drop)
    }

    /// Sets the password of the user of a link, uses the link up and ends all sessions of the user;
    /// `false` where the link is not valid or the account is disabled.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn set_password(
        &self,
        link: SecretHash,
        password: String,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let set = AccountAct::SetPassword {
            link,
            password,
            now,
        };
        self.change(set).await
    }

    /// Changes the password of a user from the PHC string `old`, uses up links for it and ends all
    /// sessions of the user but `keep`; `false` where the account has another password by now, or is
    /// disabled.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn change_password(
        &self,
        user: UserId,
        (old, new): (String, String),
        keep: Option<SessionId>,
    ) -> Result<bool, StorageError> {
        let change = AccountAct::ChangePassword {
            user,
            old,
            new,
            keep,
        };
        self.change(change).await
    }

    /// Disables an account, which ends its sessions and links, or enables it; `false` where there is
    /// none, or where it is the last administrator who is enabled.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn set_disabled(&self, user: UserId, disabled: bool) -> Result<bool, StorageError> {
        self.change(AccountAct::SetDisabled { user, disabled })
            .await
    }

    /// Makes an account an administrator, or takes it back, which ends its sessions; `false` where there
    /// is none, or where it is the last administrator who is enabled.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn set_admin(&self, user: UserId, admin: bool) -> Result<bool, StorageError> {
        self.change(AccountAct::SetAdmin { user, admin }).await
    }

    /// Begins a session, and ends the oldest where the user has more than [`SESSIONS_MAX`]; `false`
    /// where the account is disabled or has another password by now.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn begin_session(&self, session: NewSession) -> Result<bool, StorageError> {
        self.change(AccountAct::BeginSession(Box::new(session)))
            .await
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn use_session(&self, id: SessionId, now: Timestamp) -> Result<(), StorageError> {
        let used = AccountAct::UseSession { id, now };
        self.change(used).await.map(drop)
    }

    /// Ends a session of a user; `false` where there is none.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, StorageError> {
        self.change(AccountAct::EndSession { user, id }).await
    }

    /// Forgets sessions, tokens, links and links to boards that have ended; whether there were any.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn forget_ended(&self, now: Timestamp) -> Result<bool, StorageError> {
        self.change(AccountAct::ForgetEnded { now }).await
    }

    pub(super) async fn change(&self, act: AccountAct) -> Result<bool, StorageError> {
        self.inner.requests.ask(Act::Account(act)).await
    }
}
