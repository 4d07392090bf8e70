//! Tenants and their domains.

use crate::{administration::Administration, caller::Actor, changes::Changed, policy::Action};
use directory::changing::WriteError;
use jiff::Timestamp;
use mail_model::{
    address::Domain,
    revision::Precondition,
    tenant::{TenantId, command::TenantPatch},
};

/// The action that the policy checks for tenants.
const ACTION: Action = Action::AdministerTenants;

impl Administration {
    /// Creates a tenant.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_tenant(
        &self,
        caller: &Actor,
        id: &TenantId,
        domain: &Domain,
    ) -> Result<(), WriteError> {
        self.permitted(caller, ACTION, Some(id), self.directory.create_tenant(id, domain)).await
    }

    /// Creates a tenant, and names it after its domain.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_tenant_of_domain(
        &self,
        caller: &Actor,
        domain: &Domain,
    ) -> Result<TenantId, WriteError> {
        self.permitted(caller, ACTION, None, self.directory.create_tenant_of_domain(domain)).await
    }

    /// Changes the defaults of a tenant.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn change_tenant(
        &self,
        caller: &Actor,
        id: &TenantId,
        patch: &TenantPatch,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        self.permitted(caller, ACTION, Some(id), self.directory.patch_tenant(id, patch, precondition)).await
    }

    /// Soft-deletes a tenant, with everything in it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_tenant(
        &self,
        caller: &Actor,
        id: &TenantId,
        precondition: &Precondition,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        caller.reach(ACTION, Some(id))?;
        let (directory, observers) = (self.directory.clone(), self.observers().clone());
        let (id, precondition) = (id.clone(), precondition.clone());
        let deletion = async move {
            let outcome = directory.delete_tenant(&id, &precondition, now).await;
            observers.forget(Changed::AccountsOf(&id));
            outcome
        };
        self.change_to_the_end(deletion).await
    }

    /// Undoes the deletion of a tenant.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn restore_tenant(
        &self,
        caller: &Actor,
        id: &TenantId,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        caller.reach(ACTION, Some(id))?;
        let (directory, of) = (self.directory.clone(), id.clone());
        self.change_to_the_end(async move { directory.restore_tenant(&of, now).await }).await
    }

    /// Adds a domain to a tenant.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn add_domain(&self, caller: &Actor, id: &TenantId, domain: &Domain) -> Result<(), WriteError> {
        self.permitted(caller, ACTION, Some(id), self.directory.add_domain(id, domain)).await
    }

    /// Removes a domain from a tenant.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn remove_domain(
        &self,
        caller: &Actor,
        id: &TenantId,
        domain: &Domain,
    ) -> Result<(), WriteError> {
        self.permitted(caller, ACTION, Some(id), self.directory.remove_domain(id, domain)).await
    }
}
