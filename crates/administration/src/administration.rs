//! What all use cases work with.

use crate::{
    caller::Actor,
    changes::{Change, Observers},
    policy::{Action, Forbidden},
};
use directory::{Directory, changing::WriteError};
use mail_model::tenant::TenantId;
use std::{future::pending, panic::resume_unwind};
use tokio::task::spawn_local;

/// The use cases, on one thread: each thing that somebody can do to the directory is a function of it, which asks the policy, does it,
/// and has whoever must hear of it hear. It needs a `LocalSet` of tokio around it.
#[derive(Clone)]
pub struct Administration {
    pub(crate) directory: Directory,
    observers: Observers,
}

impl Administration {
    /// Use cases on a directory.
    #[must_use]
    pub fn new(directory: Directory, observers: Observers) -> Self {
        Self { directory, observers }
    }

    /// Whoever must hear of changes.
    #[must_use]
    pub fn observers(&self) -> &Observers {
        &self.observers
    }

    /// Does something that may change the directory. Whatever comes of it, whoever reads afterwards finds it.
    pub(crate) async fn change<T>(&self, work: impl Future<Output = T>) -> T {
        let change: Change = self.observers.begin();
        let outcome = work.await;
        change.end().await;
        outcome
    }

    /// Makes a change that whoever may do something may make, however far that reaches.
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

    /// Does work that takes a while as [`Self::change`] does: it comes to its end also where nobody waits for it. What is left half way would
    /// wait for the hourly job.
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
