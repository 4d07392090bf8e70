//! What somebody may restore, and what follows.

use crate::{
    administration::Administration,
    caller::Actor,
    changes::Changed,
    policy::{Action, Reach},
};
use directory::{
    Directory,
    backup::Extent,
    changing::WriteError,
    restore::{Event, Restore, RestoreError, Summary},
};
use mail_model::tenant::{Tenant, TenantId};

/// What of a file somebody may restore.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Which entries count.
    pub extent: Extent,
    /// The tenant whose administrator asks; `None` where everything of the extent may be restored as it stands in the file.
    pub limited_to: Option<Tenant>,
}

impl Bounds {
    /// Those of a caller who names some tenants, or means everything. An administrator of a tenant may restore what belongs to
    /// the tenant, but not the tenant's own entry.
    ///
    /// # Errors
    /// [`WriteError::Forbidden`]; [`WriteError::NotFound`] where the administrator's tenant is gone.
    pub async fn of(
        directory: &Directory,
        caller: &Actor,
        tenants: Vec<TenantId>,
    ) -> Result<Self, WriteError> {
        if caller.reach_of_each(Action::RestoreBackup, &tenants)? == Reach::Everything {
            return Ok(Self { extent: Extent::of_tenants(tenants), limited_to: None });
        }
        // Whoever does not reach everything reaches one tenant.
        let [id] = tenants.as_slice() else { return Err(WriteError::Forbidden) };
        let tenant = Box::pin(directory.tenant(id)).await?.ok_or(WriteError::NotFound)?;
        Ok(Self { extent: Extent::BelongingsOf(id.clone()), limited_to: Some((*tenant).clone()) })
    }
}

impl Administration {
    /// Restores what was prepared; `on_event` hears of each entry. A file may have other passwords, and say that somebody is
    /// blocked, so all that is remembered of accounts is out of date afterwards.
    ///
    /// # Errors
    /// [`RestoreError`]; what was restored until then stays.
    pub async fn restore(
        &self,
        restore: Restore,
        on_event: impl AsyncFnMut(Event<'_>),
    ) -> Result<Summary, RestoreError> {
        self.change(async {
            let outcome = Box::pin(restore.run(Vec::new(), on_event)).await;
            self.observers().forget(Changed::Accounts);
            outcome
        })
        .await
    }
}
