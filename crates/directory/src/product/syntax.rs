//! The values that 389-ds accepts, by the syntax that its schema names (RFC 4517 section 3.3), as far as pbm can
//! decide without asking the server. The checks are never stricter than 389-ds 2.3 was found to be.

use ldap_text::generalized_time;

/// The syntax of an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// A DN.
    Name,
    /// A DN that an identifier may follow.
    NameAndIdentifier,
    /// Text.
    Text,
    /// Text in ASCII.
    Ascii,
    /// Letters, digits and some signs, such as a phone number.
    Printable,
    /// Digits and spaces.
    Digits,
    /// A whole number.
    Number,
    /// `TRUE` or `FALSE`.
    Boolean,
    /// A time.
    Time,
    /// One of the other syntaxes that accept no empty value.
    Filled,
    /// Any other syntax: bytes.
    #[default]
    Other,
}

impl Syntax {
    /// The syntax with an OID, as the schema has it.
    pub(crate) fn of(number: &str) -> Self {
        match number.strip_prefix("1.3.6.1.4.1.1466.115.121.1.") {
            Some("12") => Self::Name,
            Some("34") => Self::NameAndIdentifier,
            Some("15") => Self::Text,
            Some("26") => Self::Ascii,
            Some("44" | "50") => Self::Printable,
            Some("36") => Self::Digits,
            Some("27") => Self::Number,
            Some("7") => Self::Boolean,
            Some("24") => Self::Time,
            Some("6" | "11" | "14" | "21" | "22" | "25" | "38" | "41" | "51" | "52") => Self::Filled,
            _ => Self::Other,
        }
    }

    /// Whether its values are DNs.
    pub(crate) fn is_name(self) -> bool {
        matches!(self, Self::Name | Self::NameAndIdentifier)
    }

    /// Why 389-ds would refuse a value; the text follows the name of the attribute in a message.
    pub(crate) fn flaw(self, value: &[u8]) -> Option<&'static str> {
        if value.is_empty() {
            let takes_it = matches!(self, Self::Name | Self::Ascii | Self::Digits | Self::Other);
            return (!takes_it).then_some("has an empty value");
        }
        let text = str::from_utf8(value).ok();
        let is_right = match self {
            Self::Name => value.contains(&b'=') || value.trim_ascii().is_empty() || value.contains(&0),
            Self::NameAndIdentifier => value.contains(&b'='),
            Self::Text => text.is_some(),
            Self::Ascii => value.is_ascii(),
            Self::Printable => value.iter().copied().all(is_printable),
            Self::Digits => value.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '),
            Self::Number => text.is_some_and(is_number),
            Self::Boolean => matches!(value, b"TRUE" | b"FALSE"),
            Self::Time => text.is_some_and(|text| generalized_time::parse(text).is_ok()),
            Self::Filled | Self::Other => true,
        };
        (!is_right).then_some(self.expected())
    }

    const fn expected(self) -> &'static str {
        match self {
            Self::Name | Self::NameAndIdentifier => "must be the name of an entry",
            Self::Text => "must be text in UTF-8",
            Self::Ascii => "must be text in ASCII",
            Self::Printable => "must be letters of ASCII, digits, spaces, or one of ' ( ) + , - . / : = ?",
            Self::Digits => "must be digits and spaces",
            Self::Number => "must be a whole number",
            Self::Boolean => "must be TRUE or FALSE",
            Self::Time => "must be a time, such as 20260131235959Z",
            Self::Filled | Self::Other => "does not fit",
        }
    }
}

/// A `PrintableCharacter` (RFC 4517 section 3.2).
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+,-./:=? ".contains(&byte)
}

/// An `INTEGER` (RFC 4517 section 3.3.16).
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_canonical = text == "0" || digits.starts_with(|first: char| matches!(first, '1'..='9'));
    is_canonical && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_judged_as_389_ds_judges_them() {
        for (syntax, good, bad) in [
            (Syntax::Name, &["", "dc=x", "cn=\"a,b\"", " ", "dc=x#'01'B"][..], &["a", "1", "dc"][..]),
            (Syntax::NameAndIdentifier, &["dc=x", "dc=x#'01'B"], &["", " ", "a"]),
            (Syntax::Text, &[" ", "я"], &[""]),
            (Syntax::Ascii, &["", " ", "a@b", "$"], &["я"]),
            (
                Syntax::Printable,
                &["+7 (1)", "http://x y", "dc=x", "a"],
                &["", "я", "a@b", "a$b", "a_b", "x#1"],
            ),
            (Syntax::Digits, &["", "1", " 1", "01"], &["a", "-1", "+1"]),
            (
                Syntax::Number,
                &["1", "-1", "0", "99999999999999999999"],
                &["", "01", "-0", "+1", " 1", "1 ", "a", "-"],
            ),
            (Syntax::Boolean, &["TRUE", "FALSE"], &["", "true", "1"]),
            (
                Syntax::Time,
                &["20260101000000Z", "2026010100Z", "20260101000000.5+0300"],
                &["", "20260101", "20261301000000Z"],
            ),
            (Syntax::Filled, &["я"], &[""]),
            (Syntax::Other, &["", "я", "\0"], &[]),
        ] {
            for value in good {
                assert_eq!(syntax.flaw(value.as_bytes()), None, "{syntax:?}: {value:?}");
            }
            for value in bad {
                assert!(syntax.flaw(value.as_bytes()).is_some(), "{syntax:?}: {value:?}");
            }
        }
        assert!(Syntax::Text.flaw(b"\xff").is_some() && Syntax::Other.flaw(b"\xff").is_none());
    }
}
