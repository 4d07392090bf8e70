//! The section `sync`: sources from outside (guide, section 3.16 and the keys `services/ad`, `services/bitrix24`).

use super::{boolean, source::Source};
use administration::sync::SyncSettings;
use mail_model::{tenant::TenantId, user::field::UserField};
use secrecy::SecretString;
use sources::{
    Reader,
    bitrix24::{Bitrix24Settings, Patience},
    ldap::{Encryption, LdapSourceSettings},
    mapping::{self, Mapping},
};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use url::Url;

/// The guide's default for people.
const USERS_FILTER: &str = "(&(objectClass=person)(mail=*))";
/// The guide's filters for groups of Active Directory and of other directories, as one.
const GROUPS_FILTER: &str = "(&(|(objectClass=group)(objectClass=groupOfNames))(mail=*))";

/// Sources, and when they are read.
#[derive(Clone, Debug)]
pub struct SyncConfig {
    /// The sources, and the limits of runs.
    pub settings: SyncSettings,
    /// How often the tenants of `sync.tenants` are synchronized; `None` if only on request.
    pub every: Option<Duration>,
}

/// The keys of the fields of a card in a section of mappings.
macro_rules! field_keys {
    ($section:literal) => {
        [
            (UserField::FirstName, concat!($section, ".cn")),
            (UserField::LastName, concat!($section, ".sn")),
            (UserField::DisplayName, concat!($section, ".displayName")),
            (UserField::MiddleName, concat!($section, ".initials")),
            (UserField::Department, concat!($section, ".ou")),
            (UserField::Title, concat!($section, ".title")),
            (UserField::Description, concat!($section, ".description")),
            (UserField::HomePhone, concat!($section, ".homePhone")),
            (UserField::WorkPhone, concat!($section, ".telephoneNumber")),
            (UserField::MobilePhone, concat!($section, ".mobile")),
            (UserField::City, concat!($section, ".l")),
        ]
    };
}

pub(super) fn sync(source: &mut Source) -> SyncConfig {
    let tenants =
        source.list("sync.tenants", |text| TenantId::parse(text).map_err(|error| error.to_string()));
    let tenants = tenants.unwrap_or_default();
    let removal_limit = source.number("sync.removal_limit", 10, &(0..=100));
    let every = source.seconds("sync.every", Duration::ZERO);
    let every = Some(every).filter(|every| !every.is_zero());
    if every.is_some() && tenants.is_empty() {
        source.mistake("sync.every", "needs sync.tenants: the tenants that are synchronized");
    }
    let directory = directory(source);
    if let Some(Err(error)) = directory.as_ref().map(LdapSourceSettings::check) {
        source.mistake("sync.ad", error.to_string());
    }
    let directory = directory.map(Reader::Ldap);
    let bitrix24 = bitrix24(source).map(Reader::Bitrix24);
    SyncConfig { settings: SyncSettings { directory, bitrix24, tenants, removal_limit }, every }
}

fn directory(source: &mut Source) -> Option<LdapSourceSettings> {
    let enabled = source.parsed("sync.ad.enabled", boolean);
    let host = source.text("sync.ad.host").filter(|host| !host.trim().is_empty());
    let is_tls = source.flag("sync.ad.ssl", false);
    let starts_tls = source.flag("sync.ad.start_tls", false);
    let port = source.number("sync.ad.port", if is_tls { 636 } else { 389 }, &(1..=u16::MAX));
    let ca_file = source.text("sync.ad.ca_file").map(PathBuf::from);
    let login = source.text("sync.ad.login");
    let password = source.secret("sync.ad.password", "sync.ad.password_file");
    let base_dn = source.text("sync.ad.base_dn");
    let groups_dn = source.text("sync.ad.groups_dn").filter(|dn| !dn.trim().is_empty());
    let users_filter = source.text("sync.ad.users_filter").filter(|text| !text.trim().is_empty());
    let groups_filter = source.text("sync.ad.groups_filter").filter(|text| !text.trim().is_empty());
    source.default_is("sync.ad.users_filter", USERS_FILTER);
    source.default_is("sync.ad.groups_filter", GROUPS_FILTER);
    let mapping = mapping(source, mapping::LDAP, field_keys!("sync.ad.fields"));
    let timeout = source.duration("sync.ad.timeout", 30_000);
    if is_tls && starts_tls {
        source.mistake("sync.ad.start_tls", "is set together with sync.ad.ssl; set only one of them");
    }
    if !is_enabled(source, enabled, host.is_some(), "sync.ad.host") {
        return None;
    }
    let login = source.required("sync.ad.login", login);
    let password = source.required("sync.ad.password", password);
    let base_dn = source.required("sync.ad.base_dn", base_dn);
    let encryption = match (is_tls, starts_tls) {
        (true, _) => Encryption::Tls,
        (false, true) => Encryption::StartTls,
        (false, false) => Encryption::None,
    };
    Some(LdapSourceSettings {
        host: host?,
        port,
        encryption,
        ca_file,
        login: login?,
        password: password?,
        base_dn: base_dn?,
        groups_dn,
        users_filter: users_filter.unwrap_or_else(|| USERS_FILTER.to_owned()),
        groups_filter: groups_filter.unwrap_or_else(|| GROUPS_FILTER.to_owned()),
        mapping,
        timeout,
    })
}

fn bitrix24(source: &mut Source) -> Option<Bitrix24Settings> {
    let enabled = source.parsed("sync.bitrix24.enabled", boolean);
    let url = source.parsed("sync.bitrix24.url", portal);
    let admin_userid = source.text("sync.bitrix24.admin_userid");
    let webhook: Option<SecretString> = source.secret("sync.bitrix24.webhook", "sync.bitrix24.webhook_file");
    let ca_file = source.text("sync.bitrix24.ca_file").map(PathBuf::from);
    let surname_field = source.text("sync.bitrix24.surname_field").filter(|name| !name.trim().is_empty());
    let mapping = mapping(source, mapping::BITRIX24, field_keys!("sync.bitrix24.fields"));
    let photos = source.flag("sync.bitrix24.photos", false);
    let timeout = source.duration("sync.bitrix24.timeout", 60_000);
    if !is_enabled(source, enabled, url.is_some(), "sync.bitrix24.url") {
        return None;
    }
    let admin_userid = source.required("sync.bitrix24.admin_userid", admin_userid);
    let webhook = source.required("sync.bitrix24.webhook", webhook);
    Some(Bitrix24Settings {
        url: url?,
        admin_userid: admin_userid?,
        webhook: webhook?,
        ca_file,
        mapping,
        surname_field,
        photos,
        timeout,
        patience: Patience::default(),
    })
}

/// Whether a source is to be used: if its place is given, unless it is switched off.
fn is_enabled(source: &mut Source, enabled: Option<bool>, has_place: bool, key: &'static str) -> bool {
    if enabled == Some(true) && !has_place {
        source.required(key, None::<()>);
    }
    enabled.unwrap_or(true) && has_place
}

fn mapping<const N: usize>(
    source: &mut Source,
    defaults: &[(UserField, &str)],
    keys: [(UserField, &'static str); N],
) -> Mapping {
    let replaced: BTreeMap<_, _> =
        keys.into_iter().filter_map(|(field, key)| Some((field, source.text(key)?))).collect();
    for (field, key) in keys {
        let name = defaults.iter().find(|(of, _)| *of == field).map_or("", |(_, name)| name);
        source.default_is(key, name);
    }
    Mapping::new(defaults, &replaced)
}

/// The URL of a portal. The code of the webhook is a secret, so only a local portal may be without encryption.
fn portal(text: &str) -> Result<Url, String> {
    let wrong = || "must be the URL of a portal, such as https://example.bitrix24.ru".to_owned();
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let has_no_login = url.username().is_empty() && url.password().is_none();
    match url.scheme() {
        "https" if has_no_login && url.host_str().is_some() => Ok(url),
        "http" if has_no_login && is_local => Ok(url),
        "http" => Err("must begin with https://, since the webhook is a secret".to_owned()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (SyncConfig, Vec<String>) {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut source = Source::read(None, pairs);
        let config = sync(&mut source);
        (config, source.into_mistakes().iter().map(ToString::to_string).collect())
    }

    const AD: &[(&str, &str)] = &[
        ("PBM_SYNC__AD__HOST", "dc1.example.com"),
        ("PBM_SYNC__AD__LOGIN", "reader@example.com"),
        ("PBM_SYNC__AD__PASSWORD", "x"),
        ("PBM_SYNC__AD__BASE_DN", "OU=Staff,DC=example,DC=com"),
    ];

    #[test]
    fn a_source_is_used_if_its_place_is_given() {
        let (config, mistakes) = read(AD);
        assert_eq!(mistakes, [""; 0]);
        assert!(config.settings.directory.is_some() && config.settings.bitrix24.is_none());
        let (config, _) = read(&[AD, &[("PBM_SYNC__AD__ENABLED", "false")]].concat());
        assert!(config.settings.directory.is_none());
    }

    #[test]
    fn what_a_source_lacks_is_told() {
        let (_, mistakes) = read(&[("PBM_SYNC__AD__ENABLED", "true"), ("PBM_SYNC__EVERY", "1h")]);
        assert_eq!(
            mistakes,
            ["sync.every: needs sync.tenants: the tenants that are synchronized", "sync.ad.host: is missing"]
        );
        let (_, mistakes) = read(&AD[..1]);
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        let (_, mistakes) = read(&[("PBM_SYNC__BITRIX24__URL", "http://example.bitrix24.ru")]);
        assert!(mistakes[0].contains("must begin with https://"), "{mistakes:?}");
    }
}
