//! Answers that were given without the projection and may be newer than it: until the feeder has come to what the directory
//! told then, nobody is answered from the projection, so that nobody sees an older state after a newer.

use crate::store::Standing;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long the feeder is waited for at most: one that has stopped would keep everybody from the projection.
const LONGEST: Duration = Duration::from_secs(2);

/// Waits until the feeder has come to what was written or told before: it must have found the projection in step twice more, since
/// the first time may have been under way already.
#[derive(Debug, Default)]
pub(crate) struct TwoHeartbeats {
    /// The count to be reached; `None` until somebody looks.
    until: Option<u64>,
}

impl TwoHeartbeats {
    /// Whether it has, as the projection stands.
    pub(crate) fn have_passed(&mut self, standing: &Standing) -> bool {
        if self.until.is_some_and(|until| standing.heartbeats >= until) {
            return true;
        }
        // A projection that was begun anew counts anew.
        let after_next = standing.heartbeats.saturating_add(2);
        if self.until.is_none_or(|until| after_next < until) {
            self.until = Some(after_next);
        }
        false
    }
}

/// When something was last answered without the projection.
#[derive(Debug, Default)]
pub(crate) struct Ahead(Mutex<Option<Noted>>);

#[derive(Debug)]
struct Noted {
    at: Instant,
    wait: TwoHeartbeats,
}

impl Ahead {
    /// Something was answered without it.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Noted { at: Instant::now(), wait: TwoHeartbeats::default() });
    }

    /// Whether that may be newer than the projection as it stands.
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
        // Another projection has counted less.
        ahead.note();
        assert_eq!(
            [50, 1, 2, 3].map(|heartbeats| ahead.is_of(&standing(heartbeats))),
            [true, true, true, false]
        );
    }

    #[test]
    fn a_count_that_somebody_has_spoilt_is_counted_with() {
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
