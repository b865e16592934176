//! The keys that tokens are signed and verified with: the server's own, and those of others whose
//! tokens it accepts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey, Validation};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use super::Secret;
use super::token::{Claims, TokenError};

/// Smallest modulus of RSA: 2,048 bits, as RFC 7518 section 3.3 asks. A longer one than 8,192 bits
/// would take long to verify with.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;

/// Tells the keys apart that tokens are verified with: 64 bits of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(u64);

impl KeyId {
    fn of(parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part);
        }
        let digest = digest.finalize();
        Self(
            digest
                .iter()
                .take(8)
                .fold(0, |id, byte| id << 8 | u64::from(*byte)),
        )
    }
}

/// Which key a token names. Nothing else that a header may say is looked at: no address of a key, no
/// key that it brings along.
#[derive(Debug)]
pub(super) struct Head {
    algorithm: Algorithm,
    kid: Option<String>,
}

#[derive(Deserialize)]
struct RawHead {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// What has to be understood (RFC 7515 section 4.1.11), and is not.
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

impl Head {
    /// Tells a foreign algorithm from a malformed token, before anything is verified.
    ///
    /// # Errors
    /// It is not a token, or names an algorithm that no key here has.
    pub(super) fn of(token: &str) -> Result<Self, TokenError> {
        let (head, rest) = token.split_once('.').ok_or(TokenError::Malformed)?;
        let head = URL_SAFE_NO_PAD.decode(head);
        let head = head.map_err(|_| TokenError::Malformed)?;
        let head: RawHead = serde_json::from_slice(&head).map_err(|_| TokenError::Malformed)?;
        let algorithm = match head.alg.as_str() {
            "HS256" => Algorithm::HS256,
            "RS256" => Algorithm::RS256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err(TokenError::Algorithm),
        };
        if head.crit.is_some() {
            return Err(TokenError::Critical);
        }
        if rest.matches('.').count() != 1 {
            return Err(TokenError::Malformed);
        }
        Ok(Self {
            algorithm,
            kid: head.kid,
        })
    }
}

/// A public key of somebody else whose tokens are accepted.
#[derive(Clone, Debug)]
pub(super) struct OutsideKey {
    id: KeyId,
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
    validation: Validation,
}

impl OutsideKey {
    /// A key of RSA or of Ed25519.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(
        kid: Option<String>,
        algorithm: Algorithm,
        key: DecodingKey,
    ) -> Result<Self, &'static str> {
        let id = match key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => KeyId::of(&[n, e]),
            DecodingKeyKind::SecretOrDer(bytes) => KeyId::of(&[bytes]),
        };
        let bytes = match key.kind() {
            // A modulus that is written with a zero in front is no longer for it.
            DecodingKeyKind::RsaModulusExponent { n, .. } => {
                n.len() - n.iter().take_while(|byte| **byte == 0).count()
            }
            // The modulus, in steps of 64 bits, and 9 to 14 bytes of the exponent and what frames both.
            DecodingKeyKind::SecretOrDer(der) if algorithm == Algorithm::RS256 => {
                der.len().saturating_sub(9) / 8 * 8
            }
            DecodingKeyKind::SecretOrDer(bytes) => bytes.len(),
        };
        if algorithm == Algorithm::RS256 && !RSA_BYTES.contains(&bytes) {
            return Err("a key of RSA has 2048 to 8192 bits");
        }
        if algorithm == Algorithm::EdDSA && bytes != 32 {
            return Err("a key of EdDSA is one of Ed25519");
        }
        Ok(Self {
            id,
            kid,
            algorithm,
            key,
            validation: validation(algorithm),
        })
    }

    /// The public key of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn from_pem(pem: &[u8]) -> Result<Self, &'static str> {
        if pem.windows(8).any(|window| window == b"PRIVATE ") {
            return Err("it holds a private key, which is not to be here; write the public one");
        }
        if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            return Self::new(None, Algorithm::EdDSA, key);
        }
        match DecodingKey::from_rsa_pem(pem) {
            Ok(key) => Self::new(None, Algorithm::RS256, key),
            Err(_) => Err("it holds no public key of RSA or Ed25519 in PEM"),
        }
    }
}

/// All keys.
pub(super) struct Keys {
    /// The present one, which signs.
    present: OwnKey,
    /// The one before, which signs what goes on from what it signed.
    before: Option<OwnKey>,
    own_validation: Validation,
    others: Option<Others>,
}

/// A key of the server.
struct OwnKey {
    id: KeyId,
    signs: EncodingKey,
    verifies: DecodingKey,
}

impl OwnKey {
    fn new(secret: &Secret) -> Self {
        Self {
            id: KeyId::of(&[secret.bytes()]),
            signs: EncodingKey::from_secret(secret.bytes()),
            verifies: DecodingKey::from_secret(secret.bytes()),
        }
    }
}

/// Those of others.
#[derive(Clone, Default)]
pub(super) struct Others {
    pub(super) keys: Vec<OutsideKey>,
    /// For whom their tokens must be.
    pub(super) audience: Option<String>,
}

impl Keys {
    /// The server's own keys, and those of others where there may be any.
    pub(super) fn new(present: &Secret, before: Option<&Secret>, others: Option<Others>) -> Self {
        Self {
            present: OwnKey::new(present),
            before: before.map(OwnKey::new),
            own_validation: validation(Algorithm::HS256),
            others,
        }
    }

    fn own(&self) -> impl Iterator<Item = &OwnKey> {
        [Some(&self.present), self.before.as_ref()]
            .into_iter()
            .flatten()
    }

    /// The id of the key that signs.
    pub(super) fn present(&self) -> KeyId {
        self.present.id
    }

    /// Whether tokens of a key are accepted.
    pub(super) fn has(&self, id: KeyId) -> bool {
        let mut others = self.others.iter().flat_map(|others| &others.keys);
        self.own().any(|key| key.id == id) || others.any(|key| key.id == id)
    }

    /// What signs a token in place of one that this key has signed: the same key where it is the
    /// server's, so that both end with it. `None` where it is not accepted any more.
    pub(super) fn signing(&self, id: KeyId) -> Option<&EncodingKey> {
        let own = self.own().find(|key| key.id == id);
        let key = own.or_else(|| self.has(id).then_some(&self.present))?;
        Some(&key.signs)
    }

    /// What a token claims that one of these keys has signed, and which.
    ///
    /// # Errors
    /// None has.
    pub(super) fn open(&self, token: &str, head: &Head) -> Result<(Claims, KeyId), TokenError> {
        if head.algorithm == Algorithm::HS256 {
            return self.open_own(token);
        }
        let others = self.others.as_ref().ok_or(TokenError::Algorithm)?;
        let mut refusal = TokenError::UnknownKey;
        for fitting in others.fitting(head) {
            match decode(token, &fitting.key, &fitting.validation) {
                Err(TokenError::Signature) => refusal = TokenError::Signature,
                Err(error) => return Err(error),
                Ok(claims) => {
                    let is_for_us = claims.is_for(others.audience.as_deref());
                    let opened = is_for_us.then_some((claims, fitting.id));
                    return opened.ok_or(TokenError::Audience);
                }
            }
        }
        Err(refusal)
    }

    fn open_own(&self, token: &str) -> Result<(Claims, KeyId), TokenError> {
        for key in self.own() {
            match decode(token, &key.verifies, &self.own_validation) {
                Err(TokenError::Signature) => {}
                opened => return opened.map(|claims| (claims, key.id)),
            }
        }
        Err(TokenError::Signature)
    }
}

impl Others {
    /// The keys that a token may have been signed with: those of its algorithm and its name. A key
    /// without a name may have any; a token without one may be of the only key.
    fn fitting(&self, head: &Head) -> impl Iterator<Item = &OutsideKey> {
        let of_algorithm = |key: &&OutsideKey| key.algorithm == head.algorithm;
        let is_only = self.keys.iter().filter(of_algorithm).count() == 1;
        self.keys
            .iter()
            .filter(of_algorithm)
            .filter(move |key| match (&key.kid, &head.kid) {
                (Some(kid), Some(named)) => kid == named,
                (Some(_), None) => is_only,
                (None, _) => true,
            })
    }
}

fn decode(token: &str, key: &DecodingKey, validation: &Validation) -> Result<Claims, TokenError> {
    let decoded = jsonwebtoken::decode(token, key, validation);
    decoded
        .map(|data| data.claims)
        .map_err(|error| refused(&error))
}

/// Times and the audience are checked elsewhere, against what the caller passes.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
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
