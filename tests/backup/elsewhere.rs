//! Files from other tools.

use crate::fixture::{Fixture, ROOT, config_folder};
use harness::{program, run_program};
use std::{fs, path::PathBuf};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("what_ldapsearch_prints_is_restored", ldapsearch),
    ("what_ldapsearch_prints_of_everything_is_restored_with_passwords", ldapsearch_as_manager),
    ("a_mirror_of_what_ldapsearch_finds_leaves_what_it_hides", mirror_of_a_search),
    ("what_db2ldif_writes_is_restored", db2ldif),
    ("what_db2ldif_writes_of_a_replica_is_what_it_is", db2ldif_of_a_replica),
    ("children_before_their_parents_are_sorted", reversed),
];

fn search(here: &Fixture, more: &[&str]) -> PathBuf {
    let server = &here.installation.directory;
    let password = server.manager_password_file().to_str().unwrap();
    let url = server.url();
    let arguments = ["-x", "-H", &url, "-D", server.manager_dn(), "-y", password, "-b", ROOT];
    let found = run_program(&program("ldapsearch"), arguments.iter().chain(more), &[], "").expect_success();
    let file = here.file("search.ldif");
    fs::write(&file, found.stdout).unwrap();
    file
}

/// Includes entries that a search finds only by their class, such as password policies.
const EVERYTHING: &str = "(|(objectClass=*)(objectClass=ldapsubentry))";

/// With comments, folded lines, and trailing lines, as the guide saves a directory.
fn ldapsearch() {
    let here = Fixture::filled();
    let file = search(&here, &[EVERYTHING, "*"]);
    assert!(fs::read_to_string(&file).unwrap().contains("\nresult: 0 Success"));
    let there = Fixture::bare();
    let done = there.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains("0 refused"), "{}", done.stderr);
    // The search did not return locks and access rules: locked users are locked again, and nothing else is known.
    there.assert_is_as(&file);
    there.assert_passwords_count();
    // Nothing that the file does not mention is removed.
    here.pbm("restore", &file, &["--existing", "update"]).expect_success();
    here.assert_passwords_count();
    assert!(!here.installation.probe().search_with(&["aci"], ROOT, "base", "(aci=*)").is_empty());
}

fn ldapsearch_as_manager() {
    let here = Fixture::filled();
    let file = search(&here, &["-LLL", "-o", "ldif-wrap=no", EVERYTHING, "*", "+", "aci", "nsAccountLock"]);
    let there = Fixture::bare();
    there.pbm("restore", &file, &[]).expect_success();
    there.assert_same_as(&here);
    let ours = here.back_up("ours.ldif");
    here.pbm("diff", &ours, &[file.to_str().unwrap()]).expect_success();
    here.pbm("diff", &file, &[ours.to_str().unwrap()]).expect_success();
}

/// A search for every object class does not return password policies, roles and similar entries.
fn mirror_of_a_search() {
    let here = Fixture::filled();
    let probe = here.installation.probe();
    let role = format!("cn=guests,ou=Ours,{ROOT}");
    let classes =
        ["top", "ldapSubEntry", "nsRoleDefinition", "nsSimpleRoleDefinition", "nsManagedRoleDefinition"];
    let classes = classes.map(|class| format!("objectClass: {class}\n")).concat();
    probe.modify(&format!("dn: {role}\nchangetype: add\n{classes}"));
    let policy = format!("cn=pbm,cn=nsPwPolicyContainer,ou=System,{ROOT}");
    let is_there = |dn: &str| !probe.search(dn, "base", EVERYTHING).is_empty();
    assert!(is_there(&role) && is_there(&policy));
    let file = search(&here, &["(objectClass=*)", "*", "+", "aci"]);
    let extra = format!("ou=New,{ROOT}");
    let unit = "changetype: add\nobjectClass: organizationalUnit";
    probe.modify(&format!("dn: {extra}\n{unit}\n"));
    let diff = here.pbm("diff", &file, &[]);
    assert!(
        diff.stderr.contains(" 0 different, 0 only in the file, 1 only in the directory,"),
        "{}",
        diff.output()
    );
    let mirror = ["--existing", "update", "--mirror", "--yes"];
    let done = here.pbm("restore", &file, &mirror).expect_success();
    assert!(done.stderr.contains(" 1 removed,"), "{}", done.stderr);
    assert!(is_there(&role) && is_there(&policy) && !is_there(&extra));
    // A file with hidden entries includes them; pbm's own policy is kept in any case.
    let all =
        std::fs::read_to_string(search(&here, &["-o", "ldif-wrap=no", EVERYTHING, "*", "+", "aci"])).unwrap();
    let other = format!("dn: cn=others,ou=Ours,{ROOT}\n{classes}cn: others\n\n");
    let is_kept = |record: &&str| {
        !record.contains(&role) && !record.contains("nsPwPolicyContainer,ou=System,dc=example,dc=com\n")
    };
    let kept: Vec<_> = all.split("\n\n").filter(is_kept).collect();
    let file = here.written("without.ldif", format!("{other}{}\n", kept.join("\n\n")));
    let done = here.pbm("restore", &file, &mirror);
    assert!(done.stderr.contains(" 1 added,") && done.stderr.contains(" 1 removed,"), "{}", done.stderr);
    assert!(!is_there(&role) && is_there(&policy));
    here.installation.pbm(&here.installation.usual_config(), &["check"]).expect_success();
}

/// Exports the database of a server to a file.
fn written_by_server(here: &mut Fixture, more: &[&str]) -> PathBuf {
    let file = here.file("db2ldif.ldif");
    here.installation.directory.stop();
    let folder = config_folder(&here.installation.directory);
    let arguments =
        ["db2ldif", "-D", folder.to_str().unwrap(), "-n", "userRoot", "-a", file.to_str().unwrap()];
    run_program(&program("ns-slapd"), arguments.iter().chain(more), &[], "").expect_success();
    here.installation.directory.start_again().unwrap();
    file
}

fn db2ldif() {
    let mut here = Fixture::filled();
    let ours = here.back_up("ours.ldif");
    let file = written_by_server(&mut here, &[]);
    assert!(fs::read_to_string(&file).unwrap().contains("nsUniqueId"));
    let there = Fixture::bare();
    there.pbm("restore", &file, &[]).expect_success();
    there.assert_same_as(&here);
    there.assert_is_as(&ours);
    there.assert_passwords_count();
}

/// With replication metadata: the time of each value, and removed values.
fn db2ldif_of_a_replica() {
    let mut here = Fixture::empty();
    let probe = here.installation.probe();
    probe.modify(&format!(
        "dn: cn=replica,cn={},cn=mapping tree,cn=config\nchangetype: add\nobjectClass: nsDS5Replica\n\
         nsDS5ReplicaRoot: {ROOT}\nnsDS5ReplicaId: 7\nnsDS5ReplicaType: 3\nnsDS5Flags: 1\n\
         nsDS5ReplicaBindDN: cn=replication manager,cn=config\n",
        ROOT.replace('=', "\\3D").replace(',', "\\2C")
    ));
    here.fill();
    let dn = format!("mail=u2@example.com,ou=default,ou=People,{ROOT}");
    probe.replace(&dn, "title", &["Другой"]);
    probe.replace(&dn, "title", &[]);
    probe.replace(&dn, "description", &["a", "b"]);
    probe.replace(&dn, "description", &["b", "c"]);
    probe.replace(&dn, "userPassword", &[crate::fixture::PASSWORD]);
    probe.delete(&format!("mail=u4@example.com,ou=default,ou=People,{ROOT}"));
    probe.modify(&format!(
        "dn: cn=old,ou=CAB,{ROOT}
changetype: add
objectClass: person
cn: old
sn: x
"
    ));
    probe.rename(&format!("cn=old,ou=CAB,{ROOT}"), "cn=new", None);
    let ours = here.back_up("ours.ldif");
    let file = written_by_server(&mut here, &["-r"]);
    let text = fs::read_to_string(&file).unwrap();
    for part in [";vucsn-", ";deleted", ";deletedattribute", "nsTombstone", "cenotaphID="] {
        assert!(text.contains(part), "{part}");
    }
    here.assert_is_as(&file);
    let tried = here.pbm("restore", &file, &["--dry-run"]).expect_success();
    assert!(
        tried.stderr.contains("0 would be added, 0 would be updated")
            && tried.stderr.contains(" 0 different"),
        "{}",
        tried.output()
    );
    for (one, two) in [(&ours, &file), (&file, &ours)] {
        here.pbm("diff", one, &[two.to_str().unwrap()]).expect_success();
    }
    let there = Fixture::bare();
    there.pbm("restore", &file, &[]).expect_success();
    there.assert_is_as(&ours);
    there.assert_passwords_count();
}

fn reversed() {
    let here = Fixture::filled();
    let ours = here.back_up("ours.ldif");
    let text = fs::read_to_string(&ours).unwrap();
    let mut records: Vec<_> = text.trim().split("\n\n").filter(|record| record.starts_with("dn:")).collect();
    records.reverse();
    let file = here.file("reversed.ldif");
    fs::write(&file, records.join("\n\n")).unwrap();
    let there = Fixture::bare();
    let done = there.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains("0 refused"), "{}", done.stderr);
    there.assert_is_as(&ours);
    there.assert_same_as(&here);
}
