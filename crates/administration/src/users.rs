//! Users.

use crate::{
    administration::Administration, caller::Actor, changes::Changed, photos::PhotoError, policy::Action,
};
use directory::{changing::WriteError, tenants::TenantAtHand};
use jiff::Timestamp;
use mail_model::{
    address::MailAddress,
    photo::Photo,
    revision::Precondition,
    tenant::TenantId,
    user::{
        LiveUser,
        command::{NewUser, UserPatch},
    },
};

/// The running program, even if its file has been replaced.
pub(crate) const PROGRAM: &str = "/proc/self/exe";

impl Administration {
    /// Creates a user.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_user(
        &self,
        caller: &Actor,
        tenant: &TenantAtHand,
        new: &NewUser,
    ) -> Result<(), WriteError> {
        if !caller.reach(Action::CreateUser, Some(&tenant.id))?.may_make(new) {
            return Err(WriteError::Forbidden);
        }
        self.change(self.directory.create_user(tenant, new)).await
    }

    /// Changes a user.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn change_user(
        &self,
        caller: &Actor,
        tenant: &TenantAtHand,
        mail: &MailAddress,
        patch: &UserPatch,
        precondition: &Precondition,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let reach = caller.reach(Action::ChangeUser, Some(&tenant.id))?;
        if !reach.may_change(patch) {
            return Err(WriteError::Forbidden);
        }
        // Checked on the state that is written: by then the address may belong to another user.
        let may_touch = |user: &LiveUser| reach.has_of(caller, user);
        let change = self.directory.patch_user(tenant, mail, patch, precondition, now, may_touch);
        self.change_account(Box::pin(change)).await
    }

    /// Converts an image to a photo, and stores it for a user.
    ///
    /// # Errors
    /// [`PhotoError`].
    pub async fn put_photo(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        mail: &MailAddress,
        image: &[u8],
        precondition: &Precondition,
    ) -> Result<(), PhotoError> {
        // Checked first, since decoding an image takes long.
        caller.reach(Action::ChangePhoto, Some(tenant)).map_err(WriteError::from)?;
        let photo = photos::convert_apart(PROGRAM, image).await?;
        Ok(self.change_photo(caller, tenant, mail, Some(&photo), precondition).await?)
    }

    /// Removes the photo of a user.
    ///
    /// # Errors
    /// [`WriteError`]; [`WriteError::NotFound`] also if there is no photo.
    pub async fn delete_photo(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        mail: &MailAddress,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        self.change_photo(caller, tenant, mail, None, precondition).await
    }

    async fn change_photo(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        mail: &MailAddress,
        photo: Option<&Photo>,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        let reach = caller.reach(Action::ChangePhoto, Some(tenant))?;
        let may_touch = |user: &LiveUser| reach.has_of(caller, user);
        let change = self.directory.change_photo(tenant, mail, photo, precondition, may_touch);
        self.change(Box::pin(change)).await
    }

    /// Soft-deletes a user.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_user(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        mail: &MailAddress,
        precondition: &Precondition,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let reach = caller.reach(Action::DeleteUser, Some(tenant))?;
        let may_touch = |user: &LiveUser| reach.has_of(caller, user);
        let deletion = self.directory.delete_user(tenant, mail, precondition, now, may_touch);
        self.change_account(Box::pin(deletion)).await
    }

    /// Undoes a deletion.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn restore_user(
        &self,
        caller: &Actor,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<(), WriteError> {
        let reach = caller.reach(Action::RestoreUser, Some(tenant))?;
        self.change(self.directory.restore_user(tenant, mail, |user| reach.has(user))).await
    }

    /// Changes a user and returns the user's identifier. The account cache is invalidated at once, not only when the
    /// observers are flushed, since the client may not wait for that.
    async fn change_account(
        &self,
        work: impl Future<Output = Result<String, WriteError>>,
    ) -> Result<(), WriteError> {
        let told = async {
            self.observers().forget(Changed::Account(&work.await?));
            Ok(())
        };
        self.change(told).await
    }
}
