//! What follows a change before it is answered: whoever must hear of it does, also where the client goes away and nobody is
//! there to be answered; then as well as can be.

use crate::accounts::Accounts;
use address_book::reader::BookReader;
use futures_util::future::{LocalBoxFuture, join_all, ready};
use mail_model::tenant::TenantId;
use std::rc::Rc;
use tokio::{sync::oneshot, task::spawn_local};

/// What was changed, as far as something that is remembered of it may be out of date.
#[derive(Clone, Copy, Debug)]
pub enum Changed<'a> {
    /// The account with an identifier.
    Account(&'a str),
    /// Any account of a tenant.
    AccountsOf(&'a TenantId),
    /// Any account.
    Accounts,
}

/// Must hear of changes.
pub trait Observer {
    /// What it remembers of something may be out of date.
    fn forget(&self, changed: Changed<'_>);

    /// Resolves once whoever reads next, in any process, finds what this process has written so far.
    fn flush(&self) -> LocalBoxFuture<'_, ()>;
}

impl Observer for BookReader {
    /// It follows the directory by itself.
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

/// Whoever must hear of changes, on one thread. The program's composition says who that is.
#[derive(Clone)]
pub struct Observers(Rc<[Rc<dyn Observer>]>);

impl Observers {
    /// These.
    #[must_use]
    pub fn new(observers: Vec<Rc<dyn Observer>>) -> Self {
        Self(observers.into())
    }

    /// What was changed.
    pub fn forget(&self, changed: Changed<'_>) {
        self.0.iter().for_each(|observer| observer.forget(changed));
    }

    /// A change begins, before anything is written.
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

/// A change under way. Dropped before its end, the observers are flushed all the same.
pub struct Change {
    observers: Observers,
    /// Dropped without a word where the request is.
    ended: oneshot::Sender<()>,
}

impl Change {
    /// Ends once everything is written.
    pub async fn end(self) {
        self.observers.flush().await;
        // Whoever waits for it has nothing else to do.
        let _heard = self.ended.send(());
    }
}
