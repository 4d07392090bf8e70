//! `pbm init` on a completely unprepared server, without even its plug-ins.

use harness::{Entry, Installation, Setup, World, start_serve};
use std::{thread, time::Duration};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_bare_server_is_prepared_in_the_steps_that_an_administrator_takes", steps_of_an_administrator),
    ("without_a_password_it_says_which_option_gives_one", missing_passwords),
    ("a_domain_is_needed_once_and_one_more_is_told", domains),
    ("a_wrong_manager_password_is_told_in_words", wrong_manager),
    ("member_of_is_turned_on_for_who_wants_it_and_its_cost_is_told", with_member_of),
    ("the_scope_of_a_plug_in_that_was_on_is_left_alone", scope_of_others),
    ("commands_wait_for_a_server_that_takes_no_writes_for_a_while", read_only_for_a_while),
];

const BARE: Setup =
    Setup { bare: true, tls: false, unprepared: true, durable: false, without_redis: true, backend: None };

/// The entries that `pbm init` may change.
fn look(installation: &Installation) -> Vec<Entry> {
    let probe = installation.probe();
    let mut all = probe.search(&probe.root, "sub", "(objectClass=*)");
    all.extend(probe.search(
        "cn=plugins,cn=config",
        "sub",
        "(|(objectClass=nsSlapdPlugin)(objectClass=nsIndex))",
    ));
    all.extend(probe.search("cn=schema", "base", "(objectClass=*)"));
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
    let index = "cn=mgrpRFC822MailMember,cn=index,cn=userRoot,cn=ldbm database,cn=plugins,cn=config";
    installation
        .probe()
        .modify(&format!("dn: {index}\nchangetype: modify\ndelete: nsIndexType\nnsIndexType: sub\n"));
    installation.probe().modify("dn: ou=Groups,dc=example,dc=com\nchangetype: modify\ndelete: aci\n");
    let repaired = installation.init(&[]).expect_success();
    // A task rebuilds an index; the task is an entry as well, for a while.
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
    let probe = installation.probe();
    assert!(probe.accepts_bind(service, "service-password"));
    let admin = "mail=admin@example.com,ou=default,ou=People,dc=example,dc=com";
    // It reads users but no passwords, and cannot remove a user that no purge has claimed.
    let read = probe.search_as(service, "service-password", admin, "(userPassword=*)").expect_success();
    assert!(!read.stdout.contains("userPassword"), "{read:?}");
    let delete = format!("dn: {admin}\nchangetype: delete\n");
    let refused = probe.modify_as(service, "service-password", &delete);
    assert_eq!(refused.code, 50, "{refused:?}");
    let own_rights = format!("dn: {service}\nchangetype: modify\nreplace: description\ndescription: x\n");
    assert_eq!(probe.modify_as(service, "service-password", &own_rights).code, 50);
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
    // A missing file is created, readable only by its owner.
    let file = installation.file("admin-password");
    let arguments = [&arguments[..], &["--admin-password-file", file.to_str().unwrap()]].concat();
    installation.pbm(&config, &arguments).expect_success();
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let password = std::fs::read_to_string(&file).unwrap();
    let admin = "mail=admin@example.com,ou=default,ou=People,dc=example,dc=com";
    assert!(installation.probe().accepts_bind(admin, password.trim()));
    // A second run keeps it, and neither requires another one nor creates an unused file.
    let other = installation.file("other-password");
    let changed = [&arguments[..5], &["--admin-password-file", other.to_str().unwrap()]].concat();
    for arguments in [&arguments[..], &arguments[..5], &changed] {
        installation.pbm(&config, arguments).expect_success();
        assert!(installation.probe().accepts_bind(admin, password.trim()));
        assert!(!other.exists());
    }
    // When there is no super administrator any more, one is created.
    installation.probe().delete(admin);
    let without = installation.pbm(&config, &arguments[..5]).expect_failure();
    assert!(without.stderr.contains("--admin-password-file"), "{without:?}");
    installation.pbm(&config, &changed).expect_success();
    assert!(installation.probe().accepts_bind(admin, std::fs::read_to_string(&other).unwrap().trim()));
}

fn domains() {
    let installation = Installation::start(BARE);
    let manager = installation.directory.manager_password_file();
    let admin = installation.file("admin");
    let init = |more: &[&str]| {
        let begin = ["init", "--manager-password-file", manager.to_str().unwrap()];
        let arguments = [&begin[..], &["--admin-password-file", admin.to_str().unwrap()], more].concat();
        installation.pbm(&installation.usual_config(), &arguments)
    };
    let served = || {
        let tenant = installation.probe().entry("ou=default,ou=Domains,dc=example,dc=com").unwrap();
        tenant.all("associatedDomain").iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for wrong in [&[][..], &["--dry-run"], &["--domain", "no domain"]] {
        let refused = init(wrong).expect_failure();
        assert!(refused.stderr.contains("--domain"), "{refused:?}");
    }
    assert!(!admin.exists());
    // A dry run needs no password and creates no file.
    init(&["--domain", "example.com", "--dry-run"]).expect_success();
    assert!(!admin.exists());
    init(&["--domain", "example.com"]).expect_success();
    let again = init(&[]).expect_success();
    assert!(again.stderr.contains("nothing to change") && !again.stderr.contains("domain"), "{again:?}");
    assert_eq!(served(), ["example.com"]);

    let told = "one domain more: other.test, beside example.com";
    let dry = init(&["--domain", "other.test", "--dry-run"]).expect_success();
    assert!(dry.stderr.contains(&format!("would serve {told}")), "{dry:?}");
    assert_eq!(served(), ["example.com"]);
    let more = init(&["--domain", "other.test"]).expect_success();
    assert!(more.stderr.contains(&format!("serves {told}")), "{more:?}");
    assert_eq!(served(), ["example.com", "other.test"]);
    installation.create_tenant("acme", "acme.test");
    let taken = init(&["--domain", "acme.test"]).expect_failure();
    assert!(taken.stderr.contains("the tenant acme serves it already"), "{taken:?}");
    assert_eq!(served(), ["example.com", "other.test"]);
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
    for words in ["cn=Directory Manager", "--manager-dn", "--manager-password-file", "PBM_MANAGER_PASSWORD"] {
        assert!(refused.stderr.contains(words), "{refused:?}");
    }
    // Running it again does not help, and the accounts of the configuration are not involved.
    assert!(!refused.stderr.contains("pbm init") && !refused.stderr.contains("out of reach"), "{refused:?}");
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    assert_eq!(look(&installation), before);
    assert!(!file.exists(), "a password of nobody");
}

const REFERENTIAL_INTEGRITY: &str = "cn=referential integrity postoperation,cn=plugins,cn=config";
const SCOPE: &str = "nsslapd-pluginContainerScope";

const MEMBER_OF: &str = "cn=MemberOf Plugin,cn=plugins,cn=config";

fn with_member_of() {
    let installation = Installation::start(Setup { without_redis: true, ..Setup::default() });
    let config = installation.usual_config();
    let is_told =
        |finished: &harness::Finished| finished.output().contains("to add 10,000 members takes 42 s");
    let checked = installation.pbm(&config, &["check"]).expect_success();
    assert!(!is_told(&checked), "{checked:?}");
    let turned_on = installation.init(&["--with-member-of"]).expect_success();
    assert!(is_told(&turned_on), "{turned_on:?}");
    let probe = installation.probe();
    let plugin = probe.entry(MEMBER_OF).unwrap();
    assert_eq!([plugin.one("nsslapd-pluginEnabled"), plugin.one("memberOfGroupAttr")], ["on", "member"]);
    let index = "cn=memberOf,cn=index,cn=userRoot,cn=ldbm database,cn=plugins,cn=config";
    assert_eq!(probe.entry(index).unwrap().one("nsIndexType"), "eq");
    let checked = installation.pbm(&config, &["check"]).expect_success();
    assert!(is_told(&checked), "{checked:?}");
    // A later run leaves it on.
    let again = installation.init(&[]).expect_success();
    assert!(again.stderr.contains("nothing to change") && is_told(&again), "{again:?}");
    probe.modify(
        "dn: mail=all@example.com,ou=default,ou=Groups,dc=example,dc=com\nchangetype: add\n\
         objectClass: groupOfNames\nobjectClass: mailGroup\nobjectClass: pbmMailList\n\
         mail: all@example.com\ncn: All\ndisplayName: All\n\
         member: mail=admin@example.com,ou=default,ou=People,dc=example,dc=com\n",
    );
    let members_lists = probe.user("admin@example.com");
    assert_eq!(
        members_lists.one("memberOf").to_lowercase(),
        "mail=all@example.com,ou=default,ou=groups,dc=example,dc=com"
    );
}

fn scope_of_others() {
    let scope = |installation: &Installation| -> Vec<String> {
        let plugin = installation.probe().entry(REFERENTIAL_INTEGRITY).unwrap();
        plugin.all(SCOPE).iter().map(ToString::to_string).collect()
    };
    let told = "Each rename searches everybody";
    let installation = Installation::start(BARE);
    let first = installation.init(&[]).expect_success();
    assert!(!first.stderr.contains(told), "{first:?}");
    assert_eq!(scope(&installation), ["ou=Groups,dc=example,dc=com"]);

    assert_eq!(installation.probe().entry(MEMBER_OF).unwrap().one("nsslapd-pluginEnabled"), "off");
    assert!(!first.stderr.contains("memberOf is on"), "{first:?}");
    installation.probe().replace(MEMBER_OF, "nsslapd-pluginEnabled", &["on"]);
    // It takes effect at the next start, and is shown at once.
    assert!(!first.stderr.contains("nsslapd-threadnumber"), "{first:?}");
    installation.probe().replace("cn=config", "nsslapd-threadnumber", &["16"]);
    let second = installation.init(&[]).expect_success();
    assert!(second.stderr.contains("memberOf is on"), "{second:?}");
    assert!(second.stderr.contains("with 16 threads"), "{second:?}");

    let installation = Installation::start(BARE);
    installation.probe().replace(REFERENTIAL_INTEGRITY, "nsslapd-pluginEnabled", &["on"]);
    for _ in 0..2 {
        let told_so = installation.init(&[]).expect_success();
        assert!(told_so.stderr.contains(told), "{told_so:?}");
        assert_eq!(scope(&installation), [""; 0]);
    }
    installation.probe().replace(REFERENTIAL_INTEGRITY, SCOPE, &["dc=example,dc=com"]);
    let third = installation.init(&[]).expect_success();
    assert!(!third.stderr.contains(told), "{third:?}");
    assert_eq!(scope(&installation), ["dc=example,dc=com"]);
}

/// Makes the back end read-only, or writable again.
fn set_read_only(installation: &Installation, value: &str) {
    let backend = "cn=userRoot,cn=ldbm database,cn=plugins,cn=config";
    let change =
        format!("dn: {backend}\nchangetype: modify\nreplace: nsslapd-readonly\nnsslapd-readonly: {value}\n");
    installation.probe().modify(&change);
}

fn read_only_for_a_while() {
    let installation = Installation::start(BARE);
    // The state during a task of the server, and on LMDB for a moment after its end.
    let while_read_only = |command: &(dyn Fn() -> harness::Finished + Sync)| {
        set_read_only(&installation, "on");
        let finished = thread::scope(|scope| {
            let command = scope.spawn(command);
            // It reports the wait after one second; a busy machine needs longer to get there.
            thread::sleep(Duration::from_secs(5));
            assert!(!command.is_finished(), "it does not wait");
            set_read_only(&installation, "off");
            command.join().unwrap()
        });
        let finished = finished.expect_success();
        assert_eq!(
            finished.stderr.matches("The directory takes no writes; waiting").count(),
            1,
            "{finished:?}"
        );
        finished
    };
    let prepared = while_read_only(&|| installation.init(&[]));
    assert!(prepared.stdout.contains("made the first super administrator"), "{prepared:?}");
    let config = installation.usual_config();
    while_read_only(&|| installation.pbm(&config, &["tenant", "create", "acme", "--domain", "acme.test"]));
    let people = installation.file("people.csv");
    std::fs::write(&people, "mail;userPassword;employeeNumber;cn;sn\nivan@acme.test;Correct-Horse-7;2;I;P\n")
        .unwrap();
    let import = ["import-users", people.to_str().unwrap(), "--tenant", "acme"];
    while_read_only(&|| installation.pbm(&config, &import));
    let backup = installation.file("backup.ldif");
    installation.pbm(&config, &["backup", "--output", backup.to_str().unwrap()]).expect_success();
    installation.probe().delete("mail=ivan@acme.test,ou=acme,ou=People,dc=example,dc=com");
    let restored = while_read_only(&|| installation.pbm(&config, &["restore", backup.to_str().unwrap()]));
    assert!(restored.stderr.contains("1 added"), "{restored:?}");

    // A request over HTTP does not wait.
    set_read_only(&installation, "on");
    let serve = start_serve(&config, &[]);
    let client = serve.client().behind(harness::ALLOWED_ADDRESS);
    let refused = client.patch("/v2/users/acme/ivan@acme.test", "title=Chief").expect(503);
    assert!(refused.text().contains("nothing was changed"), "{refused:?}");
}
