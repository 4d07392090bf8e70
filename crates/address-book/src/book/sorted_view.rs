//! Views: the entries that are listed together, in the orders of their lists.

use super::{
    entries::{Entries, Entry, Key},
    order::Order,
    text::Span,
};
use fixedbitset::FixedBitSet;
use hashbrown::HashMap;
use mail_model::contact::view::View;
use std::cmp::Ordering;

/// The contents of a sorted view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// The contacts of a view.
    Contacts(View),
    /// The users, including blocked ones.
    Users,
}

impl Label {
    pub(super) const ALL: [Self; 4] = [
        Self::Contacts(View::All),
        Self::Contacts(View::Colleagues),
        Self::Contacts(View::Suggestions),
        Self::Users,
    ];

    /// Whether an entry belongs to the view.
    pub(super) fn has(self, entry: &Entry) -> bool {
        match self {
            Self::Contacts(view) => entry.visibility.is_in(view),
            Self::Users => entry.is_user(),
        }
    }

    /// The part of the text that a search in the view reads.
    pub(super) const fn searched(self, entry: &Entry) -> Span {
        match self {
            Self::Contacts(_) => entry.outline.searched(),
            Self::Users => entry.outline.user_searched(),
        }
    }

    /// The JSON of an entry in this view.
    pub(super) fn json(self, entry: &Entry) -> &[u8] {
        match self {
            Self::Contacts(_) => entry.contact_shown(),
            Self::Users => entry.user_shown(),
        }
    }

    const fn keys(self) -> [Key; 3] {
        match self {
            Self::Contacts(_) => [Key::ShownName, Key::Mail, Key::LastName],
            Self::Users => [Key::UserMail, Key::UserFirstName, Key::UserLastName],
        }
    }
}

/// A sorted view.
pub(super) struct SortedView {
    label: Label,
    members: FixedBitSet,
    orders: [(Key, Order); 3],
}

impl SortedView {
    /// An empty sorted view.
    pub(super) fn new(label: Label) -> Self {
        let orders = label.keys().map(|key| (key, Order::default()));
        Self { label, members: FixedBitSet::new(), orders }
    }

    /// A sorted view of all entries that belong to it.
    pub(super) fn of(label: Label, entries: &Entries, sorted: &Sorted) -> Self {
        let is_member = |slot: &u32| entries.get(*slot).is_some_and(|entry| label.has(entry));
        let mut members = FixedBitSet::with_capacity(entries.slot_count());
        entries
            .iter()
            .filter(|(_, entry)| label.has(entry))
            .for_each(|(slot, _)| members.insert(slot as usize));
        let orders = label.keys().map(|key| {
            let slots: Vec<_> = sorted.by(key).iter().copied().filter(is_member).collect();
            (key, Order::of_sorted(&slots))
        });
        Self { label, members, orders }
    }

    /// The contents of the view.
    pub(super) const fn label(&self) -> Label {
        self.label
    }

    /// The slots of the entries.
    pub(super) const fn members(&self) -> &FixedBitSet {
        &self.members
    }

    /// The entries in an order. Views of contacts have the orders of contacts, the view of users has those of users.
    pub(super) fn by(&self, key: Key) -> Option<&Order> {
        self.orders.iter().find(|(by, _)| *by == key).map(|(_, order)| order)
    }

    /// Removes the entry in a slot, unless the new entry has the same position.
    pub(super) fn remove(&mut self, slot: u32, entries: &Entries, old: &Entry, new: Option<&Entry>) {
        if !self.label.has(old) {
            return;
        }
        for (key, order) in &mut self.orders {
            if !stays(self.label, *key, entries, Some(old), new) {
                let standing = entries.standing(*key, slot);
                order.remove(slot, |other| entries.standing(*key, other).cmp(&standing));
            }
        }
        if !new.is_some_and(|new| self.label.has(new)) {
            self.members.set(slot as usize, false);
        }
    }

    /// Inserts the entry in a slot, unless the old entry had the same position.
    pub(super) fn insert(&mut self, slot: u32, entries: &Entries, old: Option<&Entry>, new: &Entry) {
        if !self.label.has(new) {
            return;
        }
        for (key, order) in &mut self.orders {
            if !stays(self.label, *key, entries, old, Some(new)) {
                let standing = entries.standing(*key, slot);
                order.insert(slot, |other| entries.standing(*key, other).cmp(&standing));
            }
        }
        self.members.grow_and_insert(slot as usize);
    }
}

fn stays(label: Label, key: Key, entries: &Entries, old: Option<&Entry>, new: Option<&Entry>) -> bool {
    old.zip(new).is_some_and(|(old, new)| {
        label.has(old) && label.has(new) && entries.key(key, old) == entries.key(key, new)
    })
}

/// All slots in every order.
pub(super) struct Sorted([(Key, Vec<u32>); 6]);

impl Sorted {
    /// Sorts all entries of a book without free slots.
    pub(super) fn of(entries: &Entries) -> Self {
        let mut by_address: Vec<_> = entries
            .iter()
            .map(|(slot, entry)| {
                let (_, address) = entries.key(Key::Mail, entry);
                (beginning(address), address, entry.id, slot)
            })
            .collect();
        by_address.sort_unstable();
        let by_address: Vec<_> = by_address.into_iter().map(|(.., slot)| slot).collect();
        Self(Key::ALL.map(|key| (key, sorted(entries, key, &by_address))))
    }

    fn by(&self, key: Key) -> &[u32] {
        self.0.iter().find(|(by, _)| *by == key).map_or(&[], |(_, slots)| slots)
    }
}

/// Reorders slots that are in order of address. Only the distinct values are sorted: there are far fewer names than
/// people.
fn sorted(entries: &Entries, key: Key, by_address: &[u32]) -> Vec<u32> {
    let values =
        by_address.iter().filter_map(|slot| entries.get(*slot)).map(|entry| entries.key(key, entry).0);
    let mut slots: Vec<((usize, u32), &u32)> = ranks(values).into_iter().zip(0..).zip(by_address).collect();
    slots.sort_unstable();
    slots.into_iter().map(|(_, slot)| *slot).collect()
}

/// The rank of each value among the distinct values.
fn ranks<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let numbered: Vec<usize> = values
        .map(|value| {
            let next = numbers.len();
            *numbers.entry(value).or_insert(next)
        })
        .collect();
    let mut different: Vec<_> =
        numbers.into_iter().map(|(value, number)| (beginning(value), value, number)).collect();
    different.sort_unstable();
    let mut ranks = vec![0; different.len()];
    for (rank, (.., number)) in different.into_iter().enumerate() {
        if let Some(place) = ranks.get_mut(number) {
            *place = rank;
        }
    }
    numbered.into_iter().filter_map(|number| ranks.get(number).copied()).collect()
}

/// The first octets of a text as a number. They decide most comparisons without an access to the text in memory.
fn beginning(text: &[u8]) -> u128 {
    let mut octets = [0; 16];
    octets.iter_mut().zip(text).for_each(|(octet, byte)| *octet = *byte);
    u128::from_be_bytes(octets)
}

/// Compares an entry with values that are not in the book.
pub(super) fn compare_with(entries: &Entries, key: Key, slot: u32, value: (&str, &str)) -> Ordering {
    let value = (value.0.as_bytes(), value.1.as_bytes());
    entries.get(slot).map(|entry| entries.key(key, entry)).cmp(&Some(value))
}
