//! Signed tokens: JSON Web Tokens of the server, and of those whose keys it is told to accept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use dashmap::DashSet;
use jsonwebtoken::{Algorithm, Header};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::limits::{NAME_MAX_BYTES, TOKEN_MAX_BYTES};
use boardcast_protocol::position::Timestamp;

use super::keeper::{Missing, Waiting};
use super::keys::{Head, KeyId, Keys};
use super::{Grant, Identity, Proof, Secret};

/// How far the clocks of two machines may differ.
const LEEWAY_MS: u64 = 5_000;
/// How long somebody waits for a key that is not known: longer than it takes to fetch one.
const FIND_WITHIN: Duration = Duration::from_secs(6);

/// Signs and verifies tokens. Clones are the same.
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

struct Shared {
    keys: RwLock<Arc<Keys>>,
    /// How often they have changed.
    changes: AtomicU64,
    /// Users whose accounts are disabled.
    disabled: DashSet<UserId>,
    /// Who looks for keys that are not known.
    keeper: OnceLock<mpsc::Sender<Waiting>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

/// Why a token is not valid. The message says what to do and never repeats the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("no token; send `Authorization: Bearer TOKEN` (make one with: boardcast token)")]
    Missing,
    /// The text does not have the form of a token.
    #[error("the token is malformed; a token has three parts in base64url, joined by dots")]
    Malformed,
    /// The header names another algorithm.
    #[error(
        "the token is not signed with HS256 by this server, nor with RS256 or EdDSA by a key that it \
         is told to accept; other algorithms are not"
    )]
    Algorithm,
    /// The header names what has to be understood, and nothing of that is.
    #[error("the token's header has `crit`, of which nothing is understood")]
    Critical,
    /// It was signed with another key, or changed.
    #[error(
        "the token was not signed by this server's secret or a key that it accepts; make a new one"
    )]
    Signature,
    /// It names a key that is not among those of others.
    #[error("the token was signed with a key that is not known; see `kid` and the set of keys")]
    UnknownKey,
    /// It is for somebody else.
    #[error("the token is not for this server; `aud` must be what `--token-audience` says")]
    Audience,
    /// It ended.
    #[error("the token has expired; make a new one")]
    Expired,
    /// It was made in the future.
    #[error("the token was issued in the future; check the clocks")]
    NotYet,
    /// The user's account at this server is disabled.
    #[error("the account of this user is disabled; ask an administrator")]
    Disabled,
    /// A claim is missing or has a wrong form.
    #[error("the token's claims are wrong: {0}")]
    Claims(String),
}

/// What a token says. Times are seconds since 1970, as RFC 7519 has them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    sub: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<ServerRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aud: Option<Audience>,
}

/// For whom it is: one or more (RFC 7519 section 4.1.3).
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Some(Vec<String>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ServerRole {
    Admin,
}

impl Claims {
    /// Whether it is for `audience`, or where that is `None`, for nobody in particular.
    pub(super) fn is_for(&self, audience: Option<&str>) -> bool {
        match (&self.aud, audience) {
            (None, None) => true,
            (Some(Audience::One(one)), Some(audience)) => one == audience,
            (Some(Audience::Some(some)), Some(audience)) => some.iter().any(|one| one == audience),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}

impl Tokens {
    /// Tokens of one secret, which stays.
    pub fn new(secret: &Secret) -> Self {
        Self::of(Keys::new(secret, None, None), OnceLock::new())
    }

    /// Tokens of keys that somebody looks after.
    pub(super) fn kept(keys: Keys, keeper: mpsc::Sender<Waiting>) -> Self {
        Self::of(keys, keeper.into())
    }

    fn of(keys: Keys, keeper: OnceLock<mpsc::Sender<Waiting>>) -> Self {
        Self(Arc::new(Shared {
            keys: RwLock::new(Arc::new(keys)),
            changes: AtomicU64::new(0),
            disabled: DashSet::new(),
            keeper,
        }))
    }

    /// From now on these are the keys.
    pub(super) fn put(&self, keys: Keys) {
        let mut present = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        *present = Arc::new(keys);
        self.0.changes.fetch_add(1, Ordering::Release);
    }

    /// How often the keys have changed.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Acquire)
    }

    /// The key that signs.
    pub fn key(&self) -> KeyId {
        self.keys().present()
    }

    /// Whether tokens that a key has signed are accepted.
    pub fn accepts(&self, key: KeyId) -> bool {
        self.keys().has(key)
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on tokens of a user are not valid, or are again. It is in memory only, so a start begins
    /// with what storage keeps.
    pub fn set_disabled(&self, user: UserId, disabled: bool) {
        if disabled {
            self.0.disabled.insert(user);
        } else {
            self.0.disabled.remove(&user);
        }
    }

    /// Whether tokens of a user are not valid whatever they say.
    pub fn is_disabled(&self, user: &UserId) -> bool {
        self.0.disabled.contains(user)
    }

    /// A token for a user, valid for `ttl_ms` from `now` on, rounded up to a second.
    ///
    /// # Errors
    /// The library's, which signs with HMAC and so has no reason to fail.
    pub fn sign(&self, actor: Actor, now: Timestamp, ttl_ms: u64) -> Result<String, TokenError> {
        self.sign_after(self.key(), actor, now, ttl_ms)
    }

    /// A token in place of one that `key` has signed: it is not accepted for longer than that key,
    /// where that is a key of the server.
    ///
    /// # Errors
    /// The key is not accepted any more.
    pub fn sign_after(
        &self,
        key: KeyId,
        actor: Actor,
        now: Timestamp,
        ttl_ms: u64,
    ) -> Result<String, TokenError> {
        let claims = Claims {
            sub: actor.user,
            name: None,
            role: actor.admin.then_some(ServerRole::Admin),
            iat: Some(now.0 / 1_000),
            nbf: None,
            exp: now.0.saturating_add(ttl_ms).div_ceil(1_000),
            aud: None,
        };
        let keys = self.keys();
        let signing = keys.signing(key).ok_or(TokenError::Signature)?;
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, signing)
            .map_err(|error| TokenError::Claims(error.to_string()))
    }

    /// Who a token speaks for. Where no key fits that is known, it is looked for, which takes 6 s at
    /// most.
    ///
    /// # Errors
    /// It is not a token, not of a known key, not of this time, or says too little.
    pub async fn identify(&self, token: &str, now: Timestamp) -> Result<Identity, TokenError> {
        let verified = self.verify(token, now);
        match self.missing(&verified) {
            Some((missing, keeper)) if find(keeper, missing).await => self.verify(token, now),
            Some(_) | None => verified,
        }
    }

    /// Whether [`Self::verify`] may find no key for a token that [`Self::identify`] finds one for.
    pub fn may_miss_key(&self, token: &str, now: Timestamp) -> bool {
        self.0.keeper.get().is_some() && self.missing(&self.verify(token, now)).is_some()
    }

    fn missing(
        &self,
        verified: &Result<Identity, TokenError>,
    ) -> Option<(Missing, &mpsc::Sender<Waiting>)> {
        let missing = match verified {
            Err(TokenError::Signature) => Missing::Own,
            Err(TokenError::UnknownKey) => Missing::Others,
            Ok(_) | Err(_) => return None,
        };
        self.0.keeper.get().map(|keeper| (missing, keeper))
    }

    /// Who a token speaks for, by the keys that are known.
    ///
    /// # Errors
    /// It is not a token, not of a known key, not of this time, or says too little.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let (claims, key) = self.keys().open(token, &Head::of(token)?)?;
        let expires = Timestamp(claims.exp.saturating_mul(1_000));
        if now.0 >= expires.0.saturating_add(LEEWAY_MS) {
            return Err(TokenError::Expired);
        }
        let is_ahead = |at: u64| at.saturating_mul(1_000) > now.0 + LEEWAY_MS;
        if claims.iat.is_some_and(is_ahead) || claims.nbf.is_some_and(is_ahead) {
            return Err(TokenError::NotYet);
        }
        if self.is_disabled(&claims.sub) {
            return Err(TokenError::Disabled);
        }
        let name = match claims.name {
            Some(name) if name.len() > NAME_MAX_BYTES => {
                let hint = format!("`name` is longer than {NAME_MAX_BYTES} bytes");
                return Err(TokenError::Claims(hint));
            }
            Some(name) if !name.is_empty() => name.into(),
            Some(_) | None => claims.sub.as_str().into(),
        };
        Ok(Identity {
            actor: Actor::new(claims.sub, claims.role.is_some()),
            name,
            expires,
            proof: Proof::Signed(key),
            grant: Grant::Full,
        })
    }
}

/// Waits until somebody has looked for a key; not where too many wait already.
async fn find(keeper: &mpsc::Sender<Waiting>, missing: Missing) -> bool {
    let (waiting, found) = oneshot::channel();
    if keeper.try_send((missing, waiting)).is_err() {
        return false;
    }
    // What is told is the end of the wait.
    timeout(FIND_WITHIN, found).await.is_ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn tokens() -> Tokens {
        let dir = tempfile::tempdir().unwrap();
        Tokens::new(&Secret::load_or_make(dir.path()).unwrap())
    }

    fn actor(user: &str, admin: bool) -> Actor {
        Actor::new(user.parse().unwrap(), admin)
    }

    fn signed(tokens: &Tokens, claims: &serde_json::Value) -> String {
        let header = Header::new(Algorithm::HS256);
        let keys = tokens.keys();
        jsonwebtoken::encode(&header, claims, keys.signing(keys.present()).unwrap()).unwrap()
    }

    #[test]
    fn a_token_speaks_for_its_user_until_it_expires() {
        let tokens = tokens();
        for admin in [false, true] {
            let token = tokens.sign(actor("ann", admin), NOW, 60_000).unwrap();
            let identity = tokens.verify(&token, NOW).unwrap();
            assert_eq!(identity.actor, actor("ann", admin));
            assert_eq!(&*identity.name, "ann");
            assert_eq!(identity.expires, Timestamp(NOW.0 + 60_000));
            let end = Timestamp(NOW.0 + 60_000 + LEEWAY_MS);
            assert_eq!(tokens.verify(&token, end), Err(TokenError::Expired));
        }
    }

    #[test]
    fn a_token_of_another_secret_or_changed_is_refused() {
        let ours = tokens();
        let theirs = tokens().sign(actor("ann", true), NOW, 60_000).unwrap();
        assert_eq!(ours.verify(&theirs, NOW), Err(TokenError::Signature));

        let token = ours.sign(actor("ann", false), NOW, 60_000).unwrap();
        let admin = ours.sign(actor("ann", true), NOW, 60_000).unwrap();
        let mut parts: Vec<_> = token.split('.').collect();
        parts[1] = admin.split('.').nth(1).unwrap();
        assert_eq!(
            ours.verify(&parts.join("."), NOW),
            Err(TokenError::Signature)
        );
    }

    #[test]
    fn a_token_of_a_disabled_user_is_refused_until_it_is_enabled() {
        let (tokens, ann) = (tokens(), actor("ann", true));
        let token = tokens.sign(ann, NOW, 60_000).unwrap();
        let same = tokens.clone();
        tokens.set_disabled(ann.user, true);
        assert_eq!(same.verify(&token, NOW), Err(TokenError::Disabled));
        tokens.set_disabled(ann.user, false);
        assert!(tokens.verify(&token, NOW).is_ok());
    }

    #[test]
    fn no_algorithm_but_hs256_is_accepted() {
        let tokens = tokens();
        let payload = tokens.sign(actor("ann", true), NOW, 60_000).unwrap();
        let payload = payload.split('.').nth(1).unwrap();
        for alg in ["none", "None", "HS384", "RS256", "ES256", "hs256", ""] {
            let head = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#));
            for signature in ["", "AAAA"] {
                let token = format!("{head}.{payload}.{signature}");
                assert_eq!(
                    tokens.verify(&token, NOW),
                    Err(TokenError::Algorithm),
                    "{alg}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_a_token_is_malformed() {
        let tokens = tokens();
        assert_eq!(tokens.verify("", NOW), Err(TokenError::Missing));
        for text in [
            "x",
            "a.b",
            "a.b.c",
            "....",
            "e30.e30.e30",
            &"a".repeat(5_000),
        ] {
            assert_eq!(
                tokens.verify(text, NOW),
                Err(TokenError::Malformed),
                "{text}"
            );
        }
        let good = tokens.sign(actor("ann", false), NOW, 60_000).unwrap();
        let longer = format!("{good}.x");
        assert_eq!(tokens.verify(&longer, NOW), Err(TokenError::Malformed));
    }

    #[test]
    fn claims_are_checked() {
        let tokens = tokens();
        let exp = NOW.0 / 1_000 + 60;
        for (claims, expected) in [
            (serde_json::json!({"sub": "ann"}), "exp"),
            (serde_json::json!({"exp": exp}), "sub"),
            (serde_json::json!({"sub": "a b", "exp": exp}), "A-Z a-z"),
            (serde_json::json!({"sub": "ann", "exp": "soon"}), "string"),
            (
                serde_json::json!({"sub": "ann", "exp": exp, "role": "root"}),
                "root",
            ),
            (
                serde_json::json!({"sub": "ann", "exp": exp, "name": "n".repeat(300)}),
                "name",
            ),
        ] {
            let error = tokens.verify(&signed(&tokens, &claims), NOW).unwrap_err();
            assert!(
                matches!(error, TokenError::Claims(_)),
                "{claims}: {error:?}"
            );
            assert!(error.to_string().contains(expected), "{claims}: {error}");
        }
        let future = serde_json::json!({"sub": "ann", "exp": exp, "iat": exp});
        assert_eq!(
            tokens.verify(&signed(&tokens, &future), NOW),
            Err(TokenError::NotYet)
        );
    }
}
