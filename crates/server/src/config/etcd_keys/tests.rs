use super::{lines::Lines, *};
use crate::config::source::value::{Effective, Setting, Settings};

fn snapshot(pairs: &[(&str, &str)]) -> Snapshot {
    let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).into())));
    Snapshot { revision: 1, values: values.collect(), ..Snapshot::default() }
}

fn read_pairs(pairs: &[(&str, &str)]) -> Reading {
    read(&snapshot(pairs), None)
}

/// The values as text: a list as JSON, and `!` with a reason for one that cannot be converted.
fn texts(reading: &Reading) -> BTreeMap<&str, String> {
    let text = |raw: &Raw| match raw {
        Raw::One(text) => text.clone(),
        Raw::Many(texts) => serde_json::to_string(texts).unwrap(),
        Raw::Wrong(reason) => format!("!{reason}"),
    };
    reading.values.iter().map(|(setting, value)| (setting.as_str(), text(&value.raw))).collect()
}

#[track_caller]
fn assert_read(pairs: &[(&str, &str)], expected: &[(&str, &str)]) {
    let reading = read_pairs(pairs);
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(setting, text)| (*setting, (*text).to_owned())).collect();
    assert_eq!(texts(&reading), expected);
}

#[test]
fn the_keys_of_the_guide_are_settings() {
    assert_read(
        &[
            ("pbm/auth/allowed_subnets", "[\"127.0.0.1\", \"10.160.115.127/32\"]"),
            ("pbm/auth/refresh_token_exp_time", "360000"),
            ("pbm/auth/enc_salt", "0123456789abcdef0123456789abcdef"),
            ("psn/ldap/host", "ds.example.com"),
            ("psn/ldap/port", "389"),
            ("psn/ldap/bind_dn", "uid=pbm,ou=System,dc=example,dc=com"),
            ("psn/ldap/password", "secret"),
            ("psn/cab/root_dn", "dc=example,dc=com"),
            ("psn/ldap/people_ou", "ou=Staff,dc=example,dc=com"),
            ("psn/cab/resources_ou", "ou=resources"),
            ("psn/cab/web_cache/enabled", "true"),
            ("psn/cab/web_cache/lifetime", "3600"),
            ("services/redis/host", "redis.example.com"),
            ("services/redis/port", "6379"),
            ("services/redis/password", "word"),
            ("services/redis/sentinel_enabled", "false"),
        ],
        &[
            ("auth.allowed_subnets", "[\"127.0.0.1\",\"10.160.115.127/32\"]"),
            ("auth.refresh_token_seconds", "360000"),
            ("auth.token_key", "0123456789abcdef0123456789abcdef"),
            ("ldap.urls", "[\"ldap://ds.example.com:389\"]"),
            ("ldap.bind_dn", "uid=pbm,ou=System,dc=example,dc=com"),
            ("ldap.bind_password", "secret"),
            ("tree.root", "dc=example,dc=com"),
            ("tree.people", "Staff"),
            ("tree.resources", "resources"),
            ("address_book.cache.enabled", "true"),
            ("address_book.cache.lifetime", "3600s"),
            ("redis.url", "redis://redis.example.com:6379"),
            ("redis.password", "word"),
        ],
    );
}

#[test]
fn hosts_and_ports_become_urls() {
    let ldap = |host: &str, port: &str| {
        texts(&read_pairs(&[("psn/ldap/host", host), ("psn/ldap/port", port)]))["ldap.urls"].clone()
    };
    assert_eq!(ldap("ds", ""), "[\"ldap://ds:389\"]");
    assert_eq!(ldap("ds", "636"), "[\"ldaps://ds:636\"]");
    assert_eq!(ldap("2001:db8::1", "1389"), "[\"ldap://[2001:db8::1]:1389\"]");
    assert_eq!(ldap("ds1,ds2", ""), "[\"ldap://ds1:389\",\"ldap://ds2:389\"]");
    assert_eq!(ldap("ldaps://ds:10636", "389"), "[\"ldaps://ds:10636\"]");
    assert!(ldap("ds", "ldap").starts_with("!\"ldap\" must be a port"));
    let redis = |host: &str, sentinel: &str| {
        let pairs = [("services/redis/host", host), ("services/redis/sentinel_enabled", sentinel)];
        let (key, text) =
            texts(&read_pairs(&pairs)).pop_first().map(|(key, text)| (key.to_owned(), text)).unwrap();
        format!("{key} {text}")
    };
    assert_eq!(redis("r", "false"), "redis.url redis://r:6379");
    assert_eq!(redis("r", "true"), "redis.sentinels [\"r:26379\"]");
    assert_eq!(redis("[\"a\",\"b:1\"]", "True"), "redis.sentinels [\"a:26379\",\"b:1\"]");
    assert!(redis("r", "perhaps").starts_with("redis.url !\"perhaps\" must be true or false"));
}

#[test]
fn a_folder_is_named_by_its_dn_below_the_root() {
    let people = |root: &[(&str, &str)], dn: &str| {
        let pairs = [root, &[("psn/ldap/people_ou", dn)]].concat();
        texts(&read_pairs(&pairs))["tree.people"].clone()
    };
    let root = [("psn/cab/root_dn", "dc=example,dc=com")];
    assert_eq!(people(&root, "ou=Staff, DC=example,dc=com"), "Staff");
    assert_eq!(people(&root, "ou=Staff"), "Staff");
    assert!(people(&root, "ou=Staff,dc=other").starts_with('!'));
    assert!(people(&root, "ou=Staff,ou=Mail,dc=example,dc=com").starts_with('!'));
    assert!(people(&root, "cn=Staff").starts_with('!'));
    // Without a root DN it is the entry above.
    let found = read_pairs(&[("psn/ldap/people_ou", "ou=Staff,dc=example,dc=com")]);
    assert_eq!(texts(&found)["tree.root"], "dc=example,dc=com");
    // The root of the file counts.
    let pairs = snapshot(&[("psn/ldap/people_ou", "ou=Staff,dc=example,dc=com"), root[0]]);
    assert!(texts(&read(&pairs, Some("dc=other")))["tree.people"].starts_with('!'));
}

#[test]
fn settings_have_their_own_names_too_which_win() {
    let reading = read_pairs(&[
        ("pbm/settings/deletion/retention", "14d\n"),
        ("pbm/settings/http.hosts", "[\"pbm.example.com\"]"),
        ("pbm/settings/auth/refresh_token_seconds", "60"),
        ("pbm/auth/refresh_token_exp_time", "360000"),
    ]);
    let expected = [
        ("auth.refresh_token_seconds", "60"),
        ("deletion.retention", "14d"),
        ("http.hosts", "[\"pbm.example.com\"]"),
    ];
    assert_eq!(texts(&reading), expected.map(|(key, text)| (key, text.to_owned())).into());
    assert_eq!(reading.unused[0].key, "pbm/auth/refresh_token_exp_time");
}

#[test]
fn no_file_of_the_machine_can_be_named() {
    for key in ["ldap/bind_password_file", "ldap/ca_file", "http/tls_key", "backup/folder", "etcd/endpoints"]
    {
        let reading = read_pairs(&[(&format!("pbm/settings/{key}"), "/etc/passwd")]);
        assert!(reading.values.is_empty(), "{key}");
        assert!(reading.unused[0].reason.contains("concerns one machine"), "{key}");
    }
}

#[test]
fn keys_may_begin_with_a_slash_and_the_one_without_wins() {
    assert_read(
        &[("/psn/ldap/bind_dn", "cn=a"), ("/psn/ldap/password", "p"), ("psn/ldap/bind_dn", "cn=b")],
        &[("ldap.bind_dn", "cn=b"), ("ldap.bind_password", "p")],
    );
}

#[test]
fn what_has_no_effect_is_reported_with_the_reason() {
    let reading = read_pairs(&[
        ("pbm/firebase/google_keyfile", "{}"),
        ("/psn/ldap/blocked_ou", "ou=Blocked"),
        ("psn/ldap/bind_dn", "cn=a"),
        ("psn/cab/bind_dn", "cn=b"),
        ("psn/ldap/port", "389"),
        ("pbm/surprise", "x"),
        ("services/ad/groups_dn", ""),
    ]);
    let unused: Vec<_> = reading.unused.iter().map(|unused| (&*unused.key, &*unused.reason)).collect();
    for expected in [
        ("pbm/firebase/google_keyfile", "pbm sends no notifications to phones"),
        ("/psn/ldap/blocked_ou", "a blocked user stays in its folder"),
        ("psn/cab/bind_dn", "ldap.bind_dn is set by etcd psn/ldap/bind_dn"),
        ("psn/ldap/port", "it needs psn/ldap/host"),
        ("pbm/surprise", "pbm does not know it"),
    ] {
        assert!(unused.contains(&expected), "{expected:?} is not in {unused:?}");
    }
    assert_eq!(unused.len(), 5);
}

#[test]
fn bytes_that_are_not_text_are_no_value() {
    let values = [("psn/ldap/password".to_owned(), None)].into();
    let reading = read(&Snapshot { revision: 1, values, ..Snapshot::default() }, None);
    assert_eq!(texts(&reading)["ldap.bind_password"], "!is not text in UTF-8");
}

fn settings(values: &[(&'static str, Effective)]) -> Settings {
    let setting =
        |value: &Effective| Setting { value: value.clone(), origin: Origin::Environment("PBM_X__Y".into()) };
    values.iter().map(|(key, value)| (*key, setting(value))).collect()
}

#[test]
fn what_is_written_reads_the_same() {
    let text = |text: &str| Effective::Text(text.to_owned());
    let list = |texts: &[&str]| Effective::List(texts.iter().map(|text| (*text).to_owned()).collect());
    let given = [
        ("address_book.cache.lifetime", text("1500ms")),
        ("auth.allowed_subnets", list(&["10.0.0.0/8", "::1"])),
        ("auth.token_key", Effective::Secret("it's \"a\" key of more than 32 octets".into())),
        ("backup.bind_password", Effective::Secret("[\"odd\" one\n".into())),
        ("http.hosts", list(&["pbm.example.com"])),
        ("ldap.bind_dn", text("uid=pbm,ou=System,dc=example,dc=com")),
        ("ldap.urls", list(&["ldap://ds1", "ldaps://ds2:1636"])),
        ("redis.url", text("redis://127.0.0.1:6380")),
        ("tree.contacts", text("Outside")),
        ("tree.people", text("A, B")),
        ("tree.root", text("dc=example,dc=com")),
        ("tree.system", text("Machines")),
    ];
    let lines = Lines::of(&settings(&given));
    let pairs: Vec<_> = lines.put.iter().map(|line| (&*line.key, line.value.expose_secret())).collect();
    let reading = read_pairs(&pairs);
    let expected: BTreeMap<_, _> = given.iter().map(|(key, value)| (*key, value)).collect();
    assert_eq!(texts(&reading).keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (setting, found) in texts(&reading) {
        let expected = match expected[setting] {
            Effective::Text(text) => text.clone(),
            Effective::Secret(secret) => secret.expose_secret().to_owned(),
            Effective::List(texts) => serde_json::to_string(texts).unwrap(),
            Effective::Unset => unreachable!(),
        };
        assert_eq!(found, expected, "{setting}");
    }
    assert!(pairs.contains(&("psn/ldap/people_ou", "ou=A\\, B,dc=example,dc=com")));
    assert!(pairs.contains(&("services/redis/port", "6380")));
}

#[test]
fn lines_are_for_a_shell_and_secrets_can_be_left_out() {
    let secret = Effective::Secret("it's -a \"key\"\u{a0}".into());
    let lines = Lines::of(&settings(&[
        ("auth.token_key", secret),
        ("auth.token_key_file", Effective::Text("/etc/pbm/key".into())),
        ("ldap.ca_file", Effective::Text("/etc/pbm/ca".into())),
        ("ldap.bind_dn", Effective::Text("-cn=x".into())),
    ]));
    let commands: Vec<_> = lines.put.iter().map(lines::Line::command).collect();
    assert_eq!(
        commands,
        [
            "etcdctl put pbm/auth/enc_salt 'it'\\''s -a \"key\"\u{a0}'",
            "etcdctl put -- psn/ldap/bind_dn -cn=x"
        ]
    );
    assert_eq!(lines.put[0].masked(), "# etcdctl put pbm/auth/enc_salt ********");
    assert_eq!(lines.of_machine, ["ldap.ca_file"]);
}
