//! Bounds of a room and of all rooms together.

use boardcast_protocol::limits::BATCH_MAX_BYTES;

/// Bounds of a room and of all rooms together. Each has a named consequence (rule R8).
#[derive(Clone, Copy, Debug)]
pub struct RoomLimits {
    /// Inputs that wait for a room. Full: the sender answers `busy`.
    pub inbox: usize,
    /// Commands a second over time; four times as many at once. Above it a submit is answered `busy`.
    pub commands_per_s: u32,
    /// Inputs that are handled before time and the disk are looked at again.
    pub turn_inputs: usize,
    /// Versions kept in memory for resume. Older ones are read from the log.
    pub recent_versions: usize,
    /// Bytes of encoded versions kept for resume; the newest version is kept whatever its size.
    pub recent_bytes: usize,
    /// How long versions are kept for resume, in milliseconds; a few stay longer.
    pub recent_ms: u64,
    /// Versions that a client may have missed when it resumes. Above it the client gets a snapshot.
    pub past_versions: u64,
    /// Bytes from the log that a resume may take, or as many as the board has in memory where that is
    /// more. Above it the client gets a snapshot.
    pub past_bytes: usize,
    /// Reads of the log that a room has under way. Further ones wait.
    pub past_reads: usize,
    /// Reads of the log that a room wants. Above it whoever would need another gets a snapshot.
    pub past_waiting_max: usize,
    /// A batch goes out at once when it has so many bytes, and is cut into frames of this size.
    pub batch_bytes: usize,
    /// The longest time that a version waits for others, in milliseconds (rule R7).
    pub window_max_ms: u64,
    /// The shared snapshot is made anew when the versions since have more bytes than this...
    pub snapshot_tail_bytes: usize,
    /// ... or are more than this.
    pub snapshot_tail_versions: usize,
    /// Bytes from the ring or the log that a subscriber that was left behind gets at a time.
    pub catch_up_bytes: usize,
    /// Submits of connections without subscription that wait to hear that they are durable. Full:
    /// such a submit is answered `busy`.
    pub waiting_max: usize,
    /// Subscribers that are served before others get the thread (rule R7).
    pub pushes_per_slice: usize,
    /// Bytes that are written to subscribers before others get the thread.
    pub bytes_per_slice: usize,
    /// After so many slices the journal gets its part of what is sent: it takes its part of the
    /// processor, so the first subscribers are served before it.
    pub slices_before_journal: usize,
    /// Clients in a room's memory. Above it those that were silent longest leave it; each is read
    /// from the disk when it comes again.
    pub clients_max: usize,
    /// When a client may send a refused submit again, in milliseconds.
    pub retry_ms: u32,
    /// How long rows wait to be written behind, in milliseconds.
    pub rows_after_ms: u64,
    /// How long rows that are due wait further while the processor is full, in milliseconds: what
    /// many versions change is written once.
    pub rows_late_ms: u64,
    /// Pairs of card and version above which rows do not wait further.
    pub rows_late_touched: usize,
    /// Pairs of card and version that rows hold at most. Above it, which takes a journal that has no
    /// place for rows, submits are answered `busy`.
    pub rows_touched_max: usize,
    /// How long a durable version waits for a batch before it is told by itself, in milliseconds.
    pub durable_after_ms: u64,
    /// A room with nobody on it and nothing to write sleeps after so long, in milliseconds.
    pub sleep_after_ms: u64,
    /// Bytes of all loaded boards. Above it idle rooms sleep; if none can, opening answers `busy`.
    pub loaded_bytes: usize,
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            inbox: 1_024,
            commands_per_s: 10_000,
            turn_inputs: 256,
            recent_versions: 4_096,
            recent_bytes: 2 * 1_024 * 1_024,
            recent_ms: 60_000,
            past_versions: 20_000,
            past_bytes: 4 * 1_024 * 1_024,
            past_reads: 2,
            past_waiting_max: 64,
            batch_bytes: BATCH_MAX_BYTES,
            window_max_ms: 40,
            snapshot_tail_bytes: 64 * 1_024,
            snapshot_tail_versions: 512,
            catch_up_bytes: 128 * 1_024,
            waiting_max: 4_096,
            pushes_per_slice: 64,
            bytes_per_slice: 128 * 1_024,
            slices_before_journal: 16,
            clients_max: 20_000,
            retry_ms: 250,
            rows_after_ms: 1_000,
            rows_late_ms: 4_000,
            rows_late_touched: 2_048,
            rows_touched_max: 131_072,
            durable_after_ms: 250,
            sleep_after_ms: 60_000,
            loaded_bytes: 512 * 1_024 * 1_024,
        }
    }
}
