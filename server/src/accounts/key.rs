//! Secrets that the server hands out: of a session, of a link.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::storage::SecretHash;

/// Random bits of a secret: nobody guesses it, so that a plain digest keeps it.
const KEY_BYTES: usize = 32;

/// A secret as its holder sends it: 256 random bits in base64url, 43 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// A secret that nobody has.
    pub fn random() -> Self {
        let mut bytes = [0_u8; KEY_BYTES];
        rand::fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// As its holder sends it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What is kept of the secret that somebody sent.
    pub fn hash_of(text: &str) -> SecretHash {
        hash(text)
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        hash(&self.0)
    }
}

/// What is kept of the secret that somebody sent.
pub(super) fn hash(text: &str) -> SecretHash {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_another_and_is_kept_as_its_digest() {
        let (one, two) = (Key::random(), Key::random());
        assert_ne!(one, two);
        assert_eq!(one.text().len(), 43);
        assert_eq!(hash(one.text()), one.hash());
        assert_ne!(one.hash(), two.hash());
        assert_eq!(format!("{one:?}"), "Key(..)");
    }
}
