//! `boardcast config`.

use std::io::Write as _;

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::{Map, Value, json};

use super::Failure;
use super::serve::SettingsArgs;
use crate::config::{Config, InForce, Settings};

#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgs {
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingsArgs,
}

pub(super) fn run(args: ConfigArgs, matches: &ArgMatches) -> Result<(), Failure> {
    let config = read(args.settings, matches)?;
    let mut text = String::new();
    for InForce { name, value, from } in &config.settings {
        text += &match args.json {
            true => json!({"name": name, "value": value, "from": from}).to_string(),
            // JSON of texts, numbers and lists of texts is TOML as well.
            false => format!("{name} = {value} # {from}"),
        };
        text.push('\n');
    }
    let printed = std::io::stdout().lock().write_all(text.as_bytes());
    printed.map_err(|error| Failure::failed(format!("failed to print: {error}")))
}

/// The configuration that flags, variables and file make, with all settings and where they come from.
pub(super) fn read(args: SettingsArgs, matches: &ArgMatches) -> Result<Config, Failure> {
    let file = args.file()?;
    let given = args.settings.over(file.clone());
    let mut config = given.clone().into_config().map_err(Failure::usage)?;
    let in_file = entries(&file)?;
    let in_force = entries(&Settings::in_force(given, &config))?;
    let settings = in_force.into_iter().map(|(name, value)| {
        let from = match matches.value_source(&name) {
            Some(ValueSource::CommandLine) => "flag",
            Some(ValueSource::EnvVariable) => "environment",
            Some(_) | None if in_file.get(&name).is_some_and(|value| !value.is_null()) => "file",
            Some(_) | None => "default",
        };
        InForce { name, value, from }
    });
    config.settings = settings.collect();
    Ok(config)
}

/// The settings by their names.
fn entries(settings: &Settings) -> Result<Map<String, Value>, Failure> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(entries)) => Ok(entries),
        Ok(_) => Err(Failure::failed("the settings have no names")),
        Err(error) => Err(Failure::failed(format!(
            "failed to list the settings: {error}"
        ))),
    }
}
