//! `boardcast-sim run`: many clients, an open loop of commands, and a look at what came of it.

use std::sync::Arc;
use std::time::Duration;

use boardcast_protocol::board::Role;
use boardcast_protocol::ids::ClientId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

use crate::args::RunArgs;
use crate::chronicle::Chronicle;
use crate::client::ClientHandle;
use crate::crew::{self, Post};
use crate::files;
use crate::finish;
use crate::fleet::{Fleet, wall_clock};
use crate::progress::watch;
use crate::replica::Keep;
use crate::report::{Actions, Facts, Report};
use crate::server_usage::Usage;
use crate::steward::Steward;
use crate::token::{self, Token};
use crate::workload::Workload;

/// Cards of a board at least.
const BOARD_CARDS_MIN: usize = 5;
/// Clients that are asked in turn whether they take a command.
const TRIES: usize = 64;
/// One command in so many comes with opening a card.
const OPEN_EVERY: u64 = 16;
/// Commands that are handed out before other tasks get a turn.
const BURST: u64 = 64;

/// Runs it.
///
/// # Errors
/// The run could not be carried out; violations are no error but part of the report.
pub async fn run(args: &RunArgs) -> anyhow::Result<Report> {
    run_until(args, &CancellationToken::new()).await
}

/// Runs it; `stop` ends the commands before their time, and the run goes on with its settling and
/// its comparison.
///
/// # Errors
/// The run could not be carried out; violations are no error but part of the report.
pub async fn run_until(args: &RunArgs, stop: &CancellationToken) -> anyhow::Result<Report> {
    let common = &args.common;
    files::make_room(args.clients)?;
    let tokens = token::read(&common.token_file)?;
    let fleet = crew::fleet(common).await?;
    let cards = args.cards.div_ceil(args.boards).max(BOARD_CARDS_MIN);
    let boards = make_boards(args, &fleet, &tokens, cards).await?;
    let (views, replicas) = crew::views(common.replicas, args.clients, args.boards, cards);
    let churning = (args.clients as f64 * args.churn).round() as usize;
    let posts: Vec<_> = (0..args.clients)
        .map(|index| Post {
            chronicle: Arc::clone(&boards[index % args.boards]),
            token: tokens[index % tokens.len()].clone(),
            // The last ones: the first ones keep views and carry planted faults.
            churns: index >= args.clients - churning,
        })
        .collect();
    let connecting = crew::muster(&fleet, common, &posts, views);
    let clients = watch(&fleet, &[], "connecting", connecting).await??;

    let before = Usage::of(common.server_pid);
    let begun_ns = fleet.now_ns();
    let driving = stop.run_until_cancelled(drive(&fleet, &clients, args));
    watch(&fleet, &clients, "running", driving).await?;
    let driven = Duration::from_nanos(fleet.now_ns() - begun_ns);
    let server = Usage::of(common.server_pid).since(before);
    let settling = finish::settle(&clients, common.settle);
    let settled = watch(&fleet, &clients, "settling", settling).await?;
    let concluding = finish::conclude(&fleet, clients, common.seed ^ 0x0f1a);
    let conclusion = watch(&fleet, &[], "comparing", concluding).await??;
    let facts = Facts {
        clients: args.clients,
        seed: common.seed,
        duration: args.duration.min(driven),
        replicas,
        settled,
        server,
        actions: Actions::default(),
    };
    let report = Report::new(facts, &fleet.tally(), conclusion);
    Ok(report)
}

async fn make_boards(
    args: &RunArgs,
    fleet: &Fleet,
    tokens: &[Token],
    cards: usize,
) -> anyhow::Result<Vec<Arc<Chronicle>>> {
    let mut rng = StdRng::seed_from_u64(args.common.seed ^ 0x0b0a);
    let mut workload = Workload::new(rng.random());
    let client = ClientId::from_u128(rng.random());
    let mut steward = Steward::connect(&fleet.target, &tokens[0].text, client).await?;
    let mut boards = Vec::with_capacity(args.boards);
    for number in 0..args.boards {
        let board = steward
            .create(&format!("Simulated board {}", number + 1))
            .await?;
        let on_board = (number..args.clients).step_by(args.boards);
        let others = on_board
            .map(|index| tokens[index % tokens.len()].user)
            .filter(|user| *user != tokens[0].user);
        let mut commands = crew::admit(others, Role::Editor);
        commands.extend(workload.fill(cards, &[tokens[0].user], wall_clock()));
        steward.apply(board, &commands).await?;
        boards.push(Arc::new(Chronicle::new(board)));
    }
    steward.close().await;
    Ok(boards)
}

/// Hands out commands in an open loop: number i is due at i / rate, whether or not earlier ones
/// were answered, and its latency counts from then.
async fn drive(fleet: &Fleet, clients: &[ClientHandle], args: &RunArgs) {
    let mut workload = Workload::new(args.common.seed);
    let begun_ns = fleet.now_ns();
    let total = (args.rate * args.duration.as_secs_f64()).floor() as u64;
    for number in 0..total {
        let due_ns = begun_ns + (number as f64 * 1e9 / args.rate) as u64;
        let wait_ns = due_ns.saturating_sub(fleet.now_ns());
        if wait_ns > 0 {
            tokio::time::sleep(Duration::from_nanos(wait_ns)).await;
        } else if number.is_multiple_of(BURST) {
            tokio::task::yield_now().await;
        }
        let first = (number % clients.len() as u64) as usize;
        if !hand_out(clients, first, due_ns, number, &mut workload) {
            fleet.tally().commands.held_back += 1;
        }
    }
    let spent = Duration::from_nanos(fleet.now_ns() - begun_ns);
    tokio::time::sleep(args.duration.saturating_sub(spent)).await;
}

/// Gives the next command to client `first`, or to the next one that is there and takes it.
fn hand_out(
    clients: &[ClientHandle],
    first: usize,
    due_ns: u64,
    number: u64,
    workload: &mut Workload,
) -> bool {
    for try_ in 0..clients.len().min(TRIES) {
        let client = &clients[(first + try_) % clients.len()];
        if !client.is_live() {
            continue;
        }
        let made = client.chronicle().with_view(|reference| {
            let (_, view) = reference?;
            let opened = workload
                .card(view)
                .filter(|_| number.is_multiple_of(OPEN_EVERY));
            Some((workload.next(view, wall_clock()), opened))
        });
        let Some((cmds, opened)) = made else { continue };
        if client.submit(cmds, due_ns).is_err() {
            continue;
        }
        if let Some(card) = opened.filter(|_| client.keep() == Keep::View) {
            client.open(card);
        }
        return true;
    }
    false
}
