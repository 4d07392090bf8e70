//! What each command about resources and their groups writes. Like that of a user, every change is planned on the
//! state that was read and replaces its revision. A removal takes two steps where it has a condition or takes
//! others along: a claim, which decides, and the removal itself.

use super::{
    Resource,
    command::{NewResource, ResourceValues},
    field::ResourceField,
    group::{GroupName, ResourceGroup},
};
use crate::{
    address::MailAddress,
    changes::{attribute, claim, guarded, plain, rename, replace},
    deletion,
    field::FieldValue,
    names,
    tenant::TenantId,
    tree::Tree,
};
use ldap_text::{
    dn::Rdn,
    ldif::{Attribute, Change, ChangeRecord, Modification},
};

/// Makes a group.
#[must_use]
pub fn group_creation(tree: &Tree, tenant: &TenantId, group: &GroupName) -> ChangeRecord {
    let attributes = vec![
        attribute(names::OBJECT_CLASS, names::RESOURCE_GROUP_CLASSES),
        attribute(names::OU, &[group.as_str()]),
        attribute(names::REVISION, &["1"]),
    ];
    ChangeRecord { dn: tree.resource_group(tenant, group), change: Change::Add(attributes) }
}

/// Renames a group with all its resources. The revision goes first, so that it decides between two renames; should
/// the second step be cut off, nothing has changed but the revision.
#[must_use]
pub fn group_renaming(
    tree: &Tree,
    tenant: &TenantId,
    current: &ResourceGroup,
    new_name: &GroupName,
) -> [ChangeRecord; 2] {
    let dn = tree.resource_group(tenant, &current.name);
    let new_rdn = Rdn::new(names::OU, new_name.as_str());
    [guarded(dn.clone(), &current.version.revision, Vec::new()), rename(dn, new_rdn)]
}

/// Begins the deletion of a group.
#[must_use]
pub fn group_claim(tree: &Tree, tenant: &TenantId, current: &ResourceGroup) -> ChangeRecord {
    guarded(tree.resource_group(tenant, &current.name), &current.version.revision, vec![claim()])
}

/// Removes a group that is empty.
#[must_use]
pub fn group_removal(tree: &Tree, tenant: &TenantId, group: &GroupName) -> ChangeRecord {
    deletion::removal(tree.resource_group(tenant, group))
}

/// Makes a resource.
#[must_use]
pub fn creation(tree: &Tree, tenant: &TenantId, group: &GroupName, new: &NewResource) -> ChangeRecord {
    let mut attributes = vec![
        attribute(names::OBJECT_CLASS, names::RESOURCE_CLASSES),
        attribute(names::MAIL, &[new.mail.as_str()]),
        attribute(names::REVISION, &["1"]),
    ];
    for (field, value) in &new.fields {
        attributes.push(Attribute { name: field.attribute(), values: plain(value.values()) });
    }
    if let Some(name) = new.fields.get(&ResourceField::DisplayName).and_then(FieldValue::first) {
        attributes.push(attribute(names::CN, &[name]));
    }
    ChangeRecord { dn: tree.resource(tenant, group, &new.mail), change: Change::Add(attributes) }
}

/// Changes a resource; nothing where everything is as asked already.
#[must_use]
pub fn patch(tree: &Tree, current: &Resource, fields: &ResourceValues) -> Option<ChangeRecord> {
    let differs = |(field, value): &(&ResourceField, &FieldValue)| current.values(**field) != value.values();
    let mut modifications: Vec<Modification> = Vec::new();
    for (field, value) in fields.iter().filter(differs) {
        modifications.push(replace(field.attribute(), plain(value.values())));
        if *field == ResourceField::DisplayName {
            modifications.push(replace(names::CN, plain(value.values())));
        }
    }
    let dn = tree.resource(&current.tenant, &current.group, &current.mail);
    (!modifications.is_empty()).then(|| guarded(dn, &current.version.revision, modifications))
}

/// Removes a resource, whatever its revision is.
#[must_use]
pub fn removal(tree: &Tree, tenant: &TenantId, group: &GroupName, mail: &MailAddress) -> ChangeRecord {
    deletion::removal(tree.resource(tenant, group, mail))
}

/// Claims a resource as it was read for removal.
#[must_use]
pub fn removal_claim(tree: &Tree, current: &Resource) -> ChangeRecord {
    let dn = tree.resource(&current.tenant, &current.group, &current.mail);
    guarded(dn, &current.version.revision, vec![claim()])
}
