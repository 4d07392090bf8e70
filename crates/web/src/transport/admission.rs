//! Counts the connections, in total and of each client network, and refuses those over the limits.

use ipnet::IpNet;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The interval between log entries about refused connections: a flood of connections must not cause a flood of log
/// lines.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// The limits on connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionBounds {
    /// In total (`http.connections`).
    pub total: usize,
    /// For each client network (`http.connections_per_address`).
    pub per_address: usize,
}

impl Default for ConnectionBounds {
    /// A browser opens six connections, so 256 serve an office of 40 people behind one address who all load a page at
    /// once. An idle connection costs about 40 kB, so 8,192 of them cost 320 MB.
    fn default() -> Self {
        Self { total: 8192, per_address: 256 }
    }
}

impl ConnectionBounds {
    /// For each trusted proxy: it forwards for many clients, and leaves a quarter to everybody else, including
    /// monitoring.
    fn per_proxy(&self) -> usize {
        (self.total / 4 * 3).max(self.per_address)
    }
}

/// Counts connections. Clones share the counts.
#[derive(Clone)]
pub(super) struct Admission(Arc<Inner>);

struct Inner {
    bounds: ConnectionBounds,
    trusted_proxies: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    by_network: HashMap<IpAddr, usize>,
    /// Connections that were refused and not yet logged.
    refused: u64,
    told: Option<Instant>,
}

impl Admission {
    pub(super) fn new(bounds: ConnectionBounds, trusted_proxies: Vec<IpNet>) -> Self {
        Self(Arc::new(Inner { bounds, trusted_proxies, open: Mutex::default() }))
    }

    /// Admits or refuses a connection. An admitted one counts until the slot is dropped.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Slot> {
        let Inner { bounds, trusted_proxies, .. } = &*self.0;
        let peer = peer.to_canonical();
        let is_proxy = trusted_proxies.iter().any(|proxies| proxies.contains(&peer));
        let most = if is_proxy { bounds.per_proxy() } else { bounds.per_address };
        let network = network_of(peer);
        let mut open = self.0.open();
        let of_network = open.by_network.get(&network).copied().unwrap_or(0);
        if open.total >= bounds.total || of_network >= most {
            open.refuse(of_network >= most);
            return None;
        }
        open.total += 1;
        open.by_network.insert(network, of_network + 1);
        Some(Slot { inner: self.0.clone(), network })
    }
}

impl Inner {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn refuse(&mut self, by_network: bool) {
        self.refused += 1;
        if self.told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        let setting = if by_network { "http.connections_per_address" } else { "http.connections" };
        let (refused, open) = (std::mem::take(&mut self.refused), self.total);
        tracing::warn!(refused, open, setting, "http.connections.refused");
    }
}

/// The slot of an admitted connection.
pub(super) struct Slot {
    inner: Arc<Inner>,
    network: IpAddr,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.inner.open();
        open.total = open.total.saturating_sub(1);
        if let Some(count) = open.by_network.get_mut(&self.network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_network.remove(&self.network);
            }
        }
    }
}

/// The network of one client: an IPv4 address, or a /64 of IPv6.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: usize) -> Admission {
        Admission::new(ConnectionBounds { total, per_address }, vec!["192.0.2.0/24".parse().unwrap()])
    }

    fn admit(admission: &Admission, peer: &str, times: usize) -> Vec<Slot> {
        (0..times).filter_map(|_| admission.admit(peer.parse().unwrap())).collect()
    }

    #[test]
    fn a_network_has_its_share_and_gets_it_back() {
        let admission = admission(100, 3);
        let of_one = admit(&admission, "198.51.100.1", 10);
        assert_eq!((of_one.len(), admit(&admission, "198.51.100.2", 10).len()), (3, 3));
        assert!(admit(&admission, "::ffff:198.51.100.1", 1).is_empty(), "the two addresses are the same");
        drop(of_one);
        assert_eq!(admit(&admission, "198.51.100.1", 10).len(), 3);
        assert!(admission.0.open().by_network.is_empty());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_together() {
        let admission = admission(100, 3);
        let of_one = admit(&admission, "2001:db8::1", 2);
        assert_eq!((of_one.len(), admit(&admission, "2001:db8::ffff:1", 2).len()), (2, 1));
        assert_eq!(admit(&admission, "2001:db8:0:1::1", 2).len(), 2);
    }

    #[test]
    fn all_together_have_a_bound_that_a_proxy_does_not_fill() {
        let admission = admission(20, 10);
        let of_proxy = admit(&admission, "192.0.2.1", 30);
        let of_others = admit(&admission, "198.51.100.1", 30);
        assert_eq!((of_proxy.len(), of_others.len()), (15, 5));
        assert!(admit(&admission, "198.51.100.2", 1).is_empty());
    }
}
