//! Ids: short strings made by whoever creates the thing.
//!
//! An id has 1 to [`ID_MAX_BYTES`] characters of `A-Z a-z 0-9 _ -`, so it is safe in a URL, a file
//! name and a log line. Ids of users, clients and boards are unique in a server; all others are
//! unique within what holds them: a board, a card, a checklist, a field. The id of a deleted thing
//! is not used again, so what a path of ids named once it never names again.

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest id, in bytes: 128 random bits in base 62.
pub const ID_MAX_BYTES: usize = 22;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Why a string is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The string is empty.
    #[error("an id is empty; it needs 1 to 22 characters")]
    Empty,
    /// The string is longer than [`ID_MAX_BYTES`].
    #[error("an id is longer than 22 characters")]
    TooLong,
    /// The string holds a character outside `A-Z a-z 0-9 _ -`.
    #[error("an id holds a character outside A-Z a-z 0-9 _ -")]
    Character,
}

type Text = ArrayString<ID_MAX_BYTES>;

fn parse(text: &str) -> Result<Text, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if !text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    {
        return Err(IdError::Character);
    }
    Text::from(text).map_err(|_| IdError::TooLong)
}

fn from_u128(mut bits: u128) -> Text {
    let mut digits = [b'0'; ID_MAX_BYTES];
    let mut start = ID_MAX_BYTES;
    loop {
        start -= 1;
        digits[start] = DIGITS[(bits % 62) as usize];
        bits /= 62;
        if bits == 0 || start == 0 {
            break;
        }
    }
    let mut text = Text::new();
    for digit in &digits[start..] {
        text.push(char::from(*digit));
    }
    text
}

struct IdVisitor;

impl serde::de::Visitor<'_> for IdVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id of 1 to 22 characters of A-Z a-z 0-9 _ -")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        parse(text).map_err(E::custom)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Text);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The shortest base-62 spelling of `bits`: random bits make a new id, bits of a foreign
            /// id always make the same one.
            pub fn from_u128(bits: u128) -> Self {
                Self(from_u128(bits))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(IdVisitor).map(Self)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": "^[A-Za-z0-9_-]{1,22}$",
                    "minLength": 1,
                    "maxLength": ID_MAX_BYTES
                })
            }
        }
    };
}

id!(
    /// A person or a bot, as named by the subject of its token.
    UserId
);
id!(
    /// A client program of one user: it numbers its commands (rule R4).
    ClientId
);
id!(
    /// A board. The only ids besides users and clients that the server makes.
    BoardId
);
id!(
    /// A column of a board.
    ColumnId
);
id!(
    /// A card of a board.
    CardId
);
id!(
    /// A label of a board.
    LabelId
);
id!(
    /// The definition of a custom field of a board.
    FieldId
);
id!(
    /// An option of a custom field of kind `list`.
    OptionId
);
id!(
    /// A sprint of a board.
    SprintId
);
id!(
    /// A checklist of a card.
    ChecklistId
);
id!(
    /// An item of a checklist.
    ItemId
);
id!(
    /// A comment on a card.
    CommentId
);
id!(
    /// An attachment of a card.
    AttachmentId
);
id!(
    /// Any id made by a client, whatever it names: what the list of deleted ids holds.
    AnyId
);

/// What the ids of clients begin with that stand for a key of a request over HTTP.
const RESERVED: &str = "key-";

impl ClientId {
    /// The client that stands for a key of a request over HTTP: `key-` and at most 18 characters of
    /// `bits`, the upper 107 of them.
    pub fn of_key(bits: u128) -> Self {
        let mut text = Text::new();
        text.push_str(RESERVED);
        text.push_str(&from_u128(bits >> 21));
        Self(text)
    }

    /// Whether it stands for a key: no client that says hello may have such an id.
    pub fn is_of_key(&self) -> bool {
        self.0.starts_with(RESERVED)
    }
}

macro_rules! any {
    ($($name:ident),*) => {
        $(impl From<$name> for AnyId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        })*
    };
}

any!(
    ColumnId,
    CardId,
    LabelId,
    FieldId,
    SprintId,
    ChecklistId,
    ItemId,
    CommentId,
    AttachmentId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_plain() {
        assert_eq!("".parse::<CardId>(), Err(IdError::Empty));
        assert_eq!("a b".parse::<CardId>(), Err(IdError::Character));
        assert_eq!("x".repeat(23).parse::<CardId>(), Err(IdError::TooLong));
        assert_eq!("A-z_9".parse::<CardId>().unwrap().as_str(), "A-z_9");
    }

    #[test]
    fn bits_make_an_id_of_at_most_22_characters() {
        assert_eq!(CardId::from_u128(0).as_str(), "0");
        assert_eq!(CardId::from_u128(61).as_str(), "z");
        assert_eq!(CardId::from_u128(62).as_str(), "10");
        assert_eq!(CardId::from_u128(u128::MAX).as_str().len(), 22);
    }

    #[test]
    fn a_key_is_a_client_of_its_own_kind() {
        for bits in [0, 1 << 21, u128::MAX] {
            let client = ClientId::of_key(bits);
            assert!(client.is_of_key());
            assert_eq!(client.as_str().parse(), Ok(client));
        }
        assert_ne!(ClientId::of_key(1 << 21), ClientId::of_key(1 << 22));
        assert!(!ClientId::from_u128(u128::MAX).is_of_key());
    }

    #[test]
    fn json_with_a_bad_id_says_what_is_right() {
        let error = serde_json::from_str::<CardId>("\"a/b\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("A-Z a-z 0-9 _ -"), "{error}");
    }
}
