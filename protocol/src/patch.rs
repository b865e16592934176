//! A field of a patch that may be kept (absent), cleared (`null`) or set: `Option<Option<T>>`.

use serde::{Deserialize, Deserializer};

/// Reads a field that is present: `null` clears, a value sets.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
