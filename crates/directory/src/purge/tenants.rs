//! The purge of tenants: claimed like users, then everything they have is removed, the tenant's own entry last.

use super::{PurgeReport, was_done};
use crate::{Directory, Entry, Scope, error::DirectoryError};
use jiff::Timestamp;
use ldap_text::{dn::Dn, filter::Filter, ldif::ChangeRecord};
use mail_model::{
    deletion::{self, Retention, Since},
    names,
    tenant::{self, DeletedTenant, READ_ATTRIBUTES, TenantId, plan},
    user::{self, DeletedUser},
};

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
            if due.being_purged || was_done(self.apply(&claim).await)? {
                self.remove_tenant(&due.tenant.id, report, on_removed).await?;
                report.tenants += 1;
            } else {
                report.overtaken += 1;
            }
        }
        Ok(())
    }

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

    /// Removes a claimed tenant with everything it has.
    async fn remove_tenant(
        &self,
        id: &TenantId,
        report: &mut PurgeReport,
        on_removed: &mut impl FnMut(),
    ) -> Result<(), DirectoryError> {
        let mut scan = self.users_of_deleted(id).await?;
        while let Some(entry) = scan.next().await? {
            let Some(user) = super::read(self, &entry) else { continue };
            if self.purge_one(&user).await? {
                report.users += 1;
                on_removed();
            }
        }
        for folder in self.tree().tenant_folders(id) {
            self.remove_below(&folder).await?;
        }
        for removal in plan::removals(self.tree(), id) {
            self.remove(&removal).await?;
        }
        Ok(())
    }

    async fn users_of_deleted(&self, id: &TenantId) -> Result<crate::Scan, DirectoryError> {
        let users = self.tree().users(id);
        self.scan(&users, Scope::Subtree, &user::deleted_filter(), &user::read_attributes()).await
    }

    /// Removes what is left below a folder, the deepest first. Users are not touched here: the access rules let only
    /// claimed ones go, and one that is left keeps the folder from being removed.
    async fn remove_below(&self, folder: &Dn) -> Result<(), DirectoryError> {
        let others = Filter::not(Filter::equal(names::OBJECT_CLASS, names::USER_CLASS));
        let scan = self.scan(folder, Scope::Subtree, &others, &[names::NO_ATTRIBUTES]).await?;
        let mut below = scan.gather(|entry| entry.dn().filter(|dn| dn != folder)).await?;
        below.sort_by_key(|dn| std::cmp::Reverse(dn.rdns().len()));
        // What is equally deep does not depend on each other.
        for level in below.chunk_by(|one, two| one.rdns().len() == two.rdns().len()) {
            let removals: Vec<_> = level.iter().cloned().map(deletion::removal).collect();
            self.apply_all(&removals).await?;
        }
        Ok(())
    }

    /// What the purge of a tenant would remove, for a dry run: its users and its own entry; returns how many users.
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
