//! The changes that commands on mailing lists write.
//!
//! Adding and removing members replaces the revision whatever it is: two concurrent additions of different members both
//! succeed, and a change that was planned on the list before them fails. All other changes are planned on the state
//! that was read.

use super::{
    MailList,
    command::NewMailList,
    conditions::Conditions,
    edit::MemberEdit,
    member::{Member, values},
};
use crate::{
    address::MailAddress,
    changes::{add_values, attribute, delete_values, guarded, modify, plain, rename_with, replace},
    names,
    revision::FreshRevision,
    tenant::TenantId,
    tree::Tree,
};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{Attribute, Change, ChangeRecord, Modification},
};

/// The new content of a list, with the members' entries found.
#[derive(Clone, Debug)]
pub enum FoundContent<'a> {
    /// Members.
    Members(&'a [Member]),
    /// Conditions.
    Conditions(&'a Conditions),
}

/// The change of a list's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentPlan {
    /// What is changed together with the revision that was read.
    pub modifications: Vec<Modification>,
    /// Members that do not fit into the same operation. They are added and removed afterwards, whatever the list's
    /// revision is then.
    pub later: Vec<MemberEdit>,
}

impl ContentPlan {
    /// A change of members alone. The list must have none of the members to add, and all of those to remove.
    #[must_use]
    pub fn of_members(edit: MemberEdit) -> Self {
        let (first, later) = edit.in_pieces();
        Self { modifications: member_modifications(&first), later }
    }
}

/// Creates a list. Its first revision is unique, so that a change that was planned on an earlier list with this name
/// does not apply to it.
#[must_use]
pub fn creation(
    tree: &Tree,
    tenant: &TenantId,
    new: &NewMailList,
    content: &FoundContent<'_>,
    revision: FreshRevision,
) -> ChangeRecord {
    let mut attributes = vec![
        attribute(names::OBJECT_CLASS, names::MAIL_LIST_CLASSES),
        attribute(names::MAIL, &[new.mail.as_str()]),
        attribute(names::REVISION, &[&revision.to_string()]),
        attribute(names::CN, &[&new.display_name]),
        attribute(names::DISPLAY_NAME, &[&new.display_name]),
    ];
    attributes.extend(new.source.iter().map(|id| attribute(names::SOURCE, &[id.as_str()])));
    attributes.extend(content_attributes(tree, tenant, content));
    ChangeRecord { dn: tree.list(tenant, &new.mail), change: Change::Add(attributes) }
}

fn content_attributes(tree: &Tree, tenant: &TenantId, content: &FoundContent<'_>) -> Vec<Attribute> {
    let pairs = match content {
        FoundContent::Members(members) => {
            let (inside, outside) = values(members);
            [(names::MEMBER, inside), (names::OUTSIDE_MEMBER, outside)]
        }
        FoundContent::Conditions(conditions) => {
            let url = conditions.url(&tree.users(tenant));
            [(names::LIST_FILTER, plain(&conditions.texts())), (names::MEMBER_URL, vec![url.as_str().into()])]
        }
    };
    let filled = pairs.into_iter().filter(|(_, values)| !values.is_empty());
    filled.map(|(name, values)| Attribute { name, values }).collect()
}

/// Adds and removes members, and sets the displayed name, whatever the list's revision is. The list must have none of the
/// members to add, and all of those to remove.
#[must_use]
pub fn edit(
    tree: &Tree,
    tenant: &TenantId,
    mail: &MailAddress,
    members: &MemberEdit,
    display_name: Option<&str>,
    fresh: FreshRevision,
) -> Option<ChangeRecord> {
    let mut modifications = member_modifications(members);
    modifications.extend(renaming(display_name));
    if modifications.is_empty() {
        return None;
    }
    modifications.push(replace(names::REVISION, vec![fresh.to_string().as_str().into()]));
    Some(modify(tree.list(tenant, mail), modifications))
}

/// Changes a list as it was read.
#[must_use]
pub fn patch(
    tree: &Tree,
    current: &MailList,
    new_mail: Option<&MailAddress>,
    display_name: Option<&str>,
    mut content: Vec<Modification>,
) -> Vec<ChangeRecord> {
    content.extend(renaming(display_name.filter(|name| *name != current.display_name)));
    let revision = &current.version.revision;
    match new_mail {
        Some(new_mail) => {
            let folder = tree.lists(&current.tenant);
            rename_with(&folder, current.mail.as_str(), revision, content, &[], new_mail.as_str()).into()
        }
        None if content.is_empty() => Vec::new(),
        None => vec![guarded(tree.list(&current.tenant, &current.mail), revision, content)],
    }
}

/// The change that turns the content of a list, as read, into the wanted content.
#[must_use]
pub fn replacement(tree: &Tree, current: &MailList, content: &FoundContent<'_>) -> ContentPlan {
    match content {
        FoundContent::Members(wanted) => {
            let (add, remove) = current.members.difference(wanted);
            let mut plan = ContentPlan::of_members(MemberEdit { add, remove });
            if current.conditions.is_some() {
                plan.modifications.extend(cleared(&[names::LIST_FILTER, names::MEMBER_URL]));
            }
            plan
        }
        FoundContent::Conditions(conditions) if current.conditions.as_ref() == Some(conditions) => {
            ContentPlan::default()
        }
        FoundContent::Conditions(_) => {
            let set = content_attributes(tree, &current.tenant, content);
            let mut modifications: Vec<_> = set.into_iter().map(|a| replace(a.name, a.values)).collect();
            modifications.extend(cleared(&[names::MEMBER, names::OUTSIDE_MEMBER]));
            ContentPlan { modifications, later: Vec::new() }
        }
    }
}

/// The modifications that add and remove members.
fn member_modifications(edit: &MemberEdit) -> Vec<Modification> {
    let (add, add_outside) = values(&edit.add);
    let (remove, remove_outside) = values(&edit.remove);
    let all = [
        delete_values(names::MEMBER, remove),
        delete_values(names::OUTSIDE_MEMBER, remove_outside),
        add_values(names::MEMBER, add),
        add_values(names::OUTSIDE_MEMBER, add_outside),
    ];
    all.into_iter().filter(|modification| !modification.attribute.values.is_empty()).collect()
}

fn renaming(display_name: Option<&str>) -> impl Iterator<Item = Modification> {
    let set =
        display_name.map(|name| [names::CN, names::DISPLAY_NAME].map(|a| replace(a, vec![name.into()])));
    set.into_iter().flatten()
}

fn cleared(attributes: &[AttributeName]) -> impl Iterator<Item = Modification> {
    attributes.iter().map(|name| replace(name.clone(), Vec::new()))
}

/// Undoes the reservation of addresses by the first step of a rename.
#[must_use]
pub fn retreat(tree: &Tree, before: &MailList, taken: &[String]) -> ChangeRecord {
    let reserved = delete_values(names::MAIL_ALTERNATE_ADDRESS, plain(taken));
    modify(tree.list(&before.tenant, &before.mail), vec![reserved])
}

/// Removes members from a list, whatever else has changed. The list must have all of them.
#[must_use]
pub fn departure(list: Dn, members: Vec<Member>) -> ChangeRecord {
    modify(list, member_modifications(&MemberEdit { add: Vec::new(), remove: members }))
}

/// Replaces some members by others, whatever the list's revision is. The list must have the old members and lack the
/// new ones.
#[must_use]
pub fn exchange(
    tree: &Tree,
    tenant: &TenantId,
    mail: &MailAddress,
    (remove, add): (&[Member], &[Member]),
    fresh: FreshRevision,
) -> ChangeRecord {
    let edit = MemberEdit { add: add.to_vec(), remove: remove.to_vec() };
    let mut modifications = member_modifications(&edit);
    modifications.push(replace(names::REVISION, vec![fresh.to_string().as_str().into()]));
    modify(tree.list(tenant, mail), modifications)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maillist::command::Content;

    fn tree() -> Tree {
        Tree::new(Dn::parse("dc=x").unwrap())
    }

    fn mail(text: &str) -> MailAddress {
        MailAddress::parse(text).unwrap()
    }

    #[test]
    fn an_edit_leaves_a_fresh_revision_and_replaces_none() {
        let tenant = TenantId::default_tenant();
        let add = [Member::Inside(tree().user(&tenant, &mail("a@x.ru"))), Member::Outside(mail("b@y.ru"))];
        let members = MemberEdit { add: add.to_vec(), remove: Vec::new() };
        let fresh = FreshRevision::from_random(0);
        let text = edit(&tree(), &tenant, &mail("l@x.ru"), &members, None, fresh).unwrap().to_string();
        let expected = "dn: mail=l@x.ru,ou=default,ou=Groups,dc=x
changetype: modify
add: member
member: mail=a@x.ru,ou=default,ou=People,dc=x
-
add: mgrpRFC822MailMember
mgrpRFC822MailMember: b@y.ru
-
replace: pbmRevision
pbmRevision: 2305843009213693952
-

";
        assert_eq!(text, expected);
        let nothing = MemberEdit::default();
        assert!(edit(&tree(), &tenant, &mail("l@x.ru"), &nothing, None, fresh).is_none());
    }

    #[test]
    fn an_exchange_is_one_change_that_leaves_a_fresh_revision() {
        let tenant = TenantId::default_tenant();
        let inside = [Member::Inside(tree().user(&tenant, &mail("a@x.ru")))];
        let outside = [Member::Outside(mail("a@x.ru"))];
        let fresh = FreshRevision::from_random(0);
        let text = exchange(&tree(), &tenant, &mail("l@x.ru"), (&outside, &inside), fresh).to_string();
        for part in [
            "delete: mgrpRFC822MailMember\nmgrpRFC822MailMember: a@x.ru\n-\n",
            "add: member\nmember: mail=a@x.ru,ou=default,ou=People,dc=x\n-\n",
            "replace: pbmRevision\n",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_dynamic_list_has_its_conditions_in_both_forms() {
        let tenant = TenantId::default_tenant();
        let conditions = Conditions::parse(&["ou=Sales".to_owned()]).unwrap();
        let new = NewMailList {
            mail: mail("l@x.ru"),
            display_name: "Продажи".into(),
            content: Content::Conditions(conditions.clone()),
            source: None,
        };
        let content = FoundContent::Conditions(&conditions);
        let text = creation(&tree(), &tenant, &new, &content, FreshRevision::from_random(1)).to_string();
        assert!(text.contains("pbmListFilter: ou=Sales\n"), "{text}");
        assert!(text.contains("memberURL: ldap:///ou=default,ou=People,dc=x?mail?sub?(&"), "{text}");
        assert!(!text.contains("\nmember: "), "{text}");
    }
}
