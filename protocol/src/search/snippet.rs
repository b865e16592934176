//! What is shown of a text that was found: a part of it, with the words marked.

use std::ops::{ControlFlow, Range};

use serde::Serialize;

use super::text::{Phrase, scan};

/// Characters of a snippet at most, those that tell that it is cut included.
pub const SNIPPET_MAX_CHARS: usize = 200;
/// Characters before the first word that was found.
const LEAD_CHARS: usize = 40;
/// Marks of a snippet.
const MARKS_MAX: usize = 32;

/// A part of a text around the words that were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snippet {
    /// Plain text in one line; an ellipsis stands where the text goes on.
    pub text: String,
    /// Where the words stand in it: begin and end of each, in characters (Unicode code points).
    pub marks: Vec<[u32; 2]>,
}

impl Snippet {
    /// The part of a text around the first of these phrases that stands in it.
    pub(super) fn of(text: &str, phrases: &[Phrase]) -> Self {
        let mut places: Vec<Range<usize>> = Vec::new();
        // Phrases may overlap: a few more than are shown are looked for.
        scan(text, phrases, |_, place| {
            places.push(place);
            match places.len() < MARKS_MAX * 2 {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        let places = joined(places);
        let first = places.first().map_or(0, |place| place.start);
        let window = window(text, first);
        let (cut_before, cut_after) = (window.start > 0, window.end < text.len());
        let inside = &text[window.clone()];
        let mut line = String::with_capacity(inside.len() + 6);
        if cut_before {
            line.push('…');
        }
        let lead = usize::from(cut_before);
        line.extend(inside.chars().map(|c| if c.is_control() { ' ' } else { c }));
        if cut_after {
            line.push('…');
        }
        let count = |at: usize| {
            let chars = text[window.start..at].chars().count() + lead;
            u32::try_from(chars).unwrap_or(u32::MAX)
        };
        let marks = (places.iter())
            .filter(|place| place.start >= window.start && place.start < window.end)
            .map(|place| [count(place.start), count(place.end.min(window.end))])
            .take(MARKS_MAX)
            .collect();
        Self { text: line, marks }
    }
}

/// Places in their order; those that touch are one.
fn joined(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| (place.start, place.end));
    let mut all: Vec<Range<usize>> = Vec::new();
    for place in places {
        match all.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => all.push(place),
        }
    }
    all
}

/// The part that is shown where the first word stands at `first`.
fn window(text: &str, first: usize) -> Range<usize> {
    let back = |from: usize, chars: usize| {
        let mut before = text[..from].char_indices().rev();
        before.nth(chars.saturating_sub(1)).map_or(0, |(at, _)| at)
    };
    let start = back(first, LEAD_CHARS);
    // Not in the middle of a word, where there is a space to begin behind.
    let start = match text[start..first].find(char::is_whitespace) {
        Some(space) if start > 0 => {
            let rest = &text[start + space..];
            start + space + (rest.len() - rest.trim_start().len())
        }
        _ => start,
    };
    let chars = SNIPPET_MAX_CHARS - 2;
    let end = (text[start..].char_indices().nth(chars)).map_or(text.len(), |(at, _)| start + at);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snippet(text: &str, query: &[&str]) -> Snippet {
        let phrases: Vec<_> = query.iter().filter_map(|q| Phrase::new(q, true)).collect();
        Snippet::of(text, &phrases)
    }

    fn marked(snippet: &Snippet) -> Vec<String> {
        let chars: Vec<char> = snippet.text.chars().collect();
        let part = |mark: &[u32; 2]| chars[mark[0] as usize..mark[1] as usize].iter().collect();
        snippet.marks.iter().map(part).collect()
    }

    #[test]
    fn the_words_are_marked_in_characters() {
        let snippet = snippet("Über 北京 und\nÄrger 😀 mit b", &["北京", "arg", "b"]);
        assert_eq!(snippet.text, "Über 北京 und Ärger 😀 mit b");
        assert_eq!(marked(&snippet), ["北京", "Ärger", "b"]);
    }

    #[test]
    fn a_long_text_is_cut_around_the_first_word() {
        let text = format!("{} needle {}", "hay ".repeat(500), "stack ".repeat(500));
        let snippet = snippet(&text, &["needle"]);
        assert!(snippet.text.chars().count() <= SNIPPET_MAX_CHARS);
        assert!(snippet.text.starts_with("…hay ") && snippet.text.ends_with('…'));
        assert_eq!(marked(&snippet), ["needle"]);
    }

    #[test]
    fn a_text_of_one_word_stays_within_the_bound() {
        let text = "x".repeat(10_000);
        let snippet = snippet(&text, &["xx"]);
        assert_eq!(snippet.text.chars().count(), SNIPPET_MAX_CHARS - 1);
        assert_eq!(snippet.marks.len(), 1);
    }

    #[test]
    fn words_that_overlap_are_one_mark_and_marks_are_bounded() {
        let snippet = snippet(&"ab ".repeat(300), &["ab ab", "ab"]);
        assert!(snippet.marks.len() <= MARKS_MAX);
        assert_eq!(snippet.marks[0][0], 0);
    }
}
