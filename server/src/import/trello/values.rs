//! Single values of a Trello export: ids, times, texts.

use sha2::{Digest, Sha256};

use boardcast_protocol::board::Omissions;
use boardcast_protocol::limits::{NAME_MAX_BYTES, TEXT_MAX_BYTES, TITLE_MAX_BYTES, URL_MAX_BYTES};
use boardcast_protocol::position::Timestamp;

use crate::calendar;

/// What stands for a title that is empty.
const UNTITLED: &str = "(untitled)";

/// The bits of a foreign id: an id of 24 hexadecimal digits is a number, another one is hashed.
pub(super) fn id_bits(id: &str) -> u128 {
    if id.len() == 24
        && id.bytes().all(|digit| digit.is_ascii_hexdigit())
        && let Ok(bits) = u128::from_str_radix(id, 16)
    {
        return bits;
    }
    let digest = Sha256::digest(id.as_bytes());
    digest
        .iter()
        .take(16)
        .fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

/// When a thing was made: the first 8 digits of its id are seconds since 1970.
pub(super) fn made_at(id: &str) -> Option<Timestamp> {
    if id.len() != 24 || !id.is_ascii() {
        return None;
    }
    let seconds = u64::from_str_radix(&id[..8], 16).ok()?;
    Some(Timestamp(seconds * 1_000))
}

/// A time such as `2017-12-19T16:03:14.919Z` or `2017-12-19`, from 1970 to 9999.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        let part = text.get(range)?;
        part.bytes()
            .all(|digit| digit.is_ascii_digit())
            .then(|| part.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if text.get(4..5)? != "-" || text.get(7..8)? != "-" {
        return None;
    }
    if year < 1_970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let midnight = calendar::day(year, month, day)? * 86_400_000;
    if text.len() == 10 {
        return Some(Timestamp(midnight));
    }
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = text.get(19..)?;
    let (fraction, zone) = rest.split_at(rest.find(['Z', '+', '-'])?);
    let millis = match fraction.strip_prefix('.') {
        Some(digits) => format!("{digits:0<3}").get(..3)?.parse::<u64>().ok()?,
        None if fraction.is_empty() => 0,
        None => return None,
    };
    if !matches!(zone, "Z" | "+00:00" | "-00:00" | "+0000") {
        return None;
    }
    let seconds = hour * 3_600 + minute * 60 + second;
    Some(Timestamp(midnight + seconds * 1_000 + millis))
}

/// Makes texts fit the limits and counts what that changed.
pub(super) struct Texts<'a>(pub(super) &'a mut Omissions);

impl Texts<'_> {
    /// A title: one line, not empty, at most 2,048 bytes.
    pub(super) fn title(&mut self, text: &str, what: &'static str) -> String {
        let line = self.line(text, what, TITLE_MAX_BYTES);
        if line.is_empty() {
            self.0
                .add(what, "it has no name: \"(untitled)\" stands for it");
            return UNTITLED.to_owned();
        }
        line
    }

    /// A name that may be empty.
    pub(super) fn optional_title(&mut self, text: &str, what: &'static str) -> String {
        self.line(text, what, TITLE_MAX_BYTES)
    }

    /// A name of a person, a colour, a media type; `None` when it is empty.
    pub(super) fn name(&mut self, text: &str, what: &'static str) -> Option<String> {
        Some(self.line(text, what, NAME_MAX_BYTES)).filter(|name| !name.is_empty())
    }

    /// A text of many lines, at most 65,536 bytes.
    pub(super) fn text(&mut self, text: String, what: &'static str) -> String {
        if text.len() <= TEXT_MAX_BYTES {
            return text;
        }
        self.0
            .add(what, "it was cut: it is longer than 65,536 bytes");
        cut(&text, TEXT_MAX_BYTES).to_owned()
    }

    fn line(&mut self, text: &str, what: &'static str, max: usize) -> String {
        let mut line = text.to_owned();
        if line.chars().any(char::is_control) {
            self.0
                .add(what, "control characters in its name became spaces");
            line = line.replace(char::is_control, " ");
        }
        if line.len() > max {
            self.0.add(what, "its name was cut: it is too long");
            line.truncate(cut(&line, max).len());
        }
        line
    }
}

/// The longest beginning of at most `max` bytes that ends with a whole character.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// A link to the web; `None` for anything else.
pub(super) fn web_link(url: &str) -> Option<String> {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    let is_web = lower.starts_with("http://") || lower.starts_with("https://");
    let is_line = !url.chars().any(char::is_control) && url.len() <= URL_MAX_BYTES;
    (is_web && is_line).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_trello_writes_them() {
        let cases = [
            ("1970-01-01T00:00:00.000Z", Some(0)),
            ("2017-12-19T16:03:14.919Z", Some(1_513_699_394_919)),
            ("2000-02-29T23:59:59Z", Some(951_868_799_000)),
            ("2024-03-01", Some(1_709_251_200_000)),
            ("2024-03-01T00:00:00.5+00:00", Some(1_709_251_200_500)),
            ("2024-03-01T00:00:00+02:00", None),
            ("1969-12-31T00:00:00Z", None),
            ("2024-13-01T00:00:00Z", None),
            ("2024-3-1", None),
            ("+024-03-01", None),
            ("2024-03-01T00:00:00", None),
            ("\u{1f600}\u{1f600}\u{1f600}", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(time(text), expected.map(Timestamp), "{text}");
        }
    }

    #[test]
    fn an_id_tells_when_it_was_made() {
        assert_eq!(
            made_at("5a1532fe1a583c9b3bb5bc8b"),
            Some(Timestamp(1_511_338_750_000))
        );
        assert_eq!(made_at("card-1"), None);
        assert_eq!(id_bits("0000000000000000000000ff"), 255);
        assert_ne!(id_bits("card-1"), id_bits("card-2"));
    }

    #[test]
    fn titles_become_one_line_that_fits() {
        let mut omissions = Omissions::default();
        let mut texts = Texts(&mut omissions);
        assert_eq!(texts.title("a\nb\u{7}", "card"), "a b ");
        assert_eq!(texts.title("", "card"), UNTITLED);
        assert_eq!(
            texts.title("\u{200e}", "card"),
            "\u{200e}",
            "invisible is a name"
        );
        let long = texts.title(&"\u{20ac}".repeat(1_000), "card");
        assert_eq!(long.len(), 2_046);
        assert_eq!(texts.name("", "member"), None);
        assert_eq!(omissions.into_list().len(), 3);
    }

    #[test]
    fn only_links_to_the_web_are_links() {
        assert!(web_link("HTTPS://example.org/x").is_some());
        for bad in [
            "javascript:alert(1)",
            " http://x",
            "file:///etc/passwd",
            "http:/x",
            "\u{e9}",
        ] {
            assert_eq!(web_link(bad), None, "{bad}");
        }
    }
}
