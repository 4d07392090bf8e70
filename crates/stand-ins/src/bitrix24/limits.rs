//! The limits of a portal: a leaky bucket for requests, and methods that are blocked for a time.

use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How many requests a portal takes. In the cloud, 50 and 2 a second; in the plan Enterprise, 250 and 5.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many requests it takes at once.
    pub bucket: f64,
    /// How many more it takes each second.
    pub drained_per_second: f64,
}

impl Limits {
    /// Those of most portals in the cloud.
    pub const CLOUD: Self = Self { bucket: 50.0, drained_per_second: 2.0 };
}

/// The state of the limits.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Option<Limits>,
    level: f64,
    at: Instant,
    /// Until when methods are blocked.
    blocked: BTreeMap<String, Timestamp>,
}

impl Meter {
    pub(super) fn new(limits: Option<Limits>) -> Self {
        Self { limits, level: 0.0, at: Instant::now(), blocked: BTreeMap::new() }
    }

    /// Counts a request, and returns whether it is taken.
    pub(super) fn takes(&mut self) -> bool {
        let Some(limits) = self.limits else { return true };
        let elapsed = self.at.elapsed().as_secs_f64();
        self.at = Instant::now();
        self.level = (self.level - elapsed * limits.drained_per_second).max(0.0);
        let is_taken = self.level < limits.bucket;
        if is_taken {
            self.level += 1.0;
        }
        is_taken
    }

    /// Blocks a method.
    pub(super) fn block(&mut self, method: &str, now: Timestamp, length: Duration) {
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        self.blocked.insert(method.to_owned(), until);
    }

    /// Until when a method is blocked, if it is.
    pub(super) fn blocked_until(&self, method: &str, now: Timestamp) -> Option<Timestamp> {
        self.blocked.get(method).copied().filter(|until| *until > now)
    }
}
