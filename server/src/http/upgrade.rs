//! Whether a request asks correctly for a WebSocket (RFC 6455 section 4.2.1).

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A correct request for a WebSocket.
///
/// Offered extensions are not looked at: none is spoken, and leaving them out of the response
/// declines them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// The value for `Sec-WebSocket-Accept` in the response.
    pub accept: String,
    /// The subprotocols that the client offers, the preferred one first.
    pub protocols: Vec<String>,
}

/// Why a request cannot become a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// Another method than GET.
    #[error("a WebSocket is opened with GET")]
    Method,
    /// Another version than HTTP/1.1.
    #[error("a WebSocket is opened over HTTP/1.1")]
    HttpVersion,
    /// No `websocket` in `Upgrade`.
    #[error("header `Upgrade: websocket` is missing")]
    UpgradeHeader,
    /// No `upgrade` in `Connection`.
    #[error("header `Connection: Upgrade` is missing")]
    ConnectionHeader,
    /// Another version of the WebSocket protocol, or none.
    #[error("header `Sec-WebSocket-Version: 13` is missing; no other version is spoken")]
    WebSocketVersion,
    /// No key, several, or one of the wrong form.
    #[error("header `Sec-WebSocket-Key` must be there once, with 16 bytes in base64")]
    Key,
}

/// Checks a request for a WebSocket, except for who asks and from where.
pub fn check(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
) -> Result<Upgrade, UpgradeError> {
    if method != Method::GET {
        return Err(UpgradeError::Method);
    }
    if version != Version::HTTP_11 {
        return Err(UpgradeError::HttpVersion);
    }
    if !tokens(headers, header::UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket")) {
        return Err(UpgradeError::UpgradeHeader);
    }
    if !tokens(headers, header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade")) {
        return Err(UpgradeError::ConnectionHeader);
    }
    let spoken = only(headers, header::SEC_WEBSOCKET_VERSION);
    if spoken.is_none_or(|version| version.as_bytes() != b"13") {
        return Err(UpgradeError::WebSocketVersion);
    }
    let key = only(headers, header::SEC_WEBSOCKET_KEY)
        .map(HeaderValue::as_bytes)
        .filter(|key| is_key(key))
        .ok_or(UpgradeError::Key)?;
    Ok(Upgrade {
        accept: derive_accept_key(key),
        protocols: tokens(headers, header::SEC_WEBSOCKET_PROTOCOL)
            .map(str::to_owned)
            .collect(),
    })
}

impl UpgradeError {
    /// The status of the response.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Method
            | Self::HttpVersion
            | Self::UpgradeHeader
            | Self::ConnectionHeader
            | Self::Key => StatusCode::BAD_REQUEST,
            Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
        }
    }

    /// The headers that the response needs: for 426, what to upgrade to (RFC 9110 section 15.5.22,
    /// RFC 6455 section 4.4).
    pub fn headers(self) -> HeaderMap {
        match self {
            Self::Method
            | Self::HttpVersion
            | Self::UpgradeHeader
            | Self::ConnectionHeader
            | Self::Key => HeaderMap::new(),
            Self::WebSocketVersion => HeaderMap::from_iter([
                (header::CONNECTION, HeaderValue::from_static("upgrade")),
                (header::UPGRADE, HeaderValue::from_static("websocket")),
                (
                    header::SEC_WEBSOCKET_VERSION,
                    HeaderValue::from_static("13"),
                ),
            ]),
        }
    }
}

/// Bits of the last character that say nothing may have any value: other servers take such keys
/// too, and clients write them.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

fn is_key(key: &[u8]) -> bool {
    // The engine wants room for whole groups of three bytes.
    let mut bytes = [0; 18];
    key.len() == 24 && matches!(KEY_BASE64.decode_slice(key, &mut bytes), Ok(16))
}

/// The value of a header that may be there only once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// The members of a list header, over all its lines. Lines with other than visible ASCII have none.
fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const VALID: [(&str, &str); 4] = [
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", KEY),
    ];

    /// A valid request in which the header `name` has these lines instead.
    fn with(name: &str, lines: &[&str]) -> HeaderMap {
        VALID
            .into_iter()
            .filter(|(other, _)| *other != name)
            .chain(lines.iter().map(|line| (name, *line)))
            .map(|(name, line)| (name.parse::<HeaderName>().unwrap(), line.parse().unwrap()))
            .collect()
    }

    fn checked(headers: &HeaderMap) -> Result<Upgrade, UpgradeError> {
        check(&Method::GET, Version::HTTP_11, headers)
    }

    #[test]
    fn answers_the_example_of_the_rfc() {
        let upgrade = checked(&with("none", &[])).unwrap();
        assert_eq!(upgrade.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(upgrade.protocols, Vec::<String>::new());
    }

    #[test]
    fn accepts_every_spelling() {
        for (name, lines) in [
            ("upgrade", vec!["WebSocket"]),
            ("upgrade", vec!["h2c, websocket"]),
            ("connection", vec!["keep-alive, Upgrade"]),
            ("connection", vec!["keep-alive", "upgrade"]),
            ("connection", vec![" ,UPGRADE ,"]),
            ("sec-websocket-key", vec!["AAAAAAAAAAAAAAAAAAAAAB=="]),
            (
                "sec-websocket-extensions",
                vec!["permessage-deflate; client_max_window_bits"],
            ),
        ] {
            assert!(checked(&with(name, &lines)).is_ok(), "{name}: {lines:?}");
        }
    }

    #[test]
    fn refuses_each_fault_with_its_status() {
        use UpgradeError::{ConnectionHeader, Key, UpgradeHeader, WebSocketVersion};
        for (name, lines, error, status) in [
            ("upgrade", vec![], UpgradeHeader, 400),
            ("upgrade", vec!["h2c"], UpgradeHeader, 400),
            ("upgrade", vec!["websocket2"], UpgradeHeader, 400),
            ("connection", vec![], ConnectionHeader, 400),
            ("connection", vec!["keep-alive"], ConnectionHeader, 400),
            ("connection", vec!["no-upgrade"], ConnectionHeader, 400),
            ("sec-websocket-version", vec![], WebSocketVersion, 426),
            ("sec-websocket-version", vec!["12"], WebSocketVersion, 426),
            ("sec-websocket-version", vec!["130"], WebSocketVersion, 426),
            (
                "sec-websocket-version",
                vec!["13", "8"],
                WebSocketVersion,
                426,
            ),
            ("sec-websocket-key", vec![], Key, 400),
            ("sec-websocket-key", vec![""], Key, 400),
            ("sec-websocket-key", vec![KEY, KEY], Key, 400),
            ("sec-websocket-key", vec!["SGVsbG8sIHdvcmxkIQ=="], Key, 400),
            (
                "sec-websocket-key",
                vec!["AAAAAAAAAAAAAAAAAAAAAAA="],
                Key,
                400,
            ),
            (
                "sec-websocket-key",
                vec!["AAAAAAAAAAAAAAAAAAAAAAAA"],
                Key,
                400,
            ),
            (
                "sec-websocket-key",
                vec!["AAAAAAAAAAAAAAAAAAAAAA"],
                Key,
                400,
            ),
            (
                "sec-websocket-key",
                vec!["dGhlIHNhbXBsZSBub25j-_=="],
                Key,
                400,
            ),
        ] {
            assert_eq!(
                checked(&with(name, &lines)),
                Err(error),
                "{name}: {lines:?}"
            );
            assert_eq!(error.status(), status);
        }
    }

    #[test]
    fn refuses_other_methods_and_http_versions() {
        let headers = with("none", &[]);
        for method in [Method::POST, Method::HEAD, Method::CONNECT] {
            assert_eq!(
                check(&method, Version::HTTP_11, &headers),
                Err(UpgradeError::Method)
            );
        }
        for version in [Version::HTTP_10, Version::HTTP_2] {
            assert_eq!(
                check(&Method::GET, version, &headers),
                Err(UpgradeError::HttpVersion)
            );
        }
        assert_eq!(UpgradeError::Method.status(), 400);
        assert_eq!(UpgradeError::HttpVersion.status(), 400);
    }

    #[test]
    fn a_wrong_version_is_told_the_right_one() {
        let headers = UpgradeError::WebSocketVersion.headers();
        assert_eq!(headers["sec-websocket-version"], "13");
        assert_eq!(headers["upgrade"], "websocket");
        assert!(UpgradeError::Key.headers().is_empty());
    }

    #[test]
    fn lists_the_offered_subprotocols_in_order() {
        let offered = ["boardcast.v1.json.deflate, boardcast.v1.json", "", "chat,,"];
        let upgrade = checked(&with("sec-websocket-protocol", &offered)).unwrap();
        assert_eq!(
            upgrade.protocols,
            ["boardcast.v1.json.deflate", "boardcast.v1.json", "chat"]
        );
    }
}
