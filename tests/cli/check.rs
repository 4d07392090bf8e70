//! `pbm check`: connections that work, and the words for those that do not.

use harness::{Finished, Installation, Setup, start_serve};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("every_kind_of_connection_is_checked_and_serves", every_kind),
    ("what_is_wrong_with_a_connection_is_said_in_words", what_is_wrong),
    ("a_server_that_was_not_prepared_is_told_so", unprepared),
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

fn unprepared() {
    let installation = Installation::start(Setup { unprepared: true, ..Setup::default() });
    let checked = check(&installation, "pbm.toml", &[]).expect_failure();
    assert!(checked.stdout.contains("pbm init"), "{checked:?}");
}
