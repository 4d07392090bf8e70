//! The changes that commands on tenants write.
//!
//! A deletion is one modify of the tenant's entry; from then on the API does not find the tenant. Its entries follow
//! one by one, each marked as deleted with its tenant (see [`crate::deletion`]), and are restored the same way. The
//! tenant's entry decides: after an interruption, the other entries are reconciled with it later.

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

/// Creates a tenant: its entry last, so that an existing tenant has its folders.
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

/// Changes the defaults of new users; empty if all values are as requested already.
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

/// Removes a domain.
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

/// Claims a deleted tenant for removal. From then on it cannot be restored, and only from then on does the server allow
/// its removal.
#[must_use]
pub fn purge_claim(tree: &Tree, deleted: &DeletedTenant) -> ChangeRecord {
    let set_again = deleted.since.set().attribute.values;
    let modifications = vec![deleted.since.unset(), add_values(names::DELETED_SINCE, set_again), claim()];
    guarded(tree.tenant(&deleted.tenant.id), &deleted.version.revision, modifications)
}

/// Removes the remains of a claimed tenant once its folders are empty: the folders, then its entry.
#[must_use]
pub fn removals(tree: &Tree, id: &TenantId) -> Vec<ChangeRecord> {
    tree.tenant_folders(id).into_iter().chain([tree.tenant(id)]).map(removal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Stored;

    fn tree() -> Tree {
        Tree::new(Dn::parse("dc=x").unwrap())
    }

    fn acme() -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    fn stored(more: &[(ldap_text::attribute::AttributeName, &str)]) -> Stored {
        let domain = (names::ASSOCIATED_DOMAIN, "acme.example");
        Stored::new(&[names::TENANT_CLASS], &[&[domain, (names::REVISION, "4")], more].concat())
    }

    fn live() -> LiveTenant {
        LiveTenant::from_entry(acme(), &stored(&[])).unwrap()
    }

    #[test]
    fn a_tenant_comes_after_its_folders_and_goes_after_them() {
        let domain = Domain::parse("acme.example").unwrap();
        let made = creation(&tree(), &acme(), &domain);
        assert_eq!(made.last().unwrap().dn, tree().tenant(&acme()));
        let gone = removals(&tree(), &acme());
        assert_eq!(gone.last().unwrap().dn, tree().tenant(&acme()));
        assert_eq!((made.len(), gone.len()), (5, 5));
    }

    #[test]
    fn a_patch_replaces_the_revision_and_only_what_differs() {
        let asked = TenantPatch::parse(Some("1024"), Some("")).unwrap();
        let text = patch(&tree(), &live(), &asked).unwrap().to_string();
        let expected = "dn: ou=acme,ou=Domains,dc=x
changetype: modify
delete: pbmRevision
pbmRevision: 4
-
add: pbmRevision
pbmRevision: 5
-
replace: pbmDefaultQuota
pbmDefaultQuota: 1073741824
-

";
        assert_eq!(text, expected);
        assert!(patch(&tree(), &live(), &TenantPatch::default()).is_none());
    }

    #[test]
    fn a_claimed_tenant_cannot_be_restored() {
        let since = (names::DELETED_SINCE, "20260101000000Z");
        let deleted = |more: &[_]| DeletedTenant::from_entry(acme(), &stored(more)).unwrap();
        let text = restoration(&tree(), &deleted(std::slice::from_ref(&since))).unwrap().to_string();
        assert!(text.contains("delete: pbmDeletedSince\npbmDeletedSince: 20260101000000Z\n"), "{text}");
        let claim = purge_claim(&tree(), &deleted(std::slice::from_ref(&since))).to_string();
        assert!(claim.contains("replace: pbmPurging\npbmPurging: TRUE\n"), "{claim}");
        assert!(
            claim.contains("delete: pbmDeletedSince\n") && claim.contains("add: pbmDeletedSince\n"),
            "{claim}"
        );
        assert!(restoration(&tree(), &deleted(&[since, (names::PURGING, "TRUE")])).is_none());
    }

    #[test]
    fn a_deleted_tenant_is_not_live_and_a_live_one_not_deleted() {
        assert!(DeletedTenant::from_entry(acme(), &stored(&[])).is_none());
        assert!(
            LiveTenant::from_entry(acme(), &stored(&[(names::DELETED_SINCE, "20260101000000Z")])).is_none()
        );
        assert!(LiveTenant::from_entry(acme(), &Stored::new(&["organizationalUnit"], &[])).is_none());
    }
}
