//! Views: the entries that are listed together, in the orders of their lists.

use super::{
    entries::{Entries, Entry, Form, Key},
    order::Order,
    text::Part,
};
use fixedbitset::FixedBitSet;
use hashbrown::{DefaultHashBuilder, HashTable};
use mail_model::contact::view::View;
use std::{cmp::Ordering, hash::BuildHasher};

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
            Self::Users => entry.is_user,
        }
    }

    /// The part of the text that a search in the view reads.
    pub(super) const fn searched(self) -> Part {
        match self {
            Self::Contacts(_) => Part::Searched,
            Self::Users => Part::UserSearched,
        }
    }

    /// How the view shows an entry.
    pub(super) const fn form(self) -> Form {
        match self {
            Self::Contacts(_) => Form::Contact,
            Self::Users => Form::User,
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

    /// Adds all entries of a book to a new view.
    pub(super) fn fill(&mut self, entries: &Entries) {
        self.members.grow(entries.slot_count());
        for (slot, _) in entries.iter().filter(|(_, entry)| self.label.has(entry)) {
            self.members.insert(slot as usize);
        }
    }

    /// Sets an order, if the view has it, from all slots of a book in that order.
    pub(super) fn set_order(&mut self, key: Key, slots: &[u32]) {
        let Self { members, orders, .. } = self;
        if let Some((_, order)) = orders.iter_mut().find(|(by, _)| *by == key) {
            let slots: Vec<_> =
                slots.iter().copied().filter(|slot| members.contains(*slot as usize)).collect();
            *order = Order::of_sorted(&slots);
        }
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

/// All slots of a book, in order of address.
pub(super) struct ByAddress(Vec<u32>);

impl ByAddress {
    /// Sorts all entries of a book without free slots.
    pub(super) fn of(entries: &Entries) -> Self {
        let address =
            |slot: u32| entries.get(slot).map(|entry| (entries.part(entry, Part::Address), entry.id));
        let mut slots: Vec<_> = entries
            .iter()
            .map(|(slot, entry)| (Beginning::of(entries.part(entry, Part::Address)), slot))
            .collect();
        slots.sort_unstable_by(|(beginning, slot), (other_beginning, other)| {
            beginning.cmp(other_beginning).then_with(|| address(*slot).cmp(&address(*other)))
        });
        Self(slots.into_iter().map(|(_, slot)| slot).collect())
    }

    /// The slots in another order. Only the distinct values are sorted: there are far fewer names than people.
    pub(super) fn sorted_by(&self, key: Key, entries: &Entries) -> Vec<u32> {
        let value = |slot: u32| entries.get(slot).map(|entry| entries.key(key, entry).0).unwrap_or_default();
        match key {
            Key::UserMail => self.0.clone(),
            Key::Mail => {
                // Folding changes few addresses, and a sorted list is sorted fast.
                let mut slots = self.0.clone();
                slots.sort_by(|one, other| value(*one).cmp(value(*other)));
                slots
            }
            _ => {
                let ranks = ranks(&self.0, value).into_iter();
                let mut slots: Vec<(u32, u32)> = ranks.zip(0..).collect();
                slots.sort_unstable();
                let slot = |(_, place): (u32, u32)| self.0.get(place as usize).copied();
                slots.into_iter().filter_map(slot).collect()
            }
        }
    }
}

/// The rank of the value of each slot among the distinct values.
fn ranks<'a>(slots: &[u32], value: impl Fn(u32) -> &'a [u8]) -> Vec<u32> {
    let mut distinct = Distinct::default();
    let numbered: Vec<u32> = slots.iter().map(|slot| distinct.number(*slot, &value)).collect();
    let ranks = distinct.ranks(&value);
    numbered.into_iter().filter_map(|number| ranks.get(number as usize).copied()).collect()
}

/// Distinct values, numbered as they come.
#[derive(Default)]
struct Distinct {
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// By number, each with the first slot that has the value.
    values: Vec<(Beginning, u32)>,
}

impl Distinct {
    /// The number of the value of a slot.
    fn number<'a>(&mut self, slot: u32, value: &impl Fn(u32) -> &'a [u8]) -> u32 {
        let Self { numbers, hasher, values } = self;
        let of_number = |number: &u32| values.get(*number as usize).map_or(&[][..], |(_, slot)| value(*slot));
        let text = value(slot);
        let hash = hasher.hash_one(text);
        if let Some(number) = numbers.find(hash, |number| of_number(number) == text) {
            return *number;
        }
        let number = u32::try_from(values.len()).unwrap_or(u32::MAX);
        numbers.insert_unique(hash, number, |number| hasher.hash_one(of_number(number)));
        values.push((Beginning::of(text), slot));
        number
    }

    /// The rank of each value, by number.
    fn ranks<'a>(self, value: &impl Fn(u32) -> &'a [u8]) -> Vec<u32> {
        let mut ranks = vec![0; self.values.len()];
        let mut sorted: Vec<_> = self.values.into_iter().zip(0_usize..).collect();
        sorted.sort_unstable_by(|((beginning, slot), _), ((other_beginning, other), _)| {
            beginning.cmp(other_beginning).then_with(|| value(*slot).cmp(value(*other)))
        });
        for (rank, (_, number)) in (0..).zip(sorted) {
            if let Some(place) = ranks.get_mut(number) {
                *place = rank;
            }
        }
        ranks
    }
}

/// The first bytes of a text. They decide most comparisons without an access to the text in memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Beginning([u64; 2]);

impl Beginning {
    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(text).for_each(|(place, byte)| *place = *byte);
        let [first, second] = [0, 1]
            .map(|half| bytes.iter().skip(half * 8).take(8).fold(0, |n, byte| n << 8 | u64::from(*byte)));
        Self([first, second])
    }
}

/// Compares an entry with values that are not in the book.
pub(super) fn compare_with(entries: &Entries, key: Key, slot: u32, value: (&str, &str)) -> Ordering {
    let value = (value.0.as_bytes(), value.1.as_bytes());
    entries.get(slot).map(|entry| entries.key(key, entry)).cmp(&Some(value))
}
