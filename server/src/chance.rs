//! Random numbers: drawn at the edges only, everything pure takes them as arguments (rule R13).

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Epoch;

/// An epoch that no board has had.
pub(crate) fn epoch() -> Epoch {
    Epoch(bits())
}

/// An id for a new board: 96 random bits need not be longer to be unique and hard to guess.
pub(crate) fn board_id() -> BoardId {
    BoardId::from_u128(u128::from(bits()) << 32 | u128::from(bits() >> 32))
}

/// A wait between half and all of `most_ms`: those who begin together do not return together.
pub(crate) fn spread_ms(most_ms: u32) -> u32 {
    let half = most_ms / 2;
    let part = u64::from(most_ms - half) + 1;
    half + u32::try_from(bits() % part).unwrap_or_default()
}

/// A number from 0 to `most`.
pub(crate) fn up_to(most: u64) -> u64 {
    most.checked_add(1)
        .map_or_else(bits, |count| bits() % count)
}

#[cfg(not(test))]
fn bits() -> u64 {
    rand::random()
}

#[cfg(test)]
use simulation::bits;

/// A source that a test can seed, for its own thread.
#[cfg(test)]
pub(crate) mod simulation {
    use std::cell::RefCell;

    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    thread_local! {
        static SOURCE: RefCell<Option<StdRng>> = const { RefCell::new(None) };
    }

    /// From now on this thread draws from the sequence of `seed`.
    pub(crate) fn seed(seed: u64) {
        SOURCE.set(Some(StdRng::seed_from_u64(seed)));
    }

    pub(super) fn bits() -> u64 {
        SOURCE.with_borrow_mut(|source| match source {
            Some(source) => source.random(),
            None => rand::random(),
        })
    }
}
