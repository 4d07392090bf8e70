//! Tenants: one company among several on the same servers, with its own domains.

use crate::{
    address::Domain,
    entry::EntryView,
    names,
    tree::Tree,
    user::{language::Language, quota::Quota},
};
use ldap_text::{
    dn::Dn,
    ldif::{Attribute, Change, ChangeRecord},
};
use std::fmt;

/// Longest tenant id in characters: it stands in every DN and URL, so it is kept short.
pub const MAX_TENANT_ID: usize = 64;

/// The tenant that super administrators belong to.
pub const DEFAULT_TENANT: &str = "default";

/// A tenant's id: letters, digits, `-`, `_` and `.`, at most 64; kept lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

/// Why a text is no tenant id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no tenant id: 1 to 64 of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit")]
pub struct TenantIdError;

impl TenantId {
    /// Reads a tenant id in any letter case.
    ///
    /// # Errors
    /// [`TenantIdError`] says what is allowed.
    pub fn parse(text: &str) -> Result<Self, TenantIdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if starts_well && text.len() <= MAX_TENANT_ID && text.bytes().all(allowed) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(TenantIdError)
        }
    }

    /// The id of the tenant `default`.
    #[must_use]
    pub fn default_tenant() -> Self {
        Self(DEFAULT_TENANT.to_owned())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the tenant of super administrators.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT_TENANT
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tenant as the directory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The domains it serves.
    pub domains: Vec<Domain>,
    /// Quota of new users.
    pub default_quota: Option<Quota>,
    /// Language of new users.
    pub default_language: Option<Language>,
}

impl Tenant {
    /// Reads a tenant from its entry. Values that are no domains are passed over: an address of such
    /// a domain could not be written anyway.
    #[must_use]
    pub fn from_entry(id: TenantId, entry: &impl EntryView) -> Self {
        Self {
            id,
            domains: entry
                .values(&names::ASSOCIATED_DOMAIN)
                .iter()
                .filter_map(|d| Domain::parse(d).ok())
                .collect(),
            default_quota: entry.first(&names::DEFAULT_QUOTA).and_then(Quota::from_bytes_text),
            default_language: entry.first(&names::DEFAULT_LANGUAGE).and_then(Language::parse),
        }
    }

    /// Whether the tenant serves a domain.
    #[must_use]
    pub fn serves(&self, domain: &str) -> bool {
        self.domains.iter().any(|d| d.as_str() == domain)
    }
}

/// Attributes that a tenant is read with.
pub const READ_ATTRIBUTES: &[ldap_text::attribute::AttributeName] =
    &[names::ASSOCIATED_DOMAIN, names::DEFAULT_QUOTA, names::DEFAULT_LANGUAGE];

/// The changes that make a tenant: its entry last, so that a tenant which is there has its folders.
#[must_use]
pub fn creation(tree: &Tree, id: &TenantId, domain: &Domain) -> Vec<ChangeRecord> {
    let folder = |dn: Dn| ChangeRecord {
        dn,
        change: Change::Add(vec![
            attribute(names::OBJECT_CLASS, names::UNIT_CLASSES),
            attribute(names::OU, &[id.as_str()]),
        ]),
    };
    let mut changes: Vec<_> = tree.tenant_folders(id).into_iter().map(folder).collect();
    changes.push(ChangeRecord {
        dn: tree.tenant(id),
        change: Change::Add(vec![
            attribute(names::OBJECT_CLASS, names::TENANT_CLASSES),
            attribute(names::OU, &[id.as_str()]),
            attribute(names::ASSOCIATED_DOMAIN, &[domain.as_str()]),
        ]),
    });
    changes
}

pub(crate) fn attribute(name: ldap_text::attribute::AttributeName, values: &[&str]) -> Attribute {
    Attribute { name, values: values.iter().map(|v| (*v).into()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_id_is_short_and_plain() {
        assert_eq!(TenantId::parse("Default").unwrap().as_str(), "default");
        for wrong in ["", "-a", ".", "a b", "a/b", "тенант", "a,b", "a\0", &"a".repeat(65)] {
            assert_eq!(TenantId::parse(wrong), Err(TenantIdError), "{wrong}");
        }
        assert!(TenantId::parse(&"a".repeat(64)).is_ok());
    }
}
