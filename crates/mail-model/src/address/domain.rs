//! Mail domains: RFC 5890 to 5893 as UTS #46 processes them, non-transitional, with the host name rules (STD 3).
//!
//! One check of RFC 5891 section 4.2.3.1 is left out for ASCII labels: hyphens in the third and fourth position. Host
//! names such as `r3---sn-abc.example` exist and resolve. A label that begins with `xn--` still has to decode, and an
//! international label may not have the two hyphens.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use std::{borrow::Cow, fmt};
use unicode_normalization::char::is_combining_mark;
use visible_text::trimmed;

/// Longest domain in octets (RFC 1035 section 2.3.4, without the root dot).
pub const MAX_DOMAIN: usize = 253;
/// Longest label in octets (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;
/// The full stops that separate labels (RFC 3490 section 3.1).
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
/// The prefix of an A-label (RFC 5890 section 2.3.1).
const A_LABEL_PREFIX: &str = "xn--";

/// The rule that a text breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// An empty label: two consecutive dots, or a dot at the beginning or end.
    #[error("has an empty label: exactly one dot stands between two labels, none at the ends")]
    EmptyLabel,
    /// A single label, such as `localhost`.
    #[error("has one label only: expected at least two, such as example.com")]
    SingleLabel,
    /// A label of more than 63 octets as an A-label.
    #[error("has a label that is too long: at most {MAX_LABEL} characters, in its ASCII form")]
    LabelTooLong,
    /// More than 253 octets as A-labels.
    #[error("is too long: at most {MAX_DOMAIN} characters, in its ASCII form")]
    TooLong,
    /// A character that is not allowed in any label.
    #[error("has the character {}, which no domain can have: letters, digits and hyphens are allowed", shown(*.0))]
    Character(char),
    /// A label that begins or ends with a hyphen.
    #[error("has a label that begins or ends with a hyphen")]
    HyphenAtEnd,
    /// An international label with two hyphens in the third and fourth position.
    #[error("has a label of international letters with -- as its third and fourth character")]
    HyphensInULabel,
    /// `xn--` before something that is not the encoding of an international label.
    #[error("has a label that begins with xn-- and is not the ASCII form of an international label")]
    FakeALabel,
    /// The last label is a number, as in an IP address.
    #[error("ends with a number: expected a name, not an IP address")]
    NumericEnd,
    /// A label that begins with a combining mark.
    #[error("has a label that begins with a combining mark")]
    LeadingMark,
    /// Letters of both directions in a combination that is not allowed (RFC 5893).
    #[error("mixes right-to-left and left-to-right characters in a way that no domain can")]
    Direction,
    /// A character in a context that is not allowed, such as a joiner (RFC 5892 appendix A).
    #[error("has a label that the rules of international domain names do not allow (RFC 5892)")]
    Label,
}

/// A character for a message: an invisible one by its number.
fn shown(c: char) -> String {
    if c.is_control() || c.is_whitespace() || is_combining_mark(c) || c.escape_debug().len() > 1 {
        c.escape_unicode().to_string()
    } else {
        c.to_string()
    }
}

/// A mail domain: lower case A-labels, at least two of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// Parses a domain in any script and letter case, ignoring invisible characters around it.
    ///
    /// # Errors
    /// [`DomainError`] names the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        Self::exactly(trimmed(text))
    }

    /// Parses a domain without anything around it, as after the `@` of an address.
    pub(super) fn exactly(text: &str) -> Result<Self, DomainError> {
        // More than 4 octets of UTF-8 per A-label octet cannot fit; checked first to bound the work.
        if text.len() > MAX_DOMAIN * 4 {
            return Err(DomainError::TooLong);
        }
        let ascii = to_ascii(text, DnsLength::Verify).ok_or_else(|| broken_rule(text))?;
        let mut labels = ascii.rsplit('.');
        if labels.next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit())) {
            return Err(DomainError::NumericEnd);
        }
        if labels.next().is_none() {
            return Err(DomainError::SingleLabel);
        }
        // Checked for each label, because an ASCII label beside it may have the hyphens.
        if ascii.split('.').filter_map(in_own_letters).any(|label| has_reserved_hyphens(&label)) {
            return Err(DomainError::HyphensInULabel);
        }
        Ok(Self(ascii.into_owned()))
    }

    /// The domain as A-labels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address or a domain with the domain's A-labels decoded; `None` if there is no A-label, or one that cannot be
/// decoded.
#[must_use]
pub fn in_own_letters(text: &str) -> Option<String> {
    let (name, domain) = text.rsplit_once('@').map_or((None, text), |(name, domain)| (Some(name), domain));
    if domain.len() > MAX_DOMAIN || !domain.split('.').any(has_a_label_prefix) {
        return None;
    }
    let (domain, outcome) =
        Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    outcome.ok()?;
    Some(name.map_or_else(|| domain.to_string(), |name| format!("{name}@{domain}")))
}

fn to_ascii(text: &str, length: DnsLength) -> Option<Cow<'_, str>> {
    Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, length).ok()
}

fn has_a_label_prefix(label: &str) -> bool {
    label.get(..A_LABEL_PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(A_LABEL_PREFIX))
}

fn has_reserved_hyphens(label: &str) -> bool {
    label.chars().skip(2).take(2).eq(['-', '-'])
}

/// The rule that a text breaks. The UTS #46 implementation only says that it is not valid.
fn broken_rule(text: &str) -> DomainError {
    let labels = || text.split(DOTS);
    if labels().any(str::is_empty) {
        return DomainError::EmptyLabel;
    }
    if let Some(label) = labels().find(|label| label.chars().next().is_some_and(is_combining_mark)) {
        // A mark alone, as `\u{301}`, which composes with no other character.
        return if label.chars().all(is_combining_mark) {
            DomainError::Label
        } else {
            DomainError::LeadingMark
        };
    }
    if let Some(wrong) = text.chars().find(|c| !DOTS.contains(c) && !is_ever_allowed(*c)) {
        return DomainError::Character(wrong);
    }
    let ends_in_hyphen = |label: &str| label.starts_with('-') || label.ends_with('-');
    if labels().any(|label| ends_in_hyphen(label) && !has_a_label_prefix(label)) {
        return DomainError::HyphenAtEnd;
    }
    broken_rule_of_label(text)
}

/// The rule that a text breaks whose labels have allowed characters.
fn broken_rule_of_label(text: &str) -> DomainError {
    for label in text.split(DOTS) {
        match to_ascii(label, DnsLength::Ignore) {
            None if has_a_label_prefix(label) => return DomainError::FakeALabel,
            None if label.chars().any(is_right_to_left) => return DomainError::Direction,
            None => return DomainError::Label,
            Some(ascii) if ascii.is_empty() => return DomainError::EmptyLabel,
            Some(ascii) if ascii.len() > MAX_LABEL => return DomainError::LabelTooLong,
            Some(_) => {}
        }
    }
    // Each label is valid on its own, so the cause is the length of all, or a left-to-right label beside a
    // right-to-left one.
    match to_ascii(text, DnsLength::Ignore) {
        Some(_) => DomainError::TooLong,
        None => DomainError::Direction,
    }
}

/// Whether some label can have this character.
fn is_ever_allowed(c: char) -> bool {
    // Joiners depend on the preceding letters.
    if c.is_ascii_alphanumeric() || c == '-' || matches!(c, '\u{200c}' | '\u{200d}') {
        return true;
    }
    // After a Latin letter, alone, or between Hebrew letters: with either direction, one of these is a valid label.
    !c.is_ascii()
        && [format!("a{c}"), format!("{c}"), format!("\u{5d0}{c}\u{5d0}")]
            .iter()
            .any(|label| to_ascii(label, DnsLength::Ignore).is_some())
}

/// Whether a character is a letter that is written from right to left: the blocks from Hebrew to Arabic Extended-A, the
/// presentation forms, and the scripts of the supplementary plane.
const fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wrong_domain_is_told_by_the_rule_that_it_breaks() {
        use DomainError as E;
        let long = "a".repeat(64);
        let longest = format!("{}.{}.{}.{}", "a".repeat(63), "a".repeat(63), "a".repeat(63), "a".repeat(62));
        let cases = [
            ("", E::EmptyLabel),
            ("a..example", E::EmptyLabel),
            (".example.com", E::EmptyLabel),
            ("example.com.", E::EmptyLabel),
            ("пример。。рф", E::EmptyLabel),
            ("\u{ad}.example", E::EmptyLabel),
            ("localhost", E::SingleLabel),
            ("рф", E::SingleLabel),
            (&format!("{long}.example"), E::LabelTooLong),
            (&format!("{}.рф", "й".repeat(60)), E::LabelTooLong),
            (&longest, E::TooLong),
            (&"a.".repeat(600), E::TooLong),
            ("x_y.example", E::Character('_')),
            ("a b.example", E::Character(' ')),
            (" example.com", E::Character(' ')),
            ("пример.рф,", E::Character(',')),
            ("exa\u{202e}mple.com", E::Character('\u{202e}')),
            ("☃\u{fffd}.example", E::Character('\u{fffd}')),
            ("℀.example", E::Character('℀')),
            ("-a.example", E::HyphenAtEnd),
            ("a-.example", E::HyphenAtEnd),
            ("пример-.рф", E::HyphenAtEnd),
            ("аб--вг.рф", E::HyphensInULabel),
            ("xn--.example", E::FakeALabel),
            ("xn--a.example", E::FakeALabel),
            ("xn--99999999.example", E::FakeALabel),
            ("xn--example-.example", E::FakeALabel),
            ("XN--ASCII.example", E::FakeALabel),
            ("10.0.0.1", E::NumericEnd),
            ("example.123", E::NumericEnd),
            ("7", E::NumericEnd),
            ("\u{301}a.example", E::LeadingMark),
            ("a\u{5d0}.example", E::Direction),
            ("1.\u{5d0}", E::Direction),
            ("a\u{200d}b.example", E::Label),
        ];
        for (text, rule) in cases {
            assert_eq!(Domain::exactly(text), Err(rule), "{text:?}");
        }
    }

    #[test]
    fn domains_that_exist_are_taken() {
        let cases = [
            ("ab--cd.example", "ab--cd.example"),
            ("r3---sn-abc.example", "r3---sn-abc.example"),
            ("R3---SN-aigl6ned.Example", "r3---sn-aigl6ned.example"),
            ("a--b.example", "a--b.example"),
            ("1c.ru", "1c.ru"),
            ("Пример.РФ", "xn--e1afmkfd.xn--p1ai"),
            ("приме\u{440}。рф", "xn--e1afmkfd.xn--p1ai"),
            ("straße.example", "xn--strae-oqa.example"),
            ("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
            ("\u{5d0}\u{5d1}.\u{5d0}1", "xn--4dbc.xn--1-zhc"),
            ("и\u{306}.рф", "xn--i1a.xn--p1ai"),
        ];
        for (text, ascii) in cases {
            assert_eq!(
                Domain::parse(text).map(|domain| domain.to_string()).as_deref(),
                Ok(ascii),
                "{text:?}"
            );
        }
    }

    #[test]
    fn each_rule_has_a_message_of_its_own() {
        let message = |text: &str| Domain::parse(text).unwrap_err().to_string();
        assert!(message("a\u{202e}b.example").contains("has the character \\u{202e}, which"));
        assert!(message("x_y.example").contains("has the character _, which"));
        assert!(message(&format!("{}.рф", "й".repeat(60))).contains("at most 63 characters"));
        assert!(message("localhost").contains("at least two"));
    }

    #[test]
    fn addresses_and_domains_are_shown_in_their_own_letters() {
        let cases = [
            ("ivan@xn--e1afmkfd.xn--p1ai", Some("ivan@пример.рф")),
            ("xn--e1afmkfd.example", Some("пример.example")),
            ("XN--E1AFMKFD.example", Some("пример.example")),
            ("ivan@example.com", None),
            ("xn--ivan@example.com", None),
            ("ivan@xn--99999999.com", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(in_own_letters(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_in_its_own_letters_is_the_same_domain(text in "[a-zа-яё-]{1,10}\\.(com|рф)") {
            if let Ok(domain) = Domain::parse(&text)
                && let Some(shown) = in_own_letters(domain.as_str())
            {
                prop_assert_eq!(Domain::parse(&shown), Ok(domain));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,300}") {
            let _ = Domain::parse(&text);
            let _ = in_own_letters(&text);
        }
    }
}
