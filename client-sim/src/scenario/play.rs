//! `boardcast-sim scenario FILE`: a fleet does what a file says.

use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::Scenario;
use crate::args::{Common, ScenarioArgs};
use crate::report::{Report, Setting};
use crate::run::perform;

/// Plays it; `stop` ends the commands before their time, and what was sent is judged as ever.
///
/// # Errors
/// The file is no scenario, the run could not be carried out, or did not end within its bound.
/// Violations are no error but part of the report.
pub async fn play(args: &ScenarioArgs, stop: &CancellationToken) -> anyhow::Result<Report> {
    let whole = Scenario::read(&args.file)?;
    let scenario = whole.scaled(args.scale, args.seconds);
    let common = common(args, &scenario);
    let within = Duration::from_secs_f64(scenario.within_seconds);
    let plan = scenario.plan();
    let performing = Box::pin(perform(&common, &plan, stop));
    let played = tokio::time::timeout(within, performing).await;
    let report = played.with_context(|| {
        format!(
            "the scenario {} did not end within its bound of {:.0} s: give it less to do \
             (`--scale`), or raise `within_seconds` in {}",
            scenario.name,
            scenario.within_seconds,
            args.file.display()
        )
    })??;
    Ok(report.of(Setting {
        name: scenario.name,
        about: scenario.about,
        scale: args.scale,
        commands_per_s: scenario.commands_per_s,
        presence_per_s: scenario.presence_per_s,
    }))
}

fn common(args: &ScenarioArgs, scenario: &Scenario) -> Common {
    Common {
        basics: args.basics.clone(),
        ramp: args.connects_per_s.unwrap_or(scenario.connects_per_s),
        settle: Duration::from_secs_f64(scenario.settle_seconds),
        replicas: scenario.replicas,
        plant_fault: None,
    }
}
