//! Removals of lists, resources and resource groups that were begun by a claim and then cut off.

use crate::{Directory, Scope, error::DirectoryError};
use ldap_text::filter::Filter;
use mail_model::{
    deletion, names,
    resource::group::{self, GroupName},
};

impl Directory {
    /// Ends them.
    pub(super) async fn end_removals(&self) -> Result<(), DirectoryError> {
        let tree = self.tree();
        let classes = [names::MAIL_LIST_CLASS, names::RESOURCE_CLASS];
        let leaf = Filter::any(classes.map(|class| Filter::equal(names::OBJECT_CLASS, class)));
        let claimed = Filter::all([deletion::is_claimed(), leaf]);
        let mut scan = self.scan(tree.root(), Scope::Subtree, &claimed, &[names::NO_ATTRIBUTES]).await?;
        while let Some(entry) = scan.next().await? {
            if let Some(dn) = entry.dn() {
                self.remove(&deletion::removal(dn)).await?;
            }
        }
        let claimed = Filter::all([deletion::is_claimed(), group::of_class()]);
        let mut scan = self.scan(tree.root(), Scope::Subtree, &claimed, &[names::NO_ATTRIBUTES]).await?;
        let mut groups = Vec::new();
        while let Some(entry) = scan.next().await? {
            let owner = entry.dn().and_then(|dn| tree.owner_of(&dn));
            let name = entry.dn().and_then(|dn| GroupName::parse(dn.rdn()?.value_of(&names::OU)?).ok());
            groups.extend(owner.zip(name));
        }
        for (tenant, name) in groups {
            self.empty_and_remove_group(&tenant, &name).await?;
        }
        Ok(())
    }
}
