//! Limits the restores by administrators of tenants: one for each tenant, a few at a time in total.
//!
//! A tenant's turn begins before its file is received, so that a tenant has at most one file on disk. The permit among
//! all tenants is taken when the file is complete, so a client that sends slowly keeps nobody else waiting.

use mail_model::tenant::TenantId;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Restores of all tenants that run at a time: each may take 64 MiB of memory, and a CPU while it reads.
const AT_A_TIME: usize = 2;
/// How long a restore waits for others.
const WAIT: Duration = Duration::from_secs(30);
/// After what time it makes sense to try again.
pub const RETRY: Duration = Duration::from_secs(10);

/// Why a restore has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The tenant has a restore in progress.
    #[error("Another restore of the tenant is under way. Try again when it has ended.")]
    Another,
    /// The restores of other tenants take too long.
    #[error("Restores of other tenants are under way. Try again later.")]
    Others,
}

/// The restores in progress.
pub struct Restores {
    tenants: Arc<Mutex<HashSet<TenantId>>>,
    running: Arc<Semaphore>,
}

impl Default for Restores {
    fn default() -> Self {
        Self { tenants: Arc::default(), running: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

/// The turn of a tenant; dropping it ends it.
pub struct Turn {
    tenants: Arc<Mutex<HashSet<TenantId>>>,
    tenant: TenantId,
    running: Arc<Semaphore>,
}

/// A turn with a permit to run the restore.
pub struct Running {
    _turn: Turn,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Restores {
    /// Begins the turn of a tenant.
    ///
    /// # Errors
    /// [`NotNow::Another`] if the tenant has one already.
    pub fn begin(&self, tenant: &TenantId) -> Result<Turn, NotNow> {
        let is_first = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone());
        if !is_first {
            return Err(NotNow::Another);
        }
        Ok(Turn { tenants: self.tenants.clone(), tenant: tenant.clone(), running: self.running.clone() })
    }
}

impl Turn {
    /// Waits for the permit to run the restore.
    ///
    /// # Errors
    /// [`NotNow::Others`].
    pub async fn run(self) -> Result<Running, NotNow> {
        let permit = timeout(WAIT, self.running.clone().acquire_owned()).await.map_err(|_| NotNow::Others)?;
        // The semaphore is never closed.
        Ok(Running { _turn: self, _permit: permit.ok() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tenant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_has_one_restore_and_all_have_some_at_a_time() {
        let restores = Restores::default();
        let first = restores.begin(&tenant("a")).ok().unwrap().run().await.ok().unwrap();
        assert!(restores.begin(&tenant("a")).is_err());
        let second = restores.begin(&tenant("b")).ok().unwrap().run().await.ok().unwrap();
        assert!(restores.begin(&tenant("c")).ok().unwrap().run().await.is_err());
        // The restore that waited in vain has ended its turn.
        let third = restores.begin(&tenant("c")).ok().unwrap();
        drop(first);
        assert!(third.run().await.is_ok());
        assert!(restores.begin(&tenant("a")).is_ok());
        drop(second);
    }
}
