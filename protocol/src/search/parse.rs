//! How a query is read.

use std::fmt;
use std::str::FromStr;

use super::query::{Due, Is, Named, Query, Term, What, has_token};
use super::text::Phrase;
use crate::board::Priority;
use crate::limits::{QUERY_MAX_BYTES, QUERY_TERMS_MAX};
use crate::position::Timestamp;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const FILTERS: &str = "`label:`, `assignee:`, `due:`, `is:`, `column:`, `board:`, `priority:`";

/// Why a text is no query: where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// The character at which it is wrong, from 1.
    pub at: usize,
    /// What is wrong, and what would be right.
    pub hint: String,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.at, self.hint)
    }
}

impl std::error::Error for QueryError {}

impl FromStr for Query {
    type Err = QueryError;

    /// Reads a query of at most [`QUERY_MAX_BYTES`] and [`QUERY_TERMS_MAX`] terms.
    ///
    /// # Errors
    /// It is too long, a filter is not known or has a value that it does not take, or a quotation mark
    /// stands alone.
    fn from_str(text: &str) -> Result<Self, QueryError> {
        if text.len() > QUERY_MAX_BYTES {
            let hint = format!("a query has at most {QUERY_MAX_BYTES} bytes; leave words out");
            return Err(error_at(text, floor(text, QUERY_MAX_BYTES), hint));
        }
        let mut parser = Parser { text, at: 0 };
        let mut terms = Vec::new();
        while let Some((start, term)) = parser.term()? {
            if terms.len() == QUERY_TERMS_MAX {
                let hint = format!("a query has at most {QUERY_TERMS_MAX} terms; leave some out");
                return Err(error_at(text, start, hint));
            }
            terms.extend(term);
        }
        Ok(Self { terms })
    }
}

/// The start of the character that this byte belongs to.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn error_at(text: &str, at: usize, hint: impl Into<String>) -> QueryError {
    QueryError {
        at: text[..at].chars().count() + 1,
        hint: hint.into(),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next term and where it begins; `None` inside for what has no word to look for.
    fn term(&mut self) -> Result<Option<(usize, Option<Term>)>, QueryError> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        let start = self.at;
        if self.rest().is_empty() {
            return Ok(None);
        }
        let negated = self.rest().starts_with('-');
        if negated {
            self.at += 1;
        }
        let what = if self.rest().starts_with('"') {
            Phrase::new(self.quoted()?, false).map(What::Words)
        } else {
            match self.key() {
                Some(key) => Some(self.filter(start, key)?),
                None => Phrase::new(self.bare(), true).map(What::Words),
            }
        };
        Ok(Some((start, what.map(|what| Term { negated, what }))))
    }

    /// The letters before a colon, which is passed.
    fn key(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic())?;
        if letters == 0 || !rest[letters..].starts_with(':') {
            return None;
        }
        self.at += letters + 1;
        Some(&rest[..letters])
    }

    /// What stands up to the next space.
    fn bare(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// What stands between quotation marks.
    fn quoted(&mut self) -> Result<&'a str, QueryError> {
        let inside = &self.rest()[1..];
        let Some(end) = inside.find('"') else {
            let hint = "this quotation mark has no second one; close it, or leave it out";
            return Err(error_at(self.text, self.at, hint));
        };
        self.at += end + 2;
        Ok(&inside[..end])
    }

    fn filter(&mut self, start: usize, key: &str) -> Result<What, QueryError> {
        let from = self.at;
        let value = if self.rest().starts_with('"') {
            self.quoted()?
        } else {
            self.bare()
        };
        let fault = |at, hint: String| Err(error_at(self.text, at, hint));
        let key = key.to_ascii_lowercase();
        let named = || -> Result<Named, QueryError> {
            if value.trim().is_empty() {
                let hint =
                    format!("`{key}:` has no value; write `{key}:name` or `{key}:\"a name\"`");
                return Err(error_at(self.text, from, hint));
            }
            Ok(Named::new(value))
        };
        let lower = value.to_lowercase();
        let some = |named| (lower != "none").then_some(named);
        Ok(match key.as_str() {
            "label" => What::Label(some(named()?)),
            "assignee" if lower == "me" => What::AssignedToMe,
            "assignee" => What::Assignee(some(named()?)),
            "column" => What::Column(named()?),
            "board" => What::Board(named()?),
            "due" => match due(value) {
                Some(due) => What::Due(due),
                None => {
                    let hint = format!(
                        "`{value}` is no date; write `due:2026-12-01` with `<`, `<=`, `>`, `>=` or `=` \
                         before the date, or `due:none`"
                    );
                    return fault(from, hint);
                }
            },
            "is" => match lower.as_str() {
                "archived" => What::Is(Is::Archived),
                "open" => What::Is(Is::Open),
                "overdue" => What::Is(Is::Overdue),
                "blocked" => What::Is(Is::Blocked),
                _ => {
                    let hint = format!(
                        "`is:{value}` is not known; write `is:archived`, `is:open`, `is:overdue` or \
                         `is:blocked`"
                    );
                    return fault(from, hint);
                }
            },
            "priority" => match lower.as_str() {
                "none" => What::Priority(Priority::None),
                "low" => What::Priority(Priority::Low),
                "medium" => What::Priority(Priority::Medium),
                "high" => What::Priority(Priority::High),
                "urgent" => What::Priority(Priority::Urgent),
                _ => {
                    let hint = format!(
                        "`{value}` is no priority; write `none`, `low`, `medium`, `high` or `urgent`"
                    );
                    return fault(from, hint);
                }
            },
            _ => {
                let hint = if has_token(value) {
                    format!(
                        "`{key}:` is no filter; there are {FILTERS}; to find it as text write \
                         \"{key}:{value}\" with the quotation marks"
                    )
                } else {
                    format!(
                        "`{key}:` is no filter; there are {FILTERS}; to find the word leave the colon out"
                    )
                };
                return fault(start, hint);
            }
        })
    }
}

/// A comparison with a day.
fn due(value: &str) -> Option<Due> {
    if value.eq_ignore_ascii_case("none") {
        return Some(Due::Never);
    }
    let day = value.trim_start_matches(['<', '>', '=']);
    let begin = day_of(day)?;
    let end = Timestamp(begin.0 + DAY_MS);
    Some(match &value[..value.len() - day.len()] {
        "" | "=" => Due::Within(Some(begin), Some(end)),
        "<" => Due::Within(None, Some(begin)),
        "<=" => Due::Within(None, Some(end)),
        ">" => Due::Within(Some(end), None),
        ">=" => Due::Within(Some(begin), None),
        _ => return None,
    })
}

/// The first moment of a day `YYYY-MM-DD` of UTC, from 1970 on.
fn day_of(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = bytes.get(from..to)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0')))
    };
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let lengths = [
        31,
        28 + u64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    if year < 1_970 || day == 0 || day > *lengths.get(month)? {
        return None;
    }
    let years: u64 = (1_970..year)
        .map(|year| 365 + u64::from(is_leap(year)))
        .sum();
    let days = years + lengths[..month].iter().sum::<u64>() + day - 1;
    Some(Timestamp(days * DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, days) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(11_016)),
            ("2026-12-01", Some(20_788)),
            ("2100-03-01", Some(47_541)),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-12-00", None),
            ("1969-12-31", None),
            ("2026-1-1", None),
            ("2026-12-011", None),
            ("２０２６-12", None),
        ] {
            let day = days.map(|days| Timestamp(days * DAY_MS));
            assert_eq!(day_of(text), day, "{text}");
        }
    }

    #[test]
    fn a_query_is_bounded_in_bytes_and_terms() {
        let most = vec!["a"; QUERY_TERMS_MAX].join(" ");
        assert_eq!(most.parse::<Query>().unwrap().terms.len(), QUERY_TERMS_MAX);
        let error = format!("{most} b").parse::<Query>().unwrap_err();
        assert_eq!(error.at, QUERY_TERMS_MAX * 2 + 1);
        let long = "é".repeat(QUERY_MAX_BYTES);
        assert_eq!(
            long.parse::<Query>().unwrap_err().at,
            QUERY_MAX_BYTES / 2 + 1
        );
    }
}
