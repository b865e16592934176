//! What a text is taken apart into, so that a query finds it in any language.
//!
//! A token is a word: letters, digits and the marks on them. Characters of scripts that are written
//! without spaces are tokens of their own, so that a query finds them wherever they stand. Case,
//! diacritics and the width of characters make no difference.

use std::ops::{ControlFlow, Range};

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Characters of a token; what a longer word has beyond them makes no difference.
pub const TOKEN_MAX_CHARS: usize = 64;

/// Letters that have no decomposition and are written otherwise where they are lacking.
fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

/// Whether a character is a token by itself: Han, kana, Bopomofo, Thai, Lao, Myanmar, Khmer.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3031}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether a character changes nothing: diacritics, joiners, soft hyphens, variation selectors.
fn is_passed_over(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036f}' | '\u{00ad}' | '\u{200c}' | '\u{200d}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Calls `see` with each token of a text and its place in it, in bytes, until that breaks.
pub fn each_token(text: &str, see: impl FnMut(&str, Range<usize>) -> ControlFlow<()>) {
    let mut reader = Reader {
        see,
        token: String::new(),
        chars: 0,
        alone: false,
        place: 0..0,
    };
    let _ = reader.read(text);
}

/// The tokens of a text with a space between: what the index holds of it.
pub fn normalized(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    each_token(text, |token, _| {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(token);
        ControlFlow::Continue(())
    });
    all
}

/// A token under way.
struct Reader<F> {
    see: F,
    token: String,
    chars: usize,
    alone: bool,
    place: Range<usize>,
}

impl<F: FnMut(&str, Range<usize>) -> ControlFlow<()>> Reader<F> {
    fn read(&mut self, text: &str) -> ControlFlow<()> {
        for (at, c) in text.char_indices() {
            let place = at..at + c.len_utf8();
            if c.is_ascii() {
                if c.is_ascii_alphanumeric() {
                    self.add(c.to_ascii_lowercase(), &place)?;
                } else {
                    self.end()?;
                }
                continue;
            }
            let mut done = ControlFlow::Continue(());
            decompose_compatible(c, |part| {
                for lower in part.to_lowercase() {
                    if done.is_continue() {
                        done = self.take(lower, &place);
                    }
                }
            });
            done?;
        }
        self.end()
    }

    fn take(&mut self, c: char, place: &Range<usize>) -> ControlFlow<()> {
        if is_passed_over(c) || is_combining_mark(c) {
            if !self.token.is_empty() {
                self.place.end = place.end;
                if !is_passed_over(c) {
                    self.push(c);
                }
            }
            return ControlFlow::Continue(());
        }
        if let Some(letters) = spelled(c) {
            return letters.chars().try_for_each(|c| self.add(c, place));
        }
        if stands_alone(c) && c.is_alphanumeric() {
            self.end()?;
            self.add(c, place)?;
            self.alone = true;
            return ControlFlow::Continue(());
        }
        if c.is_alphanumeric() {
            return self.add(c, place);
        }
        self.end()
    }

    fn add(&mut self, c: char, place: &Range<usize>) -> ControlFlow<()> {
        if self.alone {
            self.end()?;
        }
        if self.token.is_empty() {
            self.place.start = place.start;
        }
        self.place.end = place.end;
        self.push(c);
        ControlFlow::Continue(())
    }

    fn push(&mut self, c: char) {
        if self.chars < TOKEN_MAX_CHARS {
            self.token.push(c);
            self.chars += 1;
        }
    }

    fn end(&mut self) -> ControlFlow<()> {
        self.alone = false;
        if self.token.is_empty() {
            return ControlFlow::Continue(());
        }
        let done = (self.see)(&self.token, self.place.clone());
        self.token.clear();
        self.chars = 0;
        done
    }
}

/// Tokens that must stand one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    tokens: Vec<String>,
    begins: bool,
}

impl Phrase {
    /// The tokens of a text; where it `begins` a word, the last one may go on. `None` where the text
    /// has no token.
    pub fn new(text: &str, begins: bool) -> Option<Self> {
        let mut tokens = Vec::new();
        each_token(text, |token, _| {
            tokens.push(token.to_owned());
            ControlFlow::Continue(())
        });
        (!tokens.is_empty()).then_some(Self { tokens, begins })
    }

    /// Its tokens, one at least.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Whether the last token may go on in the text.
    pub fn begins(&self) -> bool {
        self.begins
    }

    /// Whether it stands in a text.
    pub fn is_in(&self, text: &str) -> bool {
        let mut found = false;
        scan(text, std::slice::from_ref(self), |_, _| {
            found = true;
            ControlFlow::Break(())
        });
        found
    }

    /// Whether `token` may be the one at this place.
    fn takes(&self, at: usize, token: &str) -> bool {
        let wanted = self.tokens.get(at).map_or("", String::as_str);
        let is_last = at + 1 == self.tokens.len();
        token == wanted || self.begins && is_last && token.starts_with(wanted)
    }
}

/// Calls `see` with each phrase that stands in a text, by its number, and with its place in bytes,
/// until that breaks.
pub(super) fn scan(
    text: &str,
    phrases: &[Phrase],
    mut see: impl FnMut(usize, Range<usize>) -> ControlFlow<()>,
) {
    // Phrases that have begun: their number, the tokens found of them, and where the first one is.
    let mut begun: Vec<(usize, usize, usize)> = Vec::new();
    let mut next = Vec::new();
    each_token(text, |token, place| {
        let fresh = (0..phrases.len()).map(|phrase| (phrase, 0, place.start));
        for (number, found, start) in begun.drain(..).chain(fresh) {
            let phrase = &phrases[number];
            if !phrase.takes(found, token) {
                continue;
            }
            if found + 1 == phrase.tokens.len() {
                see(number, start..place.end)?;
            } else {
                next.push((number, found + 1, start));
            }
        }
        std::mem::swap(&mut begun, &mut next);
        ControlFlow::Continue(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_too_long_is_cut_and_found_by_what_is_left() {
        let long = "x".repeat(TOKEN_MAX_CHARS * 3);
        let text = format!("{long} y");
        assert_eq!(normalized(&text), format!("{} y", &long[..TOKEN_MAX_CHARS]));
        assert!(Phrase::new(&long, false).unwrap().is_in(&text));
    }

    #[test]
    fn places_are_those_of_the_text_and_not_of_the_tokens() {
        let text = "Ça — E\u{301}té 北京";
        let mut places = Vec::new();
        each_token(text, |token, place| {
            places.push((token.to_owned(), &text[place]));
            ControlFlow::Continue(())
        });
        let places: Vec<_> = places.iter().map(|(t, p)| (t.as_str(), *p)).collect();
        assert_eq!(
            places,
            [
                ("ca", "Ça"),
                ("ete", "E\u{301}té"),
                ("北", "北"),
                ("京", "京")
            ]
        );
    }

    #[test]
    fn phrases_that_overlap_are_each_found() {
        let phrases = [
            Phrase::new("a a b", false).unwrap(),
            Phrase::new("a b", true).unwrap(),
        ];
        let mut found = Vec::new();
        scan("a a a bc a a b", &phrases, |number, place| {
            found.push((number, place.start));
            ControlFlow::Continue(())
        });
        assert_eq!(found, [(1, 4), (0, 9), (1, 11)]);
    }
}
