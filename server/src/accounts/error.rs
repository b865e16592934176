//! Why something about accounts cannot be done.

use super::fields::{EMAIL_MAX_BYTES, PASSWORD_MAX_BYTES, PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS};
use super::passwords::TooBusy;
use super::tokens::TOKEN_BOARDS_MAX;
use crate::storage::{StorageError, TOKENS_MAX};
use boardcast_protocol::limits::NAME_MAX_BYTES;

/// Why something about accounts cannot be done. The message says what would be right.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name of a person has a wrong form.
    #[error(
        "a name has 1 to {NAME_MAX_BYTES} bytes without control characters, and not only space"
    )]
    Name,
    /// The address has a wrong form.
    #[error(
        "an e-mail address is written NAME@HOST, without space, at most {EMAIL_MAX_BYTES} bytes"
    )]
    Email,
    /// The new password is too short or too long.
    #[error(
        "a password has {PASSWORD_MIN_CHARS} to {PASSWORD_MAX_CHARS} characters, and at most \
         {PASSWORD_MAX_BYTES} bytes"
    )]
    Password,
    /// The user or the address has an account.
    #[error("there is an account of this user or with this e-mail address")]
    Taken,
    /// There is no account.
    #[error("there is no account of this user")]
    NoSuchAccount,
    /// Nobody could administer the server any more.
    #[error("this is the last administrator; make another one before")]
    LastAdministrator,
    /// The account is disabled.
    #[error("the account is disabled; enable it before")]
    Disabled,
    /// The boards of a token are none, or too many.
    #[error("`boards` has 1 to {TOKEN_BOARDS_MAX} ids; leave it out for all boards")]
    Boards,
    /// The end of a token is not in its bounds.
    #[error("`expires` is a moment in milliseconds since 1970, in the future and within 366 days")]
    Expires,
    /// No further token may be made.
    #[error("there are {TOKENS_MAX} tokens of this user, as many as may be; revoke one before")]
    TooManyTokens,
    /// There is no such token.
    #[error("there is no such token")]
    NoSuchToken,
    /// A bot has no password.
    #[error("this is a bot, which signs in by tokens alone")]
    NoPerson,
    /// Tokens of people are made by themselves.
    #[error(
        "this is a person, who makes tokens with POST /api/v1/tokens; only bots are given them"
    )]
    NoBot,
    /// A link was never made, was used, was replaced by a newer one, or has expired: the answer is
    /// the same.
    #[error("the link is not valid: it works once and for a limited time; ask for a new one")]
    Link,
    /// The address, the password or the account is not right: the answer is the same.
    #[error("the e-mail address or the password is wrong, or the account is disabled")]
    SignIn,
    /// The present password is not what was given for it.
    #[error("the present password is wrong; without it, ask an administrator for a link")]
    OldPassword,
    /// Too many attempts to sign in.
    #[error("too many attempts to sign in {whose}; try again in {retry_after_s} s")]
    TooMany {
        /// From where, or to what.
        whose: &'static str,
        /// When to try again, in seconds: at least 1.
        retry_after_s: u32,
    },
    /// Too many passwords wait to be hashed.
    #[error(transparent)]
    Busy(#[from] TooBusy),
    /// Reading or writing failed.
    #[error("failed to {0}")]
    Storage(#[from] StorageError),
}
