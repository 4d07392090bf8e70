//! The addresses of people, by their DNs: what members of groups are looked up in.

use super::keys::{Key, Keys};
use crate::{
    SourceError,
    ldap::{
        connection::Session,
        entry::Entry,
        names,
        person::Addresses as Texts,
        root::Root,
        search::{Search, texts},
        settings::Plan,
        standing::{self, Standing},
    },
};
use mail_model::address::MailAddress;
use std::collections::HashMap;

/// The addresses of people. Each person takes about a hundred bytes.
#[derive(Default)]
pub(super) struct People {
    addresses: Vec<MailAddress>,
    by_name: HashMap<Key, u32>,
    /// Whose primary group has this relative identifier.
    by_primary_group: HashMap<u32, Vec<u32>>,
}

impl People {
    /// Reads who gets mail.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) async fn read(
        session: &mut Session,
        root: &Root,
        plan: &Plan,
        keys: &Keys,
    ) -> Result<Self, SourceError> {
        let own = [names::MAIL, names::PROXY_ADDRESSES, names::PRIMARY_GROUP_ID];
        let attributes = texts(own.iter().chain(&standing::DECISIVE));
        let mut search = Search::below(session, root, &plan.base, plan.users.and(None), attributes);
        let mut people = Self::default();
        while let Some(entry) = search.next().await? {
            if Standing::of(&entry, root).gets_mail() {
                people.add(&entry, keys);
            }
        }
        Ok(people)
    }

    /// Adds a person, unless they have no usable address.
    fn add(&mut self, entry: &Entry, keys: &Keys) {
        let address = Texts::of(entry).main.and_then(|text| MailAddress::parse(text).ok());
        let Some((address, number)) = address.zip(u32::try_from(self.addresses.len()).ok()) else { return };
        self.addresses.push(address);
        self.by_name.insert(keys.of(entry.dn()), number);
        if let Some(group) = entry.number(&names::PRIMARY_GROUP_ID) {
            self.by_primary_group.entry(group).or_default().push(number);
        }
    }

    /// The person with a DN.
    pub(super) fn named(&self, key: Key) -> Option<u32> {
        self.by_name.get(&key).copied()
    }

    /// The people whose primary group has this relative identifier.
    pub(super) fn of_primary_group(&self, relative_id: u32) -> &[u32] {
        self.by_primary_group.get(&relative_id).map_or(&[], Vec::as_slice)
    }

    /// The address of a person.
    pub(super) fn address(&self, person: u32) -> Option<&MailAddress> {
        self.addresses.get(usize::try_from(person).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_by_name_and_by_primary_group() {
        let (mut people, keys) = (People::default(), Keys::default());
        let entry = |dn: &str, mail: &str| Entry::new(dn, &[("mail", &[mail]), ("primaryGroupID", &["513"])]);
        people.add(&entry("cn=a,dc=x", "a@x.ru"), &keys);
        people.add(&entry("cn=b,dc=x", "nothing"), &keys);
        people.add(&entry("cn=c,dc=x", "c@x.ru"), &keys);
        assert_eq!(people.named(keys.of("CN=C, DC=x")), Some(1));
        assert_eq!(people.named(keys.of("cn=b,dc=x")), None);
        assert_eq!(people.of_primary_group(513), [0, 1]);
        assert_eq!(people.address(1).map(MailAddress::as_str), Some("c@x.ru"));
    }
}
