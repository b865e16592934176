//! Days since 1970 as dates of the Gregorian calendar, and back. A year is counted from March, so
//! that the leap day is its last.

/// Days of 400 years, after which the calendar is the same again.
const ERA_DAYS: u64 = 146_097;
/// From March 1 of the year 0 to 1970.
const EPOCH_DAYS: u64 = 719_468;

/// Year, month and day of a day since 1970.
pub(crate) fn date(day: u64) -> (u64, u64, u64) {
    let day = day + EPOCH_DAYS;
    let (era, day) = (day / ERA_DAYS, day % ERA_DAYS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let is_next = month >= 10;
    let month = if is_next { month - 9 } else { month + 3 };
    (era * 400 + year + u64::from(is_next), month, day_of_month)
}

/// The day since 1970 of a date with a month of 1 to 12; `None` where it is before that. A day that
/// its month does not have is one of the next.
pub(crate) fn day(year: u64, month: u64, day: u64) -> Option<u64> {
    let is_next = month <= 2;
    let year = year.checked_sub(u64::from(is_next))?;
    let month = if is_next {
        month + 9
    } else {
        month.checked_sub(3)?
    };
    let (era, year) = (year / 400, year % 400);
    let day = (153 * month + 2) / 5 + day.checked_sub(1)?;
    (era * ERA_DAYS + 365 * year + year / 4 - year / 100 + day).checked_sub(EPOCH_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_has_a_date_of_its_own_and_the_next_one_follows() {
        let (mut year, mut month, mut day_of_month) = (1970, 1, 1);
        for count in 0..200_000 {
            assert_eq!(date(count), (year, month, day_of_month));
            assert_eq!(day(year, month, day_of_month), Some(count));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + u64::from(is_leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day_of_month += 1;
            if day_of_month > length {
                (month, day_of_month) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(day(1969, 12, 31), None);
    }
}
