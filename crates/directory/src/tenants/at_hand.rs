//! A tenant as it was read a moment ago, for changes that rely on it: whatever gets an address relies on the tenant
//! being there and serving the address's domain. No LDAP write looks at two entries at once, so the two sides leave
//! each other time instead.
//!
//! Who takes something from a tenant (a domain, or all of it) writes that first, waits `GRACE`, and looks only then
//! whether an address was made meanwhile. Who makes an address and is done within `GRACE` of having read the tenant
//! was seen by that look. Whoever took longer, and nobody else, reads the tenant again after the write, and takes the
//! write back where the tenant is no longer what it was.

use crate::{Directory, changing::WriteError, error::DirectoryError};
use mail_model::tenant::{Tenant, TenantId};
use std::{
    ops::Deref,
    time::{Duration, Instant},
};

/// How long a change may rely on what was read. Some hundred times what a write takes.
const GRACE: Duration = Duration::from_secs(1);

/// A tenant, and when it was read.
#[derive(Clone, Debug)]
pub struct TenantAtHand {
    tenant: Tenant,
    read_at: Instant,
}

impl TenantAtHand {
    /// Whether a change that is begun now is likely to be done in time. Otherwise it is cheaper to read the tenant again
    /// before than after.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.read_at.elapsed() < GRACE / 2
    }
}

impl Deref for TenantAtHand {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        &self.tenant
    }
}

impl Directory {
    /// Reads a tenant that is not deleted.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<TenantAtHand>, DirectoryError> {
        let read_at = Instant::now();
        let live = self.live_tenant(id).await?;
        Ok(live.map(|live| TenantAtHand { tenant: live.tenant, read_at }))
    }

    /// Whether a tenant still was, when a write was made, what the write relied on.
    ///
    /// # Errors
    /// [`WriteError`] when it was not, and the write is to be taken back.
    pub(crate) async fn still_stands(
        &self,
        tenant: &TenantAtHand,
        addresses: &[String],
    ) -> Result<(), WriteError> {
        if tenant.read_at.elapsed() < GRACE {
            return Ok(());
        }
        let now = self.live_tenant(&tenant.id).await?.ok_or(WriteError::NotFound)?;
        let domain = |address: &String| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
        match addresses.iter().filter_map(domain).find(|domain| !now.tenant.serves(domain)) {
            Some(domain) => {
                Err(WriteError::Conflict(format!("{domain} was taken from the tenant meanwhile.")))
            }
            None => Ok(()),
        }
    }

    /// Waits until every change that was begun before has either been made or will be taken back.
    pub(super) async fn let_others_finish(&self) {
        tokio::time::sleep(GRACE).await;
    }
}
