//! Texts of others on a terminal.

/// What a server or a client of it says, without anything that a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control(), "\u{fffd}")
}

/// The same for a text of several lines.
pub(super) fn plain_lines(text: &str) -> String {
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nobody_but_us() {
        let text = "a\x1b[2J\u{9b}1mb\n";
        assert_eq!(plain(text), "a\u{fffd}[2J\u{fffd}1mb\u{fffd}");
        assert_eq!(plain_lines(text), "a\u{fffd}[2J\u{fffd}1mb\n");
    }
}
