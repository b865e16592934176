//! Which part of a file is asked for (RFC 9110, section 14).

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ranged {
    /// All of it: no range is asked for, or one that is not understood, or several.
    Whole,
    /// These bytes, of which there is at least one.
    Part(Range<u64>),
    /// The range lies behind the file: 416.
    Nothing,
}

impl Ranged {
    /// What `Range` asks for of a file with this tag and size, unless `If-Range` names another tag.
    pub(super) fn of(headers: &HeaderMap, tag: &str, size: u64) -> Self {
        let mut ranges = headers.get_all(header::RANGE).iter();
        let (Some(range), None) = (ranges.next(), ranges.next()) else {
            return Self::Whole;
        };
        let condition = headers.get(header::IF_RANGE);
        if condition.is_some_and(|known| known.as_bytes() != tag.as_bytes()) {
            return Self::Whole;
        }
        let range = range.to_str().ok().and_then(|text| parse(text, size));
        match range {
            None => Self::Whole,
            Some(range) if range.start >= range.end => Self::Nothing,
            Some(range) => Self::Part(range),
        }
    }
}

/// The bytes of a single range, empty where it lies behind the file; `None` where it is none.
fn parse(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let count = number(last)?;
        return Some(size.saturating_sub(count)..size);
    }
    let first = number(first)?;
    let end = match last {
        "" => size,
        last => number(last)?.checked_add(1)?,
    };
    if end <= first && !last.is_empty() {
        return None;
    }
    Some(first..end.min(size))
}

/// Digits and nothing else. More than fit into a number are larger than any file.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX - 1))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ranged(range: &str) -> Ranged {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        Ranged::of(&headers, "\"t\"", 10)
    }

    #[test]
    fn a_single_range_is_a_part_and_what_is_not_understood_is_all() {
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("bytes=2-", 2..10),
            ("bytes=9-99999999999999999999999", 9..10),
            ("bytes=-3", 7..10),
            ("bytes=-30", 0..10),
        ] {
            assert_eq!(ranged(range), Ranged::Part(part), "{range}");
        }
        for range in [
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=1-2,4-5",
            "bytes=a-b",
            "bytes=+1-2",
            "items=0-1",
            "bytes = 0-1",
        ] {
            assert_eq!(ranged(range), Ranged::Whole, "{range}");
        }
        for range in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(ranged(range), Ranged::Nothing, "{range}");
        }
    }

    #[test]
    fn if_range_with_another_tag_asks_for_all() {
        for (known, wanted) in [
            ("\"t\"", Ranged::Part(0..1)),
            ("\"u\"", Ranged::Whole),
            ("W/\"t\"", Ranged::Whole),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-0"));
            headers.insert(header::IF_RANGE, HeaderValue::from_str(known).unwrap());
            assert_eq!(Ranged::of(&headers, "\"t\"", 10), wanted, "{known}");
        }
    }
}
