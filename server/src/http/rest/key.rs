//! Keys that make a request safe to send again (rule R4), and ids for what is made without one.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use boardcast_protocol::ids::{ClientId, UserId};

use crate::http::App;
use crate::http::problem::Problem;

/// Longest `Idempotency-Key`.
const KEY_MAX_BYTES: usize = 255;
/// Numbers of one client that stand for parts of a request: fewer than the outcomes that are kept.
pub(super) const PARTS_OF_CLIENT: usize = 50;

/// The `Idempotency-Key` of a request; `None` where it has none. Not so: 400.
#[derive(Clone, Debug)]
pub(super) struct Key(Option<Box<[u8]>>);

impl FromRequestParts<App> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else {
            return Ok(Self(None));
        };
        let bytes = value.as_bytes();
        let fits = (1..=KEY_MAX_BYTES).contains(&bytes.len());
        if !fits || values.next().is_some() || !bytes.iter().all(u8::is_ascii_graphic) {
            let hint = format!(
                "`Idempotency-Key` is one value of 1 to {KEY_MAX_BYTES} visible ASCII characters"
            );
            return Err(Problem::new(StatusCode::BAD_REQUEST, hint));
        }
        Ok(Self(Some(bytes.into())))
    }
}

impl Key {
    /// The client that stands for the key and this part of its request; `None` without a key.
    pub(super) fn client(&self, user: UserId, part: usize) -> Option<ClientId> {
        let bits = self.bits("client", user, part / PARTS_OF_CLIENT)?;
        Some(ClientId::of_key(bits))
    }

    /// An id for a thing that this part of a request makes: the same for the same key.
    pub(super) fn id(&self, user: UserId, part: usize) -> u128 {
        let random = || {
            (u128::from(crate::chance::up_to(u64::MAX)) << 64)
                | u128::from(crate::chance::up_to(u64::MAX))
        };
        self.bits("id", user, part).unwrap_or_else(random)
    }

    fn bits(&self, what: &str, user: UserId, part: usize) -> Option<u128> {
        let mut hash = Sha256::new();
        hash.update(what);
        hash.update([0]);
        hash.update(user.as_str());
        hash.update([0]);
        hash.update((part as u64).to_be_bytes());
        hash.update(self.0.as_ref()?);
        let digest = hash.finalize();
        let (first, _) = digest.split_first_chunk::<16>()?;
        Some(u128::from_be_bytes(*first))
    }
}
