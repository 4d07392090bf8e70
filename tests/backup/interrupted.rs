//! Commands that are killed, and changes during a backup or restore.

use crate::fixture::{Fixture, ROOT, client_of};
use harness::{pbm, within};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_restore_killed_ten_times_ends_in_the_same_directory", killed_restores),
    ("a_directory_killed_under_a_restore_loses_nothing", killed_directory),
    ("a_backup_under_two_hundred_writes_a_second_is_whole", under_writes),
];

/// Users of the large file.
const USERS: usize = 2500;

/// A backup with many users, derived from one whose password the server has hashed.
fn large(fixture: &Fixture) -> PathBuf {
    fixture.installation.probe().modify(&crate::fixture::user("default", "example.com", 7));
    let hash = fixture.installation.probe().user("u7@example.com").one("userPassword").to_owned();
    let small = fs::read_to_string(fixture.back_up("small.ldif")).unwrap();
    // Without its header and its end.
    let entries = small.split("# pbm backup: entries").next().unwrap();
    let mut text = entries.split("\n\n").skip(2).collect::<Vec<_>>().join("\n\n");
    for number in 0..USERS {
        let user = crate::fixture::user("default", "example.com", 10_000 + number);
        let user = user
            .replace("changetype: add\n", "")
            .replace(&harness::ldif_line("userPassword", harness::PASSWORD), "");
        write!(text, "\n{user}userPassword: {hash}\n").unwrap();
    }
    let file = fixture.file("large.ldif");
    fs::write(&file, text).unwrap();
    file
}

/// A restore in progress.
fn begin(fixture: &Fixture, file: &Path) -> Child {
    let config = fixture.installation.usual_config();
    Command::new(pbm())
        .args(["restore", file.to_str().unwrap(), "--config", config.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The number of users according to the parent entry. (Repeated searches by an index while thousands of entries are
/// added can make 389-ds 2.3 hang for ever.)
fn count(fixture: &Fixture) -> usize {
    let folder = format!("ou=default,ou=People,{ROOT}");
    let found =
        fixture.installation.probe().search_with(&["numSubordinates"], &folder, "base", "(objectClass=*)");
    found.first().map_or(0, |entry| entry.one("numSubordinates").parse().unwrap())
}

fn killed_restores() {
    let fixture = Fixture::empty();
    let file = large(&fixture);
    let mut random = StdRng::seed_from_u64(5);
    let mut in_the_middle = 0;
    for round in 0..10 {
        let before = count(&fixture);
        let mut restore = begin(&fixture, &file);
        // Every other one is killed while it writes, however long it takes to begin; the others at any time.
        if round % 2 == 0 {
            within(Duration::from_secs(20), || count(&fixture) > before);
            sleep(Duration::from_millis(random.random_range(0..150)));
        } else {
            sleep(Duration::from_millis(random.random_range(60..600)));
        }
        restore.kill().unwrap();
        restore.wait().unwrap();
        let there = count(&fixture);
        in_the_middle += usize::from(there > 2 && there < USERS);
    }
    assert!(in_the_middle >= 3, "{in_the_middle} of ten were killed in the middle");
    let done = fixture.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains(" 0 different, 0 refused"), "{}", done.stderr);
    fixture.assert_is_as(&file);
    let at_once = Fixture::bare();
    at_once.pbm("restore", &file, &[]).expect_success();
    let all = at_once.back_up("at-once.ldif");
    at_once.assert_is_as(&file);
    fixture.assert_is_as(&all);
}

fn killed_directory() {
    let mut fixture = Fixture::empty();
    let file = large(&fixture);
    for round in 0..3 {
        let restore = begin(&fixture, &file);
        let wanted = (round + 1) * USERS / 5;
        assert!(within(Duration::from_secs(60), || count(&fixture) > wanted));
        fixture.installation.directory.kill();
        let ended = restore.wait_with_output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(told.contains("running it again continues from there"), "{told}");
        fixture.installation.directory.start_again().unwrap();
    }
    fixture.pbm("restore", &file, &[]).expect_success();
    fixture.assert_is_as(&file);
}

fn under_writes() {
    let fixture = Fixture::filled();
    fixture.pbm("restore", &large(&fixture), &[]).expect_success();
    let serve = fixture.serve();
    let client = client_of(&serve);
    let (over, writes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let began = Instant::now();
    let mut files = Vec::new();
    scope(|scope| {
        for hand in 0..4 {
            let (client, over, writes) = (&client, &over, &writes);
            scope.spawn(move || {
                for turn in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let next = began + Duration::from_millis(20 * turn);
                    sleep(next.saturating_duration_since(Instant::now()));
                    let path = format!("/v2/users/default/u{}@example.com", 10_000 + hand * 500 + turn % 400);
                    // Both or none.
                    client
                        .patch(path, &format!("title=v{turn}x{hand}&description=v{turn}x{hand}"))
                        .expect_success();
                    let made = format!("/v2/users/default/w{turn}x{hand}@example.com");
                    let fields = "userPassword=Correct-Horse-7&employeeNumber=2&cn=W&sn=W";
                    match turn % 50 {
                        0 => drop(client.put(&made, fields).expect_success()),
                        25 => drop(
                            client
                                .delete(format!("/v2/users/default/w{}x{hand}@example.com", turn - 25))
                                .expect_success(),
                        ),
                        _ => {}
                    }
                    writes.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for number in 0..5 {
            sleep(Duration::from_millis(300));
            files.push(fixture.back_up(&format!("under-{number}.ldif")));
        }
        over.store(true, Ordering::Relaxed);
    });
    let (writes, milliseconds) = (writes.load(Ordering::Relaxed), began.elapsed().as_millis());
    assert!(writes as u128 * 1000 > 100 * milliseconds, "only {writes} writes in {milliseconds} ms");
    for file in &files {
        let text = fs::read_to_string(file).unwrap().replace("\n ", "");
        for record in text.split("\n\n").filter(|record| record.contains("\ndescription: v")) {
            let value = |name: &str| {
                record.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
            };
            assert_eq!(value("title"), value("description"), "{record}");
        }
    }
    let last = files.last().unwrap();
    let there = Fixture::bare();
    let done = there.pbm("restore", last, &[]).expect_success();
    assert!(done.stderr.contains("0 refused"), "{}", done.stderr);
    there.assert_is_as(last);
    assert!(there.installation.probe().find("(mail=*)").len() > USERS, "everybody is in it");
}
