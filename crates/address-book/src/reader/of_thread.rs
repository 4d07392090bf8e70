//! Opens books for one worker thread. Questions to Redis are shared by all requests of the thread.

use super::AddressBook;
use crate::{
    book::Book,
    copy::{LocalCopy, SharedBook},
    feed::Feed,
    store::Link,
};
use directory::{Lookup, error::DirectoryError};
use mail_model::tenant::TenantId;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, PoisonError, Weak},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How long an answer of Redis serves the requests that arrive after the question was sent: in one millisecond one
/// question serves dozens of requests. No reader misses a change, because a writer waits just as long before it
/// answers.
const GOOD_FOR: Duration = Duration::from_millis(1);

/// Opens books for one worker thread.
pub struct BookReader {
    book: AddressBook,
    checks: Option<Rc<Checks>>,
}

/// The questions of one thread to Redis whether the copy is current. All callers that wait when a question is sent
/// share its answer.
struct Checks {
    book: AddressBook,
    /// Taken while a question is in progress.
    link: Cell<Option<Link>>,
    waiting: RefCell<Vec<oneshot::Sender<Option<Arc<LocalCopy>>>>>,
    /// The copy that was current when Redis was last asked, unless it has been dropped, and the time of the question.
    latest: RefCell<(Option<Instant>, Weak<LocalCopy>)>,
}

impl Checks {
    async fn current(self: &Rc<Self>) -> Option<Arc<LocalCopy>> {
        if let Some(copy) = self.latest() {
            return Some(copy);
        }
        let (answer, answered) = oneshot::channel();
        self.waiting.borrow_mut().push(answer);
        if let Some(link) = self.link.take() {
            // In a task of its own, because the first caller may be cancelled.
            tokio::task::spawn_local(self.clone().ask(link));
        }
        answered.await.ok().flatten()
    }

    /// The copy, if Redis was asked a moment ago.
    fn latest(&self) -> Option<Arc<LocalCopy>> {
        let (asked, copy) = &*self.latest.borrow();
        asked.filter(|asked| asked.elapsed() < GOOD_FOR)?;
        copy.upgrade()
    }

    async fn ask(self: Rc<Self>, mut link: Link) {
        loop {
            let waiting = self.waiting.take();
            if waiting.is_empty() {
                self.link.set(Some(link));
                return;
            }
            let asked = Instant::now();
            let copy = self.book.current(&mut link).await;
            let weak = copy.as_ref().map(Arc::downgrade).unwrap_or_default();
            self.latest.replace((Some(asked), weak));
            for answer in waiting {
                // The receiver may be gone.
                let _answered = answer.send(copy.clone());
            }
        }
    }
}

/// No feed is available: Redis is not configured, unreachable, or being filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFeed;

impl BookReader {
    /// A reader that asks Redis by a link, if there is one.
    pub(super) fn new(book: AddressBook, link: Option<Link>) -> Self {
        let checks = link.map(|link| {
            Rc::new(Checks {
                book: book.clone(),
                link: Cell::new(Some(link)),
                waiting: RefCell::default(),
                latest: RefCell::default(),
            })
        });
        Self { book, checks }
    }

    /// The present book of a tenant, with every change that was acknowledged before this call. The book of an unknown
    /// tenant is empty.
    ///
    /// # Errors
    /// [`DirectoryError`] when neither Redis nor the directory answers.
    pub async fn open(&self, directory: &Lookup, tenant: &TenantId) -> Result<Opened, DirectoryError> {
        if let Some(copy) = self.copy().await {
            let tag = format!("r{:016x}", copy.epoch());
            return Ok(Opened { book: copy.book(tenant), tag });
        }
        // Boxed, because it is seldom needed but would enlarge the future of every request.
        let snapshot = Box::pin(self.book.0.snapshots.open(directory, tenant, self.book.0.render)).await?;
        self.note_answer_without_projection();
        Ok(Opened { book: snapshot.book, tag: snapshot.tag })
    }

    /// Reads the present book of a tenant, with every change that was acknowledged before this call, for answers with
    /// versions of entries. Such a version counts at the server that it was read from, so if the projection is fed from
    /// another one than this thread writes to, or if there is no projection, `otherwise` reads the directory.
    ///
    /// # Errors
    /// The error of `otherwise`.
    pub async fn read_versions<T, E>(
        &self,
        directory: &Lookup,
        tenant: &TenantId,
        read: impl FnOnce(&Book) -> T,
        otherwise: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match self.copy().await {
            Some(copy) if directory.is_of_server(copy.source()) => {
                Ok(read(&copy.book(tenant).read().unwrap_or_else(PoisonError::into_inner)))
            }
            Some(_) => otherwise.await,
            None => {
                let answer = otherwise.await;
                self.note_answer_without_projection();
                answer
            }
        }
    }

    /// Notes that an answer from the directory may be newer than the projection.
    fn note_answer_without_projection(&self) {
        if self.book.0.place.is_some() {
            self.book.0.ahead.note();
        }
    }

    /// The present change feed of a tenant.
    ///
    /// # Errors
    /// [`NoFeed`].
    pub async fn feed(&self, tenant: &TenantId) -> Result<Feed, NoFeed> {
        let copy = self.copy().await.ok_or(NoFeed)?;
        Ok(Feed::new(copy.book(tenant), tenant, copy.epoch(), copy.horizon()))
    }

    /// Waits until the next book that any process opens includes everything that this process has written so far.
    pub async fn flush(&self) {
        self.book.0.snapshots.outdate();
        if self.checks.is_some() {
            self.book.0.reports.flush().await;
            tokio::time::sleep(GOOD_FOR).await;
        }
    }

    async fn copy(&self) -> Option<Arc<LocalCopy>> {
        self.checks.as_ref()?.current().await
    }
}

/// A tenant's book, at least as new as when it was opened.
#[derive(Clone)]
pub struct Opened {
    book: SharedBook,
    tag: String,
}

impl Opened {
    /// A tag of this state of the book, different from that of every other state: letters, digits and hyphens, for an
    /// entity tag.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("{}-{}", self.tag, self.read(Book::version))
    }

    /// Runs a function on the book. Updates wait in the meantime, so it should be short.
    pub fn read<T>(&self, read: impl FnOnce(&Book) -> T) -> T {
        read(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }
}
