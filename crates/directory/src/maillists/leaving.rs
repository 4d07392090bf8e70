//! The end of a user's memberships. When an entry is removed, 389-ds removes it from all lists itself, by the plug-in for
//! referential integrity, within the removal. That takes seconds for a list of 100,000 or for many lists, and all other
//! changes wait. So a purge first takes the user out of each list, which costs a sixth, and other changes come in between.

use crate::{Directory, Entry, Scope, error::DirectoryError};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{
    maillist::{member::Member, plan},
    names,
    tenant::TenantId,
    tested,
};

impl Directory {
    /// Takes an entry that is claimed for removal out of all mailing lists of its tenant. It stops if the entry is not
    /// claimed any more: another purge has removed it, and a new user may have its name and its own memberships. The
    /// plug-in does the rest: groups of other programs, lists that get the member meanwhile, and lists that are being
    /// deleted or refuse the change.
    pub(crate) async fn leave_lists(&self, tenant: &TenantId, member: &Dn) -> Result<(), DirectoryError> {
        let folder = self.tree().lists(tenant);
        let is_list = tested::of_class(names::MAIL_LIST_CLASS);
        let has = Filter::all([Filter::equal(names::MEMBER, member.to_string()), is_list]);
        let scan = self.scan(&folder, Scope::Subtree, &has, &[names::NO_ATTRIBUTES]).await?;
        for list in scan.gather(Entry::dn).await? {
            if !self.is_claimed(member).await? {
                break;
            }
            match self.apply(&plan::departure(list, vec![Member::Inside(member.clone())])).await {
                Ok(())
                | Err(DirectoryError::Stale | DirectoryError::NotFound | DirectoryError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
