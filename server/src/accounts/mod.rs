//! People and bots with an account at this server: who they are, how they sign in, what they may change of
//! themselves, and what administrators do about them. Knows no HTTP.

mod error;
mod fields;
mod key;
mod passwords;
mod people;
mod sign_in;
mod tokens;

use crate::connection::Source;
use crate::rate::Pace;
use crate::rates::Rates;
use crate::storage::{AuditEntry, Storage};

pub use self::error::AccountError;
pub use self::fields::{Email, NewPassword, PersonName};
pub use self::key::Key;
pub(crate) use self::passwords::RETRY_AFTER_S;
pub use self::passwords::{HashRules, Passwords};
pub use self::people::{NewPerson, OneTimeLink};
pub use self::sign_in::{Browser, SESSION_TTL_MS, SignedIn};
pub use self::tokens::{NewToken, TOKEN_BOARDS_MAX};

/// What signing in is held to.
#[derive(Clone, Debug)]
pub struct AccountRules {
    /// Attempts to sign in from one source at once; above it 429. As many come back in a minute.
    pub sign_ins_per_source: u32,
    /// Attempts to sign in to one account at once, whether there is such an account or not; above it
    /// 429.
    pub sign_ins_per_account: u32,
    /// The time after which another attempt at an account is possible, in milliseconds.
    pub sign_in_every_ms: u64,
    /// How passwords are hashed.
    pub hashes: HashRules,
}

impl Default for AccountRules {
    fn default() -> Self {
        Self {
            sign_ins_per_source: 60,
            sign_ins_per_account: 10,
            sign_in_every_ms: 30_000,
            hashes: HashRules::default(),
        }
    }
}

/// Sources, and accounts, whose attempts are remembered; further ones share one rate.
const REMEMBERED_MAX: usize = 20_000;

/// The accounts of a server.
#[derive(Debug)]
pub struct Accounts {
    storage: Storage,
    passwords: Passwords,
    per_source: Rates<Source>,
    /// By a digest of the address.
    per_account: Rates<u128>,
}

impl Accounts {
    /// The accounts that `storage` keeps.
    pub fn new(storage: Storage, rules: &AccountRules) -> Self {
        let each_ms = 60_000 / u64::from(rules.sign_ins_per_source.max(1));
        let per_source = Pace::every_ms(each_ms, rules.sign_ins_per_source);
        let per_account = Pace::every_ms(rules.sign_in_every_ms, rules.sign_ins_per_account);
        Self {
            storage,
            passwords: Passwords::new(rules.hashes),
            per_source: Rates::new(per_source, REMEMBERED_MAX),
            per_account: Rates::new(per_account, REMEMBERED_MAX),
        }
    }

    /// Notes something in the audit log; it is written behind.
    pub fn note(&self, entry: AuditEntry) {
        self.storage.audit(entry);
    }

    /// What hashes passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}
