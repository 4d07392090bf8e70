//! Recording entries in the projection, by whoever has something to record: nothing that was read earlier replaces what
//! was read later.

use crate::store::{Applied, BATCH, Condition, Link, StoreError, Stored};
use directory::{Directory, Entry, Scope, error::DirectoryError};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{
    contact::record::{anything, read_attributes},
    entry::EntryView,
    names,
};

/// Entries that are read together.
const READ_TOGETHER: usize = 50;
/// How often an entry is read again because somebody else has recorded it meanwhile. Each time means progress for
/// somebody.
const ROUNDS: usize = 100;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything is recorded.
    Recorded,
    /// There is no projection.
    NoProjection,
    /// The projection is fed from another server.
    OtherServer,
}

/// Why it can't be recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// The directory does not answer.
    #[error("the directory cannot be read")]
    Directory(#[from] DirectoryError),
    /// Redis does not.
    #[error("the projection cannot be written")]
    Store(#[from] StoreError),
    /// Others record the same entry all the time.
    #[error("an entry is recorded by others all the time")]
    Contention,
}

/// The identifier of an entry that was read.
pub(crate) fn id_of(entry: &Entry) -> Option<String> {
    entry.first(&names::NS_UNIQUE_ID).map(str::to_owned)
}

/// Records entries under their conditions; those whose condition does not hold, and some others, are read and recorded
/// as they are then.
pub(crate) async fn record(
    link: &mut Link,
    directory: &Directory,
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
    directory: &Directory,
    server: &str,
    mut ids: Vec<String>,
) -> Result<Outcome, RecordError> {
    for _ in 0..ROUNDS {
        if ids.is_empty() {
            return Ok(Outcome::Recorded);
        }
        // First the number, then the entry: so what is read is at least as new as what is recorded up to the number.
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
    directory: &Directory,
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

/// The identifiers of what stands below an entry.
pub(crate) async fn ids_below(directory: &Directory, dn: &Dn) -> Result<Vec<String>, DirectoryError> {
    let mut scan =
        directory.scan(dn, Scope::Subtree, &anything(), &[names::NS_UNIQUE_ID, names::MAIL]).await?;
    let mut ids = Vec::new();
    while let Some(entry) = scan.next().await? {
        ids.extend(id_of(&entry).filter(|_| entry.first(&names::MAIL).is_some()));
    }
    Ok(ids)
}

/// Entries on their way into the projection, which are recorded in pieces.
pub(crate) struct Batch<'a> {
    link: &'a mut Link,
    directory: &'a Directory,
    server: &'a str,
    entries: Vec<Stored>,
}

impl<'a> Batch<'a> {
    /// An empty one.
    pub(crate) fn new(link: &'a mut Link, directory: &'a Directory, server: &'a str) -> Self {
        Self { link, directory, server, entries: Vec::with_capacity(BATCH) }
    }

    /// Adds an entry.
    pub(crate) async fn push(&mut self, entry: Stored) -> Result<Outcome, RecordError> {
        self.entries.push(entry);
        if self.entries.len() >= BATCH { self.send().await } else { Ok(Outcome::Recorded) }
    }

    /// Records the rest.
    pub(crate) async fn send(&mut self) -> Result<Outcome, RecordError> {
        let entries = std::mem::replace(&mut self.entries, Vec::with_capacity(BATCH));
        record(self.link, self.directory, self.server, &entries, Vec::new()).await
    }
}
