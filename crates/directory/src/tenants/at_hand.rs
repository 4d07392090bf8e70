//! A tenant that was read a moment ago, for changes that rely on it: an entry that gets an address relies on the
//! tenant to exist and to serve the domain of the address. No LDAP write checks two entries at once, so the two sides
//! use time limits instead.
//!
//! An operation that takes something from a tenant (a domain, or all of it) writes that change first, waits `GRACE`,
//! and only then checks whether an address was created in the meantime. An operation that creates an address and
//! finishes within `GRACE` of reading the tenant is seen by that check. An operation that took longer reads the tenant
//! again after its write, and rolls the write back if the tenant has lost what the write relied on.

use crate::{Lookup, changing::WriteError, error::DirectoryError};
use mail_model::tenant::{Tenant, TenantId};
use std::{
    ops::Deref,
    time::{Duration, Instant},
};

/// How long a change may rely on the tenant that was read. A write takes about a hundredth of this.
const GRACE: Duration = Duration::from_secs(1);

/// A tenant, and the time at which it was read.
#[derive(Clone, Debug)]
pub struct TenantAtHand {
    tenant: Tenant,
    read_at: Instant,
}

impl TenantAtHand {
    /// Whether a change that begins now is likely to finish in time. If not, reading the tenant again before the
    /// change is cheaper than reading it after.
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

impl Lookup {
    /// Reads a tenant that is not deleted.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<TenantAtHand>, DirectoryError> {
        let read_at = Instant::now();
        let live = self.live_tenant(id).await?;
        Ok(live.map(|live| TenantAtHand { tenant: live.tenant, read_at }))
    }

    /// Whether the tenant still had, at the time of a write, what the write relied on.
    ///
    /// # Errors
    /// [`WriteError`] if it had not; the caller must roll the write back.
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
                Err(WriteError::Conflict(format!("Another request has removed {domain} from the tenant.")))
            }
            None => Ok(()),
        }
    }

    /// Waits until every change that was begun before is either done or sure to be rolled back.
    pub(super) async fn let_others_finish(&self) {
        tokio::time::sleep(GRACE).await;
    }
}
