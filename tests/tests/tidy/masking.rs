//! Rust source with what is not code blanked out, byte by byte, so that offsets still fit.

/// What of the source is blanked out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mask {
    /// String and character literals.
    Literals,
    /// Literals and comments.
    LiteralsAndComments,
}

/// Blanks out literals, and comments if asked to.
pub(crate) fn mask(text: &str, what: Mask) -> String {
    let mut masked = text.as_bytes().to_vec();
    let mut at = 0;
    while at < masked.len() {
        let (end, is_comment) = token(text.as_bytes(), at);
        let blank = if is_comment {
            what == Mask::LiteralsAndComments
        } else {
            end > at + 1
        };
        if blank {
            for byte in &mut masked[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        at = end;
    }
    String::from_utf8_lossy(&masked).into_owned()
}

/// The code that is compiled into what ships: no literals, comments or items under `#[cfg(test)]`.
pub(crate) fn shipped(text: &str) -> String {
    let code = mask(text, Mask::LiteralsAndComments);
    without_items(&code, |attribute| {
        attribute == "[cfg(test)]" || attribute.starts_with("[cfg(all(test")
    })
}

/// Blanks out the items and statements that bear an attribute that is chosen.
pub(crate) fn without_items(code: &str, is_chosen: impl Fn(&str) -> bool) -> String {
    let mut left = code.to_owned();
    for (start, _) in code.match_indices("#[") {
        if is_chosen(&code[start + 1..closing(code, start + 1)]) {
            let end = item_end(code, start);
            let blank: String = code[start..end]
                .bytes()
                .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
                .collect();
            left.replace_range(start..end, &blank);
        }
    }
    left
}

/// The offset behind the bracket that closes the one at `open`.
pub(crate) fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return open + at + c.len_utf8();
        }
    }
    code.len()
}

/// Where a word starts: `name` with no identifier character on either side.
pub(crate) fn words<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name)
        .map(|(at, _)| at)
        .filter(move |at| {
            !code[..*at].ends_with(inside) && !code[at + name.len()..].starts_with(inside)
        })
}

/// The offset behind the item that starts with the attribute at `start`.
fn item_end(code: &str, start: usize) -> usize {
    let mut at = start;
    while at < code.len() {
        match code.as_bytes()[at] {
            b'{' => return closing(code, at),
            b';' => return at + 1,
            b'(' | b'[' => at = closing(code, at),
            _ => at += 1,
        }
    }
    code.len()
}

/// The end of the comment, the literal, the identifier or the byte at `at`; whether it is a comment.
/// Identifiers and bytes are told from literals by the caller, who sees that they are one byte long.
fn token(text: &[u8], at: usize) -> (usize, bool) {
    let rest = &text[at..];
    match rest {
        [b'/', b'/', ..] => (at + until(rest, b"\n"), true),
        [b'/', b'*', ..] => (at + block_comment(rest), true),
        [b'"', ..] => (at + quoted(rest, b'"'), false),
        [b'r', b'"' | b'#', ..] if !inside_word(text, at) => {
            (at + raw_string(rest).unwrap_or(1), false)
        }
        [b'\'', b'\\', ..] => (at + quoted(rest, b'\''), false),
        [b'\'', _, b'\'', ..] => (at + 3, false),
        [b'\'', lead, ..] if *lead >= 0x80 => (at + quoted(rest, b'\''), false),
        _ => (at + 1, false),
    }
}

fn inside_word(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    // `br"..."` is a raw string as well.
    before.is_some_and(|byte| *byte != b'b' && (byte.is_ascii_alphanumeric() || *byte == b'_'))
}

fn until(text: &[u8], end: &[u8]) -> usize {
    text.windows(end.len())
        .position(|window| window == end)
        .unwrap_or(text.len())
}

fn block_comment(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn raw_string(text: &[u8]) -> Option<usize> {
    let hashes = text[1..].iter().take_while(|byte| **byte == b'#').count();
    if text.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'#'; hashes + 1];
    end[0] = b'"';
    let start = hashes + 2;
    Some((start + until(&text[start..], &end) + end.len()).min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_blank() {
        let source = r##"a("x\"y") /* b /* c */ d */ e('"', '\'', 'é') f // g
            h(r#"i " j"#, br"k") &'l m"##;
        let code = mask(source, Mask::LiteralsAndComments);
        assert_eq!(
            code.split_whitespace().collect::<String>(),
            "a()e(,,)fh(,b)&'lm"
        );
        assert_eq!(code.len(), source.len());
        assert!(mask(source, Mask::Literals).contains("// g"));
    }

    #[test]
    fn tests_do_not_ship() {
        let source =
            "fn a() {}\n#[cfg(test)]\n#[path = \"t.rs\"]\nmod tests { fn b() {} }\nfn c() {}
            #[cfg(all(test, feature = \"x\"))] use d;\nfn e() {}";
        let code = shipped(source);
        assert_eq!(
            code.split_whitespace().collect::<String>(),
            "fna(){}fnc(){}fne(){}"
        );
        assert_eq!(code.lines().count(), source.lines().count());
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(
            words("axum max_axum axum2 (axum)", "axum").collect::<Vec<_>>(),
            [0, 21]
        );
    }
}
