//! How the server stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use boardcast_protocol::close::CloseCode;

use crate::behind::write;
use crate::chance;
use crate::connection::Services;
use crate::storage::StorageError;

/// How long stopping may take.
#[derive(Clone, Copy, Debug)]
pub struct DrainRules {
    /// Time for clients to take what waits for them and to close; then their sockets are dropped.
    pub drain_ms: u64,
    /// Clients are told to come back at a random moment within this time, or within as much more as
    /// it takes to let all of them in at half the rate of [`Limits`](crate::connection::limits).
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
    pub(crate) behind: JoinHandle<()>,
    /// Connections that are not WebSockets.
    pub(crate) http: TaskTracker,
    /// Ends listener, sweeper, upkeep, what writes behind, and idle HTTP connections.
    pub(crate) stop: CancellationToken,
}

/// The drain order.
///
/// 1. `/readyz` says 503, upgrades are refused, nothing more is accepted.
/// 2. Every client is told `goodbye` with the time to come back, and closed with 1012.
/// 3. Their connections end, or are dropped when the time is over.
/// 4. The rooms hand everything to the journal and end.
/// 5. When tokens were used last is written, and the audit log.
/// 6. The journal writes everything and marks the stop as clean.
///
/// # Errors
/// Not everything was written.
pub(crate) async fn drain(running: Running, rules: DrainRules) -> Result<(), StorageError> {
    let Running {
        services,
        listener,
        sweeper,
        upkeep,
        behind,
        http,
        stop,
    } = running;
    let connections = services.connections.count();
    tracing::info!(connections, "stopping");
    let return_ms =
        (services.rules.limits.return_ms(connections)).max(rules.return_window_ms.into());
    services.begin_draining(u32::try_from(return_ms).unwrap_or(u32::MAX));
    stop.cancel();
    let _ = listener.await;
    let _ = sweeper.await;
    let _ = upkeep.await;
    let _ = behind.await;

    say_goodbye(&services, return_ms);
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
    write(&services).await;
    services.storage.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// Gives each client a moment of its own: a random one in one of as many parts of the time as there
/// are clients, so that they come back evenly and in no order that they know.
fn say_goodbye(services: &Services, return_ms: u64) {
    let count = u64::try_from(services.connections.count()).unwrap_or(u64::MAX);
    let mut at = 0;
    services.connections.for_each(|connection| {
        let begin_ms = |at: u64| return_ms.saturating_mul(at) / count.max(1);
        let (begin, end) = (begin_ms(at), begin_ms(at + 1));
        let retry_ms = begin + chance::up_to(end - begin);
        connection.say_goodbye(u32::try_from(retry_ms).unwrap_or(u32::MAX));
        at = (at + 1) % count.max(1);
    });
}
