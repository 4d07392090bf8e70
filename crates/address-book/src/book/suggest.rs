//! Suggestions: the contacts that a text may mean while the user types it.
//!
//! Each word of the text must be the beginning of a word in the contact's names or addresses. A word in Latin letters
//! also matches words with other spellings (see [`words::found_by`] and [`words::readings`]). The results are ordered
//! by class: contacts whose display name or address equals the text; contacts that have all its words whole; contacts
//! whose words begin as the text is written; contacts found by the likely readings of its letters; contacts found by
//! the other readings. Within a class people come first, then lists, then resources, each in order of display name.
//!
//! Only if no likely reading finds a contact, the text is also read as typed on the other keyboard layout, and as
//! written with apostrophes for some letters.

use super::{
    Book,
    entries::{Entry, Key},
    order::Order,
    sorted_view::{Label, SortedView, compare_with},
};
use crate::words::{self, Readings, layout};
use fixedbitset::FixedBitSet;
use mail_model::{
    address::MailAddress,
    contact::{Kind, view::View},
    list::MAX_SEARCH_WORDS,
};

/// Kinds in order of rank; the rank precedes the name.
const RANKS: [&[Kind]; 3] = [&[Kind::User, Kind::Contact], &[Kind::List], &[Kind::Resource]];
/// Sorting one entry takes about as long as this many steps along the order of names.
const STEPS_FOR_SORTING: usize = 256;

/// A word of a text and its possible meanings.
struct Typed<'a> {
    word: &'a str,
    readings: Readings,
}

/// How well an entry matches, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The display name or the address equals the text.
    Exact,
    /// The entry has each word whole, as written or by its first reading.
    Whole,
    /// The entry has words that begin with each word as written.
    Written,
    /// The entry matches by the likely readings.
    Likely,
    /// The entry matches by any reading.
    Possible,
}

/// The classes that read the text as typed on the intended keyboard layout.
const CERTAIN: [Class; 4] = [Class::Exact, Class::Whole, Class::Written, Class::Likely];

/// The state of a search, which tries class after class.
struct Search<'a> {
    listed: &'a SortedView,
    order: &'a Order,
    text: &'a str,
    typed: Vec<Typed<'a>>,
    limit: usize,
    /// All slots of the classes tried so far.
    seen: FixedBitSet,
    /// The first slots of those classes, in order.
    taken: Vec<u32>,
}

impl Book {
    /// The contacts that a text may mean, best first, as JSON.
    #[must_use]
    pub fn suggest(&self, text: &str, limit: usize) -> Vec<&[u8]> {
        let folded = words::fold(text);
        let Some(mut search) = self.search(&folded, limit) else { return Vec::new() };
        self.look_for(&mut search, &CERTAIN);
        if search.taken.is_empty() {
            for reading in layout::other_readings(text).chain(words::without_apostrophes(text)) {
                let folded = words::fold(&reading);
                let Some(mut other) = self.search(&folded, limit) else { continue };
                self.look_for(&mut other, &CERTAIN);
                if !other.taken.is_empty() {
                    return self.shown(&other);
                }
            }
        }
        self.look_for(&mut search, &[Class::Possible]);
        self.shown(&search)
    }

    fn shown(&self, search: &Search<'_>) -> Vec<&[u8]> {
        search.taken.iter().filter_map(|slot| self.entries.get(*slot)).map(Entry::contact_shown).collect()
    }

    /// A search for a folded text; `None` if the text has no word.
    fn search<'a>(&'a self, folded: &'a str, limit: usize) -> Option<Search<'a>> {
        let mut words: Vec<_> = words::cut(folded).take(MAX_SEARCH_WORDS).collect();
        words.sort_unstable();
        words.dedup();
        if words.is_empty() {
            return None;
        }
        let listed = self.sorted_view(Label::Contacts(View::Suggestions))?;
        Some(Search {
            listed,
            order: listed.by(Key::ShownName)?,
            text: folded.trim(),
            typed: words.into_iter().map(|word| Typed { word, readings: words::readings(word) }).collect(),
            limit,
            seen: FixedBitSet::with_capacity(self.entries.slot_count()),
            taken: Vec::new(),
        })
    }

    /// Takes the first slots of each class until there are enough. A set has a bit for each contact of the tenant, so
    /// only the necessary sets are made.
    fn look_for(&self, search: &mut Search<'_>, classes: &[Class]) {
        for class in classes {
            if search.taken.len() >= search.limit {
                return;
            }
            let Some(mut slots) = self.slots_of(*class, search) else { continue };
            slots.difference_with(&search.seen);
            if slots.is_clear() {
                continue;
            }
            for kinds in RANKS {
                self.take_first(&slots, kinds, search.order, search.limit, &mut search.taken);
            }
            search.seen.union_with(&slots);
        }
    }

    /// The slots of a class, possibly with slots of better classes; `None` if the class cannot add any slot.
    fn slots_of(&self, class: Class, search: &Search<'_>) -> Option<FixedBitSet> {
        let typed = &search.typed;
        let any =
            |has_readings: fn(&Readings) -> bool| typed.iter().any(|typed| has_readings(&typed.readings));
        match class {
            Class::Exact => self.that_are(search.listed, search.text),
            Class::Whole => {
                let forms =
                    |typed: &Typed<'_>| [Some(typed.word.to_owned()), typed.readings.likely.first().cloned()];
                let has_word =
                    |typed: &Typed<'_>| forms(typed).iter().flatten().any(|word| self.words.has_word(word));
                typed.iter().all(has_word).then(|| {
                    self.of_all(typed, |typed, slots| {
                        forms(typed).iter().flatten().for_each(|word| self.words.add_with_word(word, slots));
                    })
                })
            }
            Class::Written => {
                Some(self.of_all(typed, |typed, slots| self.words.add_with_prefix(typed.word, slots)))
            }
            Class::Likely => any(|readings| !readings.likely.is_empty()).then(|| {
                self.of_all(typed, |typed, slots| {
                    self.add_begun(typed.word, &typed.readings.likely, slots);
                })
            }),
            Class::Possible => any(|readings| !readings.possible.is_empty()).then(|| {
                self.of_all(typed, |Typed { word, readings }, slots| {
                    self.add_begun(word, readings.likely.iter().chain(&readings.possible), slots);
                })
            }),
        }
    }

    fn add_begun<'a>(
        &self,
        word: &str,
        readings: impl IntoIterator<Item = &'a String>,
        slots: &mut FixedBitSet,
    ) {
        self.words.add_with_prefix(word, slots);
        for reading in readings {
            self.words.add_with_prefix(reading, slots);
        }
    }

    /// The slots that match every word.
    fn of_all(&self, typed: &[Typed<'_>], add: impl Fn(&Typed<'_>, &mut FixedBitSet)) -> FixedBitSet {
        let slots = |typed: &Typed<'_>| {
            let mut slots = FixedBitSet::with_capacity(self.entries.slot_count());
            add(typed, &mut slots);
            slots
        };
        let common = |mut common: FixedBitSet, slots: FixedBitSet| {
            common.intersect_with(&slots);
            common
        };
        typed.iter().map(slots).reduce(common).unwrap_or_default()
    }

    /// The slots whose display name or address equals a text; the domain of an address may be in Unicode.
    fn that_are(&self, listed: &SortedView, folded: &str) -> Option<FixedBitSet> {
        let mut slots = Vec::new();
        let address = (!folded.is_ascii()).then(|| MailAddress::parse(folded).ok()).flatten();
        let address = address.as_ref().map_or(folded, MailAddress::as_str);
        for (key, text) in [(Key::ShownName, folded), (Key::Mail, address)] {
            let Some(order) = listed.by(key) else { continue };
            let value = |slot: &u32| self.entries.get(*slot).map(|entry| self.entries.key(key, entry).0);
            let place = order.seek(|slot| compare_with(&self.entries, key, slot, (text, "")));
            slots.extend(order.from(place).take_while(|slot| value(slot) == Some(text.as_bytes())));
        }
        if slots.is_empty() {
            return None;
        }
        let mut exact = FixedBitSet::with_capacity(self.entries.slot_count());
        for slot in slots {
            exact.insert(slot as usize);
        }
        Some(exact)
    }

    /// Takes the first slots of some kinds from a class until there are enough. A small class is sorted; a large one is
    /// found by walking along the order.
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
