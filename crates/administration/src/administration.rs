//! The common basis of all use cases.

use crate::{
    caller::Actor,
    changes::{Change, Observers},
    policy::{Action, Forbidden},
    recall::MailStoreInUse,
};
use directory::{Directory, Lookup, changing::WriteError};
use mail_model::tenant::TenantId;
use std::{future::pending, panic::resume_unwind};
use tokio::task::spawn_local;

/// The use cases, on one thread. Each change of the directory is a method, which checks the policy, makes the change
/// and flushes the observers. It must run within a `LocalSet` of tokio.
#[derive(Clone)]
pub struct Administration {
    pub(crate) directory: Directory,
    /// The directory as the account for backups sees it, if one is set up.
    pub(crate) backup_directory: Option<Directory>,
    pub(crate) mail_store: MailStoreInUse,
    observers: Observers,
}

impl Administration {
    /// Creates the use cases on a directory, which the account for backups, if one is set up, has connections of its own
    /// to.
    #[must_use]
    pub fn new(directory: Directory, backup_directory: Option<Directory>, observers: Observers) -> Self {
        Self { directory, backup_directory, mail_store: MailStoreInUse::default(), observers }
    }

    /// The same with a mail server.
    #[must_use]
    pub fn with_mail_store(self, mail_store: MailStoreInUse) -> Self {
        Self { mail_store, ..self }
    }

    /// The directory, for reading.
    #[must_use]
    pub fn lookup(&self) -> &Lookup {
        &self.directory
    }

    /// The directory as the account for backups reads it; `None` if no such account is set up.
    #[must_use]
    pub fn backup_lookup(&self) -> Option<&Lookup> {
        self.backup_directory.as_deref()
    }

    /// The observers of changes.
    #[must_use]
    pub fn observers(&self) -> &Observers {
        &self.observers
    }

    /// Does work that may change the directory. Whatever its result, later reads see the changes.
    pub(crate) async fn change<T>(&self, work: impl Future<Output = T>) -> T {
        let change: Change = self.observers.begin();
        let outcome = work.await;
        change.end().await;
        outcome
    }

    /// Makes a change that the caller may make, if the policy allows the action in any reach.
    pub(crate) async fn permitted<T>(
        &self,
        caller: &Actor,
        action: Action,
        tenant: Option<&TenantId>,
        work: impl Future<Output = Result<T, WriteError>>,
    ) -> Result<T, WriteError> {
        caller.reach(action, tenant)?;
        self.change(work).await
    }

    /// Like [`Self::change`], for work that takes a while: it runs to its end even if the caller stops waiting. Work
    /// that was interrupted would have to wait for the hourly job.
    pub(crate) async fn change_to_the_end<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        let change = self.observers.begin();
        let done = spawn_local(async move {
            let outcome = work.await;
            change.end().await;
            outcome
        });
        match done.await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The process is ending.
                Err(_) => pending().await,
            },
        }
    }
}

impl From<Forbidden> for WriteError {
    fn from(_: Forbidden) -> Self {
        Self::Forbidden
    }
}
