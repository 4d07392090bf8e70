//! Tenants: several companies on the same servers, each with its own domains. The deletion of a tenant is soft and
//! includes all its entries; see [`plan`].

pub mod command;
pub mod plan;

use crate::{
    address::{AddressError, Domain, MailAddress},
    deletion::{self, Since, is_of_class},
    entry::EntryView,
    field::{Field, FieldError, FieldErrors},
    list::Listing,
    names, naming,
    revision::Version,
    tested,
    user::{language::Language, quota::Quota},
};
use ldap_text::{attribute::AttributeName, filter::Filter};
use std::fmt;

/// The longest tenant id in characters. It is short because it is part of every DN and URL.
pub const MAX_TENANT_ID: usize = 64;

/// The most ids that are tried for a tenant of a domain: each costs a search.
const MAX_SUGGESTIONS: u32 = 1000;

/// The tenant of super administrators.
pub const DEFAULT_TENANT: &str = "default";

/// A tenant's id: letters, digits, `-`, `_` and `.`, at most 64; kept lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

/// The text is not a tenant id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a valid tenant id: 1 to 64 of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit")]
pub struct TenantIdError;

impl TenantId {
    /// Parses a tenant id in any letter case.
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

    /// Ids for a tenant of a domain, the best one first: the first label of the domain, then the label with numbers.
    pub fn suggestions(domain: &Domain) -> impl Iterator<Item = Self> {
        // A label has at most 63 characters (RFC 1035 section 2.3.4); shortened for the number.
        let label: String =
            domain.as_str().split('.').next().unwrap_or_default().chars().take(MAX_TENANT_ID - 8).collect();
        (1_u32..=MAX_SUGGESTIONS).map_while(move |number| {
            let text = if number == 1 { label.clone() } else { format!("{label}-{number}") };
            Self::parse(&text).ok()
        })
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

/// A tenant's data in the directory.
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
    /// Reads a tenant from its entry. Values that are not domains are ignored: an address of such a domain could not be
    /// written anyway.
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

    /// Records why an address cannot name an entry of the tenant: by its domain or its length.
    pub fn check_name(&self, field: Field, mail: &MailAddress, errors: &mut FieldErrors) {
        self.check_domain(field, mail.as_str(), errors);
        if !naming::fits(&names::MAIL, mail.as_str()) {
            errors.add(field, AddressError::LongName.into());
        }
    }

    /// Records an address of a domain that the tenant does not serve.
    pub fn check_domain(&self, field: Field, address: &str, errors: &mut FieldErrors) {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        if !self.serves(domain) {
            let served = self.domains.iter().map(ToString::to_string).collect();
            errors.add(field, FieldError::ForeignDomain { address: address.to_owned(), served });
        }
    }
}

/// A tenant that is not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveTenant {
    /// The data for answers.
    pub tenant: Tenant,
    /// The version that a write is planned on.
    pub version: Version,
}

impl LiveTenant {
    /// Reads a tenant from an entry with [`READ_ATTRIBUTES`]; `None` if the entry is not a tenant, or is deleted.
    #[must_use]
    pub fn from_entry(id: TenantId, entry: &impl EntryView) -> Option<Self> {
        let is_live = is_of_class(entry, names::TENANT_CLASS) && entry.first(&names::DELETED_SINCE).is_none();
        is_live.then(|| Self { tenant: Tenant::from_entry(id, entry), version: Version::of_entry(entry) })
    }
}

/// A softly deleted tenant: its name and domains stay reserved, and it can be restored until it is purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedTenant {
    /// The data for answers.
    pub tenant: Tenant,
    /// The version that a write is planned on.
    pub version: Version,
    /// When it was deleted.
    pub since: Since,
    /// Whether a purge has claimed it, so that it cannot be restored.
    pub being_purged: bool,
}

impl DeletedTenant {
    /// Reads a tenant from an entry with [`READ_ATTRIBUTES`]; `None` if the entry is not a tenant, or is not deleted.
    #[must_use]
    pub fn from_entry(id: TenantId, entry: &impl EntryView) -> Option<Self> {
        if !is_of_class(entry, names::TENANT_CLASS) {
            return None;
        }
        Some(Self {
            since: Since::of_entry(entry)?,
            tenant: Tenant::from_entry(id, entry),
            version: Version::of_entry(entry),
            being_purged: entry.first(&names::PURGING).is_some(),
        })
    }
}

/// The pages of tenants.
pub static LISTING: Listing =
    Listing { naming: names::OU, searched: &[names::OU, names::ASSOCIATED_DOMAIN], orders: &[] };

/// The attributes to read a tenant.
pub const READ_ATTRIBUTES: &[AttributeName] = &[
    names::OBJECT_CLASS,
    names::ASSOCIATED_DOMAIN,
    names::DEFAULT_QUOTA,
    names::DEFAULT_LANGUAGE,
    names::DELETED_SINCE,
    names::PURGING,
    names::REVISION,
    names::ENTRY_USN,
    names::MODIFY_TIMESTAMP,
];

/// Tenants that are not deleted.
#[must_use]
pub fn live_filter() -> Filter {
    Filter::all([of_class(), deletion::is_live()])
}

/// Tenants that are deleted.
#[must_use]
pub fn deleted_filter() -> Filter {
    Filter::all([of_class(), deletion::is_deleted()])
}

/// All tenants, deleted or not.
#[must_use]
pub fn of_class() -> Filter {
    tested::of_class(names::TENANT_CLASS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_tenant_is_named_after_its_domain_and_numbered_where_that_is_taken() {
        let names = |domain: &str| {
            let domain = Domain::parse(domain).unwrap();
            TenantId::suggestions(&domain).take(3).map(|id| id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names("Acme.example"), ["acme", "acme-2", "acme-3"]);
        assert_eq!(names("пример.рф"), ["xn--e1afmkfd", "xn--e1afmkfd-2", "xn--e1afmkfd-3"]);
        assert_eq!(names("default.ru"), ["default", "default-2", "default-3"]);
    }

    #[test]
    fn a_tenant_id_is_short_and_plain() {
        assert_eq!(TenantId::parse("Default").unwrap().as_str(), "default");
        for wrong in ["", "-a", ".", "a b", "a/b", "тенант", "a,b", "a\0", &"a".repeat(65)] {
            assert_eq!(TenantId::parse(wrong), Err(TenantIdError), "{wrong}");
        }
        assert!(TenantId::parse(&"a".repeat(64)).is_ok());
    }
}
