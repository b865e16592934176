//! What people write about themselves, once it has been checked.

use boardcast_protocol::limits::NAME_MAX_BYTES;

use super::AccountError;
use crate::storage::email_key;

/// Longest address, in bytes: that of a path (RFC 5321 section 4.5.3.1.3).
pub(super) const EMAIL_MAX_BYTES: usize = 254;
/// Shortest password, in characters.
pub(super) const PASSWORD_MIN_CHARS: usize = 10;
/// Longest password, in characters.
pub(super) const PASSWORD_MAX_CHARS: usize = 256;
/// Longest password, in bytes: so many characters of four bytes each.
pub(super) const PASSWORD_MAX_BYTES: usize = 4 * PASSWORD_MAX_CHARS;

/// The name that people see: 1 to [`NAME_MAX_BYTES`] bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Checks a name; space around it is dropped.
    ///
    /// # Errors
    /// It is empty, too long, or has control characters.
    pub fn new(text: &str) -> Result<Self, AccountError> {
        let text = text.trim();
        if text.is_empty() || text.len() > NAME_MAX_BYTES || text.contains(char::is_control) {
            return Err(AccountError::Name);
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// An e-mail address: something on both sides of one `@`. Whether it exists is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks an address; space around it is dropped.
    ///
    /// # Errors
    /// It has a wrong form.
    pub fn new(text: &str) -> Result<Self, AccountError> {
        let text = text.trim();
        let has_form = (text.split_once('@')).is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !host.contains('@')
        });
        let is_odd = text.contains(|c: char| c.is_control() || c.is_whitespace());
        if !has_form || is_odd || text.len() > EMAIL_MAX_BYTES {
            return Err(AccountError::Email);
        }
        Ok(Self(text.to_owned()))
    }

    /// What tells it apart from others.
    pub fn key(&self) -> String {
        email_key(&self.0)
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// A password that somebody chooses: 10 to 256 characters.
pub struct NewPassword(String);

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(..)")
    }
}

impl NewPassword {
    /// Checks the length of a password; nothing of it is changed.
    ///
    /// # Errors
    /// It is too short or too long.
    pub fn new(text: String) -> Result<Self, AccountError> {
        // The bytes first: counting characters reads all of it.
        let fits = text.len() <= PASSWORD_MAX_BYTES
            && (PASSWORD_MIN_CHARS..=PASSWORD_MAX_CHARS).contains(&text.chars().count());
        if !fits {
            return Err(AccountError::Password);
        }
        Ok(Self(text))
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_can_be_shown() {
        for good in ["Ann", " Ann B. ", "李", &"x".repeat(256)] {
            assert_eq!(PersonName::new(good).unwrap().0, good.trim());
        }
        for bad in ["", "  ", "a\r\nb", "a\u{7f}", &"x".repeat(257)] {
            assert!(
                matches!(PersonName::new(bad), Err(AccountError::Name)),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn addresses_have_two_sides_and_their_key_has_no_case() {
        let email = Email::new(" Ann@Exämple.ORG ").unwrap();
        assert_eq!(email.key(), "ann@exämple.org");
        let long = format!("{}@x", "a".repeat(253));
        for bad in ["", "ann", "@x", "ann@", "a@b@c", "a b@c", "a@b\n.c", &long] {
            assert!(
                matches!(Email::new(bad), Err(AccountError::Email)),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn passwords_are_bounded_in_characters_and_bytes() {
        for (password, fits) in [
            ("123456789".to_owned(), false),
            ("1234567890".to_owned(), true),
            ("é".repeat(9), false),
            ("𝄞".repeat(256), true),
            ("x".repeat(257), false),
            ("x".repeat(1_000_000), false),
        ] {
            let length = password.len();
            assert_eq!(NewPassword::new(password).is_ok(), fits, "{length}");
        }
    }
}
