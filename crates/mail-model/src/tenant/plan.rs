//! What each command about a tenant writes.
//!
//! A deletion is one modify of the tenant's entry; from then on the tenant is gone for the API. What it has follows
//! entry by entry, each marked as deleted with its tenant (see [`crate::deletion`]), and comes back the same way.
//! The tenant's entry decides: whatever was left half way is brought in line with it later.

use super::{DeletedTenant, LiveTenant, TenantId, command::TenantPatch};
use crate::{
    address::Domain,
    changes::{add_values, attribute, claim, delete_value, guarded, replace},
    deletion::{Since, removal},
    names,
    tree::Tree,
};
use jiff::Timestamp;
use ldap_text::{
    dn::Dn,
    ldif::{Change, ChangeRecord},
};

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

/// Changes what new users get; nothing where everything is as asked already.
#[must_use]
pub fn patch(tree: &Tree, current: &LiveTenant, patch: &TenantPatch) -> Option<ChangeRecord> {
    let tenant = &current.tenant;
    let mut modifications = Vec::new();
    if let Some(quota) = patch.default_quota.filter(|quota| *quota != tenant.default_quota) {
        let values = quota.map(|quota| quota.bytes_text().as_str().into());
        modifications.push(replace(names::DEFAULT_QUOTA, values.into_iter().collect()));
    }
    if let Some(language) = patch.default_language.filter(|language| *language != tenant.default_language) {
        let values = language.map(|language| language.as_str().into());
        modifications.push(replace(names::DEFAULT_LANGUAGE, values.into_iter().collect()));
    }
    (!modifications.is_empty())
        .then(|| guarded(tree.tenant(&tenant.id), &current.version.revision, modifications))
}

/// Adds a domain.
#[must_use]
pub fn domain_addition(tree: &Tree, current: &LiveTenant, domain: &Domain) -> ChangeRecord {
    let modifications = vec![add_values(names::ASSOCIATED_DOMAIN, vec![domain.as_str().into()])];
    guarded(tree.tenant(&current.tenant.id), &current.version.revision, modifications)
}

/// Takes a domain out.
#[must_use]
pub fn domain_removal(tree: &Tree, current: &LiveTenant, domain: &Domain) -> ChangeRecord {
    let modifications = vec![delete_value(names::ASSOCIATED_DOMAIN, domain.as_str())];
    guarded(tree.tenant(&current.tenant.id), &current.version.revision, modifications)
}

/// Deletes a tenant softly.
#[must_use]
pub fn deletion(tree: &Tree, current: &LiveTenant, now: Timestamp) -> ChangeRecord {
    guarded(tree.tenant(&current.tenant.id), &current.version.revision, vec![Since::now(now).set()])
}

/// Undoes a deletion; `None` once a purge has claimed the tenant.
#[must_use]
pub fn restoration(tree: &Tree, deleted: &DeletedTenant) -> Option<ChangeRecord> {
    let dn = tree.tenant(&deleted.tenant.id);
    (!deleted.being_purged).then(|| guarded(dn, &deleted.version.revision, vec![deleted.since.unset()]))
}

/// Claims a deleted tenant for removal. From then on it can't be restored, and only from then on does the server
/// let it be removed.
#[must_use]
pub fn purge_claim(tree: &Tree, deleted: &DeletedTenant) -> ChangeRecord {
    let set_again = deleted.since.set().attribute.values;
    let modifications = vec![deleted.since.unset(), add_values(names::DELETED_SINCE, set_again), claim()];
    guarded(tree.tenant(&deleted.tenant.id), &deleted.version.revision, modifications)
}

/// Removes what is left of a claimed tenant once everything in its folders is gone: the folders, then its entry.
#[must_use]
pub fn removals(tree: &Tree, id: &TenantId) -> Vec<ChangeRecord> {
    tree.tenant_folders(id).into_iter().chain([tree.tenant(id)]).map(removal).collect()
}
