//! `boardcast-sim replay`: what real people did on a real board, at a multiple of their rhythm.
//!
//! Each person of the trace is one client. An action waits for its moment, and then until earlier
//! actions of others on the same card or list are answered: a person can only touch what is there.

pub mod places;
pub mod trace;
pub mod translate;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use boardcast_protocol::board::Role;
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::{ClientId, UserId};
use boardcast_protocol::position::Seq;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::trace::Action;
use self::translate::{Translated, Translator};
use crate::args::ReplayArgs;
use crate::chronicle::Chronicle;
use crate::client::ClientHandle;
use crate::crew::{self, Post};
use crate::finish;
use crate::fleet::{CONNECTING_MAX, Fleet};
use crate::progress::watch;
use crate::report::{Actions, Facts, Report, Skipped};
use crate::series::Series;
use crate::server_usage::Usage;
use crate::steward::Steward;
use crate::token;

/// Time between two looks at whether an earlier action was answered.
const LOOK: Duration = Duration::from_millis(1);
/// Longest wait for the answer to an earlier action; the action is then sent regardless.
const PATIENCE: Duration = Duration::from_secs(10);

/// Replays a file.
///
/// # Errors
/// The replay could not be carried out; violations are no error but part of the report.
pub async fn replay(args: &ReplayArgs) -> anyhow::Result<Report> {
    let common = &args.common;
    let trace = trace::read(&args.file)?;
    let tokens = token::read(&common.basics.token_file, common.settle)?;
    let actors = trace.actors();
    let clients = actors.len() + args.watchers;
    let people: HashMap<String, UserId> = actors
        .iter()
        .chain(&trace.others())
        .enumerate()
        .map(|(index, person)| (person.clone(), tokens[index % tokens.len()].user))
        .collect();
    let everybody = people.len();
    let mut translator = Translator::new(people);
    let initial = translator.initial(&trace);

    let fleet = crew::fleet(common, clients, CONNECTING_MAX).await?;
    let mut rng = StdRng::seed_from_u64(common.basics.seed ^ 0x0b0a);
    let client = ClientId::from_u128(rng.random());
    let mut steward = Steward::connect(&fleet.target, &tokens[0].text, client).await?;
    let board = steward.create(&translate::title(&trace.name)).await?;
    let others = tokens
        .iter()
        .map(|token| token.user)
        .take(clients.max(everybody));
    let admission = crew::admit(others.filter(|user| *user != tokens[0].user), Role::Admin);
    steward.apply(board, &admission).await?;
    steward.apply(board, &initial).await?;
    steward.close().await;

    let chronicle = Arc::new(Chronicle::new(board));
    let (views, replicas) = crew::views(common.replicas, clients, 1, trace.cards());
    let posts: Vec<_> = (0..clients)
        .map(|index| Post {
            chronicle: Arc::clone(&chronicle),
            token: tokens[index % tokens.len()].clone(),
            churn: None,
            slow: None,
        })
        .collect();
    let connecting = crew::muster(&fleet, common, &posts, views);
    let clients = watch(&fleet, "connecting", connecting).await??;

    let before = Usage::of(common.basics.server_pid);
    let begun_ns = fleet.now_ns();
    let playing = play(
        &fleet,
        &clients,
        &actors,
        &trace.actions,
        &mut translator,
        args,
    );
    let actions = watch(&fleet, "replaying", playing).await?;
    let duration = Duration::from_nanos(fleet.now_ns() - begun_ns);
    let server = Usage::of(common.basics.server_pid).since(before);
    let settling = finish::settle(&clients, common.settle);
    let settled = watch(&fleet, "settling", settling).await?;
    let facts = Facts {
        clients: clients.len(),
        seed: common.basics.seed,
        duration,
        replicas,
        settled,
        server,
        actions,
        scenario: None,
        series: Series::default(),
    };
    let concluding = finish::conclude(&fleet, clients, common.basics.seed ^ 0x0f1a);
    let conclusion = watch(&fleet, "comparing", concluding).await??;
    let report = Report::new(facts, &fleet.tally(), conclusion);
    Ok(report)
}

/// Counts what becomes of the actions.
#[derive(Debug, Default)]
struct Counting {
    actions: Actions,
    skipped: BTreeMap<(String, &'static str), u64>,
}

impl Counting {
    fn count(&mut self, action: &Action, translated: &Translated) {
        self.actions.read += 1;
        let about = u64::from(action.is_about_cards_or_lists());
        self.actions.card_and_list += about;
        match translated {
            Translated::Sent { .. } => {
                self.actions.sent += 1;
                self.actions.card_and_list_sent += about;
            }
            Translated::Skipped(why) => {
                *self.skipped.entry((action.kind.clone(), why)).or_default() += 1;
            }
        }
    }

    fn done(mut self, prepared: u64) -> Actions {
        let skipped = self.skipped.into_iter();
        self.actions.skipped = skipped
            .map(|((what, why), count)| Skipped {
                what,
                count,
                why: why.to_owned(),
            })
            .collect();
        self.actions.prepared = prepared;
        self.actions
    }
}

async fn play(
    fleet: &Fleet,
    clients: &[ClientHandle],
    actors: &[String],
    actions: &[Action],
    translator: &mut Translator,
    args: &ReplayArgs,
) -> Actions {
    let index: HashMap<&str, usize> = actors
        .iter()
        .enumerate()
        .map(|(index, actor)| (actor.as_str(), index))
        .collect();
    let mut counting = Counting::default();
    let mut touched: HashMap<u128, (usize, Seq)> = HashMap::new();
    let mut due_ns = fleet.now_ns();
    let mut last_ms = actions.first().map_or(0, |action| action.at.0);
    for action in actions {
        let gap_ms = action.at.0.saturating_sub(last_ms);
        last_ms = last_ms.max(action.at.0);
        due_ns += gap_ns(gap_ms, args);
        let translated = translator.translate(action);
        counting.count(action, &translated);
        let Translated::Sent { cmds, touches } = translated else {
            continue;
        };
        let early_ns = due_ns.saturating_sub(fleet.now_ns());
        tokio::time::sleep(Duration::from_nanos(early_ns)).await;
        let author = index
            .get(action.actor.as_str())
            .copied()
            .unwrap_or_default();
        let earlier = touches.iter().filter_map(|thing| touched.get(thing));
        let waited = answered(clients, earlier.filter(|(who, _)| *who != author)).await;
        let intended_ns = if waited { fleet.now_ns() } else { due_ns };
        if let Some(seq) = send(&clients[author], cmds, intended_ns).await {
            touched.extend(touches.into_iter().map(|thing| (thing, (author, seq))));
        }
    }
    counting.done(translator.prepared())
}

fn gap_ns(gap_ms: u64, args: &ReplayArgs) -> u64 {
    let gap = Duration::from_millis(gap_ms).as_nanos() as f64 / args.speed.max(f64::MIN_POSITIVE);
    (gap as u64).min(u64::try_from(args.max_gap.as_nanos()).unwrap_or(u64::MAX))
}

/// Waits until these commands are answered; whether there was anything to wait for.
async fn answered(clients: &[ClientHandle], commands: impl Iterator<Item = &(usize, Seq)>) -> bool {
    let until = tokio::time::Instant::now() + PATIENCE;
    let mut waited = false;
    for (who, seq) in commands {
        let client = &clients[*who];
        while client.answered() < *seq && !client.has_ended() && tokio::time::Instant::now() < until
        {
            waited = true;
            tokio::time::sleep(LOOK).await;
        }
    }
    waited
}

/// Sends as soon as the client takes it; `None` when it has ended.
async fn send(client: &ClientHandle, cmds: Vec<Command>, intended_ns: u64) -> Option<Seq> {
    while !client.has_ended() {
        if let Ok(seq) = client.submit(cmds.clone(), intended_ns) {
            return Some(seq);
        }
        tokio::time::sleep(LOOK).await;
    }
    None
}
