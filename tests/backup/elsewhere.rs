//! Files that other tools wrote.

use crate::scene::{ROOT, Scene, config_folder};
use harness::{program, run_program};
use std::{fs, path::PathBuf};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("what_ldapsearch_prints_is_restored", ldapsearch),
    ("what_ldapsearch_prints_of_everything_is_restored_with_passwords", ldapsearch_as_manager),
    ("what_db2ldif_writes_is_restored", db2ldif),
    ("children_before_their_parents_are_sorted", reversed),
];

fn search(here: &Scene, more: &[&str]) -> PathBuf {
    let server = &here.installation.directory;
    let password = server.manager_password_file().to_str().unwrap();
    let url = server.url();
    let arguments = ["-x", "-H", &url, "-D", server.manager_dn(), "-y", password, "-b", ROOT];
    let found = run_program(&program("ldapsearch"), arguments.iter().chain(more), &[], "").expect_success();
    let file = here.file("search.ldif");
    fs::write(&file, found.stdout).unwrap();
    file
}

/// With comments, folded lines, and the lines at its end, as the guide saves a directory.
fn ldapsearch() {
    let here = Scene::filled();
    let file = search(&here, &["(objectClass=*)", "*"]);
    assert!(fs::read_to_string(&file).unwrap().contains("\nresult: 0 Success"));
    let there = Scene::bare();
    let done = there.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains("0 refused"), "{}", done.stderr);
    // Locks and access rules were not asked for: those who were locked are so again, and nothing else is known.
    there.assert_is_as(&file);
    there.assert_passwords_count();
    // And nothing that the file does not speak of is taken away.
    here.pbm("restore", &file, &["--existing", "update"]).expect_success();
    here.assert_passwords_count();
    assert!(!here.installation.eye().search_with(&["aci"], ROOT, "base", "(aci=*)").is_empty());
}

fn ldapsearch_as_manager() {
    let here = Scene::filled();
    let file =
        search(&here, &["-LLL", "-o", "ldif-wrap=no", "(objectClass=*)", "*", "+", "aci", "nsAccountLock"]);
    let there = Scene::bare();
    there.pbm("restore", &file, &[]).expect_success();
    there.assert_same_as(&here);
    let ours = here.back_up("ours.ldif");
    here.pbm("diff", &ours, &[file.to_str().unwrap()]).expect_success();
    here.pbm("diff", &file, &[ours.to_str().unwrap()]).expect_success();
}

fn db2ldif() {
    let mut here = Scene::filled();
    let ours = here.back_up("ours.ldif");
    let file = here.file("db2ldif.ldif");
    here.installation.directory.stop();
    let folder = config_folder(&here.installation.directory);
    let arguments =
        ["db2ldif", "-D", folder.to_str().unwrap(), "-n", "userRoot", "-a", file.to_str().unwrap()];
    run_program(&program("ns-slapd"), arguments, &[], "").expect_success();
    here.installation.directory.start_again().unwrap();
    assert!(fs::read_to_string(&file).unwrap().contains("nsUniqueId"));
    let there = Scene::bare();
    there.pbm("restore", &file, &[]).expect_success();
    there.assert_same_as(&here);
    there.assert_is_as(&ours);
    there.assert_passwords_count();
}

fn reversed() {
    let here = Scene::filled();
    let ours = here.back_up("ours.ldif");
    let text = fs::read_to_string(&ours).unwrap();
    let mut records: Vec<_> = text.trim().split("\n\n").filter(|record| record.starts_with("dn:")).collect();
    records.reverse();
    let file = here.file("reversed.ldif");
    fs::write(&file, records.join("\n\n")).unwrap();
    let there = Scene::bare();
    let done = there.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains("0 refused"), "{}", done.stderr);
    there.assert_is_as(&ours);
    there.assert_same_as(&here);
}
