//! The identifier of a message, as its header `Message-ID` has it (RFC 5322 section 3.6.4).
//!
//! Programs write identifiers that the standard does not allow, and these must be recallable too. So any text is
//! accepted that can stand in a header, and two identifiers are equal only if they are the same byte for byte.

use std::fmt;

/// The longest identifier, in bytes: a line of a header has at most 998 (RFC 5322 section 2.1.1).
pub const MAX_MESSAGE_ID: usize = 998;

/// Why a text is not usable as an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageIdError {
    /// Nothing is left without blanks and angle brackets.
    #[error("is empty")]
    Empty,
    /// Longer than a line of a header.
    #[error("is too long: at most {MAX_MESSAGE_ID} bytes")]
    TooLong,
    /// A control character, which no header contains.
    #[error("contains a control character")]
    Control,
    /// U+FFFD, which Dovecot sends in place of every byte that is not UTF-8.
    #[error("contains the character U+FFFD, which stands for an unreadable byte")]
    Unreadable,
}

/// An identifier without its angle brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// Parses an identifier with or without angle brackets. Blanks around it are dropped.
    ///
    /// # Errors
    /// [`MessageIdError`].
    pub fn parse(text: &str) -> Result<Self, MessageIdError> {
        let bare = bare(text.trim());
        if bare.is_empty() {
            Err(MessageIdError::Empty)
        } else if bare.len() > MAX_MESSAGE_ID {
            Err(MessageIdError::TooLong)
        } else if bare.chars().any(char::is_control) {
            Err(MessageIdError::Control)
        } else if bare.contains(char::REPLACEMENT_CHARACTER) {
            Err(MessageIdError::Unreadable)
        } else {
            Ok(Self(bare.to_owned()))
        }
    }

    /// The identifier without angle brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it contains a blank. Hardly any message has such an identifier; more often a `+` was not encoded in a form.
    #[must_use]
    pub fn has_blank(&self) -> bool {
        self.0.contains(' ')
    }

    /// Whether a header is exactly this identifier. The header may be folded. Of a message with several headers
    /// `Message-ID`, which Dovecot separates by line breaks, none is the identifier.
    #[must_use]
    pub fn is_of_header(&self, header: &str) -> bool {
        let unfolded = header.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
        bare(unfolded.trim()) == self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

fn bare(text: &str) -> &str {
    text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angle_brackets_and_blanks_are_optional() {
        for text in ["<1@x>", "1@x", "  <1@x>\t", " 1@x "] {
            assert_eq!(MessageId::parse(text).unwrap().as_str(), "1@x");
        }
        assert_eq!(MessageId::parse("<1@x").unwrap().as_str(), "<1@x");
    }

    #[test]
    fn a_header_is_compared_whole() {
        let id = MessageId::parse("1@x").unwrap();
        for header in ["<1@x>", " <1@x> ", "1@x", "\n <1@x>", "\r\n\t<1@x>"] {
            assert!(id.is_of_header(header), "{header:?}");
        }
        for header in
            ["<11@x>", "<1@x.example>", "<1@X>", "<1@x> (c)", "<1@x>\n<2@x>", "<1@x>\n<1@x>", "", "<>"]
        {
            assert!(!id.is_of_header(header), "{header:?}");
        }
    }

    #[test]
    fn what_no_header_contains_is_refused() {
        for (text, error) in [
            ("", MessageIdError::Empty),
            (" <> ", MessageIdError::Empty),
            ("<1\r\n@x>", MessageIdError::Control),
            ("1\0@x", MessageIdError::Control),
            ("1\u{85}@x", MessageIdError::Control),
            ("<\u{fffd}@x>", MessageIdError::Unreadable),
            ("a".repeat(999).as_str(), MessageIdError::TooLong),
        ] {
            assert_eq!(MessageId::parse(text), Err(error), "{text:?}");
        }
        assert!(MessageId::parse(&"a".repeat(998)).is_ok());
    }
}
