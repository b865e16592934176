//! That nothing of an older connection is applied after a newer one of the client has subscribed
//! (rule R4).

use std::collections::BTreeMap;

use boardcast_protocol::ids::{BoardId, ClientId};
use boardcast_protocol::position::{Epoch, Position, Seq, Version};

type Submit = (ClientId, BoardId, Seq);

/// What came in and was applied over which link. Links are numbered in the order of their making.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Fences {
    /// The links over which a submit was sent, and how many bytes the server has read of each link
    /// when it has read it.
    sent: BTreeMap<Submit, Vec<(u64, u64)>>,
    /// How many bytes the server has read of each link.
    read: BTreeMap<u64, u64>,
    /// The newest link over which a client subscribed, and where the board was then.
    subscribed: BTreeMap<(ClientId, BoardId), (u64, Position)>,
    /// Where submits were applied, each with the newest link over which it had come in by then.
    applied: BTreeMap<(ClientId, BoardId), BTreeMap<(Epoch, Version), u64>>,
}

impl Fences {
    /// A client sends a submit as the bytes of a link up to `end`.
    pub(in crate::simulation) fn sent(&mut self, submit: Submit, (link, end): (u64, u64)) {
        self.sent.entry(submit).or_default().push((link, end));
    }

    /// The server reads bytes of a link.
    pub(in crate::simulation) fn read(&mut self, link: u64, bytes: usize) {
        *self.read.entry(link).or_default() += bytes as u64;
    }

    /// A submit is seen as applied; what is wrong with that. The first sight counts: what was sent
    /// again over a newer link may have come in after it was applied.
    pub(super) fn applied(&mut self, submit: Submit, at: Position) -> Option<String> {
        let (client, board, seq) = submit;
        let applied = self.applied.entry((client, board)).or_default();
        if applied.contains_key(&(at.epoch, at.version)) {
            return None;
        }
        let came_in = |(link, end): &&(u64, u64)| self.read.get(link) >= Some(end);
        let links = self.sent.get(&submit)?.iter().filter(came_in);
        let link = links.map(|(link, _)| *link).max()?;
        applied.insert((at.epoch, at.version), link);
        let (newer, fence) = *self.subscribed.get(&(client, board))?;
        (link < newer && at.epoch == fence.epoch && at.version > fence.version)
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
        let later = (at.epoch, at.version.next())..=(at.epoch, Version(u64::MAX));
        let mut applied = self.applied.get(&(client, board))?.range(later);
        let broken = applied.any(|(_, over)| *over < link);
        broken.then(|| format!("{client} had subscribed to {board} and an older link was heard"))
    }
}
