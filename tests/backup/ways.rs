//! The modes of a restore: keep, update, mirror, dry run.

use crate::fixture::{Fixture, ROOT, client_of};
use harness::soon;
use std::fs;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("keep_adds_what_is_missing_and_tells_each_difference", keep),
    ("update_brings_back_what_was_changed", update),
    ("mirror_removes_what_the_file_lacks_and_asks_first", mirror),
    ("a_dry_run_plans_what_a_run_then_does", dry_run),
    ("addresses_that_were_exchanged_find_their_way_back", exchanged),
    ("a_file_of_another_root_is_named_and_can_be_rebased", rebase),
    ("the_passwords_of_our_own_accounts_stay", own_accounts),
    ("a_deleted_user_stays_deleted_and_can_be_restored", deleted),
];

/// A fixture, its backup, and some changes after it: one user changed, one deleted, one created.
fn changed() -> (Fixture, std::path::PathBuf) {
    let here = Fixture::filled();
    let file = here.back_up("before.ldif");
    let probe = here.installation.probe();
    probe.replace(&user("u2@example.com"), "title", &["Другой"]);
    probe.delete(&user("u4@example.com"));
    probe.modify(&crate::fixture::user("default", "example.com", 1000));
    (here, file)
}

fn user(mail: &str) -> String {
    format!("mail={mail},ou=default,ou=People,{ROOT}")
}

fn keep() {
    let (here, file) = changed();
    let done = here.pbm("restore", &file, &["--verbose"]).expect_success();
    assert!(
        done.stderr.contains(" 1 added, 0 updated,") && done.stderr.contains(" 1 different, 0 refused"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.ends_with(
            "Entries that differ were not changed: --existing update changes them to match the file.\n"
        ),
        "{}",
        done.stderr
    );
    // As comments, so that ldapmodify would change nothing.
    assert!(
        done.stdout.contains("# dn: mail=u2@example.com") && done.stdout.contains("# replace: title"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("dn: mail=u4@example.com") && done.stdout.contains("changetype: add"));
    assert!(
        !done.output().contains("PBKDF2") && !done.output().contains("userPassword: {"),
        "a hash is shown"
    );
    let probe = here.installation.probe();
    assert_eq!(probe.user("u2@example.com").one("title"), "Другой");
    assert_eq!(probe.user("u4@example.com").one("title"), "Директор 4");
    probe.user("u1000@example.com");
    // The second time there is one entry less to add.
    let again = here.pbm("restore", &file, &[]).expect_success();
    assert!(again.stderr.contains(" 0 added,") && again.stderr.contains(" 1 different"), "{}", again.stderr);
    assert_eq!(again.stdout, "");
    let advice = "--verbose shows the differences, and --existing update changes them to match the file.\n";
    assert!(again.stderr.ends_with(advice), "{}", again.stderr);
    let diff = here.pbm("diff", &file, &[]);
    assert_eq!(diff.code, 1);
    assert!(diff.stdout.contains("dn: mail=u1000@example.com") && diff.stdout.contains("changetype: delete"));
}

fn update() {
    let (here, file) = changed();
    let probe = here.installation.probe();
    // Data that the file lacks is removed, and data that it has is restored: values, whole attributes, locks,
    // passwords.
    probe.replace(&user("u6@example.com"), "description", &["neu"]);
    probe.replace(&user("u8@example.com"), "mailAlternateAddress", &[]);
    probe.replace(&user("u0@example.com"), "nsAccountLock", &[]);
    probe.replace(&user("u10@example.com"), "userPassword", &["Another-Horse-8"]);
    // The marker that invalidates tokens differs each time and is in no file: it is not printed.
    for (command, more) in [("diff", &[][..]), ("restore", &["--existing", "update", "--dry-run"])] {
        let once = here.pbm(command, &file, more);
        assert!(once.stdout.contains("replace: userPassword"), "{}", once.stdout);
        assert!(!once.stdout.contains("pbmTokensValidFrom"), "{}", once.stdout);
    }
    let mark = || probe.user("u10@example.com").one("pbmTokensValidFrom").to_owned();
    let before = mark();
    let done = here.pbm("restore", &file, &["--existing", "update", "--verbose"]).expect_success();
    assert!(!done.stdout.contains("pbmTokensValidFrom") && mark() > before, "{}", done.stdout);
    assert!(!done.stderr.contains("--existing update"), "{}", done.stderr);
    assert!(
        done.stderr.contains(" 1 added, 5 updated,") && done.stderr.contains(" 0 refused"),
        "{}",
        done.stderr
    );
    assert!(probe.accepts_bind(&user("u10@example.com"), harness::PASSWORD));
    here.assert_passwords_count();
    probe.delete(&user("u1000@example.com"));
    here.assert_is_as(&file);
}

fn mirror() {
    let (here, file) = changed();
    let probe = here.installation.probe();
    probe.modify(&format!("dn: ou=New,{ROOT}\nchangetype: add\nobjectClass: organizationalUnit\n\ndn: ou=Newer,ou=New,{ROOT}\nchangetype: add\nobjectClass: organizationalUnit\n"));
    let unasked = here.pbm("restore", &file, &["--mirror"]);
    assert_eq!(unasked.code, 2, "{}", unasked.output());
    probe.user("u1000@example.com");
    let tried =
        here.pbm("restore", &file, &["--existing", "update", "--mirror", "--dry-run"]).expect_success();
    assert!(tried.stderr.contains("3 would be removed"), "{}", tried.stderr);
    let order = ["ou=Newer,ou=New", "ou=New,"].map(|name| tried.stdout.find(&format!("dn: {name}")).unwrap());
    assert!(order[0] < order[1], "{}", tried.stdout);
    probe.user("u1000@example.com");
    let done = here.pbm("restore", &file, &["--existing", "update", "--mirror", "--yes"]).expect_success();
    assert!(done.stderr.contains(" 1 added, 1 updated, 3 removed,"), "{}", done.stderr);
    here.assert_is_as(&file);
    // Even if the file lacks them, the folders and accounts that pbm needs are kept.
    let one = here.file("one.ldif");
    fs::write(&one, format!("dn: {}\nobjectClass: top\n", user("u2@example.com"))).unwrap();
    here.pbm("restore", &one, &["--mirror", "--yes"]);
    here.installation.init(&[]).expect_success();
    let serve = here.serve();
    client_of(&serve).get("/v2/users/default").expect(200);
}

fn dry_run() {
    let (here, file) = changed();
    let copy = Fixture::filled();
    let plan = here.pbm("restore", &file, &["--existing", "update", "--dry-run"]).expect_success();
    let before = here.back_up("unchanged.ldif");
    assert!(plan.stderr.contains("nothing was written"), "{}", plan.stderr);
    let done = here.pbm("restore", &file, &["--existing", "update", "--verbose"]).expect_success();
    let sorted = |text: &str| {
        let mut records: Vec<_> = text.split("\n\n").map(|record| record.trim().to_owned()).collect();
        records.sort_unstable();
        records
    };
    assert_eq!(sorted(&plan.stdout), sorted(&done.stdout));
    // The plan of a restore that only adds entries is LDIF for other tools.
    let empty = Fixture::bare();
    drop(copy);
    let plan = empty.pbm("restore", &before, &["--dry-run"]).expect_success();
    assert!(plan.stdout.contains("changetype: add") && !plan.stdout.contains("PBKDF2"));
    assert!(empty.installation.probe().find("(mail=u2@example.com)").is_empty());
    let count = |text: &str| text.matches("changetype: add").count();
    let done = empty.pbm("restore", &before, &["--verbose"]).expect_success();
    assert_eq!(count(&plan.stdout), count(&done.stdout));
}

fn exchanged() {
    let here = Fixture::filled();
    let file = here.back_up("before.ldif");
    let probe = here.installation.probe();
    let (one, other) = (user("u2@example.com"), user("u4@example.com"));
    probe.replace(&one, "mailAlternateAddress", &[]);
    probe.replace(&other, "mailAlternateAddress", &["alias.2@example.com"]);
    probe.replace(&one, "mailAlternateAddress", &["alias.4@example.com"]);
    // The address of a deleted user belongs to a new one.
    probe.delete(&user("u6@example.com"));
    probe.replace(&user("u8@example.com"), "mailAlternateAddress", &["u6@example.com"]);
    let kept = here.pbm("restore", &file, &[]);
    assert_eq!(kept.code, 1, "{}", kept.output());
    assert!(kept.stderr.contains("another entry has u6@example.com"), "{}", kept.stderr);
    let done = here.pbm("restore", &file, &["--existing", "update"]).expect_success();
    assert!(done.stderr.contains(" 1 added, 3 updated,"), "{}", done.stderr);
    here.assert_is_as(&file);
}

fn rebase() {
    let here = Fixture::filled();
    let file = here.back_up("here.ldif");
    let other = fs::read_to_string(&file).unwrap().replace("\n ", "").replace(ROOT, "dc=old,dc=test");
    // Names in base64 have the old root too.
    let moved = here.file("old.ldif");
    fs::write(&moved, other).unwrap();
    let there = Fixture::bare();
    let refused = there.pbm("restore", &moved, &["--force"]).expect_failure();
    assert!(
        refused.stderr.contains("dc=old,dc=test") && refused.stderr.contains("--rebase"),
        "{}",
        refused.stderr
    );
    for rebase in ["--rebase", "--rebase=dc=old,dc=test"] {
        there.pbm("restore", &moved, &["--force", rebase]).expect_success();
    }
    assert_eq!(
        there.installation.probe().find_one("(mail=all@acme.test)").all("member").len(),
        here.installation.probe().find_one("(mail=all@acme.test)").all("member").len()
    );
    there.assert_passwords_count();
    there.assert_is_as(&file);
}

fn own_accounts() {
    let here = Fixture::empty();
    let file = here.back_up("before.ldif");
    let config = here.installation.config("new.toml", &[("ldap.bind_password", "\"another-password\"")]);
    let password = here.installation.directory.manager_password_file().to_str().unwrap().to_owned();
    let init = ["init", "--domain", "example.com", "--manager-password-file", &password];
    let environment = [("PBM_ADMIN_PASSWORD", "Super-Secret-1")];
    let arguments = init.iter().copied().chain(["--config", config.to_str().unwrap()]);
    harness::run_program(harness::pbm(), arguments, &environment, "").expect_success();
    here.pbm("restore", &file, &["--existing", "update"]).expect_success();
    here.installation.pbm(&config, &["check"]).expect_success();
    here.assert_is_as(&file);
}

fn deleted() {
    let here = Fixture::filled();
    let file = here.back_up("all.ldif");
    let there = Fixture::bare();
    there.pbm("restore", &file, &[]).expect_success();
    let serve = there.serve();
    let client = client_of(&serve);
    client.get("/v2/users/default/u0@example.com").expect(404);
    client.restore("/v2/users/default/u0@example.com").expect_success();
    soon("it is back", || client.get("/v2/users/default/u0@example.com").status == 200);
    let dn = user("u0@example.com");
    assert!(there.installation.probe().accepts_bind(&dn, harness::PASSWORD));
}
