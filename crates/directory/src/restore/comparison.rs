//! Compares two files: which changes would turn the first into the second.
//!
//! For each entry of the first file two hashes are kept, as for a directory. Entries that differ are read again from
//! both files, some thousands at a time, so the memory for them does not grow with the number of entries.

use super::{
    Existing, RestoreError,
    bounds::Bounds,
    reading::Reading,
    records::{Records, Unreadable},
    rules::{Rules, with_secrets},
    survey::require_whole,
};
use crate::{
    backup::{
        file::LdifFile,
        key::{Digest, Key},
        seal::Verdict,
    },
    subschema::Subschema,
};
use jiff::Timestamp;
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{Change, ChangeRecord, Entry},
};
use mail_model::tree::Tree;
use std::collections::{HashMap, HashSet};

/// Differing entries that are compared in one pass over both files.
const TOGETHER: usize = 5000;

/// The counts of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Entries that are the same in both files.
    pub same: u64,
    /// Entries that are in both files and differ.
    pub different: u64,
    /// Entries that only the first file has.
    pub only_first: u64,
    /// Entries that only the second file has.
    pub only_second: u64,
    /// Records of either file that can't be read.
    pub unreadable: u64,
}

/// A result that a comparison reports.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// One of the changes that turn the first file into the second.
    Change(&'a ChangeRecord),
    /// A record that can't be read, and so is not compared.
    Unreadable {
        /// The file of the record.
        file: &'a LdifFile,
        /// The line and the reason.
        reason: &'a str,
    },
}

impl Comparison {
    /// Whether both files have the same content.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.different + self.only_first + self.only_second + self.unreadable == 0
    }
}

/// Compares two files without a directory, and reports each change that turns the first into the second. With `force`
/// it also compares backups that are incomplete or were altered. It reports a record that can't be read, and nothing
/// else for an entry of that name.
///
/// # Errors
/// [`RestoreError`], if a file can't be read.
pub fn compare_files(
    first: &LdifFile,
    second: &LdifFile,
    force: bool,
    mut tell: impl FnMut(Told<'_>),
) -> Result<Comparison, RestoreError> {
    let files = [first, second];
    let [first, second] = files.map(|file| Reading::of(file.clone(), Bounds::EVERYTHING));
    let (first, second) = (&first, &second);
    let nowhere = Dn::empty();
    let mut rules = Rules::new(Tree::new(nowhere), Subschema::well_known(), &[], Timestamp::UNIX_EPOCH);
    let mut comparison = Comparison::default();
    let mut unreadable = HashSet::new();
    let mut unsaid = HashSet::new();
    for (file, reading) in files.into_iter().zip([first, second]) {
        unsaid.extend(look_over(reading, &rules, force, |Unreadable { dn, reason }| {
            comparison.unreadable += 1;
            unreadable.extend(dn.map(|dn| rules.numbers.of(&dn)));
            tell(Told::Unreadable { file, reason: &reason });
        })?);
    }
    rules.unsaid = unsaid;
    let met = compare_second(first, second, &rules, &unreadable, &mut comparison, &mut tell)?;
    let mut surplus = Vec::new();
    let is_surplus = |dn: &Dn| !met.contains(&rules.numbers.of(dn));
    each(first, &rules, |entry| surplus.extend(is_surplus(&entry.dn).then_some(entry.dn)))?;
    surplus.sort_by_key(|dn| std::cmp::Reverse(dn.rdns().len()));
    for dn in surplus {
        comparison.only_first += 1;
        tell(Told::Change(&ChangeRecord { dn, change: Change::Delete }));
    }
    Ok(comparison)
}

/// Compares the entries of the second file with those of the first; returns the names in the second file.
fn compare_second(
    first: &Reading,
    second: &Reading,
    rules: &Rules,
    unreadable: &HashSet<Key>,
    comparison: &mut Comparison,
    tell: &mut impl FnMut(Told<'_>),
) -> Result<HashSet<Key>, RestoreError> {
    let mut entries: HashMap<Key, Digest> = HashMap::new();
    each(first, rules, |entry| {
        let key = rules.numbers.of(&entry.dn);
        entries.insert(key, rules.digest(key, &entry));
    })?;
    let (mut met, mut differing) = (unreadable.clone(), Vec::new());
    each(second, rules, |entry| {
        let key = rules.numbers.of(&entry.dn);
        met.insert(key);
        match entries.get(&key) {
            _ if unreadable.contains(&key) => {}
            None => {
                comparison.only_second += 1;
                let dn = entry.dn.clone();
                let change = Change::Add(with_secrets(rules.to_add(entry)));
                tell(Told::Change(&ChangeRecord { dn, change }));
            }
            Some(digest) if *digest == rules.digest(key, &entry) => comparison.same += 1,
            Some(_) => differing.push(key),
        }
    })?;
    for keys in differing.chunks(TOGETHER) {
        let changes = differences(first, second, keys, rules)?;
        comparison.different += changes.len() as u64;
        // Duplicate values are not a difference.
        comparison.same += (keys.len() - changes.len()) as u64;
        for change in &changes {
            tell(Told::Change(change));
        }
    }
    Ok(met)
}

/// The changes of some entries that both files have.
fn differences(
    first: &Reading,
    second: &Reading,
    keys: &[Key],
    rules: &Rules,
) -> Result<Vec<ChangeRecord>, RestoreError> {
    let keys: HashSet<&Key> = keys.iter().collect();
    let mut before: HashMap<Key, Entry> = HashMap::new();
    each(first, rules, |entry| {
        let key = rules.numbers.of(&entry.dn);
        if keys.contains(&key) {
            before.insert(key, entry);
        }
    })?;
    let mut changes = Vec::new();
    each(second, rules, |entry| {
        let key = rules.numbers.of(&entry.dn);
        if let Some(before) = before.remove(&key) {
            let modifications = rules.difference(key, &entry, &before, Existing::Update);
            if !modifications.is_empty() {
                changes.push(ChangeRecord { dn: entry.dn, change: Change::Modify(modifications) });
            }
        }
    })?;
    Ok(changes)
}

/// Reads a file once: the records that can't be read, and the attributes that it does not contain at all.
fn look_over(
    file: &Reading,
    rules: &Rules,
    force: bool,
    mut on_unreadable: impl FnMut(Unreadable),
) -> Result<HashSet<AttributeName>, RestoreError> {
    let mut unsaid: HashSet<_> = Rules::often_unsaid().collect();
    let mut records = Records::open(file, |_| {})?;
    while let Some((_, record)) = records.next()? {
        match record {
            Ok(entry) => {
                for attribute in rules.as_meant(entry).attributes {
                    unsaid.remove(&attribute.name);
                }
            }
            Err(unreadable) => on_unreadable(unreadable),
        }
    }
    let verdict = records.verdict();
    require_whole(&verdict, force)?;
    Ok(if verdict == Verdict::Foreign { unsaid } else { HashSet::new() })
}

fn each(file: &Reading, rules: &Rules, mut take: impl FnMut(Entry)) -> Result<(), RestoreError> {
    let mut records = Records::open(file, |_| {})?;
    while let Some((_, entry)) = records.next_entry()? {
        take(rules.as_meant(entry));
    }
    Ok(())
}
