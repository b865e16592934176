//! What a run prints.

use serde::Serialize;

use crate::args::RunArgs;
use crate::fleet::Connecting;
use crate::procfs::Memory;
use crate::step::StepReport;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) loads: Vec<String>,
    pub(crate) payload: usize,
    pub(crate) objective_ms: f64,
    pub(crate) connections: usize,
    pub(crate) connecting: Connecting,
    /// Boards that were opened, and left again, before memory was looked at.
    pub(crate) boards_opened: u32,
    /// Without connections, with all of them, and at the end.
    pub(crate) before: Memory,
    pub(crate) connected: Memory,
    pub(crate) end: Memory,
    pub(crate) idle_cpu_percent: Option<f64>,
    pub(crate) disconnected: usize,
    pub(crate) reconnects: u32,
    /// The fixed step, or the one that confirmed what a search found.
    pub(crate) best: Option<StepReport>,
    pub(crate) steps: Vec<StepReport>,
}

impl Report {
    pub(crate) fn new(args: &RunArgs) -> Self {
        Self {
            loads: args.loads.iter().map(ToString::to_string).collect(),
            payload: args.payload,
            objective_ms: args.objective_ms,
            connections: 0,
            connecting: Connecting::default(),
            boards_opened: 0,
            before: Memory::default(),
            connected: Memory::default(),
            end: Memory::default(),
            idle_cpu_percent: None,
            disconnected: 0,
            reconnects: 0,
            best: None,
            steps: Vec::new(),
        }
    }
}
