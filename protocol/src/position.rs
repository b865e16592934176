//! Where a board stands: epoch and version, and the other numbers of the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Largest integer on the wire: every JSON reader keeps integers exact up to 2^53 - 1.
pub const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = u64::deserialize(deserializer)?;
                if value > MAX_SAFE_INTEGER {
                    return Err(serde::de::Error::custom("a number is larger than 2^53 - 1"));
                }
                Ok(Self(value))
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": MAX_SAFE_INTEGER })
            }
        }
    };
}

number!(
    /// Counts the accepted commands of a board (rule R1). Version 0 is the empty board.
    Version
);
number!(
    /// Numbers the commands of one client to one board (rule R4). The first is 1.
    Seq
);
number!(
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Timestamp
);
number!(
    /// A size in bytes.
    ByteSize
);

impl Version {
    /// The version of the next accepted command.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A stretch of a board's history without a lost tail (rule R2): a random number, written as 16
/// hexadecimal digits because it does not fit into a JSON number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// The text is not an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an epoch is 16 hexadecimal digits in lower case")]
pub struct EpochError;

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

impl FromStr for Epoch {
    type Err = EpochError;

    fn from_str(text: &str) -> Result<Self, EpochError> {
        let plain =
            text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(EpochError);
        }
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| EpochError)
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Epoch {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Epoch".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{16}$" })
    }
}

/// How far a client has come on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Position {
    /// The epoch in which the version was seen.
    pub epoch: Epoch,
    /// The last version that was applied.
    pub version: Version,
}

/// The epochs of a board, oldest first, each with the version at which it began.
///
/// Never empty: a board has its first epoch from its creation on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epochs {
    earlier: Vec<(Epoch, Version)>,
    current: (Epoch, Version),
}

impl Epochs {
    /// The history of a board whose first epoch begins at `began`.
    pub fn starting(epoch: Epoch, began: Version) -> Self {
        Self {
            earlier: Vec::new(),
            current: (epoch, began),
        }
    }

    /// Ends the present epoch: what comes after `began` belongs to `epoch`.
    pub fn begin(&mut self, epoch: Epoch, began: Version) {
        self.earlier
            .push(std::mem::replace(&mut self.current, (epoch, began)));
    }

    /// The present epoch.
    pub fn current(&self) -> Epoch {
        self.current.0
    }

    /// Whether the events after `position` lead to the present board (rule R2): its epoch is known,
    /// and its version is not greater than the smallest beginning of all later epochs.
    pub fn continues(&self, position: Position) -> bool {
        let all = || self.earlier.iter().chain(std::iter::once(&self.current));
        let Some(index) = all().position(|(epoch, _)| *epoch == position.epoch) else {
            return false;
        };
        all()
            .skip(index + 1)
            .all(|(_, began)| position.version <= *began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u64, version: u64) -> Position {
        Position {
            epoch: Epoch(epoch),
            version: Version(version),
        }
    }

    #[test]
    fn r2_a_position_continues_unless_a_later_epoch_began_before_it() {
        let mut epochs = Epochs::starting(Epoch(1), Version(0));
        epochs.begin(Epoch(2), Version(10));
        epochs.begin(Epoch(3), Version(8));
        assert!(epochs.continues(at(1, 8)));
        assert!(
            !epochs.continues(at(1, 9)),
            "epoch 3 began at 8: version 9 of epoch 1 is lost"
        );
        assert!(epochs.continues(at(2, 8)));
        assert!(!epochs.continues(at(2, 9)));
        assert!(epochs.continues(at(3, 99)));
        assert!(
            !epochs.continues(at(4, 0)),
            "an unknown epoch never continues"
        );
    }

    #[test]
    fn numbers_beyond_2_to_the_53_are_refused() {
        assert!(serde_json::from_str::<Version>("9007199254740991").is_ok());
        for bad in ["9007199254740992", "1e400", "-1", "1.5", "\"1\"", "NaN"] {
            assert!(serde_json::from_str::<Version>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_epoch_is_sixteen_digits() {
        let epoch: Epoch = serde_json::from_str("\"00000000000000ff\"").unwrap();
        assert_eq!(epoch, Epoch(255));
        assert_eq!(
            serde_json::to_string(&epoch).unwrap(),
            "\"00000000000000ff\""
        );
        for bad in ["ff", "00000000000000FF", "+0000000000000ff"] {
            assert!(bad.parse::<Epoch>().is_err(), "{bad}");
        }
    }
}
