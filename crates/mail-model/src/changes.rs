//! Building blocks of changes, and the rename that users and mailing lists share.

use crate::{names, revision::Revision};
use jiff::Timestamp;
use ldap_text::{
    attribute::AttributeName,
    dn::{Dn, Rdn},
    ldif::{Attribute, Change, ChangeRecord, Modification, ModifyKind, Value},
};

pub(crate) fn attribute(name: AttributeName, values: &[&str]) -> Attribute {
    Attribute { name, values: values.iter().map(|v| (*v).into()).collect() }
}

pub(crate) fn plain(values: &[String]) -> Vec<Value> {
    values.iter().map(|v| v.as_str().into()).collect()
}

pub(crate) fn replace(name: AttributeName, values: Vec<Value>) -> Modification {
    Modification { kind: ModifyKind::Replace, attribute: Attribute { name, values } }
}

pub(crate) fn add_values(name: AttributeName, values: Vec<Value>) -> Modification {
    Modification { kind: ModifyKind::Add, attribute: Attribute { name, values } }
}

pub(crate) fn delete_values(name: AttributeName, values: Vec<Value>) -> Modification {
    Modification { kind: ModifyKind::Delete, attribute: Attribute { name, values } }
}

pub(crate) fn delete_value(name: AttributeName, value: &str) -> Modification {
    delete_values(name, vec![value.into()])
}

pub(crate) fn modify(dn: Dn, modifications: Vec<Modification>) -> ChangeRecord {
    ChangeRecord { dn, change: Change::Modify(modifications) }
}

/// A modify that fails with `noSuchAttribute` (or, for an entry without a revision, with `attributeOrValueExists` or
/// `objectClassViolation`) if the entry was written after it was read.
pub(crate) fn guarded(dn: Dn, revision: &Revision, mut modifications: Vec<Modification>) -> ChangeRecord {
    let mut guard = Vec::with_capacity(modifications.len() + 2);
    guard.extend(revision.stored().map(|stored| delete_value(names::REVISION, stored)));
    guard.push(add_values(names::REVISION, vec![revision.next().as_str().into()]));
    guard.append(&mut modifications);
    modify(dn, guard)
}

/// Changes the address of an entry that is named by its address, together with other changes. LDAP cannot change a name
/// and attributes at once, and the uniqueness plug-in of 389-ds does not check renames. So there are three operations:
/// reserve the new address as an alias together with all other changes (the only operation that can conflict, and then
/// it fails as a whole), rename, remove the alias. If the operations are interrupted, repeating the request completes
/// them.
/// conflict, and it does so as a whole), rename, drop the alias. Cut off anywhere, asking again finishes it.
pub(crate) fn rename_with(
    folder: &Dn,
    mail: &str,
    revision: &Revision,
    mut others: Vec<Modification>,
    aliases: &[String],
    new_mail: &str,
) -> [ChangeRecord; 3] {
    let mut reserved = plain(aliases);
    if !aliases.iter().any(|alias| alias == new_mail) {
        reserved.push(new_mail.into());
    }
    others.retain(|m| m.attribute.name != names::MAIL_ALTERNATE_ADDRESS);
    others.push(replace(names::MAIL_ALTERNATE_ADDRESS, reserved));
    let (renaming, old_name) = rename(folder, names::MAIL, mail, new_mail);
    let mut last = vec![delete_value(names::MAIL_ALTERNATE_ADDRESS, new_mail)];
    last.extend(old_name);
    [
        guarded(folder.child(names::MAIL, mail), revision, others),
        renaming,
        modify(folder.child(names::MAIL, new_mail), last),
    ]
}

/// Renames an entry; the second result is the value to remove afterwards. 389-ds 2.3 cannot remove an old value that is
/// written with an escape: its uniqueness plug-in fails on such a rename (result 1).
pub(crate) fn rename(
    folder: &Dn,
    naming: AttributeName,
    old: &str,
    new: &str,
) -> (ChangeRecord, Option<Modification>) {
    let old_rdn = Rdn::new(naming.clone(), old);
    let new_rdn = Rdn::new(naming.clone(), new);
    let delete_old_rdn = !old_rdn.to_string().contains('\\');
    let old_name = (!delete_old_rdn && old_rdn != new_rdn).then(|| delete_value(naming, old));
    let change = Change::Rename { new_rdn, delete_old_rdn, new_superior: None };
    (ChangeRecord { dn: folder.with_rdn(old_rdn), change }, old_name)
}

/// Removes the address that named an entry before a rename.
#[must_use]
pub fn old_name_removal(dn: Dn, address: &str) -> ChangeRecord {
    modify(dn, vec![delete_value(names::MAIL, address)])
}

/// Claims an entry for removal: from then on nothing finds it.
pub(crate) fn claim() -> Modification {
    replace(names::PURGING, vec!["TRUE".into()])
}

/// Deletion times are whole seconds, because 389-ds orders "00Z" after "00.5Z".
pub(crate) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
