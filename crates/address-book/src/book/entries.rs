//! The entries of a book, each in a slot. All texts are in one string, so a search reads memory sequentially.

use super::{
    packing::Packing,
    text::{self, Outline, Part},
};
use hashbrown::HashTable;
use mail_model::contact::{
    Kind,
    id::ContactId,
    record::Record,
    view::{View, Visibility},
};
use std::hash::{BuildHasher, RandomState};

/// The texts are compacted when less than one part in this many is still in use.
const LEAST_SHARE_IN_USE: usize = 2;
/// Up to this many unused bytes, compacting is not worth its cost.
const WASTE_WITHOUT_WORRY: usize = 1 << 16;
/// A full store grows by one part in this many: doubling it would leave half of it empty.
const GROWTH_SHARE: usize = 16;

/// The stored form of an entry.
pub(super) struct Entry {
    pub(super) id: ContactId,
    pub(super) at: u64,
    /// The contact, and the user's row.
    rendered: Box<[u8]>,
    outline: Outline,
    text_start: u32,
    pub(super) kind: Kind,
    pub(super) visibility: Visibility,
    /// Whether the entry is a user, blocked or not.
    pub(super) is_user: bool,
    /// The tag of the user's version; empty if the entry is not a user.
    pub(super) tag: Box<str>,
}

impl Entry {
    /// Whether any view shows the entry.
    pub(super) fn is_contact(&self) -> bool {
        self.visibility.is_in(View::All)
    }
}

/// The rendered forms of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The contact.
    Contact,
    /// The user's row; empty if the entry is not a user.
    User,
}

/// The sort keys of entries. Equal keys are ordered by address, and equal addresses by identifier: an address from
/// outside may occur twice in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The display name, folded.
    ShownName,
    /// The address, folded.
    Mail,
    /// The last name, folded.
    LastName,
    /// The address of a user.
    UserMail,
    /// The first name of a user, folded.
    UserFirstName,
    /// The last name of a user, folded.
    UserLastName,
}

impl Key {
    pub(super) const ALL: [Self; 6] = [
        Self::ShownName,
        Self::Mail,
        Self::LastName,
        Self::UserMail,
        Self::UserFirstName,
        Self::UserLastName,
    ];
}

/// The rendered forms of an entry, as bytes, so that pages are assembled from stored parts.
pub struct Rendered {
    /// The contact.
    pub contact: Vec<u8>,
    /// The entry's row in the list of users, if it is a user.
    pub user: Option<Vec<u8>>,
}

/// Renders an entry.
pub type Render = fn(&Record) -> Rendered;

/// All entries.
pub(super) struct Entries {
    render: Render,
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
    hasher: RandomState,
    texts: String,
    /// The number of bytes in the texts that belong to no entry.
    waste: usize,
    packing: Packing,
}

impl Entries {
    /// Creates an empty set whose entries are rendered by `render`.
    pub(super) fn new(render: Render) -> Self {
        Self {
            render,
            slots: Vec::new(),
            free: Vec::new(),
            by_id: HashTable::new(),
            hasher: RandomState::new(),
            texts: String::new(),
            waste: 0,
            packing: Packing::default(),
        }
    }

    /// The number of slots, including free ones.
    pub(super) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// The entry in a slot.
    pub(super) fn get(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// The occupied slots with their entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.slots).filter_map(|(slot, entry)| Some((slot, entry.as_ref()?)))
    }

    /// The slot of an entry.
    pub(super) fn find(&self, id: ContactId) -> Option<u32> {
        let is_it = |slot: &u32| self.get(*slot).is_some_and(|entry| entry.id == id);
        self.by_id.find(self.hasher.hash_one(id), is_it).copied()
    }

    /// Creates an entry without giving it a slot. If the old entry has the same text, both share it.
    pub(super) fn draft(&mut self, record: &Record, at: u64, old: Option<u32>) -> Entry {
        let (text, outline) = text::write(record);
        let same = old.and_then(|slot| self.get(slot)).filter(|old| self.text(old) == text);
        let text_start = same.map_or_else(|| short(self.texts.len()), |old| old.text_start);
        if same.is_none() {
            if self.texts.capacity() - self.texts.len() < text.len() {
                self.texts.reserve_exact(text.len() + self.texts.len() / GROWTH_SHARE);
            }
            self.texts.push_str(&text);
        }
        let Rendered { contact, user } = (self.render)(record);
        Entry {
            id: record.contact.id,
            at,
            rendered: self.packing.pack(&contact, user.as_deref().unwrap_or_default()),
            outline,
            text_start,
            kind: record.contact.kind,
            visibility: record.visibility,
            is_user: user.is_some(),
            tag: record.user.as_ref().map(|live| live.version.tag()).unwrap_or_default().into(),
        }
    }

    /// Puts an entry into the slot of the old one, which is returned, or into a slot of its own.
    pub(super) fn put(&mut self, entry: Entry, old: Option<u32>) -> (u32, Option<Entry>) {
        let id = entry.id;
        let slot = old.or_else(|| self.free.pop()).unwrap_or_else(|| self.new_slot());
        let old_entry = self.slots.get_mut(slot as usize).and_then(|place| place.replace(entry));
        if old.is_none() {
            let Self { slots, by_id, hasher, .. } = self;
            by_id.insert_unique(hasher.hash_one(id), slot, |slot| hash_of(slots, hasher, *slot));
        }
        (slot, old_entry)
    }

    fn new_slot(&mut self) -> u32 {
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(1 + self.slots.len() / GROWTH_SHARE);
        }
        self.slots.push(None);
        u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
    }

    /// Removes the entry from a slot and frees the slot.
    pub(super) fn take(&mut self, slot: u32) -> Option<Entry> {
        let entry = self.slots.get_mut(slot as usize)?.take()?;
        if let Ok(place) = self.by_id.find_entry(self.hasher.hash_one(entry.id), |other| *other == slot) {
            place.remove();
        }
        self.free.push(slot);
        Some(entry)
    }

    /// Releases the text of an entry that no slot holds any more; `heir` is the entry that now has its slot.
    pub(super) fn give_up(&mut self, old: &Entry, heir: Option<u32>) {
        let is_in_use =
            heir.and_then(|slot| self.get(slot)).is_some_and(|heir| heir.text_start == old.text_start);
        if !is_in_use {
            self.waste += old.outline.length();
        }
        if self.waste > WASTE_WITHOUT_WORRY && self.waste > self.texts.len() / LEAST_SHARE_IN_USE {
            self.move_texts_together();
        }
    }

    fn move_texts_together(&mut self) {
        let used = self.texts.len() - self.waste;
        let mut texts = String::with_capacity(used + used / GROWTH_SHARE);
        for entry in self.slots.iter_mut().flatten() {
            let text = text_of(&self.texts, entry);
            entry.text_start = short(texts.len());
            texts.push_str(text);
        }
        self.texts = texts;
        self.waste = 0;
    }

    fn text(&self, entry: &Entry) -> &str {
        text_of(&self.texts, entry)
    }

    /// Part of the text of an entry, read without touching the rest.
    pub(super) fn part(&self, entry: &Entry, part: Part) -> &[u8] {
        let span = entry.outline.span(part);
        self.texts.as_bytes().get(span.within(entry.text_start as usize)).unwrap_or_default()
    }

    /// The names and addresses of an entry, whose words the suggestions search.
    pub(super) fn suggested(&self, entry: &Entry) -> &str {
        let span = entry.outline.span(Part::Suggested);
        self.texts.get(span.within(entry.text_start as usize)).unwrap_or_default()
    }

    /// Appends a rendered form of an entry.
    pub(super) fn show(&self, entry: &Entry, form: Form, out: &mut Vec<u8>) {
        match form {
            Form::Contact => self.packing.unpack_first(&entry.rendered, out),
            Form::User => self.packing.unpack_second(&entry.rendered, out),
        }
    }

    /// The contact of an entry.
    pub(super) fn contact_shown(&self, entry: &Entry) -> Vec<u8> {
        let mut shown = Vec::new();
        self.show(entry, Form::Contact, &mut shown);
        shown
    }

    #[cfg(test)]
    pub(super) fn text_size(&self) -> usize {
        self.texts.len()
    }

    /// Releases unused memory.
    pub(super) fn shrink(&mut self) {
        self.slots.shrink_to_fit();
        self.texts.shrink_to_fit();
        let Self { slots, by_id, hasher, .. } = self;
        by_id.shrink_to_fit(|slot| hash_of(slots, hasher, *slot));
    }

    /// The sort key of an entry, followed by the address that orders equal keys.
    pub(super) fn key(&self, key: Key, entry: &Entry) -> (&[u8], &[u8]) {
        let value = match key {
            Key::UserMail => &[],
            Key::ShownName => self.part(entry, Part::ShownName),
            Key::Mail => self.part(entry, Part::Mail),
            Key::LastName => self.part(entry, Part::LastName),
            Key::UserFirstName => self.part(entry, Part::UserFirstName),
            Key::UserLastName => self.part(entry, Part::UserLastName),
        };
        (value, self.part(entry, Part::Address))
    }

    /// The position of an entry in an order.
    pub(super) fn standing(&self, key: Key, slot: u32) -> Option<SortPosition<'_>> {
        self.get(slot).map(|entry| (self.key(key, entry), entry.id))
    }

    /// The rank of an entry among suggestions.
    pub(super) fn rank(&self, slot: u32) -> Option<(u8, SortPosition<'_>)> {
        self.get(slot).map(|entry| (rank_of(entry.kind), (self.key(Key::ShownName, entry), entry.id)))
    }
}

/// The values that determine the position of an entry in an order: sort key, address and identifier.
pub(super) type SortPosition<'a> = ((&'a [u8], &'a [u8]), ContactId);

/// The rank of a kind among suggestions, which precedes the name: people, then lists, then resources.
pub(super) const fn rank_of(kind: Kind) -> u8 {
    match kind {
        Kind::User | Kind::Contact => 0,
        Kind::List => 1,
        Kind::Resource => 2,
    }
}

fn hash_of(slots: &[Option<Entry>], hasher: &RandomState, slot: u32) -> u64 {
    let entry = slots.get(slot as usize).and_then(Option::as_ref);
    entry.map_or(0, |entry| hasher.hash_one(entry.id))
}

fn text_of<'a>(texts: &'a str, entry: &Entry) -> &'a str {
    let start = entry.text_start as usize;
    texts.get(start..start + entry.outline.length()).unwrap_or_default()
}

/// Offsets fit into 32 bits: that suffices for the texts of some ten million entries.
fn short(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
