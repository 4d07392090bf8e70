//! The configuration of `pbm serve` and of every command that talks to a directory. `pbm.example.toml`
//! documents each key; a test keeps it complete.

mod address_book;
pub(crate) mod auth;
pub mod backup;
mod doveadm;
mod etcd;
pub mod etcd_keys;
mod http;
pub mod loading;
mod log;
pub mod source;
mod sync;
mod users;

use crate::etcd::settings::EtcdSettings;
use ::address_book::settings::BookSettings;
pub use auth::AuthConfig;
use backup::BackupSettings;
use directory::{
    liveness::Liveness,
    settings::{Credentials, LdapSettings, LdapUrl, OnHang, Referrals, trust},
};
pub use http::HttpConfig;
use ipnet::IpNet;
use ldap_text::dn::Dn;
pub use log::{LogConfig, LogFormat};
use mail_model::{
    deletion::Retention,
    tree::{FolderNames, Tree},
};
use mail_store::settings::DoveadmSettings;
use secrecy::ExposeSecret;
use source::{Inputs, Mistake, Source};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
pub use sync::SyncConfig;
pub use users::UsersConfig;
use visible_text::chain;

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// HTTP.
    pub http: HttpConfig,
    /// The directory.
    pub ldap: LdapSettings,
    /// The layout of the directory tree.
    pub tree: Tree,
    /// Log-in and tokens.
    pub auth: AuthConfig,
    /// How long deleted entries are kept.
    pub retention: Retention,
    /// How often the purge runs.
    pub purge_interval: Duration,
    /// The address book.
    pub address_book: BookSettings,
    /// Backups.
    pub backup: BackupSettings,
    /// Sources from outside.
    pub sync: SyncConfig,
    /// Users.
    pub users: UsersConfig,
    /// The mail server; `None` if there is none.
    pub doveadm: Option<DoveadmSettings>,
    /// Logs.
    pub log: LogConfig,
    /// Where further settings come from, if etcd is used.
    pub etcd: Option<EtcdSettings>,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// All mistakes in it.
    pub fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<Mistake>> {
        let read = Self::of(&Inputs::new(file, environment), None);
        read.map(|(config, _)| config).map_err(|findings| findings.mistakes)
    }

    /// `None` if a required setting is missing; the source then holds the mistake. Every setting is read before the
    /// function gives up, so that all mistakes and all keys are known.
    fn from_source(source: &mut Source) -> Option<Self> {
        let http = http::http(source);
        let tree = tree(source);
        let ldap = ldap(source, tree.as_ref());
        let auth = auth::auth(source, &http.proxies.trusted);
        let retention = retention(source);
        let purge_interval = source.seconds("deletion.purge_interval", Duration::from_secs(3600));
        let address_book = address_book::address_book(source);
        let backup = backup::backup(source, tree.as_ref(), ldap.as_ref().map(|ldap| &ldap.credentials.dn));
        let sync = sync::sync(source);
        let users = users::users(source);
        let doveadm = doveadm::doveadm(source);
        let log = log::log(source);
        let etcd = etcd::etcd(source);
        let (tree, ldap, auth) = (tree?, ldap?, auth?);
        Some(Self {
            http,
            ldap,
            tree,
            auth,
            retention,
            purge_interval,
            address_book,
            backup,
            sync,
            users,
            doveadm,
            log,
            etcd,
        })
    }

    /// The settings for backups and restores; `None` if no account is configured for them.
    #[must_use]
    pub fn ldap_for_backups(&self) -> Option<LdapSettings> {
        let credentials = self.backup.account.clone()?;
        let (on_hang, referrals) = (OnHang::Wait, Referrals::Managed);
        Some(LdapSettings { credentials, on_hang, referrals, ..self.ldap.clone() })
    }

    /// The minimum settings for access to the directory, for commands that do not serve.
    #[must_use]
    pub fn ldap_shared(&self) -> Arc<LdapSettings> {
        Arc::new(LdapSettings { on_hang: OnHang::Wait, ..self.ldap.clone() })
    }
}

fn tree(source: &mut Source) -> Option<Tree> {
    let root = source.parsed("tree.root", |text| match Dn::parse(text) {
        Ok(dn) if !dn.rdns().is_empty() => Ok(dn),
        _ => Err("is not a valid DN, such as dc=example,dc=com".to_owned()),
    });
    let defaults = FolderNames::default();
    let mut folder = |key, default: String| {
        let name = source.text(key).filter(|name| !name.trim().is_empty());
        source.default_is(key, &default);
        name.unwrap_or(default)
    };
    let names = FolderNames {
        domains: folder("tree.domains", defaults.domains),
        people: folder("tree.people", defaults.people),
        groups: folder("tree.groups", defaults.groups),
        resources: folder("tree.resources", defaults.resources),
        contacts: folder("tree.contacts", defaults.contacts),
        system: folder("tree.system", defaults.system),
    };
    let root = source.required("tree.root", root)?;
    Some(Tree::with_folders(root, &names))
}

fn ldap(source: &mut Source, tree: Option<&Tree>) -> Option<LdapSettings> {
    let urls = source.list("ldap.urls", |text| LdapUrl::parse(text).map_err(|error| error.to_string()));
    let start_tls = source.flag("ldap.start_tls", false);
    let ca_file = source.text("ldap.ca_file").map(PathBuf::from);
    let tls = trust(ca_file.as_deref()).map_err(|error| source.mistake("ldap.ca_file", chain(&error))).ok();
    let bind_dn = source.parsed("ldap.bind_dn", |text| Dn::parse(text).map_err(|error| chain(&error)));
    let bind_dn = bind_dn.or_else(|| tree.map(|tree| tree.system().child(mail_model::names::UID, "pbm")));
    if let Some(dn) = &bind_dn {
        source.default_is("ldap.bind_dn", dn);
    }
    let password = source.secret("ldap.bind_password", "ldap.bind_password_file");
    if password.as_ref().is_some_and(|password| password.expose_secret().is_empty()) {
        source.mistake("ldap.bind_password", "is empty: an LDAP bind without a password is anonymous");
    }
    let connections = source.number("ldap.connections", 32, &(2..=1024));
    let password_connections = source.number("ldap.password_connections", 8, &(1..=256));
    let connect_timeout = source.duration("ldap.connect_timeout", 3_000);
    let operation_timeout = source.duration("ldap.operation_timeout", 10_000);
    let checkout_timeout = source.duration("ldap.checkout_timeout", 3_000);
    let urls = source.required("ldap.urls", urls.filter(|urls| !urls.is_empty()));
    let password = source.required("ldap.bind_password", password);
    let urls = urls?;
    let liveness = Liveness::new(&urls, tree?.people());
    Some(LdapSettings {
        urls,
        start_tls,
        tls: tls?,
        credentials: Credentials { dn: bind_dn?, password: password? },
        connections,
        password_connections,
        connect_timeout,
        operation_timeout,
        checkout_timeout,
        liveness,
        on_hang: OnHang::Fail,
        referrals: Referrals::Followed,
    })
}

fn retention(source: &mut Source) -> Retention {
    let duration = source.duration("deletion.retention", 30 * 24 * 3_600_000);
    Retention::from_secs(u32::try_from(duration.as_secs()).unwrap_or_else(|_| {
        source.mistake("deletion.retention", "is too long: at most 136 years");
        u32::MAX
    }))
}

/// A subnet, or a single address (the guide allows an address without `/32`).
fn subnet(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .map_err(|_| "must be an address or subnet such as 10.0.0.0/8".to_owned())
}

fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const EXAMPLE: &str = include_str!("../../pbm.example.toml");

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const LEAST: &[(&str, &str)] = &[
        ("PBM_TREE__ROOT", "dc=example,dc=com"),
        ("PBM_LDAP__URLS", "ldap://127.0.0.1:389, ldaps://ds2.example.com"),
        ("PBM_LDAP__BIND_PASSWORD", "0123"),
        ("PBM_AUTH__TOKEN_KEY", "0123456789abcdef0123456789abcdef"),
    ];

    #[test]
    fn the_environment_alone_can_configure_everything() {
        let config = Config::read(None, environment(LEAST)).unwrap();
        assert_eq!(config.ldap.urls.len(), 2);
        assert_eq!(config.ldap.credentials.password.expose_secret(), "0123");
        assert_eq!(config.ldap.credentials.dn.to_string(), "uid=pbm,ou=System,dc=example,dc=com");
        assert_eq!(config.retention, Retention::from_secs(30 * 24 * 3600));
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let wrong = environment(&[
            ("PBM_HTTP__LISTEN", "nowhere"),
            ("PBM_LDAP__URLS", "http://x"),
            ("PBM_LDAP__CONECTIONS", "1"),
            ("PBM_AUTH__TOKEN_KEY", "short"),
            ("PBM_AUTH__ALLOWED_SUBNETS", "10.0.0.0/8,all"),
            ("PBM_HTTP__TRUSTED_PROXIES", "10.0.0.1"),
            ("PBM_HTTP__FORWARDED_HEADER", "via"),
            ("PBM_HTTP__HOSTS", "https://pbm.example"),
            ("PBM_DELETION__RETENTION", "long"),
            ("PBM_DOVEADM__URL", "dovecot:2222"),
            ("PBM_DELETION__PURGE_INTERVAL", "0s"),
            ("PBM_USERS__DEFAULT_LANGUAGE", "Klingon"),
            ("PBM_USERS__PHOTO_LIMIT", "11M"),
            ("PBM_ETCD__ENDPOINTS", "https://pbm:secret@etcd1:2379"),
            ("PBM_ETCD__USERNAME", "pbm"),
            ("PBM_ETCD__TIMEOUT", "1h"),
        ]);
        let mistakes = Config::read(None, wrong).unwrap_err();
        let text = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for expected in [
            "http.listen: \"nowhere\" must be an address",
            "ldap.urls: \"http://x\" must begin with",
            "ldap.conections: is not a setting; did you mean ldap.connections?",
            "ldap.bind_password: is missing",
            "auth.token_key: is too short",
            "auth.allowed_subnets: \"all\" must be",
            "auth.allowed_subnets: 10.0.0.0/8 overlaps 10.0.0.1/32",
            "http.forwarded_header: \"via\" must be",
            "http.hosts: \"https://pbm.example\" must be",
            "deletion.retention: \"long\" must be a span",
            "deletion.purge_interval: \"0s\" must be at least 1s",
            "users.default_language: \"Klingon\" must be one of en-US, ru-RU",
            "users.photo_limit: \"11M\" must be from 1K to 10M",
            "etcd.endpoints: holds a login",
            "etcd.username: needs a password",
            "etcd.timeout: must be from",
            "doveadm.url: must be a URL",
            "tree.root: is missing",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn an_address_is_a_proxys_or_a_trusted_clients() {
        let read = |proxies: &str, subnets: &str| {
            let both = [("PBM_HTTP__TRUSTED_PROXIES", proxies), ("PBM_AUTH__ALLOWED_SUBNETS", subnets)];
            // Although the token key is missing, these mistakes are found.
            let variables = environment(&LEAST[..3]).into_iter().chain(environment(&both));
            let mistakes = Config::read(None, variables).unwrap_err();
            mistakes.iter().map(ToString::to_string).filter(|m| m.contains("overlaps")).count()
        };
        assert_eq!(read("10.0.0.1", "10.0.0.0/8,192.0.2.0/24"), 1);
        assert_eq!(read("10.0.0.0/8,2001:db8::/32", "10.0.0.1,2001:db8::1"), 2);
        assert_eq!(read("10.0.0.1", "10.0.0.2,::/0"), 0);
    }

    #[test]
    fn a_section_in_a_section_is_a_table_in_the_file_and_a_longer_variable() {
        let file = std::env::temp_dir().join(format!("pbm-nested-{}", std::process::id()));
        std::fs::write(&file, "[redis]\nurl = \"redis://x\"\n[address_book.cache]\nenabled = false\n")
            .unwrap();
        let read = |variables: &[(&str, &str)]| {
            let variables = environment(LEAST).into_iter().chain(environment(variables));
            Config::read(Some(&file), variables).unwrap().address_book
        };
        let (by_file, by_variable) = (read(&[]), read(&[("PBM_ADDRESS_BOOK__CACHE__ENABLED", "true")]));
        std::fs::remove_file(&file).unwrap();
        assert!(!by_file.is_used && by_variable.is_used);
    }

    #[test]
    fn variables_without_a_section_are_no_settings() {
        let mut variables = environment(LEAST);
        variables.extend(environment(&[("PBM_ADMIN_PASSWORD", "x"), ("PATH", "y")]));
        assert!(Config::read(None, variables).is_ok());
    }

    /// The keys of the example, including those that are commented out.
    fn example_with_all_keys() -> String {
        let uncommented = |line: &str| match line.strip_prefix('#') {
            Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => {
                rest.to_owned()
            }
            _ => line.to_owned(),
        };
        EXAMPLE.lines().map(uncommented).collect::<Vec<_>>().join("\n")
    }

    /// The keys of a table and its subtables, joined with dots.
    fn add_keys(above: &str, table: &toml::Table, keys: &mut BTreeSet<String>) {
        for (name, value) in table {
            let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
            match value.as_table() {
                Some(table) => add_keys(&key, table, keys),
                None => assert!(keys.insert(key)),
            }
        }
    }

    #[test]
    fn the_example_documents_every_key_and_no_other() {
        let table: toml::Table = example_with_all_keys().parse().unwrap();
        let mut documented = BTreeSet::new();
        add_keys("", &table, &mut documented);
        let mut source = Source::read(None, []);
        let _ = Config::from_source(&mut source);
        let known: BTreeSet<String> = source.known_keys().iter().map(ToString::to_string).collect();
        let lacking: Vec<_> = known.difference(&documented).collect();
        assert!(lacking.is_empty(), "pbm.example.toml lacks {lacking:?}");
        let unknown: Vec<_> = documented.difference(&known).collect();
        assert!(unknown.is_empty(), "pbm.example.toml has {unknown:?}, which no code reads");
        for key in crate::live::LIVE.into_iter().chain(etcd_keys::settings()) {
            assert!(known.contains(key), "{key} is not a setting");
        }
    }

    #[test]
    fn the_example_is_a_valid_configuration_but_for_its_secrets() {
        let folder = std::env::temp_dir().join(format!("pbm-example-{}", std::process::id()));
        std::fs::write(&folder, EXAMPLE).unwrap();
        let secrets = environment(&[
            ("PBM_LDAP__BIND_PASSWORD_FILE", folder.to_str().unwrap()),
            ("PBM_AUTH__TOKEN_KEY_FILE", folder.to_str().unwrap()),
        ]);
        let read = Config::read(Some(&folder), secrets);
        std::fs::remove_file(&folder).unwrap();
        assert!(read.is_ok(), "{:?}", read.err());
    }
}
