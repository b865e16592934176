//! The settings that a configuration comes from: the way back of [`Settings::into_config`].

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::{Config, Settings};
use crate::backups::BackupRules;
use crate::files::{BucketRules, FilesPlace};
use crate::http::tls::TlsRules;

/// A setting as it is in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InForce {
    /// Its name, as in the file.
    pub name: String,
    /// A number, a text or a list of texts; empty where there is none.
    pub value: Value,
    /// Where it comes from: `flag`, `environment`, `file` or `default`.
    pub from: &'static str,
}

/// Where to listen, unless told otherwise.
pub(super) const LISTEN: &str = "127.0.0.1:8080";

const HOUR_MS: u64 = 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * HOUR_MS;

impl Settings {
    /// All settings, as `given` where it says something, else as they are in `config`, which was made
    /// of it.
    pub fn in_force(given: Self, config: &Config) -> Self {
        let limits = &config.connections.limits;
        let session = &config.connections.session;
        let beat = &config.connections.heartbeat;
        let outbox = &config.connections.outbox;
        let rooms = &config.rooms;
        let retention = &config.retention;
        let files = &config.attachments;
        let tls = |path: fn(&TlsRules) -> &PathBuf| {
            Some(config.tls.as_ref().map(path).cloned().unwrap_or_default())
        };
        let none = BackupRules::new(PathBuf::new());
        let backups = config.backups.as_ref().unwrap_or(&none);
        let bucket = bucket(&config.files);
        given.over(Self {
            listen: Some(LISTEN.to_owned()),
            data_dir: Some(config.data_dir.clone()),
            public_url: Some(config.public_url.clone().unwrap_or_default()),
            tls_cert: tls(|rules| &rules.cert),
            tls_key: tls(|rules| &rules.key),
            token_key: Some(config.tokens.key.clone().unwrap_or_default()),
            token_jwks_url: Some(
                config
                    .tokens
                    .key_set
                    .as_ref()
                    .map_or(String::new(), ToString::to_string),
            ),
            token_audience: Some(config.tokens.audience.clone().unwrap_or_default()),
            allowed_origins: Some(Vec::new()),
            trusted_proxies: Some(Vec::new()),
            max_connections: number(limits.total),
            max_connections_per_address: number(limits.per_source),
            max_connections_per_user: number(limits.per_user),
            yields: Some(limits.yields),
            max_connects_per_s: number(limits.connects_per_s),
            max_connects_per_s_per_address: number(limits.connects_per_s_per_source),
            max_unauthenticated_per_address: number(limits.unauthenticated_per_source),
            max_http_connections: number(config.http.connections_max),
            max_boards_per_connection: number(session.boards_max),
            max_messages_per_s: number(session.messages_per_s),
            max_messages_burst: number(session.messages_burst),
            max_commands_per_s_per_user: number(limits.commands_per_s_per_user),
            max_requests_per_s_per_user: number(limits.requests_per_s_per_user),
            max_commands_per_s_per_board: number(rooms.commands_per_s),
            max_sign_ins_per_min_per_address: number(config.accounts.sign_ins_per_source),
            max_message_bytes: number(session.message_max_bytes),
            max_frame_bytes: number(session.frame_max_bytes),
            ping_every_ms: number(beat.ping_every_ms),
            pong_within_ms: number(beat.pong_within_ms),
            hello_within_ms: number(beat.hello_within_ms),
            write_stall_ms: number(beat.write_stall_ms),
            outbox_soft_bytes: number(outbox.soft_bytes),
            outbox_hard_bytes: number(outbox.hard_bytes),
            send_buffer_bytes: number(config.http.send_buffer_bytes),
            board_inbox: number(rooms.inbox),
            recent_versions: number(rooms.recent_versions),
            recent_bytes: number(rooms.recent_bytes),
            journal_versions: number(config.journal_versions),
            journal_bytes: number(config.journal_bytes),
            loaded_bytes: number(rooms.loaded_bytes),
            keep_days: number(retention.keep_ms / DAY_MS),
            keep_versions: number(retention.keep_versions),
            import_max_bytes: number(config.import_max_bytes),
            attachment_max_bytes: number(files.max_bytes),
            attachment_board_bytes: number(files.quota.board_bytes),
            attachment_bytes: number(files.quota.server_bytes),
            max_uploads: number(files.uploads),
            max_uploads_per_user: number(files.uploads_per_user),
            keep_files_days: number(files.grace_ms / DAY_MS),
            s3_bucket: Some(bucket.bucket),
            s3_endpoint: Some(bucket.endpoint),
            s3_region: Some(bucket.region),
            s3_prefix: Some(bucket.prefix),
            s3_key: Some(bucket.key.unwrap_or_default()),
            s3_ca: Some(bucket.ca.unwrap_or_default()),
            s3_virtual_hosts: Some(bucket.virtual_hosts),
            s3_plain_http: Some(false),
            s3_timeout_ms: number(bucket.timeout.as_millis()),
            restore_max_bytes: number(config.restore_max_bytes),
            backup_dir: Some(backups.dir.clone()),
            backup_every_hours: number(backups.every_ms / HOUR_MS),
            backup_keep: number(backups.keep),
            drain_ms: number(config.drain.drain_ms),
            return_window_ms: number(config.drain.return_window_ms),
            log_format: Some(config.log_format),
            log: Some(config.log_filter.clone()),
        })
    }
}

/// The bucket, or the defaults of one without a name.
fn bucket(files: &FilesPlace) -> BucketRules {
    match files {
        FilesPlace::Directory => BucketRules::new("", ""),
        FilesPlace::Bucket(rules) => rules.clone(),
    }
}

fn number<T: TryInto<u64>>(number: T) -> Option<u64> {
    number.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_force_makes_the_same_configuration_again() {
        let given = Settings {
            max_connections: Some(7),
            keep_days: Some(3),
            trusted_proxies: Some(vec!["::1".to_owned()]),
            ..Settings::default()
        };
        for given in [Settings::default(), given] {
            let config = given.clone().into_config().unwrap();
            let in_force = Settings::in_force(given, &config);
            let again = in_force.into_config().unwrap();
            assert_eq!(format!("{again:?}"), format!("{config:?}"));
        }
    }
}
