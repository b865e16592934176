//! Signed tokens: JSON Web Tokens, HS256 and nothing else.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::DashSet;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use boardcast_protocol::board::Actor;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::limits::{NAME_MAX_BYTES, TOKEN_MAX_BYTES};
use boardcast_protocol::position::Timestamp;

use super::{Grant, Identity, Proof, Secret};

/// How far the clocks of two machines may differ.
const LEEWAY_MS: u64 = 5_000;

/// Signs and verifies tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    /// Users whose accounts are disabled.
    disabled: Arc<DashSet<UserId>>,
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
    #[error("the token is not signed with HS256, the only algorithm that is accepted")]
    Algorithm,
    /// It was signed with another secret, or changed.
    #[error("the token was not signed by this server's secret; make a new one")]
    Signature,
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
struct Claims {
    sub: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<ServerRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    exp: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ServerRole {
    Admin,
}

impl Tokens {
    /// Tokens of one secret.
    pub fn new(secret: &Secret) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The times are checked here, against the time that the caller passes.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            signing: EncodingKey::from_secret(secret.bytes()),
            verifying: DecodingKey::from_secret(secret.bytes()),
            validation,
            disabled: Arc::default(),
        }
    }

    /// From now on tokens of a user are not valid, or are again. Clones know it too; it is in memory
    /// only, so a start begins with what storage keeps.
    pub fn set_disabled(&self, user: UserId, disabled: bool) {
        if disabled {
            self.disabled.insert(user);
        } else {
            self.disabled.remove(&user);
        }
    }

    /// Whether tokens of a user are not valid whatever they say.
    pub fn is_disabled(&self, user: &UserId) -> bool {
        self.disabled.contains(user)
    }

    /// A token for a user, valid for `ttl_ms` from `now` on, rounded up to a second.
    ///
    /// # Errors
    /// The library's, which signs with HMAC and so has no reason to fail.
    pub fn sign(&self, actor: Actor, now: Timestamp, ttl_ms: u64) -> Result<String, TokenError> {
        let claims = Claims {
            sub: actor.user,
            name: None,
            role: actor.admin.then_some(ServerRole::Admin),
            iat: Some(now.0 / 1_000),
            exp: now.0.saturating_add(ttl_ms).div_ceil(1_000),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|error| TokenError::Claims(error.to_string()))
    }

    /// Who a token speaks for.
    ///
    /// # Errors
    /// It is not a token, not of this server, not of this time, or says too little.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        if token.len() > TOKEN_MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        check_header(token)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifying, &self.validation)
            .map_err(|error| refused(&error))?
            .claims;
        let expires = Timestamp(claims.exp.saturating_mul(1_000));
        if now.0 >= expires.0.saturating_add(LEEWAY_MS) {
            return Err(TokenError::Expired);
        }
        if claims
            .iat
            .is_some_and(|iat| iat.saturating_mul(1_000) > now.0 + LEEWAY_MS)
        {
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
            proof: Proof::Signed,
            grant: Grant::Full,
        })
    }
}

/// Tells a foreign algorithm from a malformed token, before anything is verified.
fn check_header(token: &str) -> Result<(), TokenError> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        alg: std::borrow::Cow<'a, str>,
    }
    let (head, rest) = token.split_once('.').ok_or(TokenError::Malformed)?;
    let head = URL_SAFE_NO_PAD
        .decode(head)
        .map_err(|_| TokenError::Malformed)?;
    let head: Head<'_> = serde_json::from_slice(&head).map_err(|_| TokenError::Malformed)?;
    if head.alg != "HS256" {
        return Err(TokenError::Algorithm);
    }
    if rest.matches('.').count() != 1 {
        return Err(TokenError::Malformed);
    }
    Ok(())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's errors grow; what is not a signature or a claim is a malformed token"
)]
fn refused(error: &Error) -> TokenError {
    match error.kind() {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => TokenError::Algorithm,
        ErrorKind::Json(error) if error.is_data() => TokenError::Claims(error.to_string()),
        _ => TokenError::Malformed,
    }
}

#[cfg(test)]
mod tests {
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
        jsonwebtoken::encode(&header, claims, &tokens.signing).unwrap()
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
