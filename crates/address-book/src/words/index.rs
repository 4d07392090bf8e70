//! The index of words: which places of a book have a word with a given beginning.
//!
//! The words are sorted, each with its places, so the words with a prefix are a range. If the range is long, as for a
//! single letter, the prefix has a set of its own, so that no lookup reads more than [`MOST_WORDS`] sets.

use super::set::PlaceSet;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use std::{borrow::Cow, collections::BTreeMap, hash::BuildHasher, ops::Bound};

/// A prefix of more words than this has a set of its own.
const MOST_WORDS: usize = 32;
/// A full list of words grows by one part in this many: doubling it would leave half of it empty.
const GROWTH_SHARE: usize = 16;

/// The words of a book.
#[derive(Default)]
pub(crate) struct WordIndex {
    words: BTreeMap<Box<str>, PlaceSet>,
    /// If a prefix is present, all shorter ones are too.
    prefixes: HashMap<Box<str>, PlaceSet>,
}

impl WordIndex {
    /// The index of some places, each with its words, in ascending order.
    pub(crate) fn of<'a>(places: impl Iterator<Item = (u32, Vec<Cow<'a, str>>)>) -> Self {
        let mut gathered = Gathered::default();
        for (place, words) in places {
            for word in words {
                gathered.add(&word, place);
            }
        }
        let words = gathered.into_sorted();
        let prefixes = prefixes_of(&words);
        Self { words: words.into_iter().collect(), prefixes }
    }

    /// Adds a place with its words.
    pub(crate) fn add(&mut self, place: u32, words: &[Cow<'_, str>]) {
        for word in words {
            if let Some(places) = self.words.get_mut(word.as_ref()) {
                places.insert(place);
            } else {
                self.words.insert(word.as_ref().into(), PlaceSet::One(place));
                self.give_sets_to_prefixes(word);
            }
            for prefix in beginnings(word) {
                let Some(places) = self.prefixes.get_mut(prefix) else { break };
                places.insert(place);
            }
        }
    }

    /// Removes a place with all its words.
    pub(crate) fn remove(&mut self, place: u32, words: &[Cow<'_, str>]) {
        for word in words {
            if self.words.get_mut(word.as_ref()).is_some_and(|places| places.remove(place)) {
                self.words.remove(word.as_ref());
            }
            for prefix in beginnings(word) {
                let Some(places) = self.prefixes.get_mut(prefix) else { break };
                if places.remove(place) {
                    self.prefixes.remove(prefix);
                }
            }
        }
    }

    /// The places that have a word.
    pub(crate) fn with_word(&self, word: &str) -> Option<&PlaceSet> {
        self.words.get(word)
    }

    /// The places that have a word with a prefix, in several sets.
    pub(crate) fn with_prefix<'a>(&'a self, prefix: &str) -> impl Iterator<Item = &'a PlaceSet> {
        let own = self.prefixes.get(prefix);
        let range = if own.is_some() { None } else { Some(self.range(prefix)) };
        own.into_iter().chain(range.into_iter().flatten())
    }

    fn range<'a>(&'a self, prefix: &str) -> impl Iterator<Item = &'a PlaceSet> {
        self.words
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(word, _)| word.starts_with(prefix))
            .map(|(_, places)| places)
    }

    fn give_sets_to_prefixes(&mut self, new: &str) {
        for prefix in beginnings(new) {
            if self.prefixes.contains_key(prefix) {
                continue;
            }
            if self.range(prefix).nth(MOST_WORDS).is_none() {
                break;
            }
            if let Some(places) = united(self.range(prefix)) {
                self.prefixes.insert(prefix.into(), places);
            }
        }
    }
}

/// The words of a book that is being indexed. Most of them belong to a single entry, such as the part of an address
/// before `@`, so they must not take much more memory than in the finished index.
#[derive(Default)]
struct Gathered {
    words: Vec<(Box<str>, PlaceSet)>,
    /// The indexes of the words.
    indexes: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Gathered {
    /// Adds a place, which must not be less than any before, to a word.
    fn add(&mut self, word: &str, place: u32) {
        let Self { words, indexes, hasher } = self;
        let text = |index: &u32| words.get(*index as usize).map_or("", |(word, _)| word);
        let hash = hasher.hash_one(word);
        if let Some(index) = indexes.find(hash, |index| text(index) == word) {
            words.iter_mut().skip(*index as usize).take(1).for_each(|(_, places)| places.insert(place));
            return;
        }
        let index = u32::try_from(words.len()).unwrap_or(u32::MAX);
        indexes.insert_unique(hash, index, |index| hasher.hash_one(text(index)));
        if words.len() == words.capacity() {
            words.reserve_exact(1 + words.len() / GROWTH_SHARE);
        }
        words.push((word.into(), PlaceSet::One(place)));
    }

    fn into_sorted(self) -> Vec<(Box<str>, PlaceSet)> {
        let mut words = self.words;
        for (_, places) in &mut words {
            places.shrink();
        }
        words.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        words
    }
}

/// The prefixes of a word, from its first letter to the whole word.
fn beginnings(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().filter_map(|(start, letter)| word.get(..start + letter.len_utf8()))
}

/// The sets of the prefixes that need one, for sorted words: first those of one letter, then longer ones as long as
/// there are any.
fn prefixes_of(words: &[(Box<str>, PlaceSet)]) -> HashMap<Box<str>, PlaceSet> {
    let mut prefixes = HashMap::new();
    // Words with a common prefix, and the length of the prefix.
    let mut groups = vec![(0, words)];
    while !groups.is_empty() {
        groups = groups.into_iter().flat_map(|(length, group)| divided(length, group)).collect();
        for (length, group) in &groups {
            let prefix = group.first().and_then(|(word, _)| word.get(..*length));
            let places = united(group.iter().map(|(_, places)| places));
            if let (Some(prefix), Some(places)) = (prefix, places) {
                prefixes.insert(prefix.into(), places);
            }
        }
    }
    prefixes
}

/// The large groups of words with a common prefix that is one letter longer.
fn divided(
    length: usize,
    group: &[(Box<str>, PlaceSet)],
) -> impl Iterator<Item = (usize, &[(Box<str>, PlaceSet)])> {
    let letter = move |word: &str| word.get(length..).and_then(|rest| rest.chars().next());
    group.chunk_by(move |one, other| letter(&one.0) == letter(&other.0)).filter_map(move |group| {
        let (word, _) = group.first().filter(|_| group.len() > MOST_WORDS)?;
        Some((length + letter(word)?.len_utf8(), group))
    })
}

/// All places of some sets.
fn united<'a>(sets: impl Iterator<Item = &'a PlaceSet>) -> Option<PlaceSet> {
    let mut places = Vec::new();
    sets.for_each(|set| set.for_each(|place| places.push(place)));
    places.sort_unstable();
    places.dedup();
    let mut united = PlaceSet::One(*places.first()?);
    for place in places {
        united.insert(place);
    }
    united.shrink();
    Some(united)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    type Words = BTreeMap<u32, Vec<String>>;

    fn lent(words: &[String]) -> Vec<Cow<'_, str>> {
        words.iter().map(|word| Cow::Borrowed(word.as_str())).collect()
    }

    fn check(index: &WordIndex, all: &Words, prefix: &str) {
        let naive = |matches: &dyn Fn(&String) -> bool| -> Vec<u32> {
            all.iter().filter(|(_, words)| words.iter().any(matches)).map(|(place, _)| *place).collect()
        };
        let found = |sets: &mut dyn Iterator<Item = &PlaceSet>| {
            let mut places = BTreeSet::new();
            sets.for_each(|set| set.for_each(|place| _ = places.insert(place)));
            places.into_iter().collect::<Vec<_>>()
        };
        let begun = found(&mut index.with_prefix(prefix));
        assert_eq!(begun, naive(&|word| word.starts_with(prefix)), "{prefix}*");
        let whole = found(&mut index.with_word(prefix).into_iter());
        assert_eq!(whole, naive(&|word| word == prefix), "{prefix}");
    }

    #[test]
    fn common_prefixes_have_sets_of_their_own_and_lose_them() {
        let all: Words = (0..1000).map(|n| (n, vec![format!("user{n:04}"), "я".into()])).collect();
        let bulk = WordIndex::of(all.iter().map(|(place, words)| (*place, lent(words))));
        let mut grown = WordIndex::default();
        for (place, words) in &all {
            grown.add(*place, &lent(words));
        }
        for index in [&bulk, &grown] {
            assert!(index.prefixes.contains_key("user00") && !index.prefixes.contains_key("user000"));
            for prefix in ["u", "user", "user01", "user0999", "user1", "я", "яя"] {
                check(index, &all, prefix);
            }
        }
        for (place, words) in &all {
            grown.remove(*place, &lent(words));
        }
        assert!(grown.words.is_empty() && grown.prefixes.is_empty());
    }

    proptest! {
        #[test]
        fn places_are_found_by_their_words(
            changes in prop::collection::vec((0_u32..40, prop::collection::btree_set("[ab]{1,9}", 0..9)), 0..80),
            prefixes in prop::collection::vec("[ab]{1,4}", 8),
        ) {
            let (mut all, mut index) = (Words::new(), WordIndex::default());
            for (place, words) in changes {
                let words: Vec<_> = words.into_iter().collect();
                if let Some(old) = all.remove(&place) {
                    index.remove(place, &lent(&old));
                }
                if !words.is_empty() {
                    index.add(place, &lent(&words));
                    all.insert(place, words);
                }
            }
            let bulk = WordIndex::of(all.iter().map(|(place, words)| (*place, lent(words))));
            for prefix in prefixes {
                check(&index, &all, &prefix);
                check(&bulk, &all, &prefix);
            }
        }
    }
}
