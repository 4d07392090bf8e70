//! The entries of a tenant follow the tenant: after the tenant's entry was marked as deleted or as restored, each of
//! its users, lists and resources is brought in line.
//!
//! This is safe to kill at any point and to run in several replicas at once, in either direction. Each entry is
//! changed by a modify on the exact state that was read. A replica that has finished a sweep reads the tenant's entry
//! again, and repeats the sweep if the entry has changed. So the last replica to finish leaves everything in the state
//! of the tenant's entry. The hourly job completes what a killed process left.

use crate::{Directory, Lookup, Scope, batches::Applied, error::DirectoryError};
use jiff::Timestamp;
use ldap_text::{filter::Filter, ldif::ChangeRecord};
use mail_model::{
    deletion::{self, FOLLOWING_ATTRIBUTES, Since},
    names,
    tenant::{self, DeletedTenant, LiveTenant, TenantId},
};

/// How often a sweep is repeated because entries were changed during it.
const MAX_SWEEPS: usize = 32;

/// The state that a tenant's entry prescribes for the entries of the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Live,
    Deleted(Since),
    /// The tenant is gone or claimed by a purge: there is nothing left to do.
    Over,
}

impl Lookup {
    /// All tenants, deleted or not. There are few.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub(crate) async fn all_tenants(&self) -> Result<Vec<TenantId>, DirectoryError> {
        let filter = tenant::of_class();
        let scan =
            self.scan(self.tree().domains(), Scope::Children, &filter, &[names::NO_ATTRIBUTES]).await?;
        scan.gather(|entry| self.tree().tenant_of(&entry.dn()?)).await
    }

    async fn state_of_tenant(&self, id: &TenantId) -> Result<State, DirectoryError> {
        let Some(entry) = self.tenant_entry(id).await? else { return Ok(State::Over) };
        if LiveTenant::from_entry(id.clone(), &entry).is_some() {
            return Ok(State::Live);
        }
        let deleted = DeletedTenant::from_entry(id.clone(), &entry).filter(|deleted| !deleted.being_purged);
        Ok(deleted.map_or(State::Over, |deleted| State::Deleted(deleted.since)))
    }
}

impl Directory {
    /// Brings all entries of a tenant in line with the tenant's own state; entries that fail are left.
    ///
    /// # Errors
    /// [`DirectoryError`]; what was done until then stays, and another call continues from there.
    pub(crate) async fn reconcile_tenant(
        &self,
        id: &TenantId,
        now: Timestamp,
    ) -> Result<Applied, DirectoryError> {
        let mut state = self.state_of_tenant(id).await?;
        for _ in 0..MAX_SWEEPS {
            let swept = match &state {
                State::Live => self.sweep(id, &back_filter(), deletion::back_with_tenant).await?,
                State::Deleted(since) => {
                    let plan = |dn, entry: &crate::Entry| Some(deletion::with_tenant(dn, entry, since, now));
                    self.sweep(id, &live_filter(), plan).await?
                }
                State::Over => return Ok(Applied::default()),
            };
            let after = self.state_of_tenant(id).await?;
            if swept.stale == 0 && after == state {
                return Ok(swept);
            }
            state = after;
        }
        Err(DirectoryError::Stale)
    }

    /// Changes the entries of a tenant that a filter finds.
    async fn sweep(
        &self,
        id: &TenantId,
        filter: &Filter,
        plan: impl Fn(ldap_text::dn::Dn, &crate::Entry) -> Option<ChangeRecord>,
    ) -> Result<Applied, DirectoryError> {
        let tree = self.tree();
        let mut all = Applied::default();
        for folder in [tree.users(id), tree.lists(id), tree.resource_groups(id)] {
            let found =
                self.change_all_found(&folder, Scope::Subtree, filter, FOLLOWING_ATTRIBUTES, &plan).await?;
            all.absorb(found);
        }
        Ok(all)
    }
}

/// The live entries of a deleted tenant.
fn live_filter() -> Filter {
    Filter::all([deletion::follows_its_tenant(), deletion::is_live()])
}

/// The entries that were deleted with a tenant that has been restored.
fn back_filter() -> Filter {
    Filter::all([deletion::follows_its_tenant(), deletion::is_deleted_with_tenant()])
}
