//! A server from start to stop.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::{AccountError, Accounts, OneTimeLink};
use crate::attachments::Attachments;
use crate::auth::{Keeper, KeyError, Tokens};
use crate::backups::{BackupReport, back_up_now_and_then};
use crate::behind::write_behind;
use crate::clock;
use crate::config::Config;
use crate::connection::{Services, sweep};
use crate::http::base::Base;
use crate::http::cookie::SessionCookie;
use crate::http::tls::{Tls, TlsError};
use crate::http::{self, App, Bounds, ImportRules, RestoreRules, listen};
use crate::room::Rooms;
use crate::sharing::Sharing;
use crate::shutdown::{DrainRules, Running, drain};
use crate::storage::{AuditEntry, Storage, StorageError, StorageOptions};
use crate::upkeep::upkeep;

/// Why a server cannot start, or did not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Storage: the data directory is in use or cannot be written, the database is newer...
    #[error("failed to {0}")]
    Storage(#[from] StorageError),
    /// A key that tokens are signed or verified with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Who has an account cannot be read or written.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// The certificate or its key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The listener has no address.
    #[error("failed to listen: {0}")]
    Listener(#[from] std::io::Error),
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    tokens: Tokens,
    accounts: Arc<Accounts>,
    first_start: Option<OneTimeLink>,
    attachments: Arc<Attachments>,
    running: Running,
    drain: DrainRules,
    restart: CancellationToken,
    restored: Arc<OnceLock<AuditEntry>>,
}

/// Runs a server on `listener` until `shutdown`, then stops it in order. A restore stops it as well,
/// and starts it again on the same listener: meanwhile connections wait to be accepted. `ready` is
/// called after each start.
///
/// # Errors
/// It cannot start, or not everything was written when it stopped.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
    ready: impl Fn(&Server),
) -> Result<(), ServeError> {
    let listener = listener.into_std()?;
    let mut restored: Option<AuditEntry> = None;
    loop {
        let socket = TcpListener::from_std(listener.try_clone()?)?;
        let server = Server::start(config.clone(), socket).await?;
        if let Some(entry) = restored.take() {
            server.services().storage.audit(entry);
        }
        ready(&server);
        let stopped = tokio::select! {
            () = shutdown.cancelled() => true,
            () = server.restart_asked() => false,
        };
        if stopped {
            // Nobody is to wait for a server that does not come back.
            drop(listener);
            return server.stop().await;
        }
        restored = server.restored.get().cloned();
        server.stop().await?;
    }
}

impl Server {
    /// Opens storage and serves on `listener`.
    ///
    /// # Errors
    /// The data directory cannot be used.
    pub async fn start(config: Config, listener: TcpListener) -> Result<Self, ServeError> {
        let address = listener.local_addr()?;
        let tls = match config.tls {
            Some(rules) => Some(Tls::load(rules).await?),
            None => None,
        };
        let storage = Storage::open(StorageOptions {
            journal_max_versions: config.journal_versions,
            journal_max_bytes: config.journal_bytes,
            files: Some(config.files),
            #[cfg(feature = "planted-faults")]
            planted: config.planted,
            ..StorageOptions::new(&config.data_dir)
        })
        .await?;
        let (tokens, keys) = Keeper::load(&config.data_dir, config.tokens)?;
        for user in storage.disabled_users().await? {
            tokens.set_disabled(user, true);
        }
        let accounts = Arc::new(Accounts::new(storage.clone(), &config.accounts));
        let first_start = accounts.first_start(clock::now()).await?;
        let rooms = Rooms::new(storage.clone(), config.rooms);
        let services = Arc::new(Services::new(
            rooms,
            storage.clone(),
            tokens.clone(),
            config.connections,
        ));

        let attachments = Arc::new(Attachments::new(storage.clone(), config.attachments));
        let stop = CancellationToken::new();
        let restart = CancellationToken::new();
        let restored = Arc::default();
        let tasks = TaskTracker::new();
        let pause = Duration::from_millis(config.http.body_pause_ms);
        let backups = BackupReport::default();
        let base = Base::of_url(config.public_url.as_deref().unwrap_or_default());
        let router = http::router(App {
            services: Arc::clone(&services),
            accounts: Arc::clone(&accounts),
            sharing: Sharing::new(services.rooms.clone(), storage.clone()),
            attachments: Arc::clone(&attachments),
            cookie: SessionCookie::new(&config.allowed_origins, base.clone()),
            base,
            public_url: config.public_url.map(Arc::from),
            allowed_origins: config.allowed_origins.into(),
            backups: backups.clone(),
            imports: ImportRules::new(
                config.data_dir.clone(),
                Bounds {
                    max_bytes: config.import_max_bytes,
                    pause,
                },
            ),
            restores: RestoreRules {
                dir: config.data_dir,
                bounds: Bounds {
                    max_bytes: config.restore_max_bytes,
                    pause,
                },
                restart: restart.clone(),
                restored: Arc::clone(&restored),
            },
            settings: config.settings.into(),
        });
        if let Some(rules) = config.backups {
            let (storage, stop) = (storage.clone(), stop.clone());
            tokio::spawn(back_up_now_and_then(storage, rules, backups, stop));
        }
        let (tls, keeper) = tls.unzip();
        if let Some(keeper) = keeper {
            tokio::spawn(keeper.keep(config.reload.clone(), stop.clone()));
        }
        tokio::spawn(keys.keep(config.reload, stop.clone()));
        let listener = tokio::spawn(listen::listen(
            (listener, tls),
            router,
            config.http,
            (tasks.clone(), Arc::clone(&services.refusals)),
            stop.clone(),
        ));
        let sweeper = tokio::spawn(sweep::sweep(Arc::clone(&services), stop.clone()));
        let behind = tokio::spawn(write_behind(Arc::clone(&services), stop.clone()));
        let upkeep = tokio::spawn(upkeep(
            services.rooms.clone(),
            storage,
            config.retention,
            Arc::clone(&attachments),
            stop.clone(),
        ));
        Ok(Self {
            address,
            tokens,
            accounts,
            first_start,
            attachments,
            running: Running {
                services,
                listener,
                sweeper,
                upkeep,
                behind,
                http: tasks,
                stop,
            },
            drain: config.drain,
            restart,
            restored,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Signs tokens that it accepts.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The accounts of its people.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The link that makes the first administrator; `None` where it had one when it started.
    pub fn first_start(&self) -> Option<&OneTimeLink> {
        self.first_start.as_ref()
    }

    /// The files on its cards.
    pub fn attachments(&self) -> &Arc<Attachments> {
        &self.attachments
    }

    /// What its connections share.
    pub fn services(&self) -> &Arc<Services> {
        &self.running.services
    }

    /// Resolves when a backup is staged: to be stopped, and started again, which puts it in place.
    pub async fn restart_asked(&self) {
        self.restart.cancelled().await;
    }

    /// Stops it in order: see `shutdown`.
    ///
    /// # Errors
    /// Not everything was written.
    pub async fn stop(self) -> Result<(), ServeError> {
        Ok(drain(self.running, self.drain).await?)
    }
}
