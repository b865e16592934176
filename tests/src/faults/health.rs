//! What the server says of itself.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;
use tokio::time::Instant;

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Time between two questions.
const LOOK: Duration = Duration::from_millis(20);

/// An answer of `/readyz` or `/healthz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The status of the response.
    pub code: u16,
    /// `ready`, `degraded`...
    pub status: String,
    /// Why; empty where all is well.
    pub reason: String,
}

/// Asks once.
///
/// # Errors
/// Nobody answers.
pub async fn ask(address: SocketAddr, path: &str) -> anyhow::Result<Health> {
    let url = format!("http://{address}{path}");
    tokio::task::spawn_blocking(move || {
        let mut answer = ureq::get(&url)
            .config()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER))
            .build()
            .call()?;
        let code = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Ok(Health {
            code,
            status: text("status"),
            reason: text("reason"),
        })
    })
    .await?
}

/// Asks `/readyz` until the status is `wanted`.
///
/// # Errors
/// It does not become that within `patience`.
pub async fn becomes(
    address: SocketAddr,
    wanted: &str,
    patience: Duration,
) -> anyhow::Result<Health> {
    let until = Instant::now() + patience;
    loop {
        let health = ask(address, "/readyz").await?;
        if health.status == wanted {
            return Ok(health);
        }
        if Instant::now() >= until {
            bail!("the server is not {wanted} after {patience:?}: {health:?}");
        }
        tokio::time::sleep(LOOK).await;
    }
}
