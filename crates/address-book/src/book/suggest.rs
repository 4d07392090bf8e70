//! Suggestions: the contacts that a text may mean while it is being typed.
//!
//! Each word of the text must begin a word of the contact's names or addresses; Cyrillic words are found in Latin letters
//! too (see [`words::found_by`]). Only where nobody is found, the text may have been typed on the other keyboard layout.
//! First come those whose shown name or address is the text, then those that have all its words whole, then the rest;
//! among them people, then lists, then resources; and then by shown name.

use super::{
    Book,
    entries::{Entry, Key},
    order::Order,
    shelf::{Label, Shelf, compare_with},
};
use crate::words::{self, layout};
use fixedbitset::FixedBitSet;
use mail_model::{
    contact::{Kind, view::View},
    list::MAX_SEARCH_WORDS,
};

/// Kinds that come before others, whatever their names.
const RANKS: [&[Kind]; 3] = [&[Kind::User, Kind::Contact], &[Kind::List], &[Kind::Resource]];
/// To sort an entry takes about as long as to pass by so many in the order of names.
const STEPS_FOR_SORTING: usize = 256;

impl Book {
    /// The contacts that a text may mean, best first, as JSON.
    #[must_use]
    pub fn suggest(&self, text: &str, limit: usize) -> Vec<&[u8]> {
        let folded = words::fold(text);
        if words::cut(&folded).next().is_none() {
            return Vec::new();
        }
        let found = self.suggested(&folded, limit);
        if !found.is_empty() {
            return found;
        }
        let mut others =
            layout::other_readings(text).map(|reading| self.suggested(&words::fold(&reading), limit));
        others.find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn suggested(&self, folded: &str, limit: usize) -> Vec<&[u8]> {
        let Some(listed) = self.shelf(Label::Contacts(View::Suggestions)) else { return Vec::new() };
        let Some(order) = listed.by(Key::ShownName) else { return Vec::new() };
        let mut slots = Vec::new();
        for class in self.classes(listed, folded) {
            for kinds in RANKS {
                self.take_first(&class, kinds, order, limit, &mut slots);
            }
        }
        slots.into_iter().filter_map(|slot| self.entries.get(slot)).map(Entry::contact_json).collect()
    }

    /// The slots that a text finds, the best class first; none is in two. A set has a bit for each contact of the tenant, so
    /// none is made that is not needed.
    fn classes(&self, listed: &Shelf, folded: &str) -> Vec<FixedBitSet> {
        let of = self.entries.slot_count();
        let mut typed: Vec<_> = words::cut(folded).take(MAX_SEARCH_WORDS).collect();
        typed.sort_unstable();
        typed.dedup();
        let common = |mut common: FixedBitSet, slots: FixedBitSet| {
            common.intersect_with(&slots);
            common
        };
        let begun = typed.iter().map(|word| self.words.with_prefix(word, of)).reduce(common);
        let Some(mut begun) = begun.filter(|begun| !begun.is_clear()) else { return Vec::new() };
        let mut classes = Vec::with_capacity(3);
        let exact = self.that_are(listed, folded.trim());
        if !exact.is_empty() {
            let mut slots = FixedBitSet::with_capacity(of);
            for slot in exact {
                slots.insert(slot as usize);
                begun.set(slot as usize, false);
            }
            classes.push(slots);
        }
        if typed.iter().all(|word| self.words.has_word(word)) {
            let whole = typed.iter().map(|word| self.words.with_word(word, of)).reduce(common);
            let mut whole = whole.unwrap_or_default();
            whole.intersect_with(&begun);
            begun.difference_with(&whole);
            classes.push(whole);
        }
        classes.push(begun);
        classes
    }

    /// The slots whose shown name or address is a text.
    fn that_are(&self, listed: &Shelf, folded: &str) -> Vec<u32> {
        let mut slots = Vec::new();
        for key in [Key::ShownName, Key::Mail] {
            let Some(order) = listed.by(key) else { continue };
            let value = |slot: &u32| self.entries.get(*slot).map(|entry| self.entries.key(key, entry).0);
            let place = order.seek(|slot| compare_with(&self.entries, key, slot, (folded, "")));
            slots.extend(order.from(place).take_while(|slot| value(slot) == Some(folded.as_bytes())));
        }
        slots
    }

    /// Takes the first of those of some kinds among a class, in an order, until there are enough. Few are sorted; of many
    /// the first are soon found by walking along the order.
    fn take_first(
        &self,
        class: &FixedBitSet,
        kinds: &[Kind],
        order: &Order,
        enough: usize,
        taken: &mut Vec<u32>,
    ) {
        let missing = enough.saturating_sub(taken.len());
        if missing == 0 {
            return;
        }
        let of_kinds = || self.kinds.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, slots)| slots);
        let count: usize = of_kinds().map(|slots| slots.intersection_count(class)).sum();
        if count == 0 {
            return;
        }
        let is_wanted = |slot: &usize| of_kinds().any(|slots| slots.contains(*slot));
        if count * STEPS_FOR_SORTING < self.entries.slot_count() || count <= missing {
            let wanted = class.ones().filter(is_wanted);
            let mut few: Vec<_> = wanted.filter_map(|slot| u32::try_from(slot).ok()).collect();
            let standing = |slot: &u32| self.entries.standing(Key::ShownName, *slot);
            let compare = |one: &u32, other: &u32| standing(one).cmp(&standing(other));
            if missing < few.len() {
                few.select_nth_unstable_by(missing, compare);
                few.truncate(missing);
            }
            few.sort_unstable_by(compare);
            taken.extend(few);
        } else {
            let is_wanted = |slot: &u32| class.contains(*slot as usize) && is_wanted(&(*slot as usize));
            taken.extend(order.ascending().filter(is_wanted).take(missing));
        }
    }
}
