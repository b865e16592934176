//! What each role may do: the one table of rights on a board (rule R10).

use super::Role;
use crate::command::Command;

/// What a command does, as far as rights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See the board, open its cards, read its activity, tell presence.
    Read,
    /// Write, change and delete comments of one's own.
    Comment,
    /// Change columns, cards, labels, fields and sprints.
    Edit,
    /// Change the board itself and its members.
    Administer,
}

impl Role {
    /// Whether the role allows the action.
    pub fn may(self, action: Action) -> bool {
        let least = match action {
            Action::Read => Self::Viewer,
            Action::Comment => Self::Commenter,
            Action::Edit => Self::Editor,
            Action::Administer => Self::Admin,
        };
        self >= least
    }
}

impl Command {
    /// The action that it needs the right to.
    pub fn action(&self) -> Action {
        match self {
            Self::BoardSet { .. } | Self::MemberAdd { .. } | Self::MemberRemove { .. } => {
                Action::Administer
            }
            Self::CommentCreate { .. } | Self::CommentSet { .. } | Self::CommentRemove { .. } => {
                Action::Comment
            }
            Self::ColumnCreate { .. }
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
            | Self::CardCreate { .. }
            | Self::CardSet { .. }
            | Self::CardMove { .. }
            | Self::CardArchive { .. }
            | Self::CardRemove { .. }
            | Self::CardLabel { .. }
            | Self::CardAssign { .. }
            | Self::CardBlock { .. }
            | Self::CardField { .. }
            | Self::ChecklistCreate { .. }
            | Self::ChecklistSet { .. }
            | Self::ChecklistMove { .. }
            | Self::ChecklistRemove { .. }
            | Self::ItemCreate { .. }
            | Self::ItemSet { .. }
            | Self::ItemMove { .. }
            | Self::ItemRemove { .. }
            | Self::AttachmentAdd { .. }
            | Self::AttachmentSet { .. }
            | Self::AttachmentRemove { .. } => Action::Edit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_what_the_one_before_it_may_and_one_thing_more() {
        let roles = [Role::Viewer, Role::Commenter, Role::Editor, Role::Admin];
        let actions = [
            Action::Read,
            Action::Comment,
            Action::Edit,
            Action::Administer,
        ];
        for (r, role) in roles.iter().enumerate() {
            for (a, action) in actions.iter().enumerate() {
                assert_eq!(role.may(*action), a <= r, "{role:?} {action:?}");
            }
        }
    }
}
