//! How the server stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use boardcast_protocol::close::CloseCode;
use boardcast_protocol::codec::encode;
use boardcast_protocol::message::{Goodbye, ServerMessage};

use crate::connection::Services;
use crate::frame;
use crate::storage::StorageError;

/// How long stopping may take.
#[derive(Clone, Copy, Debug)]
pub struct DrainRules {
    /// Time for clients to take what waits for them and to close; then their sockets are dropped.
    pub drain_ms: u64,
    /// Clients are told to come back at a random moment within this time.
    pub return_window_ms: u32,
}

impl Default for DrainRules {
    fn default() -> Self {
        Self {
            drain_ms: 10_000,
            return_window_ms: 5_000,
        }
    }
}

/// Time for sockets that were dropped to leave their rooms.
const DROPPED: Duration = Duration::from_secs(1);

/// Everything that runs besides the connections.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) services: Arc<Services>,
    pub(crate) listener: JoinHandle<()>,
    pub(crate) sweeper: JoinHandle<()>,
    pub(crate) upkeep: JoinHandle<()>,
    /// Connections that are not WebSockets.
    pub(crate) http: TaskTracker,
    /// Ends listener, sweeper, upkeep and idle HTTP connections.
    pub(crate) stop: CancellationToken,
}

/// The drain order.
///
/// 1. `/readyz` says 503, upgrades are refused, nothing more is accepted.
/// 2. Every client is told `goodbye` with the time to come back, and closed with 1012.
/// 3. Their connections end, or are dropped when the time is over.
/// 4. The rooms hand everything to the journal and end.
/// 5. The journal writes everything and marks the stop as clean.
///
/// # Errors
/// Not everything was written.
pub(crate) async fn drain(running: Running, rules: DrainRules) -> Result<(), StorageError> {
    let Running {
        services,
        listener,
        sweeper,
        upkeep,
        http,
        stop,
    } = running;
    let connections = services.connections.count();
    tracing::info!(connections, "stopping");
    services.begin_draining();
    stop.cancel();
    let _ = listener.await;
    let _ = sweeper.await;
    let _ = upkeep.await;

    say_goodbye(&services, rules.return_window_ms);
    services.tasks.close();
    http.close();
    let ended = async {
        http.wait().await;
        services.tasks.wait().await;
    };
    if timeout(Duration::from_millis(rules.drain_ms), ended)
        .await
        .is_err()
    {
        let left = services.connections.count();
        tracing::warn!(
            connections = left,
            "dropping connections that did not end in time"
        );
        (services.connections).for_each(|c| c.drop_socket(CloseCode::ServiceRestart));
        let _ = timeout(DROPPED, services.tasks.wait()).await;
    }

    services.rooms.stop().await;
    services.storage.close().await?;
    tracing::info!("stopped");
    Ok(())
}

fn say_goodbye(services: &Services, return_window_ms: u32) {
    let code = CloseCode::ServiceRestart;
    services.connections.for_each(|connection| {
        let goodbye = ServerMessage::Goodbye(Goodbye {
            code: code.code(),
            retry_ms: rand::random_range(0..=return_window_ms),
        });
        let _ = connection
            .outbox
            .push_answer(frame::text(&encode(&goodbye)));
        connection.outbox.close(code);
    });
}
