//! Messages as JSON text, and exact errors for what is not a message.
//!
//! A message is an object with a `type`, or an array: a batch. Unknown fields, and elements of a batch
//! behind those that are known, are ignored, so that a newer peer may send them. An unknown `type` is
//! an error that is answered, with the request's `req`, `board` and `seq` where they can be read. A
//! known key that stands twice is an error, and so is nesting deeper than [`NESTING_MAX`].

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::ids::BoardId;
use crate::message::{
    ActivityQuery, BoardCreate, BoardsList, CardOpen, ClientMessage, ErrorCode, ErrorMessage,
    Hello, Ping, PresenceUpdate, ServerMessage, Submit, Subscribe, Unsubscribe,
};
use crate::position::Seq;

/// Deepest nesting of arrays and objects in a message; the bound of `serde_json`, kept for fields
/// that it would skip as well.
pub const NESTING_MAX: usize = 127;

/// Longest text of an error of the decoder that goes into a hint.
const ERROR_MAX_CHARS: usize = 400;

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
    if nesting(text) > NESTING_MAX {
        let hint = format!("the text is nested deeper than {NESTING_MAX} levels");
        return Err(Head::default().error(ErrorCode::BadMessage, hint));
    }
    let head = match Head::read(text) {
        Ok(head) => head,
        Err(error) => {
            let said = error.to_string();
            let said = cut(&said, ERROR_MAX_CHARS);
            let (code, hint) = if error.is_data() {
                let hint = format!("a message is a JSON object with a type: {said}");
                (ErrorCode::BadMessage, hint)
            } else {
                (ErrorCode::NotJson, format!("the text is not JSON: {said}"))
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
                cut(unknown, 40)
            );
            return Err(head.error(ErrorCode::UnknownType, hint));
        }
    };
    message.map_err(|error| {
        let said = error.to_string();
        let hint = format!(
            "a field of {kind:?} is wrong: {}",
            cut(&said, ERROR_MAX_CHARS)
        );
        head.error(ErrorCode::BadMessage, hint)
    })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}

/// The first characters: an error does not repeat all that it was sent.
fn cut(text: &str, max_chars: usize) -> &str {
    text.char_indices()
        .nth(max_chars)
        .map_or(text, |(end, _)| &text[..end])
}

/// The deepest nesting of a JSON text; of what is not JSON, some number.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let mut bytes = text.bytes();
    let mut in_string = false;
    while let Some(byte) = bytes.next() {
        match (in_string, byte) {
            (true, b'\\') => {
                bytes.next();
            }
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (true | false, _) => {}
        }
    }
    deepest
}

/// Reads a message of a server; `None` for a type that this version does not know, which a client
/// ignores.
///
/// # Errors
/// The text is not a message, or a field is wrong.
pub fn decode_server(text: &str) -> Result<Option<ServerMessage>, serde_json::Error> {
    use ServerMessage as S;
    if text.trim_start().starts_with('[') {
        return Ok(Some(S::Batch(read(text)?)));
    }
    let head = Head::read(text)?;
    let Some(kind) = head.kind else {
        return Err(serde::de::Error::missing_field("type"));
    };
    // Read by type instead of as one tagged enum, which would first copy a whole snapshot.
    Ok(Some(match kind.as_str() {
        "durable" => S::Durable(read(text)?),
        "outcome" => S::Outcome(read(text)?),
        "presence" => S::Presence(read(text)?),
        "snapshot" => S::Snapshot(read(text)?),
        "welcome" => S::Welcome(read(text)?),
        "subscribed" => S::Subscribed(read(text)?),
        "unsubscribed" => S::Unsubscribed(read(text)?),
        "role" => S::Role(read(text)?),
        "card" => S::Card(read(text)?),
        "activity" => S::Activity(read(text)?),
        "board.created" => S::BoardCreated(read(text)?),
        "boards" => S::Boards(read(text)?),
        "error" => S::Error(read(text)?),
        "goodbye" => S::Goodbye(read(text)?),
        "pong" => S::Pong(read(text)?),
        _ => return Ok(None),
    }))
}

/// The types of [`ServerMessage`]. A batch has none: it is the message that is an array.
pub const SERVER_TYPES: [&str; 15] = [
    "welcome",
    "subscribed",
    "unsubscribed",
    "snapshot",
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
