//! How long a call waits for the limits of a portal, and how often it is repeated after a fault.
//!
//! In the cloud, a portal takes 50 requests at once and 2 a second after that (503 `QUERY_LIMIT_EXCEEDED`), and blocks a
//! method that took 480 seconds of 10 minutes (429 `OPERATION_TIME_LIMIT`) until `operating_reset_at`.

use super::{refusal::Limit, settings::Patience};
use crate::SourceError;
use std::time::Duration;

/// How often a call is repeated after a fault that is not a limit.
const MAX_FAULTS: u32 = 2;
/// How much longer than the first a wait can become by doubling.
const LONGEST_STEP: u32 = 32;

/// The waits of one call.
pub(super) struct Waits {
    patience: Patience,
    waited: Duration,
    steps: u32,
    faults: u32,
}

impl Waits {
    /// A call that has not waited yet.
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, waited: Duration::ZERO, steps: 0, faults: 0 }
    }

    /// How long to wait for a limit.
    ///
    /// # Errors
    /// [`SourceError::Refused`] if that would be longer than the patience.
    pub(super) fn for_limit(&mut self, limit: &Limit, host: &str) -> Result<Duration, SourceError> {
        let until_reset =
            limit.reset_at.zip(limit.now).and_then(|(at, now)| u64::try_from(at.saturating_sub(now)).ok());
        let step = self.step();
        // A second more, because both times are whole seconds.
        let wait =
            until_reset.map_or(step, |seconds| step.max(Duration::from_secs(seconds.saturating_add(1))));
        self.waited = self.waited.saturating_add(wait);
        if self.waited > self.patience.longest {
            let minutes = self.patience.longest.as_secs().div_ceil(60);
            return Err(SourceError::Refused(format!(
                "the portal {host} is at its limit ({}) for more than {minutes} minutes: let fewer programs use it at \
                 the same time, or try at another time",
                limit.code
            )));
        }
        Ok(wait)
    }

    /// How long to wait after a fault.
    ///
    /// # Errors
    /// The fault, if the call has been repeated often enough.
    pub(super) fn after_fault(&mut self, fault: SourceError) -> Result<Duration, SourceError> {
        self.faults += 1;
        if self.faults > MAX_FAULTS { Err(fault) } else { Ok(self.step()) }
    }

    fn step(&mut self) -> Duration {
        let times = 1_u32.checked_shl(self.steps).unwrap_or(LONGEST_STEP).min(LONGEST_STEP);
        self.steps += 1;
        self.patience.first_wait.saturating_mul(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(reset_at: Option<i64>, now: Option<i64>) -> Limit {
        Limit { code: "OPERATION_TIME_LIMIT", reset_at, now }
    }

    fn seconds(result: Result<Duration, SourceError>) -> u64 {
        result.unwrap().as_secs()
    }

    #[test]
    fn waits_become_longer_and_end() {
        let mut waits = Waits::new(Patience::default());
        let mut all = Vec::new();
        let error = loop {
            match waits.for_limit(&limit(None, Some(7)), "portal.example") {
                Ok(wait) => all.push(wait.as_secs()),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(all[..7], [1, 2, 4, 8, 16, 32, 32]);
        assert_eq!(all.iter().sum::<u64>(), 31 + 27 * 32);
        assert!(error.contains("OPERATION_TIME_LIMIT") && error.contains("15 minutes"), "{error}");
    }

    #[test]
    fn the_time_of_the_portal_is_waited_for() {
        let mut waits = Waits::new(Patience::default());
        assert_eq!(seconds(waits.for_limit(&limit(Some(400), Some(100)), "x")), 301);
        assert_eq!(seconds(waits.for_limit(&limit(Some(50), Some(100)), "x")), 2);
        assert!(waits.for_limit(&limit(Some(i64::MAX), Some(0)), "x").is_err());
        let mut waits = Waits::new(Patience::default());
        assert!(waits.for_limit(&limit(Some(10_000), Some(100)), "x").is_err());
    }

    #[test]
    fn a_fault_is_forgiven_twice() {
        let mut waits = Waits::new(Patience::default());
        let mut fault = || waits.after_fault(SourceError::Refused("HTML".into()));
        assert_eq!([seconds(fault()), seconds(fault())], [1, 2]);
        assert_eq!(fault().unwrap_err().to_string(), "HTML");
    }
}
