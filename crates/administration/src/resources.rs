//! Resource groups and their resources.

use crate::{administration::Administration, caller::Actor, policy::Action};
use directory::{changing::WriteError, tenants::TenantAtHand};
use mail_model::{
    address::MailAddress,
    resource::{
        command::{NewResource, ResourceValues},
        group::GroupName,
    },
    revision::Precondition,
    tenant::TenantId,
};

/// The action that the policy checks for resources.
const ACTION: Action = Action::AdministerResources;

impl Administration {
    /// Creates a resource group.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_resource_group(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        name: &GroupName,
    ) -> Result<(), WriteError> {
        self.permitted(caller, ACTION, Some(tenant), self.directory.create_resource_group(tenant, name)).await
    }

    /// Renames a resource group, with its resources.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn rename_resource_group(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        name: &GroupName,
        new_name: &GroupName,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        self.permitted(
            caller,
            ACTION,
            Some(tenant),
            self.directory.rename_resource_group(tenant, name, new_name, precondition),
        )
        .await
    }

    /// Deletes a resource group and its resources permanently.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_resource_group(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        name: &GroupName,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        caller.reach(ACTION, Some(tenant))?;
        let directory = self.directory.clone();
        let (tenant, name, precondition) = (tenant.clone(), name.clone(), precondition.clone());
        let deletion = async move { directory.delete_resource_group(&tenant, &name, &precondition).await };
        self.change_to_the_end(deletion).await
    }

    /// Creates a resource.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_resource(
        &self,
        caller: &Actor,
        tenant: &TenantAtHand,
        group: &GroupName,
        new: &NewResource,
    ) -> Result<(), WriteError> {
        self.permitted(caller, ACTION, Some(&tenant.id), self.directory.create_resource(tenant, group, new))
            .await
    }

    /// Changes a resource.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn change_resource(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        group: &GroupName,
        mail: &MailAddress,
        fields: &ResourceValues,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        self.permitted(
            caller,
            ACTION,
            Some(tenant),
            self.directory.patch_resource(tenant, group, mail, fields, precondition),
        )
        .await
    }

    /// Deletes a resource permanently.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_resource(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        group: &GroupName,
        mail: &MailAddress,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        self.permitted(
            caller,
            ACTION,
            Some(tenant),
            self.directory.delete_resource(tenant, group, mail, precondition),
        )
        .await
    }
}
