//! Writes whose outcome is unknown at first: connections that break or fall silent in the middle of a write.

use crate::{
    gate::{Fault, Gate},
    site::{client_of, user_ldif},
};
use harness::{BUSY, Client, Installation, Probe, Setup, World, form, ldif_line, start_serve};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

harness::trials! { "doubt":
    a_write_has_time_by_its_size,
    a_restore_goes_on_after_connections_that_break_in_the_middle_of_a_write,
    a_restore_goes_on_after_a_write_that_falls_silent,
    a_restored_list_is_not_seen_before_it_is_complete,
}

const USERS: usize = 200;
/// Members of a list that takes several operations.
const MEMBERS: usize = 12_000;
/// Longer than the time limit of small operations in these trials, and shorter than that of a thousand values.
const SILENCE: Duration = Duration::from_secs(3);
const SHORT_TIMEOUT: (&str, &str) = ("ldap.operation_timeout", "\"1s\"");

fn installation() -> Installation {
    Installation::start(Setup { without_redis: true, ..Setup::default() })
}

/// A configuration that reaches the directory through the gate.
fn behind(installation: &Installation, gate: &Gate, more: &[(&str, &str)]) -> PathBuf {
    let urls = format!("[\"{}\"]", gate.url());
    installation.config("gate.toml", &[&[("ldap.urls", urls.as_str())], more].concat())
}

fn outside(number: usize) -> String {
    format!("m{number:05}@outside.example")
}

fn a_write_has_time_by_its_size(_: &World) {
    let installation = installation();
    let gate = Gate::before(&installation.directory.url());
    let serve = start_serve(&behind(&installation, &gate, &[SHORT_TIMEOUT]), &[]);
    let client = client_of(&serve);
    let list = [("mail", "all@example.com"), ("displayName", "All"), ("alias", "first@outside.example")];
    client.post("/v2/maillists?tenant-id=default", &form(&list)).expect_success();
    let add = |client: &Client, members: std::ops::Range<usize>| {
        let members: Vec<_> = members.map(outside).collect();
        let began = Instant::now();
        let change = form(&[("mail", "all@example.com"), ("alias", &members.join(","))]);
        (client.put("/v2/maillists?tenant-id=default", &change), began.elapsed())
    };
    gate.hold(&outside(7), SILENCE);
    let (answer, took) = add(&client, 0..1500);
    answer.expect_success();
    assert!(took >= SILENCE, "{took:?}");
    gate.hold(&outside(9999), SILENCE);
    let (answer, took) = add(&client, 9999..10_000);
    let answer = answer.expect(503);
    assert!(answer.text().contains("may"), "{answer:?}");
    assert!(took < SILENCE + BUSY, "{took:?}");
    assert_eq!(gate.faults_left(), 0);
    let shown = client.get("/v2/maillists/default/all@example.com").expect(200).json();
    assert!([1501, 1502].contains(&shown["members"].as_u64().unwrap()), "{}", shown["members"]);
}

/// Users, and a list that takes several operations.
fn file(installation: &Installation) -> PathBuf {
    let root = installation.probe().root;
    let mut ldif = String::new();
    for number in 0..USERS {
        let user = user_ldif(&root, "default", &format!("u{number:03}"), "Restored");
        writeln!(ldif, "{}", user.replace("changetype: add\n", "")).unwrap();
    }
    let classes = ["groupOfNames", "groupOfURLs", "mailGroup", "pbmMailList"];
    writeln!(ldif, "dn: mail=all@example.com,ou=default,ou=Groups,{root}").unwrap();
    ldif.extend(classes.iter().map(|class| ldif_line("objectClass", class)));
    ldif.push_str("mail: all@example.com\ncn: All\ndisplayName: All\n");
    for number in 0..MEMBERS {
        writeln!(ldif, "member: mail=m{number:05}@example.com,ou=default,ou=People,{root}").unwrap();
    }
    let file = installation.file("restored.ldif");
    fs::write(&file, ldif).unwrap();
    file
}

fn assert_is_restored(probe: &Probe) {
    assert_eq!(probe.find("(sn=Restored)").len(), USERS);
    let list = probe.find_one("(mail=all@example.com)");
    assert_eq!(list.all("member").len(), MEMBERS);
    assert_eq!(list.one("pbmPurging"), "");
}

fn a_restore_goes_on_after_connections_that_break_in_the_middle_of_a_write(_: &World) {
    let installation = installation();
    let gate = Gate::before(&installation.directory.url());
    let config = behind(&installation, &gate, &[]);
    gate.fail("mail=u010@example.com,", Fault::BrokenBefore);
    gate.fail("mail=u020@example.com,", Fault::BrokenAfter);
    // The first operation of the list, and two of the later ones.
    gate.fail("mail=all@example.com,ou=default", Fault::BrokenAfter);
    gate.fail("mail=m05000@example.com,", Fault::BrokenBefore);
    gate.fail("mail=m11000@example.com,", Fault::BrokenAfter);
    let file = file(&installation);
    let restored = installation.pbm(&config, &["restore", file.to_str().unwrap()]).expect_success();
    assert_eq!(gate.faults_left(), 0);
    let expected = format!("{} added", USERS + 1);
    assert!(restored.stderr.contains(&expected), "{restored:?}");
    assert!(restored.stderr.contains("restore.looks_again"), "{restored:?}");
    assert_is_restored(&installation.probe());
    assert_a_mirror_goes_on(&installation, &gate, &config);
}

/// Changes and removals go on in the same way.
fn assert_a_mirror_goes_on(installation: &Installation, gate: &Gate, config: &Path) {
    let (probe, changed) = (installation.probe(), user_dn(installation, 30));
    let backup = installation.file("backup.ldif");
    let to_backup = ["backup", "--output", backup.to_str().unwrap()];
    installation.pbm(&installation.usual_config(), &to_backup).expect_success();
    probe.replace(&changed, "sn", &["Changed"]);
    probe.modify(&user_ldif(&probe.root, "default", "surplus", "Surplus"));
    gate.fail("mail=u030@example.com,", Fault::BrokenAfter);
    gate.fail("mail=surplus@example.com,", Fault::BrokenAfter);
    let mirror = ["restore", backup.to_str().unwrap(), "--existing", "update", "--mirror", "--yes"];
    let mirrored = installation.pbm(config, &mirror).expect_success();
    assert_eq!(gate.faults_left(), 0);
    assert!(mirrored.stderr.contains("1 updated") && mirrored.stderr.contains("1 removed"), "{mirrored:?}");
    assert_is_restored(&probe);
    assert_eq!(probe.find("(sn=Surplus)"), []);
}

fn user_dn(installation: &Installation, number: usize) -> String {
    format!("mail=u{number:03}@example.com,ou=default,ou=People,{}", installation.probe().root)
}

fn a_restore_goes_on_after_a_write_that_falls_silent(_: &World) {
    let installation = installation();
    let gate = Gate::before(&installation.directory.url());
    let config = behind(&installation, &gate, &[SHORT_TIMEOUT]);
    gate.hold("mail=u010@example.com,", SILENCE);
    let file = file(&installation);
    let restored = installation.pbm(&config, &["restore", file.to_str().unwrap()]).expect_success();
    assert_eq!(gate.faults_left(), 0);
    assert!(restored.stderr.contains("restore.looks_again"), "{restored:?}");
    assert_is_restored(&installation.probe());
}

fn a_restored_list_is_not_seen_before_it_is_complete(_: &World) {
    let installation = installation();
    let probe = installation.probe();
    let serve = start_serve(&installation.usual_config(), &[]);
    let client = client_of(&serve);
    // As a restore leaves it that is killed after its first operation.
    let dn = format!("mail=all@example.com,ou=default,ou=Groups,{}", probe.root);
    let classes = "objectClass: groupOfNames\nobjectClass: groupOfURLs\nobjectClass: mailGroup\nobjectClass: pbmMailList\n";
    let list = "mail: all@example.com\ncn: All\ndisplayName: All\nmember: mail=m00000@example.com,ou=default,ou=People,";
    probe.modify(&format!("dn: {dn}\nchangetype: add\n{classes}{list}{}\npbmPurging: TRUE\n", probe.root));
    client.get("/v2/maillists/default/all@example.com").expect(404);
    let file = file(&installation);
    installation.pbm(&installation.usual_config(), &["restore", file.to_str().unwrap()]).expect_success();
    assert_is_restored(&probe);
    let shown = client.get("/v2/maillists/default/all@example.com").expect(200).json();
    assert_eq!(shown["members"], MEMBERS);
    // Otherwise the purge removes it.
    probe.replace(&dn, "pbmPurging", &["TRUE"]);
    installation.pbm(&installation.usual_config(), &["purge"]).expect_success();
    assert_eq!(probe.entry(&dn), None);
}
