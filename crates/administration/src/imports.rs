//! Imports of many users at once.

use crate::{
    accounts::Accounts,
    administration::Administration,
    caller::Actor,
    changes::{Change, Changed, Observers},
    policy::{Action, Forbidden, Reach},
};
use directory::{Directory, Lookup, changing::WriteError, tenants::TenantAtHand};
use jiff::Timestamp;
use mail_model::user::account::Account;
use mail_model::{
    address::MailAddress,
    revision::Precondition,
    tenant::TenantId,
    user::{
        LiveUser,
        command::{NewUser, UserPatch},
    },
};
use std::sync::Arc;

/// Creates and changes users of one tenant on behalf of a caller, from any thread.
#[derive(Clone)]
pub struct Importer {
    directory: Directory,
    reach: Reach,
    /// The caller and the account cache. The caller's rights are checked before each row, since an import may take
    /// hours.
    account: Option<(Arc<Account>, Accounts)>,
}

impl Importer {
    /// Creates an importer, if the caller may import users into a tenant.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn new(
        directory: Directory,
        caller: &Actor,
        accounts: Option<&Accounts>,
        tenant: &TenantId,
    ) -> Result<Self, Forbidden> {
        let reach = caller.reach(Action::ImportUsers, Some(tenant))?;
        let account = match caller {
            Actor::Account(account) => accounts.map(|accounts| (account.clone(), accounts.clone())),
            Actor::TrustedSubnet | Actor::Operator => None,
        };
        Ok(Self { directory, reach, account })
    }

    /// Requires that the caller still has the same rights.
    async fn allow_caller(&self) -> Result<(), WriteError> {
        match &self.account {
            Some((account, accounts)) => allowed(accounts.still_is(&self.directory, account).await?),
            None => Ok(()),
        }
    }

    /// The directory that the import writes to, for reading.
    #[must_use]
    pub fn directory(&self) -> &Lookup {
        &self.directory
    }

    /// Requires that the caller may create this user; does not check whether the user exists.
    ///
    /// # Errors
    /// [`WriteError::Forbidden`].
    pub fn allow_creation(&self, new: &NewUser) -> Result<(), WriteError> {
        allowed(self.reach.may_make(new))
    }

    /// Requires that the caller may make this change; does not check of which user.
    ///
    /// # Errors
    /// [`WriteError::Forbidden`].
    pub fn allow_change(&self, patch: &UserPatch) -> Result<(), WriteError> {
        allowed(self.reach.may_change(patch))
    }

    /// Requires that the caller may change this user.
    ///
    /// # Errors
    /// [`WriteError::Forbidden`].
    pub fn allow_touch(&self, user: &LiveUser) -> Result<(), WriteError> {
        allowed(self.reach.has(&user.user))
    }

    /// Creates a user.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create(&self, tenant: &TenantAtHand, new: &NewUser) -> Result<(), WriteError> {
        self.allow_creation(new)?;
        self.allow_caller().await?;
        self.directory.create_user(tenant, new).await
    }

    /// Changes a user and returns the user's identifier.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn change(
        &self,
        tenant: &TenantAtHand,
        mail: &MailAddress,
        patch: &UserPatch,
        now: Timestamp,
    ) -> Result<String, WriteError> {
        self.allow_change(patch)?;
        self.allow_caller().await?;
        // Checked on the state that is written: by then the address may belong to another user.
        let may_touch = |user: &LiveUser| self.reach.has(&user.user);
        self.directory.patch_user(tenant, mail, patch, &Precondition::None, now, may_touch).await
    }
}

fn allowed(is_allowed: bool) -> Result<(), WriteError> {
    if is_allowed { Ok(()) } else { Err(WriteError::Forbidden) }
}

/// An import in progress, on the thread that reports it.
pub struct ImportUnderWay {
    observers: Observers,
    change: Option<Change>,
}

impl Administration {
    /// Begins an import into a tenant.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn begin_import(
        &self,
        caller: &Actor,
        accounts: &Accounts,
        tenant: &TenantId,
    ) -> Result<(Importer, ImportUnderWay), Forbidden> {
        let importer = Importer::new(self.directory.clone(), caller, Some(accounts), tenant)?;
        let observers = self.observers().clone();
        let change = Some(observers.begin());
        Ok((importer, ImportUnderWay { observers, change }))
    }
}

impl ImportUnderWay {
    /// Records that the entry with an identifier was changed.
    pub fn note(&self, id: &str) {
        self.observers.forget(Changed::Account(id));
    }

    /// Ends the import: later reads see the imported users.
    pub async fn end(&mut self) {
        if let Some(change) = self.change.take() {
            change.end().await;
        }
    }
}
