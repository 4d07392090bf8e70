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
    Book, Items,
    entries::{Form, Key, rank_of},
    sorted_view::{Label, compare_with},
};
use crate::words::{
    self, Readings, layout,
    set::{Common, PlaceSet},
};
use mail_model::{
    address::MailAddress,
    contact::{Kind, view::View},
    list::MAX_SEARCH_WORDS,
};

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

/// A kind of each rank, best first.
const RANKS: [Kind; 3] = [Kind::User, Kind::List, Kind::Resource];

/// The classes that read the text as typed on the intended keyboard layout.
const CERTAIN: [Class; 4] = [Class::Exact, Class::Whole, Class::Written, Class::Likely];

/// The state of a search, which tries class after class.
struct Search<'a> {
    text: &'a str,
    typed: Vec<Typed<'a>>,
    limit: usize,
    /// The first slots of the classes tried so far, in order. Unless there are enough, these are all their slots.
    taken: Vec<u32>,
}

impl Search<'_> {
    /// A search for a folded text; `None` if the text has no word.
    fn new(folded: &str, limit: usize) -> Option<Search<'_>> {
        let mut words: Vec<_> = words::cut(folded).take(MAX_SEARCH_WORDS).collect();
        words.sort_unstable();
        words.dedup();
        if words.is_empty() {
            return None;
        }
        let typed = words.into_iter().map(|word| Typed { word, readings: words::readings(word) }).collect();
        Some(Search { text: folded.trim(), typed, limit, taken: Vec::new() })
    }

    fn has_enough(&self) -> bool {
        self.taken.len() >= self.limit
    }

    /// Takes slots in order until there are enough.
    fn take(&mut self, slots: impl IntoIterator<Item = u32>) {
        for slot in slots {
            if self.has_enough() {
                return;
            }
            if !self.taken.contains(&slot) {
                self.taken.push(slot);
            }
        }
    }
}

impl Book {
    /// The contacts that a text may mean, best first, as JSON.
    #[must_use]
    pub fn suggest(&self, text: &str, limit: usize) -> Items {
        let folded = words::fold(text);
        let Some(mut search) = Search::new(&folded, limit) else { return Items::default() };
        self.look_for(&mut search, &CERTAIN);
        if search.taken.is_empty() {
            for reading in layout::other_readings(text).chain(words::without_apostrophes(text)) {
                let folded = words::fold(&reading);
                let Some(mut other) = Search::new(&folded, limit) else { continue };
                self.look_for(&mut other, &CERTAIN);
                if !other.taken.is_empty() {
                    return self.shown(other.taken, Form::Contact);
                }
            }
        }
        self.look_for(&mut search, &[Class::Possible]);
        self.shown(search.taken, Form::Contact)
    }

    /// Takes the first slots of each class until there are enough.
    fn look_for(&self, search: &mut Search<'_>, classes: &[Class]) {
        for class in classes {
            if search.has_enough() {
                return;
            }
            if *class == Class::Exact {
                let exact = self.exact(search);
                search.take(exact);
            } else if let Some(sets) = self.sets_of(*class, &search.typed) {
                let common = Common::of(sets, self.ranking.block_count());
                self.take_common(&common, search);
            }
        }
    }

    /// Takes the slots at the common places of some sets, block by block.
    fn take_common(&self, common: &Common<'_>, search: &mut Search<'_>) {
        for block in self.ranking.blocks().filter(|block| common.has_block(*block)) {
            let members = common.members(block);
            search.take(self.ranking.slots(block, &members));
            if search.has_enough() {
                return;
            }
        }
    }

    /// For each word, the sets whose members belong to a class, possibly with members of better classes. `None` if the
    /// class cannot add any.
    fn sets_of<'a>(&'a self, class: Class, typed: &[Typed<'_>]) -> Option<Vec<Vec<&'a PlaceSet>>> {
        let any =
            |has_readings: fn(&Readings) -> bool| typed.iter().any(|typed| has_readings(&typed.readings));
        let is_due = match class {
            Class::Exact => false,
            Class::Whole | Class::Written => true,
            Class::Likely => any(|readings| !readings.likely.is_empty()),
            Class::Possible => any(|readings| !readings.possible.is_empty()),
        };
        let sets = |typed| Some(self.sets_of_word(class, typed)).filter(|sets| !sets.is_empty());
        if is_due { typed.iter().map(sets).collect() } else { None }
    }

    fn sets_of_word<'a, 'b>(&'a self, class: Class, typed: &'b Typed<'_>) -> Vec<&'a PlaceSet> {
        let Typed { word, readings } = typed;
        let begun = |reading: &'b String| self.words.with_prefix(reading);
        let likely = || readings.likely.iter().flat_map(begun);
        match class {
            Class::Exact => Vec::new(),
            Class::Whole => {
                let words = readings.likely.first().map(String::as_str).into_iter().chain([*word]);
                words.filter_map(|word| self.words.with_word(word)).collect()
            }
            Class::Written => self.words.with_prefix(word).collect(),
            Class::Likely => self.words.with_prefix(word).chain(likely()).collect(),
            Class::Possible => {
                let possible = readings.possible.iter().flat_map(begun);
                self.words.with_prefix(word).chain(likely()).chain(possible).collect()
            }
        }
    }

    /// The slots whose display name or address equals the text, best first, at least as many as are asked for; the domain
    /// of an address may be in Unicode.
    fn exact(&self, search: &Search<'_>) -> Vec<u32> {
        // A name or an address in ASCII letters consists of the words that it is found by.
        let is_known = search.typed.iter().all(|typed| self.words.with_word(typed.word).is_some());
        let mut slots = Vec::new();
        if is_known {
            slots.extend(RANKS.iter().flat_map(|kind| self.named(*kind, search)));
        }
        if is_known || !search.text.is_ascii() {
            slots.extend(self.addressed(search.text));
        }
        slots.sort_unstable_by_key(|slot| self.entries.rank(*slot));
        slots
    }

    /// The first slots of entries that rank like a kind, and whose display name equals the text.
    fn named<'a>(&'a self, kind: Kind, search: &'a Search<'_>) -> impl Iterator<Item = u32> + 'a {
        let compare = move |slot: u32| {
            let entry = self.entries.get(slot);
            let found = entry.map(|entry| (rank_of(entry.kind), self.entries.key(Key::ShownName, entry).0));
            found.cmp(&Some((rank_of(kind), search.text.as_bytes())))
        };
        self.ranking.from(compare).take_while(move |slot| compare(*slot).is_eq()).take(search.limit)
    }

    /// The slots of entries with an address.
    fn addressed(&self, folded: &str) -> Vec<u32> {
        let address = (!folded.is_ascii()).then(|| MailAddress::parse(folded).ok()).flatten();
        let address = address.as_ref().map_or(folded, MailAddress::as_str);
        let listed = self.sorted_view(Label::Contacts(View::Suggestions));
        let Some(order) = listed.and_then(|listed| listed.by(Key::Mail)) else { return Vec::new() };
        let value = |slot: &u32| self.entries.get(*slot).map(|entry| self.entries.key(Key::Mail, entry).0);
        let place = order.seek(|slot| compare_with(&self.entries, Key::Mail, slot, (address, "")));
        order.from(place).take_while(|slot| value(slot) == Some(address.as_bytes())).collect()
    }
}
