//! An ordered list of slots, maintained while entries come and go. It is divided into lists of bounded length: an
//! insertion into one single list would move megabytes.

use std::cmp::Ordering;

/// The greatest length of a list: an insertion moves at most 4 kB.
const MOST: usize = 1024;
/// The length of a new list, which leaves room for insertions before it has to be split.
const FILLED: usize = 960;

/// Slots in an order. The caller supplies the comparison, which must always be the same.
#[derive(Default)]
pub(super) struct Order {
    /// None of them is empty.
    lists: Vec<Vec<u32>>,
}

/// A place in an order.
#[derive(Clone, Copy)]
pub(super) struct OrderPosition {
    list: usize,
    within: usize,
}

impl Order {
    /// Creates an order from slots that are already sorted.
    pub(super) fn of_sorted(slots: &[u32]) -> Self {
        Self { lists: slots.chunks(FILLED).map(list_of).collect() }
    }

    /// The number of slots.
    pub(super) fn len(&self) -> usize {
        self.lists.iter().map(Vec::len).sum()
    }

    /// Inserts a slot; `compare` compares another slot with it.
    pub(super) fn insert(&mut self, slot: u32, compare: impl Fn(u32) -> Ordering) {
        let OrderPosition { list, within } = self.seek(compare);
        // A slot greater than all others goes to the end of the last list.
        let (list, within) = match self.lists.last() {
            None => {
                self.lists.push(list_of(&[]));
                (0, 0)
            }
            Some(last) if list == self.lists.len() => (list - 1, last.len()),
            Some(_) => (list, within),
        };
        let Some(slots) = self.lists.get_mut(list) else { return };
        slots.insert(within, slot);
        if slots.len() == MOST {
            let half = list_of(slots.get(MOST / 2..).unwrap_or_default());
            slots.truncate(MOST / 2);
            self.lists.insert(list + 1, half);
        }
    }

    /// Removes a slot; `compare` compares another slot with it.
    pub(super) fn remove(&mut self, slot: u32, compare: impl Fn(u32) -> Ordering) {
        let OrderPosition { list, within } = self.seek(compare);
        let Some(slots) = self.lists.get_mut(list) else { return };
        if slots.get(within) == Some(&slot) {
            slots.remove(within);
        }
        if slots.is_empty() {
            self.lists.remove(list);
        }
    }

    /// The position of the first slot that is not less than a value; `compare` compares a slot with the value.
    pub(super) fn seek(&self, compare: impl Fn(u32) -> Ordering) -> OrderPosition {
        let is_less = |slot: &u32| compare(*slot) == Ordering::Less;
        let list = self.lists.partition_point(|slots| slots.last().is_some_and(is_less));
        let within = self.lists.get(list).map_or(0, |slots| slots.partition_point(is_less));
        OrderPosition { list, within }
    }

    /// The slots from a position on.
    pub(super) fn from(&self, place: OrderPosition) -> impl Iterator<Item = u32> {
        let lists = self.lists.get(place.list..).unwrap_or_default();
        lists.iter().flatten().copied().skip(place.within)
    }

    /// All slots in ascending order.
    pub(super) fn ascending(&self) -> impl Iterator<Item = u32> {
        self.lists.iter().flatten().copied()
    }

    /// All slots in descending order.
    pub(super) fn descending(&self) -> impl Iterator<Item = u32> {
        self.lists.iter().rev().flat_map(|slots| slots.iter().rev()).copied()
    }

    /// A page of slots after an offset, ascending or descending. Whole lists before the offset are skipped.
    pub(super) fn page(&self, mut offset: usize, limit: usize, descending: bool) -> Vec<u32> {
        let mut passed = |slots: &&Vec<u32>| {
            let is_passed = slots.len() <= offset;
            if is_passed {
                offset -= slots.len();
            }
            is_passed
        };
        if descending {
            let passed = self.lists.iter().rev().take_while(&mut passed).count();
            let lists = self.lists.iter().rev().skip(passed);
            lists.flat_map(|slots| slots.iter().rev()).copied().skip(offset).take(limit).collect()
        } else {
            let passed = self.lists.iter().take_while(&mut passed).count();
            self.lists.iter().skip(passed).flatten().copied().skip(offset).take(limit).collect()
        }
    }
}

fn list_of(slots: &[u32]) -> Vec<u32> {
    let mut list = Vec::with_capacity(MOST);
    list.extend_from_slice(slots);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(order: &Order, expected: &[u32]) {
        assert_eq!(order.len(), expected.len());
        assert_eq!(order.ascending().collect::<Vec<_>>(), expected);
        assert!(order.descending().eq(expected.iter().rev().copied()));
        for offset in [0, 1, 959, 960, 961, 1500, 5000] {
            let page: Vec<_> = expected.iter().copied().skip(offset).take(3).collect();
            assert_eq!(order.page(offset, 3, false), page, "{offset}");
            let page: Vec<_> = expected.iter().rev().copied().skip(offset).take(3).collect();
            assert_eq!(order.page(offset, 3, true), page, "{offset} turned round");
        }
    }

    #[test]
    fn slots_are_put_in_and_taken_out() {
        let even: Vec<_> = (0..4000).map(|n| n * 2).collect();
        let mut order = Order::of_sorted(&even);
        check(&order, &even);
        for odd in (0..4000).rev().map(|n| n * 2 + 1) {
            order.insert(odd, |other| other.cmp(&odd));
        }
        check(&order, &(0..8000).collect::<Vec<_>>());
        let from: Vec<_> = order.from(order.seek(|slot| slot.cmp(&7990))).collect();
        assert_eq!(from, (7990..8000).collect::<Vec<_>>());
        for slot in 10..8000 {
            order.remove(slot, |other| other.cmp(&slot));
            order.remove(slot, |other| other.cmp(&slot));
        }
        check(&order, &(0..10).collect::<Vec<_>>());
    }

    #[test]
    fn an_empty_order_has_no_pages() {
        let mut order = Order::default();
        check(&order, &[]);
        order.insert(3, |other| other.cmp(&3));
        check(&order, &[3]);
        order.remove(3, |other| other.cmp(&3));
        check(&order, &[]);
    }
}
