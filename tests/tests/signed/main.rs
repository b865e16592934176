//! Signed tokens: those of an embedding application, and a new key of the server.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod key_file;
mod key_set;
mod rotation;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use boardcast_tests::scene::Scene;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_ED25519};
use serde_json::{Value, json};

/// A key of RSA that everybody knows, and its public part.
const RSA: &str = include_str!("rsa.pem");
const RSA_PUBLIC: &str = include_str!("rsa.pub.pem");
/// The public part of one with 1024 bits.
const RSA_SHORT: &str = include_str!("short.pub.pem");

/// An application that signs tokens.
struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    /// The public key in PEM.
    public_pem: String,
    /// And as one of a set, without a name.
    jwk: Value,
}

impl Signer {
    fn rsa() -> Self {
        let key = EncodingKey::from_rsa_pem(RSA.as_bytes()).expect("a key");
        let jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).expect("a public key");
        Self {
            algorithm: Algorithm::RS256,
            key,
            public_pem: RSA_PUBLIC.to_owned(),
            jwk: serde_json::to_value(jwk).expect("JSON"),
        }
    }

    /// Each time another one.
    fn ed25519() -> Self {
        let pair = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        Self {
            algorithm: Algorithm::EdDSA,
            key: EncodingKey::from_ed_pem(pair.serialize_pem().as_bytes()).expect("a key"),
            public_pem: pair.public_key_pem(),
            jwk: json!({
                "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
                "x": URL_SAFE_NO_PAD.encode(pair.public_key_raw()),
            }),
        }
    }

    fn sign(&self, kid: Option<&str>, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = kid.map(str::to_owned);
        jsonwebtoken::encode(&header, claims, &self.key).expect("a token")
    }
}

/// Seconds since 1970.
fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a time behind 1970").as_secs()
}

/// Claims for an hour, and `more`.
fn claims(user: &str, more: &Value) -> Value {
    let mut claims = json!({"sub": user, "exp": now_s() + 3_600});
    let more = more.as_object().expect("an object").clone();
    claims.as_object_mut().expect("an object").extend(more);
    claims
}

/// The status of a request with a token, and what is said where it is refused.
async fn answered(scene: &Scene, token: &str) -> (u16, String) {
    let answer = scene.bear("GET", "/api/v1/boards", token, None).await;
    let hint = if answer.status == 200 {
        String::new()
    } else {
        answer.hint()
    };
    (answer.status, hint)
}
