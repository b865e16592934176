//! Where a request comes from: the peer of its socket, or who a trusted proxy says has asked it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use super::problem::Problem;
use crate::connection::Source;

/// How many networks of proxies may be trusted: each is looked at for each request of one of them.
pub const TRUSTED_PROXIES_MAX: usize = 64;

/// By which a proxy says who has asked it, the latest last.
pub(super) const FOR: &str = "x-forwarded-for";
/// By which it says how: `http` or `https`.
pub(super) const PROTO: &str = "x-forwarded-proto";

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Of the socket, or what a trusted proxy forwards. The port is 0 where the proxy names none.
    pub address: SocketAddr,
    /// Whether it was asked over TLS: what a trusted proxy says, else what the socket is.
    pub is_over_tls: bool,
}

impl Peer {
    /// The address alone; an IPv4 address that is written as one of IPv6 is one of IPv4.
    pub(super) fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
    }

    /// What limits of an address count by.
    pub(super) fn source(&self) -> Source {
        Source::from(self.address.ip())
    }
}

/// 500 where the socket has told no address.
impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(|| {
            let hint = "the address of the request is not known";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, hint)
        })
    }
}

/// The networks whose proxies are believed. Without any, no header says where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[Network]>);

impl TrustedProxies {
    /// The proxies of these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks.into())
    }

    fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.has(address))
    }

    /// Where a request over a socket of this peer comes from. A header that is wrong counts as none.
    pub(super) fn look(&self, socket: Peer, headers: &HeaderMap) -> Peer {
        let proxy = socket.address;
        if !self.has(proxy.ip()) {
            return socket;
        }
        let address = self.forwarded_for(headers).unwrap_or_else(|wrong| {
            tracing::debug!(%proxy, header = FOR, wrong, "a forwarded address is ignored");
            None
        });
        let is_over_tls = forwarded_tls(headers).unwrap_or_else(|wrong| {
            tracing::debug!(%proxy, header = PROTO, wrong, "a forwarded scheme is ignored");
            None
        });
        Peer {
            address: address.unwrap_or(proxy),
            is_over_tls: is_over_tls.unwrap_or(socket.is_over_tls),
        }
    }

    /// From right to left, the first address that is not of a trusted proxy; what stands before it
    /// came from there, and is not read. Where all are trusted it is the first of all.
    fn forwarded_for<'a>(&self, headers: &'a HeaderMap) -> Result<Option<SocketAddr>, &'a str> {
        let mut farthest = None;
        for line in headers.get_all(FOR).into_iter().rev() {
            let line = line.to_str().map_err(|_| "not ASCII")?;
            for hop in line.rsplit(',') {
                let address = address(hop.trim()).ok_or(hop)?;
                farthest = Some(address);
                if !self.has(address.ip()) {
                    return Ok(farthest);
                }
            }
        }
        Ok(farthest)
    }
}

/// The addresses that headers name, whoever has written them.
pub(super) fn hops(headers: &HeaderMap) -> impl Iterator<Item = SocketAddr> {
    let lines = headers.get_all(FOR).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let hops = lines.flat_map(|line| line.split(','));
    hops.filter_map(|hop| address(hop.trim()))
}

/// What the proxy that speaks to this server has written: the last of what there is.
fn forwarded_tls(headers: &HeaderMap) -> Result<Option<bool>, &str> {
    let Some(line) = headers.get_all(PROTO).into_iter().next_back() else {
        return Ok(None);
    };
    let line = line.to_str().map_err(|_| "not ASCII")?;
    match line.rsplit(',').next().unwrap_or_default().trim() {
        scheme if scheme.eq_ignore_ascii_case("https") => Ok(Some(true)),
        scheme if scheme.eq_ignore_ascii_case("http") => Ok(Some(false)),
        scheme => Err(scheme),
    }
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn address(hop: &str) -> Option<SocketAddr> {
    let inner = (hop.strip_prefix('[')).and_then(|hop| hop.strip_suffix(']'));
    let alone = match inner {
        Some(inner) => inner.parse().ok().map(|ip: Ipv6Addr| ip.into()),
        None => hop.parse().ok(),
    };
    match alone {
        Some(ip) => Some(SocketAddr::new(ip, 0)),
        None => hop.parse().ok(),
    }
}

/// A network of addresses, written as `10.0.0.0/8`, `fd00::/8`, or as one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    prefix_bits: u8,
}

/// A text that is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an address or a network such as 10.0.0.0/8, with no bits behind the prefix, which is not 0"
)]
pub struct InvalidNetwork;

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                first.to_bits() == address.to_bits() & mask_v4(self.prefix_bits)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                first.to_bits() == address.to_bits() & mask_v6(self.prefix_bits)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// A prefix of 0 bits would trust everybody, and with that whatever anybody writes into a header.
impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (first, prefix) = match text.split_once('/') {
            Some((first, prefix)) => (first, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| InvalidNetwork)?;
        let all_bits = match first {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        let prefix_bits = match prefix {
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                prefix.parse().map_err(|_| InvalidNetwork)?
            }
            Some(_) => return Err(InvalidNetwork),
            None => all_bits,
        };
        let network = Self { first, prefix_bits };
        if !(1..=all_bits).contains(&prefix_bits) || !network.has(first) {
            return Err(InvalidNetwork);
        }
        match first {
            // Peers are compared in their short form.
            IpAddr::V6(mapped) if mapped.to_ipv4_mapped().is_some() => Err(InvalidNetwork),
            IpAddr::V4(_) | IpAddr::V6(_) => Ok(network),
        }
    }
}

fn mask_v4(prefix_bits: u8) -> u32 {
    let rest = Ipv4Addr::BITS.saturating_sub(u32::from(prefix_bits));
    u32::MAX.checked_shl(rest).unwrap_or(0)
}

fn mask_v6(prefix_bits: u8) -> u128 {
    let rest = Ipv6Addr::BITS.saturating_sub(u32::from(prefix_bits));
    u128::MAX.checked_shl(rest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> TrustedProxies {
        TrustedProxies::new(networks.iter().map(|n| n.parse().unwrap()).collect())
    }

    /// Where a request of a socket seems to come from, under these header lines.
    fn seen(networks: &[&str], socket: &str, lines: &[(&'static str, &str)]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let socket = Peer {
            address: socket.parse().unwrap(),
            is_over_tls: false,
        };
        let peer = proxies(networks).look(socket, &headers);
        (peer.address.to_string(), peer.is_over_tls)
    }

    #[test]
    fn a_network_has_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.1/32", "::ffff:192.0.2.1", "::ffff:192.0.2.0"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
            ("::1", "::1", "::"),
            ("::/1", "7fff::1", "127.0.0.1"),
        ] {
            let proxies = proxies(&[network]);
            assert!(proxies.has(inside.parse().unwrap()), "{network}: {inside}");
            assert!(
                !proxies.has(outside.parse().unwrap()),
                "{network}: {outside}"
            );
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "proxy",
            "10.0.0.1/8",
            "10.0.0.0/0",
            "::/0",
            "10.0.0.0/33",
            "fd00::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0/8",
            "::ffff:10.0.0.0/104",
            "10.0.0.0/256",
            "10.0.0.0:80",
            " 10.0.0.0/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(InvalidNetwork), "{text:?}");
        }
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted_has_asked() {
        let networks = ["10.0.0.0/8", "fd00::/8"];
        for (lines, address) in [
            (&["203.0.113.7"][..], "203.0.113.7:0"),
            (&["203.0.113.7:4711"], "203.0.113.7:4711"),
            (&["2001:db8::1"], "[2001:db8::1]:0"),
            (&["[2001:db8::1]"], "[2001:db8::1]:0"),
            (&["[2001:db8::1]:4711"], "[2001:db8::1]:4711"),
            // What stands before it may be of anybody's making.
            (&["198.51.100.1, 203.0.113.7"], "203.0.113.7:0"),
            (&["me, 203.0.113.7, 10.0.0.2"], "203.0.113.7:0"),
            (&["me", "203.0.113.7,10.0.0.2", "fd00::2"], "203.0.113.7:0"),
            // Somebody inside.
            (&["10.0.0.9, 10.0.0.2"], "10.0.0.9:0"),
            // Wrong ones count as none.
            (&["203.0.113.7, unknown"], "10.0.0.1:80"),
            (&["203.0.113.7, "], "10.0.0.1:80"),
            (&[""], "10.0.0.1:80"),
            (&["203.0.113.7, 10.0.0.2 10.0.0.3"], "10.0.0.1:80"),
            (&["[203.0.113.7]"], "10.0.0.1:80"),
            (&["203.0.113.7:70000"], "10.0.0.1:80"),
            (&[], "10.0.0.1:80"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| (FOR, *line)).collect();
            let seen = seen(&networks, "10.0.0.1:80", &lines);
            assert_eq!(seen, (address.to_owned(), false), "{lines:?}");
        }
    }

    #[test]
    fn the_scheme_is_what_the_last_proxy_says() {
        for (lines, is_over_tls) in [
            (&["https"][..], true),
            (&["HTTPS"], true),
            (&["http"], false),
            (&["http, https"], true),
            (&["https", "http"], false),
            (&["wss"], false),
            (&[""], false),
            (&[], false),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| (PROTO, *line)).collect();
            let seen = seen(&["::1"], "[::1]:80", &lines);
            assert_eq!(seen, ("[::1]:80".to_owned(), is_over_tls), "{lines:?}");
        }
    }

    #[test]
    fn a_socket_over_tls_is_over_tls_unless_a_trusted_proxy_says_otherwise() {
        let address = "192.0.2.1:80".parse().unwrap();
        let socket = Peer {
            address,
            is_over_tls: true,
        };
        for (network, line, is_over_tls) in [
            ("10.0.0.0/8", "http", true),
            ("192.0.2.0/24", "http", false),
            ("192.0.2.0/24", "https", true),
            ("192.0.2.0/24", "wss", true),
        ] {
            let headers = HeaderMap::from_iter([(
                axum::http::HeaderName::from_static(PROTO),
                axum::http::HeaderValue::from_static(line),
            )]);
            let peer = proxies(&[network]).look(socket, &headers);
            assert_eq!(peer.is_over_tls, is_over_tls, "{network} {line}");
        }
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let lines = [(FOR, "203.0.113.7"), (PROTO, "https")];
        for (networks, believed) in [
            (&[][..], false),
            (&["10.0.0.0/8"], false),
            (&["192.0.2.0/24"], true),
        ] {
            for socket in ["192.0.2.1:80", "[::ffff:192.0.2.1]:80"] {
                let address = if believed { "203.0.113.7:0" } else { socket };
                let seen = seen(networks, socket, &lines);
                assert_eq!(seen, (address.to_owned(), believed), "{networks:?}");
            }
        }
    }
}
