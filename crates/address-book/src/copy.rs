//! The copy of the projection in the memory of this process: the books of all tenants, updated from Redis.

use crate::{
    book::{Book, Draft, Render},
    store::{Corrupt, Link, Logged, Standing, StoreError},
};
use mail_model::{
    contact::{id::ContactId, record::Record},
    tenant::TenantId,
    tree::Tree,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// The number of entries per read from Redis: some megabytes at most.
const PIECE: usize = 1000;

/// The number of read batches that may wait for their conversion into books.
const AHEAD: usize = 2;

/// A book that many threads read and change.
pub(crate) type SharedBook = Arc<RwLock<Book>>;

/// A copy of one projection.
pub(crate) struct LocalCopy {
    epoch: u64,
    /// The URL of the directory server that the projection is fed from.
    source: String,
    horizon: AtomicU64,
    /// The sequence number up to which the books are complete.
    at: AtomicU64,
    books: RwLock<HashMap<TenantId, SharedBook>>,
    render: Render,
}

impl LocalCopy {
    /// Reads a whole projection. One thread decodes records and another adds them to books while more records arrive
    /// from Redis: for 100,000 entries each of the two takes half a second, and no request waits for them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn read(
        link: &mut Link,
        standing: &Standing,
        tree: &Tree,
        render: Render,
    ) -> Result<Self, StoreError> {
        let (pieces, received) = mpsc::channel(AHEAD);
        let (lines, read) = mpsc::channel(AHEAD);
        let tree = tree.clone();
        let reading = tokio::task::spawn_blocking(move || read_lines(received, &lines, &tree));
        let books = tokio::task::spawn_blocking(move || books(read, render));
        let source = link.source().await?;
        let at = fetch(link, standing, pieces).await?;
        reading.await.map_err(|_| StoreError::Stopped)??;
        let books = books.await.map_err(|_| StoreError::Stopped)?;
        Ok(Self {
            epoch: standing.epoch,
            source,
            horizon: AtomicU64::new(standing.horizon),
            at: AtomicU64::new(at),
            books: RwLock::new(books),
            render,
        })
    }

    /// The epoch of the projection.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The URL of the directory server that the projection is fed from.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The sequence number up to which the copy is complete.
    pub(crate) fn at(&self) -> u64 {
        self.at.load(Ordering::Acquire)
    }

    /// The sequence number up to which the copy may have forgotten removals.
    pub(crate) fn horizon(&self) -> u64 {
        self.horizon.load(Ordering::Acquire)
    }

    /// Updates the copy at least to a sequence number. Only one caller at a time may do so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn follow(&self, link: &mut Link, newest: u64, tree: &Tree) -> Result<(), StoreError> {
        while self.at() < newest {
            let (newest, logged) = link.delta(self.at(), PIECE).await?;
            if newest <= self.at() {
                // The number in Redis was set back in the meantime.
                break;
            }
            self.take(&logged, tree)?;
            self.at.fetch_max(up_to(&logged, newest), Ordering::AcqRel);
        }
        Ok(())
    }

    fn take(&self, logged: &[Logged], tree: &Tree) -> Result<(), Corrupt> {
        for entry in logged {
            if entry.is_gone() {
                self.book_to_change(&entry.tenant()?)
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(entry.id()?, entry.at);
            } else {
                let record = entry.record(tree)?;
                let book = self.book_to_change(&record.tenant);
                book.write().unwrap_or_else(PoisonError::into_inner).put(&record, entry.at);
            }
        }
        Ok(())
    }

    /// The book of a tenant; an empty book if the tenant has none.
    pub(crate) fn book(&self, tenant: &TenantId) -> SharedBook {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        books.get(tenant).cloned().unwrap_or_else(|| self.empty())
    }

    fn book_to_change(&self, tenant: &TenantId) -> SharedBook {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = books.get(tenant) {
            return book.clone();
        }
        drop(books);
        let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
        books.entry(tenant.clone()).or_insert_with(|| self.empty()).clone()
    }

    fn empty(&self) -> SharedBook {
        SharedBook::new(Book::new(self.render).into())
    }

    /// Forgets removals before the projection's horizon.
    pub(crate) fn forget(&self, horizon: u64) {
        if self.horizon.fetch_max(horizon, Ordering::AcqRel) < horizon {
            let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
            for book in books.values() {
                book.write().unwrap_or_else(PoisonError::into_inner).forget_removals(horizon);
            }
        }
    }
}

/// Fetches all entries of this state of the projection, and returns the sequence number up to which they are complete.
async fn fetch(
    link: &mut Link,
    standing: &Standing,
    pieces: mpsc::Sender<Vec<Logged>>,
) -> Result<u64, StoreError> {
    let mut at = standing.origin;
    // At least one read, because it also detects lost data.
    loop {
        let (newest, logged) = link.delta(at, PIECE).await?;
        at = up_to(&logged, newest);
        // The receiver has stopped: a record was not readable.
        if pieces.send(logged).await.is_err() || at >= standing.newest {
            return Ok(at);
        }
    }
}

/// A line of the log with its sequence number.
enum Line {
    There(Box<Record>, u64),
    Gone(TenantId, ContactId, u64),
}

/// Decodes the fetched lines.
fn read_lines(
    mut received: mpsc::Receiver<Vec<Logged>>,
    lines: &mpsc::Sender<Vec<Line>>,
    tree: &Tree,
) -> Result<(), Corrupt> {
    while let Some(logged) = received.blocking_recv() {
        let read = logged.into_iter().map(|entry| {
            Ok(if entry.is_gone() {
                Line::Gone(entry.tenant()?, entry.id()?, entry.at)
            } else {
                Line::There(Box::new(entry.record(tree)?), entry.at)
            })
        });
        if lines.blocking_send(read.collect::<Result<_, _>>()?).is_err() {
            break;
        }
    }
    Ok(())
}

/// Builds the books from the decoded lines.
fn books(mut read: mpsc::Receiver<Vec<Line>>, render: Render) -> HashMap<TenantId, SharedBook> {
    let mut drafts: HashMap<TenantId, Draft> = HashMap::new();
    let mut gone = Vec::new();
    while let Some(lines) = read.blocking_recv() {
        for line in lines {
            match line {
                Line::There(record, at) => {
                    let draft = drafts.entry(record.tenant.clone()).or_insert_with(|| Draft::new(render));
                    draft.put(&record, at);
                }
                Line::Gone(tenant, id, at) => gone.push((tenant, id, at)),
            }
        }
    }
    let made = |(tenant, draft): (TenantId, Draft)| (tenant, draft.into_book());
    let mut books: HashMap<TenantId, Book> = drafts.into_iter().map(made).collect();
    for (tenant, id, at) in gone {
        books.entry(tenant).or_insert_with(|| Book::new(render)).remove(id, at);
    }
    books.into_iter().map(|(tenant, book)| (tenant, SharedBook::new(book.into()))).collect()
}

/// The sequence number up to which a batch is complete: a batch that is not full contains everything.
fn up_to(piece: &[Logged], newest: u64) -> u64 {
    piece.last().filter(|_| piece.len() >= PIECE).map_or(newest, |last| last.at)
}
