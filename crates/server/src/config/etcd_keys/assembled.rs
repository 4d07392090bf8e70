//! Settings that several keys give together: the URL of the directory, and where Redis is.

use super::{
    Found, Keys, Reading,
    forms::{flag, list, plain, port},
};
use crate::config::source::value::Raw;

/// The usual ports of LDAP, the second one with TLS.
const LDAP_PORT: u16 = 389;
const LDAPS_PORT: u16 = 636;

/// `ldap.urls` from a host and a port. The directory of users comes first; pbm has no other one for the address book.
pub(super) fn directory(keys: &mut Keys<'_>, reading: &mut Reading) {
    for section in ["psn/ldap", "psn/cab"] {
        let Some(host) = keys.take(&format!("{section}/host")) else { continue };
        let port = keys.take(&format!("{section}/port"));
        let urls = directory_urls(&host, port.as_ref());
        let found: Vec<_> = std::iter::once(host).chain(port).collect();
        reading.add("ldap.urls", &found, urls.map(Raw::Many));
    }
}

/// The port 636 means `ldaps://`, since the guide has no key for it.
fn directory_urls(host: &Found, port_found: Option<&Found>) -> Result<Vec<String>, String> {
    let port = port_found.map(|found| found.read(port)).transpose()?.unwrap_or(LDAP_PORT);
    let scheme = if port == LDAPS_PORT { "ldaps" } else { "ldap" };
    let url = |host: String| {
        if host.contains("://") { host } else { format!("{scheme}://{}:{port}", bracketed(&host)) }
    };
    host.read(|text| Ok(list(text)?.into_iter().map(url).collect()))
}

/// `redis.url`, or `redis.sentinels`.
pub(super) fn redis(keys: &mut Keys<'_>, reading: &mut Reading) {
    let section = "services/redis";
    let Some(host) = keys.take(&format!("{section}/host")) else { return };
    let port = keys.take(&format!("{section}/port"));
    let sentinel = keys.take(&format!("{section}/sentinel_enabled"));
    let has_sentinels = sentinel.as_ref().map_or(Ok(false), |found| found.read(flag));
    let read = |usual| port.as_ref().map_or(Ok(usual), |found| found.read(super::forms::port));
    let (setting, raw) = match has_sentinels {
        Err(reason) => ("redis.url", Err(reason)),
        Ok(true) => ("redis.sentinels", read(26379).and_then(|port| sentinels(&host, port))),
        Ok(false) => ("redis.url", read(6379).and_then(|port| url_of_redis(&host, port))),
    };
    let found: Vec<_> = std::iter::once(host).chain(port).chain(sentinel).collect();
    reading.add(setting, &found, raw);
}

fn sentinels(host: &Found, port: u16) -> Result<Raw, String> {
    let with_port = |host: String| {
        let has_port = host.rsplit_once(':').is_some_and(|(before, _)| !before.contains(':'));
        if has_port || host.contains("]:") { host } else { format!("{}:{port}", bracketed(&host)) }
    };
    host.read(|text| Ok(Raw::Many(list(text)?.into_iter().map(with_port).collect())))
}

fn url_of_redis(host: &Found, port: u16) -> Result<Raw, String> {
    let url = |host: String| {
        if host.contains("://") { host } else { format!("redis://{}:{port}", bracketed(&host)) }
    };
    host.read(|text| Ok(Raw::One(url(plain(text)))))
}

/// An IPv6 address needs brackets in front of a port.
fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}
