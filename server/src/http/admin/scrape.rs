//! All numbers of the server at one moment: what statistics and metrics are made of.

use crate::connection::Services;
use crate::connection::tally::Totals;
use crate::process::Usage;
use crate::room::{Inboxes, Loaded};
use crate::storage::JournalStatus;

/// The numbers that have to be gathered; the others are read where they are counted.
#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) connections: usize,
    pub(super) totals: Totals,
    pub(super) loaded: Loaded,
    pub(super) inboxes: Inboxes,
    pub(super) journal: JournalStatus,
    /// Nothing where the system does not tell.
    pub(super) process: Option<Usage>,
}

impl Scrape {
    /// Gathers them: milliseconds of work when there are thousands of connections.
    pub(super) fn of(services: &Services) -> Self {
        Self {
            connections: services.connections.count(),
            totals: services.connections.totals(),
            loaded: services.rooms.loaded(),
            inboxes: services.rooms.inboxes(),
            journal: services.storage.status(),
            process: Usage::now(),
        }
    }
}
