//! The purge: removes users and tenants whose retention is over, and completes other removals and restorations
//! that were interrupted.
//!
//! It is safe to kill at any point and to run in several replicas at once. Each user and each tenant is claimed
//! by a modify that succeeds only if the entry is still as it was when it was found to be due. If a restore or
//! another purge wins this race, the purge leaves the entry alone. A claimed entry can't be restored, and only
//! claimed entries can be removed: the server's own access rules enforce it. So a removal that arrives late can
//! never hit a user who has been given the same address since. If a purge is killed between a claim and its
//! removal, the next purge completes the removal.
//!
//! An entry that can't be removed, for example because another program has put entries below it, is reported,
//! and the purge continues with the others.

mod leftovers;
mod report;
mod tenants;

use crate::{
    Directory, Entry, Lookup, Scope,
    error::{DirectoryError, INSUFFICIENT_ACCESS_RIGHTS},
};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use ldap_text::ldif::ChangeRecord;
use mail_model::{
    deletion::{Retention, Since},
    user::{self, DeletedUser, plan},
};

use std::pin::pin;

pub use report::{FailedEntry, PurgeReport};

/// Users that are held in memory at a time.
const BATCH: usize = 500;
/// Users that are removed at a time: a job has four connections, and the search has one of them. The purge is not urgent;
/// with more of them it would delay requests that people wait for.
const AT_ONCE: usize = 3;

impl Lookup {
    /// What a purge at `now` would remove: the removals, each with the time of the deletion.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn purge_dry_run(
        &self,
        retention: Retention,
        now: Timestamp,
        mut on_change: impl FnMut(&Since, &ChangeRecord),
    ) -> Result<PurgeReport, DirectoryError> {
        let mut report = PurgeReport::default();
        let mut due = self.due_users(retention, now).await?;
        loop {
            let batch = due.next_batch(self).await?;
            if batch.is_empty() {
                break;
            }
            for deleted in &batch {
                report.users += 1;
                on_change(&deleted.since, &plan::removal(self.tree(), deleted));
            }
        }
        for tenant in self.due_tenants(retention, now).await? {
            report.tenants += 1;
            report.users += self.removals_of_tenant(&tenant, &mut on_change).await?;
        }
        Ok(report)
    }

    async fn due_users(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<DeletedUsers<impl Fn(&DeletedUser) -> bool>, DirectoryError> {
        let filter = user::deleted_by_filter(retention.due_since(now));
        let scan = self.scan(self.tree().people(), Scope::Subtree, &filter, &user::read_attributes()).await?;
        Ok(DeletedUsers { scan, is_due: move |user: &DeletedUser| retention.is_due(user.since.time(), now) })
    }
}

impl Directory {
    /// Removes every user and every tenant that is due at `now`, and calls `on_removed` after the removal of
    /// each user.
    ///
    /// # Errors
    /// [`DirectoryError`]; what was removed until then stays removed, and the next run removes the rest.
    pub async fn purge(
        &self,
        retention: Retention,
        now: Timestamp,
        mut on_removed: impl FnMut(),
    ) -> Result<PurgeReport, DirectoryError> {
        let mut report = PurgeReport::default();
        self.reconcile_tenants(now, &mut report).await?;
        let due = self.due_users(retention, now).await?;
        Box::pin(self.purge_users(due, &mut report, &mut on_removed)).await?;
        Box::pin(self.purge_tenants(retention, now, &mut report, &mut on_removed)).await?;
        Box::pin(self.end_removals(&mut report)).await?;
        let answers = Box::pin(self.purge_answers(now)).await?;
        self.take_notes(&mut report, answers).await;
        Ok(report)
    }

    /// Reconciles every tenant that a killed process may have left half done. A tenant that is consistent costs
    /// a few searches that find nothing.
    async fn reconcile_tenants(
        &self,
        now: Timestamp,
        report: &mut PurgeReport,
    ) -> Result<(), DirectoryError> {
        for id in self.all_tenants().await? {
            match Box::pin(self.reconcile_tenant(&id, now)).await {
                Ok(applied) => self.take_notes(report, applied).await,
                Err(error) => self.take_note(report, &self.tree().tenant(&id), Err(error)).await?,
            }
        }
        Ok(())
    }

    /// Claims and removes users, several at a time.
    async fn purge_users<F: Fn(&DeletedUser) -> bool>(
        &self,
        mut users: DeletedUsers<F>,
        report: &mut PurgeReport,
        on_removed: &mut impl FnMut(),
    ) -> Result<(), DirectoryError> {
        loop {
            let batch = users.next_batch(self).await?;
            if batch.is_empty() {
                return Ok(());
            }
            let purged = stream::iter(&batch).map(async |user| (user, self.purge_one(user).await));
            let mut purged = pin!(purged.buffer_unordered(AT_ONCE));
            while let Some((user, purged)) = purged.next().await {
                match purged {
                    Ok(true) => {
                        report.users += 1;
                        on_removed();
                    }
                    Ok(false) => report.overtaken += 1,
                    Err(error) => {
                        let dn = plan::removal(self.tree(), user).dn;
                        self.take_note(report, &dn, Err(error)).await?;
                    }
                }
            }
        }
    }

    /// Claims and removes one user; `false` if another process was faster.
    async fn purge_one(&self, deleted: &DeletedUser) -> Result<bool, DirectoryError> {
        let claim = plan::purge_claim(self.tree(), deleted);
        if !deleted.being_purged && !was_done(self.apply(&claim).await)? {
            return Ok(false);
        }
        let removal = plan::removal(self.tree(), deleted);
        self.leave_lists(deleted.user.tenant(), &removal.dn).await?;
        was_done(self.apply(&removal).await)
    }
}

/// Users that a search finds, read in batches.
struct DeletedUsers<F> {
    scan: crate::Scan,
    is_due: F,
}

impl<F: Fn(&DeletedUser) -> bool> DeletedUsers<F> {
    async fn next_batch(&mut self, directory: &Lookup) -> Result<Vec<DeletedUser>, DirectoryError> {
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let Some(entry) = self.scan.next().await? else { break };
            batch.extend(read(directory, &entry).filter(&self.is_due));
        }
        Ok(batch)
    }
}

fn read(directory: &Lookup, entry: &Entry) -> Option<DeletedUser> {
    let (tenant, mail) = directory.tree().user_of(&entry.dn()?)?;
    DeletedUser::from_entry(mail, tenant, entry)
}

/// Whether a step was done. It was not if the entry has changed or is gone; for these cases the server's access
/// rules also answer `insufficientAccessRights` (50).
fn was_done(outcome: Result<(), DirectoryError>) -> Result<bool, DirectoryError> {
    match outcome {
        Ok(()) => Ok(true),
        Err(
            DirectoryError::Stale
            | DirectoryError::NotFound
            | DirectoryError::Refused { code: INSUFFICIENT_ACCESS_RIGHTS, .. },
        ) => Ok(false),
        Err(error) => Err(error),
    }
}
