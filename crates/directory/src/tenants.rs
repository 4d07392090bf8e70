//! Tenants in the directory: reading one, making one.

use crate::{Directory, Scope, error::DirectoryError};
use ldap_text::{filter::Filter, ldif::ChangeRecord};
use mail_model::{
    address::Domain,
    names,
    tenant::{self, Tenant, TenantId},
};

impl Directory {
    /// Reads a tenant.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, DirectoryError> {
        let filter = Filter::equal(names::OBJECT_CLASS, names::TENANT_CLASS);
        let dn = self.tree().tenant(id);
        let entry = self.find(&dn, Scope::Base, &filter, tenant::READ_ATTRIBUTES).await?;
        Ok(entry.map(|entry| Tenant::from_entry(id.clone(), &entry)))
    }

    /// The tenant that serves a domain.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn tenant_of_domain(&self, domain: &Domain) -> Result<Option<TenantId>, DirectoryError> {
        let filter = Filter::all([
            Filter::equal(names::OBJECT_CLASS, names::TENANT_CLASS),
            Filter::equal(names::ASSOCIATED_DOMAIN, domain.as_str()),
        ]);
        let entry =
            self.find(self.tree().domains(), Scope::Children, &filter, &[names::NO_ATTRIBUTES]).await?;
        let dn = entry.and_then(|entry| entry.dn());
        Ok(dn.and_then(|dn| dn.rdn().and_then(|rdn| TenantId::parse(rdn.value_of(&names::OU)?).ok())))
    }

    /// Makes a tenant. Cut off half way, asking again finishes it: its own entry comes last.
    ///
    /// # Errors
    /// [`DirectoryError::Exists`] when there is such a tenant.
    pub async fn create_tenant(&self, id: &TenantId, domain: &Domain) -> Result<(), DirectoryError> {
        let changes = tenant::creation(self.tree(), id, domain);
        let (entry, folders) = changes.split_last().unzip();
        for folder in folders.unwrap_or_default() {
            self.apply_unless_there(folder).await?;
        }
        match entry {
            Some(entry) => self.apply(entry).await,
            None => Ok(()),
        }
    }

    async fn apply_unless_there(&self, record: &ChangeRecord) -> Result<(), DirectoryError> {
        match self.apply(record).await {
            Err(DirectoryError::Exists) => Ok(()),
            outcome => outcome,
        }
    }
}
