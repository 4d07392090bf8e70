//! The state of a dry run: the addresses that earlier rows would have taken.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The most addresses that are remembered, by hashes of 8 bytes and those of their owners: 4 MiB in a half empty table.
/// Rows after that are checked against the directory only.
const MAX_REMEMBERED: usize = 128 * 1024;

/// Addresses that earlier rows would have taken, and their owners.
#[derive(Default)]
pub(super) struct Trial {
    hasher: RandomState,
    owners: Mutex<HashMap<u64, u64>>,
}

impl Trial {
    /// Whether an earlier row would have created a user with this address.
    pub(super) fn has_user(&self, mail: &str) -> bool {
        let user = self.hash(mail);
        self.owners().get(&user) == Some(&user)
    }

    /// The first of some addresses that an earlier row would have taken for another user than `own`.
    pub(super) fn find<'a>(&self, addresses: &'a [String], own: Option<&str>) -> Option<&'a String> {
        let (owners, own) = (self.owners(), own.map(|own| self.hash(own)));
        addresses.iter().find(|address| owners.get(&self.hash(address)).is_some_and(|o| Some(*o) != own))
    }

    /// Remembers the addresses of a user.
    pub(super) fn take(&self, addresses: &[String], owner: &str) {
        let (mut owners, owner) = (self.owners(), self.hash(owner));
        if owners.len() < MAX_REMEMBERED {
            owners.extend(addresses.iter().map(|address| (self.hash(address), owner)));
        }
    }

    fn hash(&self, address: &str) -> u64 {
        self.hasher.hash_one(address)
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| format!("{name}@b.c")).collect()
    }

    #[test]
    fn an_address_is_taken_by_one_user() {
        let trial = Trial::default();
        trial.take(&addresses(&["a", "alias"]), "a@b.c");
        assert!(trial.has_user("a@b.c") && !trial.has_user("alias@b.c") && !trial.has_user("b@b.c"));
        let wanted = addresses(&["b", "alias"]);
        assert_eq!(trial.find(&wanted, Some("b@b.c")), Some(&wanted[1]));
        assert_eq!(trial.find(&wanted, None), Some(&wanted[1]));
        assert_eq!(trial.find(&wanted, Some("a@b.c")), None);
        assert_eq!(trial.find(&wanted[..1], None), None);
    }

    #[test]
    fn its_memory_is_bounded() {
        let trial = Trial::default();
        for number in 0..MAX_REMEMBERED + 10 {
            trial.take(&[format!("u{number}@b.c")], "a@b.c");
        }
        assert_eq!(trial.owners().len(), MAX_REMEMBERED);
    }
}
