//! Answers that were given without the projection and may be newer than it: until the feeder has come to what the directory
//! told then, nobody is answered from the projection, so that nobody sees an older state after a newer.

use crate::store::Standing;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long the feeder is waited for at most: one that has stopped would keep everybody from the projection.
const LONGEST: Duration = Duration::from_secs(2);

/// When something was last answered without the projection.
#[derive(Debug, Default)]
pub(crate) struct Ahead(Mutex<Option<Noted>>);

#[derive(Debug)]
struct Noted {
    at: Instant,
    /// How often the projection must have been found in step; `None` until somebody looks.
    heartbeats: Option<u64>,
}

impl Ahead {
    /// Something was answered without it.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Noted { at: Instant::now(), heartbeats: None });
    }

    /// Whether that may be newer than the projection as it stands. The feeder must have found it in step twice more: the first
    /// time may have been under way already.
    pub(crate) fn is_of(&self, standing: &Standing) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Noted { at, heartbeats }) = &mut *noted else { return false };
        let is_over =
            heartbeats.is_some_and(|heartbeats| standing.heartbeats >= heartbeats) || at.elapsed() > LONGEST;
        if is_over {
            *noted = None;
            return false;
        }
        // A projection that was begun anew counts anew.
        if heartbeats.is_none_or(|heartbeats| standing.heartbeats.saturating_add(2) < heartbeats) {
            *heartbeats = Some(standing.heartbeats.saturating_add(2));
        }
        true
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
        *ahead.0.lock().unwrap() = Some(Noted { at, heartbeats: Some(9) });
        assert!(!ahead.is_of(&standing(5)));
    }
}
