//! Settings as they are written: every one optional, by the same name in flags, variables and file.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SettingsError;
use crate::connection::limits::Yields;
use crate::telemetry::LogFormat;

/// Settings as they are written. In the file, a name has `_` for `-`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to listen, HOST:PORT; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "BOARDCAST_LISTEN", value_name = "ADDR")]
    pub listen: Option<String>,
    /// Where everything is kept [default: ./boardcast-data]
    #[arg(long, env = "BOARDCAST_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where people open the server, such as `https://boards.example` or `https://example.org/boards`:
    /// its origin may connect, links lead there, and over https cookies are bound to TLS
    #[arg(long, env = "BOARDCAST_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// A certificate in PEM, with the chain that leads to a known authority: the server speaks TLS. Read
    /// again when it changes and on SIGHUP
    #[arg(long, env = "BOARDCAST_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of that certificate in PEM, without a passphrase
    #[arg(long, env = "BOARDCAST_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// The public key, in PEM, of an application whose signed tokens are accepted: RSA for RS256, or
    /// Ed25519 for EdDSA. Read again when it changes and on SIGHUP
    #[arg(long, env = "BOARDCAST_TOKEN_KEY", value_name = "FILE")]
    pub token_key: Option<PathBuf>,
    /// Where the set of public keys (JWKS) is by which signed tokens are accepted: `https://...`, or
    /// `http://...` on this machine; needs `--token-audience`
    #[arg(long, env = "BOARDCAST_TOKEN_JWKS_URL", value_name = "URL")]
    pub token_jwks_url: Option<String>,
    /// For whom such tokens must be, as their `aud` says; without, those that are for somebody are refused
    #[arg(long, env = "BOARDCAST_TOKEN_AUDIENCE", value_name = "TEXT")]
    pub token_audience: Option<String>,
    /// Origins of pages that may connect besides the server's own, such as `https://boards.example`;
    /// needed behind a proxy that ends TLS
    #[arg(
        long,
        env = "BOARDCAST_ALLOWED_ORIGINS",
        value_name = "ORIGIN,...",
        value_delimiter = ','
    )]
    pub allowed_origins: Option<Vec<String>>,
    /// Networks of proxies, such as `10.0.0.0/8`, that are believed when they say by `X-Forwarded-For`
    /// and `X-Forwarded-Proto` who asks, and whether over TLS; at most 64
    #[arg(
        long,
        env = "BOARDCAST_TRUSTED_PROXIES",
        value_name = "CIDR,...",
        value_delimiter = ','
    )]
    pub trusted_proxies: Option<Vec<String>>,
    /// WebSocket connections; above it 503 [default: 20000]
    #[arg(long, env = "BOARDCAST_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<u64>,
    /// WebSocket connections of one address; above it 429. Behind a proxy that is not trusted
    /// everybody comes from its address [default: 20000]
    #[arg(long, env = "BOARDCAST_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N")]
    pub max_connections_per_address: Option<u64>,
    /// WebSocket connections of one user; above it close code 4504 or 4506 [default: 5]
    #[arg(long, env = "BOARDCAST_MAX_CONNECTIONS_PER_USER", value_name = "N")]
    pub max_connections_per_user: Option<u64>,
    /// Which of a user's connections goes when there are too many: the newest with 4504, or the oldest
    /// with 4506 [default: newest]
    #[arg(long, env = "BOARDCAST_YIELDS", value_name = "WHICH")]
    pub yields: Option<Yields>,
    /// WebSocket connections that are opened in any second; above it 503 [default: 4000]
    #[arg(long, env = "BOARDCAST_MAX_CONNECTS_PER_S", value_name = "N")]
    pub max_connects_per_s: Option<u64>,
    /// The same from one address; above it 429 [default: 2000]
    #[arg(
        long,
        env = "BOARDCAST_MAX_CONNECTS_PER_S_PER_ADDRESS",
        value_name = "N"
    )]
    pub max_connects_per_s_per_address: Option<u64>,
    /// WebSocket connections from one address before `hello`; above it 429 [default: 100]
    #[arg(
        long,
        env = "BOARDCAST_MAX_UNAUTHENTICATED_PER_ADDRESS",
        value_name = "N"
    )]
    pub max_unauthenticated_per_address: Option<u64>,
    /// Plain HTTP connections; above it 503 [default: 1000]
    #[arg(long, env = "BOARDCAST_MAX_HTTP_CONNECTIONS", value_name = "N")]
    pub max_http_connections: Option<u64>,
    /// Subscriptions of one connection [default: 100]
    #[arg(long, env = "BOARDCAST_MAX_BOARDS_PER_CONNECTION", value_name = "N")]
    pub max_boards_per_connection: Option<u64>,
    /// Messages a second that a client may send over time; above it `busy` [default: 500]
    #[arg(long, env = "BOARDCAST_MAX_MESSAGES_PER_S", value_name = "N")]
    pub max_messages_per_s: Option<u64>,
    /// Messages that a client may send at once [default: 2000]
    #[arg(long, env = "BOARDCAST_MAX_MESSAGES_BURST", value_name = "N")]
    pub max_messages_burst: Option<u64>,
    /// Commands a second of a user over all connections, four times as many at once; above it `busy`
    /// [default: 1000]
    #[arg(long, env = "BOARDCAST_MAX_COMMANDS_PER_S_PER_USER", value_name = "N")]
    pub max_commands_per_s_per_user: Option<u64>,
    /// Requests a second of a user over HTTP, or of an address without credentials, four times as many
    /// at once; above it 429 [default: 2000]
    #[arg(long, env = "BOARDCAST_MAX_REQUESTS_PER_S_PER_USER", value_name = "N")]
    pub max_requests_per_s_per_user: Option<u64>,
    /// Commands a second of a board, four times as many at once; above it `busy` [default: 10000]
    #[arg(long, env = "BOARDCAST_MAX_COMMANDS_PER_S_PER_BOARD", value_name = "N")]
    pub max_commands_per_s_per_board: Option<u64>,
    /// Attempts to sign in from one address in a minute, over time and at once; above it 429. Behind a
    /// proxy that is not trusted everybody comes from its address [default: 60]
    #[arg(
        long,
        env = "BOARDCAST_MAX_SIGN_INS_PER_MIN_PER_ADDRESS",
        value_name = "N"
    )]
    pub max_sign_ins_per_min_per_address: Option<u64>,
    /// Largest message of a client; above it close code 1009 [default: 524288]
    #[arg(long, env = "BOARDCAST_MAX_MESSAGE_BYTES", value_name = "BYTES")]
    pub max_message_bytes: Option<u64>,
    /// Largest frame of a client; above it close code 1009 [default: 524288]
    #[arg(long, env = "BOARDCAST_MAX_FRAME_BYTES", value_name = "BYTES")]
    pub max_frame_bytes: Option<u64>,
    /// Time between two pings of a connection [default: 25000]
    #[arg(long, env = "BOARDCAST_PING_EVERY_MS", value_name = "MS")]
    pub ping_every_ms: Option<u64>,
    /// Time beyond it without a sign of life until close code 4000 [default: 10000]
    #[arg(long, env = "BOARDCAST_PONG_WITHIN_MS", value_name = "MS")]
    pub pong_within_ms: Option<u64>,
    /// Time for `hello` until close code 4501 [default: 10000]
    #[arg(long, env = "BOARDCAST_HELLO_WITHIN_MS", value_name = "MS")]
    pub hello_within_ms: Option<u64>,
    /// Time after which a socket that takes nothing is dropped [default: 10000]
    #[arg(long, env = "BOARDCAST_WRITE_STALL_MS", value_name = "MS")]
    pub write_stall_ms: Option<u64>,
    /// Bytes that wait for a connection above which presence is dropped [default: 262144]
    #[arg(long, env = "BOARDCAST_OUTBOX_SOFT_BYTES", value_name = "BYTES")]
    pub outbox_soft_bytes: Option<u64>,
    /// Bytes that wait for a connection above which it is resynchronised [default: 1048576]
    #[arg(long, env = "BOARDCAST_OUTBOX_HARD_BYTES", value_name = "BYTES")]
    pub outbox_hard_bytes: Option<u64>,
    /// What the kernel may hold of what was written to a socket [default: 262144]
    #[arg(long, env = "BOARDCAST_SEND_BUFFER_BYTES", value_name = "BYTES")]
    pub send_buffer_bytes: Option<u64>,
    /// Inputs that wait for a board; above it submits are answered `busy` [default: 1024]
    #[arg(long, env = "BOARDCAST_BOARD_INBOX", value_name = "N")]
    pub board_inbox: Option<u64>,
    /// Versions of a board in memory, from which clients resume [default: 4096]
    #[arg(long, env = "BOARDCAST_RECENT_VERSIONS", value_name = "N")]
    pub recent_versions: Option<u64>,
    /// Bytes of those versions [default: 2097152]
    #[arg(long, env = "BOARDCAST_RECENT_BYTES", value_name = "BYTES")]
    pub recent_bytes: Option<u64>,
    /// Versions that wait for the disk; above it submits are answered `busy` [default: 20000]
    #[arg(long, env = "BOARDCAST_JOURNAL_VERSIONS", value_name = "N")]
    pub journal_versions: Option<u64>,
    /// Bytes of those versions; above it submits are answered `busy` [default: 67108864]
    #[arg(long, env = "BOARDCAST_JOURNAL_BYTES", value_name = "BYTES")]
    pub journal_bytes: Option<u64>,
    /// Bytes of all loaded boards above which idle ones are put to sleep [default: 536870912]
    #[arg(long, env = "BOARDCAST_LOADED_BYTES", value_name = "BYTES")]
    pub loaded_bytes: Option<u64>,
    /// Days for which versions can be resumed from; older ones are trimmed from the log [default: 14]
    #[arg(long, env = "BOARDCAST_KEEP_DAYS", value_name = "DAYS")]
    pub keep_days: Option<u64>,
    /// Newest versions of each board that stay in the log however old they are [default: 2000]
    #[arg(long, env = "BOARDCAST_KEEP_VERSIONS", value_name = "N")]
    pub keep_versions: Option<u64>,
    /// Largest file of an attachment; above it 413 [default: 26214400]
    #[arg(long, env = "BOARDCAST_ATTACHMENT_MAX_BYTES", value_name = "BYTES")]
    pub attachment_max_bytes: Option<u64>,
    /// Bytes of all attachments of a board; above it 507 [default: 1073741824]
    #[arg(long, env = "BOARDCAST_ATTACHMENT_BOARD_BYTES", value_name = "BYTES")]
    pub attachment_board_bytes: Option<u64>,
    /// Bytes of all files of attachments; above it 507 [default: 10737418240]
    #[arg(long, env = "BOARDCAST_ATTACHMENT_BYTES", value_name = "BYTES")]
    pub attachment_bytes: Option<u64>,
    /// Files that are sent at a time; above it 503 [default: 32]
    #[arg(long, env = "BOARDCAST_MAX_UPLOADS", value_name = "N")]
    pub max_uploads: Option<u64>,
    /// Files that a user sends at a time; above it 429 [default: 4]
    #[arg(long, env = "BOARDCAST_MAX_UPLOADS_PER_USER", value_name = "N")]
    pub max_uploads_per_user: Option<u64>,
    /// Days for which a file stays when its attachment was removed [default: 30]
    #[arg(long, env = "BOARDCAST_KEEP_FILES_DAYS", value_name = "DAYS")]
    pub keep_files_days: Option<u64>,
    /// A bucket of an S3-compatible store that has the files of attachments, instead of the data
    /// directory; needs a build with the feature `s3`
    #[arg(long, env = "BOARDCAST_S3_BUCKET", value_name = "NAME")]
    pub s3_bucket: Option<String>,
    /// Where that store is, such as `https://s3.example:9000`; without, Amazon's of the region
    #[arg(long, env = "BOARDCAST_S3_ENDPOINT", value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// The region that requests are signed for [default: us-east-1]
    #[arg(long, env = "BOARDCAST_S3_REGION", value_name = "NAME")]
    pub s3_region: Option<String>,
    /// What all keys begin with, such as `boardcast/files`: of this data directory alone
    #[arg(long, env = "BOARDCAST_S3_PREFIX", value_name = "PREFIX")]
    pub s3_prefix: Option<String>,
    /// A TOML file, open to its owner alone, with `access_key_id`, `secret_access_key` and, where there
    /// is one, `session_token`; without, BOARDCAST_S3_ACCESS_KEY_ID, BOARDCAST_S3_SECRET_ACCESS_KEY and
    /// BOARDCAST_S3_SESSION_TOKEN have them. Read again when it changes
    #[arg(long, env = "BOARDCAST_S3_KEY", value_name = "FILE")]
    pub s3_key: Option<PathBuf>,
    /// Trust the certificates of this file, in PEM, for that store, instead of those that browsers know
    #[arg(long, env = "BOARDCAST_S3_CA", value_name = "FILE")]
    pub s3_ca: Option<PathBuf>,
    /// Whether the bucket is a part of the name of the host; else of the path [default: false]
    #[arg(long, env = "BOARDCAST_S3_VIRTUAL_HOSTS", value_name = "BOOL")]
    pub s3_virtual_hosts: Option<bool>,
    /// Whether `http://` may be used beyond this machine: whoever is between reads and changes files
    /// [default: false]
    #[arg(long, env = "BOARDCAST_S3_PLAIN_HTTP", value_name = "BOOL")]
    pub s3_plain_http: Option<bool>,
    /// Time for that store to answer, and for each pause in an answer; above it 503 [default: 30000]
    #[arg(long, env = "BOARDCAST_S3_TIMEOUT_MS", value_name = "MS")]
    pub s3_timeout_ms: Option<u64>,
    /// Largest file that may be imported over HTTP [default: 536870912]
    #[arg(long, env = "BOARDCAST_IMPORT_MAX_BYTES", value_name = "BYTES")]
    pub import_max_bytes: Option<u64>,
    /// Largest backup that may be restored over HTTP [default: 17179869184]
    #[arg(long, env = "BOARDCAST_RESTORE_MAX_BYTES", value_name = "BYTES")]
    pub restore_max_bytes: Option<u64>,
    /// Where the server puts backups that it takes by itself: a directory for these alone
    #[arg(long, env = "BOARDCAST_BACKUP_DIR", value_name = "DIR")]
    pub backup_dir: Option<PathBuf>,
    /// Hours from one such backup to the next [default: 24]
    #[arg(long, env = "BOARDCAST_BACKUP_EVERY_HOURS", value_name = "HOURS")]
    pub backup_every_hours: Option<u64>,
    /// Newest such backups that stay [default: 14]
    #[arg(long, env = "BOARDCAST_BACKUP_KEEP", value_name = "N")]
    pub backup_keep: Option<u64>,
    /// Time for clients to go when the server stops [default: 10000]
    #[arg(long, env = "BOARDCAST_DRAIN_MS", value_name = "MS")]
    pub drain_ms: Option<u64>,
    /// Time within which they are told to come back, each at a random moment [default: 5000]
    #[arg(long, env = "BOARDCAST_RETURN_WINDOW_MS", value_name = "MS")]
    pub return_window_ms: Option<u64>,
    /// How log lines look [default: text]
    #[arg(long, env = "BOARDCAST_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Which log lines there are, such as info,boardcast=debug [default: info]
    #[arg(long, env = "BOARDCAST_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

impl Settings {
    /// The settings of a TOML file.
    ///
    /// # Errors
    /// The file cannot be read, or has a key that there is no setting for.
    pub fn from_file(path: &Path) -> Result<Self, SettingsError> {
        let text = fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        toml::from_str(&text).map_err(|source| SettingsError::File {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// These settings, and where they say nothing, those of `weaker`.
    #[must_use]
    pub fn over(self, weaker: Self) -> Self {
        macro_rules! over {
            ($($field:ident),* $(,)?) => {
                Self { $($field: self.$field.or(weaker.$field)),* }
            };
        }
        over!(
            listen,
            data_dir,
            public_url,
            tls_cert,
            tls_key,
            token_key,
            token_jwks_url,
            token_audience,
            allowed_origins,
            trusted_proxies,
            max_connections,
            max_connections_per_address,
            max_connections_per_user,
            yields,
            max_connects_per_s,
            max_connects_per_s_per_address,
            max_unauthenticated_per_address,
            max_http_connections,
            max_boards_per_connection,
            max_messages_per_s,
            max_messages_burst,
            max_commands_per_s_per_user,
            max_requests_per_s_per_user,
            max_commands_per_s_per_board,
            max_sign_ins_per_min_per_address,
            max_message_bytes,
            max_frame_bytes,
            ping_every_ms,
            pong_within_ms,
            hello_within_ms,
            write_stall_ms,
            outbox_soft_bytes,
            outbox_hard_bytes,
            send_buffer_bytes,
            board_inbox,
            recent_versions,
            recent_bytes,
            journal_versions,
            journal_bytes,
            loaded_bytes,
            keep_days,
            keep_versions,
            attachment_max_bytes,
            attachment_board_bytes,
            attachment_bytes,
            max_uploads,
            max_uploads_per_user,
            keep_files_days,
            s3_bucket,
            s3_endpoint,
            s3_region,
            s3_prefix,
            s3_key,
            s3_ca,
            s3_virtual_hosts,
            s3_plain_http,
            s3_timeout_ms,
            import_max_bytes,
            restore_max_bytes,
            backup_dir,
            backup_every_hours,
            backup_keep,
            drain_ms,
            return_window_ms,
            log_format,
            log,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_toml(text: &str) -> Result<Settings, SettingsError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("boardcast.toml");
        fs::write(&path, text).unwrap();
        Settings::from_file(&path)
    }

    #[test]
    fn the_stronger_source_wins_and_defaults_fill_in() {
        let file = from_toml("max_connections = 7\nmax_connections_per_user = 8").unwrap();
        let flags = Settings {
            max_connections: Some(9),
            ..Settings::default()
        };
        let config = flags.over(file).into_config().unwrap();
        assert_eq!(config.connections.limits.total, 9);
        assert_eq!(config.connections.limits.per_user, 8);
        assert_eq!(config.connections.limits.unauthenticated_per_source, 100);
        assert_eq!(config.data_dir, Path::new("./boardcast-data"));
        assert_eq!(config.listen, ["127.0.0.1:8080".parse().unwrap()]);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = from_toml("max_conections = 7").unwrap_err().to_string();
        assert!(error.contains("max_conections"), "{error}");
        assert!(error.contains("boardcast.toml"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_named_with_what_it_may_be() {
        for (text, expected) in [
            (
                "max_connections = 0",
                "`max_connections` is 0; it must be from 1 to 10000000",
            ),
            (
                "outbox_hard_bytes = 20000",
                "`outbox_hard_bytes` must be larger",
            ),
            (
                "listen = \"8080\"",
                "`listen` is \"8080\"; it must be HOST:PORT",
            ),
            (
                "allowed_origins = [\"boards.example\"]",
                "`allowed_origins` is \"boards.example\"; it must be https://HOST",
            ),
            (
                "public_url = \"https://boards.example/kan ban\"",
                "`public_url` is \"https://boards.example/kan ban\"; it must be https://HOST/PATH",
            ),
            (
                "public_url = \"https://boards.example/api/\"",
                "which is not a path of the server's own",
            ),
            (
                "public_url = \"boards.example\"",
                "`public_url` is \"boards.example\"; it must be https://HOST",
            ),
            (
                "trusted_proxies = [\"10.0.0.1/8\"]",
                "`trusted_proxies` is \"10.0.0.1/8\"; it must be an address or a network",
            ),
            (
                &format!("trusted_proxies = [{}]", "\"::1\",".repeat(65)),
                "`trusted_proxies` is \"65 networks\"; it must be at most 64 networks",
            ),
            (
                "tls_cert = \"chain.pem\"",
                "`tls_cert` needs `tls_key` as well",
            ),
            (
                "token_jwks_url = \"https://id.example/keys\"",
                "`token_jwks_url` needs `token_audience` as well",
            ),
            (
                "token_jwks_url = \"http://id.example/keys\"\ntoken_audience = \"b\"",
                "it must be an address that begins with https://, or with http:// and is on this",
            ),
            (
                "tls_key = \"key.pem\"",
                "`tls_key` needs `tls_cert` as well",
            ),
            ("return_window_ms = 99999999999", "`return_window_ms` is"),
            (
                "max_connects_per_s = 0",
                "`max_connects_per_s` is 0; it must be from 1 to 1000000",
            ),
            (
                "max_message_bytes = 1000000",
                "`max_message_bytes` is 1000000; it must be from 16384 to 524288",
            ),
        ] {
            let error = from_toml(text).unwrap().into_config().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = from_toml("yields = \"both\"").unwrap_err().to_string();
        assert!(error.contains("`newest` or `oldest`"), "{error}");
        let error = from_toml("log_format = \"xml\"").unwrap_err().to_string();
        assert!(error.contains("xml"), "{error}");
    }
}
