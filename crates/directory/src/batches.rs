//! Many changes that do not depend on each other: applied several at a time, and of what a search finds batch by batch, in a
//! loop that always ends. What fails of one entry stops no other.

use crate::{
    Directory, Entry, Scope,
    error::{DirectoryError, Unreachable},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter, ldif::ChangeRecord};

/// Entries that are held in memory at a time.
const BATCH: usize = 500;
/// Entries that fail before their folder is given up: together with a batch fewer than the 2,000 that 389-ds lets an account
/// read.
const MOST_FAILED: usize = 1000;
/// Batches of one folder: five million entries.
const MOST_BATCHES: usize = 10_000;

/// What came of many changes.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// How many were made.
    pub(crate) done: usize,
    /// How many did not fit their entry any more, or had none.
    pub(crate) stale: usize,
    /// Entries whose change failed, and why.
    pub(crate) failed: Vec<(Dn, DirectoryError)>,
}

impl Applied {
    /// Requires that nothing failed.
    ///
    /// # Errors
    /// The first failure.
    pub(crate) fn complete(self) -> Result<(), DirectoryError> {
        self.failed.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Takes in what came of others.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.done += other.done;
        self.stale += other.stale;
        self.failed.extend(other.failed);
    }
}

impl Directory {
    /// Applies independent changes, several at a time.
    ///
    /// # Errors
    /// What fails of every entry alike.
    pub(crate) async fn apply_all(&self, changes: &[ChangeRecord]) -> Result<Applied, DirectoryError> {
        let outcomes = stream::iter(changes).map(|change| async move {
            let _permit = self.permit().await;
            // Boxed, since every future that has this one in it is as large.
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

    /// Changes everything that a filter finds; the changes take it out of what is found. What fails, and what there is no
    /// plan for, is passed over.
    ///
    /// # Errors
    /// What fails of every entry alike.
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
                        .push((dn, DirectoryError::InvalidValue("its state makes no sense".to_owned()))),
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

    /// The error back, where it is one of an entry, and others are worth trying.
    ///
    /// # Errors
    /// The same error where the directory does nothing at all.
    pub(crate) async fn of_one_entry(&self, error: DirectoryError) -> Result<DirectoryError, DirectoryError> {
        let may_be_of_all = match &error {
            // A connection that is free soon, or a server that is back.
            DirectoryError::Unreachable(
                Unreachable::AllBusy | Unreachable::FoundOut | Unreachable::Hangs,
            ) => return Err(error),
            DirectoryError::Unreachable(_) | DirectoryError::OutcomeUnknown(_) => true,
            _ => false,
        };
        if may_be_of_all && self.ping().await.is_err() { Err(error) } else { Ok(error) }
    }
}
