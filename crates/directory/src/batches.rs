//! Many changes that do not depend on each other: a given list is applied several at a time, and the matches of
//! a search are changed batch by batch, in a loop that always ends. A failure of one entry does not stop the
//! others.

use crate::{
    Directory, Entry, Lookup, Scope,
    error::{DirectoryError, Unreachable},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter, ldif::ChangeRecord};

/// Entries that are held in memory at a time.
const BATCH: usize = 500;
/// Failed entries after which their folder is given up. Together with a batch they are fewer than the 2,000
/// entries that 389-ds lets an account read.
const MOST_FAILED: usize = 1000;
/// Batches of one folder: five million entries at most.
const MOST_BATCHES: usize = 10_000;

/// The outcome of many changes.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// How many were made.
    pub(crate) done: usize,
    /// How many were planned on an entry that has changed since or is gone.
    pub(crate) stale: usize,
    /// Entries whose change failed, and why.
    pub(crate) failed: Vec<(Dn, DirectoryError)>,
}

impl Applied {
    /// Requires that no change failed.
    ///
    /// # Errors
    /// The first failure.
    pub(crate) fn complete(self) -> Result<(), DirectoryError> {
        self.failed.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Adds the outcome of other changes.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.done += other.done;
        self.stale += other.stale;
        self.failed.extend(other.failed);
    }
}

impl Lookup {
    /// Returns the error if it concerns one entry only, so that trying other entries makes sense.
    ///
    /// # Errors
    /// The same error if the directory as a whole does not work.
    pub(crate) async fn of_one_entry(&self, error: DirectoryError) -> Result<DirectoryError, DirectoryError> {
        let may_be_of_all = match &error {
            // A connection may become free soon, or a server may be back.
            DirectoryError::Unreachable(
                Unreachable::AllBusy | Unreachable::FoundOut | Unreachable::Hangs,
            ) => return Err(error),
            DirectoryError::Unreachable(_) | DirectoryError::OutcomeUnknown(_) => true,
            _ => false,
        };
        if may_be_of_all && self.ping().await.is_err() { Err(error) } else { Ok(error) }
    }
}

impl Directory {
    /// Applies independent changes, several at a time.
    ///
    /// # Errors
    /// An error that is not about one entry.
    pub(crate) async fn apply_all(&self, changes: &[ChangeRecord]) -> Result<Applied, DirectoryError> {
        let outcomes = stream::iter(changes).map(|change| async move {
            let _permit = self.permit().await;
            // Boxed, since the size of this future adds to that of every future that contains it.
            (change, Box::pin(self.apply(change)).await)
        });
        let outcomes = outcomes.buffer_unordered(self.permits()).map(Ok);
        outcomes
            .try_fold(Applied::default(), async |mut applied, (change, outcome)| {
                match outcome {
                    Ok(()) => applied.done += 1,
                    Err(DirectoryError::Stale | DirectoryError::NotFound) => applied.stale += 1,
                    Err(error) => applied.failed.push((change.dn.clone(), self.of_one_entry(error).await?)),
                }
                Ok(applied)
            })
            .await
    }

    /// Changes everything that a filter finds; each change must make the entry no longer match the filter.
    /// Entries whose change fails, or for which `plan` returns no change, are reported as failed and not tried
    /// again.
    ///
    /// # Errors
    /// An error that is not about one entry.
    pub(crate) async fn change_all_found(
        &self,
        folder: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
        plan: impl Fn(Dn, &Entry) -> Option<ChangeRecord>,
    ) -> Result<Applied, DirectoryError> {
        let mut all = Applied::default();
        for _ in 0..MOST_BATCHES {
            let failed_before = all.failed.len();
            let most = i32::try_from(BATCH + all.failed.len()).unwrap_or(i32::MAX);
            let found = self.find_some(folder, scope, filter, attributes, most).await?;
            let mut changes = Vec::with_capacity(found.len());
            for entry in &found {
                let Some(dn) = entry.dn().filter(|dn| all.failed.iter().all(|(failed, _)| failed != dn))
                else {
                    continue;
                };
                match plan(dn.clone(), entry) {
                    Some(change) => changes.push(change),
                    None => all
                        .failed
                        .push((dn, DirectoryError::InvalidValue("its state is inconsistent".to_owned()))),
                }
            }
            let applied = self.apply_all(&changes).await?;
            let is_idle = applied.done == 0;
            all.absorb(applied);
            if (is_idle && all.failed.len() == failed_before) || all.failed.len() > MOST_FAILED {
                break;
            }
        }
        Ok(all)
    }
}
