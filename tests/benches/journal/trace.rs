//! What the journal did, step by step, as it tells at the level `TRACE`.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Version;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The module whose events are recorded.
pub(crate) const TARGET: &str = "boardcast::storage::journal";

/// One transaction, or a checkpoint.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Group {
        versions: usize,
        duration_us: u64,
    },
    Rows {
        heads: Vec<(BoardId, Version)>,
        duration_us: u64,
    },
    Checkpoint {
        wal_bytes: u64,
        duration_us: u64,
    },
}

/// Records steps.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<Step>>>);

impl Trace {
    /// The steps since the last call.
    pub(crate) fn take(&self) -> Vec<Step> {
        std::mem::take(&mut self.0.lock().expect("not poisoned"))
    }
}

impl<S: Subscriber> Layer<S> for Trace {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let duration_us = fields.duration_us;
        let step = if let Some(versions) = fields.versions {
            Step::Group {
                versions: usize::try_from(versions).expect("a count"),
                duration_us,
            }
        } else if let Some(heads) = fields.heads {
            Step::Rows { heads, duration_us }
        } else if let Some(wal_bytes) = fields.wal_bytes {
            Step::Checkpoint {
                wal_bytes,
                duration_us,
            }
        } else {
            return;
        };
        self.0.lock().expect("not poisoned").push(step);
    }
}

#[derive(Default)]
struct Fields {
    versions: Option<u64>,
    heads: Option<Vec<(BoardId, Version)>>,
    wal_bytes: Option<u64>,
    duration_us: u64,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "versions" => self.versions = Some(value),
            "wal_bytes" => self.wal_bytes = Some(value),
            "duration_us" => self.duration_us = value,
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "boards" {
            let heads = format!("{value:?}");
            self.heads = heads.split_whitespace().map(head).collect();
        }
    }
}

fn head(text: &str) -> Option<(BoardId, Version)> {
    let (board, version) = text.split_once('@')?;
    Some((board.parse().ok()?, Version(version.parse().ok()?)))
}
