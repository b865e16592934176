//! What each role may do: the one table of rights on a board and on the server (rule R10).
//!
//! docs/rights.md shows it, and a test compares the page with it.

use serde::{Deserialize, Serialize};

use super::Role;
use crate::command::Command;

/// What somebody wants to do, as far as rights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See the board, open its cards, read its activity, tell presence.
    Read,
    /// Get the board as a file.
    Export,
    /// Write, change and delete comments of one's own.
    Comment,
    /// Change columns, cards, labels, fields and sprints.
    Edit,
    /// Change the board itself and its members.
    Administer,
    /// Import a file onto a board that exists.
    Import,
    /// Make, list and revoke invitations to the board.
    Invite,
    /// Make, list and revoke public links to the board.
    Share,
    /// Put the board into the bin, see it there, take it out again.
    Delete,
    /// List the boards that one may see.
    ListBoards,
    /// Make a board, empty or from a file.
    CreateBoard,
    /// Become a member by an invitation.
    AcceptInvitation,
    /// See and change what is one's own: sessions, tokens, the password.
    OwnAccount,
    /// Accounts, bots, connections, figures, the audit log, backup and restore.
    AdministerServer,
}

/// Who wants to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// Who shows no credentials.
    Nobody,
    /// Who has a public link to the board.
    Link,
    /// A user who is no member of the board.
    Stranger,
    /// A member of this role.
    Member(Role),
    /// An administrator of the server, member or not.
    Administrator,
}

/// What a token is for. A greater scope includes the lesser ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reading: at most what a viewer may.
    Read,
    /// Working on boards: at most what an editor may.
    Write,
    /// Everything that the user may, but for what is the user's own.
    Admin,
}

/// What the credentials of somebody make of the role on one board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pass {
    /// The role counts as it is.
    #[default]
    Full,
    /// The role is this one at most.
    AtMost(Role),
    /// They are a public link to the board: whoever has it is a viewer.
    Link,
    /// They are for other boards: this one does not exist.
    Closed,
}

/// Whom an action is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Members with this role at least, and administrators.
    Role(Role),
    /// Every user.
    User,
    /// Every user, but not by a token made for programs.
    Person,
    /// Administrators.
    Administrator,
}

impl Action {
    /// All actions, those on a board first.
    pub const ALL: [Self; 14] = [
        Self::Read,
        Self::Export,
        Self::Comment,
        Self::Edit,
        Self::Administer,
        Self::Import,
        Self::Invite,
        Self::Share,
        Self::Delete,
        Self::ListBoards,
        Self::CreateBoard,
        Self::AcceptInvitation,
        Self::OwnAccount,
        Self::AdministerServer,
    ];

    fn need(self) -> Need {
        match self {
            Self::Read | Self::Export => Need::Role(Role::Viewer),
            Self::Comment => Need::Role(Role::Commenter),
            Self::Edit => Need::Role(Role::Editor),
            Self::Administer | Self::Import | Self::Invite | Self::Share | Self::Delete => {
                Need::Role(Role::Admin)
            }
            Self::ListBoards | Self::CreateBoard => Need::User,
            Self::AcceptInvitation | Self::OwnAccount => Need::Person,
            Self::AdministerServer => Need::Administrator,
        }
    }

    /// Whether it is about one board.
    pub fn is_of_board(self) -> bool {
        matches!(self.need(), Need::Role(_))
    }

    /// What it is, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Read => "see the board, its cards and activity; tell presence",
            Self::Export => "get the board as a file",
            Self::Comment => "write comments, change and delete one's own",
            Self::Edit => "change columns, cards, labels, fields, sprints",
            Self::Administer => "change the board itself and its members",
            Self::Import => "import a file onto the board",
            Self::Invite => "make, list and revoke invitations",
            Self::Share => "make, list and revoke public links",
            Self::Delete => "put the board into the bin, see it there, take it out",
            Self::ListBoards => "list the boards that one may see",
            Self::CreateBoard => "make a board, empty or from a file",
            Self::AcceptInvitation => "become a member by an invitation",
            Self::OwnAccount => "see and change one's sessions, tokens, password",
            Self::AdministerServer => {
                "accounts, bots, connections, figures, audit, backup, restore"
            }
        }
    }
}

impl Who {
    /// Everybody, who may least first.
    pub const ALL: [Self; 8] = [
        Self::Nobody,
        Self::Link,
        Self::Stranger,
        Self::Member(Role::Viewer),
        Self::Member(Role::Commenter),
        Self::Member(Role::Editor),
        Self::Member(Role::Admin),
        Self::Administrator,
    ];

    /// Whether the action is allowed.
    pub fn may(self, action: Action) -> bool {
        match action.need() {
            Need::Role(least) => self.role().is_some_and(|role| role >= least),
            Need::User | Need::Person => !matches!(self, Self::Nobody | Self::Link),
            Need::Administrator => self == Self::Administrator,
        }
    }

    /// What they count as on the board.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Nobody | Self::Stranger => None,
            Self::Link => Some(Role::Viewer),
            Self::Member(role) => Some(role),
            Self::Administrator => Some(Role::Admin),
        }
    }
}

impl Role {
    /// Whether the role allows the action.
    pub fn may(self, action: Action) -> bool {
        Who::Member(self).may(action)
    }
}

impl Scope {
    /// All scopes, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Whether a token of this scope is good for the action, if its user may do it.
    pub fn may(self, action: Action) -> bool {
        match action.need() {
            Need::Role(least) => self.most() >= least,
            Need::User => action == Action::ListBoards || self >= Self::Write,
            Need::Person => false,
            Need::Administrator => self == Self::Admin,
        }
    }

    /// The role that it allows at most.
    pub fn most(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Write => Role::Editor,
            Self::Admin => Role::Admin,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl Pass {
    /// The role that comes of one's own role on the board.
    pub fn limit(self, role: Option<Role>) -> Option<Role> {
        match self {
            Self::Full => role,
            Self::AtMost(most) => role.map(|role| role.min(most)),
            Self::Link => Some(Role::Viewer),
            Self::Closed => None,
        }
    }
}

impl Command {
    /// The action that it needs the right to.
    pub fn action(&self) -> Action {
        match self {
            Self::BoardSet { .. } | Self::MemberAdd { .. } | Self::MemberRemove { .. } => {
                Action::Administer
            }
            // What the version needs is asked beside, see [`super::undo`].
            Self::CommentCreate { .. }
            | Self::CommentSet { .. }
            | Self::CommentRemove { .. }
            | Self::VersionUndo { .. } => Action::Comment,
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

    const ROLES: [Role; 4] = [Role::Viewer, Role::Commenter, Role::Editor, Role::Admin];

    #[test]
    fn each_role_may_do_what_the_one_before_it_may_and_one_thing_more() {
        let actions = [
            Action::Read,
            Action::Comment,
            Action::Edit,
            Action::Administer,
        ];
        for (r, role) in ROLES.iter().enumerate() {
            for (a, action) in actions.iter().enumerate() {
                assert_eq!(role.may(*action), a <= r, "{role:?} {action:?}");
            }
        }
    }

    #[test]
    fn a_link_shows_one_board_and_nothing_else() {
        for action in Action::ALL {
            let may = matches!(action, Action::Read | Action::Export);
            assert_eq!(Who::Link.may(action), may, "{action:?}");
            assert!(!Who::Nobody.may(action), "{action:?}");
            assert!(Who::Administrator.may(action), "{action:?}");
        }
    }

    #[test]
    fn a_scope_takes_away_and_never_gives() {
        for scope in Scope::ALL {
            assert!(!scope.may(Action::OwnAccount));
            let pass = Pass::AtMost(scope.most());
            assert_eq!(pass.limit(None), None);
            for role in ROLES {
                let limited = pass.limit(Some(role)).unwrap();
                assert!(limited <= role && limited <= scope.most());
                for action in Action::ALL.into_iter().filter(|a| a.is_of_board()) {
                    let both = role.may(action) && scope.may(action);
                    assert_eq!(limited.may(action), both, "{role:?} {scope:?} {action:?}");
                }
            }
        }
        assert_eq!(Pass::Closed.limit(Some(Role::Admin)), None);
        assert_eq!(Pass::Link.limit(None), Some(Role::Viewer));
        assert_eq!(Pass::Link.limit(Some(Role::Admin)), Some(Role::Viewer));
    }
}
