//! A scenario: what a fleet does, in a TOML file, and how a smaller version of it is made.

pub mod play;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use boardcast_protocol::limits::CARDS_MAX;
use serde::Deserialize;

use crate::args::Replicas;
use crate::client::{Churn, Pauses};
use crate::plan::{Plan, Storm};
use crate::timetable::Timetable;
use crate::workload::FILL_COLUMNS;

/// Clients at most: what 200 loopback addresses have ports for, in several processes.
const CLIENTS_MAX: usize = 5_000_000;
/// Commands, presence updates or connections a second at most.
const PER_S_MAX: f64 = 1_000_000.0;
/// Seconds of anything at most: a week.
const SECONDS_MAX: f64 = 7.0 * 86_400.0;
/// Parts of a day at most.
const DAY_MAX: usize = 1_000;
/// Storms at most.
const STORMS_MAX: usize = 100;
/// Shortest pause, stay or absence of a version that takes less time.
const SPELL_MIN_S: f64 = 0.1;

/// What a fleet does. Docs: `docs/load.md`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// Clients; client i is on board i mod `boards`.
    pub clients: usize,
    /// Boards, made for it.
    pub boards: usize,
    /// Cards of each board to begin with; at least five.
    pub cards: usize,
    /// Cards from which on a board gets no further ones: one is deleted instead of made.
    #[serde(default = "no_bound")]
    pub cards_max: usize,
    /// How long commands are sent.
    pub seconds: f64,
    /// Longest wait for outstanding answers after that.
    pub settle_seconds: f64,
    /// Bound on all of it, from the first connection to the last comparison.
    pub within_seconds: f64,
    /// Connections that are opened a second at the beginning.
    pub connects_per_s: u32,
    /// Connections that are being opened at one time; further ones wait.
    #[serde(default = "connecting_at_once")]
    pub connecting_at_once: usize,
    /// Which clients keep a whole view.
    #[serde(default)]
    pub replicas: Replicas,
    /// Commands a second in all.
    pub commands_per_s: f64,
    /// What the rate of commands and of presence is multiplied with, in equal parts of the time.
    #[serde(default)]
    pub day: Vec<f64>,
    /// Presence updates a second in all.
    #[serde(default)]
    pub presence_per_s: f64,
    /// Clients that come and go.
    pub churn: Option<Churning>,
    /// Clients that stop reading again and again.
    pub slow: Option<SlowReading>,
    /// Moments at which many are cut at once.
    #[serde(default, rename = "storm")]
    pub storms: Vec<Storm>,
}

/// Clients that come and go.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churning {
    /// Share of the clients.
    pub share: f64,
    /// Longest stay; the shortest is a quarter of it.
    pub stay_seconds: f64,
    /// Longest absence.
    pub away_seconds: f64,
}

/// Clients that stop reading again and again, and send nothing.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowReading {
    /// Share of the clients.
    pub share: f64,
    /// How long they read.
    pub read_seconds: f64,
    /// How long they do not.
    pub pause_seconds: f64,
}

fn no_bound() -> usize {
    usize::MAX
}

fn connecting_at_once() -> usize {
    crate::fleet::CONNECTING_MAX
}

impl Scenario {
    /// Reads a scenario from a file.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, has an unknown key, lacks one, or a value is out of
    /// its bounds.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("failed to read the scenario {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no scenario", path.display()))
    }

    /// Reads a scenario from its text.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let scenario: Self = toml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> anyhow::Result<()> {
        within("clients", self.clients as f64, 1.0, CLIENTS_MAX as f64)?;
        within("boards", self.boards as f64, 1.0, self.clients as f64)
            .context("each board needs a client")?;
        within("cards", self.cards as f64, 5.0, CARDS_MAX as f64)?;
        let cards = self.cards as f64;
        within("cards_max", self.cards_max as f64, cards, usize::MAX as f64)?;
        within("seconds", self.seconds, 0.1, SECONDS_MAX)?;
        within("settle_seconds", self.settle_seconds, 0.1, SECONDS_MAX)?;
        let least = self.seconds + self.settle_seconds;
        within("within_seconds", self.within_seconds, least, SECONDS_MAX)
            .context("it holds connecting, `seconds`, `settle_seconds` and comparing")?;
        let connects = f64::from(self.connects_per_s);
        within("connects_per_s", connects, 1.0, PER_S_MAX)?;
        let at_once = self.connecting_at_once as f64;
        within("connecting_at_once", at_once, 1.0, 100_000.0)?;
        within("commands_per_s", self.commands_per_s, 0.0, PER_S_MAX)?;
        within("presence_per_s", self.presence_per_s, 0.0, PER_S_MAX)?;
        within("day: parts", self.day.len() as f64, 0.0, DAY_MAX as f64)?;
        for factor in &self.day {
            within("day", *factor, 0.0, 1_000.0)?;
        }
        let mut apart = 0.0;
        if let Some(churn) = &self.churn {
            apart += churn.share;
            within("churn.share", churn.share, 0.0, 1.0)?;
            within("churn.stay_seconds", churn.stay_seconds, 0.1, SECONDS_MAX)?;
            within("churn.away_seconds", churn.away_seconds, 0.1, SECONDS_MAX)?;
        }
        if let Some(slow) = &self.slow {
            apart += slow.share;
            within("slow.share", slow.share, 0.0, 0.9)
                .context("slow clients send nothing, so some others are needed")?;
            within("slow.read_seconds", slow.read_seconds, 0.1, SECONDS_MAX)?;
            within("slow.pause_seconds", slow.pause_seconds, 0.1, SECONDS_MAX)?;
        }
        within("churn.share + slow.share", apart, 0.0, 1.0)?;
        within("storms", self.storms.len() as f64, 0.0, STORMS_MAX as f64)?;
        for storm in &self.storms {
            within("storm.at", storm.at, 0.0, 1.0)
                .context("it is a share of `seconds`, so that it scales with them")?;
            within("storm.share", storm.share, 0.0, 1.0)?;
            within("storm.away_seconds", storm.away_seconds, 0.0, SECONDS_MAX)?;
        }
        Ok(())
    }

    /// A smaller or larger version: clients, boards and rates times `scale`, at least one of each;
    /// `seconds` instead of its own, and all pauses shorter or longer by as much. What a board
    /// holds and how fast connections are opened stay.
    #[must_use]
    pub fn scaled(&self, scale: f64, seconds: Option<f64>) -> Self {
        let mut scaled = self.clone();
        scaled.seconds = seconds.unwrap_or(self.seconds);
        let times = |count: usize| ((count as f64 * scale).round() as usize).max(1);
        scaled.clients = times(self.clients);
        scaled.boards = times(self.boards).min(scaled.clients);
        let rate = |rate: f64| {
            // At least one of what there is at all.
            let least = if rate > 0.0 {
                1.0 / scaled.seconds
            } else {
                0.0
            };
            (rate * scale).max(least)
        };
        scaled.commands_per_s = rate(self.commands_per_s);
        scaled.presence_per_s = rate(self.presence_per_s);
        scaled.within_seconds = self.within_seconds - self.seconds + scaled.seconds;
        let pace = scaled.seconds / self.seconds;
        let spell = |seconds: f64| (seconds * pace).max(SPELL_MIN_S);
        if let Some(churn) = &mut scaled.churn {
            churn.stay_seconds = spell(churn.stay_seconds);
            churn.away_seconds = spell(churn.away_seconds);
        }
        if let Some(slow) = &mut scaled.slow {
            slow.read_seconds = spell(slow.read_seconds);
            slow.pause_seconds = spell(slow.pause_seconds);
        }
        for storm in &mut scaled.storms {
            storm.away_seconds *= pace;
        }
        scaled
    }

    /// What is to be done.
    pub fn plan(&self) -> Plan {
        let duration = Duration::from_secs_f64(self.seconds);
        // At least one, so that a small share of a small fleet is not nobody.
        let count = |share: f64| {
            let count = (self.clients as f64 * share).round() as usize;
            count.max(usize::from(share > 0.0))
        };
        let churn = self.churn.filter(|churn| churn.share > 0.0);
        let slow = self.slow.filter(|slow| slow.share > 0.0);
        Plan {
            clients: self.clients,
            boards: self.boards,
            cards: self.cards,
            cards_max: self.cards_max,
            columns: FILL_COLUMNS,
            duration,
            commands: Timetable::new(self.commands_per_s, &self.day, duration),
            presence: Timetable::new(self.presence_per_s, &self.day, duration),
            churning: churn.map(|churn| {
                let stay = Duration::from_secs_f64(churn.stay_seconds);
                let away = Duration::from_secs_f64(churn.away_seconds);
                (count(churn.share), Churn { stay, away })
            }),
            slow: slow.map(|slow| {
                let read = Duration::from_secs_f64(slow.read_seconds);
                let pause = Duration::from_secs_f64(slow.pause_seconds);
                let most = self.clients.saturating_sub(1);
                (count(slow.share).min(most), Pauses { read, pause })
            }),
            storms: self.storms.clone(),
            connecting_at_once: self.connecting_at_once,
        }
    }
}

fn within(key: &str, value: f64, least: f64, most: f64) -> anyhow::Result<()> {
    if !value.is_finite() || value < least || value > most {
        bail!("`{key}` is {value}; it is from {least} to {most}");
    }
    Ok(())
}
