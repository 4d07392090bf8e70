//! Users in the directory: create, read, list, change, delete, restore.

mod photos;
pub mod recipients;

use crate::{
    Directory, Entry, Lookup, Scope,
    changing::{Attempts, WriteError},
    error::DirectoryError,
    lists::{Collection, Page},
    tenants::TenantAtHand,
};
use jiff::Timestamp;
use ldap_text::{attribute::AttributeName, filter::Filter, ldif::ChangeRecord};
use mail_model::{
    address::MailAddress,
    deletion,
    list::PageRequest,
    names,
    revision::{FreshRevision, Precondition},
    tenant::TenantId,
    user::{
        self, DeletedUser, LiveUser, User,
        command::{NewUser, UserPatch},
        plan,
    },
};
use std::sync::LazyLock;

static READ_ATTRIBUTES: LazyLock<Vec<AttributeName>> = LazyLock::new(user::read_attributes);

impl Lookup {
    /// Reads a user that is not deleted.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<LiveUser>, DirectoryError> {
        let entry = self.user_entry(tenant, mail).await?;
        Ok(entry.and_then(|entry| LiveUser::from_entry(mail.clone(), tenant.clone(), &entry)))
    }

    /// Reads a user that is deleted.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn deleted_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<DeletedUser>, DirectoryError> {
        let entry = self.user_entry(tenant, mail).await?;
        Ok(entry.and_then(|entry| DeletedUser::from_entry(mail.clone(), tenant.clone(), &entry)))
    }

    /// The entry of a user in any state of its life cycle. The caller checks the state afterwards, so one
    /// operation serves both live and deleted users, with a filter that 389-ds need not evaluate.
    async fn user_entry(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<Entry>, DirectoryError> {
        let anything = Filter::present(names::OBJECT_CLASS);
        self.find(&self.tree().user(tenant, mail), Scope::Base, &anything, &READ_ATTRIBUTES).await
    }

    /// A lock can also come from a role of the directory (`dsidm role lock`); such a lock stays when the lock
    /// of the entry is removed.
    async fn confirm_unblocked(&self, tenant: &TenantId, mail: &MailAddress) -> Result<(), WriteError> {
        let after = self.user(tenant, mail).await?;
        if after.is_some_and(|user| user.status.is_blocked_by_lock_alone()) {
            return Err(WriteError::Conflict(
                "The user stays blocked: it is locked by a role of the directory, which the API does not change.".into(),
            ));
        }
        Ok(())
    }

    /// Reads the user that a change is planned on.
    async fn live_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        attempts: &Attempts<'_>,
        may_touch: &impl Fn(&LiveUser) -> bool,
    ) -> Result<LiveUser, WriteError> {
        let current = self.user(tenant, mail).await?.ok_or(WriteError::NotFound)?;
        if !may_touch(&current) {
            return Err(WriteError::Forbidden);
        }
        attempts.allow(&current.version)?;
        Ok(current)
    }

    /// A page of a tenant's deleted users.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn deleted_users(
        &self,
        tenant: &TenantId,
        request: &PageRequest,
    ) -> Result<Page<DeletedUser>, DirectoryError> {
        let read = |entry: &Entry| DeletedUser::from_entry(self.user_mail(entry)?, tenant.clone(), entry);
        let collection = Collection {
            listing: &user::LISTING,
            folder: self.tree().users(tenant),
            scope: Scope::Subtree,
            who: user::deleted_filter(),
            attributes: READ_ATTRIBUTES.as_slice(),
        };
        self.page(&collection, request, read).await
    }

    fn user_mail(&self, entry: &Entry) -> Option<MailAddress> {
        self.tree().user_of(&entry.dn()?).map(|(_, mail)| mail)
    }
}

impl Directory {
    /// Creates a user.
    ///
    /// # Errors
    /// [`WriteError::Taken`] if the server finds one of the addresses in another entry.
    pub async fn create_user(&self, tenant: &TenantAtHand, new: &NewUser) -> Result<(), WriteError> {
        let revision = FreshRevision::from_random(rand::random());
        let creation = plan::creation(self.tree(), &tenant.id, new, revision);
        self.add_user(&tenant.id, &creation, &new.addresses()).await?;
        let standing = self.still_stands(tenant, &new.addresses()).await;
        if standing.is_err() {
            self.take_back(&deletion::abandonment(self.tree().user(&tenant.id, new.mail()))).await;
            return standing;
        }
        self.adopt(&tenant.id, &self.tree().user(&tenant.id, new.mail()), &new.addresses()).await;
        Ok(())
    }

    /// Adds an entry with addresses.
    async fn add_user(
        &self,
        tenant: &TenantId,
        creation: &ChangeRecord,
        addresses: &[String],
    ) -> Result<(), WriteError> {
        if !self.refusals.are_recent() {
            match self.apply(creation).await {
                Err(DirectoryError::Exists | DirectoryError::NotUnique) => self.refusals.note(),
                outcome => return Ok(outcome?),
            }
        }
        if let Some(taken) = self.free_addresses(tenant, addresses, None).await? {
            self.refusals.note();
            return Err(WriteError::Taken(taken));
        }
        match self.apply(creation).await {
            Err(DirectoryError::Exists | DirectoryError::NotUnique) => {
                self.refusals.note();
                Err(self.address_conflict(tenant, addresses, None).await?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Changes a user and returns its identifier. `may_touch` gets the same state that the change is planned
    /// on, so it decides about the user as it is at that moment.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_user(
        &self,
        tenant: &TenantAtHand,
        mail: &MailAddress,
        patch: &UserPatch,
        precondition: &Precondition,
        now: Timestamp,
        may_touch: impl Fn(&LiveUser) -> bool,
    ) -> Result<String, WriteError> {
        let mut attempts = Attempts::under(precondition);
        loop {
            let current = self.live_user(&tenant.id, mail, &attempts, &may_touch).await?;
            let changes = plan::patch(self.tree(), &current, patch, now);
            let Some((first, rest)) = changes.split_first() else { return Ok(current.id) };
            let outcome = match self.apply(first).await {
                Err(DirectoryError::Exists | DirectoryError::NotUnique) => {
                    let own = self.tree().user(&tenant.id, mail);
                    return Err(self.address_conflict(&tenant.id, &patch.addresses(), Some(&own)).await?);
                }
                outcome => outcome,
            };
            if attempts.judge(outcome)?.is_some() {
                let standing = self.still_stands(tenant, &patch.addresses()).await;
                if standing.is_err() {
                    self.take_back(&plan::retreat(self.tree(), &current, patch)).await;
                    standing?;
                }
                self.apply_rest(rest).await?;
                let mail = patch.mail_after(mail);
                self.adopt(&tenant.id, &self.tree().user(&tenant.id, mail), &patch.new_addresses(&current))
                    .await;
                if plan::unblocks(&current, patch) {
                    self.confirm_unblocked(&tenant.id, mail).await?;
                }
                return Ok(current.id);
            }
        }
    }

    /// Soft-deletes a user and returns its identifier.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        precondition: &Precondition,
        now: Timestamp,
        may_touch: impl Fn(&LiveUser) -> bool,
    ) -> Result<String, WriteError> {
        let mut attempts = Attempts::under(precondition);
        loop {
            let current = self.live_user(tenant, mail, &attempts, &may_touch).await?;
            let deletion = plan::deletion(self.tree(), &current, now);
            if attempts.judge(self.apply(&deletion).await)?.is_some() {
                return Ok(current.id);
            }
        }
    }

    /// Undoes a deletion. A user that a purge has claimed is not found any more.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn restore_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        may_touch: impl Fn(&User) -> bool,
    ) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(&Precondition::None);
        loop {
            let deleted = self.deleted_user(tenant, mail).await?.ok_or(WriteError::NotFound)?;
            if !may_touch(&deleted.user) {
                return Err(WriteError::Forbidden);
            }
            let change = plan::restoration(self.tree(), &deleted).map_err(|_| WriteError::NotFound)?;
            if attempts.judge(self.apply(&change).await)?.is_some() {
                self.adopt(tenant, &self.tree().user(tenant, mail), &deleted.user.addresses()).await;
                return Ok(());
            }
        }
    }
}
