//! Fractional ranks: what orders columns, cards and lists, so that a move touches one of them.
//!
//! A rank is a fraction between 0 and 1, written as its base-62 digits: `V` is 31/62, `V001` a
//! little more. Digits are in ASCII order, so ranks compare as their text does, in every language
//! and in SQL. There is always a rank between two others, only longer; [`place`] keeps them short.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Longest rank: four times what [`place`] makes of hostile input, and still a short text to send,
/// to index and to compare.
pub const MAX_RANK_BYTES: usize = 64;

/// Length over which [`place`] moves neighbours. Ranks up to 24 bytes are kept without allocation;
/// this leaves room below that, and above the 4 bytes of everyday ranks for some seventy cards put
/// into the same gap before neighbours have to move.
pub const SOFT_RANK_BYTES: usize = 16;

/// How many neighbours [`place`] moves at most: it bounds the size of the event that says so, and
/// is more than the cards that fit between two rebalances of the same gap.
pub const REBALANCE_NEIGHBOURS: usize = 64;

/// Most ranks that [`spread`] makes at once: more than any collection of a board may hold.
pub const MAX_SPREAD: usize = 1_000_000;

const _: () = assert!(SOFT_RANK_BYTES < MAX_RANK_BYTES);

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u128 = DIGITS.len() as u128;

/// Digits of a step beyond the first or the last: 62^4 slots, entered in their middle.
const STEP_DIGITS: usize = 4;

/// A rebalance leaves this many times the room of its neighbours free at the place it was for.
const REBALANCE_SLACK: u128 = BASE * BASE;

/// Why a string is not a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RankError {
    /// The string is empty.
    #[error("a rank is empty; it needs 1 to 64 digits")]
    Empty,
    /// The string is longer than [`MAX_RANK_BYTES`].
    #[error("a rank is longer than 64 digits")]
    TooLong,
    /// The string holds a character outside `0-9 A-Z a-z`.
    #[error("a rank holds a character outside 0-9 A-Z a-z")]
    Character,
    /// The string ends in 0, so a shorter one names the same fraction.
    #[error("a rank ends in 0")]
    TrailingZero,
}

/// A place in an ordered collection: 1 to [`MAX_RANK_BYTES`] base-62 digits, the last one not `0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "CompactString")]
pub struct Rank(CompactString);

impl Rank {
    /// The rank as text, which compares as the rank does.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of the digit at `place`; behind the last one all are 0.
    fn digit(&self, place: usize) -> u128 {
        match self.0.as_bytes().get(place) {
            Some(digit @ b'0'..=b'9') => u128::from(digit - b'0'),
            Some(digit @ b'A'..=b'Z') => u128::from(digit - b'A') + 10,
            Some(digit @ b'a'..=b'z') => u128::from(digit - b'a') + 36,
            Some(_) | None => 0,
        }
    }
}

impl TryFrom<CompactString> for Rank {
    type Error = RankError;

    fn try_from(text: CompactString) -> Result<Self, RankError> {
        if text.len() > MAX_RANK_BYTES {
            return Err(RankError::TooLong);
        }
        if !text.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
            return Err(RankError::Character);
        }
        match text.as_bytes().last() {
            None => Err(RankError::Empty),
            Some(b'0') => Err(RankError::TrailingZero),
            Some(_) => Ok(Self(text)),
        }
    }
}

impl TryFrom<&str> for Rank {
    type Error = RankError;

    fn try_from(text: &str) -> Result<Self, RankError> {
        Self::try_from(CompactString::from(text))
    }
}

impl FromStr for Rank {
    type Err = RankError;

    fn from_str(text: &str) -> Result<Self, RankError> {
        Self::try_from(text)
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Rank {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rank".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9A-Za-z]*[1-9A-Za-z]$",
            "minLength": 1,
            "maxLength": MAX_RANK_BYTES,
        })
    }
}

/// A rank strictly between two others, `None` being the open end.
///
/// Between two ranks it is the shortest there is, the middle one of those. Beyond the first or the
/// last it is a small step away, so that thousands of cards added at an end stay short. `None`
/// when `low` is not below `high`, and when the rank would be longer than [`MAX_RANK_BYTES`].
pub fn between(low: Option<&Rank>, high: Option<&Rank>) -> Option<Rank> {
    let grid = |stride| Grid::new(low, high, 2, stride);
    match (low, high) {
        (Some(_), None) => grid(STEP_DIGITS).map(|grid| grid.rank(1)),
        (None, Some(_)) => grid(STEP_DIGITS).map(|grid| grid.rank(grid.steps - 1)),
        (None, None) | (Some(_), Some(_)) => grid(1).map(|grid| grid.rank(grid.steps / 2)),
    }
}

/// `count` ascending ranks strictly between two others, evenly spaced, as short as the gap allows.
///
/// `None` when `low` is not below `high`, when the ranks would be longer than [`MAX_RANK_BYTES`],
/// and when `count` is over [`MAX_SPREAD`].
pub fn spread(low: Option<&Rank>, high: Option<&Rank>, count: usize) -> Option<Vec<Rank>> {
    if count > MAX_SPREAD {
        return None;
    }
    let parts = count as u128 + 1;
    let grid = Grid::new(low, high, parts, 1)?;
    Some(
        (1..parts)
            .map(|part| grid.rank(grid.steps * part / parts))
            .collect(),
    )
}

/// Where something new goes, and which neighbours make room for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The rank of what is new.
    pub rank: Rank,
    /// New ranks of present members, by their index; at most [`REBALANCE_NEIGHBOURS`] and nearly
    /// always none.
    pub moved: Vec<(usize, Rank)>,
}

/// Finds the rank of something new that goes to `index` of a collection with these ascending ranks.
///
/// Looks at the two neighbours only, unless the rank between them is longer than
/// [`SOFT_RANK_BYTES`]. Then neighbours move apart. `None` when `index` is outside the collection,
/// when [`MAX_RANK_BYTES`] leave no room, and for some ranks that are not ascending.
pub fn place(ranks: &[&Rank], index: usize) -> Option<Placement> {
    if index > ranks.len() {
        return None;
    }
    let low = index
        .checked_sub(1)
        .and_then(|before| ranks.get(before))
        .copied();
    let high = ranks.get(index).copied();
    let unmoved = |rank| Placement {
        rank,
        moved: Vec::new(),
    };
    let direct = between(low, high);
    if direct
        .as_ref()
        .is_some_and(|rank| rank.len() <= SOFT_RANK_BYTES)
    {
        return direct.map(unmoved);
    }
    match (direct, Window::widest(ranks, index)) {
        (Some(rank), Some(window)) if rank.len() > window.grid.width => {
            window.make_room(ranks, index)
        }
        (Some(rank), _) => Some(unmoved(rank)),
        (None, window) => window?.make_room(ranks, index),
    }
}

/// Members that may move, the ranks around them that stay, and the room between those.
struct Window {
    start: usize,
    end: usize,
    low: Option<Rank>,
    high: Option<Rank>,
    grid: Grid,
}

impl Window {
    /// The window around `index` with the most room. Beyond an end of the collection it is bounded
    /// one step away, as if something were added there, or by 0 or 1 if there is no such step.
    fn widest(ranks: &[&Rank], index: usize) -> Option<Self> {
        let before = between(None, ranks.first().copied());
        let behind = between(ranks.last().copied(), None);
        (index.saturating_sub(REBALANCE_NEIGHBOURS)..=index)
            .filter_map(|start| {
                let end = ranks.len().min(start + REBALANCE_NEIGHBOURS);
                let outside = start.checked_sub(1).and_then(|outside| ranks.get(outside));
                let low = outside.copied().or(before.as_ref());
                let high = ranks.get(end).copied().or(behind.as_ref());
                let room = (end - start + 1) as u128 * REBALANCE_SLACK;
                let grid = Grid::new(low, high, room, 1)?;
                Some(Window {
                    start,
                    end,
                    low: low.cloned(),
                    high: high.cloned(),
                    grid,
                })
            })
            .min_by_key(|window| (window.grid.width, Reverse(window.grid.steps)))
    }

    /// Packs the members before `index` at the lower end and the others at the upper end, so that
    /// the room is where the new one goes: whoever adds often adds at the same place. Even spacing
    /// gives a part of that room away for good with every member that leaves the window; it was
    /// measured to run out of [`MAX_RANK_BYTES`] after some 13,000 insertions, where packed members
    /// keep within [`SOFT_RANK_BYTES`] for a million.
    fn make_room(self, ranks: &[&Rank], index: usize) -> Option<Placement> {
        let (lower, upper) = (index - self.start, self.end - index);
        let packed: Vec<Rank> = (0..lower)
            .map(|member| self.grid.rank(member as u128 + 1))
            .chain(
                (0..upper).map(|member| self.grid.rank(self.grid.steps - (upper - member) as u128)),
            )
            .collect();
        let below = lower.checked_sub(1).and_then(|member| packed.get(member));
        let above = packed.get(lower);
        let rank = between(below.or(self.low.as_ref()), above.or(self.high.as_ref()))?;
        let moved = (self.start..)
            .zip(packed)
            .filter(|(member, rank)| ranks.get(*member).is_some_and(|present| *present != rank))
            .collect();
        Some(Placement { rank, moved })
    }
}

/// Evenly spaced fractions of `width` digits. Step 0 is the lower bound rounded down, step `steps`
/// the upper bound rounded up, so the steps between these two are strictly between the bounds.
struct Grid {
    low: Option<Rank>,
    width: usize,
    steps: u128,
}

impl Grid {
    /// The grid with the fewest digits, a multiple of `stride`, that has `steps` steps or more
    /// between the bounds. `steps` has to be below 2^64.
    fn new(low: Option<&Rank>, high: Option<&Rank>, steps: u128, stride: usize) -> Option<Self> {
        if low.zip(high).is_some_and(|(low, high)| low >= high) {
            return None;
        }
        let digit = |rank: Option<&Rank>, place| rank.map_or(0, |rank| rank.digit(place));
        let mut width = 0;
        // Both bounds rounded down. The open upper end is 1, the open lower end 0.
        let mut difference = u128::from(high.is_none());
        loop {
            for place in width..width + stride {
                difference = difference * BASE + digit(high, place) - digit(low, place);
            }
            width += stride;
            let rounding = u128::from(high.is_some_and(|high| high.len() > width));
            if width > MAX_RANK_BYTES {
                return None;
            }
            if difference + rounding >= steps {
                return Some(Self {
                    low: low.cloned(),
                    width,
                    steps: difference + rounding,
                });
            }
        }
    }

    fn rank(&self, step: u128) -> Rank {
        let mut digits = [0; MAX_RANK_BYTES];
        let mut length = 0;
        let mut rest = step;
        for place in (0..self.width).rev() {
            rest += self.low.as_ref().map_or(0, |low| low.digit(place));
            let digit = rest % BASE;
            rest /= BASE;
            digits[place] = DIGITS[digit as usize];
            if length == 0 && digit != 0 {
                length = place + 1;
            }
        }
        Rank(digits[..length].iter().copied().map(char::from).collect())
    }
}
