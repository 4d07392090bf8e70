//! Attribute descriptions (RFC 4512, section 2.5).
//!
//! Covers a short name (`cn`) or a numeric OID (`2.5.4.3`), each with options (`;lang-ru`, `;binary`), and the
//! underscore (`my_attr`), which the RFC does not have and most servers accept. Refuses everything else: spaces,
//! leading zeros in an OID, an empty option. The remaining characters have no special meaning in a DN, a filter or
//! LDIF, so a name is written there without escapes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Names that occur in nearly every DN and entry; parsing them allocates nothing.
const COMMON: [&str; 12] =
    ["cn", "ou", "dc", "uid", "o", "c", "l", "st", "sn", "mail", "objectClass", "nsUniqueId"];

/// The name of an attribute, with its options if it has any. Comparison ignores case. A clone allocates nothing.
#[derive(Clone, Debug)]
pub struct AttributeName(Text);

#[derive(Clone, Debug)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

/// Why a text isn't an attribute name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an attribute name is a letter followed by letters, digits, hyphens and underscores, or a dotted number, and may have options after `;`"
)]
pub struct AttributeNameError;

impl AttributeName {
    /// A name written in the program itself. In a `const` an invalid name does not compile.
    ///
    /// # Panics
    ///
    /// When the name isn't valid.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        assert!(is_valid(name.as_bytes()), "not an attribute name");
        Self(Text::Static(name))
    }

    /// Reads a name, options included.
    ///
    /// # Errors
    ///
    /// [`AttributeNameError`] if the text is not a valid name.
    pub fn parse(text: &str) -> Result<Self, AttributeNameError> {
        if let Some(common) = COMMON.iter().find(|common| **common == text) {
            return Ok(Self(Text::Static(common)));
        }
        if !is_valid(text.as_bytes()) {
            return Err(AttributeNameError);
        }
        Ok(Self(Text::Shared(text.into())))
    }

    /// The name as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(name) => name,
            Text::Shared(name) => name,
        }
    }

    /// Whether this is the attribute `plain`, with or without options.
    #[must_use]
    pub fn is_kind_of(&self, plain: &Self) -> bool {
        let name = self.as_str().split(';').next().unwrap_or_default();
        name.eq_ignore_ascii_case(plain.as_str())
    }

    /// The options, in their spelling and order.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.as_str().split(';').skip(1)
    }

    /// The name with only those options for which `is_wanted` holds.
    #[must_use]
    pub fn with_options(&self, is_wanted: impl Fn(&str) -> bool) -> Self {
        if self.options().all(&is_wanted) {
            return self.clone();
        }
        let mut name = self.as_str().split(';').next().unwrap_or_default().to_owned();
        for option in self.options().filter(|option| is_wanted(option)) {
            name.push(';');
            name.push_str(option);
        }
        Self(Text::Shared(name.into()))
    }

    /// The name without options, for a DN, which can't have them.
    #[must_use]
    pub fn without_options(self) -> Self {
        self.with_options(|_| false)
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.as_str().bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for AttributeName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for AttributeName {}

impl Hash for AttributeName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|byte| state.write_u8(byte));
        state.write_u8(0xff);
    }
}

impl Ord for AttributeName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl PartialOrd for AttributeName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Uses slice patterns, since it also runs at compile time, where iterators are not available.
const fn is_valid(name: &[u8]) -> bool {
    match name {
        [first, rest @ ..] if first.is_ascii_alphabetic() => is_rest_valid(skip_key(rest)),
        [first, ..] if first.is_ascii_digit() => match skip_number(name) {
            Some(rest) => is_rest_valid(rest),
            None => false,
        },
        _ => false,
    }
}

const fn is_rest_valid(mut rest: &[u8]) -> bool {
    while let [b';', option @ ..] = rest {
        rest = skip_key(option);
        if rest.len() == option.len() {
            return false;
        }
    }
    rest.is_empty()
}

const fn skip_key(mut rest: &[u8]) -> &[u8] {
    while let [byte, after @ ..] = rest {
        if !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_') {
            break;
        }
        rest = after;
    }
    rest
}

/// Skips `1.2.840`; `None` when a part is empty or starts with a zero it doesn't need.
const fn skip_number(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        rest = match rest {
            [b'0', after @ ..] => after,
            [b'1'..=b'9', after @ ..] => skip_digits(after),
            _ => return None,
        };
        match rest {
            [b'.', after @ ..] => rest = after,
            _ => return Some(rest),
        }
    }
}

const fn skip_digits(mut rest: &[u8]) -> &[u8] {
    while let [b'0'..=b'9', after @ ..] = rest {
        rest = after;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_numbers_and_options_are_accepted() {
        for name in [
            "cn",
            "CN",
            "x-1",
            "2.5.4.3",
            "0.9.2342",
            "7",
            "cn;lang-ru",
            "userCertificate;binary",
            "my_attr",
            "cn;lang_ru",
        ] {
            assert_eq!(AttributeName::parse(name).unwrap().as_str(), name);
        }
        assert!(AttributeName::parse("2.5.4.3;lang-ru;x-a").is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        for name in ["", " cn", "cn ", "-cn", "_cn", "1.", ".1", "1..2", "01.2", "1.02", "1a", "cn;", ";x"] {
            assert_eq!(AttributeName::parse(name), Err(AttributeNameError), "{name:?}");
        }
        for name in ["cn;;x", "cn;x=", "имя", "cn=a", "cn)", "cn\0", "my.attr", "a$b", "OID.1.2"] {
            assert_eq!(AttributeName::parse(name), Err(AttributeNameError), "{name:?}");
        }
    }

    #[test]
    fn options_are_told_and_taken_off() {
        let name = AttributeName::parse("CN;lang-ru;x-a").unwrap();
        assert_eq!(name.options().collect::<Vec<_>>(), ["lang-ru", "x-a"]);
        assert_eq!(name.with_options(|option| option != "lang-ru").as_str(), "CN;x-a");
        assert_eq!(
            (name.clone().without_options().as_str(), name.with_options(|_| true).as_str()),
            ("CN", "CN;lang-ru;x-a")
        );
        let kind = |of: &str| name.is_kind_of(&AttributeName::parse(of).unwrap());
        assert!(kind("cn") && !kind("c") && !kind("cn;lang-ru"));
    }

    #[test]
    fn case_does_not_matter_in_comparison_hash_and_order() {
        const NAME: AttributeName = AttributeName::from_static("MemberOf");
        let other = AttributeName::parse("memberof").unwrap();
        assert_eq!(NAME, other);
        assert_eq!(NAME.cmp(&other), Ordering::Equal);
        assert_eq!(HashSet::from([NAME, other]).len(), 1);
        assert!(AttributeName::from_static("B") > AttributeName::from_static("a"));
    }

    #[test]
    #[should_panic(expected = "not an attribute name")]
    fn a_bad_static_name_panics() {
        let _ = AttributeName::from_static("a b");
    }
}
