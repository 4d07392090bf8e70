//! The limit on failed log-ins: per login *and* address, so that nobody can lock a login out for others, and
//! per address, so that nobody can try many logins. Counted in this process; with several replicas each
//! allows as many.

use moka::sync::Cache;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Most counters kept; an attacker with more addresses than that resets the oldest.
const MOST: u64 = 100_000;

/// Attempts that may be under way at once beyond the limit: someone's devices after a restart all log in together,
/// and rightly. An attacker gets as many more tries in a window.
const AT_ONCE: u32 = 32;

/// How much may fail within how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failures of one login from one address.
    pub per_login: u32,
    /// Failures from one address.
    pub per_address: u32,
    /// The window, which begins with the first failure.
    pub window: Duration,
}

/// Too many failures; wait so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Until the window ends.
    pub retry_after: Duration,
}

struct Window {
    began: Instant,
    failures: AtomicU32,
    /// Attempts whose outcome is not known yet.
    pending: AtomicU32,
}

/// Counts failed log-ins.
pub struct Attempts {
    limits: Limits,
    by_login: Cache<(String, IpAddr), Arc<Window>>,
    by_address: Cache<IpAddr, Arc<Window>>,
}

/// An attempt that was let through. It counts as failed unless it is told otherwise, also when it is dropped half
/// way.
#[must_use = "an attempt counts as failed unless it is told otherwise"]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    key: (String, IpAddr),
    of_login: Arc<Window>,
    of_address: Arc<Window>,
    failed: bool,
}

impl Attempts {
    /// Counters that are all at nought.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            by_login: Cache::builder().max_capacity(MOST).time_to_live(limits.window).build(),
            by_address: Cache::builder().max_capacity(MOST).time_to_live(limits.window).build(),
        }
    }

    /// Begins an attempt to log in.
    ///
    /// # Errors
    /// [`TooMany`] when too many have failed, or too many are under way.
    pub fn begin(&self, login: &str, address: IpAddr, now: Instant) -> Result<Attempt<'_>, TooMany> {
        let address = network_of(address);
        let key = (login.to_lowercase(), address);
        let fresh =
            || Arc::new(Window { began: now, failures: AtomicU32::new(0), pending: AtomicU32::new(0) });
        let of_login = self.by_login.get_with_by_ref(&key, fresh);
        let of_address = self.by_address.get_with(address, fresh);
        self.check(&of_login, self.limits.per_login, now)?;
        self.check(&of_address, self.limits.per_address, now)?;
        of_login.pending.fetch_add(1, Ordering::Relaxed);
        of_address.pending.fetch_add(1, Ordering::Relaxed);
        Ok(Attempt { attempts: self, key, of_login, of_address, failed: true })
    }

    fn check(&self, window: &Window, limit: u32, now: Instant) -> Result<(), TooMany> {
        let failures = window.failures.load(Ordering::Relaxed);
        let pending = window.pending.load(Ordering::Relaxed);
        if failures < limit && pending < limit.saturating_add(AT_ONCE) {
            return Ok(());
        }
        let passed = now.saturating_duration_since(window.began);
        let rest = if failures < limit { Duration::ZERO } else { self.limits.window.saturating_sub(passed) };
        Err(TooMany { retry_after: rest.max(Duration::from_secs(1)) })
    }
}

impl Attempt<'_> {
    /// The password was right: the login's failures from this address are forgotten. The address's stay, else one
    /// known password would let it try others for ever.
    pub fn succeeded(mut self) {
        self.failed = false;
        self.attempts.by_login.invalidate(&self.key);
    }

    /// Nothing was found out, as when the directory does not answer: the attempt does not count.
    pub fn undecided(mut self) {
        self.failed = false;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        for window in [&self.of_login, &self.of_address] {
            window.pending.fetch_sub(1, Ordering::Relaxed);
            if self.failed {
                window.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// An IPv6 host has a /64 at its disposal, so that counts as one address.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) & (u128::MAX << 64)).into()),
        },
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn attempts() -> Attempts {
        Attempts::new(Limits { per_login: 3, per_address: 5, window: Duration::from_secs(60) })
    }

    fn fail(attempts: &Attempts, login: &str, address: IpAddr) -> bool {
        attempts.begin(login, address, Instant::now()).is_ok()
    }

    #[test]
    fn the_fourth_failure_of_a_login_waits_but_only_at_its_address() {
        let attempts = attempts();
        assert!((0..3).all(|_| fail(&attempts, "a@x.y", HERE)));
        let refused = attempts.begin("A@x.y", HERE, Instant::now()).err().unwrap();
        assert!(refused.retry_after > Duration::from_secs(50));
        assert!(fail(&attempts, "a@x.y", THERE));
        assert!(fail(&attempts, "b@x.y", HERE));
    }

    #[test]
    fn an_address_that_tries_many_logins_waits() {
        let attempts = attempts();
        assert!((0..5).all(|n| fail(&attempts, &format!("{n}@x.y"), HERE)));
        assert!(!fail(&attempts, "new@x.y", HERE));
        assert!(fail(&attempts, "new@x.y", THERE));
    }

    #[test]
    fn a_right_password_clears_the_login_and_counts_nowhere() {
        let attempts = attempts();
        for _ in 0..20 {
            attempts.begin("a@x.y", HERE, Instant::now()).ok().unwrap().succeeded();
        }
        assert!(fail(&attempts, "a@x.y", HERE) && fail(&attempts, "a@x.y", HERE));
        attempts.begin("a@x.y", HERE, Instant::now()).ok().unwrap().succeeded();
        assert!((0..3).all(|_| fail(&attempts, "a@x.y", HERE)));
    }

    #[test]
    fn many_devices_may_log_in_at_once_but_not_any_number() {
        let attempts = attempts();
        let at_once: Vec<_> =
            (0..100).filter_map(|_| attempts.begin("a@x.y", HERE, Instant::now()).ok()).collect();
        assert_eq!(at_once.len(), 35);
        for attempt in at_once {
            attempt.succeeded();
        }
        assert!(fail(&attempts, "a@x.y", HERE));
    }

    #[test]
    fn an_undecided_attempt_counts_nowhere() {
        let attempts = attempts();
        for _ in 0..20 {
            attempts.begin("a@x.y", HERE, Instant::now()).ok().unwrap().undecided();
        }
        assert!(fail(&attempts, "a@x.y", HERE));
    }

    #[test]
    fn a_whole_ipv6_subnet_counts_as_one_address() {
        let attempts = attempts();
        for host in 0..5 {
            assert!(fail(&attempts, &format!("{host}@x.y"), format!("2001:db8::{host}").parse().unwrap()));
        }
        assert!(!fail(&attempts, "n@x.y", "2001:db8::ffff".parse().unwrap()));
        assert!(fail(&attempts, "n@x.y", "2001:db8:0:1::1".parse().unwrap()));
    }
}
