//! Why settings cannot be used.

use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Why settings cannot be used. The message names the setting.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("failed to read the configuration {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, has an unknown key or a value of a wrong type.
    #[error("the configuration {path} is wrong: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A number is out of range.
    #[error("`{name}` is {value}; it must be from {} to {}", .allowed.start(), .allowed.end())]
    Range {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: u64,
        /// What it may be.
        allowed: RangeInclusive<u64>,
    },
    /// A text has a wrong form.
    #[error("`{name}` is {value:?}; it must be {expected}")]
    Value {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A setting means nothing without another.
    #[error("`{name}` needs `{other}` as well")]
    Needs {
        /// The one that is there.
        name: &'static str,
        /// The one that is not.
        other: &'static str,
    },
    /// The program was built without what a setting asks for.
    #[error(
        "`{name}` needs a program that is built with `--features {feature}`; this one is not: build it \
         with `cargo build --release --package boardcast --features {feature}`, or take the setting away"
    )]
    NotBuilt {
        /// The setting.
        name: &'static str,
        /// The feature of the crate.
        feature: &'static str,
    },
    /// Two settings contradict each other.
    #[error("`{larger}` must be larger than `{smaller}`")]
    Order {
        /// The one that must be larger.
        larger: &'static str,
        /// The other one.
        smaller: &'static str,
    },
}
