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
    beats: Option<u64>,
}

impl Ahead {
    /// Something was answered without it.
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Noted { at: Instant::now(), beats: None });
    }

    /// Whether that may be newer than the projection as it stands. The feeder must have found it in step twice more: the first
    /// time may have been under way already.
    pub(crate) fn is_of(&self, standing: &Standing) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Noted { at, beats }) = &mut *noted else { return false };
        let is_over = beats.is_some_and(|beats| standing.beats >= beats) || at.elapsed() > LONGEST;
        if is_over {
            *noted = None;
            return false;
        }
        // A projection that was begun anew counts anew.
        if beats.is_none_or(|beats| standing.beats + 2 < beats) {
            *beats = Some(standing.beats + 2);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(beats: u64) -> Standing {
        Standing { epoch: 1, origin: 1, newest: 1, horizon: 0, beats }
    }

    #[test]
    fn the_projection_is_used_again_after_the_second_beat() {
        let ahead = Ahead::default();
        assert!(!ahead.is_of(&standing(5)));
        ahead.note();
        assert_eq!([5, 6, 7, 7].map(|beats| ahead.is_of(&standing(beats))), [true, true, false, false]);
        // Another projection has counted less.
        ahead.note();
        assert_eq!([50, 1, 2, 3].map(|beats| ahead.is_of(&standing(beats))), [true, true, true, false]);
    }

    #[test]
    fn a_feeder_that_has_stopped_is_not_waited_for() {
        let ahead = Ahead::default();
        let at = Instant::now().checked_sub(LONGEST * 2).unwrap();
        *ahead.0.lock().unwrap() = Some(Noted { at, beats: Some(9) });
        assert!(!ahead.is_of(&standing(5)));
    }
}
