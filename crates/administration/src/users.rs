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

/// This program, also where its file has been replaced since.
const PROGRAM: &str = "/proc/self/exe";

impl Administration {
    /// Makes a user.
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
        // Asked about the state that is written: by then the address may be another user's.
        let may_touch = |user: &LiveUser| reach.has_of(caller, user);
        let change = self.directory.patch_user(tenant, mail, patch, precondition, now, may_touch);
        self.change_account(Box::pin(change)).await
    }

    /// Makes a photo of an image, and gives it to a user.
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
        // Asked first, since to decode an image takes long.
        caller.reach(Action::ChangePhoto, Some(tenant)).map_err(WriteError::from)?;
        let photo = photos::convert_apart(PROGRAM, image).await?;
        Ok(self.change_photo(caller, tenant, mail, Some(&photo), precondition).await?)
    }

    /// Removes the photo of a user.
    ///
    /// # Errors
    /// [`WriteError`]; [`WriteError::NotFound`] also where there is none.
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

    /// Deletes a user softly.
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

    /// Changes a user, whose identifier comes of it. What is remembered about its account is out of date at once, and not
    /// only when the observers are flushed, which a client may not wait for.
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
