//! What a command is about.

use super::Command;
use crate::ids::CardId;

impl Command {
    /// The card that it is about; `None` for commands about other things.
    pub fn card(&self) -> Option<CardId> {
        match self {
            Self::CardCreate { card, .. }
            | Self::CardSet { card, .. }
            | Self::CardMove { card, .. }
            | Self::CardArchive { card, .. }
            | Self::CardRemove { card }
            | Self::CardLabel { card, .. }
            | Self::CardAssign { card, .. }
            | Self::CardBlock { card, .. }
            | Self::CardField { card, .. }
            | Self::ChecklistCreate { card, .. }
            | Self::ChecklistSet { card, .. }
            | Self::ChecklistMove { card, .. }
            | Self::ChecklistRemove { card, .. }
            | Self::ItemCreate { card, .. }
            | Self::ItemSet { card, .. }
            | Self::ItemMove { card, .. }
            | Self::ItemRemove { card, .. }
            | Self::CommentCreate { card, .. }
            | Self::CommentSet { card, .. }
            | Self::CommentRemove { card, .. }
            | Self::AttachmentAdd { card, .. }
            | Self::AttachmentSet { card, .. }
            | Self::AttachmentRemove { card, .. } => Some(*card),
            Self::BoardSet { .. }
            | Self::MemberAdd { .. }
            | Self::MemberRemove { .. }
            | Self::ColumnCreate { .. }
            | Self::ColumnSet { .. }
            | Self::ColumnMove { .. }
            | Self::ColumnRemove { .. }
            | Self::LabelCreate { .. }
            | Self::LabelSet { .. }
            | Self::LabelRemove { .. }
            | Self::FieldCreate { .. }
            | Self::FieldSet { .. }
            | Self::FieldRemove { .. }
            | Self::SprintCreate { .. }
            | Self::SprintSet { .. }
            | Self::SprintRemove { .. }
            | Self::VersionUndo { .. } => None,
        }
    }
}
