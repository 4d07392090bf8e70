//! Entries, and the makers of those that tests need.

use super::domain::{DOMAIN, container};

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// An entry with nothing but its classes.
    pub fn new(dn: &str, classes: &[&str]) -> Self {
        Self { dn: dn.to_owned(), attributes: Vec::new() }.with_all("objectClass", classes)
    }

    /// A person in a container such as `Staff` (see `DomainController::container`), with an account that is in
    /// use. The first word of the name is the given name. It has no address.
    pub fn person(container: &str, name: &str) -> Self {
        let (given, last) = name.split_once(' ').unwrap_or((name, name));
        Self::new(&below(container, name), &["top", "person", "organizationalPerson", "user"])
            .with("cn", name)
            .with("displayName", name)
            .with("givenName", given)
            .with("sn", last)
            .with("userAccountControl", "512")
            .with("accountExpires", "9223372036854775807")
            .with("primaryGroupID", "513")
    }

    /// A contact: someone outside, without an account.
    pub fn contact(container: &str, name: &str) -> Self {
        Self::new(&below(container, name), &["top", "person", "organizationalPerson", "contact"])
            .with("cn", name)
            .with("displayName", name)
    }

    /// A group without an address and without members.
    pub fn group(container: &str, name: &str) -> Self {
        Self::new(&below(container, name), &["top", "group"])
            .with("cn", name)
            .with("groupType", "-2147483646")
    }

    /// A computer.
    pub fn computer(container: &str, name: &str) -> Self {
        let classes = ["top", "person", "organizationalPerson", "user", "computer"];
        Self::new(&below(container, name), &classes).with("cn", name).with("userAccountControl", "4096")
    }

    /// With this value of an attribute instead of those that it had.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.with_all(name, &[value])
    }

    /// With these values of an attribute instead of those that it had; with none, without the attribute.
    pub fn with_all<T: AsRef<str>>(self, name: &str, values: &[T]) -> Self {
        self.with_bytes(name, values.iter().map(|value| value.as_ref().as_bytes().to_vec()).collect())
    }

    /// Like [`Self::with_all`], for values that are not text.
    pub fn with_bytes(mut self, name: &str, values: Vec<Vec<u8>>) -> Self {
        self.attributes.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        if !values.is_empty() {
            self.attributes.push((name.to_owned(), values));
        }
        self
    }

    /// With these members, given by their DNs, beside those that it has.
    pub fn with_members<T: AsRef<str>>(self, dns: &[T]) -> Self {
        let mut members = self.values("member").to_vec();
        members.extend(dns.iter().map(|dn| dn.as_ref().as_bytes().to_vec()));
        self.with_bytes("member", members)
    }

    /// The DN.
    pub fn dn(&self) -> &str {
        &self.dn
    }

    pub(super) fn set_dn(&mut self, dn: &str) {
        dn.clone_into(&mut self.dn);
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &[Vec<u8>])> {
        self.attributes.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    pub(super) fn values(&self, name: &str) -> &[Vec<u8>] {
        self.attributes().find(|(own, _)| own.eq_ignore_ascii_case(name)).map_or(&[], |(_, values)| values)
    }

    pub(super) fn values_mut(&mut self, name: &str) -> Option<&mut Vec<Vec<u8>>> {
        self.attributes.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, values)| values)
    }
}

fn below(folder: &str, name: &str) -> String {
    let name = name.replace(',', "\\,");
    match folder {
        "" => format!("CN={name},{DOMAIN}"),
        folder => format!("CN={name},{}", container(folder)),
    }
}
