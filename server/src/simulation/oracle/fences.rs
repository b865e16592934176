//! That nothing of an older connection is applied after a newer one of the client has subscribed
//! (rule R4).

use std::collections::BTreeMap;

use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::{Position, Seq};

/// What was sent and applied over which link. Links are numbered in the order of their making.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Fences {
    /// The newest link over which a submit was sent.
    sent: BTreeMap<(ClientId, BoardId, Seq), u64>,
    /// The newest link over which a client subscribed, and where the board was then.
    subscribed: BTreeMap<(ClientId, BoardId), (u64, Position)>,
    /// Where submits were applied, each with the newest link over which it had been sent by then.
    applied: BTreeMap<(ClientId, BoardId), Vec<(u64, Position)>>,
}

impl Fences {
    /// A client sends a submit over a link.
    pub(in crate::simulation) fn sent(&mut self, submit: (ClientId, BoardId, Seq), link: u64) {
        self.sent.insert(submit, link);
    }

    /// A submit was applied; what is wrong with that.
    pub(super) fn applied(
        &mut self,
        (client, board, seq): (ClientId, BoardId, Seq),
        at: Position,
    ) -> Option<String> {
        let link = *self.sent.get(&(client, board, seq))?;
        let applied = self.applied.entry((client, board)).or_default();
        applied.push((link, at));
        let fence = self.subscribed.get(&(client, board))?;
        breaks((link, at), *fence)
            .then(|| format!("{seq} of {client} was applied to {board} through a closed fence"))
    }

    /// A client has subscribed over a link; what is wrong with that.
    pub(super) fn subscribed(
        &mut self,
        (client, board): (ClientId, BoardId),
        link: u64,
        at: Position,
    ) -> Option<String> {
        let key = (client, board);
        let known = self.subscribed.entry(key).or_insert((link, at));
        if known.0 <= link {
            *known = (link, at);
        }
        let applied = self.applied.get(&(client, board))?;
        let broken = applied.iter().any(|applied| breaks(*applied, (link, at)));
        broken.then(|| format!("{client} had subscribed to {board} and an older link was heard"))
    }
}

/// Whether what was applied came over an older link and after the newer one had subscribed.
fn breaks((link, at): (u64, Position), (newer, fence): (u64, Position)) -> bool {
    link < newer && at.epoch == fence.epoch && at.version > fence.version
}
