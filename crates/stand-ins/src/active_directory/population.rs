//! All entries of the domain, with what a domain controller adds to each: its identifiers, and the number of its last
//! change.

use super::{domain::DOMAIN, entry::Entry};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The relative identifier of the first entry. Lower ones belong to the groups that every domain has.
const FIRST_RELATIVE_ID: u32 = 1103;

/// Makes an entry for a number.
type Make = Box<dyn Fn(usize) -> Entry + Send + Sync>;

/// All entries.
pub(crate) struct Population {
    /// By their DNs in lower case.
    stored: BTreeMap<String, Entry>,
    made: usize,
    make: Option<Make>,
    made_at: u64,
    containers: BTreeSet<String>,
    identifiers: u32,
    /// The number of the last change.
    pub(crate) usn: u64,
    /// How often the database was restored.
    pub(crate) invocation: u8,
}

impl Default for Population {
    fn default() -> Self {
        Self {
            stored: BTreeMap::new(),
            made: 0,
            make: None,
            made_at: 0,
            containers: [DOMAIN.to_lowercase()].into(),
            identifiers: 0,
            usn: 12_000,
            invocation: 0,
        }
    }
}

impl fmt::Debug for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Population").field("made", &self.made).finish_non_exhaustive()
    }
}

impl Population {
    pub(crate) fn put(&mut self, entry: Entry) {
        let key = entry.dn().to_lowercase();
        self.add_containers(&key);
        let entry = if let Some(old) = self.stored.get(&key) {
            let keep = |entry: Entry, name| entry.with_bytes(name, old.values(name).to_vec());
            keep(keep(entry, "objectGUID"), "objectSid")
        } else {
            self.identifiers += 1;
            identified(entry, 0, self.identifiers)
        };
        let entry = self.counted(entry);
        self.stored.insert(key, entry);
    }

    pub(crate) fn generate(&mut self, count: usize, make: Make) {
        if count > 0 {
            self.add_containers(&make(0).dn().to_lowercase());
        }
        self.usn += count as u64;
        (self.made, self.make, self.made_at) = (count, Some(make), self.usn);
    }

    pub(crate) fn change(&mut self, dn: &str, change: impl FnOnce(Entry) -> Entry) {
        let entry = self.taken(dn);
        self.restore(change(entry));
    }

    pub(crate) fn rename(&mut self, dn: &str, new_dn: &str) {
        let mut entry = self.taken(dn);
        entry.set_dn(new_dn);
        self.add_containers(&new_dn.to_lowercase());
        self.restore(entry);
        self.change_members(dn, Some(new_dn));
    }

    pub(crate) fn delete(&mut self, dn: &str) {
        self.usn += 1;
        self.taken(dn);
        self.change_members(dn, None);
    }

    /// Whether there is a container or an entry with this DN.
    pub(crate) fn has(&self, dn: &str) -> bool {
        let key = dn.to_lowercase();
        self.containers.contains(&key) || self.stored.contains_key(&key)
    }

    /// The entry that was put with this DN.
    pub(crate) fn get(&self, dn: &str) -> Option<&Entry> {
        self.stored.get(&dn.to_lowercase())
    }

    /// All entries from a number on, with their numbers.
    pub(crate) fn from(&self, first: usize) -> impl Iterator<Item = (usize, Entry)> {
        let made = (first..self.made).filter_map(|number| Some((number, self.made(number)?)));
        let stored = self.stored.values().cloned().enumerate().skip(first.saturating_sub(self.made));
        made.chain(stored.map(|(number, entry)| (number + self.made, entry)))
    }

    fn made(&self, number: usize) -> Option<Entry> {
        let entry = self.make.as_ref()?(number);
        let usn = self.made_at - (self.made - 1 - number) as u64;
        let entry = identified(entry, 1, u32::try_from(number).ok()?);
        Some(entry.with("uSNChanged", &usn.to_string()))
    }

    fn taken(&mut self, dn: &str) -> Entry {
        self.stored.remove(&dn.to_lowercase()).unwrap_or_else(|| panic!("there is no entry {dn}"))
    }

    fn restore(&mut self, entry: Entry) {
        let entry = self.counted(entry);
        self.stored.insert(entry.dn().to_lowercase(), entry);
    }

    fn counted(&mut self, entry: Entry) -> Entry {
        self.usn += 1;
        entry.with("uSNChanged", &self.usn.to_string())
    }

    fn add_containers(&mut self, dn: &str) {
        let mut rest = dn;
        while let Some((_, parent)) = rest.split_once(',')
            && rest != DOMAIN.to_lowercase()
        {
            self.containers.insert(parent.to_owned());
            rest = parent;
        }
    }

    /// Replaces a member in every group, or removes it. As in a domain, that is no change of the group.
    fn change_members(&mut self, dn: &str, new_dn: Option<&str>) {
        for members in self.stored.values_mut().filter_map(|entry| entry.values_mut("member")) {
            if let Some(place) = members.iter().position(|member| member.eq_ignore_ascii_case(dn.as_bytes()))
            {
                members.remove(place);
                members.extend(new_dn.map(|dn| dn.as_bytes().to_vec()));
            }
        }
    }
}

/// The entry with identifiers made of a number, unless it has its own.
fn identified(entry: Entry, kind: u8, number: u32) -> Entry {
    let [a, b, c, d] = number.to_be_bytes();
    let guid = vec![kind, 0xd0, 0xad, 0, 0, 0, 0x4d, 0x41, 0x80, 0, 0, 0, a, b, c, d];
    let relative_id = FIRST_RELATIVE_ID + number + u32::from(kind) * 1_000_000;
    let entry = if entry.values("objectGUID").is_empty() {
        entry.with_bytes("objectGUID", vec![guid])
    } else {
        entry
    };
    if entry.values("objectSid").is_empty() {
        entry.with_bytes("objectSid", vec![sid(relative_id)])
    } else {
        entry
    }
}

/// The SID `S-1-5-21-1-2-3-<relative>`, as bytes.
pub fn sid(relative_id: u32) -> Vec<u8> {
    let parts = [21, 1, 2, 3, relative_id];
    [1, 5, 0, 0, 0, 0, 0, 5].into_iter().chain(parts.into_iter().flat_map(u32::to_le_bytes)).collect()
}
