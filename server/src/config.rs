//! What may be configured: flags, then `BOARDCAST_*` variables, then a TOML file, then defaults.

mod bucket;
mod error;
mod in_force;
mod settings;
mod values;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

pub use error::SettingsError;
pub use in_force::InForce;
pub use settings::Settings;

use crate::accounts::AccountRules;
use crate::attachments::AttachmentRules;
use crate::auth::TokenRules;
use crate::backups::BackupRules;
use crate::connection::ConnectionRules;
use crate::files::FilesPlace;
use crate::http::listen::HttpRules;
use crate::http::origin::Origin;
use crate::http::tls::TlsRules;
use crate::reload::Reload;
use crate::room::RoomLimits;
use crate::shutdown::DrainRules;
use crate::storage::{JOURNAL_BYTES, JOURNAL_VERSIONS, Retention};
use crate::telemetry::LogFormat;

/// Everything that a server needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen: more than one address for a name that has several.
    pub listen: Vec<SocketAddr>,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where people open the server, without a slash at its end.
    pub public_url: Option<String>,
    /// Origins of pages that may connect, besides the server's own.
    pub allowed_origins: Vec<Origin>,
    /// What sockets and requests are held to.
    pub http: HttpRules,
    /// The server's own TLS; plain HTTP without.
    pub tls: Option<TlsRules>,
    /// By which it is asked to read its files again.
    pub reload: Reload,
    /// What WebSocket connections are held to.
    pub connections: ConnectionRules,
    /// Which signed tokens are accepted.
    pub tokens: TokenRules,
    /// What signing in is held to.
    pub accounts: AccountRules,
    /// Bounds of rooms.
    pub rooms: RoomLimits,
    /// Versions of all boards that may wait for the disk; above it rooms answer `busy`.
    pub journal_versions: usize,
    /// Their bytes; above it rooms answer `busy`.
    pub journal_bytes: usize,
    /// How long versions stay in the log.
    pub retention: Retention,
    /// What files on cards are held to.
    pub attachments: AttachmentRules,
    /// Where they are.
    pub files: FilesPlace,
    /// Largest file that may be imported over HTTP.
    pub import_max_bytes: u64,
    /// Largest backup that may be restored over HTTP.
    pub restore_max_bytes: u64,
    /// Backups that the server takes by itself; none without.
    pub backups: Option<BackupRules>,
    /// How long stopping may take.
    pub drain: DrainRules,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which of them there are.
    pub log_filter: String,
    /// The settings that it was made of, as administrators are told; none where it was made without.
    pub settings: Vec<InForce>,
    /// A fault to prove that tests see it.
    #[cfg(feature = "planted-faults")]
    pub planted: Option<crate::storage::PlantedFault>,
}

impl Config {
    /// The defaults, with the data in `data_dir`, on a free port of 127.0.0.1.
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            data_dir: data_dir.into(),
            public_url: None,
            allowed_origins: Vec::new(),
            http: HttpRules::default(),
            tls: None,
            reload: Reload::default(),
            connections: ConnectionRules::default(),
            tokens: TokenRules::default(),
            accounts: AccountRules::default(),
            rooms: RoomLimits::default(),
            journal_versions: JOURNAL_VERSIONS,
            journal_bytes: JOURNAL_BYTES,
            retention: Retention::default(),
            attachments: AttachmentRules::default(),
            files: FilesPlace::default(),
            import_max_bytes: 512 * 1_024 * 1_024,
            restore_max_bytes: 16 * 1_024 * 1_024 * 1_024,
            backups: None,
            drain: DrainRules::default(),
            log_format: LogFormat::default(),
            log_filter: "info".to_owned(),
            settings: Vec::new(),
            #[cfg(feature = "planted-faults")]
            planted: None,
        }
    }
}

fn resolve(listen: &str) -> Result<Vec<SocketAddr>, SettingsError> {
    let wrong = |why: String| SettingsError::Value {
        name: "listen",
        value: listen.to_owned(),
        expected: format!("HOST:PORT, such as 127.0.0.1:8080 ({why})"),
    };
    let addresses: Vec<_> = listen
        .to_socket_addrs()
        .map_err(|error| wrong(error.to_string()))?
        .collect();
    if addresses.is_empty() {
        return Err(wrong("the name has no address".to_owned()));
    }
    Ok(addresses)
}
