//! What handlers note in the audit log.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::App;
use super::peer::Peer;
use super::problem::Problem;
use crate::clock;
use crate::storage::{AuditAct, AuditEntry, Storage};

/// The way into the audit log for one request.
pub(super) struct Trail {
    storage: Storage,
    address: IpAddr,
}

impl FromRequestParts<App> for Trail {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self {
            storage: app.services.storage.clone(),
            address: Peer::from_request_parts(parts, app).await?.ip(),
        })
    }
}

impl Trail {
    /// An entry of this moment, from where the request comes.
    pub(super) fn entry(&self, act: AuditAct) -> AuditEntry {
        AuditEntry {
            address: Some(self.address.to_string()),
            ..AuditEntry::new(act, clock::now())
        }
    }

    /// Notes it; nobody waits until it is written.
    pub(super) fn note(&self, entry: AuditEntry) {
        self.storage.audit(entry);
    }
}
