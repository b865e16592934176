//! One example of everything that goes over the wire; the golden files are written from these.

mod commands;
mod events;
mod messages;

use std::str::FromStr;

pub(crate) use commands::commands;
pub(crate) use events::events;
pub(crate) use messages::{client_messages, server_messages};

use boardcast_protocol::command::Command;
use boardcast_protocol::event::Event;
use boardcast_protocol::message::{ClientMessage, ServerMessage};

/// An id or a rank of any kind.
pub(crate) fn id<T: FromStr>(text: &str) -> T {
    text.parse()
        .ok()
        .unwrap_or_else(|| panic!("{text} is well formed"))
}

/// Names the variant of a value, and lists the names of all. A new variant does not compile until it
/// stands here, and then `each_variant_has_an_example` fails until there is an example of it.
macro_rules! variants {
    ($name:ident, $all:ident, $enum:ident: $($variant:ident)*) => {
        pub(crate) fn $name(value: &$enum) -> &'static str {
            match value {
                $($enum::$variant { .. } => stringify!($variant),)*
            }
        }

        pub(crate) const $all: &[&str] = &[$(stringify!($variant)),*];
    };
}

variants!(command_name, COMMANDS, Command:
    BoardSet MemberAdd MemberRemove
    ColumnCreate ColumnSet ColumnMove ColumnRemove
    LabelCreate LabelSet LabelRemove FieldCreate FieldSet FieldRemove
    SprintCreate SprintSet SprintRemove
    CardCreate CardSet CardMove CardArchive CardRemove CardLabel CardAssign CardBlock CardField
    ChecklistCreate ChecklistSet ChecklistMove ChecklistRemove
    ItemCreate ItemSet ItemMove ItemRemove
    CommentCreate CommentSet CommentRemove
    AttachmentAdd AttachmentSet AttachmentRemove VersionUndo);

variants!(event_name, EVENTS, Event:
    BoardSet MemberPut MemberRemoved ColumnPut ColumnRemoved LabelPut LabelRemoved
    FieldPut FieldRemoved SprintPut SprintRemoved
    CardPut CardSet CardRanked CardRemoved CardDescribed CommentPut CommentRemoved
    ChecklistPut ChecklistSet ChecklistRemoved ItemPut ItemRemoved AttachmentPut AttachmentRemoved);

variants!(client_name, CLIENT_MESSAGES, ClientMessage:
    Hello Subscribe Unsubscribe Submit Presence CardOpen Activity BoardCreate BoardsList Ping);

variants!(server_name, SERVER_MESSAGES, ServerMessage:
    Welcome Subscribed Unsubscribed Snapshot Outcome Durable Presence Role Card Activity
    BoardCreated Boards Error Goodbye Pong Batch);

#[test]
fn each_variant_has_an_example() {
    fn names<T>(values: &[T], name: impl Fn(&T) -> &'static str) -> Vec<&'static str> {
        let mut names: Vec<_> = values.iter().map(name).collect();
        names.dedup();
        names
    }
    assert_eq!(names(&commands(), command_name), COMMANDS);
    assert_eq!(names(&events(), event_name), EVENTS);
    assert_eq!(names(&client_messages(), client_name), CLIENT_MESSAGES);
    assert_eq!(names(&server_messages(), server_name), SERVER_MESSAGES);
}
