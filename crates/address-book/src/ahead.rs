//! Answers that were read from the directory instead of the projection may be newer than the projection. Until the
//! feeder has recorded the state of those answers, the projection answers no request, so that no client sees an older
//! state after a newer one.

use crate::store::Standing;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The longest wait for the feeder: a stopped feeder must not keep all requests from the projection.
const LONGEST: Duration = Duration::from_secs(2);

/// Waits until the feeder has recorded everything that was written or read before. The feeder must report two more
/// heartbeats, because the first of them may have begun earlier.
#[derive(Debug, Default)]
pub(crate) struct TwoHeartbeats {
    /// The number of heartbeats to wait for; `None` until the first check.
    until: Option<u64>,
}

impl TwoHeartbeats {
    /// Whether both heartbeats have passed in this state of the projection.
    pub(crate) fn have_passed(&mut self, standing: &Standing) -> bool {
        if self.until.is_some_and(|until| standing.heartbeats >= until) {
            return true;
        }
        // A new projection starts its count of heartbeats again.
        let after_next = standing.heartbeats.saturating_add(2);
        if self.until.is_none_or(|until| after_next < until) {
            self.until = Some(after_next);
        }
        false
    }
}

/// The last time that a request was answered without the projection.
#[derive(Debug, Default)]
pub(crate) struct Ahead(Mutex<Option<Noted>>);

#[derive(Debug)]
struct Noted {
    at: Instant,
    wait: TwoHeartbeats,
}

impl Ahead {
    /// Records that a request was answered without the projection.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Noted { at: Instant::now(), wait: TwoHeartbeats::default() });
    }

    /// Whether such an answer may be newer than this state of the projection.
    pub(crate) fn is_of(&self, standing: &Standing) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |noted: &mut Noted| noted.wait.have_passed(standing) || noted.at.elapsed() > LONGEST;
        noted.take_if(is_over);
        noted.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(heartbeats: u64) -> Standing {
        Standing { epoch: 1, origin: 1, newest: 1, horizon: 0, heartbeats }
    }

    #[test]
    fn the_projection_is_used_again_after_the_second_heartbeat() {
        let ahead = Ahead::default();
        assert!(!ahead.is_of(&standing(5)));
        ahead.note();
        assert_eq!(
            [5, 6, 7, 7].map(|heartbeats| ahead.is_of(&standing(heartbeats))),
            [true, true, false, false]
        );
        // Another projection has a lower count.
        ahead.note();
        assert_eq!(
            [50, 1, 2, 3].map(|heartbeats| ahead.is_of(&standing(heartbeats))),
            [true, true, true, false]
        );
    }

    #[test]
    fn a_count_that_was_overwritten_is_counted_with() {
        let ahead = Ahead::default();
        ahead.note();
        assert!(
            [u64::MAX, u64::MAX - 1]
                .iter()
                .all(|spoilt| ahead.is_of(&standing(*spoilt)) || !ahead.is_of(&standing(0)))
        );
    }

    #[test]
    fn a_feeder_that_has_stopped_is_not_waited_for() {
        let ahead = Ahead::default();
        let at = Instant::now().checked_sub(LONGEST * 2).unwrap();
        *ahead.0.lock().unwrap() = Some(Noted { at, wait: TwoHeartbeats { until: Some(9) } });
        assert!(!ahead.is_of(&standing(5)));
    }
}
