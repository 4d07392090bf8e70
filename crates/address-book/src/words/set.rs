//! Sets of places, in a compact form for small sets and for sets whose members are close together.
//!
//! The places of a book are divided into blocks of [`BLOCK`]. A set of many places has bits for the blocks in which it has
//! any, so two sets are compared block by block, and blocks in which one of them has nothing are passed over.

use fixedbitset::FixedBitSet;

/// The number of places in a block.
pub(crate) const BLOCK: u32 = 1024;
/// Shorter lists are never converted.
const ALWAYS_LIST: usize = 64;
/// Members per block from which on bits are used: they then take at most as much memory as twice the list. Bits are
/// combined much faster than lists.
const DENSE: usize = 16;

/// The places of one block, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits([u64; 16]);

impl Bits {
    /// All places.
    #[cfg(test)]
    pub(crate) const ALL: Self = Self([u64::MAX; 16]);

    /// Whether a place is a member, by its index in the block.
    pub(crate) fn contains(&self, index: u32) -> bool {
        let (word, bit) = word_and_bit(index);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    fn insert(&mut self, index: u32) -> bool {
        let is_new = !self.contains(index);
        let (word, bit) = word_and_bit(index);
        self.0.iter_mut().skip(word).take(1).for_each(|word| *word |= bit);
        is_new
    }

    fn remove(&mut self, index: u32) -> bool {
        let is_member = self.contains(index);
        let (word, bit) = word_and_bit(index);
        self.0.iter_mut().skip(word).take(1).for_each(|word| *word &= !bit);
        is_member
    }

    fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// Keeps the members of another set.
    pub(crate) fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    /// The number of members.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

const fn word_and_bit(index: u32) -> (usize, u64) {
    ((index / u64::BITS) as usize, 1 << (index % u64::BITS))
}

/// A set of places that is not empty. Most words of a book occur in one entry; some occur in all.
pub(crate) enum PlaceSet {
    /// One place.
    One(u32),
    /// Several places.
    List(Box<List>),
    /// Many places. The form does not change until the set is empty.
    Blocks(Box<Blocks>),
}

/// Places in ascending order.
pub(crate) struct List(Vec<u32>);

/// The blocks in which a set has members, in ascending order.
#[derive(Default)]
pub(crate) struct Blocks {
    blocks: Vec<u32>,
    bits: Vec<Bits>,
}

impl PlaceSet {
    /// Adds a place.
    pub(super) fn insert(&mut self, place: u32) {
        match self {
            Self::One(one) if *one == place => {}
            Self::One(one) => {
                *self = Self::List(Box::new(List(vec![place.min(*one), place.max(*one)])));
            }
            Self::List(list) => {
                list.insert(place);
                if list.is_dense() {
                    *self = Self::Blocks(Box::new(list.blocks()));
                }
            }
            Self::Blocks(blocks) => blocks.insert(place),
        }
    }

    /// Removes a place. Returns whether the set is empty now.
    #[must_use]
    pub(super) fn remove(&mut self, place: u32) -> bool {
        match self {
            Self::One(one) => *one == place,
            Self::List(list) => {
                let List(list) = list.as_mut();
                if let Ok(index) = list.binary_search(&place) {
                    list.remove(index);
                }
                list.is_empty()
            }
            Self::Blocks(blocks) => {
                blocks.remove(place);
                blocks.blocks.is_empty()
            }
        }
    }

    /// Releases unused memory. Copies, because an allocator may leave a block that shrinks as it is.
    pub(super) fn shrink(&mut self) {
        match self {
            Self::One(_) => {}
            Self::List(list) => list.0 = list.0.as_slice().to_vec(),
            Self::Blocks(blocks) => {
                blocks.blocks = blocks.blocks.as_slice().to_vec();
                blocks.bits = blocks.bits.as_slice().to_vec();
            }
        }
    }

    /// Each place, in ascending order.
    pub(super) fn for_each(&self, mut each: impl FnMut(u32)) {
        match self {
            Self::One(place) => each(*place),
            Self::List(list) => list.0.iter().for_each(|place| each(*place)),
            Self::Blocks(blocks) => {
                for (block, bits) in blocks.blocks.iter().zip(&blocks.bits) {
                    (0..BLOCK)
                        .filter(|index| bits.contains(*index))
                        .for_each(|index| each(block * BLOCK + index));
                }
            }
        }
    }

    /// Adds the blocks with members to a set of blocks, which must be large enough.
    pub(super) fn add_blocks(&self, all: &mut FixedBitSet) {
        let mut add = |block: u32| all.grow_and_insert(block as usize);
        match self {
            Self::One(place) => add(place / BLOCK),
            Self::List(list) => list.0.iter().for_each(|place| add(place / BLOCK)),
            Self::Blocks(blocks) => blocks.blocks.iter().for_each(|block| add(*block)),
        }
    }

    /// Adds the members in a block.
    pub(super) fn add_members(&self, block: u32, members: &mut Bits) {
        match self {
            Self::One(place) => {
                if place / BLOCK == block {
                    members.insert(place % BLOCK);
                }
            }
            Self::List(list) => {
                let start = list.0.partition_point(|place| place / BLOCK < block);
                let places = list.0.iter().skip(start).take_while(|place| *place / BLOCK == block);
                places.for_each(|place| {
                    members.insert(place % BLOCK);
                });
            }
            Self::Blocks(blocks) => {
                let index = blocks.blocks.binary_search(&block).ok();
                if let Some(bits) = index.and_then(|index| blocks.bits.get(index)) {
                    members.unite(bits);
                }
            }
        }
    }
}

impl List {
    fn insert(&mut self, place: u32) {
        match self.0.last() {
            Some(last) if *last < place => self.0.push(place),
            _ => {
                if let Err(index) = self.0.binary_search(&place) {
                    self.0.insert(index, place);
                }
            }
        }
    }

    /// Whether bits are better. Asked at every insertion, so the blocks are only counted when the length has doubled.
    fn is_dense(&self) -> bool {
        let length = self.0.len();
        length >= ALWAYS_LIST
            && length.is_power_of_two()
            && self.0.chunk_by(|one, other| one / BLOCK == other / BLOCK).count() * DENSE <= length
    }

    fn blocks(&self) -> Blocks {
        let mut blocks = Blocks::default();
        self.0.iter().for_each(|place| blocks.insert(*place));
        blocks
    }
}

impl Blocks {
    fn insert(&mut self, place: u32) {
        let block = place / BLOCK;
        let index = match self.blocks.last() {
            Some(last) if *last < block => Err(self.blocks.len()),
            Some(last) if *last == block => Ok(self.blocks.len() - 1),
            _ => self.blocks.binary_search(&block),
        };
        let index = index.unwrap_or_else(|index| {
            self.blocks.insert(index, block);
            self.bits.insert(index, Bits::default());
            index
        });
        if let Some(bits) = self.bits.get_mut(index) {
            bits.insert(place % BLOCK);
        }
    }

    fn remove(&mut self, place: u32) {
        let Ok(index) = self.blocks.binary_search(&(place / BLOCK)) else { return };
        let Some(bits) = self.bits.get_mut(index) else { return };
        bits.remove(place % BLOCK);
        if bits.is_empty() {
            self.blocks.remove(index);
            self.bits.remove(index);
        }
    }
}

/// The places that are, for each of some words, in one of the word's sets.
pub(crate) struct Common<'a> {
    sets: Vec<Vec<&'a PlaceSet>>,
    blocks: FixedBitSet,
}

impl<'a> Common<'a> {
    /// Compares sets of a book with some number of blocks. There must be at least one word.
    pub(crate) fn of(sets: Vec<Vec<&'a PlaceSet>>, block_count: usize) -> Self {
        let united = |sets: &Vec<&PlaceSet>| {
            let mut blocks = FixedBitSet::with_capacity(block_count);
            for set in sets {
                set.add_blocks(&mut blocks);
            }
            blocks
        };
        let common = |mut one: FixedBitSet, other: FixedBitSet| {
            one.intersect_with(&other);
            one
        };
        let blocks = sets.iter().map(united).reduce(common).unwrap_or_default();
        Self { sets, blocks }
    }

    /// Whether a block may have members.
    pub(crate) fn has_block(&self, block: u32) -> bool {
        self.blocks.contains(block as usize)
    }

    /// The places in a block.
    pub(crate) fn members(&self, block: u32) -> Bits {
        let united = |sets: &Vec<&PlaceSet>| {
            let mut members = Bits::default();
            for set in sets {
                set.add_members(block, &mut members);
            }
            members
        };
        let common = |mut one: Bits, other: Bits| {
            one.intersect(&other);
            one
        };
        self.sets.iter().map(united).reduce(common).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn places(set: &PlaceSet) -> Vec<u32> {
        let mut places = Vec::new();
        set.for_each(|place| places.push(place));
        places
    }

    #[test]
    fn a_set_grows_from_one_place_to_bits_and_shrinks_to_nothing() {
        let mut set = PlaceSet::One(7);
        for place in (0..300).rev() {
            set.insert(place * 7);
            set.insert(place * 7);
        }
        set.insert(7);
        set.shrink();
        assert!(matches!(set, PlaceSet::Blocks(_)));
        assert_eq!(places(&set), (0..300).map(|place| place * 7).collect::<Vec<_>>());
        for place in 0..300 {
            assert_eq!(set.remove(place * 7), place == 299);
            assert_eq!(set.remove(place * 7), place == 299);
        }
    }

    #[test]
    fn places_far_apart_stay_a_list() {
        let mut set = PlaceSet::One(5);
        for place in (0..3000).rev() {
            set.insert(place * 100);
        }
        assert!(matches!(set, PlaceSet::List(_)));
        assert!(!set.remove(5) && places(&set).is_sorted() && places(&set).len() == 3000);
    }

    /// A set of places; its members are within four blocks.
    fn a_set() -> impl Strategy<Value = BTreeSet<u32>> {
        let most = prop_oneof![1_u32..10, Just(BLOCK), Just(4 * BLOCK)];
        most.prop_flat_map(|most| prop::collection::btree_set(0..most, 1..300))
    }

    proptest! {
        #[test]
        fn common_places_are_found_block_by_block(
            words in prop::collection::vec(prop::collection::vec(a_set(), 0..4), 1..4),
        ) {
            let made = |places: &BTreeSet<u32>| {
                let mut set = PlaceSet::One(*places.last().unwrap());
                for place in places {
                    set.insert(*place);
                }
                set
            };
            let sets: Vec<Vec<_>> = words.iter().map(|sets| sets.iter().map(made).collect()).collect();
            let common = Common::of(sets.iter().map(|sets| sets.iter().collect()).collect(), 4);
            let found: BTreeSet<u32> = (0..4)
                .flat_map(|block| {
                    let members = common.members(block);
                    (0..BLOCK).filter(move |index| members.contains(*index)).map(move |index| block * BLOCK + index)
                })
                .collect();
            let united = words.iter().map(|sets| sets.iter().flatten().copied().collect::<BTreeSet<_>>());
            prop_assert_eq!(found, united.reduce(|one, other| &one & &other).unwrap());
        }
    }
}
