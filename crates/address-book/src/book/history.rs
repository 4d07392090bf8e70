//! When entries changed: the newest change of each entry, in order of sequence numbers, and the removed entries.

use super::{
    Changed, Step, Steps,
    entries::{Entries, Entry},
    order::Order,
};
use mail_model::contact::id::ContactId;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

/// The history of changes.
#[derive(Default)]
pub(super) struct History {
    /// The present entries, in order of their newest changes.
    order: Order,
    removed: HashMap<ContactId, u64>,
    removals: BTreeMap<u64, Vec<ContactId>>,
    version: u64,
}

impl History {
    /// A history of present entries without any removals.
    pub(super) fn of(entries: &Entries) -> Self {
        let mut slots: Vec<_> = entries.iter().map(|(slot, entry)| (entry.at, slot)).collect();
        slots.sort_unstable();
        let version = slots.last().map_or(0, |(at, _)| *at);
        let slots: Vec<_> = slots.into_iter().map(|(_, slot)| slot).collect();
        Self { order: Order::of_sorted(&slots), version, ..Self::default() }
    }

    /// The newest sequence number so far.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// Records that a sequence number was seen.
    pub(super) fn see(&mut self, at: u64) {
        self.version = self.version.max(at);
    }

    /// When an absent entry was removed.
    pub(super) fn removal(&self, id: ContactId) -> Option<u64> {
        self.removed.get(&id).copied()
    }

    /// Records the removal of an entry.
    pub(super) fn note_removal(&mut self, id: ContactId, at: u64) {
        self.forget_removal(id);
        self.removed.insert(id, at);
        self.removals.entry(at).or_default().push(id);
    }

    /// Forgets the removal of an entry, which is present again.
    pub(super) fn forget_removal(&mut self, id: ContactId) {
        let Some(at) = self.removed.remove(&id) else { return };
        if let Some(ids) = self.removals.get_mut(&at) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.removals.remove(&at);
            }
        }
    }

    /// Forgets removals up to and including a sequence number.
    pub(super) fn forget_removals(&mut self, up_to: u64) {
        while let Some(oldest) = self.removals.first_entry().filter(|oldest| *oldest.key() <= up_to) {
            for id in oldest.remove() {
                self.removed.remove(&id);
            }
        }
    }

    /// Adds the entry in a slot to the order.
    pub(super) fn insert(&mut self, slot: u32, entries: &Entries) {
        self.order.insert(slot, |other| compare(entries, other, slot));
    }

    /// Removes the entry in a slot from the order.
    pub(super) fn remove(&mut self, slot: u32, entries: &Entries) {
        self.order.remove(slot, |other| compare(entries, other, slot));
    }

    /// The changes after a sequence number, at most `limit`; removals only after a second number. Changes with the same
    /// sequence number are never separated, even if they exceed the limit.
    pub(super) fn steps(&self, entries: &Entries, after: u64, removals_after: u64, limit: usize) -> Steps {
        let mut puts = self.puts(entries, after, removals_after).peekable();
        let mut removals = self.removals(after.max(removals_after)).peekable();
        let mut next = || match (puts.peek(), removals.peek()) {
            (Some(put), Some(removal)) if put.at <= removal.at => puts.next(),
            (_, Some(_)) => removals.next(),
            (_, None) => puts.next(),
        };
        let mut steps: Vec<Step> = Vec::new();
        while let Some(step) = next() {
            if steps.len() >= limit && steps.last().is_none_or(|last| last.at != step.at) {
                return Steps { steps, more: true };
            }
            steps.push(step);
        }
        Steps { steps, more: false }
    }

    fn puts(&self, entries: &Entries, after: u64, removals_after: u64) -> impl Iterator<Item = Step> {
        let is_past =
            move |slot| entries.get(slot).map(|entry| entry.at).cmp(&Some(after)).then(Ordering::Less);
        let slots = self.order.from(self.order.seek(is_past));
        slots
            .filter_map(|slot| entries.get(slot))
            .filter(move |entry| entry.is_contact() || entry.at > removals_after)
            .map(move |entry| Step { at: entry.at, change: change_of(entries, entry) })
    }

    fn removals(&self, after: u64) -> impl Iterator<Item = Step> {
        self.removals
            .range((Bound::Excluded(after), Bound::Unbounded))
            .flat_map(|(at, ids)| ids.iter().map(|id| Step { at: *at, change: Changed::Delete(*id) }))
    }
}

fn change_of(entries: &Entries, entry: &Entry) -> Changed {
    if entry.is_contact() { Changed::Put(entries.contact_shown(entry)) } else { Changed::Delete(entry.id) }
}

fn compare(entries: &Entries, one: u32, other: u32) -> Ordering {
    let [one, other] = [one, other].map(|slot| (entries.get(slot).map(|entry| entry.at), slot));
    one.cmp(&other)
}
