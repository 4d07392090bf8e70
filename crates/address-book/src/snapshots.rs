//! Books without Redis: read from the directory for the requests that wait for one. A book is used again as long as the
//! directory's count of changes stands still, so an answer never lacks what was written before it was asked for.

use crate::{
    book::{Draft, Render},
    copy::SharedBook,
};
use directory::{
    Directory, Scope,
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

/// How long the directory's count must have stood still before a book is read that is to be used again: the count moves when
/// a change begins, and the change is seen when it ends. On a busy server that takes some hundred milliseconds.
const STILL: Duration = Duration::from_secs(2);
/// How long a book is kept that nobody asks for.
const IDLE: Duration = Duration::from_secs(60);

/// Books that were read from the directory.
#[derive(Default)]
pub(crate) struct Snapshots {
    slots: Mutex<HashMap<TenantId, Arc<Slot>>>,
    /// When this process last ended a change: no book that was begun before is used again, whatever the count says.
    changed: Mutex<Option<Instant>>,
}

/// The place of one tenant's book. Who reads it anew holds the lock, and the others wait.
#[derive(Default)]
struct Slot(tokio::sync::Mutex<Kept>);

/// What the latest reading has left.
#[derive(Default)]
struct Kept {
    snapshot: Option<Snapshot>,
    /// When the directory was found out of reach. Whoever had to wait for that need not find it out again: one after the
    /// other they would wait for ever.
    failed: Option<Instant>,
    /// The latest position, and when it was first seen.
    seen: Option<(String, Instant)>,
}

/// A book as the directory had it, or newer.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// The book.
    pub(crate) book: SharedBook,
    /// What tells this book from every other.
    pub(crate) tag: String,
    position: Option<String>,
    began: Instant,
    used: Instant,
}

impl Snapshots {
    /// A tenant's book with everything that was written before this was asked for.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(crate) async fn open(
        &self,
        directory: &Directory,
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

    /// This process has ended a change.
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

    /// Drops the books that nobody has asked for lately.
    pub(crate) fn drop_idle(&self) {
        let mut slots = self.slots();
        // Who holds a lock, or is about to take it, uses the book.
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
        directory: &Directory,
        tenant: &TenantId,
        render: Render,
        asked: Instant,
        changed: Option<Instant>,
    ) -> Result<Snapshot, DirectoryError> {
        if let Some(snapshot) = self.snapshot.as_mut().filter(|snapshot| snapshot.began >= asked) {
            // Somebody began to read it after this was asked for.
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
        // What is there is out of date, and two of them need twice the memory.
        self.snapshot = None;
        let snapshot = read(directory, tenant, render, position.filter(|_| is_still)).await?;
        self.snapshot = Some(snapshot.clone());
        Ok(snapshot)
    }

    /// Whether the directory's position has been the same for long enough.
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
    directory: &Directory,
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
                // In whatever order the server gives them.
                state = state.wrapping_add(digest(&record));
            }
        }
    }
    let book = SharedBook::new(draft.into_book().into());
    Ok(Snapshot { book, tag: format!("d{state:016x}"), position, began, used: began })
}

/// A number that stands for what is shown of an entry.
fn digest(record: &Record) -> u64 {
    // The same in every process of a version of the program, since it starts from the same keys.
    let mut hasher = DefaultHasher::new();
    (&record.contact, &record.user, record.visibility).hash(&mut hasher);
    hasher.finish()
}
