//! The text form of records in Redis.

use directory::Entry;
use ldap_text::{attribute::AttributeName, dn::Dn};
use mail_model::{
    contact::{
        id::ContactId,
        record::{Record, read_attributes},
    },
    entry::EntryView,
    names,
    revision::READ_ATTRIBUTES as VERSION,
    tenant::TenantId,
    tree::Tree,
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Range};

/// The data in Redis does not have the form that pbm writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// An entry to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Its `nsUniqueId`.
    pub(crate) id: String,
    /// The condition of the recording.
    pub(crate) condition: Condition,
    /// Its tenant; empty if the tenant of a removed entry is unknown.
    pub(crate) tenant: String,
    /// Its name and attributes as JSON; empty for a removed entry.
    pub(crate) body: String,
    /// Whether the body contains the version of the entry, which no other state of the entry has.
    pub(crate) has_version: bool,
}

/// When an entry is to be recorded. A state that was read earlier must not replace a state that was recorded later. So
/// a process first reads the newest sequence number, then the entry, and records the entry only if no newer state has
/// been recorded since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// No state of the entry was recorded after this sequence number. Never true if the number belongs to an earlier
    /// projection.
    Since(u64),
    /// This state is already recorded: decides whether the entry has to be read.
    Same,
    /// Always: for a removed entry, which never comes back.
    Always,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Since(number) => number.fmt(f),
            Self::Same => f.write_str("same"),
            Self::Always => f.write_str("always"),
        }
    }
}

impl Stored {
    /// An entry that was read with [`read_attributes`]; `None` if it has no identifier.
    pub(crate) fn of_entry(tree: &Tree, entry: &Entry, condition: Condition) -> Option<Self> {
        let id = entry.first(&names::NS_UNIQUE_ID)?.to_owned();
        let dn = entry.dn()?;
        let Some(record) = Record::from_entry(tree, &dn, entry) else {
            return Some(Self::gone(id, condition, owner(tree, &dn)));
        };
        let has_version = record.user.is_some();
        let body = serde_json::to_string(&Body::of_entry(entry, has_version)).ok()?;
        Some(Self { id, condition, tenant: record.tenant.to_string(), body, has_version })
    }

    /// An entry that was removed, as it was read before.
    pub(crate) fn removed(tree: &Tree, entry: &Entry) -> Option<Self> {
        let id = entry.first(&names::NS_UNIQUE_ID)?.to_owned();
        let tenant = owner(tree, &entry.dn()?);
        Some(Self::gone(id, Condition::Always, tenant))
    }

    /// An entry that was not found.
    pub(crate) fn unfound(id: String, condition: Condition) -> Self {
        Self::gone(id, condition, String::new())
    }

    const fn gone(id: String, condition: Condition, tenant: String) -> Self {
        Self { id, condition, tenant, body: String::new(), has_version: false }
    }

    /// Whether the entry is present.
    pub(crate) fn is_there(&self) -> bool {
        !self.body.is_empty()
    }
}

fn owner(tree: &Tree, dn: &Dn) -> String {
    tree.owner_of(dn).map(|tenant| tenant.to_string()).unwrap_or_default()
}

/// The attributes that a record is read from.
#[derive(Serialize, Deserialize)]
struct Body {
    dn: String,
    attributes: Vec<(String, Vec<String>)>,
}

impl Body {
    /// In a canonical order and spelling, so that equal entries have equal texts. Only users have a version in it:
    /// nothing else is read from books with its version, and each change of a list would change the record.
    fn of_entry(entry: &Entry, has_version: bool) -> Self {
        let attributes =
            read_attributes().iter().filter(|name| has_version || !VERSION.contains(name)).map(|name| {
                let mut values = entry.values(name).to_vec();
                if *name == names::OBJECT_CLASS {
                    // Nothing else depends on the other classes.
                    values.retain(|class| class.to_ascii_lowercase().starts_with("pbm"));
                }
                (name.to_string(), values)
            });
        let attributes = attributes.filter(|(_, values)| !values.is_empty()).collect();
        Self { dn: entry.dn_text().to_owned(), attributes }
    }
}

impl EntryView for Body {
    fn values(&self, name: &AttributeName) -> &[String] {
        let named = |(attribute, _): &&(String, Vec<String>)| attribute.eq_ignore_ascii_case(name.as_str());
        self.attributes.iter().find(named).map_or(&[], |(_, values)| values)
    }
}

/// A line of the log: an entry, or its removal.
pub(crate) struct Logged {
    /// Its `nsUniqueId`; if the entry has left a tenant, followed by `@` and that tenant.
    pub(crate) name: String,
    /// The sequence number of its last change.
    pub(crate) at: u64,
    record: String,
    tenant: Range<usize>,
}

impl Logged {
    /// Parses a line: name, sequence number, record.
    pub(crate) fn read(name: String, at: &str, record: String) -> Result<Self, Corrupt> {
        let at = at.parse().map_err(|_| Corrupt)?;
        let tenant = record.find(' ').ok_or(Corrupt)? + 1;
        let length = record.get(tenant..).and_then(|rest| rest.find(' ')).ok_or(Corrupt)?;
        Ok(Self { name, at, tenant: tenant..tenant + length, record })
    }

    fn body(&self) -> &str {
        self.record.get(self.tenant.end + 1..).unwrap_or_default()
    }

    /// Whether the entry is gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.body().is_empty()
    }

    /// Its identifier.
    pub(crate) fn id(&self) -> Result<ContactId, Corrupt> {
        let id = self.name.split('@').next().unwrap_or_default();
        ContactId::from_unique_id(id).ok_or(Corrupt)
    }

    /// The tenant whose book the line changes.
    pub(crate) fn tenant(&self) -> Result<TenantId, Corrupt> {
        TenantId::parse(self.record.get(self.tenant.clone()).unwrap_or_default()).map_err(|_| Corrupt)
    }

    /// The recorded state.
    pub(crate) fn record(&self, tree: &Tree) -> Result<Record, Corrupt> {
        let body: Body = serde_json::from_str(self.body()).map_err(|_| Corrupt)?;
        let dn = Dn::parse(&body.dn).map_err(|_| Corrupt)?;
        Record::from_entry(tree, &dn, &body).ok_or(Corrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(record: &str) -> Result<Logged, Corrupt> {
        Logged::read("0f69e8d2-e82c11f1-bfa18793-5ae20175@t".into(), "7", record.into())
    }

    #[test]
    fn a_record_is_read_back() {
        let tree = Tree::new(Dn::parse("dc=x").unwrap());
        let body = r#"{"dn":"mail=a@x.ru,ou=t,ou=Groups,dc=x","attributes":[["objectClass",["pbmMailList"]],["displayName",["Все мы"]],["nsUniqueId",["0f69e8d2-e82c11f1-bfa18793-5ae20175"]]]}"#;
        let there = logged(&format!("12 t {body}")).unwrap();
        assert_eq!(there.record(&tree).unwrap().contact.display_name, "Все мы");
        assert_eq!((there.at, there.tenant().unwrap().as_str(), there.is_gone()), (7, "t", false));
        assert_eq!(there.id().unwrap().to_string(), "0f69e8d2-e82c-11f1-bfa1-87935ae20175");
    }

    #[test]
    fn what_is_gone_has_no_body() {
        assert!(logged("12 t ").unwrap().is_gone());
    }

    #[test]
    fn corruption_is_reported() {
        let tree = Tree::new(Dn::parse("dc=x").unwrap());
        for record in ["", "x", "1 t"] {
            assert!(logged(record).is_err(), "{record}");
        }
        assert!(logged("1 t {}").unwrap().record(&tree).is_err());
    }
}
