//! Versions that are asked for to be undone: from the disk, or from here while they are on their way
//! there.

use std::collections::VecDeque;

use boardcast_protocol::board::{Actor, Applied, Deed, Moment, Reason, Rejection, undo};
use boardcast_protocol::command::Command;
use boardcast_protocol::message::ActivityEntry;
use boardcast_protocol::position::Version;

use super::Room;
use crate::planted::{Bug, planted};
use crate::room::RoomInput;
use crate::storage::Append;

/// Versions that are not on disk yet, as many as the journal holds of the board, with which they
/// share their bytes; and the one that was read from the disk for the input that comes next.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    on_their_way: VecDeque<Append>,
    read: Option<ActivityEntry>,
}

impl Deeds {
    pub(super) fn append(&mut self, append: &Append) {
        self.on_their_way.push_back(append.clone());
    }

    pub(super) fn durable(&mut self, version: Version) {
        while let Some(first) = self.on_their_way.front()
            && first.version <= version
        {
            self.on_their_way.pop_front();
        }
    }

    /// Lets go of what a busy time has grown.
    pub(super) fn rest(&mut self) {
        self.on_their_way.shrink_to_fit();
    }

    fn take(&mut self, version: Version) -> Option<Deed> {
        let read = self.read.take().filter(|entry| entry.n == version);
        if let Some(ActivityEntry { n, by, ev, was, .. }) = read {
            return Some(Deed {
                version: n,
                by,
                events: serde_json::from_value(ev).ok()?,
                was: serde_json::from_value(was).ok()?,
            });
        }
        let first = self.on_their_way.front()?.version;
        let nth = usize::try_from(version.0.checked_sub(first.0)?).ok()?;
        let append = self.on_their_way.get(nth)?;
        Some(Deed {
            version,
            by: append.by,
            events: serde_json::from_slice(&append.events).ok()?,
            was: serde_json::from_slice(&append.was).ok()?,
        })
    }
}

impl Room {
    /// The version that the input wants to have undone, where only the disk has it: to be
    /// [told](Self::remember) before the input is handled.
    pub(in crate::room) fn lacks_deed(&self, input: &RoomInput) -> Option<Version> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only these bring commands")]
        let cmds = match input {
            RoomInput::Submit(submission) => &submission.submit.cmds,
            RoomInput::Request(request) => &request.cmds,
            _ => return None,
        };
        let [Command::VersionUndo { version }] = cmds.as_slice() else {
            return None;
        };
        let version = wanted(*version);
        (version <= self.feed.durable()).then_some(version)
    }

    /// What the disk has of a version.
    pub(in crate::room) fn remember(&mut self, entry: Option<ActivityEntry>) {
        self.deeds.read = entry;
    }

    pub(super) fn undo(
        &mut self,
        actor: &Actor,
        version: Version,
        moment: Moment,
    ) -> Result<Applied, Rejection> {
        let Some(deed) = self.deeds.take(wanted(version)) else {
            let hint = format!("the history of this board has no version {version}");
            return Err(Rejection::new(Reason::NotFound, hint));
        };
        let by = match planted(Bug::UndoOfOthers) {
            true => actor.user,
            false => deed.by,
        };
        undo(&mut self.board, actor, &Deed { by, ..deed }, moment)
    }
}

fn wanted(version: Version) -> Version {
    match planted(Bug::UndoTheOneBefore) {
        true => Version(version.0.saturating_sub(1)),
        false => version,
    }
}
