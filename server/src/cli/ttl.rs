//! Durations as people write them.

/// Longest time: a hundred years.
const MAX_MS: u64 = 100 * 366 * 24 * 60 * 60 * 1_000;

/// Milliseconds of a duration such as `30s`, `5m`, `1h`, `7d` or `1h30m`.
///
/// # Errors
/// What is wrong and what would be right.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a duration; write 30s, 5m, 1h, 7d or 1h30m");
    let mut total_ms = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit_ms = match rest[digits..].chars().next() {
            Some('s') => 1_000,
            Some('m') => 60 * 1_000,
            Some('h') => 60 * 60 * 1_000,
            Some('d') => 24 * 60 * 60 * 1_000,
            Some(_) | None => return Err(wrong()),
        };
        total_ms = count
            .checked_mul(unit_ms)
            .and_then(|ms| total_ms.checked_add(ms))
            .filter(|ms| *ms <= MAX_MS)
            .ok_or_else(|| format!("{text} is longer than a hundred years"))?;
        rest = &rest[digits + 1..];
    }
    if total_ms == 0 {
        return Err(wrong());
    }
    Ok(total_ms)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_are_written_with_a_unit() {
        for (text, seconds) in [
            ("30s", 30),
            ("5m", 300),
            ("1h", 3_600),
            ("7d", 604_800),
            ("1h30m", 5_400),
        ] {
            assert_eq!(parse(text), Ok(seconds * 1_000), "{text}");
        }
        for text in [
            "",
            "0s",
            "1",
            "h",
            "1w",
            "-1h",
            "1.5h",
            "1h ",
            "1é",
            "99999999999999999999s",
            "40000d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
