//! The longest possible name of an entry.
//!
//! On LMDB, 389-ds stores for each entry a record of its identifier (4 bytes), two lengths (2 bytes each), and its RDN
//! twice, as written and in lower case, each with a terminating zero byte. LMDB limits such a record to 511 bytes, so
//! an RDN can have (511 - 8) / 2 - 1 = 250 bytes. A removed entry stays for a while as a tombstone, whose RDN begins
//! with `nsuniqueid=`, 35 characters and a comma: 47 bytes more. So an entry with an RDN of more than 203 bytes could
//! be added, but never be removed. 389-ds refuses a longer name with result 1. Berkeley DB allows longer names; the
//! limit is the same there, so that a server can be migrated.

use ldap_text::attribute::AttributeName;

/// Longest RDN, in bytes, as 389-ds writes it.
pub const MAX_RDN: usize = 203;

/// Whether an entry can be named by this value.
#[must_use]
pub fn fits(attribute: &AttributeName, value: &str) -> bool {
    attribute.as_str().len() + 1 + value.chars().map(length).sum::<usize>() <= MAX_RDN
}

/// The most bytes of a character, in either letter case. 389-ds writes a special character as a backslash and two
/// digits (RFC 4514 section 2.4).
fn length(character: char) -> usize {
    match character {
        '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => 3,
        plain => plain.len_utf8().max(plain.to_lowercase().map(char::len_utf8).sum()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

    #[test]
    fn a_name_has_203_bytes_with_its_attribute_and_escapes() {
        for (value, count) in [("a", 200), ("я", 100), ("😀", 50), (",", 66), ("İ", 66)] {
            assert!(fits(&names::OU, &value.repeat(count)), "{value}");
            assert!(!fits(&names::OU, &value.repeat(count + 1)), "{value}");
        }
        assert!(fits(&names::MAIL, &"a".repeat(198)) && !fits(&names::MAIL, &"a".repeat(199)));
    }
}
