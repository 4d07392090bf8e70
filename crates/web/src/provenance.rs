//! The origin of a request without a token. If an address is in `auth.allowed_subnets`, every page in a browser on
//! that machine has its rights, wherever the page comes from. So for such a request three headers are checked that a
//! page can't forge:
//!
//! - `Host` must be an IP address, `localhost`, or listed in `http.hosts`. With DNS rebinding, a foreign name that
//!   resolves to this server makes a page same-origin for the browser, but such a name is none of these.
//! - `Sec-Fetch-Site` (W3C Fetch Metadata), if present, must be `same-origin` or `none`.
//! - `Origin` (RFC 6454), if present, must be the origin that `Host` names.
//!
//! Programs send neither `Sec-Fetch-Site` nor `Origin`. A request with a token is not checked: no page has the token.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};
use std::net::{Ipv4Addr, Ipv6Addr};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The URL schemes by which clients can reach the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// By `http` only.
    Http,
    /// By `https` only.
    Https,
    /// Through a proxy, which may use TLS towards the clients.
    Either,
}

impl Schemes {
    fn allow(self, scheme: Scheme) -> bool {
        match self {
            Self::Http => scheme == Scheme::Http,
            Self::Https => scheme == Scheme::Https,
            Self::Either => true,
        }
    }
}

/// Why a page of another site may have made a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FromElsewhere {
    /// The request has a `Host` that may be the name of another site.
    #[error("its Host is neither an IP address, nor localhost, nor listed in http.hosts")]
    Host,
    /// The browser says that the page is of another site.
    #[error("it was made by a page of another site (Sec-Fetch-Site)")]
    Site,
    /// The page is of another origin.
    #[error("it was made by a page of another origin (Origin)")]
    Origin,
}

/// Refuses a request that a page of another site may have made.
///
/// # Errors
/// [`FromElsewhere`].
pub fn check(request: &HttpRequest, schemes: Schemes, hosts: &[HostName]) -> Result<(), FromElsewhere> {
    let authority = authority_of(request).ok_or(FromElsewhere::Host)?;
    if !authority.host.is_ours(hosts) {
        return Err(FromElsewhere::Host);
    }
    if !all(request.headers(), SEC_FETCH_SITE, |site| matches!(site, b"same-origin" | b"none")) {
        return Err(FromElsewhere::Site);
    }
    let is_ours =
        |origin: &[u8]| Origin::parse(origin).is_some_and(|origin| origin.is_of(&authority, schemes));
    if !all(request.headers(), header::ORIGIN, is_ours) {
        return Err(FromElsewhere::Origin);
    }
    Ok(())
}

fn all(headers: &HeaderMap, name: HeaderName, fits: impl Fn(&[u8]) -> bool) -> bool {
    headers.get_all(name).map(HeaderValue::as_bytes).all(fits)
}

/// The authority that a request is for. One in the request line takes precedence over the header (RFC 9112 section
/// 3.2.2).
fn authority_of(request: &HttpRequest) -> Option<Authority> {
    if let Some(authority) = request.uri().authority() {
        return Authority::parse(authority.as_str());
    }
    let mut hosts = request.headers().get_all(header::HOST);
    let host = hosts.next().filter(|_| hosts.next().is_none())?;
    Authority::parse(host.to_str().ok()?)
}

/// A DNS host name, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Parses a name of letters, digits, hyphens and dots (RFC 1123 section 2.1), as browsers send it: names in other
    /// scripts are A-labels (`xn--…`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let is_name = text.len() <= 253 && text.split('.').all(is_label);
        is_name.then(|| Self(text.to_ascii_lowercase()))
    }
}

/// The host of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    Name(HostName),
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some(bracketed) = text.strip_prefix('[') {
            return bracketed.strip_suffix(']')?.parse().ok().map(Self::V6);
        }
        text.parse().map(Self::V4).ok().or_else(|| HostName::parse(text).map(Self::Name))
    }

    fn is_ours(&self, listed: &[HostName]) -> bool {
        match self {
            Self::V4(_) | Self::V6(_) => true,
            Self::Name(name) => name.0 == "localhost" || listed.contains(name),
        }
    }
}

/// A host, and a port if one is given.
#[derive(Debug, PartialEq, Eq)]
struct Authority {
    host: Host,
    port: Option<u16>,
}

impl Authority {
    fn parse(text: &str) -> Option<Self> {
        // The last colon, unless it is part of an IPv6 address.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let is_number = |port: &&str| port.bytes().all(|b| b.is_ascii_digit());
        // An empty port means the default port of the scheme (RFC 3986 section 3.2.3).
        let port = match port {
            None | Some("") => None,
            Some(port) => Some(Some(port).filter(is_number)?.parse().ok()?),
        };
        Some(Self { host: Host::parse(host)?, port })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The origin of a page. `null` and origins of other schemes are never accepted, so they are not parsed.
struct Origin {
    scheme: Scheme,
    authority: Authority,
}

impl Origin {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (scheme, authority) = text.split_once("://")?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        Some(Self { scheme, authority: Authority::parse(authority)? })
    }

    fn is_of(&self, authority: &Authority, schemes: Schemes) -> bool {
        let port = |authority: &Authority| authority.port.unwrap_or(self.scheme.port());
        schemes.allow(self.scheme)
            && self.authority.host == authority.host
            && port(&self.authority) == port(authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn is_let_through(schemes: Schemes, headers: &[(&str, &str)]) -> bool {
        let request = headers.iter().fold(TestRequest::default(), |r, header| r.append_header(*header));
        let hosts = [HostName::parse("pbm.example").unwrap()];
        check(&request.to_http_request(), schemes, &hosts).is_ok()
    }

    #[test]
    fn a_host_is_an_address_or_known() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[2001:db8::1]:8080",
            "localhost",
            "LocalHost:8080",
            "pbm.example",
            "PBM.example:443",
            "pbm.example:",
        ] {
            assert!(is_let_through(Schemes::Http, &[("host", host)]), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "pbm.example.evil.example",
            "pbm.example.",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "::1",
            "[::1",
            "[127.0.0.1]",
            "[::1%25eth0]",
            "127.0.0.1:80:80",
            "127.0.0.1:+80",
            "127.0.0.1:65536",
            "user@127.0.0.1",
            "127.1",
            "2130706433",
            "pbm.example/",
        ] {
            assert!(!is_let_through(Schemes::Http, &[("host", host)]), "{host}");
        }
        assert!(!is_let_through(Schemes::Http, &[]));
        assert!(!is_let_through(Schemes::Http, &[("host", "127.0.0.1"), ("host", "127.0.0.1")]));
    }

    #[test]
    fn a_host_in_the_request_line_counts_before_the_header() {
        let request =
            TestRequest::with_uri("http://evil.example/v2/users/t").append_header(("host", "127.0.0.1"));
        assert!(check(&request.to_http_request(), Schemes::Http, &[]).is_err());
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let site = |site| is_let_through(Schemes::Http, &[("host", "127.0.0.1"), ("sec-fetch-site", site)]);
        assert!(site("same-origin") && site("none"));
        assert!(!["cross-site", "same-site", "", "Same-Origin", "x"].into_iter().any(site));
        let two = [("host", "127.0.0.1"), ("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")];
        assert!(!is_let_through(Schemes::Http, &two));
    }

    #[test]
    fn an_origin_must_be_that_of_the_host() {
        use Schemes::{Either, Http, Https};
        let origin = |schemes, host, origin| is_let_through(schemes, &[("host", host), ("origin", origin)]);
        for (schemes, host, ours) in [
            (Http, "127.0.0.1:8080", "http://127.0.0.1:8080"),
            (Http, "127.0.0.1", "http://127.0.0.1"),
            (Http, "127.0.0.1:80", "http://127.0.0.1"),
            (Http, "[::1]:8080", "http://[::1]:8080"),
            (Http, "[0:0::1]:8080", "http://[::1]:8080"),
            (Http, "PBM.example", "http://pbm.example"),
            (Https, "pbm.example", "https://pbm.example"),
            (Https, "pbm.example:443", "https://pbm.example"),
            (Either, "pbm.example", "https://pbm.example"),
            (Either, "pbm.example", "http://pbm.example"),
        ] {
            assert!(origin(schemes, host, ours), "{host} {ours}");
        }
        for (schemes, host, other) in [
            (Http, "127.0.0.1:8080", "null"),
            (Http, "127.0.0.1:8080", ""),
            (Http, "127.0.0.1:8080", "http://127.0.0.1"),
            (Http, "127.0.0.1:8080", "http://127.0.0.1:8081"),
            (Http, "127.0.0.1:8080", "http://localhost:8080"),
            (Http, "127.0.0.1:8080", "https://127.0.0.1:8080"),
            (Http, "127.0.0.1:8080", "http://evil.example"),
            (Http, "127.0.0.1:8080", "http://127.0.0.1:8080/"),
            (Http, "127.0.0.1:8080", "http://127.0.0.1:8080, http://evil.example"),
            (Http, "127.0.0.1:8080", "http://127.0.0.1:8080 http://evil.example"),
            (Http, "127.0.0.1:8080", "HTTP://127.0.0.1:8080"),
            (Https, "pbm.example", "http://pbm.example"),
            (Http, "pbm.example", "https://pbm.example"),
            (Either, "pbm.example", "https://pbm.example:8443"),
            (Either, "pbm.example", "chrome-extension://pbm.example"),
        ] {
            assert!(!origin(schemes, host, other), "{host} {other}");
        }
    }
}
