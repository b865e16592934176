//! Commands about what only an opened card shows (description, comments), and attachments.

use super::super::{Attachment, Comment, Detail, Reason, Rejection, Role, Stamp, detail_digest};
use super::{Deciding, Decision, check, exists};
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
                self.attachment(*card, *attachment)?;
                self.check_grave()?;
                Ok(vec![Event::AttachmentRemoved {
                    card: *card,
                    attachment: *attachment,
                }])
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The description, unless the card has it already.
    pub(super) fn describe(&self, card: CardId, text: &str) -> Result<Option<Event>, Rejection> {
        let mut detail = self.board.detail(card).cloned().unwrap_or_default();
        if detail.description == text {
            return Ok(None);
        }
        text.clone_into(&mut detail.description);
        check_weight(&detail)?;
        let digest = detail_digest(&detail);
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

    fn put_comment(&self, card: CardId, comment: Comment) -> Decision {
        if comment.text.is_empty() {
            return Err(Rejection::new(Reason::Invalid, "a comment is empty"));
        }
        check::text("comment", &comment.text)?;
        let mut detail = self.board.detail(card).cloned().unwrap_or_default();
        detail.comments.insert(comment.id, comment.clone());
        check_weight(&detail)?;
        let (comments, digest) = mark(&detail);
        Ok(vec![Event::CommentPut {
            card,
            comment,
            comments,
            digest,
        }])
    }

    fn comment_remove(&self, card: CardId, id: CommentId) -> Decision {
        let old = self.comment(card, id)?;
        if old.written.by != self.user && self.role != Role::Admin {
            let hint = "only its author or an admin of the board deletes a comment";
            return Err(Rejection::new(Reason::Forbidden, hint));
        }
        self.check_grave()?;
        let mut detail = self.board.detail(card).cloned().unwrap_or_default();
        detail.comments.remove(&id);
        let (comments, digest) = mark(&detail);
        Ok(vec![Event::CommentRemoved {
            card,
            comment: id,
            comments,
            digest,
        }])
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
}

fn mark(detail: &Detail) -> (u32, String) {
    let comments = u32::try_from(detail.comments.len()).unwrap_or(u32::MAX);
    (comments, detail_digest(detail))
}

pub(in crate::board) fn check_weight(detail: &Detail) -> Result<(), Rejection> {
    let comments: usize = detail
        .comments
        .values()
        .map(|comment| comment.text.len())
        .sum();
    if detail.description.len() + comments > DETAIL_MAX_BYTES {
        let hint =
            format!("description and comments of a card are at most {DETAIL_MAX_BYTES} bytes");
        return Err(Rejection::new(Reason::Limit, hint));
    }
    Ok(())
}
