//! Search filters (RFC 4515), for printing only.
//!
//! A filter is built from parts and printed; a value can enter it only through the escapes of section 3. There is no
//! parser for filters: nobody outside may send one.

use std::fmt::{self, Write as _};

use crate::attribute::AttributeName;

/// A search filter. Printing it gives the text for the wire, with every value escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Every part holds; with no parts, always true (RFC 4526).
    And(Vec<Filter>),
    /// Some part holds; with no parts, always false (RFC 4526).
    Or(Vec<Filter>),
    /// The part does not hold.
    Not(Box<Filter>),
    /// Some value equals this one, by the attribute's matching rule.
    Equal(AttributeName, String),
    /// The attribute has a value.
    Present(AttributeName),
    /// Some value contains this text; an empty text tests for presence.
    Contains(AttributeName, String),
    /// Some value starts with this text; an empty text tests for presence.
    StartsWith(AttributeName, String),
    /// Some value ends with this text; an empty text tests for presence.
    EndsWith(AttributeName, String),
    /// Some value is equal to this one or greater.
    AtLeast(AttributeName, String),
    /// Some value is equal to this one or less.
    AtMost(AttributeName, String),
}

impl Filter {
    /// All of the parts.
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Filter>) -> Self {
        Self::And(parts.into_iter().collect())
    }

    /// At least one of the parts.
    #[must_use]
    pub fn any(parts: impl IntoIterator<Item = Filter>) -> Self {
        Self::Or(parts.into_iter().collect())
    }

    /// The opposite of the part.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a constructor, read as the word in the RFC")]
    pub fn not(part: Filter) -> Self {
        Self::Not(Box::new(part))
    }

    /// A value equal to this one.
    #[must_use]
    pub fn equal(name: AttributeName, value: impl Into<String>) -> Self {
        Self::Equal(name, value.into())
    }

    /// Any value at all.
    #[must_use]
    pub fn present(name: AttributeName) -> Self {
        Self::Present(name)
    }

    /// A value with this text in it.
    #[must_use]
    pub fn contains(name: AttributeName, value: impl Into<String>) -> Self {
        Self::Contains(name, value.into())
    }

    /// A value that starts with this text.
    #[must_use]
    pub fn starts_with(name: AttributeName, value: impl Into<String>) -> Self {
        Self::StartsWith(name, value.into())
    }

    /// A value that ends with this text.
    #[must_use]
    pub fn ends_with(name: AttributeName, value: impl Into<String>) -> Self {
        Self::EndsWith(name, value.into())
    }

    /// A value equal to this one or greater.
    #[must_use]
    pub fn at_least(name: AttributeName, value: impl Into<String>) -> Self {
        Self::AtLeast(name, value.into())
    }

    /// A value equal to this one or less.
    #[must_use]
    pub fn at_most(name: AttributeName, value: impl Into<String>) -> Self {
        Self::AtMost(name, value.into())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => group(f, '&', parts),
            Self::Or(parts) => group(f, '|', parts),
            Self::Not(part) => write!(f, "(!{part})"),
            Self::Present(name) => write!(f, "({name}=*)"),
            Self::Equal(name, value) => write!(f, "({name}={})", Escaped(value)),
            // `**` is not a valid filter, so an empty text must not leave two stars next to each other.
            Self::Contains(name, value) if value.is_empty() => write!(f, "({name}=*)"),
            Self::Contains(name, value) => write!(f, "({name}=*{}*)", Escaped(value)),
            Self::EndsWith(name, value) => write!(f, "({name}=*{})", Escaped(value)),
            Self::StartsWith(name, value) => write!(f, "({name}={}*)", Escaped(value)),
            Self::AtLeast(name, value) => write!(f, "({name}>={})", Escaped(value)),
            Self::AtMost(name, value) => write!(f, "({name}<={})", Escaped(value)),
        }
    }
}

fn group(f: &mut fmt::Formatter<'_>, operator: char, parts: &[Filter]) -> fmt::Result {
    write!(f, "({operator}")?;
    parts.iter().try_for_each(|part| write!(f, "{part}"))?;
    f.write_char(')')
}

/// A value, escaped for a filter.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            // The RFC requires escapes for the first four and NUL. The other control characters are escaped too: they
            // are legal, but a log line that contains one can look like two lines.
            if matches!(character, '\\' | '*' | '(' | ')') || character.is_control() {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    write!(f, "\\{byte:02x}")?;
                }
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CN: AttributeName = AttributeName::from_static("cn");
    const O: AttributeName = AttributeName::from_static("o");

    #[test]
    fn every_kind_prints_as_the_rfc_writes_it() {
        let filter = Filter::all([
            Filter::any([Filter::equal(CN, "Babs Jensen"), Filter::starts_with(CN, "Tim")]),
            Filter::not(Filter::present(O)),
            Filter::contains(O, "univ"),
            Filter::at_least(O, "a"),
            Filter::at_most(O, "b"),
        ]);
        assert_eq!(filter.to_string(), "(&(|(cn=Babs Jensen)(cn=Tim*))(!(o=*))(o=*univ*)(o>=a)(o<=b))");
    }

    #[test]
    fn the_escapes_of_rfc_4515_section_4() {
        let parens = Filter::equal(O, "Parens R Us (for all your parenthetical needs)");
        assert_eq!(parens.to_string(), r"(o=Parens R Us \28for all your parenthetical needs\29)");
        assert_eq!(Filter::contains(CN, "*").to_string(), r"(cn=*\2a*)");
        assert_eq!(Filter::equal(CN, r"C:\MyFile").to_string(), r"(cn=C:\5cMyFile)");
        assert_eq!(Filter::equal(CN, "\0\0\0\u{4}").to_string(), r"(cn=\00\00\00\04)");
        assert_eq!(Filter::equal(CN, "Лучић").to_string(), "(cn=Лучић)");
    }

    #[test]
    fn an_empty_text_asks_for_presence_and_empty_groups_are_constants() {
        assert_eq!(Filter::contains(CN, "").to_string(), "(cn=*)");
        assert_eq!(Filter::starts_with(CN, "").to_string(), "(cn=*)");
        assert_eq!(Filter::equal(CN, "").to_string(), "(cn=)");
        assert_eq!(Filter::all([]).to_string(), "(&)");
        assert_eq!(Filter::any([]).to_string(), "(|)");
    }

    /// Undoes the escapes, to show that nothing was lost.
    fn unescape(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, after @ ..] = rest {
            if *first == b'\\' {
                let pair = std::str::from_utf8(&after[..2]).unwrap();
                bytes.push(u8::from_str_radix(pair, 16).unwrap());
                rest = &after[2..];
            } else {
                bytes.push(*first);
                rest = after;
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    proptest! {
        #[test]
        fn no_value_brings_a_metacharacter_with_it(value in any::<String>()) {
            let text = Filter::equal(CN, value.as_str()).to_string();
            let inner = text.strip_prefix("(cn=").unwrap().strip_suffix(')').unwrap();
            prop_assert!(!inner.contains(['(', ')', '*']));
            prop_assert!(!inner.chars().any(char::is_control));
            prop_assert_eq!(unescape(inner), value);
        }

        #[test]
        fn every_kind_has_only_its_own_metacharacters(value in r"[\x00-\x7f]{1,20}") {
            let count = |filter: Filter, what: char| filter.to_string().matches(what).count();
            for filter in [
                Filter::contains(CN, value.as_str()),
                Filter::starts_with(CN, value.as_str()),
                Filter::at_least(CN, value.as_str()),
                Filter::at_most(CN, value.as_str()),
            ] {
                prop_assert_eq!(count(filter.clone(), '('), 1);
                prop_assert_eq!(count(filter.clone(), ')'), 1);
                prop_assert!(count(filter, '*') <= 2);
            }
        }
    }
}
