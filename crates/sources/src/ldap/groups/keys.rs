//! Numbers for DNs: members are named by DNs, of which there may be millions.

use ldap_text::Dn;
use std::hash::{BuildHasher as _, RandomState};

/// Makes numbers for DNs, other ones in each run. Two spellings of a DN have one number; that two DNs have one is as
/// good as impossible (for a million, 1 in 10⁷), and nobody outside can bring it about.
#[derive(Default)]
pub(super) struct Keys(RandomState);

/// The number of a DN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Keys {
    /// The number of a DN; a text that is not a DN is compared without regard to case.
    pub(super) fn of(&self, dn: &str) -> Key {
        Key(match Dn::parse(dn) {
            Ok(dn) => self.0.hash_one(dn),
            Err(_) => self.0.hash_one(dn.to_lowercase()),
        })
    }

    /// The number of the DN in a value of `uniqueMember`, which may end in a bit string (RFC 4517 section 3.3.21):
    /// `cn=a,dc=x#'0101'B`.
    pub(super) fn of_name_and_uid(&self, value: &str) -> Key {
        let without = value.strip_suffix("'B").and_then(|text| text.rsplit_once("#'"));
        let is_bits = |bits: &str| bits.bytes().all(|byte| matches!(byte, b'0' | b'1'));
        self.of(without.filter(|(_, bits)| is_bits(bits)).map_or(value, |(dn, _)| dn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_dn_have_one_number() {
        let keys = Keys::default();
        let dn = keys.of("CN=Иванов\\, Иван,OU=Staff,DC=x");
        for same in ["cn=иванов\\, иван,ou=staff,dc=x", "cn=Иванов\\2C Иван, ou=Staff, dc=x"]
        {
            assert_eq!(keys.of(same), dn, "{same}");
        }
        assert_ne!(keys.of("CN=Иванов,OU=Staff,DC=x"), dn);
        assert_eq!(keys.of("No DN"), keys.of("no dn"));
    }

    #[test]
    fn the_bit_string_of_a_unique_member_is_left_out() {
        let keys = Keys::default();
        assert_eq!(keys.of_name_and_uid("cn=a,dc=x#'0101'B"), keys.of("cn=a,dc=x"));
        assert_eq!(keys.of_name_and_uid("cn=a,dc=x"), keys.of("cn=a,dc=x"));
    }
}
