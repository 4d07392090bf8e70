//! The section `[auth]`: tokens, trusted subnets, the limit on failed log-ins.

use super::{
    source::{Mistake, Source},
    subnet,
};
use administration::{attempts::Limits, tokens::MIN_KEY};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Log-in and tokens.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// The key that signs tokens; the same in every replica.
    pub token_key: SecretString,
    /// The lifetime of access tokens in seconds.
    pub access_token_seconds: u32,
    /// The lifetime of refresh tokens in seconds.
    pub refresh_token_seconds: u32,
    /// Subnets whose clients need no token.
    pub allowed_subnets: Vec<IpNet>,
    /// The limits on failed log-ins.
    pub failed_logins: Limits,
}

/// `None` if a required setting is missing; the source then holds the mistake.
pub(super) fn auth(source: &mut Source, proxies: &[IpNet]) -> Option<AuthConfig> {
    let token_key = source.secret("auth.token_key", "auth.token_key_file");
    if token_key.as_ref().is_some_and(|key| key.expose_secret().len() < MIN_KEY) {
        source.mistake(
            "auth.token_key",
            format!("is too short: at least {MIN_KEY} characters, e.g. from: openssl rand -hex 32"),
        );
    }
    let access_token_seconds = source.number("auth.access_token_seconds", 3600, &(1..=31_536_000));
    let refresh_token_seconds = source.number("auth.refresh_token_seconds", 360_000, &(1..=31_536_000));
    let allowed_subnets = source.list("auth.allowed_subnets", subnet).unwrap_or_default();
    for Mistake { place, reason } in overlaps(&allowed_subnets, proxies) {
        source.mistake(&place, reason);
    }
    let failed_logins = Limits {
        per_login: source.number("auth.failed_logins_per_login", 5, &(1..=1_000_000)),
        per_address: source.number("auth.failed_logins_per_address", 50, &(1..=1_000_000)),
        window: source.seconds("auth.failed_logins_window", Duration::from_secs(300)),
    };
    let token_key = source.required("auth.token_key", token_key)?;
    Some(AuthConfig {
        token_key,
        access_token_seconds,
        refresh_token_seconds,
        allowed_subnets,
        failed_logins,
    })
}

/// The mistakes in a list of subnets that proxies are in.
pub(crate) fn overlaps(subnets: &[IpNet], proxies: &[IpNet]) -> impl Iterator<Item = Mistake> {
    let pairs = subnets.iter().flat_map(move |subnet| proxies.iter().map(move |proxy| (subnet, proxy)));
    let pairs = pairs.filter(|(subnet, proxy)| subnet.contains(*proxy) || proxy.contains(*subnet));
    pairs.map(|(subnet, proxy)| Mistake {
        place: "auth.allowed_subnets".to_owned(),
        reason: format!(
            "{subnet} overlaps {proxy} of http.trusted_proxies: a proxy speaks for its clients, so its address must not grant access"
        ),
    })
}
