//! One room for each open board: the only writer of that board (rule R1).

mod handle;
mod input;
mod outbox;

pub use handle::RoomHandle;
pub use input::{Answer, ConnId, Import, ImportReport, Joining, Origin, RoomInput, Submission};
pub use outbox::{Codec, Frame, Outbox, OutboxLimits, Pushed};
