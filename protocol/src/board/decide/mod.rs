//! Decides what a command becomes. Nothing is changed here: `apply` assigns what comes out.

mod boards;
mod cards;
pub(super) mod check;
mod checklists;
mod columns;
pub(super) mod details;
mod links;
mod placing;
pub(super) mod tags;

pub use boards::title_of_new_board;

use super::{Action, Board, Card, Pass, Reason, Rejection, Role};
use crate::command::Command;
use crate::event::{CardPatch, Event};
use crate::ids::{AnyId, CardId, UserId};
use crate::limits::BURIED_MAX;
use crate::position::Timestamp;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user.
    pub user: UserId,
    /// Whether the user administers the server: such a user counts as admin of every board.
    pub admin: bool,
    /// What the credentials of the user make of the role on the board that this is about.
    pub pass: Pass,
}

impl Actor {
    /// A user whose credentials take nothing away.
    pub fn new(user: UserId, admin: bool) -> Self {
        Self {
            user,
            admin,
            pass: Pass::Full,
        }
    }
}

impl Board {
    /// The role of an actor at this moment; `None` for a stranger.
    pub fn role_of(&self, actor: &Actor) -> Option<Role> {
        let role = match actor.admin {
            true => Some(Role::Admin),
            false => (self.view().members.get(&actor.user)).map(|member| member.role),
        };
        actor.pass.limit(role)
    }
}

/// The events that the command becomes; none when it would change nothing.
///
/// # Errors
/// The command is not allowed, or does not fit the board.
pub fn decide(
    board: &Board,
    actor: &Actor,
    command: &Command,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let Some(role) = board.role_of(actor) else {
        return Err(Rejection::new(
            Reason::Forbidden,
            "you are not a member of this board",
        ));
    };
    let action = command.action();
    if !role.may(action) {
        let hint = format!("the role {role} may not do this; ask an admin of the board");
        return Err(Rejection::new(Reason::Forbidden, hint));
    }
    if board.view().archived && action != Action::Administer {
        return Err(Rejection::archived());
    }
    rules(board, actor, role, now).dispatch(command)
}

/// The rules about single things, for what does not come of a command.
pub(super) fn rules<'a>(
    board: &'a Board,
    actor: &Actor,
    role: Role,
    now: Timestamp,
) -> Deciding<'a> {
    Deciding {
        board,
        user: actor.user,
        role,
        now,
    }
}

pub(super) type Decision = Result<Vec<Event>, Rejection>;

/// One command on its way through the rules.
pub(super) struct Deciding<'a> {
    board: &'a Board,
    user: UserId,
    role: Role,
    now: Timestamp,
}

impl Deciding<'_> {
    fn dispatch(&self, command: &Command) -> Decision {
        use Command as C;
        match command {
            C::BoardSet {
                title,
                background,
                archived,
            } => self.board_set(title.as_deref(), background.as_ref(), *archived),
            C::MemberAdd { user, name, role } => self.member_add(*user, name.as_deref(), *role),
            C::MemberRemove { user } => self.member_remove(*user),
            C::ColumnCreate {
                column,
                title,
                wip,
                done,
                place,
            } => self.column_create(*column, title, *wip, *done, *place),
            C::ColumnSet {
                column,
                title,
                wip,
                done,
                archived,
            } => self.column_set(*column, title.as_deref(), *wip, *done, *archived),
            C::ColumnMove { column, place } => self.column_move(*column, *place),
            C::ColumnRemove { column } => self.column_remove(*column),
            C::LabelCreate { label, name, color } => {
                self.label_create(*label, name, color.as_deref())
            }
            C::LabelSet { label, name, color } => {
                self.label_set(*label, name.as_deref(), color.as_ref())
            }
            C::LabelRemove { label } => self.label_remove(*label),
            C::FieldCreate {
                field,
                name,
                kind,
                options,
            } => self.field_create(*field, name, *kind, options),
            C::FieldSet {
                field,
                name,
                options,
            } => self.field_set(*field, name.as_deref(), options.as_deref()),
            C::FieldRemove { field } => self.field_remove(*field),
            C::SprintCreate {
                sprint,
                title,
                start,
                end,
            } => self.sprint_create(*sprint, title, *start, *end),
            C::SprintSet {
                sprint,
                title,
                start,
                end,
            } => self.sprint_set(*sprint, title.as_deref(), *start, *end),
            C::SprintRemove { sprint } => self.sprint_remove(*sprint),
            C::CardCreate { .. }
            | C::CardSet { .. }
            | C::CardMove { .. }
            | C::CardArchive { .. }
            | C::CardRemove { .. }
            | C::CardLabel { .. }
            | C::CardAssign { .. }
            | C::CardBlock { .. }
            | C::CardField { .. } => self.on_card(command),
            C::ChecklistCreate { .. }
            | C::ChecklistSet { .. }
            | C::ChecklistMove { .. }
            | C::ChecklistRemove { .. }
            | C::ItemCreate { .. }
            | C::ItemSet { .. }
            | C::ItemMove { .. }
            | C::ItemRemove { .. } => self.on_checklist(command),
            C::CommentCreate { .. }
            | C::CommentSet { .. }
            | C::CommentRemove { .. }
            | C::AttachmentAdd { .. }
            | C::AttachmentSet { .. }
            | C::AttachmentRemove { .. } => self.on_detail(command),
            C::VersionUndo { .. } => {
                let hint = "`version.undo` goes alone in its submit";
                Err(Rejection::new(Reason::Invalid, hint))
            }
        }
    }

    fn card(&self, card: CardId) -> Result<&Card, Rejection> {
        self.board
            .view()
            .cards
            .get(&card)
            .ok_or_else(|| Rejection::not_found("card", card))
    }

    /// A new thing's id must not belong to a deleted one.
    fn check_unused(&self, id: impl Into<AnyId>) -> Result<(), Rejection> {
        let id = id.into();
        if self.board.buried().contains(&id) {
            let hint = format!("the id {id} belonged to something that was deleted; make a new id");
            return Err(Rejection::new(Reason::UsedId, hint));
        }
        Ok(())
    }

    /// A deletion must leave room to remember the deleted id.
    fn check_grave(&self) -> Result<(), Rejection> {
        if self.board.buried().len() >= BURIED_MAX {
            let hint = "the board remembers no more deleted things; archive instead";
            return Err(Rejection::new(Reason::Limit, hint));
        }
        Ok(())
    }
}

fn exists(what: &str, id: impl std::fmt::Display) -> Rejection {
    Rejection::new(
        Reason::DuplicateId,
        format!("there is a {what} {id} already; make a new id"),
    )
}

fn set(card: CardId, patch: CardPatch) -> Event {
    Event::CardSet {
        card,
        set: Box::new(patch),
    }
}

/// The sorted list with `id` in it or not; `None` when it is so already.
fn toggled<Id: Ord + Copy>(list: &[Id], id: Id, on: bool) -> Option<Vec<Id>> {
    match (list.binary_search(&id), on) {
        (Ok(_), true) | (Err(_), false) => None,
        (Ok(index), false) => {
            let mut list = list.to_vec();
            list.remove(index);
            Some(list)
        }
        (Err(index), true) => {
            let mut list = list.to_vec();
            list.insert(index, id);
            Some(list)
        }
    }
}
