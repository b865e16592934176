//! How much is asked of a server, and which connection sits where.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use anyhow::{Context, ensure};

/// Boards with the same number of subscribers that share a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) boards: u32,
    /// Of each board.
    pub(crate) subscribers: u32,
    /// Operations a second on all the boards together.
    pub(crate) rate: f64,
}

impl Load {
    /// Connections of all its boards.
    pub(crate) fn seats(&self) -> usize {
        self.boards as usize * self.subscribers as usize
    }

    /// Deliveries a second when every operation reaches every subscriber.
    pub(crate) fn deliveries_per_s(&self) -> f64 {
        self.rate * f64::from(self.subscribers)
    }
}

impl FromStr for Load {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let form = "a load is BOARDSxSUBSCRIBERS@RATE, such as 500x4@6000";
        let (counts, rate) = text.split_once('@').context(form)?;
        let (boards, subscribers) = counts.split_once('x').context(form)?;
        let load = Self {
            boards: boards.parse().context(form)?,
            subscribers: subscribers.parse().context(form)?,
            rate: rate.parse().context(form)?,
        };
        ensure!(load.boards > 0 && load.subscribers > 0, form);
        ensure!(load.rate.is_finite() && load.rate > 0.0, form);
        Ok(load)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}@{}", self.boards, self.subscribers, self.rate)
    }
}

/// Where the connections and boards of a load stand among those of all loads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    first_seat: usize,
    first_board: u32,
    boards: u32,
    subscribers: u32,
}

impl Place {
    /// One place for each load, in their order.
    pub(crate) fn all(loads: &[Load]) -> Vec<Self> {
        let (mut first_seat, mut first_board) = (0, 0);
        let places = loads.iter().map(|load| {
            let place = Self {
                first_seat,
                first_board,
                boards: load.boards,
                subscribers: load.subscribers,
            };
            first_seat += load.seats();
            first_board += load.boards;
            place
        });
        places.collect()
    }

    pub(crate) fn boards(&self) -> Range<u32> {
        self.first_board..self.first_board + self.boards
    }

    /// The boards of its connections, in the order in which they connect: interleaved, so that no
    /// board is full before the others have begun.
    pub(crate) fn board_of_each_seat(&self) -> impl Iterator<Item = u32> + use<> {
        let (boards, subscribers) = (self.boards(), self.subscribers);
        (0..subscribers).flat_map(move |_| boards.clone())
    }

    /// The connections of a board.
    pub(crate) fn seats_of(&self, board: u32) -> impl Iterator<Item = usize> + use<> {
        let first = self.first_seat + (board - self.first_board) as usize;
        (0..self.subscribers as usize).map({
            let boards = self.boards as usize;
            move |turn| first + turn * boards
        })
    }

    /// The `nth` operation of the load: boards take turns, and on each board its subscribers do.
    pub(crate) fn turn(&self, nth: u64) -> Turn {
        let boards = u64::from(self.boards);
        let board = (nth % boards) as u32;
        let nth_of_board = nth / boards;
        let subscriber = (nth_of_board % u64::from(self.subscribers)) as usize;
        Turn {
            seat: self.first_seat + board as usize + subscriber * self.boards as usize,
            board: self.first_board + board,
            nth_of_board,
        }
    }
}

/// Who publishes an operation, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) seat: usize,
    pub(crate) board: u32,
    pub(crate) nth_of_board: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_read_and_a_wrong_one_is_refused() {
        let load: Load = "500x4@6000".parse().unwrap();
        assert_eq!((load.boards, load.subscribers, load.rate), (500, 4, 6000.0));
        assert_eq!(load.to_string(), "500x4@6000");
        for wrong in [
            "", "500", "500x4", "0x4@1", "4x0@1", "4x4@0", "4x4@inf", "axb@c",
        ] {
            assert!(wrong.parse::<Load>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn authors_sit_on_the_board_that_they_change() {
        let loads: Vec<Load> = ["3x2@1", "2x5@1"].map(|text| text.parse().unwrap()).into();
        let places = Place::all(&loads);
        let boards: Vec<u32> = places.iter().flat_map(Place::board_of_each_seat).collect();
        assert_eq!(boards, [0, 1, 2, 0, 1, 2, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4]);
        for place in &places {
            for nth in 0..40 {
                let turn = place.turn(nth);
                assert_eq!(boards[turn.seat], turn.board);
                assert!(place.seats_of(turn.board).any(|seat| seat == turn.seat));
            }
        }
        assert_eq!(places[0].turn(7).nth_of_board, 2);
        let authors: Vec<usize> = (0..5).map(|nth| places[0].turn(nth * 3).seat).collect();
        assert_eq!(authors, [0, 3, 0, 3, 0], "subscribers take turns");
    }
}
