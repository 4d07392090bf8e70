//! The book of one tenant, in memory: every entry with an address, in every listed order, with the words for
//! suggestions and the time of its last change.
//!
//! A book is updated entry by entry. Nothing here blocks or calls another service.

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
    /// Only of contacts that may be suggested.
    words: WordIndex,
    history: History,
}

/// The orders of contacts. Equal keys are ordered by address, so every order is total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContactOrder {
    /// The display name.
    #[default]
    DisplayName,
    /// The address.
    Mail,
    /// The last name; contacts without a last name come first.
    LastName,
}

/// A request for a page of contacts.
#[derive(Clone, Debug)]
pub struct ContactsRequest {
    /// The view.
    pub view: View,
    /// The kinds to include; an empty list means all.
    pub kinds: Vec<Kind>,
    /// Each word of this text must occur somewhere in the contact.
    pub search: String,
    /// The order.
    pub order: ContactOrder,
    /// Whether to reverse the order.
    pub descending: bool,
    /// The number of contacts before the page.
    pub offset: usize,
    /// The number of contacts on the page.
    pub limit: usize,
}

/// Part of the matches, and the number of all matches.
pub struct Found<'a> {
    /// The matches as JSON, in order.
    pub items: Vec<&'a [u8]>,
    /// The number of all matches.
    pub count: usize,
}

/// A user of the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserFound<'a> {
    /// The identifier of the entry.
    pub id: ContactId,
    /// The user as JSON.
    pub json: &'a [u8],
    /// The tag of the entry's version, see [`mail_model::revision::Version::tag`].
    pub tag: &'a str,
}

/// The changes after a point of the feed, or the first of them.
pub struct Steps<'a> {
    /// In order of sequence numbers.
    pub steps: Vec<Step<'a>>,
    /// Whether there are more changes.
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
    /// A contact is new or has changed: its JSON.
    Put(&'a [u8]),
    /// The entry with this identifier is gone, or no view shows it any more.
    Delete(ContactId),
}

/// A book under construction: its entries, not sorted yet.
pub struct Draft(Entries);

impl Draft {
    /// An empty one.
    #[must_use]
    pub fn new(render: Render) -> Self {
        Self(Entries::new(render))
    }

    /// Stores an entry as of a point of the feed, unless a newer state of it is stored.
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

    /// Sorts the entries and builds the indexes.
    #[must_use]
    pub fn into_book(self) -> Book {
        let mut entries = self.0;
        entries.shrink();
        let of = entries.slot_count();
        // The word index takes as long as all the rest, so it is built on a thread of its own.
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
    /// An empty book.
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

    /// The book of some entries, each as of a point of the feed. The result is the same as that of single calls of
    /// `put`, but faster.
    #[must_use]
    pub fn of(render: Render, records: impl IntoIterator<Item = (Record, u64)>) -> Self {
        let mut draft = Draft::new(render);
        for (record, at) in records {
            draft.put(&record, at);
        }
        draft.into_book()
    }

    /// Replaces the stored state of an entry by its state at a point of the feed. An older state changes nothing.
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

    /// Removes an entry at a point of the feed. A removal that is older than the stored state changes nothing.
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

    /// Whether the book has users, including blocked ones.
    #[must_use]
    pub fn has_users(&self) -> bool {
        self.entries.iter().any(|(_, entry)| entry.is_user())
    }

    /// The newest point of the feed so far.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.history.version()
    }

    /// The changes after a point of the feed, at most `limit`. Removed and hidden entries are included only after a
    /// second point. Sequence numbers begin at 1; changes with the same number are never separated, even if they exceed
    /// the limit.
    #[must_use]
    pub fn changes(&self, after: u64, removals_after: u64, limit: usize) -> Steps<'_> {
        self.history.steps(&self.entries, after, removals_after, limit)
    }

    /// Forgets removals up to a point of the feed.
    pub fn forget_removals(&mut self, up_to: u64) {
        self.history.forget_removals(up_to);
    }

    /// Whether a state of an entry is at least as new as the stored one.
    fn is_news(&mut self, id: ContactId, at: u64) -> bool {
        self.history.see(at);
        let present = self.entries.find(id).and_then(|slot| Some(self.entries.get(slot)?.at));
        present.or_else(|| self.history.removal(id)).is_none_or(|present| present <= at)
    }

    /// Removes the entry in a slot from every view and position that the new entry does not have.
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

    /// Adds the entry in a slot to every view and position that the old entry did not have.
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

/// Whether both entries have the same words for suggestions.
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
