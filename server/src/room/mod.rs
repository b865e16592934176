//! One room for each open board: the only writer of that board (rule R1).

mod answers;
mod clients;
mod core;
mod direct;
mod encoded;
mod entry;
mod feed;
mod handle;
mod input;
mod limits;
mod load;
mod outbox;
mod place;
mod presence;
mod recent;
mod registry;
mod stats;
mod subscriber;
mod task;
#[cfg(test)]
mod tests;
mod timing;

pub use answers::no_such_board;
pub use direct::DirectWrite;
pub use handle::RoomHandle;
pub use input::{
    Answer, Change, Condition, ConnId, Decided, Deletion, DeletionRefused, Import, ImportRefused,
    ImportReport, Joining, Look, Origin, Request, RequestRefused, RoomInput, See, Sight,
    Submission, Viewed,
};
pub use limits::RoomLimits;
pub use load::BoardLoad;
pub use outbox::{Codec, Frame, Outbox, OutboxLimits, Pushed};
pub use registry::{Inboxes, Loaded, OpenError, Rooms};
pub use stats::{RoomSizes, RoomStats};
