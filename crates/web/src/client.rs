//! The address of a client: that of the socket, unless the socket belongs to a trusted proxy; then the last address in
//! the proxies' header that does not belong to a trusted proxy. Anybody can have written the addresses further left.
//!
//! Reads `X-Forwarded-For` as proxies write it (`192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`,
//! `[2001:db8::1]:4711`), or the parameter `for` of `Forwarded` (RFC 7239 section 5.2): one of the two headers, as
//! configured. Anything else in the place of an address makes the client unknown: obfuscated identifiers, `unknown`,
//! an empty element, and a request that a trusted proxy made on its own.

use crate::forwarded;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The origin of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// A request from this address.
    Known(IpAddr),
    /// A request through a trusted proxy that does not name the client.
    Unknown,
}

impl Client {
    /// The client's address, if it is known.
    #[must_use]
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Known(address) => Some(address),
            Self::Unknown => None,
        }
    }

    /// Whether the client is known and in one of some subnets.
    #[must_use]
    pub fn is_in(self, subnets: &[IpNet]) -> bool {
        match self {
            Self::Known(address) => is_in(address, subnets),
            Self::Unknown => false,
        }
    }
}

/// The header in which proxies name the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

impl ForwardedHeader {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// The addresses in a line of the header, in order; `None` in the place of one that cannot be read.
    fn hops(self, line: &[u8]) -> Vec<Option<IpAddr>> {
        let Ok(line) = std::str::from_utf8(line) else { return vec![None] };
        match self {
            Self::XForwardedFor => line.split(',').map(|hop| address_of(hop.trim_matches(BLANK))).collect(),
            Self::Forwarded => forwarded::hops(line).unwrap_or_else(|| vec![None]),
        }
    }
}

/// The whitespace that is allowed around a list element (RFC 9110 section 5.6.3).
pub(crate) const BLANK: [char; 2] = [' ', '\t'];

/// The trusted proxies, and the header that they write.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Their subnets.
    pub trusted: Vec<IpNet>,
    /// The header that they write.
    pub header: ForwardedHeader,
}

impl Proxies {
    /// Whether an address belongs to a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        is_in(address.to_canonical(), &self.trusted)
    }

    /// The client of a request whose socket has the address `peer`. `lines` are the values of the header, in the order
    /// in which they were received: together they form one list (RFC 9110 section 5.3).
    #[must_use]
    pub fn client_of<'a>(
        &self,
        peer: IpAddr,
        lines: impl IntoIterator<Item = &'a [u8], IntoIter: DoubleEndedIterator>,
    ) -> Client {
        if !self.trusts(peer) {
            return Client::Known(peer.to_canonical());
        }
        for line in lines.into_iter().rev() {
            for hop in self.header.hops(line).into_iter().rev() {
                match hop {
                    None => return Client::Unknown,
                    Some(hop) if !is_in(hop, &self.trusted) => return Client::Known(hop),
                    Some(_) => {}
                }
            }
        }
        Client::Unknown
    }
}

fn is_in(address: IpAddr, subnets: &[IpNet]) -> bool {
    subnets.iter().any(|subnet| subnet.contains(&address))
}

/// An address, with or without a port.
pub(crate) fn address_of(text: &str) -> Option<IpAddr> {
    // A zone identifier has no meaning on another machine.
    if text.contains('%') {
        return None;
    }
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::from);
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let address = text.parse().ok().or_else(bracketed).or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn known(text: &str) -> Client {
        Client::Known(ip(text))
    }

    fn proxies(header: ForwardedHeader) -> Proxies {
        Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:f::/48".parse().unwrap()], header }
    }

    fn through(header: ForwardedHeader, lines: &[&str]) -> Client {
        proxies(header).client_of(ip("10.0.0.1"), lines.iter().map(|line| line.as_bytes()))
    }

    fn forwarded_for(lines: &[&str]) -> Client {
        through(ForwardedHeader::XForwardedFor, lines)
    }

    #[test]
    fn a_header_from_anybody_counts_for_nothing() {
        let lines = [&b"10.0.0.1"[..]];
        assert_eq!(
            proxies(ForwardedHeader::XForwardedFor).client_of(ip("192.0.2.1"), lines),
            known("192.0.2.1")
        );
        assert_eq!(Proxies::default().client_of(ip("::ffff:192.0.2.1"), []), known("192.0.2.1"));
    }

    #[test]
    fn behind_trusted_proxies_the_last_foreign_address_counts() {
        let line = "127.0.0.1, 203.0.113.7, 10.0.0.2";
        assert_eq!(forwarded_for(&[line]), known("203.0.113.7"));
        let mapped =
            proxies(ForwardedHeader::XForwardedFor).client_of(ip("::ffff:10.0.0.1"), [line.as_bytes()]);
        assert_eq!(mapped, known("203.0.113.7"));
    }

    #[test]
    fn several_lines_are_one_list() {
        assert_eq!(forwarded_for(&["192.0.2.7", "203.0.113.7"]), known("203.0.113.7"));
        assert_eq!(forwarded_for(&["192.0.2.7", "203.0.113.7", "10.0.0.2"]), known("203.0.113.7"));
        assert_eq!(forwarded_for(&["192.0.2.7, 203.0.113.7", "10.0.0.3, 10.0.0.2"]), known("203.0.113.7"));
    }

    #[test]
    fn an_address_may_have_a_port_and_brackets() {
        for (hop, address) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\t2001:db8::1 ", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:1", "192.0.2.1"),
        ] {
            assert_eq!(forwarded_for(&[hop]), known(address), "{hop}");
            assert_eq!(
                forwarded_for(&["192.0.2.7", &format!("{hop}, 10.0.0.2:80, [2001:db8:f::1]:80")]),
                known(address)
            );
        }
    }

    #[test]
    fn a_client_that_cannot_be_told_is_unknown() {
        for lines in [
            &[][..],
            &[""],
            &["unknown"],
            &["192.0.2.7", "_hidden"],
            &["192.0.2.7,"],
            &["192.0.2.7", ""],
            &["192.0.2.7, 192.0.2.300"],
            &["192.0.2.7, 192.0.2.1:65536"],
            &["192.0.2.7, 192.0.2.1:"],
            &["192.0.2.7, [192.0.2.1]"],
            &["192.0.2.7, 2001:db8::1]"],
            &["192.0.2.7, fe80::1%1"],
            &["192.0.2.7, [fe80::1%1]:80"],
            &["192.0.2.7, é"],
            &["192.0.2.7, 010.0.0.1"],
            // All addresses belong to proxies, as in a health check by one of them.
            &["10.0.0.3, 10.0.0.2"],
            &["for=192.0.2.7"],
        ] {
            assert_eq!(forwarded_for(lines), Client::Unknown, "{lines:?}");
        }
        let lines = [&b"192.0.2.7"[..], b"\xff"];
        assert_eq!(proxies(ForwardedHeader::XForwardedFor).client_of(ip("10.0.0.1"), lines), Client::Unknown);
        assert!(!Client::Unknown.is_in(&["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]));
    }

    proptest! {
        #[test]
        fn what_the_last_proxy_adds_decides(
            before in proptest::collection::vec(any::<u8>(), 0..60),
            header in prop_oneof![Just(ForwardedHeader::XForwardedFor), Just(ForwardedHeader::Forwarded)],
        ) {
            let added = match header {
                ForwardedHeader::XForwardedFor => "203.0.113.9",
                ForwardedHeader::Forwarded => "for=203.0.113.9",
            };
            // As a separate line, and at the end of the client's line.
            let own = proxies(header).client_of(ip("10.0.0.1"), [&before[..], added.as_bytes()]);
            prop_assert_eq!(own, known("203.0.113.9"));
            let joined = [&before[..], b", ", added.as_bytes()].concat();
            let joined = proxies(header).client_of(ip("10.0.0.1"), [&joined[..]]);
            prop_assert!([known("203.0.113.9"), Client::Unknown].contains(&joined), "{:?}", joined);
        }
    }
}
