//! `pbm restore --replace-all`: into an empty server and over a full one, files with faults, kills, and a server whose
//! database folder was deleted.

use crate::fixture::{Fixture, PASSWORD, ROOT, client_of, super_of, user};
use harness::{
    Alone, Book, Finished, Installation, Serve, Setup, Step, assert_error, documented_commands, pbm, program,
    run_program, within,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sandbox::Backend;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

pub(crate) const TRIALS: &[Alone] = &[
    ("into_an_empty_server_on_each_back_end", into_an_empty_server),
    ("over_a_full_server_what_was_there_is_saved_first", over_a_full_server),
    ("doubled_addresses_and_orphans_are_skipped_and_told", faults),
    ("a_file_that_is_not_everything_is_refused", refused_files),
    ("nobody_replaces_everything_by_mistake", unconfirmed),
    ("without_the_safety_backup_nothing_begins", safety_backup_fails),
    ("killed_on_lmdb_it_is_recognized_and_ends_well", || killed(Backend::Mdb)),
    ("killed_on_berkeley_db_it_is_recognized_and_ends_well", || killed(Backend::Bdb)),
    ("a_directory_killed_during_it_is_recognized_and_ends_well", killed_directory),
    ("followers_start_over_and_processes_recover", followers),
    ("the_documented_lines_bring_back_a_deleted_database_folder", deleted_folder),
];

/// Users of the large file.
const USERS: usize = 4000;
/// How long a running process takes to find out about an unfinished restore, and about its end.
const SOON: Duration = Duration::from_secs(5);
/// How long a restore takes to examine the file.
const BEGINS: Duration = Duration::from_secs(30);

fn on(backend: Backend) -> Fixture {
    let setup = Setup { without_redis: true, backend: Some(backend), ..Setup::default() };
    Fixture { installation: Installation::start(setup) }
}

fn arguments(installation: &Installation, file: &Path, more: &[&str]) -> Vec<String> {
    let (config, password) = (installation.usual_config(), installation.directory.manager_password_file());
    let always = ["restore", file.to_str().unwrap(), "--replace-all", "--config", config.to_str().unwrap()];
    let manager = ["--manager-password-file", password.to_str().unwrap()];
    always.iter().chain(&manager).chain(more).map(ToString::to_string).collect()
}

fn replace_with(fixture: &Fixture, file: &Path, more: &[&str]) -> Finished {
    run_program(pbm(), arguments(&fixture.installation, file, more), &[], "")
}

fn replace(fixture: &Fixture, file: &Path) -> Finished {
    replace_with(fixture, file, &["--yes"])
}

fn check(fixture: &Fixture) -> Finished {
    fixture.installation.pbm(&fixture.installation.usual_config(), &["check"])
}

fn into_an_empty_server() {
    let here = Fixture::filled();
    let file = here.back_up("all.ldif.zst");
    for backend in [Backend::Mdb, Backend::Bdb] {
        let there = on(backend);
        let done = replace(&there, &file).expect_success();
        assert!(done.stderr.contains("The backup is whole"), "{}", done.stderr);
        assert!(done.stderr.contains(" entries imported."), "{}", done.stderr);
        assert!(
            done.stderr.contains(" 0 different, 0 only in the file, 0 only in the directory"),
            "{done:?}"
        );
        there.assert_same_as(&here);
        there.assert_is_as(&file);
        there.assert_passwords_count();
        check(&there).expect_success();
        let init = there.installation.init(&["--dry-run"]).expect_success();
        assert!(init.stderr.contains("nothing to change"), "{init:?}");
        serves(&there);
    }
}

/// Requires that pbm reads and writes, and that a later write is not taken for an earlier one.
fn serves(fixture: &Fixture) {
    let serve = fixture.serve();
    serve.client().get("/health/ready").expect(200);
    let client = super_of(&serve);
    let path = "/v2/users/default/u2@example.com";
    let tag = |answer: &harness::Answer| answer.etag();
    let before = tag(&client.get(path).expect(200));
    client.patch(path, "title=Neu").expect_success();
    assert_ne!(tag(&client.get(path).expect(200)), before);
    let fields = format!("cn=A&sn=B&employeeNumber=2&userPassword={PASSWORD}");
    client.put("/v2/users/default/new@example.com", &fields).expect_success();
    // The plug-ins work again.
    let taken = client.put("/v2/users/default/alias.2@example.com", &fields);
    assert_error(&taken, 409);
}

fn over_a_full_server() {
    let here = Fixture::filled();
    let file = here.back_up("before.ldif");
    let probe = here.installation.probe();
    probe.replace(&format!("mail=u2@example.com,ou=default,ou=People,{ROOT}"), "title", &["Другой"]);
    probe.modify(&user("default", "example.com", 1000));
    let changed = here.back_up("changed.ldif");
    let stored = |name: &str| {
        probe.entry(&format!("uid={name},ou=System,{ROOT}")).unwrap().one("userPassword").to_owned()
    };
    let hashes = ["pbm", "pbm-backup", "decoy"].map(stored);
    let dry = replace_with(&here, &file, &["--dry-run"]).expect_success();
    assert!(dry.stderr.contains("entries can be imported, 0 can't"), "{dry:?}");
    here.assert_is_as(&changed);

    let done = replace(&here, &file).expect_success();
    here.assert_is_as(&file);
    assert_eq!(["pbm", "pbm-backup", "decoy"].map(stored), hashes, "the passwords of pbm's accounts");
    let saved = done.stderr.lines().find_map(|line| line.split(" saved in ").nth(1)).unwrap();
    let saved = PathBuf::from(saved.trim_end_matches('.'));
    assert_eq!(saved.parent(), file.parent());
    let diff = run_program(pbm(), ["diff", changed.to_str().unwrap(), saved.to_str().unwrap()], &[], "");
    assert_eq!(diff.code, 0, "{}", diff.output());
    check(&here).expect_success();
}

/// A backup of a fixture without its seal, with other entries at its end.
fn extended(fixture: &Fixture, more: &str) -> PathBuf {
    let text = fs::read_to_string(fixture.back_up("whole.ldif")).unwrap();
    let entries = text.split("# pbm backup: entries").next().unwrap();
    let entries = entries.split("\n\n").skip(2).collect::<Vec<_>>().join("\n\n");
    fixture.written("extended.ldif", format!("{}\n\n{more}", entries.trim_end()))
}

/// A user as an entry.
fn entry(number: usize) -> String {
    user("default", "example.com", number).replace("changetype: add\n", "")
}

fn faults() {
    let here = Fixture::filled();
    let before = here.back_up("before.ldif");
    let other = |number: usize, name: &str, value: &str| {
        format!("{}{}\n", entry(number), harness::ldif_line(name, value))
    };
    let group = format!("dn: ou=gone,ou=Nowhere,{ROOT}\nobjectClass: organizationalUnit\nou: gone\n\n");
    let below =
        format!("dn: ou=deeper,ou=gone,ou=Nowhere,{ROOT}\nobjectClass: organizationalUnit\nou: deeper\n\n");
    let tenant = format!(
        "dn: ou=other,ou=Domains,{ROOT}\nobjectClass: organizationalUnit\nobjectClass: domainRelatedObject\n\
         objectClass: pbmTenant\nou: other\nassociatedDomain: ACME.test\n\n"
    );
    let faulty = [
        (other(2001, "mailAlternateAddress", "U2@Example.com"), "u2001@", "has U2@Example.com already"),
        (other(2002, "noSuchAttribute", "x"), "u2002@", "knows no attribute noSuchAttribute"),
        (other(2003, "manager", "no name"), "u2003@", "a value does not fit"),
        (tenant, "ou=other", "has ACME.test already"),
        (group, "ou=gone", "there is no ou=Nowhere,dc=example,dc=com in the file"),
        (below, "ou=deeper", "was refused"),
        (format!("{}\n", entry(2)), "u2@", "the first one counts"),
    ];
    // Only the server knows which attributes a class requires.
    let without_name = entry(2004).replace(&harness::ldif_line("sn", "Ёлкина 2004"), "");
    let text: String = faulty
        .iter()
        .map(|(entry, ..)| entry.as_str())
        .chain(["\n", &*without_name, "\n", &*entry(2005)])
        .collect();
    let file = extended(&here, &text);
    let dry = replace_with(&here, &file, &["--dry-run"]);
    assert_eq!(dry.code, 1, "{dry:?}");
    here.assert_is_as(&before);
    let done = replace(&here, &file);
    assert_eq!(done.code, 1, "{done:?}");
    for (_, name, words) in &faulty {
        let is_told = |text: &str| {
            text.lines().any(|line| line.starts_with("line ") && line.contains(name) && line.contains(words))
        };
        assert!(is_told(&done.stderr), "{name}, {words}: {}", done.stderr);
    }
    let probe = here.installation.probe();
    assert_eq!(probe.user("u2005@example.com").one("title"), "Директор 2005");
    assert_eq!(probe.user("u2@example.com").one("title"), "Директор 2");
    let is_named = |line: &str| line.starts_with("389-ds: ") && line.contains("u2004@");
    assert!(done.stderr.lines().any(is_named), "{}", done.stderr);
    for gone in ["u2001", "u2002", "u2003", "u2004"] {
        assert!(probe.find(&format!("(mail={gone}@example.com)")).is_empty(), "{gone}");
    }
    // What can be imported is in service.
    check(&here).expect_success();
    serves(&here);
}

fn refused_files() {
    let here = Fixture::filled();
    let before = here.back_up("before.ldif");
    let text = fs::read_to_string(&before).unwrap();
    let cut = here.written("cut.ldif", &text[..text.len() - 300]);
    let altered = here.written("altered.ldif", text.replacen("employeeNumber: 2", "employeeNumber: 1", 1));
    let of_tenant = here.back_up_with("acme.ldif", &["--tenant", "acme"]);
    let partial = here.written("partial.ldif", entry(7));
    let cases = [
        (&cut, "truncated"),
        (&altered, "altered"),
        (&of_tenant, "backup of some tenants"),
        (&partial, &*format!("no entry {ROOT}")),
    ];
    for (file, words) in cases {
        let refused = replace(&here, file);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    for other in [&["--mirror"][..], &["--existing", "update"], &["--tenant", "acme"]] {
        assert_eq!(replace_with(&here, &before, other).code, 2, "{other:?}");
    }
    here.assert_is_as(&before);
}

fn unconfirmed() {
    let here = Fixture::filled();
    let before = here.back_up("before.ldif");
    let unasked = replace_with(&here, &before, &[]);
    assert_eq!(unasked.code, 2, "{unasked:?}");
    assert!(unasked.stderr.contains("--yes") && unasked.stderr.contains("--dry-run"), "{unasked:?}");
    // On a terminal it takes the root DN and nothing else.
    let probe = here.installation.probe();
    let stored =
        || probe.search_with(&["nsUniqueId"], &format!("ou=People,{ROOT}"), "base", "(objectClass=*)");
    let identifier = stored();
    for answer in ["y", "yes", "dc=example", ""] {
        let refused = on_terminal(&here, &before, answer);
        assert!(refused.contains("Type the root DN") && refused.contains("nothing was done"), "{refused}");
        assert_eq!(stored(), identifier, "{answer}");
    }
    let done = on_terminal(&here, &before, "DC=Example, dc=com");
    assert!(done.contains("entries imported."), "{done}");
    assert_ne!(stored(), identifier);
    here.assert_is_as(&before);
}

/// Runs the command on a terminal, types an answer, and returns what the terminal shows.
fn on_terminal(fixture: &Fixture, file: &Path, answer: &str) -> String {
    let quoted: Vec<_> =
        arguments(&fixture.installation, file, &[]).iter().map(|a| format!("'{a}'")).collect();
    let command = format!("{} {}", pbm().display(), quoted.join(" "));
    run_program(&program("script"), ["-qec", &command, "/dev/null"], &[], &format!("{answer}\n")).output()
}

fn safety_backup_fails() {
    let here = Fixture::filled();
    let before = here.back_up("before.ldif");
    let folder = here.file("no-folder");
    fs::write(&folder, "a file").unwrap();
    let name = format!("\"{}\"", folder.display());
    here.installation.config("pbm.toml", &[("backup.folder", &name)]);
    let refused = replace(&here, &before);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("nothing was done") && refused.stderr.contains("--no-safety-backup"),
        "{refused:?}"
    );
    here.installation.config("pbm.toml", &[]);
    here.assert_is_as(&before);
    here.installation.config("pbm.toml", &[("backup.folder", &name)]);
    let done = replace_with(&here, &before, &["--yes", "--no-safety-backup"]).expect_success();
    assert!(!done.stderr.contains("saved in"), "{done:?}");
}

/// A backup with many users, whose password the server has hashed.
fn large(fixture: &Fixture) -> PathBuf {
    let hash = fixture.installation.probe().user("u6@example.com").one("userPassword").to_owned();
    let clear = harness::ldif_line("userPassword", PASSWORD);
    let mut more = String::new();
    for number in 0..USERS {
        let user = entry(10_000 + number).replace(&clear, "");
        writeln!(more, "{user}userPassword: {hash}\n").unwrap();
    }
    extended(fixture, &more)
}

fn begin(fixture: &Fixture, file: &Path) -> Child {
    Command::new(pbm())
        .args(arguments(&fixture.installation, file, &["--yes", "--no-safety-backup"]))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Whether the back end is out of service or lacks entries.
fn is_incomplete(fixture: &Fixture) -> bool {
    let people = format!("ou=People,{ROOT}");
    let found = fixture.installation.probe().try_search(&people, "(!(description=pbm: restore*))");
    found.code != 0 || !found.stdout.contains("dn: ")
}

/// Requires that a running process answers no request from a server that lacks entries.
fn assert_out_of_service(fixture: &Fixture, serve: &Serve) {
    let is_ready = || serve.client().get("/health/ready").status == 200;
    assert!(within(SOON, || !is_ready()), "ready although entries are missing");
    for path in ["/v2/users/default/u2@example.com", "/v2/tenants", "/v2/addressbook/default"] {
        assert!(within(SOON, || client_of(serve).get(path).status == 503), "{path}");
        assert_error(&client_of(serve).get(path), 503);
    }
    let checked = check(fixture).expect_failure();
    assert!(checked.stdout.contains("ldap://"), "{checked:?}");
}

fn killed(backend: Backend) {
    let fixture = on(backend);
    fixture.fill();
    let file = large(&fixture);
    let serve = fixture.serve();
    let mut random = StdRng::seed_from_u64(7);
    let mut in_the_middle = 0;
    for _ in 0..6 {
        let mut restore = begin(&fixture, &file);
        assert!(within(BEGINS, || is_incomplete(&fixture)), "it does not begin");
        sleep(Duration::from_millis(random.random_range(0..1500)));
        restore.kill().unwrap();
        restore.wait().unwrap();
        if is_incomplete(&fixture) {
            in_the_middle += 1;
            assert_out_of_service(&fixture, &serve);
        }
    }
    assert!(in_the_middle >= 2, "{in_the_middle} of six were killed in the middle");
    replace(&fixture, &file).expect_success();
    fixture.assert_is_as(&file);
    fixture.assert_passwords_count();
    check(&fixture).expect_success();
    // The running process needs no restart.
    assert!(within(SOON, || serve.client().get("/health/ready").status == 200), "{}", serve.log());
    super_of(&serve).get("/v2/users/default/u2@example.com").expect(200);
}

fn killed_directory() {
    for backend in [Backend::Mdb, Backend::Bdb] {
        let mut fixture = on(backend);
        fixture.fill();
        let file = large(&fixture);
        let serve = fixture.serve();
        for pause in [100, 600] {
            let mut restore = begin(&fixture, &file);
            assert!(within(BEGINS, || is_incomplete(&fixture)), "it does not begin");
            sleep(Duration::from_millis(pause));
            fixture.installation.directory.kill();
            restore.wait().unwrap();
            fixture.installation.directory.start_again().unwrap();
            if is_incomplete(&fixture) {
                assert_out_of_service(&fixture, &serve);
            }
        }
        replace(&fixture, &file).expect_success();
        fixture.assert_is_as(&file);
        check(&fixture).expect_success();
        assert!(within(SOON, || serve.client().get("/health/ready").status == 200), "{}", serve.log());
    }
}

fn followers() {
    let fixture = Fixture { installation: Installation::start(Setup::default()) };
    fixture.fill();
    let file = fixture.back_up("all.ldif");
    let serves = [fixture.serve(), fixture.serve()];
    let books = serves.each_ref().map(|serve| Book::new(&client_of(serve), "acme"));
    let mut followers = books.each_ref().map(|book| book.follower(10));
    for follower in &mut followers {
        assert!(within(SOON, || follower.step() == Step::End), "no feed");
    }
    let before = followers[0].contacts.len();
    replace(&fixture, &file).expect_success();
    for (follower, book) in followers.iter_mut().zip(&books) {
        assert!(within(4 * SOON, || follower.step() == Step::StartOver), "no 410");
        follower.catch_up();
        assert_eq!(follower.contacts.len(), before);
        assert!(book.has("u3@acme.test"));
        assert_eq!(follower.contacts, book.follower(100).catch_up().clone());
    }
    // Changes are followed again, by every process.
    client_of(&serves[0]).patch("/v2/users/acme/u3@acme.test", "title=Neu").expect_success();
    let title = |book: &Book| book.contact("u3@acme.test")["title"] == "Neu";
    assert!(books.iter().all(|book| within(SOON, || title(book))));
    fixture.installation.probe().modify(&user("acme", "acme.test", 3001));
    assert!(books.iter().all(|book| within(SOON, || book.has("u3001@acme.test"))));
}

fn deleted_folder() {
    for backend in [Backend::Mdb, Backend::Bdb] {
        let mut fixture = on(backend);
        fixture.fill();
        let file = large(&fixture);
        let serve = fixture.serve();
        fixture.installation.directory.stop();
        fs::remove_dir_all(fixture.installation.directory.folder().join("db")).unwrap();
        fixture.installation.directory.start_again().unwrap();
        let finished = run_documented(&fixture, &file);
        assert_eq!(finished.code, 0, "{finished:?}");
        fixture.assert_is_as(&file);
        fixture.assert_passwords_count();
        assert!(within(SOON, || serve.client().get("/health/ready").status == 200), "{}", serve.log());
        super_of(&serve).get("/v2/users/acme/u3@acme.test").expect(200);
    }
}

/// Runs the lines of the page as they are printed, with the names of this installation.
fn run_documented(fixture: &Fixture, file: &Path) -> Finished {
    let installation = &fixture.installation;
    let lines = documented_commands("### The database folder was deleted");
    let named = [
        ("everything.ldif.zst", file.display().to_string()),
        ("/etc/pbm/pbm.toml", installation.usual_config().display().to_string()),
        ("/root/manager-password", installation.directory.manager_password_file().display().to_string()),
    ];
    let lines: Vec<_> = lines
        .lines()
        .filter(|line| line.starts_with("pbm "))
        .map(|line| named.iter().fold(line.to_owned(), |line, (name, ours)| line.replace(name, ours)))
        .collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let path = pbm().parent().unwrap().display();
    let script =
        format!("set -e; export PATH={path}:$PATH PBM_ADMIN_PASSWORD=Super-Secret-1\n{}", lines.join("\n"));
    run_program(&program("bash"), ["-c", &script], &[], "")
}
