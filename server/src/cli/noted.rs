//! What a command does beside the server, or without one, for the audit log of its data directory.

use std::path::Path;

use crate::storage::{AuditEntry, leave_note};

/// Leaves it for whoever writes the log next. It is done all the same where that fails, as on a full
/// disk, and standard error says that it is not noted.
pub(super) fn note(data_dir: &Path, entry: &AuditEntry) {
    if let Err(error) = leave_note(data_dir, entry) {
        eprintln!("boardcast: this will not be in the audit log: {error}");
    }
}
