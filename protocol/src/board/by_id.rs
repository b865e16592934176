//! Collections of things with an id: a map in memory, an array sorted by id in JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// A thing that bears its own id.
pub trait Keyed {
    /// The type of its id.
    type Key: Ord + Copy + fmt::Display;

    /// Its id.
    fn key(&self) -> Self::Key;
}

pub(super) fn serialize<S, T>(map: &BTreeMap<T::Key, T>, serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Keyed + Serialize,
{
    serializer.collect_seq(map.values())
}

pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<BTreeMap<T::Key, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Keyed + Deserialize<'de>,
{
    struct Things<T>(PhantomData<T>);

    impl<'de, T: Keyed + Deserialize<'de>> Visitor<'de> for Things<T> {
        type Value = BTreeMap<T::Key, T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of things with different ids")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut things: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(thing) = things.next_element::<T>()? {
                let key = thing.key();
                if map.insert(key, thing).is_some() {
                    return Err(A::Error::custom(format_args!("the id {key} stands twice")));
                }
            }
            Ok(map)
        }
    }

    deserializer.deserialize_seq(Things(PhantomData))
}
