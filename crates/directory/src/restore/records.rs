//! Reads the entries of a file one by one, in the form in which they are to be restored.

use super::{RestoreError, reading::Reading, replication::without_history, rules::Rules};
use crate::backup::{
    key::{Digest, Key},
    seal::{Head, Sealed, Verdict},
};
use ldap_text::{
    dn::Dn,
    ldif::{ChangeRecord, Entry, LdifError, LdifReader, Record, Value},
};
use mail_model::names;
use std::{
    io::{BufReader, Read},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OwnedSemaphorePermit;

/// The size of one read, in bytes.
const BUFFER: usize = 256 * 1024;

/// An entry of a file.
pub(super) struct Item {
    /// The line at which it begins.
    pub(super) line: u64,
    /// The hash of its name.
    pub(super) key: Key,
    /// The hash of its content.
    pub(super) digest: Digest,
    /// The entry.
    pub(super) entry: Entry,
    /// Its share of the memory for entries in progress; set when the entry is sent to a task.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

/// A record that can't be read.
pub(super) struct Unreadable {
    /// Its name, if that can be read.
    pub(super) dn: Option<Dn>,
    /// The line and the reason.
    pub(super) reason: String,
}

/// A record or the reason why it can't be read, with the line at which it begins.
type Numbered = (u64, Result<Entry, Unreadable>);

/// The error in a record, with its cause.
fn reason(error: &LdifError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// The root of a file that was made for another root, and the root of this directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rebase {
    pub(super) from: Dn,
    pub(super) to: Dn,
}

/// Why the last record of a truncated file is refused even if it looks complete.
const CUT: &str = "it is the last record of a truncated file, and may be truncated itself";

/// The entries of a file, in order.
pub(super) struct Records {
    reader: LdifReader<BufReader<SharedFile>>,
    sealed: SharedFile,
    found: u64,
}

/// A reader that is shared, so that it can be asked for its verdict after the last byte.
#[derive(Clone)]
struct SharedFile(Arc<Mutex<Option<SealedFile>>>);

type SealedFile = Sealed<Box<dyn Read + Send>>;

impl Read for SharedFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut sealed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sealed.as_mut().map_or(Ok(0), |sealed| sealed.read(buffer))
    }
}

impl Records {
    /// Opens a file at its beginning.
    pub(super) fn open(
        reading: &Reading,
        on_read: impl FnMut(usize) + Send + 'static,
    ) -> Result<Self, RestoreError> {
        let sealed = SharedFile(Arc::new(Mutex::new(Some(Sealed::new(reading.open(on_read)?)))));
        let input = BufReader::with_capacity(BUFFER, sealed.clone());
        let reader = LdifReader::with_limit(input, reading.bounds.record);
        Ok(Self { reader, sealed, found: 0 })
    }

    /// The next record, with the line at which it begins; skips tombstones.
    pub(super) fn next(&mut self) -> Result<Option<Numbered>, RestoreError> {
        while let Some(record) = self.reader.next() {
            let line = self.reader.record_line();
            self.found += 1;
            if self.reader.is_unended() && self.is_cut() {
                let dn = match record {
                    Ok(Record::Entry(Entry { dn, .. }) | Record::Change(ChangeRecord { dn, .. })) => Some(dn),
                    Err(_) => self.reader.take_spoilt_name(),
                };
                return Ok(Some((line, Err(Unreadable { dn, reason: CUT.to_owned() }))));
            }
            match record {
                Err(error) if self.reader.goes_on() => {
                    let (dn, reason) = (self.reader.take_spoilt_name(), reason(&error));
                    return Ok(Some((line, Err(Unreadable { dn, reason }))));
                }
                Err(error) => return Err(error.into()),
                Ok(Record::Change(_)) => return Err(RestoreError::Changes { line }),
                Ok(Record::Entry(entry)) => {
                    let entry = without_history(entry);
                    if !entry.is_of_class(names::TOMBSTONE_CLASS) {
                        return Ok(Some((line, Ok(entry))));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The next entry that can be read.
    pub(super) fn next_entry(&mut self) -> Result<Option<(u64, Entry)>, RestoreError> {
        while let Some((line, record)) = self.next()? {
            if let Ok(entry) = record {
                return Ok(Some((line, entry)));
            }
        }
        Ok(None)
    }

    /// The approximate memory that the last entry takes, in bytes.
    pub(super) fn size(&self) -> usize {
        self.reader.record_size()
    }

    /// The head of a backup; valid after the first entry.
    pub(super) fn head(&self) -> Head {
        let sealed = self.sealed.0.lock().unwrap_or_else(PoisonError::into_inner);
        sealed.as_ref().map(Sealed::head).unwrap_or_default()
    }

    /// Whether the file is truncated; valid at its end.
    fn is_cut(&self) -> bool {
        let sealed = self.sealed.0.lock().unwrap_or_else(PoisonError::into_inner);
        sealed.as_ref().is_some_and(Sealed::is_cut)
    }

    /// The verdict on the seal; valid after the last entry.
    pub(super) fn verdict(self) -> Verdict {
        let sealed = self.sealed.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        sealed.map_or(Verdict::Foreign, |sealed| sealed.verdict(self.found))
    }
}

impl Rebase {
    /// Moves an entry to the root of this directory.
    pub(super) fn entry(&self, mut entry: Entry, rules: &Rules) -> Entry {
        entry.dn = self.name(&entry.dn).unwrap_or(entry.dn);
        if entry.dn == self.to {
            self.name_of_root(&mut entry);
        }
        for attribute in &mut entry.attributes {
            if rules.schema.attribute(&attribute.name).is_some_and(|kind| kind.syntax.is_name()) {
                for value in &mut attribute.values {
                    change_text(value, |text| self.name(&Dn::parse(text).ok()?).map(|dn| dn.to_string()));
                }
            } else if [names::ACI, names::MEMBER_URL].contains(&attribute.name) {
                for value in &mut attribute.values {
                    change_text(value, |text| Some(self.inside(text)));
                }
            }
        }
        entry
    }

    /// Adds the value of the root's RDN to the root entry.
    fn name_of_root(&self, entry: &mut Entry) {
        for attribute in &mut entry.attributes {
            let value = |dn: &Dn| Some(dn.rdn()?.value_of(&attribute.name)?.to_owned());
            let (old, new) = (value(&self.from), value(&self.to));
            if let (Some(old), Some(new)) = (old, new) {
                attribute.values.retain(|value| !value.as_bytes().eq_ignore_ascii_case(old.as_bytes()));
                attribute.values.push(new.into());
            }
        }
    }

    /// Moves a DN that was below the other root.
    pub(super) fn name(&self, dn: &Dn) -> Option<Dn> {
        let own = dn.rdns().len().checked_sub(self.from.rdns().len())?;
        if !dn.is_within(&self.from) {
            return None;
        }
        let own = dn.rdns().get(..own)?;
        Some(own.iter().rev().fold(self.to.clone(), |dn, rdn| dn.with_rdn(rdn.clone())))
    }

    /// Replaces the other root's DN within a text.
    fn inside(&self, text: &str) -> String {
        let (from, folded) = (self.from.to_string().to_lowercase(), text.to_lowercase());
        // If lower case changes the length of the text, positions in it can't be mapped.
        if folded.len() != text.len() {
            return text.to_owned();
        }
        let mut changed = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = folded.get(at..).and_then(|rest| rest.find(&from)) {
            changed.push_str(text.get(at..at + found).unwrap_or_default());
            changed.push_str(&self.to.to_string());
            at += found + from.len();
        }
        changed.push_str(text.get(at..).unwrap_or_default());
        changed
    }
}

fn change_text(value: &mut Value, change: impl FnOnce(&str) -> Option<String>) {
    let changed = str::from_utf8(value.as_bytes()).ok().and_then(change);
    if let Some(changed) = changed {
        *value = changed.into();
    }
}
