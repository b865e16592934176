//! What was refused at the door, before it came to a room (rule R4).

use boardcast_protocol::ids::BoardId;
use boardcast_protocol::position::Seq;

/// Boards for which it is remembered; of more, the order of the oldest is lost.
const BOARDS_MAX: usize = 1_000;
/// Numbers of a board that are remembered; of more, the highest are not. Who sends them again in
/// order comes to the lower ones first.
const REFUSED_MAX: usize = 64;

/// The submits of a connection that were refused and have not come again.
#[derive(Debug, Default)]
pub(super) struct Order(Vec<Lane>);

#[derive(Debug)]
struct Lane {
    board: BoardId,
    /// Rising.
    refused: Vec<Seq>,
}

impl Order {
    /// A submit goes to its room. The highest lower number that was refused and has not come again:
    /// the room knows whether it was answered before.
    pub(super) fn comes(&mut self, board: BoardId, seq: Seq) -> Option<Seq> {
        let at = self.0.iter().position(|lane| lane.board == board)?;
        let refused = &mut self.0[at].refused;
        refused.retain(|known| *known != seq);
        let after = refused.iter().rfind(|known| **known < seq).copied();
        if refused.is_empty() {
            self.0.swap_remove(at);
        }
        after
    }

    /// A submit was refused.
    pub(super) fn refused(&mut self, board: BoardId, seq: Seq) {
        let lane = self.lane(board);
        if let Err(at) = lane.refused.binary_search(&seq) {
            lane.refused.insert(at, seq);
            lane.refused.truncate(REFUSED_MAX);
        }
    }

    fn lane(&mut self, board: BoardId) -> &mut Lane {
        let at = match self.0.iter().position(|lane| lane.board == board) {
            Some(at) => at,
            None => {
                if self.0.len() >= BOARDS_MAX {
                    self.0.remove(0);
                }
                self.0.push(Lane {
                    board,
                    refused: Vec::new(),
                });
                self.0.len() - 1
            }
        };
        &mut self.0[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r4_what_was_refused_is_named_until_it_comes_again() {
        let (mut order, board) = (Order::default(), "b".parse().unwrap());
        assert_eq!(order.comes(board, Seq(4)), None);
        order.refused(board, Seq(5));
        order.refused(board, Seq(7));
        assert_eq!(order.comes(board, Seq(6)), Some(Seq(5)));
        assert_eq!(order.comes(board, Seq(9)), Some(Seq(7)));
        assert_eq!(order.comes("a".parse().unwrap(), Seq(9)), None);
        assert_eq!(order.comes(board, Seq(5)), None);
        assert_eq!(order.comes(board, Seq(6)), None);
        assert_eq!(order.comes(board, Seq(7)), None);
        assert_eq!(order.comes(board, Seq(9)), None);
        assert!(order.0.is_empty());
    }

    #[test]
    fn r8_the_lowest_refused_numbers_are_remembered() {
        let (mut order, board) = (Order::default(), "b".parse().unwrap());
        for seq in (1..=100).rev() {
            order.refused(board, Seq(seq));
        }
        assert_eq!(order.comes(board, Seq(200)), Some(Seq(64)));
    }
}
