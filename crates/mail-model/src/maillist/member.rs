//! Members of a mailing list: their values in the list's entry, and their addresses.

use crate::{address::MailAddress, entry::EntryView, names};
use ldap_text::{
    attribute::AttributeName,
    dn::{Dn, Rdn},
    ldif::Value,
};
use std::collections::HashSet;

/// A member, by its entry or its outside address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// A user, list or resource of the tenant.
    Inside(Dn),
    /// An outside address.
    Outside(MailAddress),
}

impl Member {
    /// The attribute of the list's entry that it is in.
    #[must_use]
    pub fn attribute(&self) -> AttributeName {
        match self {
            Self::Inside(_) => names::MEMBER,
            Self::Outside(_) => names::OUTSIDE_MEMBER,
        }
    }

    /// Its value in the list's entry.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Inside(dn) => dn.to_string(),
            Self::Outside(address) => address.to_string(),
        }
    }
}

/// The members of a list, by the values in its entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    inside: Vec<String>,
    outside: Vec<String>,
}

impl Members {
    /// Reads the members from an entry.
    #[must_use]
    pub fn of_entry(entry: &impl EntryView) -> Self {
        let values = |name| entry.values(&name).to_vec();
        Self { inside: values(names::MEMBER), outside: values(names::OUTSIDE_MEMBER) }
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inside.len() + self.outside.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The DNs of the members that have an entry.
    #[must_use]
    pub fn inside(&self) -> &[String] {
        &self.inside
    }

    /// The members' addresses, sorted and without repeats, except those in `hidden`.
    #[must_use]
    pub fn addresses(&self, hidden: &HashSet<String>) -> Vec<String> {
        in_order(self.inside_addresses().chain(self.outside_addresses()).filter(|a| !hidden.contains(a)))
    }

    /// The members' addresses, sorted and without repeats, if `is_seen` returns true for the address and for whether
    /// the member has an entry.
    #[must_use]
    pub fn seen(&self, is_seen: impl Fn(&str, bool) -> bool) -> Vec<String> {
        let inside = self.inside_addresses().filter(|address| is_seen(address, true));
        in_order(inside.chain(self.outside_addresses().filter(|address| is_seen(address, false))))
    }

    fn inside_addresses(&self) -> impl Iterator<Item = String> + '_ {
        self.inside.iter().filter_map(|dn| address_of(dn))
    }

    fn outside_addresses(&self) -> impl Iterator<Item = String> + '_ {
        self.outside.iter().map(|address| address.to_lowercase())
    }

    /// The addresses of the members below a folder.
    pub fn within<'a>(&'a self, folder: &'a Dn) -> impl Iterator<Item = String> + 'a {
        let names = self.inside.iter().filter(|dn| is_below(dn, folder));
        names.filter_map(|dn| address_of(dn))
    }

    /// The members of `some` that the list lacks.
    #[must_use]
    pub fn missing(&self, some: &[Member]) -> Vec<Member> {
        let present: HashSet<Member> = self.all().collect();
        some.iter().filter(|member| !present.contains(*member)).cloned().collect()
    }

    /// The members of `wanted` that the list lacks, and the list's members that are not in `wanted`.
    #[must_use]
    pub fn difference(&self, wanted: &[Member]) -> (Vec<Member>, Vec<Member>) {
        let kept: HashSet<&Member> = wanted.iter().collect();
        let surplus = self.all().filter(|member| !kept.contains(member));
        (self.missing(wanted), surplus.collect())
    }

    /// The members of `some` that the list has.
    #[must_use]
    pub fn present(&self, some: &[Member]) -> Vec<Member> {
        let present: HashSet<Member> = self.all().collect();
        some.iter().filter(|member| present.contains(*member)).cloned().collect()
    }

    fn all(&self) -> impl Iterator<Item = Member> {
        let inside = self.inside.iter().filter_map(|dn| Dn::parse(dn).ok()).map(Member::Inside);
        let outside = self.outside.iter().filter_map(|a| MailAddress::parse(a).ok()).map(Member::Outside);
        inside.chain(outside)
    }
}

fn in_order(addresses: impl Iterator<Item = String>) -> Vec<String> {
    let mut addresses: Vec<_> = addresses.collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// The address of a member, read from its DN: the RDN of a user, list or resource is its address, so no entry has to be
/// read.
#[must_use]
pub fn address_of(dn: &str) -> Option<String> {
    let leaf = Rdn::parse_leaf(dn).ok()?;
    leaf.value_of(&names::MAIL).map(str::to_lowercase)
}

fn is_below(name: &str, folder: &Dn) -> bool {
    Dn::parse(name).is_ok_and(|dn| dn.is_within(folder))
}

/// The values of some members, for each of the two attributes.
pub(super) fn values(members: &[Member]) -> (Vec<Value>, Vec<Value>) {
    let (inside, outside): (Vec<_>, Vec<_>) =
        members.iter().partition(|member| matches!(member, Member::Inside(_)));
    let values = |members: Vec<&Member>| members.iter().map(|member| member.text().into()).collect();
    (values(inside), values(outside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(inside: &[&str], outside: &[&str]) -> Members {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Members { inside: owned(inside), outside: owned(outside) }
    }

    #[test]
    fn addresses_are_in_order_and_each_stands_once() {
        let some = members(
            &["mail=B@x.ru,ou=t,ou=People,dc=x", "mail=a\\+1@x.ru,ou=t,ou=People,dc=x", "cn=else,dc=x"],
            &["c@y.ru", "C@y.ru", "0@y.ru"],
        );
        assert_eq!(some.addresses(&HashSet::new()), ["0@y.ru", "a+1@x.ru", "b@x.ru", "c@y.ru"]);
        assert_eq!(some.addresses(&HashSet::from(["b@x.ru".to_owned()])), ["0@y.ru", "a+1@x.ru", "c@y.ru"]);
        let is_b = |address: &str| address == "b@x.ru";
        assert_eq!(some.seen(|address, inside| !inside || is_b(address)), ["0@y.ru", "b@x.ru", "c@y.ru"]);
        assert_eq!(some.seen(|address, _| is_b(address)), ["b@x.ru"]);
    }

    #[test]
    fn the_difference_knows_a_name_in_the_servers_own_spelling() {
        let stored = members(&["mail=a@x.ru,ou=комната,ou=t,ou=resources,dc=x"], &["c@y.ru"]);
        let a = Member::Inside(Dn::parse("mail=a@x.ru,ou=Комната,ou=t,ou=Resources,dc=x").unwrap());
        let b = Member::Inside(Dn::parse("mail=b@x.ru,ou=t,ou=People,dc=x").unwrap());
        let c = Member::Outside(MailAddress::parse("c@y.ru").unwrap());
        assert_eq!(stored.difference(&[a.clone(), b.clone()]), (vec![b.clone()], vec![c.clone()]));
        assert_eq!(stored.present(&[a.clone(), b]), [a]);
        assert_eq!(stored.difference(&stored.all().collect::<Vec<_>>()), (vec![], vec![]));
    }
}
