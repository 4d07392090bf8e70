//! What a tenant has follows the tenant: once the tenant's entry says that it is deleted, or back, each of its users,
//! lists and resources is brought in line.
//!
//! Safe to kill at any point and to run in several replicas at once, in whatever direction: each entry is changed by
//! a modify on the exact state that was read, and whoever has finished a sweep looks at the tenant's entry again
//! and sweeps anew when it says something else. So the last one to finish leaves everything as the tenant's
//! entry says. What a killed process left is finished by the hourly job.

use crate::{Directory, Scope, error::DirectoryError};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use ldap_text::{filter::Filter, ldif::ChangeRecord};
use mail_model::{
    deletion::{self, FOLLOWING_ATTRIBUTES, Since},
    names,
    tenant::{self, DeletedTenant, LiveTenant, TenantId},
};
/// Entries that are held in memory at a time.
const BATCH: i32 = 500;
/// How often a sweep begins anew because entries were changed under it.
const MAX_SWEEPS: usize = 32;

/// What a tenant's entry says about what the tenant has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Live,
    Deleted(Since),
    /// Gone, or a purge has claimed it: nothing follows any more.
    Over,
}

impl Directory {
    /// Brings everything of a tenant in line with the tenant's own state.
    ///
    /// # Errors
    /// [`DirectoryError`]; what was done until then stays, and doing it again goes on.
    pub(crate) async fn settle_tenant(&self, id: &TenantId, now: Timestamp) -> Result<(), DirectoryError> {
        let mut state = self.state_of_tenant(id).await?;
        for _ in 0..MAX_SWEEPS {
            let left = match &state {
                State::Live => self.sweep(id, &back_filter(), deletion::back_with_tenant).await?,
                State::Deleted(since) => {
                    let plan = |dn, entry: &crate::Entry| Some(deletion::with_tenant(dn, entry, since, now));
                    self.sweep(id, &live_filter(), plan).await?
                }
                State::Over => return Ok(()),
            };
            let after = self.state_of_tenant(id).await?;
            if left == 0 && after == state {
                return Ok(());
            }
            state = after;
        }
        Err(DirectoryError::Stale)
    }

    /// Settles every tenant that a killed process may have left half way; a settled one costs a few searches that
    /// find nothing.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub(crate) async fn settle_tenants(&self, now: Timestamp) -> Result<(), DirectoryError> {
        let filter = tenant::of_class();
        let scan =
            self.scan(self.tree().domains(), Scope::Children, &filter, &[names::NO_ATTRIBUTES]).await?;
        for id in scan.gather(|entry| self.tree().tenant_of(&entry.dn()?)).await? {
            self.settle_tenant(&id, now).await?;
        }
        Ok(())
    }

    async fn state_of_tenant(&self, id: &TenantId) -> Result<State, DirectoryError> {
        let Some(entry) = self.tenant_entry(id).await? else { return Ok(State::Over) };
        if LiveTenant::from_entry(id.clone(), &entry).is_some() {
            return Ok(State::Live);
        }
        let deleted = DeletedTenant::from_entry(id.clone(), &entry).filter(|deleted| !deleted.being_purged);
        Ok(deleted.map_or(State::Over, |deleted| State::Deleted(deleted.since)))
    }

    /// Changes what a filter finds of a tenant; returns how many entries were changed by others meanwhile.
    async fn sweep(
        &self,
        id: &TenantId,
        filter: &Filter,
        plan: impl Fn(ldap_text::dn::Dn, &crate::Entry) -> Option<ChangeRecord>,
    ) -> Result<usize, DirectoryError> {
        let tree = self.tree();
        let mut left = 0;
        for folder in [tree.users(id), tree.lists(id), tree.resource_groups(id)] {
            // What is done is found no more, so each search goes on where the last one ended.
            loop {
                let found =
                    self.find_some(&folder, Scope::Subtree, filter, FOLLOWING_ATTRIBUTES, BATCH).await?;
                let plan = |entry: &crate::Entry| plan(entry.dn()?, entry);
                let changes: Vec<_> = found.iter().filter_map(plan).collect();
                let stale = self.apply_all(&changes).await?;
                if stale == changes.len() {
                    left += stale;
                    break;
                }
            }
        }
        Ok(left)
    }

    /// Applies independent changes, several at a time; returns how many did not fit their entry any more.
    pub(crate) async fn apply_all(&self, changes: &[ChangeRecord]) -> Result<usize, DirectoryError> {
        let outcomes = stream::iter(changes).map(|change| async move {
            let _lane = self.lane().await;
            // Boxed, since every future that has this one in it is as large.
            match Box::pin(self.apply(change)).await {
                Ok(()) | Err(DirectoryError::NotFound) => Ok(0),
                Err(DirectoryError::Stale) => Ok(1),
                Err(error) => Err(error),
            }
        });
        outcomes.buffer_unordered(self.lanes()).try_fold(0, async |sum, one| Ok(sum + one)).await
    }
}

/// What is live of a deleted tenant.
fn live_filter() -> Filter {
    Filter::all([deletion::follows_its_tenant(), deletion::is_live()])
}

/// What was deleted with a tenant that is back.
fn back_filter() -> Filter {
    Filter::all([deletion::follows_its_tenant(), deletion::is_deleted_with_tenant()])
}
