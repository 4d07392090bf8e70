//! Books without Redis: read from the directory for the requests that wait for them. A book is reused as long as the
//! directory's change counter stands still, so an answer never lacks a write that was made before the request.

use crate::{
    book::{Draft, Render},
    copy::SharedBook,
};
use directory::{
    Lookup, Scope,
    error::{DirectoryError, Unreachable},
};
use mail_model::{
    contact::record::{self, Record},
    tenant::TenantId,
};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long the directory's counter must have stood still before a book that is read can be reused: the counter moves
/// when a change begins, but the change becomes visible when it ends. On a busy server that takes some hundred
/// milliseconds.
const STILL: Duration = Duration::from_secs(2);
/// How long an unused book is kept.
const IDLE: Duration = Duration::from_secs(60);

/// Books read from the directory.
#[derive(Default)]
pub(crate) struct Snapshots {
    slots: Mutex<HashMap<TenantId, Arc<Slot>>>,
    /// When this process last ended a change. A book that was begun earlier is not reused, whatever the counter says.
    changed: Mutex<Option<Instant>>,
}

/// The slot of one tenant's book. The request that reads the book again holds the lock, and the others wait.
#[derive(Default)]
struct Slot(tokio::sync::Mutex<Kept>);

/// The result of the latest read.
#[derive(Default)]
struct Kept {
    snapshot: Option<Snapshot>,
    /// When the directory was found unreachable. The requests that waited for this result do not try again themselves:
    /// one after the other, they would wait for ever.
    failed: Option<Instant>,
    /// The latest position and the time at which it was first seen.
    seen: Option<(String, Instant)>,
}

/// A book of the directory's contents, at least as new as the request.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// The book.
    pub(crate) book: SharedBook,
    /// Identifies this book among all books.
    pub(crate) tag: String,
    position: Option<String>,
    began: Instant,
    used: Instant,
}

impl Snapshots {
    /// A tenant's book with every write that was made before this call.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not respond.
    pub(crate) async fn open(
        &self,
        directory: &Lookup,
        tenant: &TenantId,
        render: Render,
    ) -> Result<Snapshot, DirectoryError> {
        let asked = Instant::now();
        let slot = self.slots().entry(tenant.clone()).or_default().clone();
        let mut kept = slot.0.lock().await;
        if kept.failed.is_some_and(|failed| failed >= asked) {
            let found = if directory.hangs() { Unreachable::Hangs } else { Unreachable::FoundOut };
            return Err(found.into());
        }
        let changed = *self.changed();
        let opened = kept.open(directory, tenant, render, asked, changed).await;
        kept.failed = matches!(opened, Err(DirectoryError::Unreachable(_))).then(Instant::now);
        opened
    }

    /// Records that this process has ended a change.
    pub(crate) fn outdate(&self) {
        *self.changed() = Some(Instant::now());
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops all books.
    pub(crate) fn clear(&self) {
        self.slots().clear();
    }

    /// Drops the books that were not used lately.
    pub(crate) fn drop_idle(&self) {
        let mut slots = self.slots();
        // A caller that holds the lock, or is about to take it, uses the book.
        slots.retain(|_, slot| {
            Arc::strong_count(slot) > 1
                || slot.0.try_lock().map_or(true, |kept| {
                    kept.snapshot.as_ref().is_some_and(|snapshot| snapshot.used.elapsed() < IDLE)
                })
        });
    }
}

impl Kept {
    async fn open(
        &mut self,
        directory: &Lookup,
        tenant: &TenantId,
        render: Render,
        asked: Instant,
        changed: Option<Instant>,
    ) -> Result<Snapshot, DirectoryError> {
        if let Some(snapshot) = self.snapshot.as_mut().filter(|snapshot| snapshot.began >= asked) {
            // Another request began to read this book after this request arrived.
            snapshot.used = asked;
            return Ok(snapshot.clone());
        }
        let position = directory.position().await?;
        let is_still = self.stands_still(position.as_deref());
        let is_newer_than_changes = |began| changed.is_none_or(|changed| changed < began);
        let is_current = |snapshot: &&mut Snapshot| {
            position.is_some() && snapshot.position == position && is_newer_than_changes(snapshot.began)
        };
        if let Some(snapshot) = self.snapshot.as_mut().filter(is_current) {
            snapshot.used = asked;
            return Ok(snapshot.clone());
        }
        // The old book is out of date, and two books need twice the memory.
        self.snapshot = None;
        let snapshot = read(directory, tenant, render, position.filter(|_| is_still)).await?;
        self.snapshot = Some(snapshot.clone());
        Ok(snapshot)
    }

    /// Whether the directory's position has been unchanged for long enough.
    fn stands_still(&mut self, position: Option<&str>) -> bool {
        let since =
            self.seen.as_ref().filter(|(seen, _)| Some(seen.as_str()) == position).map(|(_, since)| *since);
        if since.is_none() {
            self.seen = position.map(|position| (position.to_owned(), Instant::now()));
        }
        since.is_some_and(|since| since.elapsed() >= STILL)
    }
}

async fn read(
    directory: &Lookup,
    tenant: &TenantId,
    render: Render,
    position: Option<String>,
) -> Result<Snapshot, DirectoryError> {
    let began = Instant::now();
    let tree = directory.tree();
    let mut draft = Draft::new(render);
    let (mut at, mut state) = (0, 0_u64);
    for folder in tree.tenant_folders(tenant) {
        let mut scan =
            directory.scan(&folder, Scope::Subtree, &record::anything(), record::read_attributes()).await?;
        while let Some(entry) = scan.next().await? {
            let record = entry.dn().and_then(|dn| Record::from_entry(tree, &dn, &entry));
            if let Some(record) = record {
                at += 1;
                draft.put(&record, at);
                // The server returns the entries in any order.
                state = state.wrapping_add(digest(&record));
            }
        }
    }
    let book = SharedBook::new(draft.into_book().into());
    Ok(Snapshot { book, tag: format!("d{state:016x}"), position, began, used: began })
}

/// A digest of the rendered fields of an entry.
fn digest(record: &Record) -> u64 {
    // The same in every process of one program version, because the keys of the hasher are constant.
    let mut hasher = DefaultHasher::new();
    (&record.contact, record.user.as_ref().map(|live| &live.user), record.visibility).hash(&mut hasher);
    hasher.finish()
}
