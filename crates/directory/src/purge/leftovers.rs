//! Removals of lists, resources and resource groups that were claimed and then interrupted.

use super::PurgeReport;
use crate::{Directory, Entry, Scope, error::DirectoryError};
use ldap_text::filter::Filter;
use mail_model::{
    deletion, names,
    resource::group::{self, GroupName},
    tested,
};

impl Directory {
    /// Completes these removals.
    pub(super) async fn end_removals(&self, report: &mut PurgeReport) -> Result<(), DirectoryError> {
        let tree = self.tree();
        let classes = [names::MAIL_LIST_CLASS, names::RESOURCE_CLASS];
        let leaf = Filter::any(classes.map(tested::of_class));
        let claimed = Filter::all([deletion::is_claimed(), leaf]);
        let scan = self.scan(tree.root(), Scope::Subtree, &claimed, &[names::NO_ATTRIBUTES]).await?;
        for dn in scan.gather(Entry::dn).await? {
            let outcome = self.remove_claimed(dn.clone()).await;
            self.take_note(report, &dn, outcome).await?;
        }
        let claimed = Filter::all([deletion::is_claimed(), group::of_class()]);
        let scan = self.scan(tree.root(), Scope::Subtree, &claimed, &[names::NO_ATTRIBUTES]).await?;
        let named = |entry: &Entry| {
            let dn = entry.dn()?;
            Some((tree.owner_of(&dn)?, GroupName::parse(dn.rdn()?.value_of(&names::OU)?).ok()?))
        };
        for (tenant, name) in scan.gather(named).await? {
            let outcome = self.empty_and_remove_group(&tenant, &name).await;
            self.take_note(report, &tree.resource_group(&tenant, &name), outcome).await?;
        }
        Ok(())
    }
}
