//! What each command writes. Every change of a user is planned on the state that was read, and
//! replaces the exact revision it was planned on: of two writers one succeeds, the other reads again.
//! So a rule that was checked on the state (its role, that it is not deleted) still holds when the
//! change is written. 389-ds has no assertion control (RFC 4528); a modify that deletes a value which
//! is not there fails as a whole, which does the same.
//!
//! A rename is three operations, since LDAP cannot change a name and attributes at once: reserve the
//! new address as an alias together with all other changes (the only one that can conflict, and it
//! does so as a whole), rename, drop the alias. Cut off anywhere, asking again finishes it.

use super::{
    DeletedUser, LiveUser, Revision, User,
    command::{NewUser, UserPatch},
    field::{FieldValue, UserField},
};
use crate::{
    names,
    tenant::{TenantId, attribute},
    tree::Tree,
};
use jiff::Timestamp;
use ldap_text::{
    attribute::AttributeName,
    dn::Rdn,
    generalized_time,
    ldif::{Attribute, Change, ChangeRecord, Modification, ModifyKind, Value},
};

/// A purge has claimed the user; it can't be restored any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user is being purged")]
pub struct BeingPurged;

/// Makes a user.
#[must_use]
pub fn creation(tree: &Tree, tenant: &TenantId, new: &NewUser) -> ChangeRecord {
    let mut attributes = vec![
        attribute(names::OBJECT_CLASS, names::USER_CLASSES),
        attribute(names::MAIL, &[new.mail.as_str()]),
        attribute(names::REVISION, &["1"]),
        Attribute { name: names::USER_PASSWORD, values: vec![new.password.value()] },
    ];
    for (field, value) in &new.fields {
        attributes.push(Attribute { name: field.attribute(), values: plain(value.values()) });
    }
    if new.fields.get(&UserField::Status).and_then(FieldValue::first) != Some("1") {
        attributes.push(attribute(names::NS_ACCOUNT_LOCK, &["true"]));
    }
    ChangeRecord { dn: tree.user(tenant, &new.mail), change: Change::Add(attributes) }
}

/// Changes a user; nothing where everything is as asked already.
#[must_use]
pub fn patch(tree: &Tree, current: &LiveUser, patch: &UserPatch, now: Timestamp) -> Vec<ChangeRecord> {
    let user = &current.user;
    let mut modifications = field_changes(user, patch);
    let loses_tokens =
        patch.password.is_some() || status_change(user, patch).is_some_and(|status| status != "1");
    if let Some(status) = status_change(user, patch) {
        modifications.push(replace(names::NS_ACCOUNT_LOCK, lock(status == "1")));
    }
    if let Some(password) = &patch.password {
        modifications.push(replace(names::USER_PASSWORD, vec![password.value()]));
    }
    if loses_tokens {
        modifications.push(tokens_valid_from(now));
    }
    let dn = tree.user(&user.tenant, &user.mail);
    let Some(new_mail) = &patch.new_mail else {
        return match modifications.is_empty() {
            true => Vec::new(),
            false => vec![guarded(dn, &current.revision, modifications)],
        };
    };
    modifications.retain(|m| m.attribute.name != names::MAIL_ALTERNATE_ADDRESS);
    modifications.push(replace(names::MAIL_ALTERNATE_ADDRESS, reservation(user, patch, new_mail.as_str())));
    let new_rdn = Rdn::new(names::MAIL, new_mail.as_str());
    vec![
        guarded(dn.clone(), &current.revision, modifications),
        ChangeRecord { dn, change: Change::Rename { new_rdn, delete_old_rdn: true, new_superior: None } },
        ChangeRecord {
            dn: tree.user(&user.tenant, new_mail),
            change: Change::Modify(vec![delete_value(names::MAIL_ALTERNATE_ADDRESS, new_mail.as_str())]),
        },
    ]
}

/// Deletes a user softly: one modify in place, so the DN keeps the address reserved and memberships stay.
#[must_use]
pub fn deletion(tree: &Tree, current: &LiveUser, now: Timestamp) -> ChangeRecord {
    let modifications = vec![
        replace(names::DELETED_SINCE, vec![generalized_time::print(whole_seconds(now)).into()]),
        replace(names::NS_ACCOUNT_LOCK, lock(false)),
        tokens_valid_from(now),
    ];
    guarded(tree.user(&current.user.tenant, &current.user.mail), &current.revision, modifications)
}

/// Undoes a deletion. A user that was blocked before stays blocked.
///
/// # Errors
/// [`BeingPurged`] when it is too late.
pub fn restoration(tree: &Tree, deleted: &DeletedUser) -> Result<ChangeRecord, BeingPurged> {
    if deleted.being_purged {
        return Err(BeingPurged);
    }
    let modifications = vec![
        delete_value(names::DELETED_SINCE, &deleted.since_value),
        replace(names::NS_ACCOUNT_LOCK, lock(deleted.user.is_active())),
    ];
    Ok(guarded(tree.user(&deleted.user.tenant, &deleted.user.mail), &deleted.revision, modifications))
}

/// Claims a deleted user for removal. From then on it can't be restored, and only from then on does the
/// server let it be removed (an access rule of `pbm init` says so). Finding the deletion time unchanged
/// guards against a restore made behind our back.
#[must_use]
pub fn purge_claim(tree: &Tree, deleted: &DeletedUser) -> ChangeRecord {
    let since = &deleted.since_value;
    let modifications = vec![
        delete_value(names::DELETED_SINCE, since),
        Modification { kind: ModifyKind::Add, attribute: attribute(names::DELETED_SINCE, &[since]) },
        replace(names::PURGING, vec!["TRUE".into()]),
    ];
    guarded(tree.user(&deleted.user.tenant, &deleted.user.mail), &deleted.revision, modifications)
}

/// Removes a claimed user.
#[must_use]
pub fn removal(tree: &Tree, deleted: &DeletedUser) -> ChangeRecord {
    ChangeRecord { dn: tree.user(&deleted.user.tenant, &deleted.user.mail), change: Change::Delete }
}

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
    patch.fields.iter().filter(differs).map(change).collect()
}

/// The status that the patch sets, where it is not the current one.
fn status_change<'a>(user: &User, patch: &'a UserPatch) -> Option<&'a str> {
    let status = patch.fields.get(&UserField::Status)?.first()?;
    (user.values(UserField::Status).first().map(String::as_str) != Some(status)).then_some(status)
}

/// The aliases during a rename: those that stay, and the new address.
fn reservation(user: &User, patch: &UserPatch, new_mail: &str) -> Vec<Value> {
    let aliases =
        patch.fields.get(&UserField::Aliases).map_or(user.values(UserField::Aliases), FieldValue::values);
    let mut values = plain(aliases);
    if !aliases.iter().any(|alias| alias == new_mail) {
        values.push(new_mail.into());
    }
    values
}

/// A modify that fails with `noSuchAttribute` (or, for an entry without a revision, with
/// `attributeOrValueExists` or `objectClassViolation`) when the entry was written since it was read.
fn guarded(dn: ldap_text::dn::Dn, revision: &Revision, mut modifications: Vec<Modification>) -> ChangeRecord {
    if let Some(stored) = revision.stored() {
        modifications.insert(0, delete_value(names::REVISION, stored));
    }
    let next = attribute(names::REVISION, &[&revision.next()]);
    modifications
        .insert(revision.stored().iter().len(), Modification { kind: ModifyKind::Add, attribute: next });
    ChangeRecord { dn, change: Change::Modify(modifications) }
}

fn replace(name: AttributeName, values: Vec<Value>) -> Modification {
    Modification { kind: ModifyKind::Replace, attribute: Attribute { name, values } }
}

fn delete_value(name: AttributeName, value: &str) -> Modification {
    Modification { kind: ModifyKind::Delete, attribute: attribute(name, &[value]) }
}

fn lock(may_bind: bool) -> Vec<Value> {
    if may_bind { Vec::new() } else { vec!["true".into()] }
}

fn plain(values: &[String]) -> Vec<Value> {
    values.iter().map(|v| v.as_str().into()).collect()
}

fn tokens_valid_from(now: Timestamp) -> Modification {
    replace(names::TOKENS_VALID_FROM, vec![generalized_time::print(now).into()])
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
