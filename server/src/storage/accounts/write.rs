//! Writes of accounts, sessions and links: each is one transaction, or a part of one.

use sqlx::SqliteConnection;

use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::board_links::{self, FORGET_BOARD_LINKS, LinkAct};
use super::tokens::{self, FORGET_TOKENS, TokenAct};
use super::{Account, LinkFor, NewSession, SESSIONS_MAX, SecretHash, SessionId, StoredLink};
use crate::storage::users::REMEMBER;

/// What is to be written. The answer says whether there was something to do; if not, nothing is
/// changed.
#[derive(Debug)]
pub(in crate::storage) enum AccountAct {
    Add {
        account: Account,
        link: Option<StoredLink>,
    },
    AddFirst {
        account: Account,
        link: SecretHash,
        now: Timestamp,
    },
    PutLink(StoredLink),
    SetPassword {
        link: SecretHash,
        password: String,
        now: Timestamp,
    },
    ChangePassword {
        user: UserId,
        old: String,
        new: String,
        keep: Option<SessionId>,
    },
    SetDisabled {
        user: UserId,
        disabled: bool,
    },
    /// Makes an account an administrator, or takes it back, which ends its sessions.
    SetAdmin {
        user: UserId,
        admin: bool,
    },
    BeginSession(Box<NewSession>),
    UseSession {
        id: SessionId,
        now: Timestamp,
    },
    EndSession {
        user: UserId,
        id: SessionId,
    },
    ForgetEnded {
        now: Timestamp,
    },
    Token(TokenAct),
    BoardLink(LinkAct),
}

pub(in crate::storage) const IS_TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM accounts WHERE user = ?1) \
     OR EXISTS (SELECT 1 FROM accounts WHERE email_key = ?2)";
pub(in crate::storage) const ADD: &str = "INSERT INTO accounts \
     (user, name, email, email_key, password, admin, bot, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
pub(in crate::storage) const HAS_ADMINISTRATOR: &str =
    "SELECT EXISTS (SELECT 1 FROM accounts WHERE disabled = 0 AND admin = 1 AND bot = 0)";
pub(in crate::storage) const HAS_OTHER_ADMINISTRATOR: &str = "SELECT EXISTS (SELECT 1 FROM accounts \
     WHERE disabled = 0 AND admin = 1 AND bot = 0 AND user <> ?)";
pub(in crate::storage) const IS_FIRST_START: &str = "SELECT EXISTS (SELECT 1 FROM links WHERE secret = ? AND purpose = 'first_start' \
     AND expires > ?)";
pub(in crate::storage) const END_LINKS: &str = "DELETE FROM links WHERE purpose = ? AND user IS ?";
pub(in crate::storage) const PUT_LINK: &str =
    "INSERT INTO links (secret, purpose, user, expires) VALUES (?, ?, ?, ?)";
pub(in crate::storage) const USER_OF_LINK: &str = "SELECT a.user FROM links AS l \
     JOIN accounts AS a ON a.user = l.user \
     WHERE l.secret = ? AND l.purpose = 'password' AND l.expires > ? AND a.disabled = 0";
pub(in crate::storage) const SET_PASSWORD: &str = "UPDATE accounts SET password = ? WHERE user = ?";
pub(in crate::storage) const CHANGE_PASSWORD: &str =
    "UPDATE accounts SET password = ? WHERE user = ? AND password = ? AND disabled = 0";
pub(in crate::storage) const END_OTHER_SESSIONS: &str =
    "DELETE FROM sessions WHERE user = ? AND id IS NOT ?";
pub(in crate::storage) const IS_ADMINISTRATOR: &str =
    "SELECT admin AND NOT bot FROM accounts WHERE user = ?";
pub(in crate::storage) const SET_DISABLED: &str = "UPDATE accounts SET disabled = ? WHERE user = ?";
pub(in crate::storage) const SET_ADMIN: &str = "UPDATE accounts SET admin = ? WHERE user = ?";
pub(in crate::storage) const BEGIN_SESSION: &str = "INSERT INTO sessions \
     (id, secret, user, created, used, expires, agent, address) \
     SELECT ?1, ?2, user, ?4, ?4, ?5, ?6, ?7 FROM accounts \
     WHERE user = ?3 AND disabled = 0 AND password = ?8";
pub(in crate::storage) const END_SECRET: &str = "DELETE FROM sessions WHERE secret = ?";
pub(in crate::storage) const END_OLDEST: &str = "DELETE FROM sessions WHERE id IN \
     (SELECT id FROM sessions WHERE user = ? ORDER BY created DESC, id DESC LIMIT -1 OFFSET ?)";
pub(in crate::storage) const USE_SESSION: &str = "UPDATE sessions SET used = ? WHERE id = ?";
pub(in crate::storage) const END_SESSION: &str = "DELETE FROM sessions WHERE id = ? AND user = ?";
pub(in crate::storage) const END_SESSIONS: &str = "DELETE FROM sessions WHERE user = ?";
pub(in crate::storage) const FORGET_SESSIONS: &str = "DELETE FROM sessions WHERE expires <= ?";
pub(in crate::storage) const FORGET_LINKS: &str = "DELETE FROM links WHERE expires <= ?";

/// Performs an act inside a transaction.
pub(in crate::storage) async fn execute(
    conn: &mut SqliteConnection,
    act: &AccountAct,
) -> Result<bool, sqlx::Error> {
    match act {
        AccountAct::Add { account, link } => {
            let added = add(conn, account).await?;
            if let (true, Some(link)) = (added, link) {
                put_link(conn, link).await?;
            }
            Ok(added)
        }
        AccountAct::AddFirst { account, link, now } => add_first(conn, account, link, *now).await,
        AccountAct::PutLink(link) => put_link(conn, link).await.map(|()| true),
        AccountAct::SetPassword {
            link,
            password,
            now,
        } => set_password(conn, link, password, *now).await,
        AccountAct::ChangePassword {
            user,
            old,
            new,
            keep,
        } => change_password(conn, *user, (old, new), *keep).await,
        AccountAct::SetDisabled { user, disabled } => set_disabled(conn, *user, *disabled).await,
        AccountAct::SetAdmin { user, admin } => set_admin(conn, *user, *admin).await,
        AccountAct::BeginSession(session) => begin_session(conn, session).await,
        AccountAct::UseSession { id, now } => {
            let query = sqlx::query(USE_SESSION).bind(time(*now));
            changed(query.bind(id.0.cast_signed()).execute(conn).await)
        }
        AccountAct::EndSession { user, id } => {
            let query = sqlx::query(END_SESSION).bind(id.0.cast_signed());
            changed(query.bind(user.as_str()).execute(conn).await)
        }
        AccountAct::ForgetEnded { now } => {
            let query = sqlx::query(FORGET_SESSIONS).bind(time(*now));
            let sessions = changed(query.execute(&mut *conn).await)?;
            let query = sqlx::query(FORGET_LINKS).bind(time(*now));
            let links = changed(query.execute(&mut *conn).await)?;
            let query = sqlx::query(FORGET_TOKENS).bind(time(*now));
            let tokens = changed(query.execute(&mut *conn).await)?;
            let query = sqlx::query(FORGET_BOARD_LINKS).bind(time(*now));
            Ok(changed(query.execute(conn).await)? || sessions || links || tokens)
        }
        AccountAct::Token(act) => tokens::execute(conn, act).await,
        AccountAct::BoardLink(act) => board_links::execute(conn, act).await,
    }
}

async fn add(conn: &mut SqliteConnection, account: &Account) -> Result<bool, sqlx::Error> {
    let is_taken: bool = sqlx::query_scalar(IS_TAKEN)
        .bind(account.user.as_str())
        .bind(&account.email_key)
        .fetch_one(&mut *conn)
        .await?;
    if is_taken {
        return Ok(false);
    }
    sqlx::query(REMEMBER.single())
        .bind(account.user.as_str())
        .bind(&account.name)
        .bind(time(account.created))
        .execute(&mut *conn)
        .await?;
    sqlx::query(ADD)
        .bind(account.user.as_str())
        .bind(&account.name)
        .bind(&account.email)
        .bind(&account.email_key)
        .bind(account.password.as_deref())
        .bind(account.admin)
        .bind(account.bot)
        .bind(time(account.created))
        .execute(conn)
        .await
        .map(|_| true)
}

async fn add_first(
    conn: &mut SqliteConnection,
    account: &Account,
    link: &SecretHash,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let has_administrator: bool = sqlx::query_scalar(HAS_ADMINISTRATOR)
        .fetch_one(&mut *conn)
        .await?;
    let is_valid: bool = sqlx::query_scalar(IS_FIRST_START)
        .bind(link.as_slice())
        .bind(time(now))
        .fetch_one(&mut *conn)
        .await?;
    if has_administrator || !is_valid || !add(conn, account).await? {
        return Ok(false);
    }
    end_links(conn, LinkFor::FirstStart).await.map(|()| true)
}

async fn put_link(conn: &mut SqliteConnection, link: &StoredLink) -> Result<(), sqlx::Error> {
    end_links(conn, link.purpose).await?;
    let (purpose, user) = columns(&link.purpose);
    sqlx::query(PUT_LINK)
        .bind(link.secret.as_slice())
        .bind(purpose)
        .bind(user)
        .bind(time(link.expires))
        .execute(conn)
        .await
        .map(drop)
}

async fn end_links(conn: &mut SqliteConnection, purpose: LinkFor) -> Result<(), sqlx::Error> {
    let (purpose, user) = columns(&purpose);
    let query = sqlx::query(END_LINKS).bind(purpose).bind(user);
    query.execute(conn).await.map(drop)
}

async fn end_sessions(conn: &mut SqliteConnection, user: UserId) -> Result<(), sqlx::Error> {
    let query = sqlx::query(END_SESSIONS).bind(user.as_str());
    query.execute(conn).await.map(drop)
}

async fn set_password(
    conn: &mut SqliteConnection,
    link: &SecretHash,
    password: &str,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let user: Option<String> = sqlx::query_scalar(USER_OF_LINK)
        .bind(link.as_slice())
        .bind(time(now))
        .fetch_optional(&mut *conn)
        .await?;
    let Some(user) = user else { return Ok(false) };
    let user: UserId = user.parse().map_err(super::read::decode)?;
    let query = sqlx::query(SET_PASSWORD).bind(password);
    query.bind(user.as_str()).execute(&mut *conn).await?;
    end_links(conn, LinkFor::Password(user)).await?;
    end_sessions(conn, user).await.map(|()| true)
}

async fn change_password(
    conn: &mut SqliteConnection,
    user: UserId,
    (old, new): (&str, &str),
    keep: Option<SessionId>,
) -> Result<bool, sqlx::Error> {
    let query = sqlx::query(CHANGE_PASSWORD).bind(new).bind(user.as_str());
    if !changed(query.bind(old).execute(&mut *conn).await)? {
        return Ok(false);
    }
    end_links(conn, LinkFor::Password(user)).await?;
    let query = sqlx::query(END_OTHER_SESSIONS).bind(user.as_str());
    let query = query.bind(keep.map(|keep| keep.0.cast_signed()));
    query.execute(conn).await.map(|_| true)
}

async fn set_disabled(
    conn: &mut SqliteConnection,
    user: UserId,
    disabled: bool,
) -> Result<bool, sqlx::Error> {
    if !may_change(conn, user, disabled).await? {
        return Ok(false);
    }
    let query = sqlx::query(SET_DISABLED).bind(disabled);
    query.bind(user.as_str()).execute(&mut *conn).await?;
    if disabled {
        end_links(conn, LinkFor::Password(user)).await?;
        end_sessions(conn, user).await?;
    }
    Ok(true)
}

async fn set_admin(
    conn: &mut SqliteConnection,
    user: UserId,
    admin: bool,
) -> Result<bool, sqlx::Error> {
    if !may_change(conn, user, !admin).await? {
        return Ok(false);
    }
    let query = sqlx::query(SET_ADMIN).bind(admin);
    query.bind(user.as_str()).execute(&mut *conn).await?;
    if !admin {
        end_sessions(conn, user).await?;
    }
    Ok(true)
}

/// Whether there is such an account, and an administrator stays who is enabled where it `ends` to be
/// one.
async fn may_change(
    conn: &mut SqliteConnection,
    user: UserId,
    ends: bool,
) -> Result<bool, sqlx::Error> {
    let is_administrator: Option<bool> = sqlx::query_scalar(IS_ADMINISTRATOR)
        .bind(user.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    let Some(is_administrator) = is_administrator else {
        return Ok(false);
    };
    if !(ends && is_administrator) {
        return Ok(true);
    }
    let query = sqlx::query_scalar(HAS_OTHER_ADMINISTRATOR).bind(user.as_str());
    query.fetch_one(conn).await
}

async fn begin_session(conn: &mut SqliteConnection, new: &NewSession) -> Result<bool, sqlx::Error> {
    let session = &new.session;
    let begun = sqlx::query(BEGIN_SESSION)
        .bind(session.id.0.cast_signed())
        .bind(new.secret.as_slice())
        .bind(session.user.as_str())
        .bind(time(session.created))
        .bind(time(session.expires))
        .bind(&session.agent)
        .bind(&session.address)
        .bind(&new.password)
        .execute(&mut *conn)
        .await;
    if !changed(begun)? {
        return Ok(false);
    }
    if let Some(replaced) = &new.replaces {
        let query = sqlx::query(END_SECRET).bind(replaced.as_slice());
        query.execute(&mut *conn).await?;
    }
    let kept = i64::try_from(SESSIONS_MAX).unwrap_or(i64::MAX);
    let query = sqlx::query(END_OLDEST).bind(session.user.as_str());
    query.bind(kept).execute(conn).await.map(|_| true)
}

fn columns(purpose: &LinkFor) -> (&'static str, Option<&str>) {
    match purpose {
        LinkFor::FirstStart => ("first_start", None),
        LinkFor::Password(user) => ("password", Some(user.as_str())),
    }
}

pub(super) fn changed(
    done: Result<sqlx::sqlite::SqliteQueryResult, sqlx::Error>,
) -> Result<bool, sqlx::Error> {
    done.map(|done| done.rows_affected() > 0)
}

pub(super) fn time(at: Timestamp) -> i64 {
    at.0.cast_signed()
}
