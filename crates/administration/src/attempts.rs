//! The limit on failed log-ins. It counts per login *and* network, so that nobody can lock out a login for others, and
//! per network, so that nobody can try many logins. Each process counts on its own, so with several replicas each one
//! allows the full limit.
//!
//! All spellings of an address count as one login, and so do all texts that are not an address. A network is an IPv4
//! address, or a /64 and a /56 of IPv6: a host has a /64 to itself, and a customer of most providers a /56. The /56
//! has a limit that is `WIDE` times as high. Clients that a proxy does not name count as one network.

use mail_model::address::MailAddress;
use moka::sync::Cache;
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// The largest number of counters of each kind, some 30 MB. An attacker with more networks than that resets other
/// counters. A network that has reached its limit adds no counters.
const MOST: u64 = 100_000;

/// Attempts that may be in progress at once beyond the limit: the devices of a user may all log in together after a
/// restart. An attacker gets this many more tries in a window.
const AT_ONCE: u32 = 32;

/// How many times the limit of a /64 of IPv6 applies to a /56: an office behind one router rarely uses more subnets.
const WIDE: u32 = 4;

/// The interval between warnings about unknown clients.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// The advice about unknown clients.
const UNKNOWN_HINT: &str = "a trusted proxy does not name its clients in a header that can be read; together they have one \
    limit on failed log-ins, and none is in auth.allowed_subnets. Check http.trusted_proxies and http.forwarded_header, and \
    that the proxy adds the client's address to that header";

/// How many log-ins may fail within which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failures for one login from one network.
    pub per_login: u32,
    /// Failures from one network.
    pub per_address: u32,
    /// The window, which begins with the first failure.
    pub window: Duration,
}

/// Too many log-ins have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// The time until the window ends.
    pub retry_after: Duration,
}

/// The origin of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Network {
    /// An IPv4 address, or a /64 of IPv6.
    Narrow(IpAddr),
    /// A /56 of IPv6.
    Wide(Ipv6Addr),
    /// A proxy did not name the client.
    Unknown,
}

impl Network {
    /// The networks of a client, the widest first.
    fn of(address: Option<IpAddr>) -> impl Iterator<Item = Self> + Clone {
        let (wide, narrow) = match address {
            None => (None, Self::Unknown),
            Some(address) => match address.to_canonical() {
                IpAddr::V4(v4) => (None, Self::Narrow(v4.into())),
                IpAddr::V6(v6) => (Some(Self::Wide(prefix(v6, 56))), Self::Narrow(prefix(v6, 64).into())),
            },
        };
        wide.into_iter().chain([narrow])
    }

    /// The limit in this network, given the limit of a narrow one.
    fn limit(self, narrow: u32) -> u32 {
        match self {
            Self::Narrow(_) | Self::Unknown => narrow,
            Self::Wide(_) => narrow.saturating_mul(WIDE),
        }
    }
}

fn prefix(address: Ipv6Addr, length: u32) -> Ipv6Addr {
    (u128::from(address) & (u128::MAX << (128 - length))).into()
}

/// A login in a network; `None` stands for all texts that are not an address.
type LoginKey = (Option<MailAddress>, Network);

struct Window {
    began: Instant,
    failures: AtomicU32,
    /// Attempts whose outcome is not known yet.
    pending: AtomicU32,
}

/// Counts failed log-ins.
pub struct Attempts {
    limits: Limits,
    by_login: Cache<LoginKey, Arc<Window>>,
    by_network: Cache<Network, Arc<Window>>,
    /// The time of the last warning about unknown clients.
    warned: Mutex<Option<Instant>>,
}

/// An attempt that was admitted. It counts as failed unless [`Self::succeeded`] or [`Self::undecided`] is called, also
/// if it is dropped.
#[must_use = "an attempt counts as failed unless it is told otherwise"]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    login: Option<MailAddress>,
    address: Option<IpAddr>,
    windows: Vec<Arc<Window>>,
    failed: bool,
}

impl Attempts {
    /// Creates counters, all at zero.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            by_login: Cache::builder().max_capacity(MOST).time_to_live(limits.window).build(),
            by_network: Cache::builder().max_capacity(MOST).time_to_live(limits.window).build(),
            warned: Mutex::default(),
        }
    }

    /// Begins an attempt to log in. `login` is `None` if the text that was sent is not an address.
    ///
    /// # Errors
    /// [`TooMany`] if too many attempts have failed or are in progress.
    pub fn begin(
        &self,
        login: Option<&MailAddress>,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Attempt<'_>, TooMany> {
        if address.is_none() {
            self.warn(now);
        }
        let fresh =
            || Arc::new(Window { began: now, failures: AtomicU32::new(0), pending: AtomicU32::new(0) });
        let networks = Network::of(address);
        let mut windows = Vec::new();
        // A network at its limit creates no counters for logins; otherwise it could fill the table with them.
        for network in networks.clone() {
            let window = self.by_network.get_with(network, fresh);
            self.check(&window, network.limit(self.limits.per_address), now)?;
            windows.push(window);
        }
        for network in networks {
            let window = self.by_login.get_with((login.cloned(), network), fresh);
            self.check(&window, network.limit(self.limits.per_login), now)?;
            windows.push(window);
        }
        for window in &windows {
            window.pending.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Attempt { attempts: self, login: login.cloned(), address, windows, failed: true })
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

    /// Warns, at most once per interval, that unknown clients share one limit.
    fn warn(&self, now: Instant) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|last| now.saturating_duration_since(last) >= WARNING_INTERVAL) {
            *warned = Some(now);
            tracing::warn!(hint = UNKNOWN_HINT, "auth.client_unknown");
        }
    }
}

impl Attempt<'_> {
    /// The password was right. The failures of the login from this network are reset; those of the network are not,
    /// since otherwise one known password would allow to try others without end.
    pub fn succeeded(mut self) {
        self.failed = false;
        for network in Network::of(self.address) {
            self.attempts.by_login.invalidate(&(self.login.clone(), network));
        }
    }

    /// Nothing was found out, for example because the directory does not answer. The attempt does not count.
    pub fn undecided(mut self) {
        self.failed = false;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        for window in &self.windows {
            window.pending.fetch_sub(1, Ordering::Relaxed);
            if self.failed {
                window.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "192.0.2.1";
    const THERE: &str = "192.0.2.2";

    fn attempts() -> Attempts {
        Attempts::new(Limits { per_login: 3, per_address: 5, window: Duration::from_secs(60) })
    }

    fn begin<'a>(attempts: &'a Attempts, login: &str, address: &str) -> Result<Attempt<'a>, TooMany> {
        let address = address.parse().ok();
        attempts.begin(MailAddress::parse(login).ok().as_ref(), address, Instant::now())
    }

    fn fail(attempts: &Attempts, login: &str, address: &str) -> bool {
        begin(attempts, login, address).is_ok()
    }

    #[test]
    fn the_fourth_failure_of_a_login_waits_but_only_at_its_address() {
        let attempts = attempts();
        assert!((0..3).all(|_| fail(&attempts, "a@x.ru", HERE)));
        let refused = begin(&attempts, "A@x.ru", HERE).err().unwrap();
        assert!(refused.retry_after > Duration::from_secs(50));
        assert!(fail(&attempts, "a@x.ru", THERE));
        assert!(fail(&attempts, "b@x.ru", HERE));
    }

    #[test]
    fn spellings_of_a_login_count_together() {
        let attempts = attempts();
        for spelling in ["a@example.com", "A@\u{ff45}xample.com", "a@exam\u{ad}ple.com"] {
            assert!(fail(&attempts, spelling, HERE), "{spelling}");
        }
        for spelling in ["a@ＥＸＡＭＰＬＥ.com", "a@example。com", "a@e\u{200b}xample.com"] {
            assert!(!fail(&attempts, spelling, HERE), "{spelling}");
        }
        // All texts that are not an address count together, too.
        assert!(["x", "*", "юзер@пример.рф"].iter().filter(|text| fail(&attempts, text, THERE)).count() == 3);
        assert!(!fail(&attempts, "(uid=*)", THERE));
    }

    #[test]
    fn an_address_that_tries_many_logins_waits() {
        let attempts = attempts();
        assert!((0..5).all(|n| fail(&attempts, &format!("n{n}@x.ru"), HERE)));
        assert!(!fail(&attempts, "new@x.ru", HERE));
        assert!(fail(&attempts, "new@x.ru", THERE));
    }

    #[test]
    fn an_address_at_its_limit_fills_no_table() {
        let attempts = attempts();
        for number in 0..500 {
            fail(&attempts, &format!("n{number}@x.ru"), HERE);
            fail(&attempts, &format!("n{number}@x.ru"), &format!("2001:db8:0:{:x}::1", number % 256));
        }
        attempts.by_login.run_pending_tasks();
        // Five for the first address; twenty for the /56, in two networks each.
        assert!(attempts.by_login.entry_count() <= 5 + 2 * 20, "{}", attempts.by_login.entry_count());
    }

    #[test]
    fn a_right_password_clears_the_login_and_counts_nowhere() {
        for address in [HERE, "2001:db8::1", "unknown"] {
            let attempts = attempts();
            for _ in 0..20 {
                begin(&attempts, "a@x.ru", address).ok().unwrap().succeeded();
            }
            assert!(fail(&attempts, "a@x.ru", address) && fail(&attempts, "a@x.ru", address));
            begin(&attempts, "a@x.ru", address).ok().unwrap().succeeded();
            assert!((0..3).all(|_| fail(&attempts, "a@x.ru", address)), "{address}");
        }
    }

    #[test]
    fn many_devices_may_log_in_at_once_but_not_any_number() {
        let attempts = attempts();
        let at_once: Vec<_> = (0..100).filter_map(|_| begin(&attempts, "a@x.ru", HERE).ok()).collect();
        assert_eq!(at_once.len(), 35);
        for attempt in at_once {
            attempt.succeeded();
        }
        assert!(fail(&attempts, "a@x.ru", HERE));
    }

    #[test]
    fn an_undecided_attempt_counts_nowhere() {
        let attempts = attempts();
        for _ in 0..20 {
            begin(&attempts, "a@x.ru", HERE).ok().unwrap().undecided();
        }
        assert!(fail(&attempts, "a@x.ru", HERE));
    }

    #[test]
    fn a_subnet_of_ipv6_counts_as_one_address() {
        let attempts = attempts();
        for host in 0..5 {
            assert!(fail(&attempts, &format!("n{host}@x.ru"), &format!("2001:db8::{host}")));
        }
        assert!(!fail(&attempts, "n@x.ru", "2001:db8::ffff"));
        assert!(fail(&attempts, "n@x.ru", "2001:db8:0:1::1"));
    }

    #[test]
    fn what_a_provider_gives_a_customer_allows_four_times_as_much() {
        let of = |subnet: usize| format!("2001:db8:0:{subnet:x}::1");
        let attempts = attempts();
        let let_in =
            (0..100).filter(|subnet| fail(&attempts, &format!("n{subnet}@x.ru"), &of(*subnet))).count();
        assert_eq!(let_in, 20);
        assert!(fail(&attempts, "n@x.ru", &of(0x100)), "another customer");
        let attempts = self::attempts();
        let of_login = (0..100).filter(|subnet| fail(&attempts, "a@x.ru", &of(*subnet))).count();
        assert_eq!(of_login, 12);
    }

    #[test]
    fn unknown_clients_share_one_limit_that_is_nobody_elses() {
        let attempts = attempts();
        assert!((0..3).all(|_| fail(&attempts, "a@x.ru", "unknown")));
        assert!(!fail(&attempts, "a@x.ru", "unknown"));
        assert!(fail(&attempts, "a@x.ru", HERE) && fail(&attempts, "a@x.ru", "0.0.0.0"));
    }
}
