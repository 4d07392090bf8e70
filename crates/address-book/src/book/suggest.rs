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
            for kinds in RANKS.iter().filter(|_| !class.is_clear()) {
                let mut wanted = self.of_kinds(kinds);
                wanted.intersect_with(&class);
                self.take_first(&wanted, order, limit, &mut slots);
            }
        }
        slots.into_iter().filter_map(|slot| self.entries.get(slot)).map(Entry::contact_json).collect()
    }

    /// The slots that a text finds, the best class first; none is in two.
    fn classes(&self, listed: &Shelf, folded: &str) -> Vec<FixedBitSet> {
        let of = self.entries.slot_count();
        let mut typed: Vec<_> = words::cut(folded).take(MAX_SEARCH_WORDS).collect();
        typed.sort_unstable();
        typed.dedup();
        let in_all = |slots_of: &dyn Fn(&str) -> FixedBitSet| {
            typed.iter().map(|word| slots_of(word)).reduce(|mut common, slots| {
                common.intersect_with(&slots);
                common
            })
        };
        let Some(mut begun) = in_all(&|word| self.words.with_prefix(word, of)) else { return Vec::new() };
        if begun.is_clear() {
            return Vec::new();
        }
        let mut whole = in_all(&|word| self.words.with_word(word, of)).unwrap_or_default();
        let exact = self.that_are(listed, folded.trim());
        begun.difference_with(&whole);
        whole.difference_with(&exact);
        vec![exact, whole, begun]
    }

    /// The slots whose shown name or address is a text.
    fn that_are(&self, listed: &Shelf, folded: &str) -> FixedBitSet {
        let mut slots = FixedBitSet::with_capacity(self.entries.slot_count());
        for key in [Key::ShownName, Key::Mail] {
            let Some(order) = listed.by(key) else { continue };
            let value = |slot: &u32| self.entries.get(*slot).map(|entry| self.entries.key(key, entry).0);
            let place = order.seek(|slot| compare_with(&self.entries, key, slot, (folded, "")));
            order
                .from(place)
                .take_while(|slot| value(slot) == Some(folded.as_bytes()))
                .for_each(|slot| slots.insert(slot as usize));
        }
        slots
    }

    /// Takes the first of some slots in an order, until there are enough. Few are sorted; of many the first are soon found
    /// by walking along the order.
    fn take_first(&self, wanted: &FixedBitSet, order: &Order, enough: usize, taken: &mut Vec<u32>) {
        let (count, missing) = (wanted.count_ones(..), enough.saturating_sub(taken.len()));
        if count == 0 || missing == 0 {
            return;
        }
        if count * STEPS_FOR_SORTING < self.entries.slot_count() || count <= missing {
            let mut few: Vec<_> = wanted.ones().filter_map(|slot| u32::try_from(slot).ok()).collect();
            let standing = |slot: &u32| self.entries.standing(Key::ShownName, *slot);
            let compare = |one: &u32, other: &u32| standing(one).cmp(&standing(other));
            if missing < few.len() {
                few.select_nth_unstable_by(missing, compare);
                few.truncate(missing);
            }
            few.sort_unstable_by(compare);
            taken.extend(few);
        } else {
            taken.extend(order.ascending().filter(|slot| wanted.contains(*slot as usize)).take(missing));
        }
    }
}
