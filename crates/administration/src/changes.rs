//! What follows a change before it is answered: all observers are notified. If the client disconnects and no answer is
//! possible, they are still notified as far as possible.

use crate::accounts::Accounts;
use address_book::reader::BookReader;
use futures_util::future::{LocalBoxFuture, join_all, ready};
use mail_model::tenant::TenantId;
use std::rc::Rc;
use tokio::{sync::oneshot, task::spawn_local};

/// What was changed, so that observers can invalidate what they cache about it.
#[derive(Clone, Copy, Debug)]
pub enum Changed<'a> {
    /// The account with an identifier.
    Account(&'a str),
    /// Any account of a tenant.
    AccountsOf(&'a TenantId),
    /// Any account.
    Accounts,
}

/// Is notified of changes.
pub trait Observer {
    /// Invalidates what the observer caches about `changed`.
    fn forget(&self, changed: Changed<'_>);

    /// Completes once all later reads, in any process, see everything that this process has written so far.
    fn flush(&self) -> LocalBoxFuture<'_, ()>;
}

impl Observer for BookReader {
    /// Does nothing: it follows the directory on its own.
    fn forget(&self, _: Changed<'_>) {}

    fn flush(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.flush())
    }
}

impl Observer for Accounts {
    fn forget(&self, changed: Changed<'_>) {
        match changed {
            Changed::Account(id) => self.forget(id),
            Changed::AccountsOf(tenant) => self.forget_of(tenant),
            Changed::Accounts => self.forget_all(),
        }
    }

    fn flush(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

/// All observers, on one thread. The composition of the program decides which ones there are.
#[derive(Clone)]
pub struct Observers(Rc<[Rc<dyn Observer>]>);

impl Observers {
    /// Creates the list of observers.
    #[must_use]
    pub fn new(observers: Vec<Rc<dyn Observer>>) -> Self {
        Self(observers.into())
    }

    /// Notifies all observers that something was changed.
    pub fn forget(&self, changed: Changed<'_>) {
        self.0.iter().for_each(|observer| observer.forget(changed));
    }

    /// Begins a change, before anything is written.
    #[must_use]
    pub fn begin(&self) -> Change {
        let (ended, end) = oneshot::channel();
        let observers = self.clone();
        spawn_local(async move {
            if end.await.is_err() {
                observers.flush().await;
            }
        });
        Change { observers: self.clone(), ended }
    }

    async fn flush(&self) {
        join_all(self.0.iter().map(|observer| observer.flush())).await;
    }
}

/// A change in progress. If it is dropped before its end, the observers are flushed all the same.
pub struct Change {
    observers: Observers,
    /// Dropped without sending if the request is dropped.
    ended: oneshot::Sender<()>,
}

impl Change {
    /// Ends the change after everything was written.
    pub async fn end(self) {
        self.observers.flush().await;
        // The receiver has nothing else to wait for, so a failed send does not matter.
        let _heard = self.ended.send(());
    }
}
