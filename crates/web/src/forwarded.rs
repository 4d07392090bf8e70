//! The header `Forwarded` (RFC 7239): the addresses in its parameters `for`. The client can write the beginning of a
//! line, so a line that violates the grammar yields no address.

use crate::client::{BLANK, address_of};
use std::{borrow::Cow, net::IpAddr};

/// The addresses in the parameters `for` of a line; `None` if the line violates the grammar.
pub(crate) fn hops(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let mut rest = line;
    let mut hops = Vec::new();
    loop {
        let (hop, after) = element(rest)?;
        hops.push(hop);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(hops),
        }
    }
}

/// Reads an element: `name=value` pairs separated by `;`. Returns the address of the element, and the rest of the line
/// from the comma on.
fn element(text: &str) -> Option<(Option<IpAddr>, &str)> {
    let mut rest = text;
    let mut named = None;
    loop {
        let (name, after) = token(rest.trim_start_matches(BLANK))?;
        let (value, after) = value(after.strip_prefix('=')?)?;
        if name.eq_ignore_ascii_case("for") && named.replace(node(&value)).is_some() {
            return None;
        }
        let after = after.trim_start_matches(BLANK);
        match after.strip_prefix(';') {
            Some(next) => rest = next,
            None => return Some((named.flatten(), after)),
        }
    }
}

fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted),
        None => token(text).map(|(token, rest)| (token.into(), rest)),
    }
}

/// Reads a token (RFC 9110 section 5.6.2).
fn token(text: &str) -> Option<(&str, &str)> {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_of_token(c)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// Reads a quoted string (RFC 9110 section 5.6.4) after its opening quotation mark.
fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value.into(), characters.as_str())),
            '\\' => value.push(characters.next()?),
            c => value.push(c),
        }
    }
}

/// The address of a node (RFC 7239 section 6). An IPv6 address is in brackets; a port may be obfuscated.
fn node(value: &str) -> Option<IpAddr> {
    let end =
        if value.starts_with('[') { value.find(']')? + 1 } else { value.find(':').unwrap_or(value.len()) };
    let (name, port) = value.split_at_checked(end)?;
    let is_port = |port: &str| {
        let digits = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
        let obfuscated = port.strip_prefix('_').is_some_and(|rest| !rest.is_empty());
        !port.is_empty() && (digits || obfuscated)
    };
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
        return None;
    }
    address_of(name)
}

#[cfg(test)]
mod tests {
    use crate::client::{Client, ForwardedHeader, Proxies};

    fn known(text: &str) -> Client {
        Client::Known(text.parse().unwrap())
    }

    fn through(lines: &[&str]) -> Client {
        let proxies =
            Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap()], header: ForwardedHeader::Forwarded };
        proxies.client_of("10.0.0.1".parse().unwrap(), lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn the_standard_header_is_read_by_its_grammar() {
        for (line, address) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("For=\"192.0.2.43:47011\"", "192.0.2.43"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
            ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
            ("host=\"a,;\\\"b\" ; FOR=192.0.2.43 , for=10.0.0.2", "192.0.2.43"),
            ("for=\"192.0.2.43:_x\"", "192.0.2.43"),
            ("for=192.0.2.7;x=\"\\\\\", for=203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(through(&[line]), known(address), "{line}");
        }
        assert_eq!(through(&["for=192.0.2.7", "for=203.0.113.9, for=10.0.0.2"]), known("203.0.113.9"));
    }

    #[test]
    fn what_is_none_of_the_standard_header_tells_no_client() {
        for line in [
            "",
            "for=unknown",
            "for=_hidden",
            "proto=http",
            "192.0.2.7",
            "for=192.0.2.7,",
            "for=192.0.2.7;",
            "for=192.0.2.7;for=192.0.2.8",
            "for = 192.0.2.7",
            "for=\"192.0.2.7",
            "for=\"192.0.2.7\\",
            "for=\"192.0.2.7\"x",
            "for=2001:db8::1",
            "for=\"2001:db8::1\"",
            "for=\"[2001:db8::1]x\"",
            "for=\"192.0.2.7:\"",
            "for=\"192.0.2.7:123456\"",
            "for=\"192.0.2.7:1x\"",
            // A quotation mark that the client left open hides the element that the proxy added.
            "for=192.0.2.7;x=\", for=203.0.113.9",
            "for=192.0.2.7;x=\", for=\"[2001:db8::9]\"",
            "for=192.0.2.7;x=\", for=203.0.113.9;host=\"a\"",
            "for=192.0.2.7;x=\"\\, for=203.0.113.9;host=\"\"",
        ] {
            assert_eq!(through(&[line]), Client::Unknown, "{line}");
        }
    }
}
