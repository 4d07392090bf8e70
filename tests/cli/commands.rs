//! Configuration mistakes, tenants, and the command line itself.

use harness::{Installation, Setup, pbm, run_program, start_serve};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("all_mistakes_of_a_configuration_are_listed_at_once", all_mistakes),
    ("the_environment_wins_over_the_file", environment_wins),
    ("a_taken_port_is_told_in_words", taken_port),
    ("a_tenant_is_made_once_and_a_domain_served_once", tenants),
    ("help_and_version_are_printed", help),
];

fn all_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    let text = "http.listen = [\"nowhere\"]\nhttp.tls_key = \"/key\"\nldap.urls = [\"http://x\"]\nldap.colour = 1\n\
                auth.token_key = \"short\"\nauth.allowed_subnets = [\"everybody\"]\ndeletion.retention = \"long\"\n\
                log.level = \"loud\"\nldap.bind_password_file = \"/nowhere/at/all\"\n";
    std::fs::write(&file, text).unwrap();
    let places = [
        "http.listen",
        "http.tls_certificate",
        "ldap.urls",
        "ldap.colour",
        "auth.token_key",
        "auth.allowed_subnets",
        "deletion.retention",
        "log.level",
        "ldap.bind_password_file",
        "tree.root",
    ];
    for command in [&["serve"][..], &["check"], &["purge"], &["init", "--domain", "example.com"]] {
        let arguments = [command, &["--config", file.to_str().unwrap()]].concat();
        let refused = run_program(pbm(), arguments, &[], "");
        assert_eq!(refused.code, 2, "{refused:?}");
        assert_eq!(refused.stdout, "");
        for place in places {
            assert!(refused.stderr.contains(&format!("  {place}: ")), "{place} is not in {}", refused.stderr);
        }
        assert!(refused.stderr.contains("mistake(s)"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("short\""), "a secret is shown: {}", refused.stderr);
    }
    let missing = run_program(pbm(), ["serve", "--config", "/nowhere/pbm.toml"], &[], "");
    assert!(missing.code == 2 && missing.stderr.contains("/nowhere/pbm.toml"), "{missing:?}");
}

fn environment_wins() {
    let installation = Installation::start(Setup::default());
    let url = installation.directory.url();
    let config = installation.config("env.toml", &[("ldap.urls", "[\"ldap://127.0.0.1:9\"]")]);
    let serve = start_serve(&config, &[("PBM_LDAP__URLS", &url), ("PBM_AUTH__ACCESS_TOKEN_SECONDS", "77")]);
    let answer = serve.client().log_in("admin@example.com", harness::World::root_password()).expect(200);
    assert_eq!(answer.json()["expire"], 77);
}

fn taken_port() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = folder.path().join("pbm.toml");
    let text = "ldap.urls = [\"ldap://127.0.0.1:9\"]\nldap.bind_password = \"x\"\ntree.root = \"dc=x\"\n\
                auth.token_key = \"0123456789abcdef0123456789abcdef\"\n";
    std::fs::write(&file, format!("{text}http.listen = [\"{address}\"]\n")).unwrap();
    let refused = run_program(pbm(), ["serve", "--config", file.to_str().unwrap()], &[], "").expect_failure();
    assert!(refused.stderr.contains(&format!("cannot listen on {address}")), "{refused:?}");
    let data = folder.path().join("dev");
    let arguments = ["dev", "--data", data.to_str().unwrap(), "--listen", &address];
    let refused = run_program(pbm(), arguments, &[], "").expect_failure();
    assert!(refused.stderr.contains(&format!("cannot listen on {address}")), "{refused:?}");
}

fn tenants() {
    let installation = Installation::start(Setup::default());
    let config = installation.usual_config();
    let create =
        |id: &str, domain: &str| installation.pbm(&config, &["tenant", "create", id, "--domain", domain]);
    let made = create("acme", "acme.test").expect_success();
    assert!(made.stdout.contains("acme.test"), "{made:?}");
    let cases = [
        ("acme", "other.test", "acme"),
        ("other", "acme.test", "acme"),
        ("other", "ACME.test", "acme"),
        ("a b", "b.test", "tenant id"),
        ("*", "b.test", "tenant id"),
        ("b", "no domain", "domain"),
        ("default", "b.test", "default"),
    ];
    let before = installation.probe().find("(objectClass=*)");
    for (id, domain, words) in cases {
        let refused = create(id, domain).expect_failure();
        assert!(refused.stderr.contains(words), "{id} {domain}: {refused:?}");
    }
    assert_eq!(installation.probe().find("(objectClass=pbmTenant)").len(), 2);
    let after = installation.probe().find("(objectClass=*)");
    assert_eq!(after, before, "a refusal leaves something behind");
}

fn help() {
    let help = run_program(pbm(), ["--help"], &[], "").expect_success();
    let commands: [&[&str]; 14] = [
        &["serve"],
        &["check"],
        &["init"],
        &["purge"],
        &["backup"],
        &["restore"],
        &["diff"],
        &["tenant", "create"],
        &["import-users"],
        &["sync"],
        &["addressbook", "follow"],
        &["config", "show"],
        &["config", "etcd"],
        &["dev"],
    ];
    for command in commands {
        assert!(help.stdout.contains(&format!("\n  {} ", command[0])), "{}", help.stdout);
        let own = run_program(pbm(), command.iter().chain(&["--help"]), &[], "").expect_success().stdout;
        assert!(own.contains("Exit code: 0 "), "{command:?}: {own}");
        assert!(!own.contains('\\'), "{command:?}: {own}");
    }
    // Each documented command is listed.
    let listed = help.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed: Vec<_> = listed.take_while(|line| !line.is_empty()).collect();
    let names = listed.iter().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let unknown: Vec<_> = names
        .filter(|name| !name.is_empty() && *name != "help" && commands.iter().all(|c| c[0] != *name))
        .collect();
    assert_eq!(unknown, [""; 0]);
    assert!(run_program(pbm(), ["--version"], &[], "").expect_success().stdout.starts_with("pbm "));
    assert_eq!(run_program(pbm(), ["frobnicate"], &[], "").code, 2);
}
