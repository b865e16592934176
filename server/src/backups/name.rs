//! The name of a backup, which is the time at which it was taken: `boardcast-20260102T030405Z.db`.

use boardcast_protocol::position::Timestamp;

use crate::calendar;

const PREFIX: &str = "boardcast-";
const SUFFIX: &str = "Z.db";
const DAY_S: u64 = 24 * 60 * 60;

/// A backup by the second at which it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BackupName {
    at_s: u64,
}

impl BackupName {
    pub(super) fn at(now: Timestamp) -> Self {
        Self {
            at_s: now.0 / 1_000,
        }
    }

    /// When it was taken, to the second.
    pub(super) fn taken(self) -> Timestamp {
        Timestamp(self.at_s * 1_000)
    }

    /// The name of a file, where it is one of a backup that was made here.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let time = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let (date, time) = time.split_once('T')?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if date.len() != 8 || time.len() != 6 || !is_number(date) || !is_number(time) {
            return None;
        }
        let number = |text: &str| text.parse::<u64>().ok();
        let (year, month, day) = (
            number(&date[..4])?,
            number(&date[4..6])?,
            number(&date[6..])?,
        );
        let (hour, minute) = (number(&time[..2])?, number(&time[2..4])?);
        let second = number(&time[4..])?;
        let at_s = calendar::day(year, month, day)? * DAY_S + hour * 3_600 + minute * 60 + second;
        let parsed = Self { at_s };
        // Whatever is not a time is not written so.
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl std::fmt::Display for BackupName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = calendar::date(self.at_s / DAY_S);
        let second = self.at_s % DAY_S;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{PREFIX}{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}{SUFFIX}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_time_and_times_come_in_their_order() {
        for (ms, name) in [
            (0, "boardcast-19700101T000000Z.db"),
            (951_782_400_000, "boardcast-20000229T000000Z.db"),
            (951_868_799_999, "boardcast-20000229T235959Z.db"),
            (951_868_800_000, "boardcast-20000301T000000Z.db"),
            (1_767_322_645_000, "boardcast-20260102T025725Z.db"),
            (4_107_542_400_000, "boardcast-21000301T000000Z.db"),
        ] {
            let made = BackupName::at(Timestamp(ms));
            assert_eq!(made.to_string(), name);
            assert_eq!(BackupName::parse(name), Some(made));
        }
        let mut before = BackupName::at(Timestamp(0)).to_string();
        for day in 1..200_000_u64 {
            let name = BackupName::at(Timestamp(day * 86_400_000));
            assert!(name.to_string() > before, "{name}");
            assert_eq!(BackupName::parse(&name.to_string()), Some(name));
            before = name.to_string();
        }
    }

    #[test]
    fn what_is_named_otherwise_is_not_a_backup() {
        for name in [
            "",
            "boardcast.db",
            "boardcast-.db",
            "boardcast-20260102T030405.db",
            "boardcast-20260102T030405Z.db.old",
            "boardcast-20261302T030405Z.db",
            "boardcast-20260100T030405Z.db",
            "boardcast-20260230T030405Z.db",
            "boardcast-20260102T250405Z.db",
            "boardcast-19691231T235959Z.db",
            "boardcast-+0260102T030405Z.db",
            "boardcast-äää0102T030405Z.db",
            "boards-20260102T030405Z.db",
        ] {
            assert_eq!(BackupName::parse(name), None, "{name}");
        }
    }
}
