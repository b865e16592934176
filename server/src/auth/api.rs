//! Tokens for programs, as requests and sockets show them: looked up once, then known.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::{Grant, Identity, Proof};
use crate::measure::Counter;
use crate::storage::{SecretHash, Storage, StorageError, TokenId};

/// What a token for programs begins with: what searches for secrets that leaked look for.
pub const TOKEN_PREFIX: &str = "bct_";
/// Characters behind it: 256 random bits in base64url.
const SECRET_CHARS: usize = 43;
/// Tokens that are known without a read: half of those that were used last are kept when there is no
/// place.
const KNOWN_MAX: usize = 10_000;
/// When a token was used last is noted again after this time, in milliseconds.
const USED_EVERY_MS: u64 = 5 * 60 * 1_000;
/// Uses that wait to be written; a further one is noted when the token is used again.
const USES_MAX: usize = 10_000;

/// Why a token for programs is not valid.
#[derive(Debug, thiserror::Error)]
pub enum ApiTokenError {
    /// It was never made, was revoked, has expired, or its user is disabled: the answer is the same.
    #[error(
        "the token is not valid: it was never made, was revoked or has expired, or its user is \
         disabled; make a new one"
    )]
    NotValid,
    /// It cannot be looked up.
    #[error("failed to {0}")]
    Storage(#[from] StorageError),
}

/// What is kept of the text of a token for programs; `None` for what has not the form of one.
pub fn token_hash(text: &str) -> Option<SecretHash> {
    let secret = text.strip_prefix(TOKEN_PREFIX)?;
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let has_form = secret.len() == SECRET_CHARS && secret.bytes().all(is_base64);
    has_form.then(|| Sha256::digest(text.as_bytes()).into())
}

/// Whether a text claims to be a token for programs.
pub fn is_api_token(text: &str) -> bool {
    text.starts_with(TOKEN_PREFIX)
}

/// Tokens for programs. What is known of them is dropped by whoever revokes them.
#[derive(Debug)]
pub struct ApiTokens {
    storage: Storage,
    known: Mutex<Known>,
    uses: Mutex<BTreeMap<TokenId, Timestamp>>,
    /// Look-ups that needed no read.
    pub hits: Counter,
    /// Look-ups that read the database.
    pub misses: Counter,
}

/// Two generations: what is used moves to the newer one, and the older one is dropped as a whole.
#[derive(Debug, Default)]
struct Known {
    newer: HashMap<SecretHash, Entry>,
    older: HashMap<SecretHash, Entry>,
    /// Rises with each revocation: what was read before one is not kept behind it.
    revocations: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    identity: Arc<Identity>,
    /// When its use was noted last.
    used: Option<Timestamp>,
}

impl Known {
    fn get(&mut self, hash: &SecretHash) -> Option<&mut Entry> {
        if !self.newer.contains_key(hash) {
            let entry = self.older.remove(hash)?;
            self.put(*hash, entry);
        }
        self.newer.get_mut(hash)
    }

    fn put(&mut self, hash: SecretHash, entry: Entry) {
        if self.newer.len() >= KNOWN_MAX / 2 {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(hash, entry);
    }
}

impl ApiTokens {
    /// Those that `storage` keeps.
    pub fn new(storage: Storage) -> Self {
        Self {
            storage,
            known: Mutex::default(),
            uses: Mutex::default(),
            hits: Counter::default(),
            misses: Counter::default(),
        }
    }

    /// Who a token speaks for.
    ///
    /// # Errors
    /// It is not valid, or cannot be looked up.
    pub async fn identify(&self, text: &str, now: Timestamp) -> Result<Identity, ApiTokenError> {
        let hash = token_hash(text).ok_or(ApiTokenError::NotValid)?;
        if let Some(found) = self.recall(&hash, now) {
            self.hits.add(1);
            return found;
        }
        self.misses.add(1);
        let revocations = self.known().revocations;
        let found = self.storage.token(&hash, now).await?;
        let (token, owner) = found.ok_or(ApiTokenError::NotValid)?;
        let actor = Actor::new(token.user, owner.admin);
        let proof = Proof::Token(token.id);
        let identity = Identity::full(actor, owner.name.into(), token.expires, proof);
        let identity = identity.limited(Grant::Token {
            scope: token.scope,
            boards: token.boards.map(Into::into),
        });
        let mut entry = Entry {
            identity: Arc::new(identity.clone()),
            used: token.used,
        };
        self.note_use(token.id, &mut entry, now);
        let mut known = self.known();
        if known.revocations == revocations {
            known.put(hash, entry);
        }
        Ok(identity)
    }

    /// What is known of a token that has not expired.
    fn recall(&self, hash: &SecretHash, now: Timestamp) -> Option<Result<Identity, ApiTokenError>> {
        let mut known = self.known();
        let entry = known.get(hash)?;
        if now >= entry.identity.expires {
            return Some(Err(ApiTokenError::NotValid));
        }
        if let Proof::Token(id) = entry.identity.proof {
            self.note_use(id, entry, now);
        }
        Some(Ok(Identity::clone(&entry.identity)))
    }

    /// From now on nothing is known of the tokens of a user: some were revoked, or the user is
    /// disabled. To be called behind the commit.
    pub fn forget(&self, user: UserId) {
        let mut known = self.known();
        known.revocations += 1;
        let stays = |_: &SecretHash, entry: &mut Entry| entry.identity.actor.user != user;
        known.newer.retain(stays);
        known.older.retain(stays);
    }

    /// Tokens that are known.
    pub fn known_count(&self) -> usize {
        let known = self.known();
        known.newer.len() + known.older.len()
    }

    /// Writes when tokens were used last: all that wait, in one transaction.
    ///
    /// # Errors
    /// They cannot be written, and wait on.
    pub async fn write_uses(&self) -> Result<(), StorageError> {
        let uses = std::mem::take(&mut *self.uses());
        if uses.is_empty() {
            return Ok(());
        }
        let written = self.storage.use_tokens(uses.clone().into_iter().collect());
        written.await.inspect_err(|_| {
            let mut waiting = self.uses();
            for (id, at) in uses {
                waiting.entry(id).or_insert(at);
            }
        })
    }

    fn note_use(&self, id: TokenId, entry: &mut Entry, now: Timestamp) {
        let is_noted = |used: Timestamp| now.0 < used.0.saturating_add(USED_EVERY_MS);
        if entry.used.is_some_and(is_noted) {
            return;
        }
        let mut uses = self.uses();
        if uses.len() < USES_MAX {
            uses.insert(id, now);
            entry.used = Some(now);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self) -> MutexGuard<'_, BTreeMap<TokenId, Timestamp>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
