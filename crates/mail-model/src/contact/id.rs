//! The identifier of a contact: the one that 389-ds gives an entry for its lifetime, as a UUID (RFC 9562).

use std::fmt;

/// A contact's identifier. It survives renames and is never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactId([u8; 16]);

/// The bytes of a UUID with a hyphen before them.
const UUID_HYPHENS: [usize; 4] = [4, 6, 8, 10];
/// The bytes of `nsUniqueId` with a hyphen before them.
const UNIQUE_ID_HYPHENS: [usize; 3] = [4, 8, 12];

impl ContactId {
    /// Reads the attribute `nsUniqueId`: four groups of eight hexadecimal digits.
    #[must_use]
    pub fn from_unique_id(text: &str) -> Option<Self> {
        parse(text, &UNIQUE_ID_HYPHENS)
    }

    /// Reads a UUID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse(text, &UUID_HYPHENS)
    }

    /// As a value of `nsUniqueId`.
    #[must_use]
    pub fn unique_id(self) -> String {
        grouped(self, &UNIQUE_ID_HYPHENS)
    }
}

fn parse(text: &str, hyphens: &[usize]) -> Option<ContactId> {
    let mut bytes = [0; 16];
    let mut rest = text.as_bytes();
    for (place, byte) in bytes.iter_mut().enumerate() {
        if hyphens.contains(&place) {
            rest = rest.strip_prefix(b"-")?;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let [high, low] = [digit(*digits.first()?)?, digit(*digits.last()?)?];
        *byte = u8::try_from(high * 16 + low).ok()?;
        rest = after;
    }
    rest.is_empty().then_some(ContactId(bytes))
}

fn grouped(id: ContactId, hyphens: &[usize]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(36);
    for (place, byte) in id.0.iter().enumerate() {
        if hyphens.contains(&place) {
            text.push('-');
        }
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&grouped(*self, &UUID_HYPHENS))
    }
}

impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIQUE: &str = "0f69e8d2-e82c11f1-bfa18793-5ae20175";
    const UUID: &str = "0f69e8d2-e82c-11f1-bfa1-87935ae20175";

    #[test]
    fn an_identifier_is_a_uuid_and_turns_back() {
        let id = ContactId::from_unique_id(UNIQUE).unwrap();
        assert_eq!(id.to_string(), UUID);
        assert_eq!(ContactId::parse(UUID), Some(id));
        assert_eq!(id.unique_id(), UNIQUE);
        assert_eq!(ContactId::parse(&UUID.to_uppercase()), Some(id));
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        for text in [
            "",
            UNIQUE,
            "0f69e8d2-e82c-11f1-bfa1-87935ae2017",
            "0f69e8d2-e82c-11f1-bfa1-87935ae201755",
            "0f69e8d2-e82c-11f1-bfa1-87935ae2017g",
            "+f69e8d2-e82c-11f1-bfa1-87935ae20175",
        ] {
            assert_eq!(ContactId::parse(text), None, "{text}");
        }
    }
}
