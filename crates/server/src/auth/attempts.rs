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

#[derive(Clone)]
struct Window {
    began: Instant,
    failures: Arc<AtomicU32>,
}

/// Counts failed log-ins.
pub struct Attempts {
    limits: Limits,
    by_login: Cache<(String, IpAddr), Window>,
    by_address: Cache<IpAddr, Window>,
}

/// An attempt that was let through: it counts as failed until it is known to be right, so attempts made at
/// once are limited like those made one after the other.
#[must_use = "an attempt counts as failed unless it is told otherwise"]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    key: (String, IpAddr),
    of_login: Window,
    of_address: Window,
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
    /// [`TooMany`] when too many have failed.
    pub fn begin(&self, login: &str, address: IpAddr, now: Instant) -> Result<Attempt<'_>, TooMany> {
        let address = network_of(address);
        let key = (login.to_lowercase(), address);
        let fresh = || Window { began: now, failures: Arc::default() };
        let of_login = self.by_login.get_with_by_ref(&key, fresh);
        let of_address = self.by_address.get_with(address, fresh);
        self.count(&of_login, self.limits.per_login, now)?;
        if let Err(too_many) = self.count(&of_address, self.limits.per_address, now) {
            of_login.failures.fetch_sub(1, Ordering::Relaxed);
            return Err(too_many);
        }
        Ok(Attempt { attempts: self, key, of_login, of_address })
    }

    fn count(&self, window: &Window, limit: u32, now: Instant) -> Result<(), TooMany> {
        let within = |failures: u32| (failures < limit).then_some(failures + 1);
        let counted = window.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within);
        let passed = now.saturating_duration_since(window.began);
        let retry_after = self.limits.window.saturating_sub(passed).max(Duration::from_secs(1));
        counted.map(|_| ()).map_err(|_| TooMany { retry_after })
    }
}

impl Attempt<'_> {
    /// The password was right: the login's failures from this address are forgotten, and this attempt does
    /// not count against the address. Its earlier failures stay, else one known password would let an
    /// address try others for ever.
    pub fn succeeded(self) {
        self.attempts.by_login.invalidate(&self.key);
        self.of_address.failures.fetch_sub(1, Ordering::Relaxed);
    }

    /// Nothing was found out, as when the directory does not answer: the attempt does not count.
    pub fn undecided(self) {
        self.of_login.failures.fetch_sub(1, Ordering::Relaxed);
        self.of_address.failures.fetch_sub(1, Ordering::Relaxed);
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
