//! The cookie that proves a session.

use axum::http::{HeaderMap, HeaderValue, header};

use super::base::Base;
use super::origin::Origin;
use super::peer::Peer;
use crate::accounts::{Key, SESSION_TTL_MS};

/// The name of the cookie where the server is reached over plain HTTP.
const PLAIN: &str = "boardcast";
/// Its name where pages come over TLS: browsers then take it from this host alone, over TLS alone.
const OVER_TLS: &str = "__Host-boardcast";
/// The same where the server has a path of the host, which that name does not allow: over TLS alone.
const BELOW_OVER_TLS: &str = "__Secure-boardcast";

/// How the cookie looks. Of one request only one of both names is read: else somebody who can answer for
/// the host over plain HTTP could plant a session in a browser that uses TLS.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    is_over_tls: bool,
    base: Base,
}

impl SessionCookie {
    /// Over TLS where one of the allowed origins is: a proxy in front ends it. It is sent to what is
    /// below `base`.
    pub fn new(allowed_origins: &[Origin], base: Base) -> Self {
        Self {
            is_over_tls: allowed_origins.iter().any(Origin::is_over_tls),
            base,
        }
    }

    /// The same, and over TLS where this request came over it.
    pub(super) fn for_peer(&self, peer: Peer) -> Self {
        Self {
            is_over_tls: self.is_over_tls || peer.is_over_tls,
            base: self.base.clone(),
        }
    }

    fn name(&self) -> &'static str {
        match (self.is_over_tls, self.base.path()) {
            (false, _) => PLAIN,
            (true, "") => OVER_TLS,
            (true, _) => BELOW_OVER_TLS,
        }
    }

    /// What the request's cookie holds.
    pub(super) fn of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers
            .get_all(header::COOKIE)
            .into_iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(name, value)| (name == self.name()).then_some(value))
    }

    /// Sets it for as long as a session lasts.
    pub(super) fn set(&self, key: &Key) -> Option<HeaderValue> {
        self.header(key.text(), SESSION_TTL_MS / 1_000)
    }

    /// Takes it away.
    pub(super) fn clear(&self) -> Option<HeaderValue> {
        self.header("", 0)
    }

    fn header(&self, value: &str, max_age_s: u64) -> Option<HeaderValue> {
        let name = self.name();
        let secure = if self.is_over_tls { "; Secure" } else { "" };
        let path = match self.base.path() {
            "" => "/",
            path => path,
        };
        let text = format!(
            "{name}={value}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"
        );
        HeaderValue::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(origins: &[&str]) -> SessionCookie {
        let origins: Vec<Origin> = origins.iter().map(|o| o.parse().unwrap()).collect();
        SessionCookie::new(&origins, Base::default())
    }

    #[test]
    fn the_cookie_of_a_server_with_a_path_is_sent_there_alone() {
        let base = Base::parse("/boards").unwrap();
        for (origin, begin) in [
            ("http://a.example", "boardcast="),
            ("https://a.example", "__Secure-boardcast="),
        ] {
            let cookie = SessionCookie::new(&[origin.parse().unwrap()], base.clone());
            let cleared = cookie.clear().unwrap();
            let cleared = cleared.to_str().unwrap();
            assert!(cleared.starts_with(begin), "{cleared}");
            assert!(cleared.contains("; Path=/boards; "), "{cleared}");
        }
    }

    #[test]
    fn the_cookie_is_bound_to_host_and_tls_where_there_is_tls() {
        let key = Key::random();
        for (origins, name, ending) in [
            (&[][..], "boardcast", "SameSite=Lax"),
            (&["http://a.example"], "boardcast", "SameSite=Lax"),
            (
                &["http://a.example", "https://b.example"],
                "__Host-boardcast",
                "SameSite=Lax; Secure",
            ),
        ] {
            let set = cookie(origins).set(&key).unwrap();
            let key = key.text();
            let expected = format!("{name}={key}; Path=/; Max-Age=2592000; HttpOnly; {ending}");
            assert_eq!(set, expected);
            let cleared = cookie(origins).clear().unwrap();
            assert!(cleared.to_str().unwrap().contains("Max-Age=0"));
        }
    }

    #[test]
    fn only_the_cookie_of_its_own_name_is_read() {
        let mut headers = HeaderMap::new();
        for line in ["a=b; boardcast=plain", "__Host-boardcast=tls;boardcastx=c"] {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        assert_eq!(cookie(&[]).of(&headers), Some("plain"));
        assert_eq!(cookie(&["https://b.example"]).of(&headers), Some("tls"));
        assert_eq!(cookie(&[]).of(&HeaderMap::new()), None);
    }
}
