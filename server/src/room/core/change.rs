//! A version comes into being: one for each accepted submit or import (rule R1).

use std::net::IpAddr;

use bytes::Bytes;

use boardcast_protocol::board::{
    Action, Actor, Applied, Moment, Reason, Rejection, Seen, Stamp, install, transact,
};
use boardcast_protocol::command::Command;
use boardcast_protocol::event::Event;
use boardcast_protocol::ids::UserId;
use boardcast_protocol::position::Timestamp;

use super::{Place, Room};
use crate::planted::{Bug, planted};
use crate::room::clients::Name;
use crate::room::entry::{Entry, EntryHead};
use crate::room::{Import, ImportRefused, ImportReport};
use crate::storage::Append;

impl Room {
    pub(super) fn next_moment(&self, by: UserId, at: Timestamp) -> Moment {
        Moment {
            version: self.feed.version().next(),
            stamp: Stamp { by, at },
        }
    }

    /// Decides and applies commands as the version of `moment`.
    pub(super) fn carry_out(
        &mut self,
        actor: &Actor,
        cmds: &[Command],
        seen: &Seen,
        moment: Moment,
    ) -> Result<Applied, Rejection> {
        if let [Command::VersionUndo { version }] = cmds {
            return self.undo(actor, *version, moment);
        }
        let restores = |cmd: &Command| matches!(cmd, Command::BoardSet { .. });
        if planted(Bug::ArchivedTakesAll)
            && self.board.view().archived
            && !cmds.iter().any(restores)
        {
            let archive = |archived| Event::BoardSet {
                title: None,
                background: None,
                archived: Some(archived),
            };
            let _ = install(&mut self.board, vec![archive(false)], moment);
            let applied = transact(&mut self.board, actor, cmds, seen, moment);
            let _ = install(&mut self.board, vec![archive(true)], moment);
            return applied;
        }
        transact(&mut self.board, actor, cmds, seen, moment)
    }

    /// What was applied becomes the version of `moment`: encoded once for the log, the ring and
    /// the batches.
    pub(super) fn commit(
        &mut self,
        applied: &Applied,
        name: Option<Name>,
        moment: Moment,
        address: Option<IpAddr>,
    ) -> Append {
        let Stamp { by, at } = moment.stamp;
        let head = EntryHead {
            version: moment.version,
            origin: name.map(|name| (name.client, name.seq)),
            by,
            at,
        };
        let entry = Entry::compose(head, &mut self.scratch, |out| {
            // Events hold no map with keys that are not strings, the only case that fails.
            let _ = serde_json::to_writer(out, &applied.events);
        });
        self.scratch.clear();
        let _ = serde_json::to_writer(&mut self.scratch, &applied.was);
        let events = if planted(Bug::LoseLastEvent) && applied.events.len() > 1 {
            let kept = &applied.events[..applied.events.len() - 1];
            serde_json::to_vec(kept).unwrap_or_default().into()
        } else {
            entry.events()
        };
        let append = Append {
            version: moment.version,
            origin: name.map(|name| (name.client, name.seq, name.body)),
            by,
            at,
            events,
            was: Bytes::copy_from_slice(&self.scratch),
        };
        self.deeds.append(&append);
        self.feed.append(entry);
        for event in &applied.events {
            self.dirty.extend(event.touches());
            let card = event.card();
            (self.touched).extend(card.map(|card| (card, moment.version)));
            self.buried.extend(event.buries());
        }
        self.settle_roles(&applied.events);
        self.note_roles(&applied.events, moment.stamp, address);
        append
    }

    pub(super) fn import(
        &mut self,
        import: Import,
        place: Place,
        now: Timestamp,
    ) -> Option<Append> {
        let Import {
            actor,
            change,
            answer,
        } = import;
        let role = self.board.role_of(&actor);
        let prepared = if role.is_some_and(|role| role.may(Action::Administer)) {
            place
                .map_err(ImportRefused::Refused)
                .and_then(|()| change(&self.board).map_err(ImportRefused::Rejected))
        } else {
            let hint = "only an admin of the board may import onto it";
            let rejection = Rejection::new(Reason::Forbidden, hint);
            Err(ImportRefused::Rejected(rejection))
        };
        let moment = self.next_moment(actor.user, now);
        let applied = prepared.and_then(|events| {
            install(&mut self.board, events, moment).map_err(ImportRefused::Rejected)
        });
        let events = match applied {
            Ok(applied) if !applied.events.is_empty() => applied,
            Ok(_) => {
                let report = ImportReport {
                    version: self.feed.version(),
                    events: 0,
                };
                let _ = answer.send(Ok(report));
                return None;
            }
            Err(refused) => {
                let _ = answer.send(Err(refused));
                return None;
            }
        };
        let append = self.commit(&events, None, moment, None);
        let report = ImportReport {
            version: moment.version,
            events: events.events.len(),
        };
        self.imports.insert(moment.version, (answer, report));
        Some(append)
    }
}
