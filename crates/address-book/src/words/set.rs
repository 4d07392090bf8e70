//! Sets of slots with a compact form for small sets.

use fixedbitset::FixedBitSet;

/// A list takes 32 bits per member, a bit set one bit for each slot of the book. Bit sets are united much faster than
/// lists, so they may take twice as much memory.
const DENSE_SHARE: usize = 64;
/// Shorter lists are never converted.
const ALWAYS_LIST: usize = 64;

/// A set of slots that is not empty. Most words of a book occur in one entry; some occur in all.
pub(super) enum SlotSet {
    /// One slot.
    One(u32),
    /// Several slots.
    List(Box<List>),
    /// Many slots. The form does not change until the set is empty.
    Dense(Box<Dense>),
}

/// Slots in ascending order.
pub(super) struct List(Vec<u32>);

/// A bit set and the number of set bits.
pub(super) struct Dense {
    bits: FixedBitSet,
    count: usize,
}

impl SlotSet {
    /// A set of slots in ascending order without duplicates, of a book with `of` slots; `None` if there are no slots.
    pub(super) fn of_sorted(slots: &[u32], of: usize) -> Option<Self> {
        match slots {
            [] => None,
            [slot] => Some(Self::One(*slot)),
            slots if is_dense(slots.len(), of) => Some(Self::dense(slots, of)),
            slots => Some(Self::list(slots)),
        }
    }

    fn list(slots: &[u32]) -> Self {
        Self::List(Box::new(List(slots.to_vec())))
    }

    fn dense(slots: &[u32], of: usize) -> Self {
        let mut bits = FixedBitSet::with_capacity(of);
        for slot in slots {
            bits.grow_and_insert(*slot as usize);
        }
        Self::Dense(Box::new(Dense { bits, count: slots.len() }))
    }

    /// Adds a slot of a book with `of` slots.
    pub(super) fn insert(&mut self, slot: u32, of: usize) {
        match self {
            Self::One(one) if *one == slot => {}
            Self::One(one) => *self = Self::list(&[slot.min(*one), slot.max(*one)]),
            Self::List(list) => {
                let List(list) = list.as_mut();
                let Err(place) = list.binary_search(&slot) else { return };
                list.insert(place, slot);
                if is_dense(list.len(), of) {
                    *self = Self::dense(list, of);
                }
            }
            Self::Dense(dense) => {
                if !dense.bits.contains(slot as usize) {
                    dense.bits.grow_and_insert(slot as usize);
                    dense.count += 1;
                }
            }
        }
    }

    /// Removes a slot. Returns whether the set is empty now.
    #[must_use]
    pub(super) fn remove(&mut self, slot: u32) -> bool {
        match self {
            Self::One(one) => *one == slot,
            Self::List(list) => {
                let List(list) = list.as_mut();
                if let Ok(place) = list.binary_search(&slot) {
                    list.remove(place);
                }
                list.is_empty()
            }
            Self::Dense(dense) => {
                if dense.bits.contains(slot as usize) {
                    dense.bits.set(slot as usize, false);
                    dense.count -= 1;
                }
                dense.count == 0
            }
        }
    }

    /// Adds all slots to a bit set. The bit set must be large enough.
    pub(super) fn add_to(&self, bits: &mut FixedBitSet) {
        match self {
            Self::One(slot) => bits.grow_and_insert(*slot as usize),
            Self::List(list) => {
                let List(list) = list.as_ref();
                // One growth is enough, because the slots are in ascending order.
                list.last().into_iter().for_each(|last| bits.grow_and_insert(*last as usize));
                for slot in list {
                    bits.insert(*slot as usize);
                }
            }
            Self::Dense(dense) => bits.union_with(&dense.bits),
        }
    }
}

const fn is_dense(count: usize, of: usize) -> bool {
    count > ALWAYS_LIST && count * DENSE_SHARE > of
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(set: &SlotSet) -> Vec<usize> {
        let mut bits = FixedBitSet::new();
        set.add_to(&mut bits);
        bits.ones().collect()
    }

    #[test]
    fn a_set_grows_from_one_slot_to_bits_and_shrinks_to_nothing() {
        let mut set = SlotSet::One(7);
        for slot in (0..300).rev() {
            set.insert(slot, 300);
            set.insert(slot, 300);
        }
        assert!(matches!(set, SlotSet::Dense(_)));
        assert_eq!(slots(&set), (0..300).collect::<Vec<_>>());
        for slot in 0..300 {
            assert_eq!(set.remove(slot), slot == 299);
            assert_eq!(set.remove(slot), slot == 299);
        }
    }

    #[test]
    fn a_list_is_kept_in_order() {
        let mut set = SlotSet::of_sorted(&[5], 1_000_000).unwrap();
        for slot in [9, 1, 5, 9] {
            set.insert(slot, 1_000_000);
        }
        assert_eq!(slots(&set), [1, 5, 9]);
        assert!(!set.remove(5) && !set.remove(1) && set.remove(9));
        assert!(SlotSet::of_sorted(&[], 10).is_none());
    }
}
