//! Adds that the server has refused because a name or an address was taken. 389-ds rolls such an add back, which delays
//! other writers (decision 17). So for a while after one, addresses are looked up before the next add.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long addresses are looked up first. One refusal in this time does no harm.
const LOOK_FIRST_FOR: Duration = Duration::from_secs(60);

/// When an address was last found to be taken. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct RecentRefusals(Arc<Mutex<Option<Instant>>>);

impl RecentRefusals {
    /// Records that an address was taken.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether addresses should be looked up before an add.
    pub(crate) fn are_recent(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < LOOK_FIRST_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_recent_for_all_clones() {
        let refusals = RecentRefusals::default();
        let clone = refusals.clone();
        assert!(!clone.are_recent());
        refusals.note();
        assert!(clone.are_recent());
    }
}
