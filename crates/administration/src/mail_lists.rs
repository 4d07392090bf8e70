//! Mailing lists.

use crate::{administration::Administration, caller::Actor, policy::Action};
use directory::{changing::WriteError, tenants::TenantAtHand};
use mail_model::{
    address::MailAddress,
    maillist::command::{MailListPatch, NewMailList},
    revision::Precondition,
    tenant::TenantId,
};

/// The action that the policy checks for mailing lists.
const ACTION: Action = Action::AdministerMailLists;

impl Administration {
    /// Creates a mailing list.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_mail_list(
        &self,
        caller: &Actor,
        tenant: &TenantAtHand,
        new: &NewMailList,
    ) -> Result<(), WriteError> {
        self.permitted(caller, ACTION, Some(&tenant.id), self.directory.create_mail_list(tenant, new)).await
    }

    /// Changes a mailing list.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn change_mail_list(
        &self,
        caller: &Actor,
        tenant: &TenantAtHand,
        mail: &MailAddress,
        patch: &MailListPatch,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        self.permitted(
            caller,
            ACTION,
            Some(&tenant.id),
            Box::pin(self.directory.patch_mail_list(tenant, mail, patch, precondition, rand::random)),
        )
        .await
    }

    /// Deletes a mailing list permanently.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_mail_list(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        mail: &MailAddress,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        self.permitted(
            caller,
            ACTION,
            Some(tenant),
            self.directory.delete_mail_list(tenant, mail, precondition),
        )
        .await
    }
}
