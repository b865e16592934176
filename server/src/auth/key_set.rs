//! A set of public keys (RFC 7517) behind a URL.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::keys::OutsideKey;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(5);
/// Largest answer.
const SET_MAX_BYTES: u64 = 64 * 1_024;
/// Keys that are taken from a set; further ones are left out.
const KEYS_MAX: usize = 32;
/// Largest name of a key.
const KID_MAX_BYTES: usize = 256;

/// Where a set of keys is: behind TLS, or on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetUrl(String);

/// A text that is not such a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address that begins with https://, or with http:// and is on this machine")]
pub struct InvalidKeySetUrl;

impl FromStr for KeySetUrl {
    type Err = InvalidKeySetUrl;

    fn from_str(text: &str) -> Result<Self, InvalidKeySetUrl> {
        let url: ureq::http::Uri = text.parse().map_err(|_| InvalidKeySetUrl)?;
        let host = url.host().ok_or(InvalidKeySetUrl)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_here = || {
            let address: Result<IpAddr, _> = host.parse();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        };
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if is_here() => {}
            Some(_) | None => return Err(InvalidKeySetUrl),
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for KeySetUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Gets the keys. Redirects are not followed: they could lead to where the URL may not. It blocks.
///
/// # Errors
/// Why there are none.
pub(super) fn fetch(url: &KeySetUrl) -> Result<Vec<OutsideKey>, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(WITHIN))
        .max_redirects(0)
        .build()
        .into();
    let mut answer = agent
        .get(&url.0)
        .call()
        .map_err(|error| error.to_string())?;
    if answer.status() != 200 {
        return Err(format!("it was answered {}", answer.status()));
    }
    let body = answer.body_mut().with_config().limit(SET_MAX_BYTES);
    parse(&body.read_to_vec().map_err(|error| error.to_string())?)
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
}

/// The keys of a set that tokens can be verified with; others are left out, as RFC 7517 section 5
/// asks.
fn parse(bytes: &[u8]) -> Result<Vec<OutsideKey>, String> {
    let set: Set = serde_json::from_slice(bytes)
        .map_err(|error| format!("it is not a set of keys: {error}"))?;
    let keys = set.keys.into_iter();
    let keys = keys.filter_map(|key| serde_json::from_value(key).ok());
    let keys: Vec<_> = keys.filter_map(usable).take(KEYS_MAX).collect();
    if keys.is_empty() {
        return Err("it has no key for RS256 (of 2048 to 8192 bits) or EdDSA (Ed25519)".to_owned());
    }
    Ok(keys)
}

fn usable(key: Key) -> Option<OutsideKey> {
    let Key {
        kty,
        kid,
        used_for,
        alg,
        n,
        e,
        crv,
        x,
    } = key;
    let may_be = |given: &Option<String>, allowed: &[&str]| {
        given
            .as_deref()
            .is_none_or(|given| allowed.contains(&given))
    };
    let is_named = kid.as_ref().is_none_or(|kid| kid.len() <= KID_MAX_BYTES);
    if !is_named || !may_be(&used_for, &["sig"]) {
        return None;
    }
    let (algorithm, key) = match kty.as_str() {
        "RSA" if may_be(&alg, &["RS256"]) => {
            let key = DecodingKey::from_rsa_components(&n?, &e?).ok()?;
            (Algorithm::RS256, key)
        }
        "OKP" if crv.as_deref() == Some("Ed25519") && may_be(&alg, &["EdDSA", "Ed25519"]) => {
            (Algorithm::EdDSA, DecodingKey::from_ed_components(&x?).ok()?)
        }
        _ => return None,
    };
    OutsideKey::new(kid, algorithm, key).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_is_behind_tls_or_on_this_machine() {
        for url in [
            "https://id.example/keys",
            "http://127.0.0.1:9000/keys",
            "http://127.8.8.8/",
            "http://[::1]:80/keys",
            "http://localhost/keys",
        ] {
            assert!(url.parse::<KeySetUrl>().is_ok(), "{url}");
        }
        for url in [
            "",
            "id.example/keys",
            "http://id.example/keys",
            "http://10.0.0.1/keys",
            "http://127.0.0.1.example/keys",
            "http://localhost.example/",
            "http://0.0.0.0/keys",
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
        ] {
            assert_eq!(url.parse::<KeySetUrl>(), Err(InvalidKeySetUrl), "{url}");
        }
    }

    #[test]
    fn keys_that_cannot_be_used_are_left_out_and_a_set_without_one_is_none() {
        let rsa = |bytes: usize| "x".repeat(bytes * 4 / 3 + 1);
        let good = json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43), "kid": "good"});
        let bad = [
            json!(7),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
            json!({"kty": "OKP", "crv": "Ed448", "x": "A".repeat(76)}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43), "use": "enc"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43), "alg": "HS256"}),
            json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43), "kid": "k".repeat(257)}),
            json!({"kty": "RSA", "n": rsa(128), "e": "AQAB"}),
            json!({"kty": "RSA", "n": rsa(2_048), "e": "AQAB"}),
            json!({"kty": "RSA", "n": rsa(256), "e": "AQAB", "alg": "HS256"}),
            json!({"kty": "RSA", "n": rsa(256)}),
        ];
        for key in &bad {
            let set = json!({"keys": [key]}).to_string();
            assert!(parse(set.as_bytes()).is_err(), "{key}");
        }
        let mut keys = bad.to_vec();
        keys.push(good.clone());
        let set = json!({ "keys": keys }).to_string();
        assert_eq!(parse(set.as_bytes()).ok().map(|keys| keys.len()), Some(1));
        let many = json!({ "keys": vec![good; 50] }).to_string();
        assert_eq!(parse(many.as_bytes()).ok().map(|keys| keys.len()), Some(32));
        for text in ["", "{}", "[]", "{\"keys\": {}}", "{\"keys\": []}"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
