//! Settings as they are written: every one optional, by the same name in flags, variables and file.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Config, SettingsError, resolve};
use crate::http::origin::Origin;
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
    /// Origins of pages that may connect besides the server's own, such as `https://boards.example`;
    /// needed behind a proxy that ends TLS
    #[arg(
        long,
        env = "BOARDCAST_ALLOWED_ORIGINS",
        value_name = "ORIGIN,...",
        value_delimiter = ','
    )]
    pub allowed_origins: Option<Vec<String>>,
    /// WebSocket connections; above it 503 [default: 20000]
    #[arg(long, env = "BOARDCAST_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<u64>,
    /// WebSocket connections of one user; above it close code 4504 [default: 5]
    #[arg(long, env = "BOARDCAST_MAX_CONNECTIONS_PER_USER", value_name = "N")]
    pub max_connections_per_user: Option<u64>,
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
    /// Largest file that may be imported over HTTP [default: 536870912]
    #[arg(long, env = "BOARDCAST_IMPORT_MAX_BYTES", value_name = "BYTES")]
    pub import_max_bytes: Option<u64>,
    /// Largest backup that may be restored over HTTP [default: 17179869184]
    #[arg(long, env = "BOARDCAST_RESTORE_MAX_BYTES", value_name = "BYTES")]
    pub restore_max_bytes: Option<u64>,
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

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const GIB: u64 = 1_024 * 1_024 * 1_024;

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
            allowed_origins,
            max_connections,
            max_connections_per_user,
            max_unauthenticated_per_address,
            max_http_connections,
            max_boards_per_connection,
            max_messages_per_s,
            max_messages_burst,
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
            import_max_bytes,
            restore_max_bytes,
            drain_ms,
            return_window_ms,
            log_format,
            log,
        )
    }

    /// The configuration that these settings make, with defaults where they say nothing.
    ///
    /// # Errors
    /// A value is not allowed.
    pub fn into_config(self) -> Result<Config, SettingsError> {
        let data_dir = self.data_dir.unwrap_or_else(|| "./boardcast-data".into());
        let mut config = Config::in_dir(data_dir);
        config.listen = resolve(self.listen.as_deref().unwrap_or("127.0.0.1:8080"))?;
        for origin in self.allowed_origins.unwrap_or_default() {
            config.allowed_origins.push(parse_origin(&origin)?);
        }
        config.log_format = self.log_format.unwrap_or_default();
        if let Some(filter) = self.log {
            config.log_filter = filter;
        }

        let limits = &mut config.connections.limits;
        set(
            &mut limits.total,
            "max_connections",
            self.max_connections,
            1..=10_000_000,
        )?;
        set(
            &mut limits.per_user,
            "max_connections_per_user",
            self.max_connections_per_user,
            1..=1_000_000,
        )?;
        set(
            &mut limits.unauthenticated_per_source,
            "max_unauthenticated_per_address",
            self.max_unauthenticated_per_address,
            0..=1_000_000,
        )?;
        let http = &mut config.http;
        set(
            &mut http.connections_max,
            "max_http_connections",
            self.max_http_connections,
            1..=1_000_000,
        )?;
        set(
            &mut http.send_buffer_bytes,
            "send_buffer_bytes",
            self.send_buffer_bytes,
            4_096..=GIB,
        )?;

        let session = &mut config.connections.session;
        set(
            &mut session.boards_max,
            "max_boards_per_connection",
            self.max_boards_per_connection,
            1..=100_000,
        )?;
        set(
            &mut session.messages_per_s,
            "max_messages_per_s",
            self.max_messages_per_s,
            1..=1_000_000,
        )?;
        set(
            &mut session.messages_burst,
            "max_messages_burst",
            self.max_messages_burst,
            1..=1_000_000,
        )?;

        let beat = &mut config.connections.heartbeat;
        set(
            &mut beat.ping_every_ms,
            "ping_every_ms",
            self.ping_every_ms,
            100..=DAY_MS,
        )?;
        set(
            &mut beat.pong_within_ms,
            "pong_within_ms",
            self.pong_within_ms,
            100..=DAY_MS,
        )?;
        set(
            &mut beat.hello_within_ms,
            "hello_within_ms",
            self.hello_within_ms,
            100..=DAY_MS,
        )?;
        set(
            &mut beat.write_stall_ms,
            "write_stall_ms",
            self.write_stall_ms,
            100..=DAY_MS,
        )?;
        session.ping_ms = u32::try_from(beat.ping_every_ms).unwrap_or(u32::MAX);

        let outbox = &mut config.connections.outbox;
        let sizes = 16 * 1_024..=GIB;
        set(
            &mut outbox.soft_bytes,
            "outbox_soft_bytes",
            self.outbox_soft_bytes,
            sizes.clone(),
        )?;
        set(
            &mut outbox.hard_bytes,
            "outbox_hard_bytes",
            self.outbox_hard_bytes,
            sizes.clone(),
        )?;
        if outbox.hard_bytes <= outbox.soft_bytes {
            return Err(SettingsError::Order {
                larger: "outbox_hard_bytes",
                smaller: "outbox_soft_bytes",
            });
        }

        let rooms = &mut config.rooms;
        set(
            &mut rooms.loaded_bytes,
            "loaded_bytes",
            self.loaded_bytes,
            1_024 * 1_024..=1_024 * GIB,
        )?;
        let mut keep_days = config.retention.keep_ms / DAY_MS;
        set(&mut keep_days, "keep_days", self.keep_days, 0..=36_500)?;
        config.retention.keep_ms = keep_days * DAY_MS;
        set(
            &mut config.retention.keep_versions,
            "keep_versions",
            self.keep_versions,
            0..=1_000_000_000,
        )?;
        set(
            &mut rooms.inbox,
            "board_inbox",
            self.board_inbox,
            1..=1_000_000,
        )?;
        set(
            &mut rooms.recent_versions,
            "recent_versions",
            self.recent_versions,
            1..=1_000_000,
        )?;
        set(
            &mut rooms.recent_bytes,
            "recent_bytes",
            self.recent_bytes,
            sizes.clone(),
        )?;
        set(
            &mut config.journal_versions,
            "journal_versions",
            self.journal_versions,
            1..=10_000_000,
        )?;
        set(
            &mut config.journal_bytes,
            "journal_bytes",
            self.journal_bytes,
            sizes,
        )?;
        set(
            &mut config.import_max_bytes,
            "import_max_bytes",
            self.import_max_bytes,
            1_024..=1_024 * GIB,
        )?;
        set(
            &mut config.restore_max_bytes,
            "restore_max_bytes",
            self.restore_max_bytes,
            1_024..=1_024 * GIB,
        )?;
        let drain = &mut config.drain;
        set(&mut drain.drain_ms, "drain_ms", self.drain_ms, 0..=DAY_MS)?;
        set(
            &mut drain.return_window_ms,
            "return_window_ms",
            self.return_window_ms,
            0..=DAY_MS,
        )?;
        Ok(config)
    }
}

fn set<T: TryFrom<u64>>(
    target: &mut T,
    name: &'static str,
    value: Option<u64>,
    allowed: RangeInclusive<u64>,
) -> Result<(), SettingsError> {
    let Some(value) = value else {
        return Ok(());
    };
    match T::try_from(value) {
        Ok(fitting) if allowed.contains(&value) => {
            *target = fitting;
            Ok(())
        }
        Ok(_) | Err(_) => Err(SettingsError::Range {
            name,
            value,
            allowed,
        }),
    }
}

fn parse_origin(origin: &str) -> Result<Origin, SettingsError> {
    origin.trim().parse().map_err(|_| SettingsError::Value {
        name: "allowed_origins",
        value: origin.to_owned(),
        expected: "https://HOST or https://HOST:PORT, without a path".to_owned(),
    })
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
            ("return_window_ms = 99999999999", "`return_window_ms` is"),
        ] {
            let error = from_toml(text).unwrap().into_config().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = from_toml("log_format = \"xml\"").unwrap_err().to_string();
        assert!(error.contains("xml"), "{error}");
    }
}
