//! Groups within groups. A list stays a member of a list; a group that is no list is replaced by its members. Lists that
//! contain each other in a circle are legal in a directory and not in mail, so one membership of each circle is left out.

use std::collections::{BTreeSet, HashSet};

/// The numbers of groups and people, in the order in which they were read.
pub(super) type Number = u32;

/// A group, with its own members.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Whether it becomes a list.
    pub(super) is_list: bool,
    /// The groups that are its members.
    pub(super) groups: Vec<Number>,
    /// The people who are its members.
    pub(super) people: Vec<Number>,
    /// How many members are neither.
    pub(super) unknown: usize,
}

/// The members of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Membership {
    /// The people.
    pub(super) people: BTreeSet<Number>,
    /// The lists.
    pub(super) lists: BTreeSet<Number>,
    /// How many members have no address.
    pub(super) unknown: usize,
    /// Whether it is a member of itself, by way of groups that are no lists.
    pub(super) contains_itself: bool,
}

/// The groups are nested so often that working them out would take too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// All groups.
#[derive(Debug)]
pub(super) struct Nesting {
    nodes: Vec<Node>,
    /// How many memberships may still be looked at.
    budget: usize,
}

impl Nesting {
    /// Groups, of whose memberships a number is looked at in all.
    pub(super) const fn new(nodes: Vec<Node>, budget: usize) -> Self {
        Self { nodes, budget }
    }

    /// The members of a list: its own, and those of the groups in it that are no lists.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(super) fn members(&mut self, list: Number) -> Result<Membership, TooLarge> {
        let mut membership = Membership::default();
        let (mut open, mut seen) = (vec![list], HashSet::from([list]));
        while let Some(node) = open.pop().and_then(|group| node(&self.nodes, group)) {
            let size = node.groups.len() + node.people.len() + 1;
            self.budget = self.budget.checked_sub(size).ok_or(TooLarge)?;
            membership.people.extend(&node.people);
            membership.unknown = membership.unknown.saturating_add(node.unknown);
            for group in &node.groups {
                if *group == list {
                    membership.contains_itself = true;
                } else if self.nodes.get(index(*group)).is_some_and(|node| node.is_list) {
                    membership.lists.insert(*group);
                } else if seen.insert(*group) {
                    open.push(*group);
                }
            }
        }
        Ok(membership)
    }

    /// The memberships of lists in lists that close a circle: the list, and the one that is left out of it. They are the
    /// same in each run as long as the groups are.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(super) fn circles(&mut self) -> Result<BTreeSet<(Number, Number)>, TooLarge> {
        let mut lists = Vec::with_capacity(self.nodes.len());
        for number in (0..).take(self.nodes.len()) {
            let is_list =
                node(&self.nodes, number).is_some_and(|node| node.is_list && !node.groups.is_empty());
            let inner = if is_list { self.members(number)?.lists } else { BTreeSet::new() };
            lists.push(inner.into_iter().collect());
        }
        Ok(closing(&lists))
    }
}

fn node(nodes: &[Node], number: Number) -> Option<&Node> {
    nodes.get(index(number))
}

fn index(number: Number) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// What a walk through the lists knows of one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    /// The walk is below it.
    Open,
    Done,
}

/// The edges that lead back to where a walk in depth came from.
fn closing(lists: &[Vec<Number>]) -> BTreeSet<(Number, Number)> {
    let (mut marks, mut closing) = (vec![Mark::New; lists.len()], BTreeSet::new());
    for start in (0..).take(lists.len()) {
        let mut path = Vec::new();
        enter(start, &mut marks, &mut path);
        while let Some((at, next)) = path.last_mut() {
            let (at, child) = (*at, lists.get(index(*at)).and_then(|inner| inner.get(*next)).copied());
            *next += 1;
            match child {
                None => {
                    path.pop();
                    set(&mut marks, at, Mark::Done);
                }
                Some(child) if marks.get(index(child)) == Some(&Mark::Open) => {
                    closing.insert((at, child));
                }
                Some(child) => enter(child, &mut marks, &mut path),
            }
        }
    }
    closing
}

/// Begins with a list, unless the walk was there.
fn enter(list: Number, marks: &mut [Mark], path: &mut Vec<(Number, usize)>) {
    if marks.get(index(list)) == Some(&Mark::New) {
        set(marks, list, Mark::Open);
        path.push((list, 0));
    }
}

fn set(marks: &mut [Mark], list: Number, mark: Mark) {
    if let Some(own) = marks.get_mut(index(list)) {
        *own = mark;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(groups: &[Number], people: &[Number]) -> Node {
        Node { is_list: true, groups: groups.to_vec(), people: people.to_vec(), unknown: 0 }
    }

    fn group(groups: &[Number], people: &[Number]) -> Node {
        Node { is_list: false, unknown: 1, ..list(groups, people) }
    }

    fn nesting(nodes: Vec<Node>) -> Nesting {
        Nesting::new(nodes, 1_000_000)
    }

    #[test]
    fn a_group_without_an_address_is_replaced_by_its_members() {
        let nodes = vec![list(&[1, 3], &[7]), group(&[2, 3], &[7, 8]), group(&[1], &[9]), list(&[], &[10])];
        let members = nesting(nodes).members(0).unwrap();
        let expected =
            Membership { people: [7, 8, 9].into(), lists: [3].into(), unknown: 2, contains_itself: false };
        assert_eq!(members, expected);
    }

    #[test]
    fn a_circle_of_lists_is_cut_once() {
        let mut nesting = nesting(vec![list(&[1], &[]), list(&[2], &[]), list(&[0, 3], &[]), list(&[], &[])]);
        assert_eq!(nesting.circles().unwrap(), [(2, 0)].into());
    }

    #[test]
    fn a_circle_through_a_group_without_an_address_is_seen() {
        let mut through =
            nesting(vec![list(&[1], &[]), group(&[2], &[]), list(&[3], &[]), group(&[0], &[5])]);
        assert_eq!(through.circles().unwrap(), [(2, 0)].into());
        let mut alone = nesting(vec![list(&[1], &[]), group(&[0], &[5])]);
        assert!(alone.circles().unwrap().is_empty());
        let members = alone.members(0).unwrap();
        assert!(members.contains_itself && members.people == [5].into());
    }

    #[test]
    fn the_work_has_a_limit() {
        let nodes = vec![list(&[1], &[]), group(&[], &[1, 2, 3])];
        assert_eq!(Nesting::new(nodes.clone(), 5).members(0), Err(TooLarge));
        assert!(Nesting::new(nodes, 6).members(0).is_ok());
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let lists: Vec<_> = (0..100_000).map(|number| vec![(number + 1) % 100_000]).collect();
        assert_eq!(closing(&lists), [(99_999, 0)].into());
    }

    proptest! {
        #[test]
        fn what_is_left_has_no_circle(edges in proptest::collection::vec((0..8u32, 0..8u32), 0..30)) {
            let mut lists = vec![Vec::new(); 8];
            for (from, to) in edges.iter().filter(|(from, to)| from != to) {
                lists[*from as usize].push(*to);
            }
            for (from, to) in closing(&lists) {
                lists[from as usize].retain(|child| *child != to);
            }
            prop_assert!(closing(&lists).is_empty());
        }
    }
}
