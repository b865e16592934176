//! What settings mean: the configuration that they make, and what each may be.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::in_force::LISTEN;
use super::{Config, Settings, SettingsError, resolve};
use crate::auth::{InvalidKeySetUrl, KeySetUrl, TokenRules};
use crate::backups::BackupRules;
use crate::files::{BucketRules, FilesPlace};
use crate::http::base::Base;
use crate::http::origin::Origin;
use crate::http::peer::{InvalidNetwork, Network, TRUSTED_PROXIES_MAX, TrustedProxies};
use crate::http::tls::TlsRules;
use boardcast_protocol::limits::MESSAGE_MAX_BYTES;

const HOUR_MS: u64 = 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const GIB: u64 = 1_024 * 1_024 * 1_024;
/// The smallest bound of what waits for a connection, and of what a client may send.
const SIZE_MIN_BYTES: u64 = 16 * 1_024;

/// Puts a setting into its place, if it was made and may be what it is.
macro_rules! set {
    ($settings:ident.$name:ident, $allowed:expr => $target:expr) => {
        set(&mut $target, stringify!($name), $settings.$name, $allowed)?
    };
}

impl Settings {
    /// The configuration that these settings make, with defaults where they say nothing.
    ///
    /// # Errors
    /// A value is not allowed.
    pub fn into_config(self) -> Result<Config, SettingsError> {
        let data_dir = self.data_dir.clone();
        let mut config = Config::in_dir(data_dir.unwrap_or_else(|| "./boardcast-data".into()));
        config.listen = resolve(self.listen.as_deref().unwrap_or(LISTEN))?;
        for origin in self.allowed_origins.iter().flatten() {
            config
                .allowed_origins
                .push(parse_origin("allowed_origins", origin)?);
        }
        config.public_url = self.set_public_url(&mut config.allowed_origins)?;
        config.tls = self.tls()?;
        self.set_tokens(&mut config.tokens)?;
        config.http.trusted_proxies = self.parse_proxies()?;
        config.log_format = self.log_format.unwrap_or_default();
        if let Some(filter) = &self.log {
            config.log_filter.clone_from(filter);
        }
        self.set_limits(&mut config)?;
        self.set_connections(&mut config)?;
        self.set_boards(&mut config)?;
        config.files = self.files_place()?;
        self.set_attachments(&mut config)?;
        config.backups = self.backups()?;
        Ok(config)
    }

    /// The address without a slash at its end; its origin becomes one that is allowed.
    fn set_public_url(&self, allowed: &mut Vec<Origin>) -> Result<Option<String>, SettingsError> {
        let url = self.public_url.as_deref().unwrap_or_default().trim();
        if url.is_empty() {
            return Ok(None);
        }
        let url = url.strip_suffix('/').unwrap_or(url);
        let wrong = |expected: String| SettingsError::Value {
            name: "public_url",
            value: url.to_owned(),
            expected,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let origin: Origin = format!("{scheme}://{authority}").parse().map_err(|_| {
            wrong("https://HOST or https://HOST:PORT, with or without a path".to_owned())
        })?;
        Base::parse(path)
            .map_err(|invalid| wrong(format!("https://HOST/PATH, where the path has {invalid}")))?;
        allowed.push(origin);
        Ok(Some(url.to_owned()))
    }

    fn tls(&self) -> Result<Option<TlsRules>, SettingsError> {
        let named =
            |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        let (name, other) = match (named(&self.tls_cert), named(&self.tls_key)) {
            (None, None) => return Ok(None),
            (Some(cert), Some(key)) => return Ok(Some(TlsRules::new(cert, key))),
            (Some(_), None) => ("tls_cert", "tls_key"),
            (None, Some(_)) => ("tls_key", "tls_cert"),
        };
        Err(SettingsError::Needs { name, other })
    }

    /// Whose tokens are accepted.
    fn set_tokens(&self, rules: &mut TokenRules) -> Result<(), SettingsError> {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        rules.key = (self.token_key.clone()).filter(|path| !path.as_os_str().is_empty());
        rules.audience = text(&self.token_audience);
        let Some(url) = text(&self.token_jwks_url) else {
            return Ok(());
        };
        let parsed: KeySetUrl =
            url.parse()
                .map_err(|error: InvalidKeySetUrl| SettingsError::Value {
                    name: "token_jwks_url",
                    value: url.clone(),
                    expected: error.to_string(),
                })?;
        // Whoever issues tokens behind such an address does so for many.
        if rules.audience.is_none() {
            return Err(SettingsError::Needs {
                name: "token_jwks_url",
                other: "token_audience",
            });
        }
        rules.key_set = Some(parsed);
        Ok(())
    }

    fn parse_proxies(&self) -> Result<TrustedProxies, SettingsError> {
        let wrong = |value: &str, expected: String| SettingsError::Value {
            name: "trusted_proxies",
            value: value.to_owned(),
            expected,
        };
        let networks = self.trusted_proxies.as_deref().unwrap_or_default();
        if networks.len() > TRUSTED_PROXIES_MAX {
            let value = format!("{} networks", networks.len());
            let expected = format!("at most {TRUSTED_PROXIES_MAX} networks");
            return Err(wrong(&value, expected));
        }
        let parse = |network: &String| {
            let parsed: Result<Network, InvalidNetwork> = network.trim().parse();
            parsed.map_err(|invalid| wrong(network, invalid.to_string()))
        };
        let networks: Result<Vec<_>, _> = networks.iter().map(parse).collect();
        networks.map(TrustedProxies::new)
    }

    /// How many connections there may be, and how much they may ask for.
    fn set_limits(&self, config: &mut Config) -> Result<(), SettingsError> {
        let limits = &mut config.connections.limits;
        set!(self.max_connections, 1..=10_000_000 => limits.total);
        set!(self.max_connections_per_address, 1..=10_000_000 => limits.per_source);
        set!(self.max_connections_per_user, 1..=1_000_000 => limits.per_user);
        limits.yields = self.yields.unwrap_or_default();
        set!(self.max_connects_per_s, 1..=1_000_000 => limits.connects_per_s);
        set!(self.max_connects_per_s_per_address, 1..=1_000_000 => limits.connects_per_s_per_source);
        set!(
            self.max_unauthenticated_per_address,
            0..=1_000_000 => limits.unauthenticated_per_source
        );
        set!(self.max_commands_per_s_per_user, 1..=1_000_000 => limits.commands_per_s_per_user);
        set!(self.max_requests_per_s_per_user, 1..=1_000_000 => limits.requests_per_s_per_user);
        set!(self.max_sign_ins_per_min_per_address, 1..=60_000 => config.accounts.sign_ins_per_source);
        set!(self.max_commands_per_s_per_board, 1..=1_000_000 => config.rooms.commands_per_s);
        let http = &mut config.http;
        set!(self.max_http_connections, 1..=1_000_000 => http.connections_max);
        set!(self.send_buffer_bytes, 4_096..=GIB => http.send_buffer_bytes);

        let session = &mut config.connections.session;
        set!(self.max_boards_per_connection, 1..=100_000 => session.boards_max);
        set!(self.max_messages_per_s, 1..=1_000_000 => session.messages_per_s);
        set!(self.max_messages_burst, 1..=1_000_000 => session.messages_burst);
        let sizes = SIZE_MIN_BYTES..=u64::try_from(MESSAGE_MAX_BYTES).unwrap_or(u64::MAX);
        set!(self.max_message_bytes, sizes.clone() => session.message_max_bytes);
        set!(self.max_frame_bytes, sizes => session.frame_max_bytes);
        Ok(())
    }

    /// How connections live, and what may wait for them.
    fn set_connections(&self, config: &mut Config) -> Result<(), SettingsError> {
        let beat = &mut config.connections.heartbeat;
        set!(self.ping_every_ms, 100..=DAY_MS => beat.ping_every_ms);
        set!(self.pong_within_ms, 100..=DAY_MS => beat.pong_within_ms);
        set!(self.hello_within_ms, 100..=DAY_MS => beat.hello_within_ms);
        set!(self.write_stall_ms, 100..=DAY_MS => beat.write_stall_ms);
        let ping_ms = u32::try_from(beat.ping_every_ms).unwrap_or(u32::MAX);
        config.connections.session.ping_ms = ping_ms;

        let outbox = &mut config.connections.outbox;
        set!(self.outbox_soft_bytes, SIZE_MIN_BYTES..=GIB => outbox.soft_bytes);
        set!(self.outbox_hard_bytes, SIZE_MIN_BYTES..=GIB => outbox.hard_bytes);
        if outbox.hard_bytes <= outbox.soft_bytes {
            return Err(SettingsError::Order {
                larger: "outbox_hard_bytes",
                smaller: "outbox_soft_bytes",
            });
        }
        let drain = &mut config.drain;
        set!(self.drain_ms, 0..=DAY_MS => drain.drain_ms);
        set!(self.return_window_ms, 0..=DAY_MS => drain.return_window_ms);
        Ok(())
    }

    /// What boards hold in memory and on disk.
    fn set_boards(&self, config: &mut Config) -> Result<(), SettingsError> {
        let rooms = &mut config.rooms;
        set!(self.loaded_bytes, 1_024 * 1_024..=1_024 * GIB => rooms.loaded_bytes);
        set!(self.board_inbox, 1..=1_000_000 => rooms.inbox);
        set!(self.recent_versions, 1..=1_000_000 => rooms.recent_versions);
        set!(self.recent_bytes, SIZE_MIN_BYTES..=GIB => rooms.recent_bytes);
        let retention = &mut config.retention;
        let mut keep_days = retention.keep_ms / DAY_MS;
        set!(self.keep_days, 0..=36_500 => keep_days);
        retention.keep_ms = keep_days * DAY_MS;
        set!(self.keep_versions, 0..=1_000_000_000 => retention.keep_versions);
        set!(self.journal_versions, 1..=10_000_000 => config.journal_versions);
        set!(self.journal_bytes, SIZE_MIN_BYTES..=GIB => config.journal_bytes);
        set!(self.import_max_bytes, 1_024..=1_024 * GIB => config.import_max_bytes);
        set!(self.restore_max_bytes, 1_024..=1_024 * GIB => config.restore_max_bytes);
        Ok(())
    }

    fn backups(&self) -> Result<Option<BackupRules>, SettingsError> {
        let dir = self.backup_dir.clone().unwrap_or_default();
        let mut rules = BackupRules::new(dir);
        let mut hours = rules.every_ms / HOUR_MS;
        set!(self.backup_every_hours, 1..=8_784 => hours);
        rules.every_ms = hours * HOUR_MS;
        set!(self.backup_keep, 1..=10_000 => rules.keep);
        Ok((!rules.dir.as_os_str().is_empty()).then_some(rules))
    }

    /// What files on cards take.
    fn set_attachments(&self, config: &mut Config) -> Result<(), SettingsError> {
        let rules = &mut config.attachments;
        let largest = match config.files {
            FilesPlace::Directory => 1_024 * GIB,
            FilesPlace::Bucket(_) => BucketRules::FILE_MAX_BYTES,
        };
        set!(self.attachment_max_bytes, 1_024..=largest => rules.max_bytes);
        set!(self.attachment_board_bytes, 0..=1_048_576 * GIB => rules.quota.board_bytes);
        set!(self.attachment_bytes, 0..=1_048_576 * GIB => rules.quota.server_bytes);
        set!(self.max_uploads, 1..=10_000 => rules.uploads);
        set!(self.max_uploads_per_user, 1..=10_000 => rules.uploads_per_user);
        let mut days = rules.grace_ms / DAY_MS;
        set!(self.keep_files_days, 0..=36_500 => days);
        rules.grace_ms = days * DAY_MS;
        Ok(())
    }
}

pub(super) fn set<T: TryFrom<u64>>(
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

fn parse_origin(name: &'static str, origin: &str) -> Result<Origin, SettingsError> {
    origin.trim().parse().map_err(|_| SettingsError::Value {
        name,
        value: origin.to_owned(),
        expected: "https://HOST or https://HOST:PORT, without a path".to_owned(),
    })
}
