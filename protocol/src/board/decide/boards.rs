//! Commands about the board itself and its members.

use super::super::{Member, Reason, Rejection, Role};
use super::{CardPatch, Deciding, Decision, check, set};
use crate::event::Event;
use crate::ids::UserId;
use crate::limits::MEMBERS_MAX;

/// The title of a board that is to be made, without white space around it.
///
/// # Errors
/// It is empty, longer than a title may be, or not one line.
pub fn title_of_new_board(text: &str) -> Result<&str, Rejection> {
    let title = text.trim();
    check::title("title", title)?;
    Ok(title)
}

impl Deciding<'_> {
    pub(super) fn board_set(
        &self,
        title: Option<&str>,
        background: Option<&Option<String>>,
        archived: Option<bool>,
    ) -> Decision {
        let view = self.board.view();
        if let Some(title) = title {
            check::title("title", title)?;
        }
        if let Some(Some(background)) = background {
            check::name("background", background)?;
        }
        let title = title
            .filter(|title| *title != view.title)
            .map(str::to_owned);
        let background = background
            .filter(|value| **value != view.background)
            .cloned();
        let archived = archived.filter(|value| *value != view.archived);
        if title.is_none() && background.is_none() && archived.is_none() {
            return Ok(Vec::new());
        }
        if view.archived && archived.is_none() {
            return Err(Rejection::archived());
        }
        Ok(vec![Event::BoardSet {
            title,
            background,
            archived,
        }])
    }

    pub(super) fn member_add(&self, user: UserId, name: Option<&str>, role: Role) -> Decision {
        if let Some(name) = name {
            check::name("name", name)?;
        }
        let members = &self.board.view().members;
        let old = members.get(&user);
        if old.is_none() && members.len() >= MEMBERS_MAX {
            return Err(Rejection::limit("members", MEMBERS_MAX));
        }
        if role != Role::Admin {
            self.check_admin_remains(user)?;
        }
        let name = name
            .or(old.map(|member| member.name.as_str()))
            .unwrap_or(user.as_str());
        let member = Member {
            id: user,
            name: name.to_owned(),
            role,
        };
        if old == Some(&member) {
            return Ok(Vec::new());
        }
        Ok(vec![Event::MemberPut { member }])
    }

    pub(super) fn member_remove(&self, user: UserId) -> Decision {
        let view = self.board.view();
        if !view.members.contains_key(&user) {
            return Err(Rejection::not_found("member", user));
        }
        self.check_admin_remains(user)?;
        let mut events = Vec::new();
        for card in view.cards.values() {
            if let Some(assignees) = super::toggled(&card.assignees, user, false) {
                let patch = CardPatch {
                    assignees: Some(assignees),
                    ..CardPatch::default()
                };
                events.push(set(card.id, patch));
            }
            for checklist in card.checklists.values() {
                for item in checklist
                    .items
                    .values()
                    .filter(|i| i.assignee == Some(user))
                {
                    let mut item = item.clone();
                    item.assignee = None;
                    events.push(Event::ItemPut {
                        card: card.id,
                        checklist: checklist.id,
                        item,
                    });
                }
            }
        }
        events.push(Event::MemberRemoved { user });
        Ok(events)
    }

    /// A board that has an admin keeps one.
    fn check_admin_remains(&self, leaving: UserId) -> Result<(), Rejection> {
        let members = &self.board.view().members;
        let is_admin = members
            .get(&leaving)
            .is_some_and(|member| member.role == Role::Admin);
        let others = members
            .values()
            .any(|m| m.id != leaving && m.role == Role::Admin);
        if is_admin && !others {
            let hint = "the last admin cannot leave or be demoted; make another member admin first";
            return Err(Rejection::new(Reason::LastAdmin, hint));
        }
        Ok(())
    }

    pub(super) fn check_member(&self, user: UserId) -> Result<(), Rejection> {
        if !self.board.view().members.contains_key(&user) {
            return Err(Rejection::not_found("member", user));
        }
        Ok(())
    }
}
