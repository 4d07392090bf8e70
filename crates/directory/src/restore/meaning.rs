//! The normal form of an entry of a file, in which it is compared with the directory.

use super::rules::Rules;
use crate::product::completeness::MARK;
use ldap_text::{
    attribute::AttributeName,
    dn::Rdn,
    ldif::{Attribute, Entry, Value},
};
use mail_model::names;
use std::collections::HashMap;

impl Rules {
    /// An entry of a file as the server would store it: each attribute under its main name, passwords under
    /// `userPassword`, and with the values of its RDN. The mark of an unfinished restore is never restored.
    pub(super) fn as_meant(&self, entry: Entry) -> Entry {
        let mut entry = under_other_names(entry, |name| {
            let own = self.schema.own_name(name);
            let named = own.as_ref().unwrap_or(name);
            // 389-ds would store a password with options in clear text, and never use it for a bind.
            let is_optional = names::is_password(named) && named.options().next().is_some();
            if is_optional { Some(names::USER_PASSWORD) } else { own }
        });
        // 389-ds does not accept OIDs in an RDN.
        let is_number =
            |name: &AttributeName| name.as_str().starts_with(|first: char| first.is_ascii_digit());
        entry.dn =
            entry.dn.with_attributes(|name| is_number(name).then(|| self.schema.own_name(name)).flatten());
        self.add_naming_values(&mut entry);
        if entry.dn == *self.tree.people() {
            unmark(&mut entry);
        }
        entry
    }

    /// An entry with each attribute under its main name; the schema has several names for some.
    pub(super) fn with_own_names(&self, entry: Entry) -> Entry {
        under_other_names(entry, |name| self.schema.own_name(name))
    }

    /// A server adds the values of the RDN to an entry that lacks them (RFC 4511 section 4.7).
    fn add_naming_values(&self, entry: &mut Entry) {
        let Some(rdn) = entry.dn.rdn().cloned() else { return };
        for (name, value) in rdn.values() {
            let Some(value) = value else { continue };
            let name = self.schema.own_name(name).unwrap_or_else(|| name.clone());
            let wanted = Rdn::new(name.clone(), value);
            let is_it = |stored: &Value| {
                str::from_utf8(stored.as_bytes()).is_ok_and(|stored| Rdn::new(name.clone(), stored) == wanted)
            };
            match entry.attributes.iter_mut().find(|attribute| attribute.name == name) {
                Some(attribute) if attribute.values.iter().any(is_it) => {}
                Some(attribute) => attribute.values.push(value.into()),
                None => entry.attributes.push(Attribute::new(name, [value])),
            }
        }
    }
}

fn unmark(entry: &mut Entry) {
    for attribute in entry.attributes.iter_mut().filter(|attribute| attribute.name == names::DESCRIPTION) {
        attribute.values.retain(|value| value.as_bytes() != MARK.as_bytes());
    }
    entry.attributes.retain(|attribute| !attribute.values.is_empty());
}

/// Renames some attributes of an entry. Attributes that then have the same name become one.
pub(super) fn under_other_names(
    mut entry: Entry,
    other: impl Fn(&AttributeName) -> Option<AttributeName>,
) -> Entry {
    if entry.attributes.iter().all(|attribute| other(&attribute.name).is_none()) {
        return entry;
    }
    let mut places: HashMap<AttributeName, usize> = HashMap::new();
    for attribute in std::mem::take(&mut entry.attributes) {
        let name = other(&attribute.name).unwrap_or(attribute.name);
        let known = places.get(&name).and_then(|place| entry.attributes.get_mut(*place));
        if let Some(known) = known {
            known.values.extend(attribute.values);
        } else {
            places.insert(name.clone(), entry.attributes.len());
            entry.attributes.push(Attribute { name, values: attribute.values });
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subschema::Subschema;
    use jiff::Timestamp;
    use ldap_text::{dn::Dn, ldif};
    use mail_model::tree::Tree;

    fn meant(text: &str) -> String {
        let rules = Rules::new(Tree::new(Dn::empty()), Subschema::well_known(), &[], Timestamp::UNIX_EPOCH);
        let Some(Ok(ldif::Record::Entry(entry))) = ldif::LdifReader::new(text.as_bytes()).next() else {
            panic!("{text}")
        };
        let mut out = Vec::new();
        ldif::write_content(&mut out, &rules.as_meant(entry)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_password_is_one_whatever_its_options() {
        for name in ["userPassword;lang-ru", "USERPASSWORD;binary", "2.5.4.35;x-a"] {
            let text = meant(&format!("dn: cn=a\ncn: a\n{name}: x\nuserPassword: y\n"));
            assert_eq!(text, "dn: cn=a\ncn: a\nuserPassword: x\nuserPassword: y\n\n", "{name}");
        }
        assert_eq!(meant("dn: cn=a\ncn: a\ncn;lang-ru: b\n"), "dn: cn=a\ncn: a\ncn;lang-ru: b\n\n");
    }

    #[test]
    fn what_an_entry_is_named_by_is_among_its_values() {
        assert_eq!(meant("dn: cn=A b+ou=c,dc=x\ncn: a  B\n"), "dn: cn=A b+ou=c,dc=x\ncn: a  B\nou: c\n\n");
        assert_eq!(meant("dn: cn=a\ncn: b\n"), "dn: cn=a\ncn: b\ncn: a\n\n");
        assert_eq!(meant("dn: x=#04024869\nou: c\n"), "dn: x=#04024869\nou: c\n\n");
    }

    #[test]
    fn the_mark_of_an_unfinished_restore_is_not_restored() {
        let with = |description: &str| format!("dn: ou=People\nou: People\n{description}");
        assert_eq!(meant(&with(&format!("description: {MARK}\n"))), with("\n"));
        let kept = with(&format!("description: a\ndescription: {MARK}\n"));
        assert_eq!(meant(&kept), with("description: a\n\n"));
    }
}
