//! Mail addresses and domains (RFC 5321 section 4.1.2, RFC 5890).
//!
//! Covered: dot-atom local parts in ASCII, and domains in any script, stored as A-labels. Everything is stored in lower
//! case, so an address has one spelling; invisible characters around it are removed. Refused, with a reason: quoted
//! local parts, address literals, and non-ASCII local parts (RFC 6531; `mail` is an IA5 attribute in 389-ds).

mod domain;

pub use domain::{Domain, DomainError, MAX_DOMAIN, in_own_letters};

use std::fmt;
use visible_text::trimmed;

/// Longest local part in octets (RFC 5321 section 4.5.3.1.1).
pub const MAX_LOCAL_PART: usize = 64;
/// Longest address in octets: a path of 256 without its angle brackets (RFC 5321 section 4.5.3.1.3).
pub const MAX_ADDRESS: usize = 254;
/// Why a text is not a mail address that can be used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`, or nothing on one side of it.
    #[error("is not a mail address: expected name@domain")]
    Shape,
    /// The part before the `@` has a letter outside ASCII.
    #[error(
        "has a non-ASCII character before the @: only a-z, 0-9 and !#$%&'*+-/=?^_`{{|}}~. can stand there"
    )]
    NonAsciiLocalPart,
    /// The part before the `@` has a character that is not allowed, or a dot in the wrong place.
    #[error(
        "has a wrong character before the @: a-z, 0-9 and !#$%&'*+-/=?^_`{{|}}~ are allowed, and single dots between them"
    )]
    LocalPart,
    /// Longer than the standard allows.
    #[error("is too long: at most 64 characters before the @ and 254 in all")]
    TooLong,
    /// Longer than the name of an entry may be.
    #[error(
        "is too long for an entry to be named by it: at most 198 characters, of which each + and = counts as three"
    )]
    LongName,
    /// The domain breaks a rule.
    #[error("has a wrong domain: it {0}")]
    Domain(#[from] DomainError),
}

/// A mail address: lower case, `local@domain`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailAddress {
    text: String,
    at: usize,
}

impl MailAddress {
    /// Parses an address in any letter case.
    ///
    /// # Errors
    /// [`AddressError`] says what is allowed.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = trimmed(text).rsplit_once('@').ok_or(AddressError::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Shape);
        }
        check_local_part(local)?;
        let domain = Domain::exactly(domain)?;
        let mut address = local.to_ascii_lowercase();
        let at = address.len();
        address.push('@');
        address.push_str(domain.as_str());
        if address.len() > MAX_ADDRESS {
            return Err(AddressError::TooLong);
        }
        Ok(Self { text: address, at })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The domain's text, A-labels.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_local_part(local: &str) -> Result<(), AddressError> {
    if !local.is_ascii() {
        return Err(AddressError::NonAsciiLocalPart);
    }
    if local.len() > MAX_LOCAL_PART {
        return Err(AddressError::TooLong);
    }
    let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    if local.split('.').all(atom) { Ok(()) } else { Err(AddressError::LocalPart) }
}

/// `atext` of RFC 5322 section 3.2.3.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(
            MailAddress::parse("Ivan.Petrov@Example.COM").unwrap().as_str(),
            "ivan.petrov@example.com"
        );
    }

    #[test]
    fn what_does_not_show_around_an_address_is_cut() {
        for text in [" a@x.com", "a@x.com ", "\u{feff}a@x.com\u{200b}", "\u{a0}\u{202a}A@x.com\u{202c}\u{ad}"]
        {
            assert_eq!(MailAddress::parse(text).unwrap().as_str(), "a@x.com", "{text:?}");
        }
        assert_eq!(Domain::parse("\u{a0}x.com\u{200b}").unwrap().as_str(), "x.com");
        assert_eq!(MailAddress::parse("a\u{200b}b@x.com"), Err(AddressError::NonAsciiLocalPart));
    }

    #[test]
    fn a_cyrillic_domain_becomes_a_labels() {
        let address = MailAddress::parse("ivan@Пример.рф").unwrap();
        assert_eq!(address.as_str(), "ivan@xn--e1afmkfd.xn--p1ai");
        assert_eq!(address.domain(), "xn--e1afmkfd.xn--p1ai");
    }

    #[test]
    fn a_cyrillic_local_part_is_refused_with_its_own_reason() {
        assert_eq!(MailAddress::parse("юзер@пример.рф"), Err(AddressError::NonAsciiLocalPart));
    }

    #[test]
    fn every_special_character_of_a_dot_atom_is_allowed() {
        assert!(MailAddress::parse("a!#$%&'*+-/=?^_`{|}~b@example.com").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in ["", "@", "a@", "@example.com", "a", "a@b", "a@localhost", "a@10.0.0.1", "a@[10.0.0.1]"]
        {
            assert!(MailAddress::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in
            ["a,b@x.com", "\"a b\"@x.com", "a\\b@x.com", "<a>@x.com", "a;b@x.com", "a(b)@x.com", "a @x.com"]
        {
            assert_eq!(MailAddress::parse(wrong), Err(AddressError::LocalPart), "{wrong}");
        }
        for wrong in [".a@x.com", "a.@x.com", "a..b@x.com", "a@b@x.com", "a\0@x.com"] {
            assert_eq!(MailAddress::parse(wrong), Err(AddressError::LocalPart), "{wrong}");
        }
        for wrong in ["a@x..com", "a@-x.com", "a@x_y.com", "a@ x.com", "a@x.com\n", "a@x .com", "a@.com"] {
            assert!(matches!(MailAddress::parse(wrong), Err(AddressError::Domain(_))), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_domain_is_told_by_its_rule() {
        let error = MailAddress::parse("a@x_y.com").unwrap_err();
        assert_eq!(error, AddressError::Domain(DomainError::Character('_')));
        assert!(
            error.to_string().starts_with("has a wrong domain: it has the character _, which"),
            "{error}"
        );
    }

    #[test]
    fn a_local_part_of_64_fits_and_65_do_not() {
        assert!(MailAddress::parse(&format!("{}@example.com", "a".repeat(64))).is_ok());
        assert_eq!(
            MailAddress::parse(&format!("{}@example.com", "a".repeat(65))),
            Err(AddressError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn reading_an_address_again_changes_nothing(text in "[a-zA-Z0-9+_.-]{1,20}@[a-zа-я]{1,10}\\.(com|рф)") {
            if let Ok(address) = MailAddress::parse(&text) {
                prop_assert_eq!(MailAddress::parse(address.as_str()), Ok(address.clone()));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,300}") {
            let _ = MailAddress::parse(&text);
        }
    }
}
