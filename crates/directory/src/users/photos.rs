//! Photos of users. They are read only on request: no list, address book or cache contains them.

use crate::{
    Directory, Entry, Lookup, Scope,
    changing::{Attempts, WriteError},
    error::DirectoryError,
};
use ldap_text::{attribute::AttributeName, filter::Filter};
use mail_model::{
    address::MailAddress,
    contact::id::ContactId,
    entry::EntryView,
    names,
    photo::Photo,
    revision::Precondition,
    tenant::TenantId,
    user::{self, LiveUser, plan},
};
use std::{collections::HashMap, sync::LazyLock};

/// The attributes that a change of a user needs, and the photo.
static READ_ATTRIBUTES: LazyLock<Vec<AttributeName>> =
    LazyLock::new(|| user::read_attributes().into_iter().chain([names::JPEG_PHOTO]).collect());

/// The attributes that are read for the photos of several users.
const PHOTOS: &[AttributeName] = &[names::NS_UNIQUE_ID, names::JPEG_PHOTO];

impl Lookup {
    /// Reads a user that is not deleted, and the user's photo from the same moment.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn user_with_photo(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<(LiveUser, Option<Photo>)>, DirectoryError> {
        let found = self.with_photos(tenant, mail).await?;
        Ok(found.map(|(user, entry)| (user, entry.photo())))
    }

    /// The users of a tenant who have a photo, in order.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn users_with_photos(&self, tenant: &TenantId) -> Result<Vec<ContactId>, DirectoryError> {
        let (folder, has_photo) = (self.tree().users(tenant), Filter::present(names::JPEG_PHOTO));
        let scan = self.scan(&folder, Scope::Subtree, &has_photo, &[names::NS_UNIQUE_ID]).await?;
        let mut ids = scan.gather(id_of).await?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// The photos of some users of a tenant.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn photos(
        &self,
        tenant: &TenantId,
        ids: &[ContactId],
    ) -> Result<HashMap<ContactId, Photo>, DirectoryError> {
        let values: Vec<_> =
            ids.iter().map(|id| Filter::equal(names::NS_UNIQUE_ID, id.unique_id())).collect();
        let of_entry = |entry: &Entry| Some((id_of(entry)?, entry.photo()?));
        // Needs no index lookup: few candidates are left, and the server sends nothing for those without a
        // photo.
        let has_photo = Filter::present(names::JPEG_PHOTO);
        let folder = self.tree().users(tenant);
        let found = self.find_by_values(&folder, Some(&has_photo), &values, PHOTOS, of_entry).await?;
        Ok(found.into_iter().collect())
    }

    /// A user that is not deleted, and the entry with the photos.
    async fn with_photos(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<(LiveUser, Entry)>, DirectoryError> {
        let (dn, anything) = (self.tree().user(tenant, mail), Filter::present(names::OBJECT_CLASS));
        let Some(entry) = self.find(&dn, Scope::Base, &anything, &READ_ATTRIBUTES).await? else {
            return Ok(None);
        };
        Ok(LiveUser::from_entry(mail.clone(), tenant.clone(), &entry).map(|user| (user, entry)))
    }
}

impl Directory {
    /// Replaces or removes the photo of a user. `may_touch` gets the same state that the change is planned on.
    ///
    /// # Errors
    /// [`WriteError`]; [`WriteError::NotFound`] also if there is no photo to remove.
    pub async fn change_photo(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        photo: Option<&Photo>,
        precondition: &Precondition,
        may_touch: impl Fn(&LiveUser) -> bool,
    ) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(precondition);
        loop {
            let (current, entry) = self.with_photos(tenant, mail).await?.ok_or(WriteError::NotFound)?;
            if !may_touch(&current) {
                return Err(WriteError::Forbidden);
            }
            attempts.allow(&current.version)?;
            match (photo, entry.photos()) {
                (None, []) => return Err(WriteError::NotFound),
                (Some(photo), [stored]) if photo.bytes() == stored => return Ok(()),
                _ => {}
            }
            let change = plan::photo_change(self.tree(), &current, photo);
            if attempts.judge(self.apply(&change).await)?.is_some() {
                return Ok(());
            }
        }
    }
}

fn id_of(entry: &Entry) -> Option<ContactId> {
    ContactId::from_unique_id(entry.first(&names::NS_UNIQUE_ID)?)
}
