//! Versions on their way to subscribers. Nothing is sent as often, so they are arrays, and what
//! follows from the place of a version in its batch is not written.

use std::fmt;

use serde::de::{Expected, IgnoredAny, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::Event;
use crate::ids::{BoardId, ClientId, UserId};
use crate::position::{MAX_SAFE_INTEGER, Seq, Timestamp, Version};

/// One version of a board; on the wire `[by, at, ev, client?, seq?]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionEntry {
    /// The version: known by its place in the batch.
    pub n: Version,
    /// The author's client and the number of its submit; absent for imports and other requests.
    pub client: Option<ClientId>,
    /// The number of the submit.
    pub seq: Option<Seq>,
    /// The author.
    pub by: UserId,
    /// The server's clock.
    pub at: Timestamp,
    /// What happened.
    pub ev: Vec<Event>,
}

/// Versions of a board, without a gap; on the wire `[board, from, v, durable?]`.
///
/// They belong to the epoch of the last `subscribed` or `snapshot` of the board on the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The board.
    pub board: BoardId,
    /// The version before the first one in it.
    pub from: Version,
    /// The version that is on disk; not written where it is `from`.
    pub durable: Version,
    /// The versions: the first follows `from`, each other one the one before it.
    pub v: Vec<VersionEntry>,
}

impl Batch {
    /// The last version in it.
    pub fn to(&self) -> Version {
        Version(self.from.0 + self.v.len() as u64)
    }
}

impl Serialize for VersionEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        array.serialize_element(&self.by)?;
        array.serialize_element(&self.at)?;
        array.serialize_element(&self.ev)?;
        if self.client.is_some() || self.seq.is_some() {
            array.serialize_element(&self.client)?;
        }
        if self.seq.is_some() {
            array.serialize_element(&self.seq)?;
        }
        array.end()
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        array.serialize_element(&self.board)?;
        array.serialize_element(&self.from)?;
        array.serialize_element(&self.v)?;
        if self.durable != self.from {
            array.serialize_element(&self.durable)?;
        }
        array.end()
    }
}

/// The next element of an array that must have it; `index` counts from 0.
fn required<'de, T, A>(array: &mut A, index: usize, what: &dyn Expected) -> Result<T, A::Error>
where
    T: Deserialize<'de>,
    A: SeqAccess<'de>,
{
    array
        .next_element()?
        .ok_or_else(|| serde::de::Error::invalid_length(index, what))
}

/// The next element of an array that may end before it; `null` is as good as the end.
fn optional<'de, T, A>(array: &mut A) -> Result<Option<T>, A::Error>
where
    T: Deserialize<'de>,
    A: SeqAccess<'de>,
{
    Ok(array.next_element::<Option<T>>()?.flatten())
}

/// Passes over what a newer server may have added.
fn skip_rest<'de, A: SeqAccess<'de>>(array: &mut A) -> Result<(), A::Error> {
    while array.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// A version that does not know its number yet.
struct Unnumbered(VersionEntry);

impl<'de> Deserialize<'de> for Unnumbered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Unnumbered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a version: [by, at, ev, client?, seq?]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Unnumbered, A::Error> {
                let entry = VersionEntry {
                    n: Version(0),
                    by: required(&mut array, 0, &self)?,
                    at: required(&mut array, 1, &self)?,
                    ev: required(&mut array, 2, &self)?,
                    client: optional(&mut array)?,
                    seq: optional(&mut array)?,
                };
                skip_rest(&mut array)?;
                Ok(Unnumbered(entry))
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Batch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a batch: [board, from, v, durable?]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Batch, A::Error> {
                let board = required(&mut array, 0, &self)?;
                let from: Version = required(&mut array, 1, &self)?;
                let versions: Vec<Unnumbered> = required(&mut array, 2, &self)?;
                let durable = optional(&mut array)?.unwrap_or(from);
                skip_rest(&mut array)?;
                if from.0 + versions.len() as u64 > MAX_SAFE_INTEGER {
                    return Err(serde::de::Error::custom(
                        "a version is larger than 2^53 - 1",
                    ));
                }
                let numbers = (from.0 + 1..).map(Version);
                let v = numbers
                    .zip(versions)
                    .map(|(n, Unnumbered(entry))| VersionEntry { n, ..entry })
                    .collect();
                Ok(Batch {
                    board,
                    from,
                    durable,
                    v,
                })
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Batch, BoardId, ClientId, Event, Seq, Timestamp, UserId, Version, VersionEntry};

    impl JsonSchema for VersionEntry {
        fn schema_name() -> Cow<'static, str> {
            "VersionEntry".into()
        }

        fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "description": "One version of a board: `[by, at, ev, client?, seq?]`. Its number \
                    is known by its place in the batch.",
                "type": "array",
                "prefixItems": [
                    schemas.subschema_for::<UserId>(),
                    schemas.subschema_for::<Timestamp>(),
                    schemas.subschema_for::<Vec<Event>>(),
                    schemas.subschema_for::<Option<ClientId>>(),
                    schemas.subschema_for::<Option<Seq>>(),
                ],
                "minItems": 3,
            })
        }
    }

    impl JsonSchema for Batch {
        fn schema_name() -> Cow<'static, str> {
            "Batch".into()
        }

        fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "description": "Versions of a board, without a gap: `[board, from, v, durable?]`. \
                    The first follows `from`; without `durable`, `from` is on disk.",
                "type": "array",
                "prefixItems": [
                    schemas.subschema_for::<BoardId>(),
                    schemas.subschema_for::<Version>(),
                    schemas.subschema_for::<Vec<VersionEntry>>(),
                    schemas.subschema_for::<Option<Version>>(),
                ],
                "minItems": 3,
            })
        }
    }
}
