//! The book of one tenant, in memory: every entry with an address, in every listed order, with the words for
//! suggestions and the time of its last change.
//!
//! A book is updated entry by entry. Nothing here blocks or calls another service.

mod entries;
mod history;
mod items;
mod order;
mod packing;
mod ranking;
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
pub use items::Items;

use entries::{Entries, Entry, Key, rank_of};
use fixedbitset::FixedBitSet;
use history::History;
use mail_model::contact::{Kind, id::ContactId, record::Record, view::View};
use ranking::Ranking;
use sorted_view::{ByAddress, Label, SortedView};
use std::{panic::resume_unwind, thread};

/// The book of one tenant.
pub struct Book {
    entries: Entries,
    views: [SortedView; 4],
    kinds: [(Kind, FixedBitSet); 4],
    /// Only of contacts that may be suggested.
    ranking: Ranking,
    /// The words of the same contacts.
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
pub struct Found {
    /// The matches as JSON, in order.
    pub items: Items,
    /// The number of all matches.
    pub count: usize,
}

/// A user of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFound {
    /// The identifier of the entry.
    pub id: ContactId,
    /// The user as JSON.
    pub json: Vec<u8>,
    /// The tag of the entry's version, see [`mail_model::revision::Version::tag`].
    pub tag: String,
}

/// The changes after a point of the feed, or the first of them.
pub struct Steps {
    /// In order of sequence numbers.
    pub steps: Vec<Step>,
    /// Whether there are more changes.
    pub more: bool,
}

/// A change at a point of the feed.
pub struct Step {
    /// Its sequence number.
    pub at: u64,
    /// What changed.
    pub change: Changed,
}

/// What changed.
pub enum Changed {
    /// A contact is new or has changed: its JSON.
    Put(Vec<u8>),
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
        let by_address = ByAddress::of(&entries);
        let by_name = by_address.sorted_by(Key::ShownName, &entries);
        let ranking = ranking_of(&by_name, &entries);
        // The word index takes longer than all the rest, so it is built on a thread of its own.
        let (words, views, history) = thread::scope(|scope| {
            let words = scope.spawn(|| words_of(&ranking, &entries));
            let views = views_of(&by_address, &by_name, &entries);
            let history = History::of(&entries);
            (words.join().unwrap_or_else(|panic| resume_unwind(panic)), views, history)
        });
        Book {
            views,
            kinds: Kind::ALL.map(|kind| (kind, of_kind(kind, &entries))),
            ranking,
            words,
            history,
            entries,
        }
    }
}

/// The ranking of the entries that may be suggested, from all slots in order of display name.
fn ranking_of(by_name: &[u32], entries: &Entries) -> Ranking {
    let suggested = by_name.iter().filter_map(|slot| {
        let entry = entries.get(*slot).filter(|entry| entry.visibility.suggestions)?;
        Some((rank_of(entry.kind), *slot))
    });
    let mut ranked: Vec<_> = suggested.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    Ranking::of_sorted(&ranked.into_iter().map(|(_, slot)| slot).collect::<Vec<_>>())
}

fn words_of(ranking: &Ranking, entries: &Entries) -> WordIndex {
    let places = ranking.slots_and_places();
    let words = |slot| entries.get(slot).map(|entry| words::found_by(entries.suggested(entry)));
    WordIndex::of(places.filter_map(|(slot, place)| Some((place, words(slot)?))))
}

fn views_of(by_address: &ByAddress, by_name: &[u32], entries: &Entries) -> [SortedView; 4] {
    let mut views = Label::ALL.map(SortedView::new);
    for view in &mut views {
        view.fill(entries);
    }
    for key in Key::ALL {
        // Of the orders of all entries, two are in memory at most.
        let sorted = if key == Key::ShownName { by_name } else { &by_address.sorted_by(key, entries) };
        for view in &mut views {
            view.set_order(key, sorted);
        }
    }
    views
}

impl Book {
    /// An empty book.
    #[must_use]
    pub fn new(render: Render) -> Self {
        Self {
            entries: Entries::new(render),
            views: Label::ALL.map(SortedView::new),
            kinds: Kind::ALL.map(|kind| (kind, FixedBitSet::new())),
            ranking: Ranking::default(),
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
        self.entries.iter().any(|(_, entry)| entry.is_user)
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
    pub fn changes(&self, after: u64, removals_after: u64, limit: usize) -> Steps {
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
        if !is_suggested_alike(&self.entries, Some(old), new)
            && let Some(place) = self.ranking.remove(slot)
        {
            self.words.remove(place, &words::found_by(self.entries.suggested(old)));
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
        let is_placed = is_suggested_alike(&self.entries, old, Some(new));
        if new.visibility.suggestions && !is_placed {
            self.place(slot);
        }
        self.history.insert(slot, &self.entries);
    }

    /// Ranks the entry in a slot among the suggestions, and indexes its words.
    fn place(&mut self, slot: u32) {
        let Self { entries, ranking, words, .. } = self;
        let rank = entries.rank(slot);
        for placed in ranking.insert(slot, |other| entries.rank(other).cmp(&rank)) {
            let Some(entry) = entries.get(placed.slot) else { continue };
            let found_by = words::found_by(entries.suggested(entry));
            if let Some(from) = placed.from {
                words.remove(from, &found_by);
            }
            words.add(placed.to, &found_by);
        }
    }

    fn sorted_view(&self, label: Label) -> Option<&SortedView> {
        self.views.iter().find(|sorted_view| sorted_view.label() == label)
    }
}

/// Whether both entries may be suggested, have the same rank and are found by the same words.
fn is_suggested_alike(entries: &Entries, old: Option<&Entry>, new: Option<&Entry>) -> bool {
    old.zip(new).is_some_and(|(old, new)| {
        old.visibility.suggestions
            && new.visibility.suggestions
            && rank_of(old.kind) == rank_of(new.kind)
            && entries.key(Key::ShownName, old) == entries.key(Key::ShownName, new)
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
