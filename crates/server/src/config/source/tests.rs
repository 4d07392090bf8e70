//! Layers: which of several values wins, and what is reported about the others.

use super::*;
use crate::config::Config;
use secrecy::ExposeSecret;

const ROOT: (&str, &str) = ("psn/cab/root_dn", "dc=example,dc=com");
const HOST: (&str, &str) = ("psn/ldap/host", "ds.example.com");
const PASSWORD: (&str, &str) = ("psn/ldap/password", "secret");
const SALT: (&str, &str) = ("pbm/auth/enc_salt", "0123456789abcdef0123456789abcdef");
const LEAST: [(&str, &str); 4] = [ROOT, HOST, PASSWORD, SALT];

fn snapshot(pairs: &[(&str, &str)]) -> Snapshot {
    let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).into())));
    Snapshot { revision: 1, values: values.collect(), ..Snapshot::default() }
}

fn inputs(toml: &str, variables: &[(&str, &str)]) -> (Inputs, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (Inputs::new(Some(file.path()), variables), file)
}

type Read = Result<(Config, Findings), Findings>;

fn read(toml: &str, variables: &[(&str, &str)], etcd: &[(&str, &str)]) -> Read {
    let (inputs, _file) = inputs(toml, variables);
    Config::of(&inputs, Some(&snapshot(&[&LEAST, etcd].concat())))
}

fn mistakes(read: Read) -> Vec<String> {
    read.map(|_| ()).unwrap_err().mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn the_keys_of_the_guide_suffice() {
    let (config, findings) = read("", &[], &[]).unwrap();
    assert_eq!(config.ldap.credentials.password.expose_secret(), "secret");
    assert_eq!(config.ldap.credentials.dn.to_string(), "uid=pbm,ou=System,dc=example,dc=com");
    assert!(findings.unused.is_empty());
    assert_eq!(findings.settings["ldap.urls"].origin.to_string(), "etcd psn/ldap/host");
    assert_eq!(findings.settings["deletion.retention"].origin, Origin::Default);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_etcd() {
    let lifetime = |toml: &str, variables: &[(&str, &str)]| {
        let etcd = [("pbm/auth/refresh_token_exp_time", "100")];
        let (config, findings) = read(toml, variables, &etcd).unwrap();
        (config.auth.refresh_token_seconds, findings.settings["auth.refresh_token_seconds"].origin.rank())
    };
    let (file, variable) = ("auth.refresh_token_seconds = 200", ("PBM_AUTH__REFRESH_TOKEN_SECONDS", "300"));
    assert_eq!(lifetime("", &[]), (100, 1));
    assert_eq!(lifetime(file, &[]), (200, 2));
    assert_eq!(lifetime(file, &[variable]), (300, 3));
}

#[test]
fn a_secret_and_the_name_of_its_file_are_one_setting() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "of the file\n").unwrap();
    let file = format!("ldap.bind_password_file = {:?}", secret.path());
    let password = |toml: &str, variables: &[(&str, &str)]| {
        read(toml, variables, &[]).unwrap().0.ldap.credentials.password.expose_secret().to_owned()
    };
    assert_eq!(password(&file, &[]), "of the file");
    assert_eq!(password(&file, &[("PBM_LDAP__BIND_PASSWORD", "0123")]), "0123");
    let both = format!("{file}\nldap.bind_password = \"x\"");
    let told = mistakes(read(&both, &[], &[]));
    assert!(told[0].starts_with("ldap.bind_password: is set together with"), "{told:?}");
}

#[test]
fn a_redis_of_the_file_replaces_the_sentinels_of_etcd() {
    let etcd = [("services/redis/host", "s1"), ("services/redis/sentinel_enabled", "true")];
    let (config, findings) = read("redis.url = \"redis://here\"", &[], &etcd).unwrap();
    let place = format!("{:?}", config.address_book.redis.unwrap().place);
    assert!(place.contains("here"), "{place}");
    assert_eq!(findings.unused.len(), 2);
}

#[test]
fn a_mistake_in_etcd_names_its_key_unless_something_overrides_it() {
    let etcd = [("pbm/auth/allowed_subnets", "[\"all\"]"), ("psn/ldap/port", "ldap")];
    let told = mistakes(read("", &[], &etcd));
    assert_eq!(
        told,
        [
            "ldap.urls: \"ldap\" must be a port from 1 to 65535 (etcd psn/ldap/host psn/ldap/port)",
            "auth.allowed_subnets: \"all\" must be an address or subnet such as 10.0.0.0/8 (etcd pbm/auth/allowed_subnets)",
        ]
    );
    let overridden = "auth.allowed_subnets = []\nldap.urls = [\"ldap://ds\"]";
    let (_, findings) = read(overridden, &[], &etcd).unwrap();
    assert!(findings.unused.iter().any(|unused| unused.key == "psn/ldap/port"));
}

#[test]
fn the_rules_for_subnets_hold_for_those_of_etcd() {
    let etcd = [("pbm/auth/allowed_subnets", "[\"10.0.0.0/8\"]")];
    let told = mistakes(read("http.trusted_proxies = [\"10.0.0.1\"]", &[], &etcd));
    assert!(told[0].contains("overlaps 10.0.0.1/32 of http.trusted_proxies"), "{told:?}");
}

#[test]
fn settings_of_another_version_are_no_mistakes_in_etcd() {
    let etcd = [("pbm/settings/deletion/retentoin", "14d"), ("services/doveadm/login", "x")];
    let (_, findings) = read("", &[], &etcd).unwrap();
    let told = findings.unused.iter().find(|unused| unused.key.ends_with("retentoin")).unwrap();
    assert!(told.reason.contains("did you mean deletion.retention?"), "{told:?}");
    let told = mistakes(read("deletion.retentoin = \"14d\"", &[], &[]));
    assert!(told[0].starts_with("deletion.retentoin: is not a setting"), "{told:?}");
}

#[test]
fn a_change_of_the_file_waits_for_a_restart() {
    let (inputs, file) = inputs("deletion.retention = \"1d\"", &[]);
    std::fs::write(file.path(), "deletion.retention = \"2d\"").unwrap();
    let (config, _) = Config::of(&inputs, Some(&snapshot(&LEAST))).unwrap();
    assert_eq!(config.retention, mail_model::deletion::Retention::from_secs(24 * 3600));
}

#[test]
fn a_feature_that_is_incomplete_in_etcd_stays_off_with_a_warning() {
    let warnings = |etcd: &[(&str, &str)]| {
        let (config, findings) = read("", &[], etcd).unwrap();
        assert!(config.doveadm.is_none() && config.sync.settings.directory.is_none(), "{etcd:?}");
        findings.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let doveadm = ("services/doveadm/url", "http://dovecot:2222");
    assert_eq!(
        warnings(&[doveadm, ("services/doveadm/login", "mail")]),
        ["doveadm.password: is missing (etcd services/doveadm/password); doveadm stays off"]
    );
    let ad = [
        ("services/ad/host", "dc1.example.com"),
        ("services/ad/password", "x"),
        ("services/ad/base_dn", "DC=example,DC=com"),
    ];
    assert_eq!(warnings(&ad), ["sync.ad.login: is missing (etcd services/ad/login); sync.ad stays off"]);
    assert_eq!(warnings(&[("services/ad/enabled", "true")]).len(), 1);
    assert_eq!(warnings(&[("services/bitrix24/url", "https://example.bitrix24.ru")]).len(), 2);
    assert_eq!(warnings(&[("services/redis/password", "x"), ("services/doveadm/password", "x")]).len(), 2);
    // What the file or the environment takes part in is meant to work.
    let told = mistakes(read("doveadm.timeout = \"5s\"", &[], &[doveadm]));
    assert_eq!(told, ["doveadm.password: is missing (etcd services/doveadm/password)"]);
    let told = mistakes(read("", &[("PBM_SYNC__AD__HOST", "dc1")], &ad));
    assert_eq!(told, ["sync.ad.login: is missing (etcd services/ad/login)"]);
    // A wrong value is a mistake.
    let told = mistakes(read("", &[], &[doveadm, ("services/doveadm/password", "a\u{7}")]));
    assert!(told[0].starts_with("doveadm.password: is empty or contains a control character"), "{told:?}");
}

#[test]
fn times_and_flags_of_etcd_have_the_usual_forms_under_their_own_names_too() {
    let etcd = [
        ("pbm/settings/auth/access_token_seconds", "15 minutes"),
        ("pbm/settings/auth/refresh_token_seconds", "7200"),
        ("pbm/settings/deletion/retention", "14 Days"),
        ("pbm/settings/deletion/purge_interval", "600"),
        ("pbm/settings/ldap/connect_timeout", "500ms"),
        ("pbm/settings/ldap/connections", " 16 "),
        ("pbm/settings/ldap/start_tls", "Yes"),
        ("pbm/settings/sync/bitrix24/enabled", "off"),
    ];
    let (config, findings) = read("", &[], &etcd).unwrap();
    assert_eq!((config.auth.access_token_seconds, config.auth.refresh_token_seconds), (900, 7200));
    assert_eq!(config.retention, mail_model::deletion::Retention::from_secs(14 * 24 * 3600));
    assert_eq!(config.purge_interval, Duration::from_secs(600));
    assert_eq!(config.ldap.connect_timeout, Duration::from_millis(500));
    assert!(config.ldap.connections == 16 && config.ldap.start_tls);
    // Another word for the same time is no change.
    let shown = |key: &str| findings.settings[key].value.clone();
    assert_eq!(shown("auth.access_token_seconds"), Effective::Text("900".to_owned()));
    assert_eq!(shown("deletion.purge_interval"), Effective::Text("600s".to_owned()));
    let told = mistakes(read("", &[], &[("pbm/settings/deletion/retention", "soon")]));
    assert!(told[0].contains("such as 15 minutes (etcd pbm/settings/deletion/retention)"), "{told:?}");
    // Files have one form.
    assert!(read("deletion.retention = \"14 Days\"", &[], &[]).is_err());
}

#[test]
fn what_is_missing_is_named_with_its_key_in_etcd() {
    let told = |toml: &str, etcd: Option<&Snapshot>| {
        let (inputs, _file) = inputs(toml, &[]);
        mistakes(Config::of(&inputs, etcd)).join("\n")
    };
    let empty = told("", Some(&Snapshot::default()));
    for expected in [
        "tree.root: is missing (etcd psn/cab/root_dn)",
        "ldap.urls: is missing (etcd psn/ldap/host)",
        "ldap.bind_password: is missing (etcd psn/ldap/password)",
        "auth.token_key: is missing (etcd pbm/auth/enc_salt)",
    ] {
        assert!(empty.contains(expected), "{expected} is not in\n{empty}");
    }
    assert!(told("etcd.endpoints = [\"http://etcd1:2379\"]", None).contains("(etcd psn/cab/root_dn)"));
    assert!(!told("", None).contains("(etcd"));
    assert_eq!(etcd_keys::key_for("http.listen").as_deref(), Some("pbm/settings/http/listen"));
    assert_eq!(etcd_keys::key_for("http.tls_key"), None);
}

#[test]
fn a_password_file_that_cannot_be_read_is_one_mistake() {
    let of = |toml: &str| mistakes(read(toml, &[], &[]));
    let unreadable =
        "etcd.endpoints = [\"http://etcd1:2379\"]\netcd.username = \"pbm\"\netcd.password_file = \"/none\"";
    for toml in [unreadable, "ldap.bind_password_file = \"/none\"", "auth.token_key_file = \"/none\""] {
        let told = of(toml);
        assert!(told.len() == 1 && told[0].contains("_file: /none cannot be read"), "{told:?}");
    }
    let told = of("redis.url = \"redis://x\"\nredis.username = \"a\"\nredis.password_file = \"/none\"");
    assert!(told.len() == 1, "{told:?}");
    assert_eq!(of("etcd.username = \"pbm\""), ["etcd.username: needs a password: set etcd.password_file"]);
    assert_eq!(of("etcd.password = \"x\""), ["etcd.password: needs a name: set etcd.username"]);
}
