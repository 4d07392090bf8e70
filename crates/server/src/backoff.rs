//! The delay after a failure.

use std::time::Duration;

/// The first delay; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(100);
/// The longest delay, unless the server asks for a longer one.
const LONGEST: Duration = Duration::from_secs(2);
/// The longest delay that a server may ask for; a longer one is a mistake and would make a follower appear to hang.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// The delays between consecutive failures.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The delay after one more failure. `random` from 0 to 1 keeps processes from retrying all at once.
    pub(crate) fn wait(&mut self, asked: Option<Duration>, random: f64) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        let longest = FIRST.saturating_mul(factor).min(LONGEST);
        let own = longest.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
        own.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }

    /// Starts from the first delay again after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_two_seconds_and_start_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..7).map(|_| backoff.wait(None, 1.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(backoff.wait(None, 0.0).as_millis(), 1000);
        backoff.reset();
        assert_eq!(backoff.wait(None, 0.5).as_millis(), 75);
        backoff.failures = u32::MAX;
        assert_eq!(backoff.wait(None, 1.0), LONGEST);
    }

    #[test]
    fn a_server_may_ask_for_more_but_not_for_ever() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.wait(Some(Duration::from_secs(7)), 1.0).as_secs(), 7);
        assert_eq!(backoff.wait(Some(Duration::ZERO), 1.0).as_millis(), 200);
        assert_eq!(backoff.wait(Some(Duration::MAX), 1.0), LONGEST_ASKED);
    }
}
