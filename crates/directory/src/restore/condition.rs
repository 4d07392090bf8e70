//! A change of an entry that applies only if the entry is still as it was read.
//!
//! The administrator of a tenant may not change a super administrator, and a user can become one between the moment
//! when a restore reads the entry and the moment when it writes. 389-ds has no assertion control (RFC 4528). But a
//! modify that deletes a value which does not exist fails as a whole, which has the same effect. So the change
//! replaces the exact revision that was read, as every write of pbm does. For a user it also replaces the exact role,
//! which detects edits by other programs too.

use ldap_text::{
    attribute::AttributeName,
    ldif::{Attribute, Entry, Modification, ModifyKind, Value},
};
use mail_model::names;

/// A change that fails if the revision or the role of an entry is no longer as in `stored`; otherwise it sets them as
/// in `wanted`. Both are single-valued in the schema, so adding one fails if another program has added one in between.
pub(super) fn conditioned(
    modifications: Vec<Modification>,
    wanted: &Entry,
    stored: &Entry,
) -> Vec<Modification> {
    let is_user = wanted.is_of_class(names::USER_CLASS);
    let mut conditions = swap(&names::REVISION, wanted, stored);
    if is_user {
        conditions.extend(swap(&names::EMPLOYEE_NUMBER, wanted, stored));
    }
    let is_swapped =
        |name: &AttributeName| *name == names::REVISION || (is_user && *name == names::EMPLOYEE_NUMBER);
    let others = modifications.into_iter().filter(|change| !is_swapped(&change.attribute.name));
    conditions.into_iter().chain(others).collect()
}

/// Deletes the values of an attribute that were read, and adds the wanted ones, even if they are the same.
fn swap(name: &AttributeName, wanted: &Entry, stored: &Entry) -> Vec<Modification> {
    let change = |kind, values: &[Value]| {
        let attribute = Attribute { name: name.clone(), values: values.to_vec() };
        (!values.is_empty()).then_some(Modification { kind, attribute })
    };
    let out = change(ModifyKind::Delete, stored.values(name));
    out.into_iter().chain(change(ModifyKind::Add, wanted.values(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap_text::{
        dn::Dn,
        ldif::{Change, ChangeRecord},
    };

    fn user(more: &[(AttributeName, &str)]) -> Entry {
        let class = Attribute::new(names::OBJECT_CLASS, [names::USER_CLASS]);
        let more = more.iter().map(|(name, value)| Attribute::new(name.clone(), [*value]));
        Entry {
            dn: Dn::parse("mail=a@x.ru,dc=x").unwrap(),
            attributes: [class].into_iter().chain(more).collect(),
        }
    }

    fn ldif(wanted: &Entry, stored: &Entry) -> String {
        let title = Attribute::new(names::TITLE, ["Boss"]);
        let others = [title, Attribute::new(names::EMPLOYEE_NUMBER, ["2"])];
        let replace = |attribute| Modification { kind: ModifyKind::Replace, attribute };
        let change = Change::Modify(conditioned(others.map(replace).into(), wanted, stored));
        ChangeRecord { dn: wanted.dn.clone(), change }.to_string()
    }

    #[test]
    fn the_revision_and_the_role_that_were_read_are_replaced() {
        let of = |revision, role| user(&[(names::REVISION, revision), (names::EMPLOYEE_NUMBER, role)]);
        let text = ldif(&of("3", "2"), &of("7", "1"));
        let expected = "dn: mail=a@x.ru,dc=x
changetype: modify
delete: pbmRevision
pbmRevision: 7
-
add: pbmRevision
pbmRevision: 3
-
delete: employeeNumber
employeeNumber: 1
-
add: employeeNumber
employeeNumber: 2
-
replace: title
title: Boss
-

";
        assert_eq!(text, expected);
        // Equal values are replaced too, which makes sure that they are still there.
        assert!(ldif(&of("7", "2"), &of("7", "2")).contains("delete: pbmRevision\npbmRevision: 7\n"));
    }

    #[test]
    fn an_entry_without_a_revision_is_known_by_its_role() {
        let role = |role| user(&[(names::EMPLOYEE_NUMBER, role)]);
        let text = ldif(&role("2"), &role("2"));
        assert!(
            !text.contains("pbmRevision") && text.contains("delete: employeeNumber\nemployeeNumber: 2\n")
        );
        let text = ldif(&role("2"), &user(&[]));
        assert!(
            text.contains("add: employeeNumber\nemployeeNumber: 2\n") && !text.contains("delete:"),
            "{text}"
        );
    }
}
