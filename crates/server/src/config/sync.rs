//! The section `sync`: sources from outside (guide, section 3.16 and the keys `services/ad`, `services/bitrix24`).

use super::source::Source;
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
    let enabled = source.optional_flag("sync.ad.enabled");
    let host = host(source);
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
    if !is_enabled(source, enabled, host.is_some(), ["sync.ad", "sync.ad.host"]) {
        return None;
    }
    let login = source.required_by("sync.ad", "sync.ad.login", login);
    let password = source.required_by("sync.ad", "sync.ad.password", password);
    let base_dn = source.required_by("sync.ad", "sync.ad.base_dn", base_dn);
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
    let enabled = source.optional_flag("sync.bitrix24.enabled");
    let url = portal(source);
    let admin_userid = admin_userid(source);
    let webhook: Option<SecretString> = source.secret("sync.bitrix24.webhook", "sync.bitrix24.webhook_file");
    let ca_file = source.text("sync.bitrix24.ca_file").map(PathBuf::from);
    let surname_field = source.text("sync.bitrix24.surname_field").filter(|name| !name.trim().is_empty());
    let mapping = mapping(source, mapping::BITRIX24, field_keys!("sync.bitrix24.fields"));
    let photos = source.flag("sync.bitrix24.photos", false);
    let timeout = source.duration("sync.bitrix24.timeout", 60_000);
    if !is_enabled(source, enabled, url.is_some(), ["sync.bitrix24", "sync.bitrix24.url"]) {
        return None;
    }
    let admin_userid = source.required_by("sync.bitrix24", "sync.bitrix24.admin_userid", admin_userid);
    let webhook = source.required_by("sync.bitrix24", "sync.bitrix24.webhook", webhook);
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
fn is_enabled(
    source: &mut Source,
    enabled: Option<bool>,
    has_place: bool,
    [section, place]: [&'static str; 2],
) -> bool {
    if enabled == Some(true) && !has_place {
        source.required_by(section, place, None::<()>);
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

/// The host of a directory. A URL may contain a login, so no message repeats the given value.
fn host(source: &mut Source) -> Option<String> {
    let host = source.text("sync.ad.host").filter(|host| !host.trim().is_empty())?;
    let is_alone = !host.contains(|c: char| "/@?#\\".contains(c) || c.is_control());
    if !is_alone {
        source.mistake(
            "sync.ad.host",
            "must be a name or an address alone, such as dc1.example.com; the login belongs into sync.ad.login",
        );
    }
    is_alone.then_some(host)
}

/// The URL of a portal. The URL of a webhook holds its code, which is a secret, so no message repeats the given value.
fn portal(source: &mut Source) -> Option<Url> {
    let text = source.text("sync.bitrix24.url")?;
    parse_portal(&text).map_err(|reason| source.mistake("sync.bitrix24.url", reason)).ok()
}

/// The number of the user of the webhook. It stands beside the code in the URL of the webhook, so no message repeats the
/// given value.
fn admin_userid(source: &mut Source) -> Option<String> {
    let text = source.text("sync.bitrix24.admin_userid")?;
    let is_number = !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        source.mistake(
            "sync.bitrix24.admin_userid",
            "must be the number in the URL of the webhook after /rest/, such as 17",
        );
    }
    is_number.then_some(text)
}

/// Only a portal on this machine may be without encryption, since the code of the webhook is sent to it.
fn parse_portal(text: &str) -> Result<Url, &'static str> {
    const WRONG: &str = "must be the URL of a portal, such as https://example.bitrix24.ru";
    let url = Url::parse(text.trim()).map_err(|_| WRONG)?;
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let has_login = !url.username().is_empty() || url.password().is_some();
    match url.scheme() {
        "https" | "http" if has_login || url.path() != "/" || url.query().or(url.fragment()).is_some() => {
            Err(
                "must be the portal alone, such as https://example.bitrix24.ru: put the number that the URL of the webhook \
                 has after /rest/ into sync.bitrix24.admin_userid, and the code after it into the file \
                 sync.bitrix24.webhook_file",
            )
        }
        "https" => Ok(url),
        "http" if is_local => Ok(url),
        "http" => Err("must begin with https://, since the webhook is a secret"),
        _ => Err(WRONG),
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

    #[test]
    fn a_secret_in_the_place_of_a_source_is_refused_and_not_repeated() {
        for url in [
            "https://example.bitrix24.ru/rest/17/s3cretC0de/",
            "https://example.bitrix24.ru/?s3cretC0de",
            "https://example.bitrix24.ru/#s3cretC0de",
            "https://17:s3cretC0de@example.bitrix24.ru",
            "https://s3cretC0de@example.bitrix24.ru",
            "http://example.bitrix24.ru/rest/17/s3cretC0de/",
            "example.bitrix24.ru/rest/17/s3cretC0de/",
            "https:///rest/17/s3cretC0de/ /",
            "ftp://example.bitrix24.ru/rest/17/s3cretC0de/",
        ] {
            let (config, mistakes) = read(&[("PBM_SYNC__BITRIX24__URL", url)]);
            assert!(config.settings.bitrix24.is_none(), "{url}");
            let mistakes = mistakes.join("\n");
            assert!(mistakes.starts_with("sync.bitrix24.url: must be"), "{url}: {mistakes}");
            assert!(!mistakes.contains("s3cretC0de"), "{url}: {mistakes}");
            if url.contains("//example.bitrix24.ru/rest") && url.starts_with("http") {
                assert!(mistakes.contains("admin_userid") && mistakes.contains("webhook_file"), "{mistakes}");
            }
        }
        let (_, mistakes) = read(&[("PBM_SYNC__AD__HOST", "ldap://reader:s3cretC0de@dc1.example.com")]);
        assert!(mistakes[0].starts_with("sync.ad.host: must be"), "{mistakes:?}");
        assert!(!mistakes.join("\n").contains("s3cretC0de"), "{mistakes:?}");
        let (_, mistakes) = read(&[("PBM_SYNC__BITRIX24__ADMIN_USERID", "17/s3cretC0de")]);
        assert!(mistakes[0].contains("number") && !mistakes[0].contains("s3cretC0de"), "{mistakes:?}");
        let pairs = [
            ("PBM_SYNC__BITRIX24__URL", " https://example.bitrix24.ru/ "),
            ("PBM_SYNC__BITRIX24__ADMIN_USERID", "17"),
            ("PBM_SYNC__BITRIX24__WEBHOOK", "s3cretC0de"),
        ];
        let (config, mistakes) = read(&pairs);
        assert!(config.settings.bitrix24.is_some() && mistakes.is_empty(), "{mistakes:?}");
    }
}
