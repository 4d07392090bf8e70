//! Truncated files, plain and compressed: refused as truncated, and restored up to the last complete record with
//! `--force`.

use crate::fixture::{Fixture, super_of, user};
use harness::{Client, Context, Serve};
use std::{fs, path::Path};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("the_last_record_of_a_cut_file_is_named_and_not_restored", last_record),
    ("a_file_that_is_cut_between_records_loses_nothing", between_records),
    ("a_packed_file_that_is_cut_says_so_and_gives_what_it_has", packed),
    ("a_packed_file_that_is_damaged_says_so", damaged),
];

const NOT_RESTORED: &str = "it is the last record of a truncated file";

/// A client with the right to restore everything.
fn client_of(serve: &Serve) -> Client {
    super_of(serve).with_header("Content-Type", "text/x-ldif")
}

/// A backup as text.
fn backup(here: &Fixture) -> String {
    fs::read_to_string(here.back_up("whole.ldif")).unwrap().replace("\n ", "")
}

/// Requires that every command and the HTTP API refuse a file as truncated and change nothing.
#[track_caller]
fn assert_refused_as_cut(there: &Fixture, client: &Client, file: &Path) {
    for command in ["restore", "diff"] {
        let refused = there.pbm(command, file, &[]).expect_failure();
        let words = "the backup is truncated: its end is missing; --force";
        assert!(refused.stderr.contains(words) && !refused.stderr.contains("LDIF"), "{}", refused.stderr);
    }
    let other = there.pbm("diff", file, &[file.to_str().unwrap()]).expect_failure();
    assert!(other.stderr.contains("the backup is truncated"), "{}", other.stderr);
    let answer = client.try_send("POST", "/v2/restore/ldif", &fs::read(file).unwrap()).unwrap().expect(400);
    assert!(answer.text().contains("the backup is truncated: its end is missing"), "{}", answer.text());
}

fn last_record() {
    let here = Fixture::filled();
    let text = backup(&here);
    let there = Fixture::empty();
    let serve = there.serve();
    let client = client_of(&serve);
    let empty = there.back_up("empty.ldif");
    let list = text.find("dn: mail=all@acme.test").unwrap();
    let member = list + text[list..].find("\nmember: ").unwrap() + 1;
    let after_first = member + text[member..].find('\n').unwrap();
    // After its first member with and without the line break, inside an attribute name, inside a value, and inside its
    // DN.
    let name = "dn: mail=all@acme.test,ou=acme,ou=Groups,dc=example,dc=com".len();
    for end in
        [after_first + 1, after_first, member + 3, member + 6, after_first - 5, list + name, list + name + 1]
    {
        let cut = there.written("cut.ldif", &text[..end]);
        let _case = Context::new(text[..end].lines().last().unwrap_or_default().to_owned());
        assert_refused_as_cut(&there, &client, &cut);
        there.assert_is_as(&empty);
        let tried = there.pbm("restore", &cut, &["--force", "--dry-run"]);
        let named = |stderr: &str| {
            stderr.lines().any(|line| line.contains(": mail=all@acme.test,") && line.contains(NOT_RESTORED))
        };
        assert!(tried.code == 1 && named(&tried.stderr), "{}", tried.stderr);
    }
    let in_the_word = there.written("cut.ldif", &text[..=list]);
    let tried = there.pbm("restore", &in_the_word, &["--force", "--dry-run"]);
    assert!(tried.code == 1 && tried.stderr.contains(NOT_RESTORED), "{}", tried.stderr);
    let cut = there.written("cut.ldif", &text[..=after_first]);
    let forced = there.pbm("restore", &cut, &["--force"]);
    assert!(forced.code == 1 && forced.stderr.contains("1 refused"), "{}", forced.stderr);
    assert!(there.installation.probe().find("(mail=all@acme.test)").is_empty(), "half a list is restored");
    there.assert_passwords_count();
    // The complete file restores the rest.
    there.pbm("restore", &there.written("all.ldif", &text), &["--force"]).expect_success();
    assert_eq!(there.installation.probe().find_one("(mail=all@acme.test)").all("member").len(), 2);
}

fn between_records() {
    let here = Fixture::filled();
    let text = backup(&here);
    let there = Fixture::empty();
    let serve = there.serve();
    let client = client_of(&serve);
    let list = text.find("dn: mail=all@acme.test").unwrap();
    let end = list + text[list..].find("\n\n").unwrap() + 2;
    let cut = there.written("cut.ldif", &text[..end]);
    assert_refused_as_cut(&there, &client, &cut);
    let forced = there.pbm("restore", &cut, &["--force"]).expect_success();
    assert!(forced.stderr.contains("Warning: the backup is truncated."), "{}", forced.stderr);
    assert_eq!(there.installation.probe().find_one("(mail=all@acme.test)").all("member").len(), 2);
}

fn packed() {
    let here = Fixture::empty();
    let users: Vec<_> = (0..800).map(|number| user("default", "example.com", number)).collect();
    here.installation.probe().modify(&users.join("\n"));
    let there = Fixture::empty();
    let serve = there.serve();
    let client = client_of(&serve);
    let empty = there.back_up("empty.ldif");
    for ending in ["gz", "zst"] {
        let packed = fs::read(here.back_up(&format!("whole.ldif.{ending}"))).unwrap();
        for length in [12, packed.len() / 3, packed.len() * 3 / 4, packed.len() - 1] {
            let _case = Context::new(format!("{ending}, {length} of {}", packed.len()));
            let cut = there.written(&format!("cut.ldif.{ending}"), &packed[..length]);
            assert_refused_as_cut(&there, &client, &cut);
        }
        there.assert_is_as(&empty);
        let cut = there.written(&format!("cut.ldif.{ending}"), &packed[..packed.len() * 3 / 4]);
        let tried = there.pbm("restore", &cut, &["--force", "--dry-run"]);
        assert!(tried.stderr.contains("Warning: the backup is truncated."), "{}", tried.stderr);
        let records = tried.stdout.matches("changetype: add").count();
        assert!((200..700).contains(&records), "{records}");
        let forced = there.pbm("restore", &cut, &["--force"]);
        assert!(forced.stderr.contains(&format!(" {records} added")), "{}", forced.stderr);
        // The incomplete next record is not added.
        let found = there.installation.probe().find("(mail=u*@example.com)");
        assert!(found.iter().all(|entry| entry.one("employeeType") == "3"), "{found:?}");
        there.pbm("restore", &empty, &["--mirror", "--yes"]).expect_success();
    }
    // None of it can be decompressed.
    let cut = there.written("cut.ldif.gz", &fs::read(here.file("whole.ldif.gz")).unwrap()[..12]);
    let refused = there.pbm("restore", &cut, &["--force"]).expect_failure();
    assert!(refused.stderr.contains("the file has no entry"), "{}", refused.stderr);
}

fn damaged() {
    let here = Fixture::empty();
    let before = here.back_up("before.ldif");
    let serve = here.serve();
    let client = client_of(&serve);
    // The checksum in one format, a block in the other.
    for (ending, from_end) in [("gz", 8), ("zst", 200)] {
        let _case = Context::new(ending);
        let mut packed = fs::read(here.back_up(&format!("whole.ldif.{ending}"))).unwrap();
        let place = packed.len() - from_end;
        packed[place..place + 4].fill(0xff);
        let file = here.written(&format!("damaged.ldif.{ending}"), &packed);
        for more in [&[][..], &["--force"]] {
            let refused = here.pbm("restore", &file, more).expect_failure();
            assert!(refused.stderr.contains("the file is damaged"), "{}", refused.stderr);
        }
        let answer = client.try_send("POST", "/v2/restore/ldif", &packed).unwrap().expect(400);
        assert!(answer.text().contains("the file is damaged"), "{}", answer.text());
    }
    here.assert_is_as(&before);
}
