//! A backup, and the same directory restored from it: by `pbm restore`, by `ldapadd -c`, and by `ldif2db`.

use crate::fixture::{Fixture, ROOT, config_folder};
use harness::{Installation, program, run_program};
use sandbox::Backend;
use std::{collections::HashSet, fmt::Write, fs, path::Path};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("restore_ldapadd_and_ldif2db_make_the_same_directory", three_ways),
    ("packed_backups_and_standard_output_hold_the_same", packed),
    ("a_backup_is_parents_first_and_groups_last", order),
    ("what_was_moved_to_a_younger_folder_comes_after_it", moved),
    ("a_tenant_alone_is_saved_and_restored", one_tenant),
    ("a_second_restore_has_nothing_to_do", nothing_to_do),
];

fn three_ways() {
    let here = Fixture::filled();
    let file = here.back_up("all.ldif");
    here.assert_is_as(&file);
    let restored = Fixture::bare();
    let done = restored.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains("0 refused"), "{}", done.stderr);
    restored.assert_is_as(&file);
    restored.assert_passwords_count();
    restored.assert_same_as(&here);
    let added = Fixture::bare();
    add(&added.installation, &file);
    added.assert_is_as(&file);
    added.assert_passwords_count();
    let imported = imported(&file);
    imported.assert_is_as(&file);
    imported.assert_passwords_count();
    imported.assert_same_as(&here);
    // The installation works.
    imported.installation.pbm(&imported.installation.usual_config(), &["check"]).expect_success();
}

/// Adds the entries of a file with another tool; existing entries are skipped.
fn add(installation: &Installation, file: &Path) {
    let server = &installation.directory;
    let password = server.manager_password_file().to_str().unwrap();
    let arguments = ["-c", "-x", "-H", &server.url(), "-D", server.manager_dn(), "-y", password, "-f"];
    let done = run_program(&program("ldapadd"), arguments.iter().chain([&file.to_str().unwrap()]), &[], "");
    let refusals: Vec<_> = done.stderr.lines().filter(|line| line.contains("ldap_add:")).collect();
    let unexpected = refusals.iter().filter(|line| !line.contains("Already exists"));
    assert_eq!(unexpected.collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// The exit code of an import of 389-ds that has skipped an entry.
const SKIPPED: i32 = 8;

/// A prepared installation whose database 389-ds itself loads from a file.
fn imported(file: &Path) -> Fixture {
    let mut fixture = Fixture::bare();
    let installation = &mut fixture.installation;
    installation.directory.stop();
    let folder = config_folder(&installation.directory);
    let arguments =
        ["ldif2db", "-D", folder.to_str().unwrap(), "-n", "userRoot", "-i", file.to_str().unwrap()];
    let imported = run_program(&program("ns-slapd"), arguments, &[], "");
    if imported.code != 0 {
        // On LMDB 389-ds takes the comments at the beginning and the end for entries without a DN, and warns about
        // them.
        assert_eq!(
            (imported.code, installation.directory.backend()),
            (SKIPPED, Backend::Mdb),
            "{imported:?}"
        );
        let log = fs::read_to_string(installation.directory.folder().join("log/errors")).unwrap();
        let skipped = log.lines().filter(|line| line.contains("Skipping entry"));
        assert!(skipped.clone().all(|line| line.contains("which has no DN")), "{log}");
        assert_eq!(skipped.count(), 2, "{log}");
    }
    installation.directory.start_again().unwrap();
    fixture
}

fn packed() {
    let here = Fixture::filled();
    let plain = here.back_up("a.ldif");
    for name in ["a.ldif.gz", "a.ldif.zst"] {
        let packed = here.back_up(name);
        assert!(fs::metadata(&packed).unwrap().len() * 2 < fs::metadata(&plain).unwrap().len());
        let same = here.pbm("diff", &plain, &[packed.to_str().unwrap()]).expect_success();
        assert_eq!(same.stdout, "");
        here.assert_is_as(&packed);
    }
    let output = here.installation.pbm(&here.installation.usual_config(), &["backup"]).expect_success();
    fs::write(here.file("out.ldif"), &output.stdout).unwrap();
    here.assert_is_as(&here.file("out.ldif"));
    // A user who may read the folder may not read the hashes.
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&plain).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let by_stdin = harness::run_program(
        harness::pbm(),
        ["diff", "-", "--config", here.installation.usual_config().to_str().unwrap()],
        &[],
        &output.stdout,
    );
    assert_eq!(by_stdin.code, 0, "{}", by_stdin.output());
}

/// More than the number of entries that wait in memory for their parents.
fn moved() {
    let here = Fixture::empty();
    let mut text = format!("dn: ou=Old,{ROOT}\nobjectClass: organizationalUnit\n\n");
    for number in 0..2500 {
        writeln!(text, "dn: cn=p{number},ou=Old,{ROOT}\nobjectClass: person\nsn: x\ncn: p{number}\n")
            .unwrap();
    }
    let file = here.file("people.ldif");
    fs::write(&file, text).unwrap();
    here.pbm("restore", &file, &[]).expect_success();
    let probe = here.installation.probe();
    probe.modify(&format!("dn: ou=New,{ROOT}\nchangetype: add\nobjectClass: organizationalUnit\n"));
    probe.rename(&format!("ou=Old,{ROOT}"), "ou=Old", Some(&format!("ou=New,{ROOT}")));
    let file = here.back_up("a.ldif");
    assert_parents_first(&fs::read_to_string(&file).unwrap());
    here.assert_is_as(&file);
}

fn order() {
    let here = Fixture::filled();
    let text = fs::read_to_string(here.back_up("a.ldif")).unwrap();
    let names = assert_parents_first(&text);
    let place = |name: &str| names.iter().position(|other| other.starts_with(name)).unwrap();
    assert!(place("mail=all@acme.test") > place("mail=u39@acme.test"));
    assert_eq!(names[0], ROOT);
    assert!(text.contains("userPassword: {PBKDF2"), "hashes are kept");
    for made_by_server in ["nsUniqueId", "modifyTimestamp", "entryusn", "creatorsName"] {
        // Access rules name some of them.
        let start = made_by_server.to_lowercase() + ":";
        assert!(!text.lines().any(|line| line.to_lowercase().starts_with(&start)), "{made_by_server}");
    }
}

/// The DNs of all entries, in lower case; each follows its parent.
#[track_caller]
fn assert_parents_first(text: &str) -> Vec<String> {
    let names: Vec<String> = text
        .replace("\n ", "")
        .split("\n\n")
        .filter_map(|record| {
            record.trim_start().strip_prefix("dn: ").map(|rest| rest.lines().next().unwrap().to_lowercase())
        })
        .collect();
    let mut earlier = HashSet::new();
    for name in &names {
        let parent = name.split_once(",ou=").map(|(_, parent)| format!("ou={parent}"));
        if let Some(parent) = parent.filter(|_| name.matches(',').count() > 1 && !name.contains('\\')) {
            assert!(earlier.contains(&parent), "{name} before {parent}");
        }
        earlier.insert(name.clone());
    }
    names
}

fn one_tenant() {
    let here = Fixture::filled();
    let file = here.back_up_with("acme.ldif", &["--tenant", "acme"]);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("u3@acme.test") && !text.contains("u2@example.com"));
    let there = Fixture::bare();
    there.pbm("restore", &file, &["--tenant", "acme"]).expect_success();
    there.pbm("diff", &file, &["--tenant", "acme"]).expect_success();
    assert!(there.installation.probe().find("(mail=u2@example.com)").is_empty());
    // From a backup of everything, only the entries of a tenant.
    let all = here.back_up("all.ldif");
    let again = Fixture::bare();
    let done = again.pbm("restore", &all, &["--tenant", "acme"]).expect_success();
    assert!(done.stderr.contains("left out"), "{}", done.stderr);
    again.pbm("diff", &file, &["--tenant", "acme"]).expect_success();
    let nobody = here.installation.pbm(&here.installation.usual_config(), &["backup", "--tenant", "nobody"]);
    assert!(nobody.expect_failure().stderr.contains("there is no tenant nobody"));
}

fn nothing_to_do() {
    let here = Fixture::filled();
    let file = here.back_up("a.ldif");
    for more in [&[][..], &["--existing", "update"], &["--existing", "update", "--mirror", "--yes"]] {
        let done = here.pbm("restore", &file, more).expect_success();
        assert!(
            done.stderr.contains(" 0 added, 0 updated") && done.stderr.contains(" 0 different, 0 refused"),
            "{}",
            done.stderr
        );
    }
}
