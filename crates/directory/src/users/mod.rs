//! Users in the directory: made, read, listed, changed, deleted, restored.

mod list;

pub use list::Page;

use crate::{
    Directory, Entry, Scope,
    error::{DirectoryError, PasswordRefusal},
};
use jiff::Timestamp;
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    filter::Filter,
    generalized_time,
    ldif::{Change, ChangeRecord},
};
use mail_model::{
    address::MailAddress,
    entry::EntryView,
    names,
    tenant::TenantId,
    user::{
        self, DeletedUser, LiveUser, User,
        command::{NewUser, UserPatch},
        plan,
    },
};
use std::sync::LazyLock;

/// How often a change is planned anew because someone else wrote the entry meanwhile. With ten writers
/// on one entry the last of them needs ten; more is no longer a race but a fault.
const MAX_TRIES: usize = 32;

static READ_ATTRIBUTES: LazyLock<Vec<AttributeName>> = LazyLock::new(user::read_attributes);

/// Why an operation on a user was not done.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// There is no such user, or not in this state of its life.
    #[error("no such user")]
    NotFound,
    /// An address belongs to another entry.
    #[error("an address is taken")]
    Taken(AddressTaken),
    /// Who asks may not touch this user.
    #[error("the user may not be touched by who asks")]
    Forbidden,
    /// The password policy refuses the password.
    #[error("{0}")]
    PasswordRefused(PasswordRefusal),
    /// The directory failed.
    #[error(transparent)]
    Directory(DirectoryError),
}

/// An address that another entry has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressTaken {
    /// The address.
    pub address: String,
    /// When its owner was deleted, where the owner is a deleted entry of the same tenant.
    pub owner_deleted_since: Option<Timestamp>,
}

impl From<DirectoryError> for UserError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::NotFound => Self::NotFound,
            DirectoryError::PasswordRefused(refusal) => Self::PasswordRefused(refusal),
            other => Self::Directory(other),
        }
    }
}

impl Directory {
    /// Makes a user.
    ///
    /// # Errors
    /// [`UserError::Taken`] when the server finds one of its addresses elsewhere.
    pub async fn create_user(&self, tenant: &TenantId, new: &NewUser) -> Result<(), UserError> {
        match self.apply(&plan::creation(self.tree(), tenant, new)).await {
            Err(DirectoryError::Exists | DirectoryError::NotUnique) => {
                Err(self.who_has(tenant, &new.addresses(), None).await?)
            }
            outcome => Ok(outcome?),
        }
    }

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

    /// The entry of a user in any state of its life. Which, is looked at once it is here: so one operation serves
    /// both, with a filter that 389-ds need not evaluate.
    async fn user_entry(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<Entry>, DirectoryError> {
        let anything = Filter::present(names::OBJECT_CLASS);
        self.find(&self.tree().user(tenant, mail), Scope::Base, &anything, &READ_ATTRIBUTES).await
    }

    /// Changes a user and returns its identifier. `may_touch` is asked about the very state that the change is
    /// planned on.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn patch_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        patch: &UserPatch,
        now: Timestamp,
        may_touch: impl Fn(&User) -> bool,
    ) -> Result<String, UserError> {
        let plan = |current: &LiveUser| plan::patch(self.tree(), current, patch, now);
        match self.change_live(tenant, mail, may_touch, plan).await {
            Err(UserError::Directory(DirectoryError::Exists | DirectoryError::NotUnique)) => {
                let own = self.tree().user(tenant, mail);
                Err(self.who_has(tenant, &patch.addresses(), Some(&own)).await?)
            }
            outcome => outcome,
        }
    }

    /// Deletes a user softly and returns its identifier.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn delete_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        now: Timestamp,
        may_touch: impl Fn(&User) -> bool,
    ) -> Result<String, UserError> {
        let plan = |current: &LiveUser| vec![plan::deletion(self.tree(), current, now)];
        self.change_live(tenant, mail, may_touch, plan).await
    }

    /// Undoes a deletion. Once a purge has claimed the user it is not found any more.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn restore_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        may_touch: impl Fn(&User) -> bool,
    ) -> Result<(), UserError> {
        let mut attempts = Attempts::default();
        loop {
            let deleted = self.deleted_user(tenant, mail).await?.ok_or(UserError::NotFound)?;
            if !may_touch(&deleted.user) {
                return Err(UserError::Forbidden);
            }
            let change = plan::restoration(self.tree(), &deleted).map_err(|_| UserError::NotFound)?;
            match self.apply(&change).await {
                Err(error) if attempts.may_go_on(&error) => {}
                outcome => return Ok(outcome?),
            }
        }
    }

    async fn change_live(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        may_touch: impl Fn(&User) -> bool,
        plan: impl Fn(&LiveUser) -> Vec<ChangeRecord>,
    ) -> Result<String, UserError> {
        let mut attempts = Attempts::default();
        loop {
            let current = self.user(tenant, mail).await?.ok_or(UserError::NotFound)?;
            if !may_touch(&current.user) {
                return Err(UserError::Forbidden);
            }
            match self.apply_in_turn(&plan(&current)).await {
                Err(error) if attempts.may_go_on(&error) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => return Ok(current.id),
            }
        }
    }

    /// Applies the changes of one plan. The first decides whether the plan still fits the entry; what
    /// follows belongs to a rename (see [`plan`]).
    async fn apply_in_turn(&self, changes: &[ChangeRecord]) -> Result<(), DirectoryError> {
        let Some((first, rest)) = changes.split_first() else { return Ok(()) };
        self.apply(first).await?;
        for change in rest {
            let outcome = self.apply(change).await.map_err(DirectoryError::after_a_write);
            match (&change.change, outcome) {
                // The reservation is gone already, which is what was wanted; or it stays behind, is
                // shown nowhere, and goes with the next rename.
                (Change::Modify(_), Err(DirectoryError::Stale)) => {}
                (Change::Modify(_), Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "user.rename.reservation_left");
                }
                (_, outcome) => outcome?,
            }
        }
        Ok(())
    }

    /// Which of some addresses is taken already, by another entry than the user `own`.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn address_taken(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&MailAddress>,
    ) -> Result<Option<AddressTaken>, DirectoryError> {
        let own = own.map(|mail| self.tree().user(tenant, mail));
        self.owner_of(tenant, addresses, own.as_ref()).await
    }

    /// Which of some addresses another entry has, after a write that was refused for it.
    async fn who_has(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<UserError, DirectoryError> {
        let taken = self.owner_of(tenant, addresses, own).await?;
        // Taken a moment ago and free again by now; the first is named, and asking again will do.
        let first = || AddressTaken {
            address: addresses.first().cloned().unwrap_or_default(),
            owner_deleted_since: None,
        };
        Ok(UserError::Taken(taken.unwrap_or_else(first)))
    }

    async fn owner_of(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<Option<AddressTaken>, DirectoryError> {
        for address in addresses {
            let filter = Filter::any([
                Filter::equal(names::MAIL, address.as_str()),
                Filter::equal(names::MAIL_ALTERNATE_ADDRESS, address.as_str()),
            ]);
            let attributes = [names::DELETED_SINCE];
            let Some(owner) = self.find(self.tree().root(), Scope::Subtree, &filter, &attributes).await?
            else {
                continue;
            };
            let dn = owner.dn();
            if dn.as_ref() == own {
                continue;
            }
            let is_ours = dn.is_some_and(|dn| self.tree().is_of_tenant(&dn, tenant));
            let since =
                owner.first(&names::DELETED_SINCE).and_then(|since| generalized_time::parse(since).ok());
            return Ok(Some(AddressTaken {
                address: address.clone(),
                owner_deleted_since: since.filter(|_| is_ours),
            }));
        }
        Ok(None)
    }
}

/// Counts how often a change was planned in vain.
#[derive(Default)]
struct Attempts {
    stale: usize,
    refused: bool,
}

impl Attempts {
    /// Whether to read and plan again after an error. A refusal counts once: 389-ds answers a write to an
    /// entry that is gone with `insufficientAccessRights`, and reading again tells.
    fn may_go_on(&mut self, error: &DirectoryError) -> bool {
        match error {
            DirectoryError::Stale => {
                self.stale += 1;
                self.stale < MAX_TRIES
            }
            DirectoryError::Refused { .. } => !std::mem::replace(&mut self.refused, true),
            _ => false,
        }
    }
}
