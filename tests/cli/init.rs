//! `pbm init` on a server that nothing was prepared on, not even its plug-ins.

use harness::{Entry, Installation, Setup, World, start_serve};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_bare_server_is_prepared_in_the_steps_that_an_administrator_takes", steps_of_an_administrator),
    ("without_a_password_it_says_which_option_gives_one", missing_passwords),
    ("a_wrong_manager_password_is_told_in_words", wrong_manager),
];

const BARE: Setup = Setup { bare: true, tls: false, unprepared: true, durable: false, without_redis: true };

/// What `pbm init` may change.
fn look(installation: &Installation) -> Vec<Entry> {
    let eye = installation.eye();
    let mut all = eye.search(&eye.root, "sub", "(objectClass=*)");
    all.extend(eye.search(
        "cn=plugins,cn=config",
        "sub",
        "(|(objectClass=nsSlapdPlugin)(objectClass=nsIndex))",
    ));
    all.extend(eye.search("cn=schema", "base", "(objectClass=*)"));
    all
}

fn steps_of_an_administrator() {
    let mut installation = Installation::start(BARE);
    let before = look(&installation);
    dry_run_prints_and_changes_nothing(&installation, &before);

    let first = installation.init(&[]).expect_success();
    assert!(first.stdout.lines().count() > 10, "{first:?}");
    assert!(first.stdout.contains("added ou=People,dc=example,dc=com"), "{}", first.stdout);
    assert!(first.stdout.contains("made the first super administrator"), "{}", first.stdout);
    let restarts = first.output().lines().filter(|line| line.starts_with("Restart 389-ds now")).count();
    assert_eq!(restarts, 1, "{first:?}");
    let prepared = look(&installation);
    assert_ne!(prepared, before);

    let second = installation.init(&[]).expect_success();
    assert!(second.stderr.contains("nothing to change") && second.stdout.is_empty(), "{second:?}");
    assert_eq!(look(&installation), prepared);

    installation.directory.stop();
    installation.directory.start_again().unwrap();
    let third = installation.init(&[]).expect_success();
    assert!(third.stderr.contains("nothing to change") && !third.output().contains("Restart"), "{third:?}");
    changes_only_what_differs(&installation, &prepared);

    let serve = start_serve(&installation.usual_config(), &[]);
    serve.client().log_in(&World::root_login(), World::root_password()).expect(200);
    service_account_has_few_rights(&installation);
}

fn dry_run_prints_and_changes_nothing(installation: &Installation, before: &[Entry]) {
    let dry = installation.init(&["--dry-run"]).expect_success();
    assert_eq!(look(installation), before);
    assert!(dry.stdout.contains("dn: ou=People,dc=example,dc=com\nchangetype: add\n"), "{}", dry.stdout);
    assert!(
        dry.stdout.contains("changetype: modify") && dry.stdout.contains("pbmDeletedSince"),
        "{}",
        dry.stdout
    );
    assert!(dry.stderr.contains("change(s) would be made"), "{}", dry.stderr);
    let manager = std::fs::read_to_string(installation.directory.manager_password_file()).unwrap();
    for secret in [World::root_password(), "service-password", manager.trim()] {
        assert!(!dry.output().contains(secret), "{}", dry.output());
    }
}

fn changes_only_what_differs(installation: &Installation, prepared: &[Entry]) {
    let index = "cn=sn,cn=index,cn=userRoot,cn=ldbm database,cn=plugins,cn=config";
    installation
        .eye()
        .modify(&format!("dn: {index}\nchangetype: modify\ndelete: nsIndexType\nnsIndexType: sub\n"));
    installation.eye().modify("dn: ou=Groups,dc=example,dc=com\nchangetype: modify\ndelete: aci\n");
    let repaired = installation.init(&[]).expect_success();
    // An index is rebuilt by a task, which is an entry as well, for a while.
    let changed: Vec<_> = repaired.stdout.lines().filter(|line| !line.contains("cn=tasks")).collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(changed.iter().any(|line| line.starts_with("changed ou=Groups")), "{changed:?}");
    let sorted = |mut entries: Vec<Entry>| {
        entries.sort_by(|a, b| a.dn.cmp(&b.dn));
        entries
            .iter()
            .map(|entry| (entry.dn.clone(), entry.all("aci").len(), entry.all("nsIndexType").len()))
            .collect()
    };
    let (now, then): (Vec<_>, Vec<_>) = (sorted(look(installation)), sorted(prepared.to_vec()));
    assert_eq!(now, then);
}

fn service_account_has_few_rights(installation: &Installation) {
    let service = "uid=pbm,ou=System,dc=example,dc=com";
    let eye = installation.eye();
    assert!(eye.accepts_bind(service, "service-password"));
    let admin = "mail=admin@example.com,ou=default,ou=People,dc=example,dc=com";
    // Reads users, but no password; and removes nobody whom no purge has claimed.
    let read = eye.search_as(service, "service-password", admin, "(userPassword=*)").expect_success();
    assert!(!read.stdout.contains("userPassword"), "{read:?}");
    let delete = format!("dn: {admin}\nchangetype: delete\n");
    let refused = eye.modify_as(service, "service-password", &delete);
    assert_eq!(refused.code, 50, "{refused:?}");
    let own_rights = format!("dn: {service}\nchangetype: modify\nreplace: description\ndescription: x\n");
    assert_eq!(eye.modify_as(service, "service-password", &own_rights).code, 50);
}

fn missing_passwords() {
    let installation = Installation::start(BARE);
    let config = installation.usual_config();
    let without = installation.pbm(&config, &["init", "--domain", "example.com"]).expect_failure();
    assert!(without.stderr.contains("--manager-password-file"), "{without:?}");
    let manager = installation.directory.manager_password_file().to_str().unwrap().to_owned();
    let arguments = ["init", "--domain", "example.com", "--manager-password-file", &manager];
    let without = installation.pbm(&config, &arguments).expect_failure();
    assert!(without.stderr.contains("--admin-password-file"), "{without:?}");
    // A file that is not there is made, for its owner alone.
    let file = installation.file("admin-password");
    let arguments = [&arguments[..], &["--admin-password-file", file.to_str().unwrap()]].concat();
    installation.pbm(&config, &arguments).expect_success();
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let password = std::fs::read_to_string(&file).unwrap();
    let admin = "mail=admin@example.com,ou=default,ou=People,dc=example,dc=com";
    assert!(installation.eye().accepts_bind(admin, password.trim()));
    // A second run keeps it.
    installation.pbm(&config, &arguments).expect_success();
    assert!(installation.eye().accepts_bind(admin, password.trim()));
}

fn wrong_manager() {
    let installation = Installation::start(BARE);
    let before = look(&installation);
    let wrong = installation.file("wrong");
    std::fs::write(&wrong, "wrong\n").unwrap();
    let arguments = ["init", "--domain", "example.com", "--manager-password-file", wrong.to_str().unwrap()];
    let file = installation.file("admin");
    let arguments = [&arguments[..], &["--admin-password-file", file.to_str().unwrap()]].concat();
    let refused = installation.pbm(&installation.usual_config(), &arguments).expect_failure();
    assert!(refused.stderr.contains("49") && !refused.stderr.contains("panicked"), "{refused:?}");
    assert_eq!(look(&installation), before);
}
