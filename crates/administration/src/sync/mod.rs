//! Synchronization with sources from outside.
//!
//! A run reads the entries of the tenant, then all of the source, and only then writes. What differs waits in a file
//! meanwhile, so the memory of a run depends on the number of people, not on what is known of them. If the source cannot
//! be read to its end, nothing is written. Runs take place on threads of their own; their state is in the directory, so
//! any replica can tell it, and one run a tenant, source and subject takes place at a time.

mod apply;
mod compare;
mod groups;
mod people;
mod run;
mod spool;
mod step;
mod under_way;

pub use run::{Plan, PlanLine, PlannedOp, SyncError};
pub use under_way::{Begun, Planned, Syncs, latest, present};

use crate::policy::Reach;
use mail_model::{
    run::{Source, Subject},
    tenant::TenantId,
};
use sources::Reader;

/// The sources, and the limits of runs.
#[derive(Clone, Debug)]
pub struct SyncSettings {
    /// Active Directory or another directory.
    pub directory: Option<Reader>,
    /// Bitrix24.
    pub bitrix24: Option<Reader>,
    /// The tenants that the sources are for. If there is none, only super administrators can synchronize, any tenant.
    pub tenants: Vec<TenantId>,
    /// The percentage of earlier entries that a run may remove; see [`SyncSettings::may_remove`].
    pub removal_limit: u8,
}

/// Fewer removals than this need no leave: in a small company a few leavers are a large part.
pub const FREE_REMOVALS: usize = 20;

impl SyncSettings {
    /// The reader of a source, if it is configured for a tenant.
    #[must_use]
    pub fn reader(&self, source: Source, tenant: &TenantId) -> Option<&Reader> {
        let is_for = self.tenants.is_empty() || self.tenants.contains(tenant);
        let reader = match source {
            Source::Directory => self.directory.as_ref(),
            Source::Bitrix24 => self.bitrix24.as_ref(),
        };
        reader.filter(|_| is_for)
    }

    /// Requires that the source of a request is set up, and for its tenant by name unless a super administrator asks:
    /// otherwise the administrator of any tenant could copy everybody of a source that is meant for another one.
    fn require_set_up(&self, request: &SyncRequest, reach: Reach) -> Result<(), SyncError> {
        let is_named = self.tenants.contains(&request.tenant);
        let has_reader = self.reader(request.source, &request.tenant).is_some();
        if has_reader && (is_named || reach == Reach::Everything) { Ok(()) } else { Err(SyncError::NotSetUp) }
    }

    /// Whether a run may remove some of the entries that earlier runs have made.
    #[must_use]
    pub fn may_remove(&self, leavers: usize, of: usize) -> bool {
        leavers <= FREE_REMOVALS
            || leavers.saturating_mul(100) <= of.saturating_mul(self.removal_limit.into())
    }
}

/// A request for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRequest {
    /// The tenant.
    pub tenant: TenantId,
    /// The source.
    pub source: Source,
    /// What is synchronized.
    pub subject: Subject,
    /// Removes even more entries than the limit allows.
    pub force: bool,
    /// Reads only what has changed, if the source can tell, and a whole run was not long ago.
    pub may_be_quick: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_removals_need_leave() {
        let settings =
            SyncSettings { directory: None, bitrix24: None, tenants: Vec::new(), removal_limit: 10 };
        assert!(settings.may_remove(20, 20));
        assert!(!settings.may_remove(21, 200));
        assert!(settings.may_remove(21, 210));
    }
}
