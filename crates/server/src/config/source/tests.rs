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

type Read = Result<(Config, Findings), Vec<Mistake>>;

fn read(toml: &str, variables: &[(&str, &str)], etcd: &[(&str, &str)]) -> Read {
    let (inputs, _file) = inputs(toml, variables);
    Config::of(&inputs, Some(&snapshot(&[&LEAST, etcd].concat())))
}

fn mistakes(read: Read) -> Vec<String> {
    read.map(|_| ()).unwrap_err().iter().map(ToString::to_string).collect()
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
