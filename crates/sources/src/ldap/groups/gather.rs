//! Reading all groups with their members: those that become lists, and those that are only found within them.

use super::{
    group::{self, Group},
    keys::{Key, Keys},
    range::Range,
};
use crate::{
    Passed, Read, SourceError,
    ldap::{
        conflict,
        connection::Session,
        identity, names,
        root::Root,
        search::{self, Search, texts},
        settings::Plan,
    },
};
use ldap_text::{Dn, Filter};
use std::collections::HashMap;
use tokio::sync::mpsc::Sender;

/// Most groups.
const MAX_GROUPS: usize = 100_000;
/// Most values of one `member`.
const MAX_MEMBERS: usize = 1_000_000;
/// Most values of `member` of all groups, of eight bytes each.
const MAX_IN_ALL: usize = 20_000_000;
/// How often the members of a group are read again because they change meanwhile.
const TRIES: u32 = 3;

/// The groups. Those that become lists come in the order of their identifiers, so that the same circles are cut in the
/// same places in every run.
#[derive(Default)]
pub(super) struct Groups {
    all: Vec<Group>,
    by_name: HashMap<Key, u32>,
    members: usize,
}

impl Groups {
    /// Reads the groups, and sends why some that the filter wants are no lists.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) async fn read(
        session: &mut Session,
        root: &Root,
        plan: &Plan,
        base: &Dn,
        keys: &Keys,
        out: &Sender<Read>,
    ) -> Result<Self, SourceError> {
        let mut groups = Self::default();
        let attributes = || texts(group::ATTRIBUTES.iter().chain(&identity::IDENTIFIERS));
        let search = Search::below(session, root, base, plan.groups.and(None), attributes());
        for passed in groups.read_all(search, true, keys).await? {
            out.send(Read::Passed(passed)).await.map_err(|_| SourceError::Ended)?;
        }
        let of_class = |class: &&str| Filter::equal(names::OBJECT_CLASS, *class);
        let any = Filter::any(names::GROUP_CLASSES.iter().map(of_class)).to_string();
        for base in outermost(base, &plan.base) {
            let search = Search::below(session, root, base, any.clone(), attributes());
            groups.read_all(search, false, keys).await?;
        }
        groups.read_rests(session, keys).await?;
        groups.sort();
        Ok(groups)
    }

    /// Reads the groups that a search finds. Returns why some are no lists, although the filter wants them.
    async fn read_all(
        &mut self,
        mut search: Search<'_>,
        is_wanted: bool,
        keys: &Keys,
    ) -> Result<Vec<Passed>, SourceError> {
        let mut passed = Vec::new();
        while let Some(entry) = search.next().await? {
            if let Some(conflict) = conflict::report(entry.dn()) {
                passed.extend(is_wanted.then_some(conflict));
            } else if self.named(keys.of(entry.dn())).is_none() {
                let (group, reason) = Group::of(&entry, is_wanted, keys);
                passed.extend(reason);
                self.add(group)?;
            }
        }
        Ok(passed)
    }

    fn add(&mut self, group: Group) -> Result<(), SourceError> {
        check_size(&group)?;
        self.members += group.members.len();
        if self.all.len() >= MAX_GROUPS || self.members > MAX_IN_ALL {
            return Err(SourceError::Refused(format!(
                "there are more than {MAX_GROUPS} groups, or they have more than {MAX_IN_ALL} members: narrow \
                 groups_dn or base_dn"
            )));
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.by_name.insert(group.key, number);
        self.all.push(group);
        Ok(())
    }

    /// Reads the members that did not come with the groups.
    async fn read_rests(&mut self, session: &mut Session, keys: &Keys) -> Result<(), SourceError> {
        for mut group in std::mem::take(self).all {
            if group.rest_from.is_some() {
                read_rest(session, &mut group, keys).await?;
            }
            self.add(group)?;
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.all.sort_by(|one, other| order(one).cmp(&order(other)));
        self.by_name = self.all.iter().map(|group| group.key).zip(0..).collect();
    }

    /// All groups.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.all.iter()
    }

    /// The group with a number.
    pub(super) fn get(&self, number: u32) -> Option<&Group> {
        self.all.get(usize::try_from(number).ok()?)
    }

    /// The group with a DN.
    pub(super) fn named(&self, key: Key) -> Option<u32> {
        self.by_name.get(&key).copied()
    }
}

/// Lists by their identifiers, then the others.
fn order(group: &Group) -> (bool, Option<&str>, &str) {
    (group.list.is_none(), group.list.as_ref().map(|list| list.id.as_str()), &group.dn)
}

/// The containers without one that is within the other.
fn outermost<'a>(one: &'a Dn, other: &'a Dn) -> Vec<&'a Dn> {
    if one.is_within(other) {
        vec![other]
    } else if other.is_within(one) {
        vec![one]
    } else {
        vec![one, other]
    }
}

fn check_size(group: &Group) -> Result<(), SourceError> {
    if group.members.len() <= MAX_MEMBERS {
        return Ok(());
    }
    Err(SourceError::Refused(format!("the group {} has more than {MAX_MEMBERS} members", group.shown())))
}

/// Reads the rest of the members; from the beginning, if they change meanwhile.
async fn read_rest(session: &mut Session, group: &mut Group, keys: &Keys) -> Result<(), SourceError> {
    for _ in 0..TRIES {
        if read_pieces(session, group, keys).await? {
            return Ok(());
        }
        (group.members, group.rest_from) = (Vec::new(), Some(0));
    }
    let what = group.shown();
    Err(SourceError::Refused(format!("the members of {what} change while they are read: try again")))
}

/// Reads piece by piece; `false` if the server has none where the next one should begin.
async fn read_pieces(session: &mut Session, group: &mut Group, keys: &Keys) -> Result<bool, SourceError> {
    while let Some(first) = group.rest_from {
        session.budget.piece()?;
        let wanted = vec![Range::request(&names::MEMBER, first)];
        let entry = search::one(session, &group.dn, wanted).await?;
        let is_next = |(range, members): &(Range, Vec<Key>)| {
            range.first == first && !(members.is_empty() && range.next.is_some())
        };
        let Some((range, members)) = group::piece(&entry, keys).filter(is_next) else { return Ok(false) };
        group.members.extend(members);
        group.rest_from = range.next;
        check_size(group)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::entry::Entry;

    fn group(dn: &str, id: &str, keys: &Keys) -> Group {
        let attributes: [(&str, &[&str]); 2] = [("entryUUID", &[id]), ("mail", &["g@x.ru"])];
        Group::of(&Entry::new(dn, &attributes), !id.is_empty(), keys).0
    }

    #[test]
    fn lists_come_in_the_order_of_their_identifiers() {
        let (mut groups, keys) = (Groups::default(), Keys::default());
        for (dn, id) in [("cn=a", "3"), ("cn=b", ""), ("cn=c", "1"), ("cn=d", "")] {
            groups.add(group(dn, id, &keys)).unwrap();
        }
        groups.sort();
        assert_eq!(
            groups.iter().map(|group| group.dn.as_str()).collect::<Vec<_>>(),
            ["cn=c", "cn=a", "cn=b", "cn=d"]
        );
        assert_eq!(groups.named(keys.of("cn=A")), Some(1));
    }

    #[test]
    fn a_container_within_the_other_is_not_read_twice() {
        let dn = |text| Dn::parse(text).unwrap();
        let (all, some, other) = (dn("dc=x"), dn("ou=a,dc=x"), dn("ou=b,dc=x"));
        assert_eq!(outermost(&all, &some), [&all]);
        assert_eq!(outermost(&some, &all), [&all]);
        assert_eq!(outermost(&some, &other), [&some, &other]);
    }
}
