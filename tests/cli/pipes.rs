//! Commands whose output pipe is closed early, and commands whose output goes to a full disk.

use harness::{Installation, Setup, pbm};
use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
};

pub(crate) const TRIALS: &[harness::Alone] =
    &[("a_reader_that_leaves_ends_a_command_quietly", reader_leaves), ("a_full_disk_is_told", full_disk)];

/// The exit code that a shell reports for a process killed by SIGPIPE.
const BROKEN_PIPE: i32 = 141;

const PLAIN: &str = "dn: cn=a,dc=x\nobjectClass: top\ncn: a\n";
const DESCRIBED: &str = "dn: cn=a,dc=x\nobjectClass: top\ncn: a\ndescription: b\n";

/// The writing end of a pipe without a reader.
fn broken() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn command(installation: &Installation, arguments: &[&str]) -> Command {
    let mut command = Command::new(pbm());
    let manager = std::fs::read_to_string(installation.directory.manager_password_file()).unwrap();
    command
        .args(arguments)
        .env("PBM_CONFIG", installation.usual_config())
        .env("PBM_MANAGER_PASSWORD", manager.trim())
        .env("PBM_ADMIN_PASSWORD", harness::World::root_password())
        .stdin(Stdio::null());
    command
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn reader_leaves() {
    let installation =
        Installation::start(Setup { unprepared: true, without_redis: true, ..Setup::default() });
    let [first, second, people] = ["a.ldif", "b.ldif", "people.csv"].map(|name| installation.file(name));
    let (first, second) = (write(&first, PLAIN), write(&second, DESCRIBED));
    let table = "mail;userPassword;employeeNumber;cn;sn\nivan@example.com;Correct-Horse-7;2;I;P\n";
    let people = write(&people, table);
    let saved = installation.file("saved.ldif").to_str().unwrap().to_owned();
    let import = ["import-users", &people, "--tenant", "default"];
    // In an order in which each has output: first the commands that write to standard output, then those that write to
    // standard error.
    let on_stdout: [&[&str]; 9] = [
        &["init", "--domain", "example.com", "--dry-run"],
        &["init", "--domain", "example.com"],
        &["check"],
        &["tenant", "create", "acme", "--domain", "acme.test"],
        &["purge"],
        &import,
        &["diff", &first, &second],
        &["backup"],
        &["serve"],
    ];
    for arguments in on_stdout {
        if arguments == ["check"] {
            // The previous one was interrupted.
            installation.init(&[]).expect_success();
        }
        let output = command(&installation, arguments).stdout(broken()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(BROKEN_PIPE), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("pipe"), "{arguments:?}: {said}");
    }
    let on_stderr: [&[&str]; 8] = [
        &["init", "--domain", "example.com"],
        &["tenant", "create", "acme", "--domain", "other.test"],
        &["purge", "--dry-run"],
        &import,
        &["diff", &first, &second],
        &["backup", "--output", &saved],
        &["diff", &saved],
        &["restore", &saved, "--dry-run"],
    ];
    for arguments in on_stderr {
        let output = command(&installation, arguments).stderr(broken()).output().unwrap();
        assert_eq!(output.status.code(), Some(BROKEN_PIPE), "{arguments:?}");
    }
    // The plan of a restore, on standard output.
    installation.probe().delete("mail=ivan@example.com,ou=default,ou=People,dc=example,dc=com");
    let restore = ["restore", &saved, "--dry-run"];
    let output = command(&installation, &restore).stdout(broken()).output().unwrap();
    assert_eq!(output.status.code(), Some(BROKEN_PIPE), "{output:?}");
}

fn full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.ldif"), folder.path().join("b.ldif"));
    let (first, second) = (write(&first, PLAIN), write(&second, DESCRIBED));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(pbm()).args(["diff", &first, &second]).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot write to standard output") && !said.contains("panicked"), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
}
