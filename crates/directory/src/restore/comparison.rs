//! Comparing two files: what would make the one the other.
//!
//! Of each entry of the first file two numbers are kept, as of a directory. Those that differ are read again in both
//! files, some thousands at a time, so the memory does not grow with the files' entries.

use super::{
    Existing, RestoreError,
    records::Records,
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

/// Differing entries that are compared in one reading of both files.
const TOGETHER: usize = 5000;

/// What two files have in common, and what not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Entries that both have, equal.
    pub same: u64,
    /// Entries that both have, and that differ.
    pub different: u64,
    /// Entries that only the first has.
    pub only_first: u64,
    /// Entries that only the second has.
    pub only_second: u64,
}

impl Comparison {
    /// Whether the files say the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.different + self.only_first + self.only_second == 0
    }
}

/// Compares two files, and tells each change that makes the first the second. It takes no directory. `force` compares
/// backups that are cut or were altered, too.
///
/// # Errors
/// [`RestoreError`]: a file can't be read.
pub fn compare_files(
    first: &LdifFile,
    second: &LdifFile,
    force: bool,
    mut on_change: impl FnMut(&ChangeRecord),
) -> Result<Comparison, RestoreError> {
    let nowhere = Dn::empty();
    let mut rules = Rules::new(Tree::new(nowhere), Subschema::well_known(), &[], Timestamp::UNIX_EPOCH);
    rules.unsaid = unsaid(first, force)?.union(&unsaid(second, force)?).cloned().collect();
    let mut entries: HashMap<Key, Digest> = HashMap::new();
    each(first, |entry| {
        let key = rules.numbers.of(&entry.dn);
        entries.insert(key, rules.digest(key, &entry));
    })?;
    let (mut comparison, mut met, mut differing) = (Comparison::default(), HashSet::new(), Vec::new());
    each(second, |entry| {
        let key = rules.numbers.of(&entry.dn);
        met.insert(key);
        match entries.get(&key) {
            None => {
                comparison.only_second += 1;
                let dn = entry.dn.clone();
                on_change(&ChangeRecord { dn, change: Change::Add(with_secrets(rules.to_add(entry))) });
            }
            Some(digest) if *digest == rules.digest(key, &entry) => comparison.same += 1,
            Some(_) => differing.push(key),
        }
    })?;
    for keys in differing.chunks(TOGETHER) {
        let changes = differences(first, second, keys, &rules)?;
        comparison.different += changes.len() as u64;
        // Values that stand twice are no difference.
        comparison.same += (keys.len() - changes.len()) as u64;
        changes.iter().for_each(&mut on_change);
    }
    let mut surplus = Vec::new();
    each(first, |entry| surplus.extend((!met.contains(&rules.numbers.of(&entry.dn))).then_some(entry.dn)))?;
    surplus.sort_by_key(|dn| std::cmp::Reverse(dn.rdns().len()));
    for dn in surplus {
        comparison.only_first += 1;
        on_change(&ChangeRecord { dn, change: Change::Delete });
    }
    Ok(comparison)
}

/// The changes of some entries that both files have.
fn differences(
    first: &LdifFile,
    second: &LdifFile,
    keys: &[Key],
    rules: &Rules,
) -> Result<Vec<ChangeRecord>, RestoreError> {
    let keys: HashSet<&Key> = keys.iter().collect();
    let mut before: HashMap<Key, Entry> = HashMap::new();
    each(first, |entry| {
        let key = rules.numbers.of(&entry.dn);
        if keys.contains(&key) {
            before.insert(key, entry);
        }
    })?;
    let mut changes = Vec::new();
    each(second, |entry| {
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

/// The attributes that a file says nothing of at all.
fn unsaid(file: &LdifFile, force: bool) -> Result<HashSet<AttributeName>, RestoreError> {
    let mut unsaid: HashSet<_> = Rules::often_unsaid().collect();
    let mut records = Records::open(file, |_| {})?;
    while let Some((_, entry)) = records.next()? {
        for attribute in &entry.attributes {
            unsaid.remove(&attribute.name);
        }
    }
    let verdict = records.verdict();
    require_whole(&verdict, force)?;
    Ok(if verdict == Verdict::Foreign { unsaid } else { HashSet::new() })
}

fn each(file: &LdifFile, mut take: impl FnMut(Entry)) -> Result<(), RestoreError> {
    let mut records = Records::open(file, |_| {})?;
    while let Some((_, entry)) = records.next()? {
        take(entry);
    }
    Ok(())
}
