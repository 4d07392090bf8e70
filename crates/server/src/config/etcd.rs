//! The section `[etcd]`: where further settings come from. It is the only section that cannot come from etcd.

use super::source::Source;
use crate::etcd::settings::{ClientCertificate, Endpoint, EtcdSettings, Login};
use std::{path::PathBuf, time::Duration};
use visible_text::chain;

/// The shortest and the longest timeout of an answer. While etcd elects a leader, an answer takes a second or two.
const TIMEOUTS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(60)];

/// `None` if etcd is not used.
pub(super) fn etcd(source: &mut Source) -> Option<EtcdSettings> {
    let endpoints = endpoints(source);
    let ca_file = file(source, "etcd.ca_file");
    let certificate = file(source, "etcd.client_certificate");
    let key = file(source, "etcd.client_key");
    if certificate.is_some() != key.is_some() {
        let missing = if key.is_some() { "etcd.client_certificate" } else { "etcd.client_key" };
        source.mistake(missing, "is missing: etcd.client_certificate and etcd.client_key belong together");
    }
    let name = source.text("etcd.username").filter(|name| !name.is_empty());
    let password = source.secret("etcd.password", "etcd.password_file");
    if name.is_some() {
        let reason = "needs a password: set etcd.password_file";
        source.needs("etcd.username", "etcd.password", password.is_some(), reason);
    }
    if password.is_some() {
        source.needs("etcd.password", "etcd.username", name.is_some(), "needs a name: set etcd.username");
    }
    let timeout = source.duration("etcd.timeout", 3_000);
    if !(TIMEOUTS[0]..=TIMEOUTS[1]).contains(&timeout) {
        source.mistake("etcd.timeout", "must be from 100ms to 1m");
    }
    let start_timeout = source.duration("etcd.start_timeout", 30_000);
    let client = certificate.zip(key).map(|(certificate, key)| ClientCertificate { certificate, key });
    let login = name.zip(password).map(|(name, password)| Login { name, password });
    let is_tls = endpoints.iter().any(Endpoint::is_tls);
    let settings = EtcdSettings { endpoints, ca_file, client, login, timeout, start_timeout };
    if settings.endpoints.is_empty() {
        return None;
    }
    if !is_tls && (settings.ca_file.is_some() || settings.client.is_some()) {
        source.mistake("etcd.endpoints", "must begin with https://, since certificates are configured");
    }
    if let Err(error) = settings.tls() {
        source.mistake(error.setting(), chain(&error));
    }
    Some(settings)
}

/// No message repeats an endpoint, which may hold a password by mistake.
fn endpoints(source: &mut Source) -> Vec<Endpoint> {
    let texts = source.list("etcd.endpoints", |text| Ok(text.to_owned())).unwrap_or_default();
    let parsed: Result<_, String> = texts.iter().map(|text| Endpoint::parse(text)).collect();
    parsed.unwrap_or_else(|reason| {
        source.mistake("etcd.endpoints", reason);
        Vec::new()
    })
}

fn file(source: &mut Source, key: &'static str) -> Option<PathBuf> {
    source.text(key).filter(|file| !file.is_empty()).map(PathBuf::from)
}
