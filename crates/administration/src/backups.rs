//! What somebody may back up, and what is told of backups.

use crate::{
    caller::Actor,
    policy::{Action, Forbidden, Reach},
};
use directory::backup::{BackupRequest, Extent};
use jiff::Timestamp;
use mail_model::{conflicts::SetAside, tenant::TenantId};
use std::sync::atomic::{AtomicBool, Ordering};

/// The backup of some tenants, or of everything where none is named, as far as the caller may have it.
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

/// How the latest backup on schedule went.
#[derive(Default)]
pub struct ScheduledBackup(AtomicBool);

impl ScheduledBackup {
    /// Notes how one went.
    pub fn note(&self, is_made: bool) {
        self.0.store(!is_made, Ordering::Relaxed);
    }

    /// Whether it failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Logs the conflict entries that a backup lacks. Their names hold addresses, so the log has their number alone.
pub fn note_conflicts(set_aside: &SetAside) {
    if set_aside.count() > 0 {
        tracing::warn!(
            count = set_aside.count(),
            hint = "pbm check names them; see OPERATIONS.md, Conflicts of replication",
            "backup.conflicts_left_out"
        );
    }
}
