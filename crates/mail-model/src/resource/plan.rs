//! The changes that commands on resources and their groups write. As for users, every change is planned on the state
//! that was read, and replaces its revision.

use super::{
    Resource,
    command::{NewResource, ResourceValues},
    field::ResourceField,
    group::{GroupName, ResourceGroup},
};
use crate::{
    changes::{attribute, guarded, modify, plain, rename, replace},
    field::FieldValue,
    names,
    revision::FreshRevision,
    tenant::TenantId,
    tree::Tree,
};
use ldap_text::ldif::{Attribute, Change, ChangeRecord, Modification};

/// Creates a group. Its first revision is unique, so that a change that was planned on an earlier group with this name
/// does not apply to it.
#[must_use]
pub fn group_creation(
    tree: &Tree,
    tenant: &TenantId,
    group: &GroupName,
    revision: FreshRevision,
) -> ChangeRecord {
    let attributes = vec![
        attribute(names::OBJECT_CLASS, names::RESOURCE_GROUP_CLASSES),
        attribute(names::OU, &[group.as_str()]),
        attribute(names::REVISION, &[&revision.to_string()]),
    ];
    ChangeRecord { dn: tree.resource_group(tenant, group), change: Change::Add(attributes) }
}

/// Renames a group with all its resources. The revision is replaced first, so that it decides between two renames; if
/// the second step is interrupted, nothing but the revision has changed. If only letter case differs, the DN stays as
/// it is: such a rename confuses 389-ds 2.3, which then refuses writes to the entry until a restart.
#[must_use]
pub fn group_renaming(
    tree: &Tree,
    tenant: &TenantId,
    current: &ResourceGroup,
    new_name: &GroupName,
) -> Vec<ChangeRecord> {
    let (folder, old) = (tree.resource_groups(tenant), &current.name);
    let (dn, revision) = (tree.resource_group(tenant, old), &current.version.revision);
    if dn == tree.resource_group(tenant, new_name) {
        return vec![guarded(dn, revision, vec![replace(names::OU, vec![new_name.as_str().into()])])];
    }
    let (renaming, old_name) = rename(&folder, names::OU, old.as_str(), new_name.as_str());
    let guard = guarded(dn, revision, Vec::new());
    let rest = old_name.map(|old_name| modify(tree.resource_group(tenant, new_name), vec![old_name]));
    [guard, renaming].into_iter().chain(rest).collect()
}

/// Creates a resource. Its first revision is unique, as for a group.
#[must_use]
pub fn creation(
    tree: &Tree,
    tenant: &TenantId,
    group: &GroupName,
    new: &NewResource,
    revision: FreshRevision,
) -> ChangeRecord {
    let mut attributes = vec![
        attribute(names::OBJECT_CLASS, names::RESOURCE_CLASSES),
        attribute(names::MAIL, &[new.mail.as_str()]),
        attribute(names::REVISION, &[&revision.to_string()]),
    ];
    for (field, value) in &new.fields {
        attributes.push(Attribute { name: field.attribute(), values: plain(value.values()) });
    }
    if let Some(name) = new.fields.get(&ResourceField::DisplayName).and_then(FieldValue::first) {
        attributes.push(attribute(names::CN, &[name]));
    }
    ChangeRecord { dn: tree.resource(tenant, group, &new.mail), change: Change::Add(attributes) }
}

/// Changes a resource; empty if all values are as requested already.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::{Domain, MailAddress},
        field::{Field, FieldErrors},
        resource::command::parse_fields,
        stored::Stored,
        tenant::Tenant,
    };
    use ldap_text::dn::Dn;

    fn tree() -> Tree {
        Tree::new(Dn::parse("dc=x").unwrap())
    }

    fn tenant() -> Tenant {
        Tenant {
            id: TenantId::default_tenant(),
            domains: vec![Domain::parse("x.ru").unwrap()],
            default_quota: None,
            default_language: None,
        }
    }

    fn rooms() -> GroupName {
        GroupName::parse("a,b").unwrap()
    }

    fn values(pairs: &[(ResourceField, &str)]) -> ResourceValues {
        parse_fields(pairs.iter().copied(), &mut FieldErrors::default())
    }

    #[test]
    fn a_new_resource_is_visible_unless_it_says_otherwise() {
        let fields = values(&[(ResourceField::DisplayName, "Рим"), (ResourceField::City, "")]);
        let mail = MailAddress::parse("rome@x.ru");
        let new = NewResource::new(mail, fields, &tenant(), FieldErrors::default()).unwrap();
        let text = creation(&tree(), &tenant().id, &rooms(), &new, FreshRevision::from_random(1)).to_string();
        assert!(text.starts_with("dn: mail=rome@x.ru,ou=a\\,b,ou=default,ou=Resources,dc=x\n"), "{text}");
        assert!(text.contains("employeeType: 1\n") && !text.contains("\nl:"), "{text}");
    }

    #[test]
    fn a_resource_needs_a_name_and_an_address_of_the_tenant() {
        let mail = MailAddress::parse("rome@y.ru");
        let errors = NewResource::new(mail, values(&[]), &tenant(), FieldErrors::default()).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [Field::Resource(ResourceField::DisplayName), Field::ResourceMail]);
    }

    #[test]
    fn a_patch_changes_only_what_differs() {
        let stored =
            Stored::new(&[names::RESOURCE_CLASS], &[(names::DISPLAY_NAME, "Rome"), (names::L, "Rome")]);
        let mail = MailAddress::parse("rome@x.ru").unwrap();
        let current = Resource::from_entry(mail, tenant().id, rooms(), &stored).unwrap();
        let same = values(&[(ResourceField::DisplayName, "Rome")]);
        assert!(patch(&tree(), &current, &same).is_none());
        let cleared = values(&[(ResourceField::DisplayName, "Rome"), (ResourceField::City, "")]);
        let text = patch(&tree(), &current, &cleared).unwrap().to_string();
        assert!(text.contains("replace: l\n-\n") && !text.contains("displayName"), "{text}");
    }

    #[test]
    fn letter_case_is_changed_without_a_rename() {
        let entry = Stored::new(&[names::RESOURCE_GROUP_CLASS], &[(names::OU, "Rooms")]);
        let rdn = ldap_text::dn::Rdn::new(names::OU, "rooms");
        let group = ResourceGroup::from_entry(&rdn, &entry).unwrap();
        let new_name = GroupName::parse("ROOMS").unwrap();
        let changes = group_renaming(&tree(), &tenant().id, &group, &new_name);
        let text = changes.iter().map(ToString::to_string).collect::<String>();
        assert!(text.contains("replace: ou\nou: ROOMS\n") && !text.contains("modrdn"), "{text}");
    }

    #[test]
    fn a_group_is_renamed_after_its_revision_was_replaced() {
        let entry =
            Stored::new(&[names::RESOURCE_GROUP_CLASS], &[(names::OU, "a,b"), (names::REVISION, "1")]);
        let group = ResourceGroup::from_entry(&ldap_text::dn::Rdn::new(names::OU, "A,b"), &entry).unwrap();
        let new_name = GroupName::parse("Комнаты").unwrap();
        let changes = group_renaming(&tree(), &tenant().id, &group, &new_name);
        let [first, second, third] = [0, 1, 2].map(|place| changes[place].to_string());
        assert!(first.contains("delete: pbmRevision\npbmRevision: 1\n"), "{first}");
        // The old name has an escape, so the server cannot remove it itself.
        assert!(second.contains("changetype: modrdn") && second.contains("deleteoldrdn: 0"), "{second}");
        assert!(third.contains("delete: ou\nou: a,b\n"), "{third}");
    }
}
