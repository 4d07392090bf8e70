//! Domains of tenants. A domain belongs to one tenant, which the uniqueness plug-in of 389-ds enforces within each
//! write, and it can't be removed while an address uses it.

use crate::{
    Directory, Lookup, Scope,
    changing::{NameTaken, WriteError},
    error::DirectoryError,
};
use ldap_text::filter::Filter;
use mail_model::{
    address::Domain,
    deletion::Since,
    entry::EntryView,
    names,
    revision::Precondition,
    tenant::{self, Tenant, TenantId, command::DomainKept, plan},
    tested::tested,
};
use std::collections::HashSet;

impl Lookup {
    /// The domains that other tenants serve, in lower case.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn domains_of_others(&self, tenant: &Tenant) -> Result<HashSet<String>, DirectoryError> {
        let any = Filter::present(names::ASSOCIATED_DOMAIN);
        let scan =
            self.scan(self.tree().domains(), Scope::Children, &any, &[names::ASSOCIATED_DOMAIN]).await?;
        let domains = scan.gather(|entry| entry.values(&names::ASSOCIATED_DOMAIN).to_vec()).await?;
        let domains = domains.into_iter().map(|domain| domain.to_lowercase());
        Ok(domains.filter(|domain| !tenant.serves(domain)).collect())
    }

    /// The tenant that serves a domain, deleted or not.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn tenant_of_domain(&self, domain: &Domain) -> Result<Option<TenantId>, DirectoryError> {
        let entry = self.owner_of_domain(domain).await?;
        Ok(entry.and_then(|entry| self.tree().tenant_of(&entry.dn()?)))
    }

    async fn owner_of_domain(&self, domain: &Domain) -> Result<Option<crate::Entry>, DirectoryError> {
        let served = Filter::equal(names::ASSOCIATED_DOMAIN, domain.as_str());
        let filter = Filter::all([served, tenant::of_class()]);
        self.find(self.tree().domains(), Scope::Children, &filter, &[names::DELETED_SINCE]).await
    }

    pub(super) async fn domain_taken(&self, domain: &Domain) -> Result<Option<NameTaken>, DirectoryError> {
        let owner = self.owner_of_domain(domain).await?;
        Ok(owner.map(|owner| NameTaken {
            name: domain.to_string(),
            owner_deleted_since: Since::of_entry(&owner),
        }))
    }

    /// An address in the domain that an entry of the tenant has, deleted or not.
    async fn address_in_domain(
        &self,
        id: &TenantId,
        domain: &Domain,
    ) -> Result<Option<String>, DirectoryError> {
        let end = format!("@{domain}");
        let filter = Filter::any(
            [names::MAIL, names::MAIL_ALTERNATE_ADDRESS].map(|name| Filter::ends_with(name, end.as_str())),
        );
        // The ending of these addresses is that of all addresses of the tenant, so an index lookup would not help.
        let filter = tested(filter);
        for folder in self.tree().tenant_folders(id) {
            let attributes = [names::MAIL, names::MAIL_ALTERNATE_ADDRESS];
            if let Some(entry) = self.find(&folder, Scope::Subtree, &filter, &attributes).await? {
                let values = attributes.iter().flat_map(|name| entry.values(name));
                let of_domain = values.into_iter().find(|value| value.to_lowercase().ends_with(&end));
                return Ok(Some(of_domain.cloned().unwrap_or(end)));
            }
        }
        Ok(None)
    }
}

impl Directory {
    /// Adds a domain to a tenant; does nothing if the tenant serves it already.
    ///
    /// # Errors
    /// [`WriteError::NameTaken`] if it belongs to another tenant.
    pub async fn add_domain(&self, id: &TenantId, domain: &Domain) -> Result<(), WriteError> {
        let plan = |current: &tenant::LiveTenant| {
            let is_there = current.tenant.serves(domain.as_str());
            (!is_there).then(|| plan::domain_addition(self.tree(), current, domain))
        };
        match self.change_tenant(id, &Precondition::None, plan).await {
            Err(WriteError::Directory(DirectoryError::NotUnique)) => {
                let taken = self.domain_taken(domain).await?;
                let free_again = NameTaken { name: domain.to_string(), owner_deleted_since: None };
                Err(WriteError::NameTaken(taken.unwrap_or(free_again)))
            }
            outcome => outcome,
        }?;
        // No entry has an address in a new domain, unless another program has written one.
        Ok(self.reconcile_outside_members_in(id, domain).await.map_err(DirectoryError::after_a_write)?)
    }

    /// Removes a domain from a tenant. Its use is checked again after the removal, since an address could have been
    /// created in the meantime (see [`TenantAtHand`](super::TenantAtHand)); if so, the domain is put back.
    ///
    /// # Errors
    /// [`WriteError::Conflict`] if it is in use or the tenant's only domain.
    pub async fn remove_domain(&self, id: &TenantId, domain: &Domain) -> Result<(), WriteError> {
        let current = self.live_tenant(id).await?.ok_or(WriteError::NotFound)?;
        if !current.tenant.serves(domain.as_str()) {
            return Err(WriteError::NotFound);
        }
        if current.tenant.domains.len() == 1 {
            return Err(kept(domain, &DomainKept::Last));
        }
        if let Some(address) = self.address_in_domain(id, domain).await? {
            return Err(kept(domain, &DomainKept::InUse(address)));
        }
        match self.apply(&plan::domain_removal(self.tree(), &current, domain)).await {
            Err(DirectoryError::Stale) => {
                Err(WriteError::Conflict("The tenant is being changed. Try again.".into()))
            }
            outcome => Ok(outcome?),
        }?;
        self.let_others_finish().await;
        if let Some(address) = self.address_in_domain(id, domain).await? {
            self.add_domain(id, domain).await?;
            return Err(kept(domain, &DomainKept::InUse(address)));
        }
        Ok(())
    }
}

fn kept(domain: &Domain, reason: &DomainKept) -> WriteError {
    WriteError::Conflict(format!("{domain} can't be removed: {reason}."))
}
