//! The changes that commands on users write. Every change of a user is planned on the state that was read, and replaces
//! the exact revision of that state: of two writers one succeeds, and the other reads again. So a rule that was checked
//! on the state (the role, that the user is not deleted) still holds when the change is written. 389-ds has no
//! assertion control (RFC 4528); a modify that deletes a missing value fails as a whole, which has the same effect.

use super::{
    DeletedUser, LiveUser, User,
    command::{NewUser, UserPatch},
    field::UserField,
    status::is_active,
};
use crate::{
    changes::{add_values, attribute, claim, delete_values, guarded, modify, plain, rename_with, replace},
    deletion::{self, Since, end_tokens, lock},
    field::FieldValue,
    names,
    photo::Photo,
    revision::FreshRevision,
    tenant::TenantId,
    tree::Tree,
};
use jiff::Timestamp;
use ldap_text::ldif::{Attribute, Change, ChangeRecord, Modification, Value};

/// A purge has claimed the user, who cannot be restored any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user is being purged")]
pub struct BeingPurged;

/// Creates a user. The first revision is unique, so that a change that was planned on an earlier user with this name
/// does not apply.
#[must_use]
pub fn creation(tree: &Tree, tenant: &TenantId, new: &NewUser, revision: FreshRevision) -> ChangeRecord {
    let mut attributes = vec![
        attribute(names::OBJECT_CLASS, names::USER_CLASSES),
        attribute(names::MAIL, &[new.mail.as_str()]),
        attribute(names::REVISION, &[&revision.to_string()]),
        Attribute { name: names::USER_PASSWORD, values: vec![new.password.value()] },
    ];
    for (field, value) in &new.fields {
        attributes.push(Attribute { name: field.attribute(), values: plain(value.values()) });
    }
    if !new.fields.get(&UserField::Status).and_then(FieldValue::first).is_some_and(is_active) {
        attributes.push(attribute(names::NS_ACCOUNT_LOCK, &["true"]));
    }
    ChangeRecord { dn: tree.user(tenant, &new.mail), change: Change::Add(attributes) }
}

/// Changes a user; empty if all values are as requested already.
#[must_use]
pub fn patch(tree: &Tree, current: &LiveUser, patch: &UserPatch, now: Timestamp) -> Vec<ChangeRecord> {
    let user = &current.user;
    let mut modifications = field_changes(user, patch);
    let status = patch.fields.get(&UserField::Status).and_then(FieldValue::first);
    let status_change = status.and_then(|status| current.status.change_to(status));
    // Also when a block ends: a program that set only the lock has left the tokens from before it.
    let stays_active = current.status.is_active() && status.is_none_or(is_active);
    let loses_tokens = patch.password.is_some() || (status_change.is_some() && !stays_active);
    modifications.extend(status_change.into_iter().flatten());
    if let Some(password) = &patch.password {
        modifications.push(replace(names::USER_PASSWORD, vec![password.value()]));
    }
    if loses_tokens {
        modifications.push(end_tokens(now));
    }
    let revision = &current.version.revision;
    if let Some(new_mail) = &patch.new_mail {
        let aliases = patch.fields.get(&UserField::Aliases);
        let aliases = aliases.map_or(user.values(UserField::Aliases), FieldValue::values);
        let folder = tree.users(&user.tenant);
        let mail = user.mail.as_str();
        rename_with(&folder, mail, revision, modifications, aliases, new_mail.as_str()).into()
    } else if modifications.is_empty() {
        Vec::new()
    } else {
        vec![guarded(tree.user(&user.tenant, &user.mail), revision, modifications)]
    }
}

/// Sets or removes the photo of a user.
#[must_use]
pub fn photo_change(tree: &Tree, current: &LiveUser, photo: Option<&Photo>) -> ChangeRecord {
    let values = photo.map(|photo| Value::Plain(photo.bytes().to_vec())).into_iter().collect();
    let dn = tree.user(&current.user.tenant, &current.user.mail);
    guarded(dn, &current.version.revision, vec![replace(names::JPEG_PHOTO, values)])
}

/// Whether a patch ends a block.
#[must_use]
pub fn unblocks(current: &LiveUser, patch: &UserPatch) -> bool {
    let status = patch.fields.get(&UserField::Status).and_then(FieldValue::first);
    !current.status.is_active() && status.is_some_and(is_active)
}

/// Undoes the new addresses of the first change of a patch, because the tenant has changed since.
#[must_use]
pub fn retreat(tree: &Tree, before: &LiveUser, patch: &UserPatch) -> [ChangeRecord; 1] {
    let taken = patch.new_addresses(before);
    let dn = tree.user(&before.user.tenant, &before.user.mail);
    [modify(dn, vec![delete_values(names::MAIL_ALTERNATE_ADDRESS, plain(&taken))])]
}

/// Deletes a user softly: one modify in place, so that the DN keeps the address reserved and memberships stay.
#[must_use]
pub fn deletion(tree: &Tree, current: &LiveUser, now: Timestamp) -> ChangeRecord {
    let mut modifications = vec![Since::now(now).set(), lock(false), end_tokens(now)];
    modifications.extend(current.status.kept_in_deletion());
    guarded(tree.user(&current.user.tenant, &current.user.mail), &current.version.revision, modifications)
}

/// Undoes a deletion. A user that was blocked before stays blocked.
///
/// # Errors
/// [`BeingPurged`] if a purge has claimed the user.
pub fn restoration(tree: &Tree, deleted: &DeletedUser) -> Result<ChangeRecord, BeingPurged> {
    if deleted.being_purged {
        return Err(BeingPurged);
    }
    let modifications = vec![
        deleted.since.unset(),
        replace(names::DELETED_WITH_TENANT, Vec::new()),
        lock(deleted.user.is_active()),
    ];
    Ok(guarded(tree.user(&deleted.user.tenant, &deleted.user.mail), &deleted.version.revision, modifications))
}

/// Claims a deleted user for removal. From then on the user cannot be restored, and only from then on does the server
/// allow the removal (by an access rule of `pbm init`). The change requires an unchanged deletion time, which protects
/// a user that another program has restored.
#[must_use]
pub fn purge_claim(tree: &Tree, deleted: &DeletedUser) -> ChangeRecord {
    let set_again = deleted.since.set().attribute.values;
    let modifications = vec![deleted.since.unset(), add_values(names::DELETED_SINCE, set_again), claim()];
    guarded(tree.user(&deleted.user.tenant, &deleted.user.mail), &deleted.version.revision, modifications)
}

/// Removes a claimed user.
#[must_use]
pub fn removal(tree: &Tree, deleted: &DeletedUser) -> ChangeRecord {
    deletion::removal(tree.user(&deleted.user.tenant, &deleted.user.mail))
}

/// The changes of a patch besides the status.
fn field_changes(user: &User, patch: &UserPatch) -> Vec<Modification> {
    let differs = |(field, value): &(&UserField, &FieldValue)| {
        let mut wanted = value.values().to_vec();
        if field.is_list() {
            wanted.sort_unstable();
        }
        user.values(**field) != wanted
    };
    let change =
        |(field, value): (&UserField, &FieldValue)| replace(field.attribute(), plain(value.values()));
    let without_status = patch.fields.iter().filter(|(field, _)| **field != UserField::Status);
    without_status.filter(differs).map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        address::{Domain, MailAddress},
        field::FieldErrors,
        stored::Stored,
        tenant::Tenant,
        user::command::{FieldValues, Password, parse_aliases},
    };
    use ldap_text::attribute::AttributeName;
    use ldap_text::dn::Dn;

    fn stored(pairs: &[(AttributeName, &str)]) -> Stored {
        Stored::new(&["inetUser", names::USER_CLASS], pairs)
    }

    fn tree() -> Tree {
        Tree::new(Dn::parse("dc=example,dc=com").unwrap())
    }

    fn tenant() -> Tenant {
        Tenant {
            id: TenantId::default_tenant(),
            domains: vec![Domain::parse("example.com").unwrap()],
            default_quota: None,
            default_language: None,
        }
    }

    fn ivan() -> MailAddress {
        MailAddress::parse("ivan@example.com").unwrap()
    }

    fn now() -> Timestamp {
        "2026-01-02T03:04:05.678Z".parse().unwrap()
    }

    fn live(pairs: &[(AttributeName, &str)]) -> LiveUser {
        LiveUser::from_entry(ivan(), TenantId::default_tenant(), &stored(pairs)).unwrap()
    }

    fn patch_of(fields: &[(UserField, &str)], new_mail: Option<&str>, password: Option<&str>) -> UserPatch {
        let values: FieldValues =
            fields.iter().map(|(field, text)| (*field, field.parse(text).unwrap())).collect();
        let new_mail = new_mail.map(|mail| MailAddress::parse(mail).unwrap());
        let password = password.map(|text| Password::parse(text).unwrap());
        UserPatch::new(&ivan(), new_mail, password, values, &tenant(), FieldErrors::default()).unwrap()
    }

    fn ldif(changes: &[ChangeRecord]) -> String {
        changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_creation_writes_the_defaults_and_hides_the_password() {
        let mut fields: FieldValues =
            [(UserField::FirstName, "Ivan"), (UserField::LastName, "Petrov"), (UserField::Role, "2")]
                .into_iter()
                .map(|(field, text)| (field, field.parse(text).unwrap()))
                .collect();
        fields.insert(UserField::Aliases, parse_aliases(&["I@example.com".into()]).unwrap());
        let password = Password::parse("secret-words").ok();
        let new = NewUser::new(Some(ivan()), password, fields, &tenant(), FieldErrors::default()).unwrap();
        let revision = FreshRevision::from_random(0);
        let text = creation(&tree(), &TenantId::default_tenant(), &new, revision).to_string();
        let expected = "dn: mail=ivan@example.com,ou=default,ou=People,dc=example,dc=com
changetype: add
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: inetOrgPerson
objectClass: inetUser
objectClass: mailRecipient
objectClass: pbmUser
mail: ivan@example.com
pbmRevision: 2305843009213693952
# userPassword: (secret, not shown)
cn: Ivan
sn: Petrov
employeeNumber: 2
employeeType: 3
inetUserStatus: 1
mailAlternateAddress: i@example.com
preferredLanguage: en-US

";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_patch_replaces_the_revision_it_was_planned_on_and_only_what_differs() {
        let current = live(&[(names::REVISION, "7"), (names::TITLE, "Boss"), (names::L, "Москва")]);
        let asked = patch_of(&[(UserField::Title, "Boss"), (UserField::City, "")], None, None);
        let expected = "dn: mail=ivan@example.com,ou=default,ou=People,dc=example,dc=com
changetype: modify
delete: pbmRevision
pbmRevision: 7
-
add: pbmRevision
pbmRevision: 8
-
replace: l
-

";
        assert_eq!(ldif(&patch(&tree(), &current, &asked, now())), expected);
        let nothing = patch_of(&[(UserField::Title, "Boss")], None, None);
        assert!(patch(&tree(), &current, &nothing, now()).is_empty());
    }

    #[test]
    fn blocking_locks_the_entry_and_ends_tokens_and_unblocking_unlocks_it() {
        let active = live(&[(names::INET_USER_STATUS, "1")]);
        let text = ldif(&patch(&tree(), &active, &patch_of(&[(UserField::Status, "2")], None, None), now()));
        for part in [
            "add: pbmRevision\npbmRevision: 1\n",
            "replace: nsAccountLock\nnsAccountLock: true\n",
            "replace: pbmTokensValidFrom\npbmTokensValidFrom: 20260102030405.678Z\n",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let blocked = live(&[(names::INET_USER_STATUS, "0")]);
        let text = ldif(&patch(&tree(), &blocked, &patch_of(&[(UserField::Status, "1")], None, None), now()));
        assert!(text.contains("replace: nsAccountLock\n-\n"), "{text}");
    }

    #[test]
    fn unblocking_a_user_whom_only_the_lock_blocks_unlocks_it_and_ends_older_tokens() {
        let locked = live(&[(names::INET_USER_STATUS, "1"), (names::NS_ACCOUNT_LOCK, "TRUE")]);
        let text = ldif(&patch(&tree(), &locked, &patch_of(&[(UserField::Status, "1")], None, None), now()));
        for part in
            ["replace: inetUserStatus\ninetUserStatus: 1\n", "replace: nsAccountLock\n-\n", "TokensValidFrom"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let text = ldif(&patch(&tree(), &locked, &patch_of(&[(UserField::Status, "0")], None, None), now()));
        assert!(text.contains("inetUserStatus: 0\n"), "{text}");
        let text = deletion(&tree(), &locked, now()).to_string();
        assert!(text.contains("replace: inetUserStatus\ninetUserStatus: 0\n"), "{text}");
        let active = live(&[]);
        let text = ldif(&patch(&tree(), &active, &patch_of(&[(UserField::Status, "1")], None, None), now()));
        assert!(text.contains("inetUserStatus: 1\n") && !text.contains("TokensValidFrom"), "{text}");
    }

    #[test]
    fn a_rename_reserves_the_new_address_with_all_other_changes_first() {
        let current = live(&[(names::REVISION, "1"), (names::MAIL_ALTERNATE_ADDRESS, "i@example.com")]);
        let asked = patch_of(&[(UserField::Title, "Boss")], Some("petrov@example.com"), None);
        let changes = patch(&tree(), &current, &asked, now());
        let text = ldif(&changes);
        assert_eq!(changes.len(), 3, "{text}");
        let reserved = "replace: mailAlternateAddress\nmailAlternateAddress: i@example.com\nmailAlternateAddress: petrov@example.com\n";
        assert!(ldif(&changes[..1]).contains(reserved), "{text}");
        assert!(text.contains("newrdn: mail=petrov@example.com\ndeleteoldrdn: 1\n"), "{text}");
        assert!(
            text.contains("delete: mailAlternateAddress\nmailAlternateAddress: petrov@example.com\n"),
            "{text}"
        );
    }

    #[test]
    fn a_restored_user_that_was_blocked_stays_locked_and_a_claimed_one_stays_deleted() {
        let since = (names::DELETED_SINCE, "20260101000000Z");
        let read = |pairs: &[(AttributeName, &str)]| {
            DeletedUser::from_entry(ivan(), TenantId::default_tenant(), &stored(pairs)).unwrap()
        };
        let blocked = read(&[since.clone(), (names::INET_USER_STATUS, "0")]);
        let text = restoration(&tree(), &blocked).unwrap().to_string();
        assert!(text.contains("delete: pbmDeletedSince\npbmDeletedSince: 20260101000000Z\n"), "{text}");
        assert!(text.contains("nsAccountLock: true"), "{text}");
        let active = read(&[since.clone(), (names::INET_USER_STATUS, "1")]);
        assert!(!restoration(&tree(), &active).unwrap().to_string().contains("nsAccountLock: true"));
        let claimed = read(&[since, (names::PURGING, "TRUE")]);
        assert_eq!(restoration(&tree(), &claimed), Err(BeingPurged));
    }
}
