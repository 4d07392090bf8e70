//! The contacts that may be suggested, in order of rank, each at a place of its own: the numbers in the sets of the word
//! index. Places are grouped into blocks, and the blocks are in order of rank. So the best contacts of a set are in its
//! first blocks, and a search ends where it has found enough.
//!
//! A contact keeps its place when others come and go, except that half of the contacts of a full block move to a new one.

use crate::words::set::{BLOCK, Bits};
use std::cmp::Ordering;

/// The number of contacts in a new block, which leaves room for others before it has to be divided.
const FILLED: usize = 960;
/// The place of a slot without one, and the slot of a place without one.
const NONE: u32 = u32::MAX;

/// Slots in order of rank. The caller supplies the comparison, which must always be the same.
#[derive(Default)]
pub(super) struct Ranking {
    /// The numbers of the blocks that are not empty, in order.
    order: Vec<u32>,
    /// By number.
    blocks: Vec<Block>,
    /// The numbers of the blocks that are empty.
    empty: Vec<u32>,
    /// By slot.
    places: Vec<u32>,
}

#[derive(Default)]
struct Block {
    /// The indexes of the taken places in the block, in order of rank.
    ranked: Vec<u16>,
    /// The slot at each index.
    slots: Vec<u32>,
}

/// A slot that has got a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) slot: u32,
    /// Where it was before.
    pub(super) from: Option<u32>,
    pub(super) to: u32,
}

impl Ranking {
    /// A ranking of slots that are already sorted.
    pub(super) fn of_sorted(slots: &[u32]) -> Self {
        let mut ranking = Self::default();
        for slots in slots.chunks(FILLED) {
            let block = ranking.new_block(ranking.order.len());
            for (rank, slot) in slots.iter().enumerate() {
                ranking.put(*slot, block, rank);
            }
        }
        ranking
    }

    /// The number of blocks, including empty ones.
    pub(super) fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The numbers of the blocks in order of rank.
    pub(super) fn blocks(&self) -> impl Iterator<Item = u32> {
        self.order.iter().copied()
    }

    /// The slots with their places. In a ranking of sorted slots the places are in ascending order.
    pub(super) fn slots_and_places(&self) -> impl Iterator<Item = (u32, u32)> {
        let slots = self.from(|_| Ordering::Greater);
        slots.filter_map(|slot| Some((slot, self.places.get(slot as usize).copied()?)))
    }

    /// The slots at some places of a block, in order of rank.
    pub(super) fn slots<'a>(&'a self, block: u32, places: &'a Bits) -> impl Iterator<Item = u32> + 'a {
        let block = self.blocks.get(block as usize);
        let is_wanted = |index: &&u16| places.contains(u32::from(**index));
        block.into_iter().flat_map(move |block| {
            // Those at the end need not be looked at when all are found.
            let wanted = block.ranked.iter().filter(is_wanted).take(places.count());
            wanted.filter_map(|index| block.slots.get(usize::from(*index)).copied())
        })
    }

    /// The slots that are not less than a value; `compare` compares a slot with the value.
    pub(super) fn from(&self, compare: impl Fn(u32) -> Ordering) -> impl Iterator<Item = u32> {
        let (position, rank) = self.seek(compare);
        self.order
            .iter()
            .skip(position)
            .filter_map(|block| self.blocks.get(*block as usize))
            .flat_map(Block::ranked_slots)
            .skip(rank)
    }

    /// Gives a place to a slot without one; `compare` compares another slot with it. Returns this slot and those that had
    /// to move.
    pub(super) fn insert(&mut self, slot: u32, compare: impl Fn(u32) -> Ordering) -> Vec<Placed> {
        let (position, rank) = self.seek(compare);
        // A slot greater than all others goes to the end of the last block.
        let (position, rank) = match self.order.last() {
            None => {
                self.new_block(0);
                (0, 0)
            }
            Some(last) if position == self.order.len() => (position - 1, self.length(*last)),
            Some(_) => (position, rank),
        };
        let Some(block) = self.order.get(position).copied() else { return Vec::new() };
        if self.length(block) < BLOCK as usize {
            return vec![self.put(slot, block, rank)];
        }
        let mut placed = self.divide(block, position);
        let half = BLOCK as usize / 2;
        let new = self.order.get(position + 1).copied().unwrap_or(block);
        let (block, rank) = if rank <= half { (block, rank) } else { (new, rank - half) };
        placed.push(self.put(slot, block, rank));
        placed
    }

    /// Takes the place of a slot away, and returns it.
    pub(super) fn remove(&mut self, slot: u32) -> Option<u32> {
        let place = self.places.get_mut(slot as usize).filter(|place| **place != NONE)?;
        let place = std::mem::replace(place, NONE);
        let (number, index) = (place / BLOCK, place % BLOCK);
        let block = self.blocks.get_mut(number as usize)?;
        block.ranked.retain(|other| u32::from(*other) != index);
        block.slots.get_mut(index as usize).map(|slot| *slot = NONE)?;
        if block.ranked.is_empty() {
            self.order.retain(|other| *other != number);
            self.empty.push(number);
        }
        Some(place)
    }

    /// The position in the order, and the rank within that block, of the first slot that is not less than a value.
    fn seek(&self, compare: impl Fn(u32) -> Ordering) -> (usize, usize) {
        let block = |number: &u32| self.blocks.get(*number as usize);
        let is_less = |block: &Block, index: &u16| {
            block.slots.get(usize::from(*index)).is_some_and(|slot| compare(*slot).is_lt())
        };
        let ends_before = |number: &u32| {
            block(number).is_some_and(|block| block.ranked.last().is_some_and(|last| is_less(block, last)))
        };
        let position = self.order.partition_point(ends_before);
        let found = self.order.get(position).and_then(block);
        let rank = found.map_or(0, |block| block.ranked.partition_point(|index| is_less(block, index)));
        (position, rank)
    }

    fn length(&self, block: u32) -> usize {
        self.blocks.get(block as usize).map_or(0, |block| block.ranked.len())
    }

    /// Moves the upper half of a block to a new block behind it.
    fn divide(&mut self, block: u32, position: usize) -> Vec<Placed> {
        let half = BLOCK as usize / 2;
        let upper = self.blocks.get(block as usize).into_iter().flat_map(Block::ranked_slots).skip(half);
        let upper: Vec<_> = upper.collect();
        let new = self.new_block(position + 1);
        let moved = upper.into_iter().enumerate().map(|(rank, slot)| {
            let from = self.remove(slot);
            Placed { from, ..self.put(slot, new, rank) }
        });
        moved.collect()
    }

    fn new_block(&mut self, position: usize) -> u32 {
        let number = self.empty.pop().unwrap_or_else(|| {
            self.blocks.push(Block::default());
            u32::try_from(self.blocks.len() - 1).unwrap_or(u32::MAX)
        });
        self.order.insert(position, number);
        number
    }

    /// Puts a slot at a free place of a block that is not full.
    fn put(&mut self, slot: u32, number: u32, rank: usize) -> Placed {
        let index = self.blocks.get_mut(number as usize).map_or(0, |block| block.put(slot, rank));
        let place = number * BLOCK + u32::from(index);
        let slot_index = slot as usize;
        if self.places.len() <= slot_index {
            self.places.resize(slot_index + 1, NONE);
        }
        self.places.iter_mut().skip(slot_index).take(1).for_each(|old| *old = place);
        Placed { slot, from: None, to: place }
    }
}

impl Block {
    fn ranked_slots(&self) -> impl Iterator<Item = u32> {
        self.ranked.iter().filter_map(|index| self.slots.get(usize::from(*index)).copied())
    }

    /// Puts a slot at a free index, which is returned.
    fn put(&mut self, slot: u32, rank: usize) -> u16 {
        let free = if self.ranked.len() == self.slots.len() {
            None
        } else {
            self.slots.iter().position(|slot| *slot == NONE)
        };
        let index = free.unwrap_or(self.slots.len());
        match self.slots.get_mut(index) {
            Some(free) => *free = slot,
            None => self.slots.push(slot),
        }
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        self.ranked.insert(rank, index);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The places of all slots, which must be in order and at places of their own.
    fn places(ranking: &Ranking) -> BTreeMap<u32, u32> {
        let places: BTreeMap<_, _> = ranking.slots_and_places().collect();
        let slots: Vec<_> = ranking.slots_and_places().map(|(slot, _)| slot).collect();
        assert!(slots.is_sorted());
        let all = ranking.blocks().flat_map(|block| ranking.slots(block, &Bits::ALL));
        assert_eq!(all.collect::<Vec<_>>(), slots);
        assert_eq!(places.values().collect::<std::collections::BTreeSet<_>>().len(), slots.len());
        places
    }

    fn insert(ranking: &mut Ranking, known: &mut BTreeMap<u32, u32>, slot: u32) {
        for placed in ranking.insert(slot, |other| other.cmp(&slot)) {
            assert_eq!(known.insert(placed.slot, placed.to), placed.from);
        }
    }

    #[test]
    fn slots_come_and_go_and_those_that_move_are_reported() {
        let even: Vec<_> = (0..4000).map(|n| n * 2).collect();
        let mut ranking = Ranking::of_sorted(&even);
        let mut known = places(&ranking);
        for odd in (0..4000).rev().map(|n| n * 2 + 1) {
            insert(&mut ranking, &mut known, odd);
        }
        assert_eq!((places(&ranking), known.len()), (known.clone(), 8000));
        assert!(ranking.from(|slot| slot.cmp(&7990)).eq(7990..8000));
        let blocks = ranking.block_count();
        for slot in 10..8000 {
            assert_eq!((ranking.remove(slot), ranking.remove(slot)), (known.remove(&slot), None));
        }
        assert_eq!(places(&ranking), known);
        for slot in 10..3000 {
            insert(&mut ranking, &mut known, slot);
        }
        assert_eq!((places(&ranking), ranking.block_count()), (known, blocks));
    }

    #[test]
    fn an_empty_ranking_has_no_slots() {
        let mut ranking = Ranking::of_sorted(&[]);
        assert!(places(&ranking).is_empty() && ranking.remove(3).is_none());
        insert(&mut ranking, &mut BTreeMap::new(), 3);
        assert_eq!(places(&ranking).into_keys().collect::<Vec<_>>(), [3]);
    }
}
