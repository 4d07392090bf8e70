//! `pbm check`: working connections, and the messages about failed ones.

use harness::{Finished, Installation, Setup, start_serve};
use sandbox::Backend;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("every_kind_of_connection_is_checked_and_serves", every_kind),
    ("the_server_and_its_back_end_are_named", back_end),
    ("what_is_wrong_with_a_connection_is_said_in_words", what_is_wrong),
    ("a_folder_that_is_not_there_is_told_with_its_setting", folders),
    ("a_server_that_was_not_prepared_is_told_so", unprepared),
    ("an_account_whose_password_policy_is_gone_is_named", without_policy),
];

/// Changed settings, in TOML.
type Changes<'a> = [(&'a str, &'a str)];

fn check(installation: &Installation, name: &str, changes: &Changes<'_>) -> Finished {
    installation.pbm(&installation.config(name, changes), &["check"])
}

fn every_kind() {
    let installation = Installation::start(Setup { tls: true, ..Setup::default() });
    let directory = &installation.directory;
    let ca_file = format!("\"{}\"", directory.ca_file().unwrap().display());
    let ldaps = format!("[\"{}\"]", directory.ldaps_url().unwrap());
    let socket = format!("[\"{}\"]", directory.ldapi_url());
    let both = format!("[\"{}\", \"{}\"]", directory.url(), directory.ldaps_url().unwrap());
    let cases: [(&str, &Changes<'_>, &str); 5] = [
        ("ldap", &[], "connected"),
        ("ldaps", &[("ldap.urls", &ldaps), ("ldap.ca_file", &ca_file)], "connected"),
        ("starttls", &[("ldap.start_tls", "true"), ("ldap.ca_file", &ca_file)], "secured by StartTLS"),
        ("ldapi", &[("ldap.urls", &socket)], "connected"),
        ("both", &[("ldap.urls", &both), ("ldap.ca_file", &ca_file)], "connected"),
    ];
    for (name, changes, words) in cases {
        let file = format!("{name}.toml");
        let checked = check(&installation, &file, changes).expect_success();
        assert!(
            checked.stdout.contains("no mistakes") && checked.stdout.contains(words),
            "{name}: {checked:?}"
        );
        assert!(checked.stdout.contains("example.com"), "{name}: {checked:?}");
        let serve = start_serve(&installation.file(&file), &[]);
        serve.client().get("/health/ready").expect(200);
        serve.client().log_in("admin@example.com", harness::World::root_password()).expect(200);
    }
}

fn back_end() {
    for (backend, name) in [(Backend::Mdb, "LMDB"), (Backend::Bdb, "Berkeley DB")] {
        let installation = Installation::start(Setup { backend: Some(backend), ..Setup::default() });
        let checked = check(&installation, "check.toml", &[]).expect_success();
        assert!(checked.stdout.contains("389-Directory/"), "{checked:?}");
        assert!(checked.stdout.contains(&format!("back end {name}")), "{checked:?}");
        let is_warned = |text: &str| text.contains("Warning: the back end of this server is Berkeley DB");
        assert_eq!(is_warned(&checked.stdout), name == "Berkeley DB", "{checked:?}");
        let init = installation.init(&["--dry-run"]).expect_success();
        assert_eq!(is_warned(&init.stderr), name == "Berkeley DB", "{init:?}");
    }
}

fn what_is_wrong() {
    let installation = Installation::start(Setup { tls: true, ..Setup::default() });
    let directory = &installation.directory;
    let ldaps = format!("[\"{}\"]", directory.ldaps_url().unwrap());
    let half = format!("[\"{}\", \"ldap://127.0.0.1:9\"]", directory.url());
    let not_pem = format!("\"{}\"", installation.usual_config().display());
    let cases: [(&str, &Changes<'_>, &str); 8] = [
        ("password", &[("ldap.bind_password", "\"wrong\"")], "ldap.bind_password"),
        ("dn", &[("ldap.bind_dn", "\"uid=nobody,dc=example,dc=com\"")], "ldap.bind_dn"),
        ("port", &[("ldap.urls", "[\"ldap://127.0.0.1:9\"]")], "is the server running"),
        ("host", &[("ldap.urls", "[\"ldap://no-such-host.invalid\"]")], "is the server running"),
        ("ca", &[("ldap.urls", &ldaps)], "ldap.ca_file"),
        (
            "root",
            &[
                ("tree.root", "\"dc=other,dc=org\""),
                ("ldap.bind_dn", "\"uid=pbm,ou=System,dc=example,dc=com\""),
            ],
            "pbm init",
        ),
        ("half", &[("ldap.urls", &half)], "is the server running"),
        ("https", &[("http.tls_certificate", &not_pem), ("http.tls_key", &not_pem)], "https: "),
    ];
    for (name, changes, words) in cases {
        let checked = check(&installation, &format!("{name}.toml"), changes).expect_failure();
        assert!(checked.stdout.contains(words), "{name}: {checked:?}");
        assert!(!checked.output().contains("panicked"), "{name}: {checked:?}");
        assert!(!checked.output().contains("service-password"), "{name}: {checked:?}");
    }
}

fn folders() {
    let installation = Installation::start(Setup::default());
    let bind_dn = ("ldap.bind_dn", "\"uid=pbm,ou=System,dc=example,dc=com\"");
    for key in ["domains", "people", "groups", "resources", "contacts", "system"] {
        let key = format!("tree.{key}");
        let checked = check(&installation, "folder.toml", &[(&key, "\"Peopel\""), bind_dn]).expect_failure();
        let told = format!("{key}: there is no ou=Peopel,dc=example,dc=com ");
        assert!(checked.stdout.contains(&told), "{checked:?}");
        assert_eq!(checked.stdout.matches(": there is no ").count(), 1, "no other folder: {checked:?}");
    }
}

fn unprepared() {
    let installation = Installation::start(Setup { unprepared: true, ..Setup::default() });
    let checked = check(&installation, "pbm.toml", &[]).expect_failure();
    for words in ["no such account yet", "tree.root", "run pbm init, which makes the account"] {
        assert!(checked.stdout.contains(words), "{words}: {checked:?}");
    }
    let refused = check(&installation, "nobody.toml", &[("ldap.urls", "[\"ldap://127.0.0.1:9\"]")]);
    let line = refused.stdout.lines().find(|line| line.starts_with("ldap://")).unwrap();
    assert_eq!(line.matches("Connection refused").count(), 1, "{line}");
}

fn without_policy() {
    let installation = Installation::start(Setup::default());
    check(&installation, "before.toml", &[]).expect_success();
    let policy = "cn=pbm,cn=nsPwPolicyContainer,ou=System,dc=example,dc=com";
    installation.probe().delete(policy);
    let checked = check(&installation, "check.toml", &[]).expect_failure();
    for account in ["uid=pbm", "uid=pbm-backup", "uid=decoy"] {
        let words =
            format!("{account},ou=System,dc=example,dc=com: its password policy {policy} does not exist");
        assert!(checked.stdout.contains(&words), "{account}: {checked:?}");
    }
    assert!(checked.stdout.contains("run pbm init"), "{checked:?}");
    installation.init(&[]).expect_success();
    check(&installation, "after.toml", &[]).expect_success();
}
