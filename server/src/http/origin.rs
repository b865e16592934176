//! The origin of a page (RFC 6454) and whether it may use the credentials of a browser here.

use std::{net::Ipv6Addr, str::FromStr};

use axum::http::HeaderValue;

/// The scheme, host and port of a page, compared exactly. Case, a spelled-out default port and the
/// notation of an IPv6 address make no difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

/// A text that is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an origin; it is written as https://HOST or https://HOST:PORT, without a path")]
pub struct InvalidOrigin;

/// Where a request says that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginVerdict {
    /// It does not say: programs do not, browsers always do. Without cookies that is fine; with a
    /// cookie it must be refused.
    Absent,
    /// From this server's own pages or from an origin on the list.
    Allowed,
    /// From anywhere else.
    Refused,
}

/// Judges the `Origin` header of a request to `host`, made over TLS or not, against the server
/// itself and the `allowed` origins.
pub fn origin_allowed(
    origin: Option<&HeaderValue>,
    host: Option<&HeaderValue>,
    scheme_is_tls: bool,
    allowed: &[Origin],
) -> OriginVerdict {
    let Some(origin) = origin else {
        return OriginVerdict::Absent;
    };
    let Some(origin) = parse_value(origin, Origin::from_str) else {
        return OriginVerdict::Refused;
    };
    let scheme = Scheme::new(scheme_is_tls);
    let own = host.and_then(|host| parse_value(host, |host| Origin::at(scheme, host)));
    if own.as_ref() == Some(&origin) || allowed.contains(&origin) {
        OriginVerdict::Allowed
    } else {
        OriginVerdict::Refused
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidOrigin)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(InvalidOrigin),
        };
        Self::at(scheme, authority)
    }
}

impl Origin {
    /// Whether pages of it come over TLS.
    pub fn is_over_tls(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The origin with this scheme and authority, that is `HOST` or `HOST:PORT`.
    fn at(scheme: Scheme, authority: &str) -> Result<Self, InvalidOrigin> {
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, after) = rest.split_once(']').ok_or(InvalidOrigin)?;
                let address = address.parse().map_err(|_| InvalidOrigin)?;
                let port = match after {
                    "" => None,
                    _ => Some(after.strip_prefix(':').ok_or(InvalidOrigin)?),
                };
                (Host::Ipv6(address), port)
            }
            None => {
                let (name, port) = match authority.split_once(':') {
                    Some((name, port)) => (name, Some(port)),
                    None => (authority, None),
                };
                (Host::named(name)?, port)
            }
        };
        let port = match port {
            Some(port) => parse_port(port)?,
            None => scheme.default_port(),
        };
        Ok(Self { scheme, host, port })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn new(is_tls: bool) -> Self {
        if is_tls { Self::Https } else { Self::Http }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// A name or an IPv4 address, in lower case.
    Name(String),
    Ipv6(Ipv6Addr),
}

impl Host {
    fn named(name: &str) -> Result<Self, InvalidOrigin> {
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if name.is_empty() || !name.bytes().all(is_host) {
            return Err(InvalidOrigin);
        }
        Ok(Self::Name(name.to_ascii_lowercase()))
    }
}

/// Digits only: `u16::from_str` alone would take a plus sign.
fn parse_port(port: &str) -> Result<u16, InvalidOrigin> {
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidOrigin);
    }
    port.parse().map_err(|_| InvalidOrigin)
}

fn parse_value<E>(
    value: &HeaderValue,
    parse: impl FnOnce(&str) -> Result<Origin, E>,
) -> Option<Origin> {
    parse(value.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(origin: &[u8], host: &str, scheme_is_tls: bool) -> OriginVerdict {
        let allowed = ["https://Kanban.Example:443", "http://[2001:db8::1]:3000"]
            .map(|origin| origin.parse().unwrap());
        origin_allowed(
            Some(&HeaderValue::from_bytes(origin).unwrap()),
            Some(&HeaderValue::from_str(host).unwrap()),
            scheme_is_tls,
            &allowed,
        )
    }

    #[test]
    fn own_and_listed_origins_are_allowed() {
        for (origin, host, scheme_is_tls) in [
            ("http://board.test", "board.test", false),
            ("http://board.test:80", "board.test", false),
            ("http://board.test", "board.test:80", false),
            ("http://BOARD.test:8080", "board.TEST:8080", false),
            ("https://board.test", "board.test:443", true),
            ("HTTPS://board.test:443", "board.test", true),
            ("http://127.0.0.1:7000", "127.0.0.1:7000", false),
            ("http://[::1]:7000", "[::1]:7000", false),
            ("http://[0:0:0:0:0:0:0:1]", "[::1]", false),
            ("https://[2001:DB8::1]:443", "[2001:db8::1]", true),
            ("https://kanban.example", "10.0.0.5:7000", false),
            ("http://[2001:db8:0::1]:3000", "10.0.0.5:7000", false),
        ] {
            assert_eq!(
                verdict(origin.as_bytes(), host, scheme_is_tls),
                OriginVerdict::Allowed,
                "{origin} at {host}"
            );
        }
    }

    #[test]
    fn all_others_are_refused() {
        for (name, origin, host, scheme_is_tls) in [
            ("opaque", "null", "board.test", false),
            ("empty", "", "board.test", false),
            ("foreign", "http://evil.test", "board.test", false),
            ("longer host", "http://board.test.evil", "board.test", false),
            ("host as suffix", "http://xboard.test", "board.test", false),
            ("subdomain", "http://a.board.test", "board.test", false),
            ("parent domain", "http://test", "board.test", false),
            ("root dot", "http://board.test.", "board.test", false),
            ("other port", "http://board.test:81", "board.test", false),
            ("port left out", "http://board.test", "board.test:81", false),
            ("port of https", "http://board.test:443", "board.test", true),
            ("http for https", "http://board.test", "board.test", true),
            ("https for http", "https://board.test", "board.test", false),
            ("http for listed", "http://kanban.example", "b", false),
            (
                "other port than listed",
                "https://kanban.example:8443",
                "b",
                true,
            ),
            ("user", "http://board.test@evil.test", "board.test", false),
            (
                "user and port",
                "http://board.test:80@evil.test",
                "board.test",
                false,
            ),
            (
                "own user",
                "http://evil.test@board.test",
                "board.test",
                false,
            ),
            ("path", "http://board.test/", "board.test", false),
            (
                "fragment",
                "http://evil.test#board.test",
                "board.test",
                false,
            ),
            (
                "two",
                "http://board.test http://evil.test",
                "board.test",
                false,
            ),
            (
                "list",
                "http://board.test, http://evil.test",
                "board.test",
                false,
            ),
            ("no scheme", "board.test", "board.test", false),
            ("socket scheme", "ws://board.test", "board.test", false),
            ("file", "file://", "board.test", false),
            ("no host", "http://", "board.test", false),
            ("empty port", "http://board.test:", "board.test", false),
            ("signed port", "http://board.test:+80", "board.test", false),
            ("large port", "http://board.test:65616", "board.test", false),
            (
                "port not a number",
                "http://board.test:http",
                "board.test",
                false,
            ),
            ("other IPv6", "http://[::2]", "[::1]", false),
            ("IPv6 other port", "http://[::1]:81", "[::1]", false),
            ("IPv6 open bracket", "http://[::1", "[::1]", false),
            ("IPv6 and more", "http://[::1]evil.test", "[::1]", false),
            ("IPv6 without brackets", "http://::1", "[::1]", false),
            ("no IPv6", "http://[board.test]", "board.test", false),
            (
                "wrong host header",
                "http://board.test",
                "board.test/x",
                false,
            ),
        ] {
            let verdict = verdict(origin.as_bytes(), host, scheme_is_tls);
            assert_eq!(
                verdict,
                OriginVerdict::Refused,
                "{name}: {origin} at {host}"
            );
        }
        let not_ascii = verdict("http://bоard.test".as_bytes(), "board.test", false);
        assert_eq!(not_ascii, OriginVerdict::Refused);
    }

    #[test]
    fn absent_origin_is_reported_as_such() {
        let host = HeaderValue::from_static("board.test");
        assert_eq!(
            origin_allowed(None, Some(&host), false, &[]),
            OriginVerdict::Absent
        );
    }

    #[test]
    fn without_a_host_only_listed_origins_are_allowed() {
        let origin = HeaderValue::from_static("http://board.test");
        let listed: Origin = "http://board.test".parse().unwrap();
        assert_eq!(
            origin_allowed(Some(&origin), None, false, &[]),
            OriginVerdict::Refused
        );
        assert_eq!(
            origin_allowed(Some(&origin), None, false, &[listed]),
            OriginVerdict::Allowed
        );
    }
}
