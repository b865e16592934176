//! Tokens for programs and public links, as requests and sockets show them: looked up once, then
//! known.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::{MAX_SAFE_INTEGER, Timestamp};

use super::{Grant, Identity, Proof};
use crate::measure::Counter;
use crate::storage::{LinkGives, LinkId, SecretHash, Storage, StorageError, TokenId};

/// What a token for programs begins with: what searches for secrets that leaked look for.
pub const TOKEN_PREFIX: &str = "bct_";
/// What a public link to a board begins with.
pub const LINK_PREFIX: &str = "bcl_";
/// Characters behind either: 256 random bits in base64url.
const SECRET_CHARS: usize = 43;
/// Tokens that are known without a read: half of those that were used last are kept when there is no
/// place.
const KNOWN_MAX: usize = 10_000;
/// When a token was used last is noted again after this time, in milliseconds.
const USED_EVERY_MS: u64 = 5 * 60 * 1_000;
/// Uses that wait to be written; a further one is noted when the token is used again.
const USES_MAX: usize = 10_000;
/// Uses of one transaction: versions may wait for it, so it is short.
const USES_GROUP_MAX: usize = 512;

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

/// What is kept of the text of a token for programs or of a public link; `None` for what has not the
/// form of one.
pub fn token_hash(text: &str) -> Option<SecretHash> {
    let secret = text.strip_prefix(TOKEN_PREFIX);
    let secret = secret.or_else(|| text.strip_prefix(LINK_PREFIX))?;
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let has_form = secret.len() == SECRET_CHARS && secret.bytes().all(is_base64);
    has_form.then(|| Sha256::digest(text.as_bytes()).into())
}

/// Whether a text claims to be a token for programs or a public link: it has to be looked up.
pub fn is_api_token(text: &str) -> bool {
    text.starts_with(TOKEN_PREFIX) || text.starts_with(LINK_PREFIX)
}

/// Tokens for programs and public links. What is known of them is dropped by whoever revokes them.
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

impl Entry {
    /// Who it speaks for: behind a public link everybody is somebody else.
    fn identity(&self) -> Identity {
        let mut identity = Identity::clone(&self.identity);
        if let Proof::Link(_) = identity.proof {
            identity.actor.user = guest();
        }
        identity
    }
}

/// The name of everybody who comes by a public link.
const GUEST: &str = "guest";

/// A user that nobody is.
fn guest() -> UserId {
    UserId::from_u128(rand::random())
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
        let found = match text.starts_with(LINK_PREFIX) {
            true => self.read_link(&hash, now).await?,
            false => self.read_token(&hash, now).await?,
        };
        let mut entry = found.ok_or(ApiTokenError::NotValid)?;
        self.note_use(&mut entry, now);
        let identity = entry.identity();
        let mut known = self.known();
        if known.revocations == revocations {
            known.put(hash, entry);
        }
        Ok(identity)
    }

    async fn read_token(
        &self,
        hash: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<Entry>, StorageError> {
        let found = self.storage.token(hash, now).await?;
        Ok(found.map(|(token, owner)| {
            let actor = Actor::new(token.user, owner.admin);
            let proof = Proof::Token(token.id);
            let identity = Identity::full(actor, owner.name.into(), token.expires, proof);
            let grant = Grant::Token {
                scope: token.scope,
                boards: token.boards.map(Into::into),
            };
            Entry {
                identity: Arc::new(identity.limited(grant)),
                used: token.used,
            }
        }))
    }

    async fn read_link(
        &self,
        hash: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<Entry>, StorageError> {
        let found = self.storage.board_link(hash, now).await?;
        let found = found.filter(|link| link.gives == LinkGives::View);
        Ok(found.map(|link| {
            let expires = link.expires.unwrap_or(Timestamp(MAX_SAFE_INTEGER));
            let (actor, proof) = (Actor::new(guest(), false), Proof::Link(link.id));
            let identity = Identity::full(actor, GUEST.into(), expires, proof);
            Entry {
                identity: Arc::new(identity.limited(Grant::Link(link.board))),
                used: None,
            }
        }))
    }

    /// What is known of a token that has not expired.
    fn recall(&self, hash: &SecretHash, now: Timestamp) -> Option<Result<Identity, ApiTokenError>> {
        let mut known = self.known();
        let entry = known.get(hash)?;
        if now >= entry.identity.expires {
            return Some(Err(ApiTokenError::NotValid));
        }
        self.note_use(entry, now);
        Some(Ok(entry.identity()))
    }

    /// From now on nothing is known of the tokens of a user: some were revoked, or the user is
    /// disabled. To be called behind the commit.
    pub fn forget(&self, user: UserId) {
        self.forget_all(|identity| identity.actor.user == user);
    }

    /// From now on nothing is known of a public link, which was revoked. To be called behind the
    /// commit.
    pub fn forget_link(&self, link: LinkId) {
        self.forget_all(|identity| identity.proof == Proof::Link(link));
    }

    fn forget_all(&self, is_ended: impl Fn(&Identity) -> bool) {
        let mut known = self.known();
        known.revocations += 1;
        let stays = |_: &SecretHash, entry: &mut Entry| !is_ended(&entry.identity);
        known.newer.retain(&stays);
        known.older.retain(&stays);
    }

    /// Tokens that are known.
    pub fn known_count(&self) -> usize {
        let known = self.known();
        known.newer.len() + known.older.len()
    }

    /// Writes when tokens were used last, in groups.
    ///
    /// # Errors
    /// They cannot be written, and wait on.
    pub async fn write_uses(&self) -> Result<(), StorageError> {
        loop {
            let group = self.take_uses();
            if group.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.storage.use_tokens(group.clone()).await {
                let mut waiting = self.uses();
                for (id, at) in group {
                    waiting.entry(id).or_insert(at);
                }
                return Err(error);
            }
        }
    }

    fn take_uses(&self) -> Vec<(TokenId, Timestamp)> {
        let mut uses = self.uses();
        let popped = std::iter::from_fn(|| uses.pop_first());
        popped.take(USES_GROUP_MAX).collect()
    }

    fn note_use(&self, entry: &mut Entry, now: Timestamp) {
        let Proof::Token(id) = entry.identity.proof else {
            return;
        };
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
