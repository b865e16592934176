//! `boardcast serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ArgMatches;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::config::{Config, Settings};
use crate::http::has_browser_client;
use crate::reload::Reload;
use crate::server::{self, Server};
use crate::telemetry;

/// All settings, as the command line, the environment and a file say them.
#[derive(Debug, clap::Args)]
pub(super) struct SettingsArgs {
    /// A TOML file with settings; flags and variables are stronger
    #[arg(long, env = "BOARDCAST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) settings: Settings,
}

impl SettingsArgs {
    /// What the file says, where one is named.
    pub(super) fn file(&self) -> Result<Settings, Failure> {
        match &self.config {
            Some(path) => Settings::from_file(path).map_err(Failure::usage),
            None => Ok(Settings::default()),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Plants a fault
    #[cfg(feature = "planted-faults")]
    #[arg(long, value_enum, hide = true)]
    plant_fault: Option<crate::storage::PlantedFault>,
}

pub(super) fn run(args: ServeArgs, matches: &ArgMatches) -> Result<(), Failure> {
    let config = super::config::read(args.settings, matches)?;
    #[cfg(feature = "planted-faults")]
    let config = Config {
        planted: args.plant_fault,
        ..config
    };
    telemetry::start(config.log_format, &config.log_filter)
        .map_err(|error| Failure::usage(format!("`log` is {:?}: {error}", config.log_filter)))?;
    let runtime = Runtime::new().map_err(Failure::failed)?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), Failure> {
    let mut signals = Signals::new().map_err(Failure::failed)?;
    let listener = bind(&config.listen).await?;
    let address = listener.local_addr().map_err(Failure::failed)?;
    if !has_browser_client() {
        tracing::info!(
            "small pages are served: the browser client was not built when this was compiled"
        );
    }
    let shutdown = CancellationToken::new();
    let reload = config.reload.clone();
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let listens_at = format!("{scheme}://{address}");
    let opened_at = (config.public_url.clone()).unwrap_or_else(|| listens_at.clone());
    let ready = |server: &Server| {
        if let Some(link) = server.first_start() {
            let path = link.path();
            eprintln!(
                "there is no administrator; open this link once, within a day, to make one: \
                 {opened_at}{path}"
            );
        }
        eprintln!("listening on {listens_at}");
    };
    let served = server::serve(config, listener, shutdown.clone(), ready);
    let mut served = std::pin::pin!(served);
    tokio::select! {
        ended = served.as_mut() => return ended.map_err(Failure::failed),
        () = signals.next(&reload) => shutdown.cancel(),
    }
    tokio::select! {
        ended = served => ended.map_err(Failure::failed),
        () = signals.next(&reload) => {
            Err(Failure::failed("stopped at once by a second signal; not everything may be saved"))
        }
    }
}

async fn bind(addresses: &[SocketAddr]) -> Result<TcpListener, Failure> {
    TcpListener::bind(addresses).await.map_err(|error| {
        let address = match addresses {
            [address] => address.to_string(),
            _ => format!("any of {addresses:?}"),
        };
        let advice = advice(error.kind());
        if advice.is_empty() {
            Failure::failed(format!("failed to listen on {address}: {error}"))
        } else {
            Failure::failed(format!("failed to listen on {address}{advice}"))
        }
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other errors speak for themselves"
)]
fn advice(kind: std::io::ErrorKind) -> &'static str {
    match kind {
        std::io::ErrorKind::AddrInUse => {
            ": the port is in use; stop the other program or choose another with --listen"
        }
        std::io::ErrorKind::PermissionDenied => {
            ": not permitted; choose a port above 1023 with --listen"
        }
        std::io::ErrorKind::AddrNotAvailable => {
            ": this machine does not have the address; choose another with --listen"
        }
        _ => "",
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Resolves when the server is to stop; what it is asked to read again meanwhile, it reads.
    async fn next(&mut self, reload: &Reload) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload.ask(),
            }
        }
    }
}
