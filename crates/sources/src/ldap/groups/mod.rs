//! Reading groups: first the addresses of people, then all groups, whose members are then looked up among both.

mod addresses;
mod gather;
mod group;
mod keys;
mod nesting;
mod range;

use super::{connection::Session, root::Root, settings::Plan};
use crate::{Passed, Read, SourceError};
use addresses::People;
use gather::Groups;
use group::Group;
use keys::Keys;
use ldap_text::Dn;
use mail_model::address::MailAddress;
use nesting::{Membership, Nesting, Node, Number, TooLarge};
use std::collections::{BTreeSet, HashSet};
use tokio::sync::mpsc::Sender;

/// Most members of a list. A list of so many is a mistake in the source, or an attack.
const MAX_MEMBERS: usize = 1_000_000;
/// Most memberships that are looked at, counting a group again for each list that it is replaced in. A directory of
/// 100,000 people who are each in a hundred groups has 10 million.
const MAX_LOOKED_AT: usize = 100_000_000;

/// Reads the groups, and sends each that is a list.
///
/// # Errors
/// [`SourceError`]; what was sent is then not all.
pub(super) async fn read(
    session: &mut Session,
    root: &Root,
    plan: &Plan,
    base: &Dn,
    out: &Sender<Read>,
) -> Result<(), SourceError> {
    let keys = Keys::default();
    let people = People::read(session, root, plan, &keys).await?;
    let groups = Groups::read(session, root, plan, base, &keys, out).await?;
    let mut primary = HashSet::new();
    let nodes = groups.iter().map(|group| node(group, &people, &groups, &mut primary)).collect();
    let mut nesting = Nesting::new(nodes, MAX_LOOKED_AT);
    let circles = nesting.circles().map_err(too_large)?;
    for (number, group) in (0..).zip(groups.iter()) {
        if group.list.is_some() {
            let members = nesting.members(number).map_err(too_large)?;
            let shown = Shown { number, group, people: &people, groups: &groups };
            for read in shown.reads(&members, &circles) {
                out.send(read).await.map_err(|_| SourceError::Ended)?;
            }
        }
    }
    Ok(())
}

fn too_large(_: TooLarge) -> SourceError {
    SourceError::Refused(format!(
        "the groups have more than {MAX_LOOKED_AT} memberships, counting those of groups in groups each time: narrow \
         groups_dn or base_dn"
    ))
}

/// A group with its members sorted by what they are. Identifiers of primary groups are unique within a domain, so only the
/// first group with one has the people of it.
fn node(group: &Group, people: &People, groups: &Groups, primary: &mut HashSet<u32>) -> Node {
    let mut node = Node { is_list: group.list.is_some(), ..Node::default() };
    for member in &group.members {
        match (groups.named(*member), people.named(*member)) {
            (Some(inner), _) => node.groups.push(inner),
            (None, Some(person)) => node.people.push(person),
            (None, None) => node.unknown += 1,
        }
    }
    if let Some(id) = group.relative_id.filter(|id| primary.insert(*id)) {
        node.people.extend(people.of_primary_group(id));
    }
    node
}

/// A list with all that is needed to send it.
struct Shown<'a> {
    number: Number,
    group: &'a Group,
    people: &'a People,
    groups: &'a Groups,
}

impl Shown<'_> {
    /// The list, and what was left out of it.
    fn reads(&self, members: &Membership, circles: &BTreeSet<(Number, Number)>) -> Vec<Read> {
        let Some(list) = &self.group.list else { return Vec::new() };
        if members.people.len() + members.lists.len() > MAX_MEMBERS {
            let why = format!("the group has more than {MAX_MEMBERS} members");
            return vec![Read::Passed(Passed {
                what: self.group.shown(),
                why,
                keeps: Some(list.id.clone()),
            })];
        }
        let (cut, kept): (Vec<Number>, Vec<Number>) =
            members.lists.iter().partition(|inner| circles.contains(&(self.number, **inner)));
        let mut reads = vec![Read::List(list.with_members(self.addresses(members, &kept)))];
        reads.extend(cut.iter().filter_map(|inner| self.groups.get(*inner)).map(|inner| {
            self.passed(format!("{} contains it, so that one is not made its member", inner.shown()))
        }));
        if members.contains_itself {
            reads.push(
                self.passed("it is a member of itself by way of other groups; that is left out".to_owned()),
            );
        }
        if members.unknown > 0 {
            reads.push(self.passed(format!(
                "{} of its members have no address below the container of people: they are disabled, without an \
                 address, or of another place",
                members.unknown
            )));
        }
        reads
    }

    fn addresses(&self, members: &Membership, lists: &[Number]) -> Vec<MailAddress> {
        let people = members.people.iter().filter_map(|person| self.people.address(*person));
        let lists = lists.iter().filter_map(|list| Some(&self.groups.get(*list)?.list.as_ref()?.mail));
        let own = self.group.list.as_ref().map(|list| &list.mail);
        let unique: BTreeSet<_> = people.chain(lists).filter(|address| Some(*address) != own).collect();
        unique.into_iter().cloned().collect()
    }

    fn passed(&self, why: String) -> Read {
        Read::Passed(Passed { what: self.group.shown(), why, keeps: None })
    }
}
