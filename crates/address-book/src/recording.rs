//! Recording entries in the projection, for the feeder and for the writers: a state that was read earlier never
//! replaces one that was read later.

use crate::store::{Applied, BATCH, Condition, Link, StoreError, Stored};
use directory::{Entry, Lookup, Scope, error::DirectoryError};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{
    contact::record::{anything, read_attributes},
    entry::EntryView,
    names,
};

/// The number of entries per read.
const READ_TOGETHER: usize = 50;
/// How often an entry is read again because another process has recorded it in the meantime. Each round means progress
/// for one of the processes.
const ROUNDS: usize = 100;

/// The outcome of recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything is recorded.
    Recorded,
    /// There is no projection.
    NoProjection,
    /// The projection is fed from another server.
    OtherServer,
}

/// Why entries cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// The directory does not respond.
    #[error("the directory cannot be read")]
    Directory(#[from] DirectoryError),
    /// Redis does not respond.
    #[error("the projection cannot be written")]
    Store(#[from] StoreError),
    /// Other processes record the same entry all the time.
    #[error("other processes keep recording the same entry")]
    Contention,
}

/// The identifier of an entry that was read.
pub(crate) fn id_of(entry: &Entry) -> Option<String> {
    entry.first(&names::NS_UNIQUE_ID).map(str::to_owned)
}

/// Records entries under their conditions. Entries whose condition does not hold, and those with the given identifiers,
/// are read and recorded in their present state.
pub(crate) async fn record(
    link: &mut Link,
    directory: &Lookup,
    server: &str,
    entries: &[Stored],
    mut ids: Vec<String>,
) -> Result<Outcome, RecordError> {
    match link.apply(server, entries).await? {
        Applied::But(refused) => ids.extend(refused),
        Applied::NoProjection => return Ok(Outcome::NoProjection),
        Applied::OtherServer => return Ok(Outcome::OtherServer),
    }
    ids.sort_unstable();
    ids.dedup();
    for ids in ids.chunks(READ_TOGETHER) {
        match read_and_record(link, directory, server, ids.to_vec()).await? {
            Outcome::Recorded => {}
            other => return Ok(other),
        }
    }
    Ok(Outcome::Recorded)
}

async fn read_and_record(
    link: &mut Link,
    directory: &Lookup,
    server: &str,
    mut ids: Vec<String>,
) -> Result<Outcome, RecordError> {
    for _ in 0..ROUNDS {
        if ids.is_empty() {
            return Ok(Outcome::Recorded);
        }
        // The number is read before the entry, so the entry is at least as new as all records up to the number.
        let condition = Condition::Since(link.newest().await?);
        let entries = read(directory, &ids, condition).await?;
        match link.apply(server, &entries).await? {
            Applied::But(refused) => ids = refused,
            Applied::NoProjection => return Ok(Outcome::NoProjection),
            Applied::OtherServer => return Ok(Outcome::OtherServer),
        }
    }
    Err(RecordError::Contention)
}

async fn read(
    directory: &Lookup,
    ids: &[String],
    condition: Condition,
) -> Result<Vec<Stored>, DirectoryError> {
    let tree = directory.tree();
    let values: Vec<_> = ids.iter().map(|id| Filter::equal(names::NS_UNIQUE_ID, id)).collect();
    let pick = |entry: &Entry| Some(entry.clone());
    let found = directory.find_by_values(tree.root(), None, &values, read_attributes(), pick).await?;
    let stored = ids.iter().map(|id| {
        let entry = found.iter().find(|entry| entry.first(&names::NS_UNIQUE_ID) == Some(id));
        entry
            .and_then(|entry| Stored::of_entry(tree, entry, condition))
            .unwrap_or_else(|| Stored::unfound(id.clone(), condition))
    });
    Ok(stored.collect())
}

/// The identifiers of the entries below an entry.
pub(crate) async fn ids_below(directory: &Lookup, dn: &Dn) -> Result<Vec<String>, DirectoryError> {
    let mut scan =
        directory.scan(dn, Scope::Subtree, &anything(), &[names::NS_UNIQUE_ID, names::MAIL]).await?;
    let mut ids = Vec::new();
    while let Some(entry) = scan.next().await? {
        ids.extend(id_of(&entry).filter(|_| entry.first(&names::MAIL).is_some()));
    }
    Ok(ids)
}

/// Entries for the projection, collected and recorded in batches.
pub(crate) struct Batch<'a> {
    link: &'a mut Link,
    directory: &'a Lookup,
    server: &'a str,
    entries: Vec<Stored>,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    pub(crate) fn new(link: &'a mut Link, directory: &'a Lookup, server: &'a str) -> Self {
        Self { link, directory, server, entries: Vec::with_capacity(BATCH) }
    }

    /// Adds an entry, and records the batch if it is full.
    pub(crate) async fn push(&mut self, entry: Stored) -> Result<Outcome, RecordError> {
        self.entries.push(entry);
        if self.entries.len() >= BATCH { self.send().await } else { Ok(Outcome::Recorded) }
    }

    /// Records the rest of the batch.
    pub(crate) async fn send(&mut self) -> Result<Outcome, RecordError> {
        let entries = std::mem::replace(&mut self.entries, Vec::with_capacity(BATCH));
        record(self.link, self.directory, self.server, &entries, Vec::new()).await
    }
}
