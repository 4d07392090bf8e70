//! Mail addresses and domains (RFC 5321 section 4.1.2, RFC 5890).
//!
//! Covered: dot-atom local parts in ASCII, domains in any script, kept as A-labels. Everything is
//! kept lower case, so one address has one spelling. Refused, with a reason: quoted local parts,
//! address literals, non-ASCII local parts (RFC 6531; `mail` is an IA5 attribute in 389-ds).

use std::fmt;

/// Longest local part in octets (RFC 5321 section 4.5.3.1.1).
pub const MAX_LOCAL_PART: usize = 64;
/// Longest address in octets: a path of 256 without its angle brackets (RFC 5321 section 4.5.3.1.3).
pub const MAX_ADDRESS: usize = 254;
/// Longest domain in octets (RFC 1035 section 2.3.4, without the root dot).
pub const MAX_DOMAIN: usize = 253;

/// Why a text is no mail address or domain that can be used here.
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
    /// The domain is not a valid host name of at least two labels.
    #[error("has a wrong domain: expected a name such as example.com")]
    Domain,
}

/// A mail domain: lower case A-labels, at least two of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// Reads a domain in any script and letter case.
    ///
    /// # Errors
    /// [`AddressError::Domain`] when it is no host name of at least two labels.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        // More than 4 octets of UTF-8 per A-label octet cannot fit; checked first to bound the work.
        if text.len() > MAX_DOMAIN * 4 {
            return Err(AddressError::Domain);
        }
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| AddressError::Domain)?;
        let labels = ascii.split('.').count();
        let last_is_number =
            ascii.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
        if labels < 2 || ascii.len() > MAX_DOMAIN || last_is_number {
            return Err(AddressError::Domain);
        }
        Ok(Self(ascii))
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

/// A mail address: lower case, `local@domain`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailAddress {
    text: String,
    at: usize,
}

impl MailAddress {
    /// Reads an address in any letter case.
    ///
    /// # Errors
    /// [`AddressError`] says what is allowed.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(AddressError::Shape);
        }
        check_local_part(local)?;
        let domain = Domain::parse(domain)?;
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
            ["a,b@x.com", "\"a b\"@x.com", "a\\b@x.com", "<a>@x.com", "a;b@x.com", "a(b)@x.com", " a@x.com"]
        {
            assert_eq!(MailAddress::parse(wrong), Err(AddressError::LocalPart), "{wrong}");
        }
        for wrong in [".a@x.com", "a.@x.com", "a..b@x.com", "a@b@x.com", "a\0@x.com"] {
            assert_eq!(MailAddress::parse(wrong), Err(AddressError::LocalPart), "{wrong}");
        }
        for wrong in ["a@x..com", "a@-x.com", "a@x_y.com", "a@x.com ", "a@x .com", "a@.com"] {
            assert_eq!(MailAddress::parse(wrong), Err(AddressError::Domain), "{wrong}");
        }
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
