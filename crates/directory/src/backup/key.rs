//! Hashes of names and contents: 16 bytes for each of a million entries.

use ldap_text::{
    attribute::AttributeName,
    dn::{Dn, Rdn},
};
use std::hash::{BuildHasher, Hash, RandomState};

/// Identifies the name of an entry, whatever its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(u128);

/// Identifies attributes and their values, in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest(u128);

/// Makes the hashes of one run. They are seeded at random, so nobody can construct two names or contents with the same
/// hash; by chance that happens once in 10^26 runs of a million entries, with 128 bits.
#[derive(Clone, Default)]
pub(crate) struct Numbers(RandomState, RandomState);

impl Numbers {
    /// The hash of a name.
    pub(crate) fn of(&self, dn: &Dn) -> Key {
        self.of_parts(dn.rdns())
    }

    /// The hash of the parent's name; `None` for the empty name.
    pub(crate) fn of_parent(&self, dn: &Dn) -> Option<Key> {
        dn.rdns().split_first().map(|(_, parent)| self.of_parts(parent))
    }

    fn of_parts(&self, parts: &[Rdn]) -> Key {
        Key(self.hash(parts))
    }

    /// The hash of a text in a name space.
    pub(crate) fn of_text(&self, space: &str, text: &str) -> Key {
        Key(self.hash((space, text)))
    }

    /// Adds a value to a digest.
    pub(crate) fn take(&self, digest: &mut Digest, name: &AttributeName, value: &[u8]) {
        // A sum does not depend on the order, and duplicate values do not cancel each other out.
        digest.0 = digest.0.wrapping_add(self.hash((name, value)));
    }

    fn hash(&self, what: impl Hash) -> u128 {
        (u128::from(self.0.hash_one(&what)) << 64) | u128::from(self.1.hash_one(&what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_however_it_is_spelled() {
        let numbers = Numbers::default();
        let of = |text| numbers.of(&Dn::parse(text).unwrap());
        assert_eq!(of("OU=People, dc=X"), of("ou=people,dc=x"));
        assert_ne!(of("ou=people,dc=x"), of("ou=people,dc=y"));
        assert_eq!(numbers.of_parent(&Dn::parse("cn=a,dc=x").unwrap()), Some(of("dc=x")));
    }

    #[test]
    fn a_digest_minds_values_and_not_their_order() {
        let numbers = Numbers::default();
        let of = |values: &[(&str, &str)]| {
            let mut digest = Digest::default();
            for (name, value) in values {
                numbers.take(&mut digest, &AttributeName::parse(name).unwrap(), value.as_bytes());
            }
            digest
        };
        assert_eq!(of(&[("cn", "a"), ("sn", "b")]), of(&[("SN", "b"), ("cn", "a")]));
        assert_ne!(of(&[("cn", "a")]), of(&[("cn", "a"), ("cn", "a")]));
        assert_ne!(of(&[("cn", "a"), ("sn", "b")]), of(&[("cn", "b"), ("sn", "a")]));
    }
}
