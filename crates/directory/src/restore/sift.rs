//! Takes out of a survey the entries that an import must not get. During an import no plug-in of the server runs, so the rules that plug-ins otherwise enforce are checked here, on the file alone, before the back end is
//! emptied: each address and each domain has one owner. An entry whose parent is missing is taken out, too.

use super::{
    RestoreError,
    reading::Reading,
    records::{Item, Records},
    refusal::Refusal,
    rules::{Rules, texts},
    survey::Survey,
};
use crate::backup::key::Key;
use ldap_text::{attribute::AttributeName, ldif::Entry};
use mail_model::names;
use std::collections::{HashMap, HashSet};

/// Attributes whose values are unique below a part of the tree: the addresses, and the domains of tenants.
const ADDRESSES: &[AttributeName] = &[names::MAIL, names::MAIL_ALTERNATE_ADDRESS];
const DOMAINS: &[AttributeName] = &[names::ASSOCIATED_DOMAIN];

/// The lines of the entries that have an address or a domain, by the hash of the value.
#[derive(Default)]
struct Owners(HashMap<Key, u64>);

impl Survey {
    /// Takes out every entry that is refused whatever the directory contains. Afterwards [`Survey::next`] returns only
    /// the others, and those taken out are among the entries out of place.
    ///
    /// # Errors
    /// [`RestoreError`], if the file can't be read.
    pub(super) fn sift(&mut self, file: &Reading, rules: &Rules) -> Result<(), RestoreError> {
        self.forget_groups();
        let mut refused = self.unreadable.clone();
        self.lines.retain(|key, _| !refused.contains(key));
        let mut owners = Owners::default();
        for stage in self.stages() {
            let mut records = Records::open(file, |_| {})?;
            while let Some(item) = self.next(&mut records, &stage, rules)? {
                let refusal = self.orphan(&item, &refused, rules).or_else(|| rules.refusal(&item.entry));
                if let Some(refusal) = refusal.or_else(|| owners.claim(&item, rules)) {
                    self.lines.remove(&item.key);
                    refused.insert(item.key);
                    self.out_of_place.push(item.line, item.entry.dn, refusal);
                }
            }
        }
        Ok(())
    }

    /// Why an entry can't be imported because of its parent.
    fn orphan(&self, item: &Item, refused: &HashSet<Key>, rules: &Rules) -> Option<Refusal> {
        let dn = &item.entry.dn;
        let parent = rules.numbers.of_parent(dn).filter(|_| dn != rules.tree.root())?;
        if self.lines.contains_key(&parent) {
            return None;
        }
        let name = dn.parent().unwrap_or_default();
        let is_refused = refused.contains(&parent);
        Some(if is_refused { Refusal::ParentRefused(name) } else { Refusal::NoParentInFile(name) })
    }
}

impl Owners {
    /// Gives an entry its addresses and domains, or none of them if another entry has one.
    fn claim(&mut self, item: &Item, rules: &Rules) -> Option<Refusal> {
        let claims = claims(&item.entry, rules);
        for (value, key) in &claims {
            if let Some(line) = self.0.get(key) {
                return Some(Refusal::TakenInFile { value: (*value).to_owned(), line: *line });
            }
        }
        self.0.extend(claims.into_iter().map(|(_, key)| (key, item.line)));
        None
    }
}

/// The unique values of an entry, with their hashes.
fn claims<'a>(entry: &'a Entry, rules: &Rules) -> Vec<(&'a str, Key)> {
    let is_tenant = entry.dn.is_within(rules.tree.domains());
    let domains = if is_tenant { DOMAINS } else { &[] };
    let of = |space: &'static str, kinds: &'static [AttributeName]| {
        let values = kinds.iter().flat_map(|kind| texts(entry.values(kind)));
        values.map(move |value| (value, rules.numbers.of_text(space, &compared(value))))
    };
    of("address", ADDRESSES).chain(of("domain", domains)).collect()
}

/// A value as 389-ds compares addresses and domains (caseIgnoreIA5Match, RFC 4517 section 4.2.3): in any case, and with
/// one blank for several.
fn compared(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backup::{Extent, file::LdifFile},
        restore::{Existing, OtherRoot, RestoreRequest, bounds::Bounds},
        subschema::Subschema,
    };
    use jiff::Timestamp;
    use ldap_text::dn::Dn;
    use mail_model::tree::Tree;
    use proptest::prelude::*;
    use std::fmt::Write;

    /// The lines of the entries that are taken out, with the reasons, and the number of the others.
    fn sifted(text: &str) -> (Vec<(u64, String)>, usize) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let reading = Reading::of(LdifFile::new(file.path()), Bounds::EVERYTHING);
        let request = RestoreRequest {
            extent: Extent::Everything,
            existing: Existing::Update,
            dry_run: false,
            force: false,
            other_root: OtherRoot::Refused,
            limited_to: None,
            now: Timestamp::UNIX_EPOCH,
        };
        let tree = Tree::new(Dn::parse("dc=x").unwrap());
        let attributes = ["cn", "dc", "ou", "mail", "mailAlternateAddress", "associatedDomain"];
        let schema = Subschema::of(&attributes.map(|name| format!("( 1.2.{name} NAME '{name}' )")), &[]);
        let mut rules = Rules::new(tree, schema, &[], request.now);
        let mut survey = Survey::of(&reading, &request, &mut rules, |_| {}).unwrap();
        survey.sift(&reading, &rules).unwrap();
        let told = survey.out_of_place.listed.iter().map(|(line, _, why)| (*line, why.to_string()));
        (told.collect(), survey.lines.len())
    }

    #[test]
    fn an_address_has_one_owner_in_any_case() {
        let text = "dn: dc=x\n\ndn: cn=a,dc=x\nmail: A@x.y\nmailAlternateAddress: a@X.y\n\n\
                    dn: cn=b,dc=x\nmailAlternateAddress: a@x.Y\n\ndn: cn=c,cn=b,dc=x\nmail: c@x.y\n\n\
                    dn: cn=d,dc=x\nmail: c@x.y\n";
        let (out, others) = sifted(text);
        let reasons = ["the entry at line 3 has a@x.Y already; the first one counts"];
        assert_eq!(out[0], (7, reasons[0].to_owned()));
        assert_eq!(out[1].0, 10);
        assert!(out[1].1.contains("cn=b,dc=x was refused"), "{out:?}");
        assert_eq!((out.len(), others), (2, 3), "an entry that is taken out has no address");
    }

    #[test]
    fn domains_are_unique_among_tenants_only() {
        let text = "dn: dc=x\n\ndn: ou=Domains,dc=x\n\ndn: ou=a,ou=Domains,dc=x\nassociatedDomain: x.y\n\n\
                    dn: ou=b,ou=Domains,dc=x\nassociatedDomain: X.Y\n\ndn: cn=c,dc=x\nassociatedDomain: x.y\n";
        let (out, others) = sifted(text);
        assert_eq!((out.len(), out[0].0, others), (1, 8, 4));
    }

    #[test]
    fn an_entry_without_its_parent_is_taken_out_wherever_it_stands() {
        let text = "dn: cn=b,cn=a,dc=x\n\ndn: cn=a,dc=x\n\ndn: cn=d,cn=c,dc=x\n\ndn: dc=x\n";
        let (out, others) = sifted(text);
        assert_eq!(out, [(5, "there is no cn=c,dc=x in the file".to_owned())]);
        assert_eq!(others, 3);
    }

    #[test]
    fn the_form_of_an_address_is_that_of_the_server() {
        assert_eq!(compared("  A  b@X.y "), compared("a B@x.Y"));
        assert_ne!(compared("ab@x.y"), compared("a b@x.y"));
    }

    proptest! {
        #[test]
        fn whatever_is_imported_has_each_address_once(addresses in prop::collection::vec("[abAB]{1,2}", 1..30)) {
            let mut text = "dn: dc=x\n\n".to_owned();
            for (number, address) in addresses.iter().enumerate() {
                write!(text, "dn: cn=c{number},dc=x\nmail: {address}@x.y\n\n").unwrap();
            }
            let distinct: HashSet<_> = addresses.iter().map(|address| address.to_lowercase()).collect();
            let (out, others) = sifted(&text);
            prop_assert_eq!(others, distinct.len() + 1);
            prop_assert_eq!(out.len(), addresses.len() - distinct.len());
        }
    }
}
