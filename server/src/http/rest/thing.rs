//! The things of a board as they are answered, and the tags that tell their states apart.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use boardcast_protocol::board::{Board, Card, Comment};
use boardcast_protocol::ids::{
    AttachmentId, CardId, ChecklistId, ColumnId, CommentId, ItemId, LabelId, UserId,
};
use boardcast_protocol::position::Position;

use crate::room::Sight;

/// A thing of a board.
#[derive(Clone, Copy, Debug)]
pub(super) enum Thing {
    Board,
    Column(ColumnId),
    Label(LabelId),
    Member(UserId),
    Card(CardId),
    Checklist(CardId, ChecklistId),
    Item(CardId, ChecklistId, ItemId),
    Comment(CardId, CommentId),
    Attachment(CardId, AttachmentId),
}

/// A card with all that is known of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct WholeCard<'a> {
    #[serde(flatten)]
    card: &'a Card,
    description: &'a str,
    comments: Vec<&'a Comment>,
}

impl Thing {
    /// Its JSON; `None` where it is not on the board.
    pub(super) fn json(self, board: &Board) -> Option<Vec<u8>> {
        let view = board.view();
        let card = |id| view.cards.get(&id);
        match self {
            Self::Board => json(&view.head()),
            Self::Column(id) => json(view.columns.get(&id)?),
            Self::Label(id) => json(view.labels.get(&id)?),
            Self::Member(id) => json(view.members.get(&id)?),
            Self::Card(id) => {
                let detail = board.detail(id);
                json(&WholeCard {
                    card: card(id)?,
                    description: detail.map_or("", |detail| &detail.description),
                    comments: detail
                        .map_or_else(Vec::new, |detail| detail.comments.values().collect()),
                })
            }
            Self::Checklist(id, list) => json(card(id)?.checklists.get(&list)?),
            Self::Item(id, list, item) => json(card(id)?.checklists.get(&list)?.items.get(&item)?),
            Self::Comment(id, comment) => json(board.detail(id)?.comments.get(&comment)?),
            Self::Attachment(id, attachment) => json(card(id)?.attachments.get(&attachment)?),
        }
    }

    /// What the sight shows of it, and the tag of that.
    pub(super) fn tagged(self, (board, position): Sight<'_>) -> Option<(Vec<u8>, String)> {
        let json = self.json(board)?;
        let tag = match self {
            Self::Board => position_tag(position),
            Self::Column(_)
            | Self::Label(_)
            | Self::Member(_)
            | Self::Card(_)
            | Self::Checklist(..)
            | Self::Item(..)
            | Self::Comment(..)
            | Self::Attachment(..) => tag_of(&json),
        };
        Some((json, tag))
    }

    /// The same as a value.
    pub(super) fn value(self, board: &Board) -> Value {
        let json = self.json(board);
        json.and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Column(_) => "column",
            Self::Label(_) => "label",
            Self::Member(_) => "member",
            Self::Card(_) => "card",
            Self::Checklist(..) => "checklist",
            Self::Item(..) => "item",
            Self::Comment(..) => "comment",
            Self::Attachment(..) => "attachment",
        }
    }
}

/// The tag of everything that is on a board.
pub(super) fn position_tag(Position { epoch, version }: Position) -> String {
    format!("\"{epoch}:{version}\"")
}

/// The position that a tag names.
pub(super) fn position_of(tag: &str) -> Option<Position> {
    let (epoch, version) = tag.split_once(':')?;
    Some(Position {
        epoch: epoch.parse().ok()?,
        version: boardcast_protocol::position::Version(version.parse().ok()?),
    })
}

fn tag_of(json: &[u8]) -> String {
    let digest = Sha256::digest(json);
    let mut tag = String::with_capacity(18);
    tag.push('"');
    for byte in &digest[..8] {
        tag.push_str(&format!("{byte:02x}"));
    }
    tag.push('"');
    tag
}

fn json(value: &impl Serialize) -> Option<Vec<u8>> {
    // None of them holds a map with keys that are not strings, the only case that fails.
    serde_json::to_vec(value).ok()
}
