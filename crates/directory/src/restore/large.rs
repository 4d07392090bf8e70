//! Entries with more values than one operation can write, such as mailing lists of 50,000 members.
//!
//! Such an entry is added with some of its values, and modifies add the others. Meanwhile a mailing list has the mark of
//! an entry that is being removed, so nobody finds an incomplete list. If the restore is killed, the next one completes
//! the list; otherwise the purge removes it. Groups of other programs have no such mark: for an incomplete one the next
//! restore reports a difference.

use super::rules::{Rules, compared};
use ldap_text::ldif::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind, Value};
use mail_model::{names, pieces};
use std::collections::HashSet;

/// The operations of one change, in this order.
pub(super) struct Pieces {
    pub(super) first: ChangeRecord,
    pub(super) others: Vec<ChangeRecord>,
}

impl Rules {
    /// Divides the addition of an entry, or the change of a stored one; `None` if one operation can make it.
    pub(super) fn pieces(&self, record: &ChangeRecord, stored: Option<&Entry>) -> Option<Pieces> {
        let mut pieces = match (&record.change, stored) {
            (Change::Add(attributes), _) if !pieces::fits(attributes.iter()) => addition(attributes),
            (Change::Modify(modifications), Some(stored))
                if !pieces::fits(modifications.iter().map(|change| &change.attribute)) =>
            {
                self.modification(modifications, stored)
            }
            _ => return None,
        }
        .into_iter()
        .map(|change| ChangeRecord { dn: record.dn.clone(), change });
        Some(Pieces { first: pieces.next()?, others: pieces.collect() })
    }

    /// Divides a change of a stored entry. The end of the mark comes last.
    fn modification(&self, modifications: &[Modification], stored: &Entry) -> Vec<Change> {
        let (mark, others): (Vec<_>, Vec<_>) =
            modifications.iter().cloned().partition(|change| change.attribute.name == names::PURGING);
        let steps = others.into_iter().flat_map(|change| self.difference_only(change, stored)).collect();
        let mut pieces = pieces::divided(steps);
        if let Some(last) = pieces.last_mut() {
            last.extend(mark);
        }
        pieces.into_iter().map(Change::Modify).collect()
    }

    /// Turns the replacement of many values into the additions and removals that it takes.
    fn difference_only(&self, change: Modification, stored: &Entry) -> Vec<Modification> {
        if change.kind != ModifyKind::Replace || !pieces::is_long(&change.attribute) {
            return vec![change];
        }
        let Attribute { name, values: wanted } = change.attribute;
        let (before, is_name) = (stored.values(&name), self.is_name(&name));
        let lacking = |some: &[Value], others: &[Value]| -> Vec<Value> {
            let others: HashSet<_> = others.iter().map(|value| compared(value, is_name)).collect();
            some.iter().filter(|value| !others.contains(&compared(value, is_name))).cloned().collect()
        };
        let (added, removed) = (lacking(&wanted, before), lacking(before, &wanted));
        let steps = [(ModifyKind::Add, added), (ModifyKind::Delete, removed)];
        let steps = steps.into_iter().filter(|(_, values)| !values.is_empty());
        steps.map(|(kind, values)| modification(kind, Attribute { name: name.clone(), values })).collect()
    }
}

/// Whether one operation can't add an entry.
pub(super) fn is_large(wanted: &Entry) -> bool {
    !pieces::fits(wanted.attributes.iter())
}

/// Whether a stored mailing list has the mark, and is not to keep it.
pub(super) fn is_marked(wanted: &Entry, stored: &Entry) -> bool {
    can_be_marked(&wanted.attributes) && !stored.values(&names::PURGING).is_empty()
}

fn addition(attributes: &[Attribute]) -> Vec<Change> {
    let all = attributes.iter().cloned().map(|attribute| modification(ModifyKind::Add, attribute)).collect();
    let mut pieces = pieces::divided(all).into_iter();
    let first = pieces.next().unwrap_or_default();
    let mut first: Vec<_> = first.into_iter().map(|change| change.attribute).collect();
    let mut others: Vec<_> = pieces.collect();
    if can_be_marked(attributes)
        && let Some(last) = others.last_mut()
    {
        first.push(Attribute::new(names::PURGING, ["TRUE"]));
        last.push(modification(ModifyKind::Replace, Attribute { name: names::PURGING, values: Vec::new() }));
    }
    std::iter::once(Change::Add(first)).chain(others.into_iter().map(Change::Modify)).collect()
}

/// Whether the attributes are those of a mailing list that is not being removed.
fn can_be_marked(attributes: &[Attribute]) -> bool {
    let has = |name, wanted: &str| {
        let named = attributes.iter().filter(|attribute| attribute.name == name);
        named.flat_map(|a| &a.values).any(|value| value.as_bytes().eq_ignore_ascii_case(wanted.as_bytes()))
    };
    has(names::OBJECT_CLASS, names::MAIL_LIST_CLASS) && !has(names::PURGING, "TRUE")
}

fn modification(kind: ModifyKind, attribute: Attribute) -> Modification {
    Modification { kind, attribute }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subschema::Subschema;
    use jiff::Timestamp;
    use ldap_text::dn::Dn;
    use mail_model::tree::Tree;

    const LIST: &str = "mail=l@x.ru,ou=t,ou=Groups,dc=x";

    fn rules() -> Rules {
        let root = Dn::parse("dc=x").unwrap();
        Rules::new(Tree::new(root), Subschema::default(), &[], Timestamp::UNIX_EPOCH)
    }

    fn list(class: &str, members: std::ops::Range<usize>) -> Entry {
        let class = Attribute::new(names::OBJECT_CLASS, ["top", class]);
        let members = members.map(|number| format!("mail=u{number},dc=x"));
        let attributes = vec![class, Attribute::new(names::MEMBER, members)];
        Entry { dn: Dn::parse(LIST).unwrap(), attributes }
    }

    fn applied(pieces: Pieces) -> Entry {
        let Change::Add(attributes) = pieces.first.change else { panic!("no addition") };
        let mut entry = Entry { dn: pieces.first.dn, attributes };
        pieces.others.iter().for_each(|piece| apply(&mut entry, piece));
        entry
    }

    fn apply(entry: &mut Entry, record: &ChangeRecord) {
        let Change::Modify(modifications) = &record.change else { panic!("no modify") };
        for Modification { kind, attribute } in modifications {
            let mut values = entry.values(&attribute.name).to_vec();
            match kind {
                ModifyKind::Add => values.extend(attribute.values.clone()),
                ModifyKind::Delete => values.retain(|value| !attribute.values.contains(value)),
                ModifyKind::Replace => values.clone_from(&attribute.values),
            }
            entry.attributes.retain(|known| known.name != attribute.name);
            if !values.is_empty() {
                entry.attributes.push(Attribute { name: attribute.name.clone(), values });
            }
        }
    }

    fn addition_of(entry: &Entry) -> ChangeRecord {
        ChangeRecord { dn: entry.dn.clone(), change: Change::Add(entry.attributes.clone()) }
    }

    #[test]
    fn a_large_list_is_hidden_until_it_is_complete() {
        let wanted = list(names::MAIL_LIST_CLASS, 0..12_000);
        let pieces = rules().pieces(&addition_of(&wanted), None).unwrap();
        assert_eq!(pieces.others.len(), 3);
        let Change::Add(first) = &pieces.first.change else { panic!("no addition") };
        let begun = Entry { dn: wanted.dn.clone(), attributes: first.clone() };
        assert!(is_marked(&wanted, &begun) && is_large(&wanted));
        assert_eq!(begun.values(&names::MEMBER).len(), 1, "a class may require a member");
        assert_eq!(applied(pieces), wanted);
    }

    #[test]
    fn a_group_of_another_program_has_no_mark() {
        let wanted = list("groupOfNames", 0..6000);
        let pieces = rules().pieces(&addition_of(&wanted), None).unwrap();
        assert!(!pieces.first.to_string().contains("pbmPurging"));
        assert_eq!(applied(pieces), wanted);
        assert!(rules().pieces(&addition_of(&list("groupOfNames", 0..4000)), None).is_none());
    }

    #[test]
    fn a_large_replacement_adds_and_removes_only_what_differs_and_the_mark_ends_last() {
        let (wanted, mut stored) =
            (list(names::MAIL_LIST_CLASS, 0..7000), list(names::MAIL_LIST_CLASS, 6000..7100));
        stored.attributes.push(Attribute::new(names::PURGING, ["TRUE"]));
        let end = Attribute { name: names::PURGING, values: Vec::new() };
        let replacements = [end, wanted.attributes[1].clone()].map(|a| modification(ModifyKind::Replace, a));
        let record = ChangeRecord { dn: wanted.dn.clone(), change: Change::Modify(replacements.into()) };
        let pieces = rules().pieces(&record, Some(&stored)).unwrap();
        let all = [vec![pieces.first], pieces.others].concat();
        let last = all.last().unwrap().clone();
        for piece in &all[..all.len() - 1] {
            apply(&mut stored, piece);
            assert!(is_marked(&wanted, &stored));
        }
        apply(&mut stored, &last);
        let sorted = |entry: &Entry| {
            let mut members: Vec<_> =
                entry.values(&names::MEMBER).iter().map(|v| v.as_bytes().to_vec()).collect();
            members.sort_unstable();
            members
        };
        assert_eq!(sorted(&stored), sorted(&wanted));
        assert!(!is_marked(&wanted, &stored));
    }
}
