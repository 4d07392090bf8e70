//! The purge of tenants. A tenant is claimed like a user; then everything that belongs to it is removed, and
//! its own entry last.

use super::{DeletedUsers, PurgeReport, was_done};
use crate::{Directory, Entry, Lookup, Scope, error::DirectoryError};
use jiff::Timestamp;
use ldap_text::{dn::Dn, filter::Filter, ldif::ChangeRecord};
use mail_model::{
    deletion::{self, Retention, Since},
    names,
    tenant::{self, DeletedTenant, READ_ATTRIBUTES, TenantId, plan},
    tested::tested,
    user::{self, DeletedUser},
};

impl Lookup {
    /// The deleted tenants that are due or claimed already. There are few tenants.
    pub(super) async fn due_tenants(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Vec<DeletedTenant>, DirectoryError> {
        let old = deletion::deleted_by(retention.due_since(now));
        let filter = Filter::all([tenant::of_class(), Filter::any([old, deletion::is_claimed()])]);
        let is_due = |d: &DeletedTenant| d.being_purged || retention.is_due(d.since.time(), now);
        let due = |entry: &Entry| {
            let id = self.tree().tenant_of(&entry.dn()?)?;
            DeletedTenant::from_entry(id, entry).filter(is_due)
        };
        self.scan(self.tree().domains(), Scope::Children, &filter, READ_ATTRIBUTES).await?.gather(due).await
    }

    async fn users_of_deleted(&self, id: &TenantId) -> Result<crate::Scan, DirectoryError> {
        let users = self.tree().users(id);
        // All of these users are deleted, so the whole folder is read, without an index lookup.
        self.scan(&users, Scope::Subtree, &tested(user::deleted_filter()), &user::read_attributes()).await
    }

    /// What the purge of a tenant would remove, for a dry run: its users and its own entry. Returns the number
    /// of users.
    pub(super) async fn removals_of_tenant(
        &self,
        due: &DeletedTenant,
        on_change: &mut impl FnMut(&Since, &ChangeRecord),
    ) -> Result<usize, DirectoryError> {
        let mut users = 0;
        let mut scan = self.users_of_deleted(&due.tenant.id).await?;
        while let Some(entry) = scan.next().await? {
            let Some(deleted): Option<DeletedUser> = super::read(self, &entry) else { continue };
            users += 1;
            on_change(&deleted.since, &user::plan::removal(self.tree(), &deleted));
        }
        for removal in plan::removals(self.tree(), &due.tenant.id) {
            on_change(&due.since, &removal);
        }
        Ok(users)
    }
}

impl Directory {
    /// Removes the tenants that are due.
    pub(super) async fn purge_tenants(
        &self,
        retention: Retention,
        now: Timestamp,
        report: &mut PurgeReport,
        on_removed: &mut impl FnMut(),
    ) -> Result<(), DirectoryError> {
        for due in self.due_tenants(retention, now).await? {
            let claim = plan::purge_claim(self.tree(), &due);
            let claimed = if due.being_purged { Ok(true) } else { was_done(self.apply(&claim).await) };
            match claimed {
                Ok(true) => self.remove_tenant(&due.tenant.id, report, on_removed).await?,
                Ok(false) => report.overtaken += 1,
                Err(error) => self.take_note(report, &claim.dn, Err(error)).await?,
            }
        }
        Ok(())
    }

    /// Removes a claimed tenant with everything that belongs to it. If an entry can't be removed, its folder
    /// and the tenant's own entry stay for the next run.
    async fn remove_tenant(
        &self,
        id: &TenantId,
        report: &mut PurgeReport,
        on_removed: &mut impl FnMut(),
    ) -> Result<(), DirectoryError> {
        // Lists are removed before their members, so that no list is rewritten for each user.
        self.remove_below(&self.tree().lists(id), report).await?;
        let users = DeletedUsers { scan: self.users_of_deleted(id).await?, is_due: |_: &DeletedUser| true };
        self.purge_users(users, report, on_removed).await?;
        for folder in self.tree().tenant_folders(id) {
            self.remove_below(&folder, report).await?;
        }
        for removal in plan::removals(self.tree(), id) {
            if let Err(error) = self.remove(&removal).await {
                return self.take_note(report, &removal.dn, Err(error)).await;
            }
        }
        report.tenants += 1;
        Ok(())
    }

    /// Claims and removes what is left below a folder, the deepest entries first. It does not touch users: the
    /// access rules allow the removal of claimed users only, and a user that is left keeps the folder from
    /// being removed.
    async fn remove_below(&self, folder: &Dn, report: &mut PurgeReport) -> Result<(), DirectoryError> {
        let claimed = self.claim_all(folder, Scope::Subtree).await?;
        self.take_notes(report, claimed).await;
        let others = Filter::not(Filter::equal(names::OBJECT_CLASS, names::USER_CLASS));
        let scan = self.scan(folder, Scope::Subtree, &others, &[names::NO_ATTRIBUTES]).await?;
        let mut below = scan.gather(|entry| entry.dn().filter(|dn| dn != folder)).await?;
        below.sort_by_key(|dn| std::cmp::Reverse(dn.rdns().len()));
        // Entries of the same depth do not depend on each other.
        for level in below.chunk_by(|one, two| one.rdns().len() == two.rdns().len()) {
            let removals: Vec<_> = level.iter().cloned().map(deletion::removal).collect();
            let applied = self.apply_all(&removals).await?;
            self.take_notes(report, applied).await;
        }
        Ok(())
    }
}
