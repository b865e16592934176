//! `boardcast-sim run`: many clients, an open loop of commands, and a look at what came of it.

use std::sync::Arc;
use std::time::Duration;

use boardcast_protocol::board::Role;
use boardcast_protocol::ids::ClientId;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

use crate::args::{Common, RunArgs};
use crate::chronicle::Chronicle;
use crate::crew::{self, Post};
use crate::drive::drive;
use crate::finish;
use crate::fleet::{Fleet, wall_clock};
use crate::plan::Plan;
use crate::progress::watch;
use crate::report::{Actions, Facts, Report};
use crate::series::Sampler;
use crate::server_usage::Usage;
use crate::steward::Steward;
use crate::token::{self, Token};
use crate::workload::Workload;

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
    Box::pin(perform(&args.common, &Plan::of_run(args), stop)).await
}

/// Does what is planned, from making the boards to comparing all replicas; `stop` as for
/// [`run_until`].
///
/// # Errors
/// It could not be carried out; violations are no error but part of the report.
pub async fn perform(
    common: &Common,
    plan: &Plan,
    stop: &CancellationToken,
) -> anyhow::Result<Report> {
    let tokens = token::read(&common.basics.token_file, plan.duration + common.settle)?;
    let fleet = crew::fleet(common, plan.clients, plan.connecting_at_once).await?;
    let making = make_boards(common, plan, &fleet, &tokens);
    let boards = watch(&fleet, "making boards", making).await??;
    let (views, replicas) = crew::views(common.replicas, plan.clients, plan.boards, plan.cards);
    let posts: Vec<_> = (0..plan.clients)
        .map(|index| Post {
            chronicle: Arc::clone(&boards[index % plan.boards]),
            token: tokens[index % tokens.len()].clone(),
            // The last ones: the first ones keep views and carry planted faults.
            churn: plan.churn_of(index),
            slow: plan.pauses_of(index),
        })
        .collect();
    let mut sampler = Sampler::start(&fleet, common.basics.server_pid, plan.duration);
    let connecting = crew::muster(&fleet, common, &posts, views);
    let clients = watch(&fleet, "connecting", connecting).await??;

    let before = Usage::of(common.basics.server_pid);
    let begun_ns = fleet.now_ns();
    sampler.runs();
    let driving = stop.run_until_cancelled(drive(&fleet, &clients, plan, common.basics.seed));
    watch(&fleet, "running", driving).await?;
    sampler.has_run();
    let driven = Duration::from_nanos(fleet.now_ns() - begun_ns);
    let server = Usage::of(common.basics.server_pid).since(before);
    let settling = finish::settle(&clients, common.settle);
    let settled = watch(&fleet, "settling", settling).await?;
    let series = sampler.finish().await?;
    let concluding = finish::conclude(&fleet, clients, common.basics.seed ^ 0x0f1a);
    let conclusion = watch(&fleet, "comparing", concluding).await??;
    let facts = Facts {
        clients: plan.clients,
        seed: common.basics.seed,
        duration: plan.duration.min(driven),
        replicas,
        settled,
        server,
        actions: Actions::default(),
        scenario: None,
        series,
    };
    let report = Report::new(facts, &fleet.tally(), conclusion);
    Ok(report)
}

async fn make_boards(
    common: &Common,
    plan: &Plan,
    fleet: &Fleet,
    tokens: &[Token],
) -> anyhow::Result<Vec<Arc<Chronicle>>> {
    let mut rng = StdRng::seed_from_u64(common.basics.seed ^ 0x0b0a);
    let mut workload = Workload::new(rng.random());
    let client = ClientId::from_u128(rng.random());
    let mut steward = Steward::connect(&fleet.target, &tokens[0].text, client).await?;
    let mut boards = Vec::with_capacity(plan.boards);
    for number in 0..plan.boards {
        let board = steward
            .create(&format!("Simulated board {}", number + 1))
            .await?;
        let on_board = (number..plan.clients).step_by(plan.boards);
        let others = on_board
            .map(|index| tokens[index % tokens.len()].user)
            .filter(|user| *user != tokens[0].user);
        let mut commands = crew::admit(others, Role::Editor);
        commands.extend(workload.fill(plan.columns, plan.cards, &[tokens[0].user], wall_clock()));
        steward.apply(board, &commands).await?;
        boards.push(Arc::new(Chronicle::new(board)));
    }
    steward.close().await;
    Ok(boards)
}
