//! Who may restore what, and the consequences of a restore.

use crate::{
    administration::Administration,
    caller::Actor,
    changes::Changed,
    policy::{Action, Reach},
};
use directory::{
    Directory, Lookup,
    backup::{Extent, file::LdifFile},
    changing::WriteError,
    restore::{Restore, RestoreError, RestoreEvent, RestoreRequest, Summary},
};
use mail_model::tenant::{Tenant, TenantId};

/// The part of a file that a caller may restore.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The entries that are restored.
    pub extent: Extent,
    /// The tenant, if its administrator restores; `None` if all entries of the extent may be restored without
    /// restriction.
    pub limited_to: Option<Tenant>,
}

impl Bounds {
    /// The bounds of a caller who names some tenants, or none for everything. An administrator of a tenant may restore
    /// what belongs to the tenant, but not the tenant's own entry.
    ///
    /// # Errors
    /// [`WriteError::Forbidden`]; [`WriteError::NotFound`] if the administrator's tenant does not exist any more.
    pub async fn of(directory: &Lookup, caller: &Actor, tenants: Vec<TenantId>) -> Result<Self, WriteError> {
        if caller.reach_of_each(Action::RestoreBackup, &tenants)? == Reach::Everything {
            return Ok(Self { extent: Extent::of_tenants(tenants), limited_to: None });
        }
        // A caller with a restricted reach can only restore one tenant.
        let [id] = tenants.as_slice() else { return Err(WriteError::Forbidden) };
        let tenant = Box::pin(directory.tenant(id)).await?.ok_or(WriteError::NotFound)?;
        Ok(Self { extent: Extent::BelongingsOf(id.clone()), limited_to: Some((*tenant).clone()) })
    }
}

/// Prepares restores, as the account for backups.
pub struct Restorer {
    directory: Directory,
    /// The directory as pbm's own account reads it.
    service: Lookup,
}

impl Restorer {
    /// Reads a file and compares it with the directory; nothing is written yet.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub async fn prepare(self, file: LdifFile, request: RestoreRequest) -> Result<Restore, RestoreError> {
        Restore::prepare(self.directory, self.service.bind_dn(), file, request, |_| {}).await
    }
}

impl Administration {
    /// What prepares restores; `None` if no account for backups is set up.
    #[must_use]
    pub fn restorer(&self) -> Option<Restorer> {
        let directory = self.backup_directory.clone()?;
        Some(Restorer { directory, service: self.lookup().clone() })
    }

    /// Runs a prepared restore, and calls `on_event` for each entry. A file may have other passwords, and blocked
    /// users, so the whole account cache is invalidated afterwards.
    ///
    /// # Errors
    /// [`RestoreError`]; entries that were restored before stay restored.
    pub async fn restore(
        &self,
        restore: Restore,
        on_event: impl AsyncFnMut(RestoreEvent<'_>),
    ) -> Result<Summary, RestoreError> {
        self.change(async {
            let outcome = Box::pin(restore.run(Vec::new(), on_event)).await;
            self.observers().forget(Changed::Accounts);
            outcome
        })
        .await
    }
}
