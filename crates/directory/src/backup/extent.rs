//! The part of the directory that a backup, a restore or a comparison covers: everything, or some tenants.

use crate::Scope;
use ldap_text::dn::Dn;
use mail_model::{tenant::TenantId, tree::Tree};

/// A part of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The root and everything below it.
    Everything,
    /// Some tenants: their entries, and what belongs to them.
    Tenants(Vec<TenantId>),
    /// What belongs to a tenant, without the tenant's own entry; an administrator of the tenant may restore this.
    BelongingsOf(TenantId),
}

impl Extent {
    /// The given tenants, or everything if none is given.
    #[must_use]
    pub fn of_tenants(tenants: Vec<TenantId>) -> Self {
        if tenants.is_empty() { Self::Everything } else { Self::Tenants(tenants) }
    }

    /// The tenants of this part; empty for everything.
    pub(crate) fn tenants(&self) -> &[TenantId] {
        match self {
            Self::Everything => &[],
            Self::Tenants(tenants) => tenants,
            Self::BelongingsOf(tenant) => std::slice::from_ref(tenant),
        }
    }

    /// The places of its entries. No two of them overlap.
    pub(crate) fn bases(&self, tree: &Tree) -> Vec<(Dn, Scope)> {
        let folders = |tenant| tree.tenant_folders(tenant).map(|folder| (folder, Scope::Subtree));
        match self {
            Self::Everything => vec![(tree.root().clone(), Scope::Subtree)],
            Self::Tenants(tenants) => {
                let mut tenants: Vec<_> = tenants.iter().collect();
                tenants.sort_unstable();
                tenants.dedup();
                let with_entry =
                    |tenant| std::iter::once((tree.tenant(tenant), Scope::Subtree)).chain(folders(tenant));
                tenants.into_iter().flat_map(with_entry).collect()
            }
            Self::BelongingsOf(tenant) => folders(tenant).to_vec(),
        }
    }
}
