//! Conflict entries of replication, visible as in older versions of 389-ds and hidden as in newer ones: they appear in
//! no count, list, search, backup or comparison, and are named to operators. A client cannot add such an entry, so an
//! import task of the server does.

use crate::fixture::{Fixture, PASSWORD, ROOT, client_of, config_folder, super_of};
use harness::{Client, Serve, within};
use std::{
    fmt::Write,
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("conflict_entries_are_left_out_and_named", left_out_and_named),
    ("a_group_with_a_conflict_entry_in_it_is_renamed_at_once", renamed_group),
];

/// The identifiers of conflict entries are those that 389-ds would assign.
fn id(number: usize) -> String {
    format!("0f69e8d2-e82c11f1-bfa18793-{number:08x}")
}

/// The parts of both kinds of conflict entries: the contested name, the classes, and more attributes.
struct Fought<'a>(&'a str, &'a [&'a str], &'a [(&'a str, &'a str)]);

const USER: &[&str] = &["inetOrgPerson", "inetUser", "mailRecipient", "pbmUser"];
const LIST: &[&str] = &["groupOfNames", "groupOfURLs", "mailGroup", "pbmMailList"];
const FOUGHT: &[Fought<'static>] = &[
    Fought(
        "mail=u3@acme.test,ou=acme,ou=People",
        USER,
        &[("cn", "Conflict"), ("sn", "Conflict"), ("employeeNumber", "1"), ("inetUserStatus", "1")],
    ),
    Fought(
        "mail=gone@acme.test,ou=acme,ou=People",
        USER,
        &[("cn", "Gone"), ("sn", "Gone"), ("employeeNumber", "2"), ("pbmDeletedSince", "20260101000000Z")],
    ),
    Fought("mail=all@acme.test,ou=acme,ou=Groups", LIST, &[("cn", "All"), ("displayName", "Conflict")]),
    Fought(
        "mail=blue@acme.test,ou=Rooms,ou=acme,ou=Resources",
        &["pbmResource"],
        &[("displayName", "Conflict")],
    ),
    Fought("ou=Rooms,ou=acme,ou=Resources", &["organizationalUnit", "pbmResourceGroup"], &[]),
    Fought(
        "ou=acme,ou=Domains",
        &["organizationalUnit", "domainRelatedObject", "pbmTenant"],
        &[("associatedDomain", "conflict.test")],
    ),
    Fought(
        "cn=partner,ou=acme,ou=CAB",
        &["inetOrgPerson"],
        &[("sn", "Conflict"), ("mail", "p@elsewhere.example")],
    ),
];

/// Conflict entries, each in both kinds, as LDIF for an import by the server.
fn conflicts() -> String {
    let mut ldif = String::new();
    for (number, Fought(name, classes, more)) in FOUGHT.iter().enumerate() {
        for is_hidden in [false, true] {
            let id = id(2 * number + usize::from(is_hidden));
            let (attribute, value) = name.split(',').next().unwrap().split_once('=').unwrap();
            writeln!(ldif, "dn: nsuniqueid={id}+{name},{ROOT}\nnsUniqueId: {id}\n{attribute}: {value}")
                .unwrap();
            writeln!(ldif, "nsds5ReplConflict: namingConflict (ADD) {name},{ROOT}").unwrap();
            for class in classes.iter().chain(is_hidden.then_some(&"ldapsubentry")) {
                writeln!(ldif, "objectClass: {class}").unwrap();
            }
            for (name, value) in more.iter().filter(|(name, _)| *name != attribute) {
                writeln!(ldif, "{name}: {value}").unwrap();
            }
            ldif.push('\n');
        }
    }
    ldif
}

impl Fixture {
    /// Runs a task of the server on a file and waits for its end.
    fn run_task(&self, kind: &str, more: &str) {
        let (probe, dn) = (self.installation.probe(), format!("cn=trial,cn={kind},cn=tasks,cn=config"));
        probe.modify(&format!(
            "dn: {dn}\nchangetype: add\nobjectClass: extensibleObject\nnsInstance: userRoot\n{more}"
        ));
        let exit_code = || {
            let found = probe.search_with(&["nsTaskExitCode"], &dn, "base", "(objectClass=*)");
            found.first().map_or_else(String::new, |task| task.one("nsTaskExitCode").to_owned())
        };
        assert!(within(Duration::from_secs(60), || !exit_code().is_empty()), "{kind}");
        assert_eq!(exit_code(), "0", "{kind}");
    }

    /// Adds entries that no client may add.
    fn import(&self, ldif: &str) {
        let folder = config_folder(&self.installation.directory);
        let file = folder.parent().unwrap().join("ldif/trial.ldif");
        let name = format!("nsFilename: {}\n", file.display());
        self.run_task("export", &format!("{name}nsExportReplica: false\nnsDumpUniqId: true\n"));
        let all = fs::read_to_string(&file).unwrap() + "\n" + ldif;
        fs::write(&file, all).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        self.run_task("import", &name);
    }
}

/// Everything that the API lists, counts and finds in the tenant.
fn shown(client: &Client) -> Vec<String> {
    let paths = [
        "/v2/tenants/acme",
        "/v2/tenants",
        "/v2/users/acme?limit=1000",
        "/v2/users/acme?deleted=1",
        "/v2/users/acme?search=conflict",
        "/v2/users/acme/u3@acme.test",
        "/v2/users/acme/u3@acme.test/maillists",
        "/v2/maillists?tenant-id=acme",
        "/v2/maillists/acme/all@acme.test",
        "/v2/maillists/acme/outer@acme.test?expand=1",
        "/v2/resourcegroups/acme",
        "/v2/resources/acme/Rooms",
        "/v2/addressbook/acme?view=all",
        "/v2/addressbook/acme?search=conflict",
    ];
    paths.map(|path| client.get(path).text()).to_vec()
}

fn serve_and_show(fixture: &Fixture) -> (Serve, Vec<String>) {
    let serve = fixture.serve();
    let all = shown(&super_of(&serve));
    (serve, all)
}

fn left_out_and_named() {
    let fixture = Fixture::filled();
    let (serve, before) = serve_and_show(&fixture);
    assert!(before[0].contains("\"users\":"), "{}", before[0]);
    drop(serve);
    let plain = fixture.back_up("before.ldif");
    fixture.import(&conflicts());
    // Any search finds the names of the visible half.
    let seen = fixture.installation.probe().find("(mail=u3@acme.test)");
    assert_eq!(seen.len(), 2, "{seen:?}");

    let (serve, after) = serve_and_show(&fixture);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    let client = client_of(&serve);
    client.log_in("u3@acme.test", PASSWORD).expect(200);
    client.patch("/v2/users/acme/u3@acme.test", "title=Boss").expect_success();
    client.patch("/v2/users/acme/u3@acme.test", "title=Директор 3").expect_success();

    let number = format!("{} conflict entries", 2 * FOUGHT.len());
    let checked = fixture.installation.pbm(&fixture.installation.usual_config(), &["check"]).expect_success();
    for words in
        [number.as_str(), "nsuniqueid=0f69e8d2", "repl-conflict", "OPERATIONS.md, Conflicts of replication"]
    {
        assert!(checked.stdout.to_lowercase().contains(&words.to_lowercase()), "{words}: {}", checked.stdout);
    }
    let file = fixture.file("after.ldif");
    let arguments = ["backup", "--output", file.to_str().unwrap()];
    let saved = fixture.installation.pbm(&fixture.installation.usual_config(), &arguments).expect_success();
    assert!(saved.stderr.contains(&number) && saved.stderr.contains("repl-conflict"), "{}", saved.stderr);
    let text = fs::read_to_string(&file).unwrap();
    let is_of_conflict =
        |line: &&str| line.to_lowercase().contains("nsuniqueid=") || line.contains("namingConflict");
    assert_eq!(text.lines().filter(is_of_conflict).collect::<Vec<_>>(), [""; 0]);
    let lines = |file: &std::path::Path| fs::read_to_string(file).unwrap().matches("\ndn:").count();
    assert_eq!(lines(&file), lines(&plain));
    let sent = super_of(&serve).get("/v2/backup/ldif?tenant-id=acme").expect(200).text();
    assert!(sent.contains("u3@acme.test") && !sent.to_lowercase().contains("nsuniqueid="));
    // A comparison ignores them, and a mirror removes none of them.
    fixture.assert_is_as(&file);
    fixture.pbm("restore", &file, &["--mirror", "--yes"]).expect_success();
    let left = fixture.installation.probe().find("(|(objectClass=ldapsubentry)(nsds5ReplConflict=*))");
    assert_eq!(left.iter().filter(|entry| entry.dn.contains("0f69e8d2")).count(), 2 * FOUGHT.len());
}

fn renamed_group() {
    let fixture = Fixture::filled();
    fixture.import(&conflicts());
    let serve = fixture.serve();
    let client = client_of(&serve);
    let renamed = |from: &str, to: &str| {
        let began = Instant::now();
        client.patch(format!("/v2/resourcegroups/acme/{from}"), &format!("name={to}")).expect_success();
        began.elapsed()
    };
    let took =
        [("Rooms", "Lofts"), ("Lofts", "Attics"), ("Attics", "Halls")].map(|(from, to)| renamed(from, to));
    assert!(took.iter().min() < Some(&Duration::from_millis(900)), "each waited: {took:?}");
    let groups = client.get("/v2/resourcegroups/acme").expect(200).json();
    assert_eq!(groups["count"], 1);
    let halls = &groups["resourcegroups"][0];
    assert_eq!((&halls["name"], &halls["resources"]), (&"Halls".into(), &1.into()), "{groups}");
}
