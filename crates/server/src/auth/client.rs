//! The address of a client: the socket's, unless the socket is a trusted proxy's; then the last address in
//! `X-Forwarded-For` that is no trusted proxy's. What stands further left anybody can have written.

use ipnet::IpNet;
use std::net::IpAddr;

/// The address that a request came from.
#[must_use]
pub fn address(peer: IpAddr, forwarded_for: Option<&str>, trusted_proxies: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    for hop in forwarded_for.unwrap_or_default().rsplit(',') {
        if !is_in(address, trusted_proxies) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(hop) => address = hop.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

/// Whether an address lies in one of some subnets.
#[must_use]
pub fn is_in(address: IpAddr, subnets: &[IpNet]) -> bool {
    subnets.iter().any(|subnet| subnet.contains(&address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_header_from_anybody_counts_for_nothing() {
        assert_eq!(address(ip("192.0.2.1"), Some("127.0.0.1"), &[]), ip("192.0.2.1"));
    }

    #[test]
    fn behind_trusted_proxies_the_last_foreign_address_counts() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let header = "127.0.0.1, 203.0.113.7, 10.0.0.2";
        assert_eq!(address(ip("10.0.0.1"), Some(header), &trusted), ip("203.0.113.7"));
        assert_eq!(address(ip("::ffff:10.0.0.1"), Some(header), &trusted), ip("203.0.113.7"));
        assert_eq!(address(ip("10.0.0.1"), Some("garbage"), &trusted), ip("10.0.0.1"));
        assert_eq!(address(ip("10.0.0.1"), None, &trusted), ip("10.0.0.1"));
    }
}
