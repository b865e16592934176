//! Order of things as text that has always room for one more: fractional ranks.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const WIDTH: usize = 4;
/// Longest rank.
pub const MAX_RANK_BYTES: usize = 64;
/// Above this, neighbours are ranked anew.
pub const SOFT_RANK_BYTES: usize = 16;

/// A place in an order: a base-62 fraction, compared as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Rank(CompactString);

impl Rank {
    /// The rank as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Rank {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CompactString::deserialize(deserializer).map(Self)
    }
}

/// Where a thing goes.
pub struct Placement {
    /// Its rank.
    pub rank: Rank,
    /// Neighbours that move.
    pub moved: Vec<(usize, Rank)>,
}

fn value(rank: &Rank, index: usize) -> u32 {
    rank.0
        .as_bytes()
        .get(index)
        .and_then(|b| DIGITS.iter().position(|d| d == b))
        .unwrap_or(0) as u32
}

fn fixed(rank: &Rank) -> u32 {
    (0..WIDTH).fold(0, |sum, index| sum * 62 + value(rank, index))
}

fn from_fixed(mut number: u32) -> Rank {
    let mut digits = [0u8; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    let text: String = digits.iter().map(|b| char::from(*b)).collect();
    Rank(text.trim_end_matches('0').into())
}

/// A rank between two others.
pub fn between(low: Option<&Rank>, high: Option<&Rank>) -> Option<Rank> {
    let top = 62u32.pow(WIDTH as u32);
    match (low, high) {
        (None, None) => return Some(from_fixed(top / 2)),
        (Some(low), None) if fixed(low) + 1 < top => return Some(from_fixed(fixed(low) + 1)),
        (None, Some(high)) if fixed(high) > 1 => return Some(from_fixed(fixed(high) - 1)),
        _ => {}
    }
    if let (Some(low), Some(high)) = (low, high)
        && low >= high
    {
        return None;
    }
    let mut text = String::new();
    let mut bounded = true;
    for index in 0..MAX_RANK_BYTES {
        let a = low.map_or(0, |low| value(low, index));
        let b = match high {
            Some(high) if bounded => value(high, index),
            _ => 62,
        };
        if b > a + 1 {
            text.push(char::from(DIGITS[usize::try_from(a.midpoint(b)).ok()?]));
            return Some(Rank(text.into()));
        }
        text.push(char::from(DIGITS[usize::try_from(a).ok()?]));
        if b == a + 1 {
            bounded = false;
        }
    }
    None
}

/// A rank at an index.
pub fn place(ranks: &[&Rank], index: usize) -> Option<Placement> {
    let low = index.checked_sub(1).and_then(|i| ranks.get(i)).copied();
    let rank = between(low, ranks.get(index).copied())?;
    Some(Placement {
        rank,
        moved: Vec::new(),
    })
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Rank {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rank".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9A-Za-z]*[1-9A-Za-z]$", "maxLength": MAX_RANK_BYTES })
    }
}
