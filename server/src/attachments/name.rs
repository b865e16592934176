//! Names of files, as people see them. They are never paths: a file is kept by its hash.

/// Longest name of a file, in bytes.
pub const NAME_MAX_BYTES: usize = 255;

/// A text is no name of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a file name has 1 to {NAME_MAX_BYTES} bytes, no `/` and no `\\`, no control characters, and is \
     not `.` or `..`; send `?name=` with the name alone"
)]
pub struct NameError;

/// The name without white space around it.
///
/// # Errors
/// It is no name: a path, too long, or made to look like another one.
pub fn file_name(text: &str) -> Result<String, NameError> {
    let name = text.trim();
    let fits = (1..=NAME_MAX_BYTES).contains(&name.len()) && text.len() <= 2 * NAME_MAX_BYTES;
    let is_path = name.contains(['/', '\\']) || matches!(name, "." | "..");
    let hides = |c: char| {
        c.is_control() || is_direction(c) || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffd}')
    };
    if !fits || is_path || name.chars().any(hides) {
        return Err(NameError);
    }
    Ok(name.to_owned())
}

/// Characters that turn the direction of text: `annexe.png` may be `annpxe.exe`.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_a_long_name_and_one_that_hides_something_are_no_names() {
        let long = "x".repeat(NAME_MAX_BYTES + 1);
        let longer = "x".repeat(5 * 1_024);
        for wrong in [
            "",
            "  ",
            ".",
            "..",
            "../plan.txt",
            "..\\plan.txt",
            "/etc/passwd",
            "C:\\plan.txt",
            "a/b",
            "plan\0.txt",
            "plan\r\nSet-Cookie: a=b",
            "exe\u{202e}gnp.txt",
            &long,
            &longer,
        ] {
            assert_eq!(file_name(wrong), Err(NameError), "{wrong:?}");
        }
        for right in [
            "plan.txt",
            "..plan",
            "Übersicht 1%.pdf",
            "%2e%2e%2f",
            "<img onerror=x>",
        ] {
            assert_eq!(file_name(right).as_deref(), Ok(right));
        }
        assert_eq!(file_name(" plan.txt ").as_deref(), Ok("plan.txt"));
    }
}
