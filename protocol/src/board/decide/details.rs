//! Commands about what only an opened card shows (description, comments), and attachments.

use super::super::digest::{changed_digest, part_digest, text_digest};
use super::super::{Attachment, Comment, Detail, Reason, Rejection, Role, Stamp};
use super::{CardPatch, Deciding, Decision, check, exists, set};
use crate::command::Command;
use crate::event::Event;
use crate::ids::{AttachmentId, CardId, CommentId};
use crate::limits::{CARD_ATTACHMENTS_MAX, CARD_COMMENTS_MAX, DETAIL_MAX_BYTES};

impl Deciding<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "dispatch sends only these here"
    )]
    pub(super) fn on_detail(&self, command: &Command) -> Decision {
        match command {
            Command::CommentCreate {
                card,
                comment,
                text,
            } => self.comment_create(*card, *comment, text),
            Command::CommentSet {
                card,
                comment,
                text,
            } => self.comment_set(*card, *comment, text),
            Command::CommentRemove { card, comment } => self.comment_remove(*card, *comment),
            Command::AttachmentAdd {
                card,
                attachment,
                name,
                mime,
                size,
                url,
            } => {
                let added = Stamp {
                    by: self.user,
                    at: self.now,
                };
                let (mime, url) = (mime.clone(), url.clone());
                let name = name.clone();
                let attachment = Attachment {
                    id: *attachment,
                    name,
                    mime,
                    size: *size,
                    url,
                    added,
                };
                self.attachment_add(*card, attachment)
            }
            Command::AttachmentSet {
                card,
                attachment,
                name,
            } => {
                check::title("name", name)?;
                let old = self.attachment(*card, *attachment)?;
                if old.name == *name {
                    return Ok(Vec::new());
                }
                let attachment = Attachment {
                    name: name.clone(),
                    ..old.clone()
                };
                Ok(vec![Event::AttachmentPut {
                    card: *card,
                    attachment,
                }])
            }
            Command::AttachmentRemove { card, attachment } => {
                self.attachment_remove(*card, *attachment)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The description, unless the card has it already.
    pub(super) fn describe(&self, card: CardId, text: &str) -> Result<Option<Event>, Rejection> {
        let old = self
            .board
            .detail(card)
            .map_or("", |detail| detail.description.as_str());
        if old == text {
            return Ok(None);
        }
        self.check_weight(card, old.len(), text.len())?;
        let mark = &self.card(card)?.detail;
        let (gone, new) = (text_digest(old), text_digest(text));
        let is_empty = text.is_empty() && mark.comments == 0;
        let digest = changed_digest(&mark.digest, gone, new, is_empty);
        Ok(Some(Event::CardDescribed {
            card,
            text: text.to_owned(),
            digest,
        }))
    }

    fn comment(&self, card: CardId, id: CommentId) -> Result<&Comment, Rejection> {
        self.card(card)?;
        let found = self
            .board
            .detail(card)
            .and_then(|detail| detail.comments.get(&id));
        found.ok_or_else(|| Rejection::not_found("comment", id))
    }

    fn comment_create(&self, card: CardId, id: CommentId, text: &str) -> Decision {
        self.card(card)?;
        let detail = self.board.detail(card);
        if detail.is_some_and(|detail| detail.comments.contains_key(&id)) {
            return Err(exists("comment", id));
        }
        self.check_unused(id)?;
        if detail.map_or(0, |detail| detail.comments.len()) >= CARD_COMMENTS_MAX {
            return Err(Rejection::limit("comments on a card", CARD_COMMENTS_MAX));
        }
        let written = Stamp {
            by: self.user,
            at: self.now,
        };
        let text = text.to_owned();
        self.put_comment(
            card,
            Comment {
                id,
                written,
                author: None,
                text,
                edited: None,
            },
        )
    }

    fn comment_set(&self, card: CardId, id: CommentId, text: &str) -> Decision {
        let old = self.comment(card, id)?;
        if old.written.by != self.user {
            let hint = "only its author changes a comment";
            return Err(Rejection::new(Reason::Forbidden, hint));
        }
        if old.text == text {
            return Ok(Vec::new());
        }
        let text = text.to_owned();
        self.put_comment(
            card,
            Comment {
                text,
                edited: Some(self.now),
                ..old.clone()
            },
        )
    }

    pub(in crate::board) fn put_comment(&self, card: CardId, comment: Comment) -> Decision {
        if comment.text.trim().is_empty() {
            return Err(Rejection::new(Reason::Invalid, "a comment is empty"));
        }
        check::text("comment", &comment.text)?;
        let comments = self.board.detail(card).map(|detail| &detail.comments);
        let old = comments.and_then(|comments| comments.get(&comment.id));
        self.check_weight(
            card,
            old.map_or(0, |old| old.text.len()),
            comment.text.len(),
        )?;
        let mark = &self.card(card)?.detail;
        let (gone, new) = (old.map_or(0, part_digest), part_digest(&comment));
        Ok(vec![Event::CommentPut {
            comments: mark.comments + u32::from(old.is_none()),
            digest: changed_digest(&mark.digest, gone, new, false),
            card,
            comment,
        }])
    }

    fn comment_remove(&self, card: CardId, id: CommentId) -> Decision {
        let old = self.comment(card, id)?;
        if old.written.by != self.user && self.role != Role::Admin {
            let hint = "only its author or an admin of the board deletes a comment";
            return Err(Rejection::new(Reason::Forbidden, hint));
        }
        self.check_grave()?;
        let mark = &self.card(card)?.detail;
        let comments = mark.comments.saturating_sub(1);
        let is_empty = comments == 0 && !mark.described;
        Ok(vec![Event::CommentRemoved {
            card,
            comment: id,
            comments,
            digest: changed_digest(&mark.digest, part_digest(old), 0, is_empty),
        }])
    }

    /// Whether the card's detail takes a text of `new` bytes for one of `old` bytes; a shorter one
    /// always.
    fn check_weight(&self, card: CardId, old: usize, new: usize) -> Result<(), Rejection> {
        if new <= old {
            return Ok(());
        }
        let present = self.board.detail(card).map_or(0, weight);
        check_bytes(present - old + new)
    }

    fn attachment(&self, card: CardId, id: AttachmentId) -> Result<&Attachment, Rejection> {
        let found = self.card(card)?.attachments.get(&id);
        found.ok_or_else(|| Rejection::not_found("attachment", id))
    }

    fn attachment_add(&self, card: CardId, attachment: Attachment) -> Decision {
        let attachments = &self.card(card)?.attachments;
        if attachments.contains_key(&attachment.id) {
            return Err(exists("attachment", attachment.id));
        }
        self.check_unused(attachment.id)?;
        if attachments.len() >= CARD_ATTACHMENTS_MAX {
            return Err(Rejection::limit(
                "attachments on a card",
                CARD_ATTACHMENTS_MAX,
            ));
        }
        check::title("name", &attachment.name)?;
        attachment
            .mime
            .as_deref()
            .map_or(Ok(()), |mime| check::name("media type", mime))?;
        attachment.url.as_deref().map_or(Ok(()), check::url)?;
        Ok(vec![Event::AttachmentPut { card, attachment }])
    }

    /// A cover that shows the attachment goes with it.
    fn attachment_remove(&self, card: CardId, id: AttachmentId) -> Decision {
        self.attachment(card, id)?;
        self.check_grave()?;
        let is_cover = self.card(card)?.cover.as_deref() == Some(id.as_str());
        let uncover = CardPatch {
            cover: Some(None),
            ..CardPatch::default()
        };
        let mut events = Vec::new();
        events.extend(is_cover.then(|| set(card, uncover)));
        events.push(Event::AttachmentRemoved {
            card,
            attachment: id,
        });
        Ok(events)
    }
}

fn weight(detail: &Detail) -> usize {
    let comments = detail.comments.values().map(|comment| comment.text.len());
    detail.description.len() + comments.sum::<usize>()
}

/// Whether a card takes this detail.
pub(in crate::board) fn check_weight(detail: &Detail) -> Result<(), Rejection> {
    check_bytes(weight(detail))
}

fn check_bytes(bytes: usize) -> Result<(), Rejection> {
    if bytes > DETAIL_MAX_BYTES {
        let hint =
            format!("description and comments of a card are at most {DETAIL_MAX_BYTES} bytes");
        return Err(Rejection::new(Reason::Limit, hint));
    }
    Ok(())
}
