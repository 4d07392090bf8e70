//! Who may take which backup, and the state of scheduled backups.

use crate::{
    caller::Actor,
    policy::{Action, Forbidden, Reach},
};
use directory::backup::{BackupRequest, Extent};
use jiff::Timestamp;
use mail_model::{conflicts::SetAside, tenant::TenantId};
use std::sync::atomic::{AtomicBool, Ordering};

/// The request for a backup of some tenants, or of everything if none is given, as far as the caller may have it.
///
/// # Errors
/// [`Forbidden`].
pub fn order(caller: &Actor, tenants: Vec<TenantId>, now: Timestamp) -> Result<BackupRequest, Forbidden> {
    let reach = caller.reach_of_each(Action::BackUp, &tenants)?;
    Ok(BackupRequest {
        extent: Extent::of_tenants(tenants),
        without_super: reach != Reach::Everything,
        counts: false,
        now,
    })
}

/// The result of the latest scheduled backup.
#[derive(Default)]
pub struct ScheduledBackup(AtomicBool);

impl ScheduledBackup {
    /// Records the result of a backup.
    pub fn note(&self, is_made: bool) {
        self.0.store(!is_made, Ordering::Relaxed);
    }

    /// Whether the latest one failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Logs how many conflict entries a backup lacks. Their names contain addresses, so the log has only the number.
pub fn note_conflicts(set_aside: &SetAside) {
    if set_aside.count() > 0 {
        tracing::warn!(
            count = set_aside.count(),
            hint = "pbm check names them; see OPERATIONS.md, Conflicts of replication",
            "backup.conflicts_left_out"
        );
    }
}
