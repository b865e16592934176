//! What is written behind because nobody waits for it: when tokens were used last, the audit log.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::connection::Services;

/// How long what comes waits for company.
const GATHER: Duration = Duration::from_secs(1);

/// Writes what has gathered, again and again until `stop`. What comes behind that is
/// [written](write) when nobody works any more.
pub(crate) async fn write_behind(services: Arc<Services>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(GATHER) => {}
        }
        write(&services).await;
    }
}

/// Writes what has gathered. What cannot be written waits on, within its bound.
pub(crate) async fn write(services: &Services) {
    if let Err(error) = services.api_tokens.write_uses().await {
        tracing::warn!(%error, "failed to note when tokens were used; it is tried again");
    }
    if let Err(error) = services.storage.write_audit(clock::now()).await {
        tracing::warn!(%error, "failed to write the audit log; it is tried again");
    }
}
