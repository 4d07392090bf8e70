//! The index of words: which slots of a book have a word with a given beginning.
//!
//! The words are sorted, each with its slots, so the words with a prefix are a range. If the range is long, as for a
//! single letter, the prefix has a set of its own, so that no lookup reads more than [`MOST_WORDS`] sets.

use super::set::SlotSet;
use fixedbitset::FixedBitSet;
use hashbrown::HashMap;
use smallvec::SmallVec;
use std::{borrow::Cow, collections::BTreeMap, ops::Bound};

/// A prefix of more words than this has a set of its own.
const MOST_WORDS: usize = 64;

/// The words of a book.
#[derive(Default)]
pub(crate) struct WordIndex {
    words: BTreeMap<Box<str>, SlotSet>,
    /// If a prefix is present, all shorter ones are too.
    prefixes: HashMap<Box<str>, SlotSet>,
}

impl WordIndex {
    /// The index of some slots, each with its words, in ascending order. `of` is the number of all slots.
    pub(crate) fn of<'a>(slots: impl Iterator<Item = (u32, Vec<Cow<'a, str>>)>, of: usize) -> Self {
        // Most words belong to a single entry, such as the part of an address before `@`.
        let mut gathered: HashMap<Cow<'a, str>, SmallVec<[u32; 4]>> = HashMap::new();
        for (slot, words) in slots {
            for word in words {
                gathered.entry(word).or_default().push(slot);
            }
        }
        let mut words: Vec<(Box<str>, SlotSet)> = gathered
            .into_iter()
            .filter_map(|(word, slots)| Some((word.into(), SlotSet::of_sorted(&slots, of)?)))
            .collect();
        words.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let prefixes = prefixes_of(&words, of);
        Self { words: words.into_iter().collect(), prefixes }
    }

    /// Adds a slot with its words. `of` is the number of all slots.
    pub(crate) fn add(&mut self, slot: u32, words: &[Cow<'_, str>], of: usize) {
        for word in words {
            if let Some(slots) = self.words.get_mut(word.as_ref()) {
                slots.insert(slot, of);
            } else {
                self.words.insert(word.as_ref().into(), SlotSet::One(slot));
                self.give_sets_to_prefixes(word, of);
            }
            for prefix in beginnings(word) {
                let Some(slots) = self.prefixes.get_mut(prefix) else { break };
                slots.insert(slot, of);
            }
        }
    }

    /// Removes a slot with all its words.
    pub(crate) fn remove(&mut self, slot: u32, words: &[Cow<'_, str>]) {
        for word in words {
            if self.words.get_mut(word.as_ref()).is_some_and(|slots| slots.remove(slot)) {
                self.words.remove(word.as_ref());
            }
            for prefix in beginnings(word) {
                let Some(slots) = self.prefixes.get_mut(prefix) else { break };
                if slots.remove(slot) {
                    self.prefixes.remove(prefix);
                }
            }
        }
    }

    /// Whether any slot has a word.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.words.contains_key(word)
    }

    /// Adds the slots that have a word to a set. The set must be large enough.
    pub(crate) fn add_with_word(&self, word: &str, slots: &mut FixedBitSet) {
        self.words.get(word).into_iter().for_each(|set| set.add_to(slots));
    }

    /// Adds the slots that have a word with a prefix to a set. The set must be large enough.
    pub(crate) fn add_with_prefix(&self, prefix: &str, slots: &mut FixedBitSet) {
        match self.prefixes.get(prefix) {
            Some(set) => set.add_to(slots),
            None => self.range(prefix).for_each(|set| set.add_to(slots)),
        }
    }

    fn range<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a SlotSet> {
        self.words
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(word, _)| word.starts_with(prefix))
            .map(|(_, slots)| slots)
    }

    fn give_sets_to_prefixes(&mut self, new: &str, of: usize) {
        for prefix in beginnings(new) {
            if self.prefixes.contains_key(prefix) {
                continue;
            }
            if self.range(prefix).nth(MOST_WORDS).is_none() {
                break;
            }
            if let Some(slots) = united(self.range(prefix), of) {
                self.prefixes.insert(prefix.into(), slots);
            }
        }
    }
}

/// The prefixes of a word, from its first letter to the whole word.
fn beginnings(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().filter_map(|(start, letter)| word.get(..start + letter.len_utf8()))
}

/// The sets of the prefixes that need one, for sorted words: first those of one letter, then longer ones as long as
/// there are any.
fn prefixes_of(words: &[(Box<str>, SlotSet)], of: usize) -> HashMap<Box<str>, SlotSet> {
    let mut prefixes = HashMap::new();
    // Words with a common prefix, and the length of the prefix.
    let mut groups = vec![(0, words)];
    while !groups.is_empty() {
        groups = groups.into_iter().flat_map(|(length, group)| divided(length, group)).collect();
        for (length, group) in &groups {
            let prefix = group.first().and_then(|(word, _)| word.get(..*length));
            let slots = united(group.iter().map(|(_, slots)| slots), of);
            if let (Some(prefix), Some(slots)) = (prefix, slots) {
                prefixes.insert(prefix.into(), slots);
            }
        }
    }
    prefixes
}

/// The large groups of words with a common prefix that is one letter longer.
fn divided(
    length: usize,
    group: &[(Box<str>, SlotSet)],
) -> impl Iterator<Item = (usize, &[(Box<str>, SlotSet)])> {
    let letter = move |word: &str| word.get(length..).and_then(|rest| rest.chars().next());
    group.chunk_by(move |one, other| letter(&one.0) == letter(&other.0)).filter_map(move |group| {
        let (word, _) = group.first().filter(|_| group.len() > MOST_WORDS)?;
        Some((length + letter(word)?.len_utf8(), group))
    })
}

fn gathered<'a>(sets: impl IntoIterator<Item = &'a SlotSet>, of: usize) -> FixedBitSet {
    let mut bits = FixedBitSet::with_capacity(of);
    sets.into_iter().for_each(|set| set.add_to(&mut bits));
    bits
}

fn united<'a>(sets: impl Iterator<Item = &'a SlotSet>, of: usize) -> Option<SlotSet> {
    let slots: Vec<_> = gathered(sets, of).ones().filter_map(|slot| u32::try_from(slot).ok()).collect();
    SlotSet::of_sorted(&slots, of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Words = BTreeMap<u32, Vec<String>>;

    fn lent(words: &[String]) -> Vec<Cow<'_, str>> {
        words.iter().map(|word| Cow::Borrowed(word.as_str())).collect()
    }

    fn check(index: &WordIndex, all: &Words, prefix: &str) {
        let naive = |matches: &dyn Fn(&String) -> bool| -> Vec<usize> {
            all.iter()
                .filter(|(_, words)| words.iter().any(matches))
                .map(|(slot, _)| *slot as usize)
                .collect()
        };
        let found = |add: &dyn Fn(&mut FixedBitSet)| {
            let mut bits = FixedBitSet::with_capacity(1000);
            add(&mut bits);
            bits.ones().collect::<Vec<_>>()
        };
        let begun = found(&|bits| index.add_with_prefix(prefix, bits));
        assert_eq!(begun, naive(&|word| word.starts_with(prefix)), "{prefix}*");
        let whole = found(&|bits| index.add_with_word(prefix, bits));
        assert_eq!(whole, naive(&|word| word == prefix), "{prefix}");
    }

    #[test]
    fn common_prefixes_have_sets_of_their_own_and_lose_them() {
        let all: Words = (0..1000).map(|n| (n, vec![format!("user{n:04}"), "я".into()])).collect();
        let bulk = WordIndex::of(all.iter().map(|(slot, words)| (*slot, lent(words))), 1000);
        let mut grown = WordIndex::default();
        for (slot, words) in &all {
            grown.add(*slot, &lent(words), 1000);
        }
        for index in [&bulk, &grown] {
            assert!(index.prefixes.contains_key("user00") && !index.prefixes.contains_key("user000"));
            for prefix in ["u", "user", "user01", "user0999", "user1", "я", "яя"] {
                check(index, &all, prefix);
            }
        }
        for (slot, words) in &all {
            grown.remove(*slot, &lent(words));
        }
        assert!(grown.words.is_empty() && grown.prefixes.is_empty());
    }

    proptest! {
        #[test]
        fn slots_are_found_by_their_words(
            changes in prop::collection::vec((0_u32..40, prop::collection::btree_set("[ab]{1,9}", 0..9)), 0..80),
            prefixes in prop::collection::vec("[ab]{1,4}", 8),
        ) {
            let (mut all, mut index) = (Words::new(), WordIndex::default());
            for (slot, words) in changes {
                let words: Vec<_> = words.into_iter().collect();
                if let Some(old) = all.remove(&slot) {
                    index.remove(slot, &lent(&old));
                }
                if !words.is_empty() {
                    index.add(slot, &lent(&words), 40);
                    all.insert(slot, words);
                }
            }
            let bulk = WordIndex::of(all.iter().map(|(slot, words)| (*slot, lent(words))), 40);
            for prefix in prefixes {
                check(&index, &all, &prefix);
                check(&bulk, &all, &prefix);
            }
        }
    }
}
