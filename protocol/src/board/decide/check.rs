//! Rules for single values.

use super::super::{Reason, Rejection, Wip};
use crate::limits::{
    CARDS_MAX, ESTIMATE_MAX, FIELD_TEXT_MAX_BYTES, NAME_MAX_BYTES, TEXT_MAX_BYTES, TITLE_MAX_BYTES,
    URL_MAX_BYTES,
};

type Check = Result<(), Rejection>;

fn invalid(hint: String) -> Rejection {
    Rejection::new(Reason::Invalid, hint)
}

fn line(what: &str, text: &str, max: usize) -> Check {
    within(what, text, max)?;
    if text.chars().any(char::is_control) {
        return Err(invalid(format!(
            "a {what} is one line without control characters"
        )));
    }
    Ok(())
}

/// A title: one line, not empty.
pub(in crate::board) fn title(what: &str, text: &str) -> Check {
    if text.is_empty() {
        return Err(invalid(format!("a {what} is empty")));
    }
    line(what, text, TITLE_MAX_BYTES)
}

/// A title that may be empty.
pub(in crate::board) fn optional_title(what: &str, text: &str) -> Check {
    line(what, text, TITLE_MAX_BYTES)
}

/// A short word: a colour, a name of a person, a media type.
pub(in crate::board) fn name(what: &str, text: &str) -> Check {
    if text.is_empty() {
        return Err(invalid(format!(
            "a {what} is empty; leave it out or send null"
        )));
    }
    line(what, text, NAME_MAX_BYTES)
}

/// A text of many lines.
pub(in crate::board) fn text(what: &str, text: &str) -> Check {
    within(what, text, TEXT_MAX_BYTES)
}

/// A value of a custom field.
pub(in crate::board) fn field_text(text: &str) -> Check {
    within("value", text, FIELD_TEXT_MAX_BYTES)
}

fn within(what: &str, text: &str, max: usize) -> Check {
    if text.len() > max {
        let length = text.len();
        return Err(invalid(format!(
            "a {what} is longer than {max} bytes; it has {length}"
        )));
    }
    Ok(())
}

/// A link to the web.
pub(in crate::board) fn url(text: &str) -> Check {
    line("link", text, URL_MAX_BYTES)?;
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(invalid("a link begins with http:// or https://".into()));
    }
    Ok(())
}

pub(in crate::board) fn wip(wip: Option<Wip>) -> Check {
    match wip {
        Some(wip) if wip.limit == 0 || wip.limit as usize > CARDS_MAX => Err(invalid(format!(
            "a limit of cards in work is 1 to {CARDS_MAX}"
        ))),
        Some(_) | None => Ok(()),
    }
}

pub(in crate::board) fn estimate(points: u32) -> Check {
    if points > ESTIMATE_MAX {
        return Err(invalid(format!(
            "an estimate is at most {ESTIMATE_MAX} points"
        )));
    }
    Ok(())
}

/// A decimal number such as `-12.5`, at most 40 characters.
pub(in crate::board) fn decimal(text: &str) -> Check {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if text.len() > 40 || !plain(whole) || !plain(fraction) {
        return Err(invalid(
            "a number is written like -12.5, with at most 40 characters".into(),
        ));
    }
    Ok(())
}
