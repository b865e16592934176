//! Messages as JSON text, and exact errors for what is not a message.
//!
//! Unknown fields are ignored, so that a newer peer may send them. An unknown `type` is an error
//! that is answered, with the request's `req`, `board` and `seq` where they can be read. A key that
//! stands twice is an error. Nesting deeper than 127 levels is an error (the bound of `serde_json`).

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ids::BoardId;
use crate::message::{
    ActivityQuery, BoardCreate, BoardsList, CardOpen, ClientMessage, ErrorCode, ErrorMessage,
    Hello, Ping, PresenceUpdate, ServerMessage, Submit, Subscribe, Unsubscribe,
};
use crate::position::Seq;

/// What can be read of a message before its type is looked at.
#[derive(Default)]
struct Head {
    kind: Option<String>,
    req: Option<u32>,
    board: Option<BoardId>,
    seq: Option<Seq>,
}

impl Head {
    /// Reads what it can: a field of a wrong type counts as absent.
    fn read(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Raw<'a> {
            #[serde(borrow, rename = "type")]
            kind: Option<&'a serde_json::value::RawValue>,
            #[serde(borrow)]
            req: Option<&'a serde_json::value::RawValue>,
            #[serde(borrow)]
            board: Option<&'a serde_json::value::RawValue>,
            #[serde(borrow)]
            seq: Option<&'a serde_json::value::RawValue>,
        }
        fn value<T: DeserializeOwned>(raw: Option<&serde_json::value::RawValue>) -> Option<T> {
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        }
        let raw: Raw<'_> = serde_json::from_str(text)?;
        Ok(Self {
            kind: value(raw.kind),
            req: value(raw.req),
            board: value(raw.board),
            seq: value(raw.seq),
        })
    }

    fn error(self, code: ErrorCode, hint: String) -> Box<ErrorMessage> {
        let Self {
            req, board, seq, ..
        } = self;
        Box::new(ErrorMessage {
            req,
            board,
            seq,
            code,
            hint,
        })
    }
}

/// Reads a message of a client.
///
/// # Errors
/// The answer for the client: the text is not JSON, its type is unknown, or a field is wrong.
pub fn decode_client(text: &str) -> Result<ClientMessage, Box<ErrorMessage>> {
    let head = match Head::read(text) {
        Ok(head) => head,
        Err(error) => {
            let (code, hint) = if error.is_data() {
                (
                    ErrorCode::BadMessage,
                    format!("a message is a JSON object with a type: {error}"),
                )
            } else {
                (ErrorCode::NotJson, format!("the text is not JSON: {error}"))
            };
            return Err(Head::default().error(code, hint));
        }
    };
    let Some(kind) = head.kind.clone() else {
        let hint = "the message has no type; see docs/protocol.md".to_owned();
        return Err(head.error(ErrorCode::BadMessage, hint));
    };
    let message = match kind.as_str() {
        "submit" => read::<Submit>(text).map(ClientMessage::Submit),
        "presence" => read::<PresenceUpdate>(text).map(ClientMessage::Presence),
        "subscribe" => read::<Subscribe>(text).map(ClientMessage::Subscribe),
        "unsubscribe" => read::<Unsubscribe>(text).map(ClientMessage::Unsubscribe),
        "card.open" => read::<CardOpen>(text).map(ClientMessage::CardOpen),
        "activity" => read::<ActivityQuery>(text).map(ClientMessage::Activity),
        "board.create" => read::<BoardCreate>(text).map(ClientMessage::BoardCreate),
        "boards.list" => read::<BoardsList>(text).map(ClientMessage::BoardsList),
        "ping" => read::<Ping>(text).map(ClientMessage::Ping),
        "hello" => read::<Hello>(text).map(ClientMessage::Hello),
        unknown => {
            let hint = format!(
                "the type {:?} is unknown; see docs/protocol.md",
                cut(unknown)
            );
            return Err(head.error(ErrorCode::UnknownType, hint));
        }
    };
    message.map_err(|error| {
        let hint = format!("a field of {:?} is wrong: {error}", cut(&kind));
        head.error(ErrorCode::BadMessage, hint)
    })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}

/// The first 40 characters: an error does not repeat what it was sent.
fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(40)
        .map_or(text, |(end, _)| &text[..end])
}

/// Reads a message of a server; `None` for a type that this version does not know, which a client
/// ignores.
///
/// # Errors
/// The text is not a message, or a field is wrong.
pub fn decode_server(text: &str) -> Result<Option<ServerMessage>, serde_json::Error> {
    match serde_json::from_str(text) {
        Ok(message) => Ok(Some(message)),
        Err(error) => match Head::read(text) {
            Ok(Head {
                kind: Some(kind), ..
            }) if !SERVER_TYPES.contains(&kind.as_str()) => Ok(None),
            Ok(_) | Err(_) => Err(error),
        },
    }
}

/// The types of [`ServerMessage`].
pub const SERVER_TYPES: [&str; 16] = [
    "welcome",
    "subscribed",
    "unsubscribed",
    "snapshot",
    "batch",
    "outcome",
    "durable",
    "presence",
    "role",
    "card",
    "activity",
    "board.created",
    "boards",
    "error",
    "goodbye",
    "pong",
];

/// The types of [`ClientMessage`].
pub const CLIENT_TYPES: [&str; 10] = [
    "hello",
    "subscribe",
    "unsubscribe",
    "submit",
    "presence",
    "card.open",
    "activity",
    "board.create",
    "boards.list",
    "ping",
];

/// Writes a message as JSON text.
///
/// # Panics
/// Never: the messages hold no map with keys that are not strings, the only case that fails.
pub fn encode(message: &impl serde::Serialize) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    if let Err(error) = serde_json::to_writer(&mut text, message) {
        unreachable!("a message is always JSON: {error}");
    }
    text
}
