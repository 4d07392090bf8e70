//! The book of one tenant, in memory: everything that has an address there, in every order in which it is listed, with
//! the words by which it is suggested, and when it changed.
//!
//! It is brought up to date entry by entry. Nothing here waits, and nothing asks anybody else.

mod entries;
mod history;
mod order;
#[cfg(test)]
pub(crate) mod sample;
mod search;
mod sorted_view;
#[cfg(test)]
mod spellings;
mod suggest;
#[cfg(test)]
mod tests;
mod text;

use crate::words::{self, index::WordIndex};
pub use entries::{Render, Rendered};

use entries::{Entries, Entry, Key};
use fixedbitset::FixedBitSet;
use history::History;
use mail_model::contact::{Kind, id::ContactId, record::Record, view::View};
use sorted_view::{Label, Sorted, SortedView};
use std::{panic::resume_unwind, thread};

/// The book of one tenant.
pub struct Book {
    entries: Entries,
    views: [SortedView; 4],
    kinds: [(Kind, FixedBitSet); 4],
    /// Of those that may be suggested.
    words: WordIndex,
    history: History,
}

/// What contacts are ordered by; ties by address, so every order is total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContactOrder {
    /// The shown name.
    #[default]
    DisplayName,
    /// The address.
    Mail,
    /// The last name; those without come first.
    LastName,
}

/// A page of contacts that is asked for.
#[derive(Clone, Debug)]
pub struct ContactsRequest {
    /// The view.
    pub view: View,
    /// Of these kinds; none means all.
    pub kinds: Vec<Kind>,
    /// Text whose words must all occur somewhere in a contact.
    pub search: String,
    /// The order.
    pub order: ContactOrder,
    /// Whether the whole order is turned round.
    pub descending: bool,
    /// How many come before the page.
    pub offset: usize,
    /// How many are on the page.
    pub limit: usize,
}

/// Some of the matches, and how many there are in all.
pub struct Found<'a> {
    /// Each as it is shown, in order.
    pub items: Vec<&'a [u8]>,
    /// All matches.
    pub count: usize,
}

/// What changed after a point of the feed, or the first of it.
pub struct Steps<'a> {
    /// In order of sequence numbers.
    pub steps: Vec<Step<'a>>,
    /// Whether there is more.
    pub more: bool,
}

/// A change at a point of the feed.
pub struct Step<'a> {
    /// Its sequence number.
    pub at: u64,
    /// What changed.
    pub change: Changed<'a>,
}

/// What changed.
pub enum Changed<'a> {
    /// A contact is new or another: as it is shown.
    Put(&'a [u8]),
    /// What had this identifier is there no longer, or seen by nobody.
    Delete(ContactId),
}

/// A book that is being made: its entries, in no order yet.
pub struct Draft(Entries);

impl Draft {
    /// An empty one.
    #[must_use]
    pub fn new(render: Render) -> Self {
        Self(Entries::new(render))
    }

    /// Remembers an entry as it is at a point of the feed, unless something newer is remembered of it.
    pub fn put(&mut self, record: &Record, at: u64) {
        let entries = &mut self.0;
        let old = entries.find(record.contact.id);
        if old.and_then(|slot| entries.get(slot)).is_some_and(|old| at < old.at) {
            return;
        }
        let entry = entries.draft(record, at, old);
        let (slot, old) = entries.put(entry, old);
        if let Some(old) = old {
            entries.give_up(&old, Some(slot));
        }
    }

    /// Puts everything in order.
    #[must_use]
    pub fn into_book(self) -> Book {
        let mut entries = self.0;
        entries.shrink();
        let of = entries.slot_count();
        // The words take as long as everything else.
        let (words, sorted, history) = thread::scope(|scope| {
            let words = scope.spawn(|| words_of(&entries, of));
            let (sorted, history) = (Sorted::of(&entries), History::of(&entries));
            (words.join().unwrap_or_else(|panic| resume_unwind(panic)), sorted, history)
        });
        Book {
            views: Label::ALL.map(|label| SortedView::of(label, &entries, &sorted)),
            kinds: Kind::ALL.map(|kind| (kind, of_kind(kind, &entries))),
            words,
            history,
            entries,
        }
    }
}

fn words_of(entries: &Entries, of: usize) -> WordIndex {
    let suggested = entries.iter().filter(|(_, entry)| entry.visibility.suggestions);
    WordIndex::of(suggested.map(|(slot, entry)| (slot, words::found_by(entries.suggested(entry)))), of)
}

impl Book {
    /// An empty one.
    #[must_use]
    pub fn new(render: Render) -> Self {
        Self {
            entries: Entries::new(render),
            views: Label::ALL.map(SortedView::new),
            kinds: Kind::ALL.map(|kind| (kind, FixedBitSet::new())),
            words: WordIndex::default(),
            history: History::default(),
        }
    }

    /// The book of some entries, each as it is at a point of the feed: the same as putting them one by one, and
    /// sooner done.
    #[must_use]
    pub fn of(render: Render, records: impl IntoIterator<Item = (Record, u64)>) -> Self {
        let mut draft = Draft::new(render);
        for (record, at) in records {
            draft.put(&record, at);
        }
        draft.into_book()
    }

    /// Remembers an entry as it is at a point of the feed, instead of what was remembered of it. What is older than that
    /// changes nothing.
    pub fn put(&mut self, record: &Record, at: u64) {
        let id = record.contact.id;
        if !self.is_news(id, at) {
            return;
        }
        self.history.forget_removal(id);
        let old = self.entries.find(id);
        let entry = self.entries.draft(record, at, old);
        if let Some(slot) = old {
            self.remove_from_views(slot, Some(&entry));
        }
        let (slot, old) = self.entries.put(entry, old);
        self.insert_into_views(slot, old.as_ref());
        if let Some(old) = old {
            self.entries.give_up(&old, Some(slot));
        }
    }

    /// Forgets an entry at a point of the feed. What is older than what is remembered of it changes nothing.
    pub fn remove(&mut self, id: ContactId, at: u64) {
        if !self.is_news(id, at) {
            return;
        }
        self.history.note_removal(id, at);
        let Some(slot) = self.entries.find(id) else { return };
        self.remove_from_views(slot, None);
        if let Some(old) = self.entries.take(slot) {
            self.entries.give_up(&old, None);
        }
    }

    /// Whether it has users, be they blocked.
    #[must_use]
    pub fn has_users(&self) -> bool {
        self.entries.iter().any(|(_, entry)| entry.is_user())
    }

    /// The newest point of the feed that was seen.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.history.version()
    }

    /// What changed after a point of the feed, at most so much. Of what is there no longer, or seen by nobody, only after
    /// another point. Sequence numbers begin at 1; changes of the same one come together, even beyond the limit.
    #[must_use]
    pub fn changes(&self, after: u64, removals_after: u64, limit: usize) -> Steps<'_> {
        self.history.steps(&self.entries, after, removals_after, limit)
    }

    /// Forgets which entries were removed up to a point of the feed.
    pub fn forget_removals(&mut self, up_to: u64) {
        self.history.forget_removals(up_to);
    }

    /// Whether something of an entry is not older than what is remembered of it.
    fn is_news(&mut self, id: ContactId, at: u64) -> bool {
        self.history.see(at);
        let present = self.entries.find(id).and_then(|slot| Some(self.entries.get(slot)?.at));
        present.or_else(|| self.history.removal(id)).is_none_or(|present| present <= at)
    }

    /// Takes the entry in a slot from every place where it will not be when another one comes instead.
    fn remove_from_views(&mut self, slot: u32, new: Option<&Entry>) {
        let Some(old) = self.entries.get(slot) else { return };
        for sorted_view in &mut self.views {
            sorted_view.remove(slot, &self.entries, old, new);
        }
        if let Some((_, slots)) = self.kinds.iter_mut().find(|(kind, _)| *kind == old.kind) {
            slots.set(slot as usize, false);
        }
        if !has_words_of(&self.entries, Some(old), new) && old.visibility.suggestions {
            self.words.remove(slot, &words::found_by(self.entries.suggested(old)));
        }
        self.history.remove(slot, &self.entries);
    }

    /// Puts the entry in a slot to every place where it is not because of what was there before.
    fn insert_into_views(&mut self, slot: u32, old: Option<&Entry>) {
        let Some(new) = self.entries.get(slot) else { return };
        for sorted_view in &mut self.views {
            sorted_view.insert(slot, &self.entries, old, new);
        }
        if let Some((_, slots)) = self.kinds.iter_mut().find(|(kind, _)| *kind == new.kind) {
            slots.grow_and_insert(slot as usize);
        }
        if !has_words_of(&self.entries, old, Some(new)) && new.visibility.suggestions {
            let words = words::found_by(self.entries.suggested(new));
            self.words.add(slot, &words, self.entries.slot_count());
        }
        self.history.insert(slot, &self.entries);
    }

    fn sorted_view(&self, label: Label) -> Option<&SortedView> {
        self.views.iter().find(|sorted_view| sorted_view.label() == label)
    }
}

/// Whether an entry is suggested by the same words as another one.
fn has_words_of(entries: &Entries, old: Option<&Entry>, new: Option<&Entry>) -> bool {
    old.zip(new).is_some_and(|(old, new)| {
        old.visibility.suggestions
            && new.visibility.suggestions
            && entries.suggested(old) == entries.suggested(new)
    })
}

fn of_kind(kind: Kind, entries: &Entries) -> FixedBitSet {
    let mut slots = FixedBitSet::with_capacity(entries.slot_count());
    entries.iter().filter(|(_, entry)| entry.kind == kind).for_each(|(slot, _)| slots.insert(slot as usize));
    slots
}

impl ContactOrder {
    const fn key(self) -> Key {
        match self {
            Self::DisplayName => Key::ShownName,
            Self::Mail => Key::Mail,
            Self::LastName => Key::LastName,
        }
    }
}
