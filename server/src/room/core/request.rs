//! Somebody without a connection: a program over HTTP that asks, is answered and goes.
//!
//! It has no outbox and no cursor. What it wants is looked at in one turn, like a submit; what it
//! changed goes out to the subscribers like any version, and it waits itself until that is on disk.

use std::collections::BTreeMap;

use bytes::Bytes;
use tokio::sync::oneshot;

use boardcast_protocol::board::{Actor, Rejection, rejection_of};
use boardcast_protocol::message::OutcomeResult;
use boardcast_protocol::position::{Position, Timestamp, Version};

use super::submit::UNAVAILABLE_FACTOR;
use super::{Place, Room};
use crate::rate::Pace;
use crate::room::clients::{Name, Standing};
use crate::room::{ConnId, Decided, Request, RequestRefused, Viewed};
use crate::storage::{Append, KeptOutcome, Refusal};

/// Requests that wait until a version is on disk.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: BTreeMap<Version, Vec<oneshot::Sender<()>>>,
    count: usize,
}

impl Requests {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Everything up to `version` is on disk.
    pub(super) fn durable(&mut self, version: Version) {
        let later = self.waiting.split_off(&version.next());
        for waiting in std::mem::replace(&mut self.waiting, later).into_values() {
            self.count -= waiting.len();
            for told in waiting {
                // Whoever has gone needs no answer.
                let _ = told.send(());
            }
        }
    }

    fn wait(&mut self, version: Version, durable: Version) -> oneshot::Receiver<()> {
        let (told, wait) = oneshot::channel();
        if version <= durable {
            let _ = told.send(());
        } else {
            self.waiting.entry(version).or_default().push(told);
            self.count += 1;
        }
        wait
    }
}

/// The view as JSON.
#[derive(Debug)]
pub(super) struct Shown {
    version: Version,
    json: Bytes,
    /// Whether somebody got it since [`Room::rest_shown`].
    used: bool,
}

impl Shown {
    pub(super) fn bytes(&self) -> usize {
        self.json.len()
    }
}

impl Room {
    pub(super) fn position(&self) -> Position {
        Position {
            epoch: self.feed.epoch(),
            version: self.feed.version(),
        }
    }

    /// The view for a member: encoded when it is asked for first at a version.
    pub(super) fn show(&mut self, actor: &Actor, known: Option<Position>) -> Option<Viewed> {
        self.board.role_of(actor)?;
        let position = self.position();
        let json = (known != Some(position)).then(|| {
            let version = position.version;
            let kept = self.shown.take().filter(|kept| kept.version == version);
            let shown = self.shown.insert(kept.unwrap_or_else(|| {
                self.stats.views_encoded.add(1);
                Shown {
                    version,
                    // The view holds no map with keys that are not strings, the only case that fails.
                    json: serde_json::to_vec(self.board.view())
                        .unwrap_or_default()
                        .into(),
                    used: true,
                }
            }));
            shown.used = true;
            shown.json.clone()
        });
        Some(Viewed { position, json })
    }

    /// Lets go of the view that was encoded, once nobody has asked for it since the last time.
    pub(super) fn rest_shown(&mut self) {
        self.shown.take_if(|shown| !std::mem::take(&mut shown.used));
    }

    pub(super) fn request(
        &mut self,
        request: Request,
        place: Place,
        now: Timestamp,
    ) -> Option<Append> {
        let Request {
            actor,
            address,
            name,
            cmds,
            condition,
            answer,
        } = request;
        let name = name.map(|(client, seq)| Name {
            client,
            user: actor.user,
            conn: ConnId(0),
            seq,
            body: self.body_hash(&cmds, &Default::default()),
        });
        let judged = self.judge_request(&actor, name, now);
        let judged = judged.and_then(|repeated| match repeated {
            Some(kept) => {
                let today = || rejection_of(&self.board, &actor, &cmds, &Default::default(), now);
                let decided = self.repeated(&kept, today)?;
                Ok(Some(decided))
            }
            None => {
                self.has_place(place, cmds.len(), now)?;
                let sight = (&self.board, self.position());
                (condition.map_or(Ok(()), |holds| holds(sight))).map_err(RequestRefused::Stale)?;
                Ok(None)
            }
        });
        match judged {
            Ok(None) => {}
            Ok(Some(version)) => {
                let _ = answer.send(Ok(self.decided(version)));
                return None;
            }
            Err(refused) => {
                let _ = answer.send(Err(refused));
                return None;
            }
        }
        let moment = self.next_moment(actor.user, now);
        let applied = self.carry_out(&actor, &cmds, &Default::default(), moment);
        let (version, append) = match applied {
            Err(rejection) => {
                self.stats.rejected.of(rejection.reason as usize).add(1);
                let reason = Some(rejection.reason);
                self.settle_key(name, (OutcomeResult::Rejected, None, reason), now);
                let _ = answer.send(Err(RequestRefused::Rejected(rejection)));
                return None;
            }
            Ok(applied) if applied.events.is_empty() => {
                self.settle_key(name, (OutcomeResult::NoChange, None, None), now);
                (None, None)
            }
            Ok(applied) => {
                let version = Some(moment.version);
                self.settle_key(name, (OutcomeResult::Accepted, version, None), now);
                (
                    version,
                    Some(self.commit(&applied, name, moment, Some(address))),
                )
            }
        };
        let _ = answer.send(Ok(self.decided(version)));
        append
    }

    /// What a request is that came before; `None` for one that is to be looked at.
    fn judge_request(
        &mut self,
        actor: &Actor,
        name: Option<Name>,
        now: Timestamp,
    ) -> Result<Option<KeptOutcome>, RequestRefused> {
        if self.board.role_of(actor).is_none() {
            return Err(RequestRefused::NoSuchBoard);
        }
        let Some(name) = name else { return Ok(None) };
        match self.clients.judge_key(name, now) {
            None => Err(RequestRefused::TooManyKeys),
            Some(Standing::Fresh) => Ok(None),
            Some(Standing::Repeated(kept)) => Ok(Some(kept)),
            Some(
                Standing::Reused | Standing::Forgotten | Standing::AfterRefused | Standing::Foreign,
            ) => Err(RequestRefused::KeyReused),
        }
    }

    /// The same answer again, with the words of a rejection as the board stands today.
    fn repeated(
        &self,
        kept: &KeptOutcome,
        today: impl FnOnce() -> Option<Rejection>,
    ) -> Result<Option<Version>, RequestRefused> {
        let Some(reason) = kept.reason else {
            return Ok(kept.version);
        };
        let today = today().filter(|today| today.reason == reason);
        Err(RequestRefused::Rejected(today.unwrap_or_else(|| {
            let hint = "it was rejected when it came first; send it again under another key";
            Rejection::new(reason, hint)
        })))
    }

    fn has_place(
        &mut self,
        place: Place,
        commands: usize,
        now: Timestamp,
    ) -> Result<(), RequestRefused> {
        let waits = self.requests.count >= self.limits.waiting_max;
        let place = place.and(if waits { Err(Refusal::Busy) } else { Ok(()) });
        let retry_ms = self.limits.retry_ms;
        place.map_err(|refusal| {
            self.stats.busy.add(1);
            match refusal {
                Refusal::Busy => RequestRefused::Busy {
                    retry_ms,
                    hint: "there is more to be written than the disk takes at the moment".into(),
                },
                Refusal::Unavailable => RequestRefused::Unavailable {
                    retry_ms: retry_ms * UNAVAILABLE_FACTOR,
                },
            }
        })?;
        let count = u32::try_from(commands).unwrap_or(u32::MAX).max(1);
        let per_s = self.limits.commands_per_s;
        let taken = self.rate.take(now, count, Pace::commands(per_s));
        taken.map_err(|wait_ms| {
            self.stats.busy.add(1);
            self.stats.over_rate.add(1);
            RequestRefused::Busy {
                retry_ms: u32::try_from(wait_ms).unwrap_or(u32::MAX).max(retry_ms),
                hint: format!("a board takes {per_s} commands a second"),
            }
        })
    }

    fn settle_key(
        &mut self,
        name: Option<Name>,
        (result, version, reason): (
            OutcomeResult,
            Option<Version>,
            Option<boardcast_protocol::board::Reason>,
        ),
        now: Timestamp,
    ) {
        if let Some(name) = name {
            let outcome = KeptOutcome {
                seq: name.seq,
                body: name.body,
                result,
                version,
                reason,
            };
            self.clients.settle(name, outcome, now);
        }
    }

    /// Where nothing was to do, what was found waits for the disk as well: it may be a version that a
    /// crash takes back.
    fn decided(&mut self, version: Option<Version>) -> Decided {
        let seen = version.unwrap_or_else(|| self.feed.version());
        Decided {
            version,
            durable: self.requests.wait(seen, self.feed.durable()),
        }
    }
}
