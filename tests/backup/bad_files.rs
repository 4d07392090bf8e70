//! Invalid files: the messages, and that nothing is changed.

use crate::fixture::{Fixture, PASSWORD, ROOT, super_of, user};
use std::fs;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_backup_that_is_cut_or_altered_is_refused_unless_forced", cut_and_altered),
    ("what_is_no_ldif_is_named_by_line_and_changes_nothing", no_ldif),
    ("a_record_that_cannot_be_read_is_named_and_stops_no_other", unreadable_records),
    ("what_the_schema_refuses_is_known_before_and_told_alike_everywhere", misfits),
    ("an_entry_that_is_wrong_is_named_and_stops_no_other", wrong_entries),
    ("line_ends_of_windows_and_a_mark_at_the_beginning_are_read", windows),
    ("a_wrong_command_line_is_told_in_words", wrong_commands),
    ("without_a_directory_or_an_account_it_says_so", no_directory),
];

/// Valid entries.
fn entries(numbers: &[usize]) -> String {
    let records =
        numbers.iter().map(|number| user("default", "example.com", *number).replace("changetype: add\n", ""));
    records.collect::<Vec<_>>().join("\n")
}

fn cut_and_altered() {
    let here = Fixture::filled();
    let whole = fs::read(here.back_up("a.ldif")).unwrap();
    let there = Fixture::empty();
    let before = there.back_up("before.ldif");
    let cut = there.written("cut.ldif", &whole[..whole.len() * 2 / 3]);
    // At the end of a record, a truncation is only visible by the missing end of the file.
    let text = String::from_utf8(whole.clone()).unwrap();
    let clean = there.written("clean.ldif", &text[..text[..text.len() / 2].rfind("\n\n").unwrap() + 2]);
    let mut flipped = text.clone().into_bytes();
    let place = text.find("title:: ").unwrap() + 12;
    flipped[place] ^= 3;
    let flipped = there.written("flipped.ldif", flipped);
    for (file, words) in [(&clean, "the backup is truncated"), (&flipped, "the backup was altered")] {
        let refused = there.pbm("restore", file, &[]).expect_failure();
        assert!(refused.stderr.contains(words) && refused.stderr.contains("--force"), "{}", refused.stderr);
        there.pbm("diff", file, &[]).expect_failure();
        there.assert_is_as(&before);
    }
    there.pbm("restore", &cut, &[]).expect_failure();
    there.assert_is_as(&before);
    let forced = there.pbm("restore", &flipped, &["--force"]);
    assert!(forced.stderr.contains("Warning: the backup was altered"), "{}", forced.stderr);
    assert!(!there.installation.probe().find("(mail=u2@example.com)").is_empty());
    let packed = fs::read(here.back_up("a.ldif.gz")).unwrap();
    let packed = there.written("cut.ldif.gz", &packed[..packed.len() - 100]);
    there.pbm("restore", &packed, &[]).expect_failure();
}

fn no_ldif() {
    let there = Fixture::empty();
    let before = there.back_up("before.ldif");
    let good = entries(&[1, 2]);
    let long = format!("{good}\ndn: cn=x,{ROOT}\ncn: {}\n", "x".repeat(50_000_000));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a change", format!("{good}\ndn: {ROOT}\nchangetype: delete\n").into(), "changetype"),
        ("no colon", format!("{good}\ndn: {ROOT}\nobjectClass top\n").into(), "line "),
        ("no name", format!("{good}\nobjectClass: top\n").into(), "dn:"),
        ("a version", "version: 2\n\ndn: dc=x\nobjectClass: top\n".into(), "version 1"),
        ("a line of 50 MB", long.into(), "at most"),
        ("nothing", "# nothing\n".into(), "no entry"),
        ("binary", vec![0; 1000], "line 1"),
    ];
    for (what, text, words) in cases {
        let _case = harness::Context::new(what);
        let file = there.written("bad.ldif", text);
        for command in ["restore", "diff"] {
            let refused = there.pbm(command, &file, &[]).expect_failure();
            assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
            assert!(refused.stderr.len() < 2000 && !refused.stderr.contains(PASSWORD), "{}", refused.stderr);
        }
        there.assert_is_as(&before);
    }
}

fn unreadable_records() {
    let there = Fixture::empty();
    let record = |name: &str, line: &[u8]| {
        [
            format!("dn: cn={name},ou=CAB,{ROOT}\nobjectClass: person\ncn: {name}\n").as_bytes(),
            line,
            b"\nsn: x\n",
        ]
        .concat()
    };
    let cases: [(Vec<u8>, &str); 9] = [
        (record("a", b"sn:: =?="), "base64: `=?=`"),
        (record("b", b"jpegPhoto:< file:///etc/passwd"), "URL"),
        (record("c", b"title: \xcf\xe5\xf2\xf0"), "UTF-8 must be in base64: `\\xcf\\xe5\\xf2\\xf0`"),
        (record("d", b"title: a\0"), "NUL"),
        (record("e", b"my attr: a"), "attribute name before the colon: letters"),
        (record("e", "имя: a".as_bytes()), "`имя: a`"),
        (b"dn: no name\nobjectClass: person\nsn: x\n".to_vec(), "isn't a distinguished name: `no name`"),
        (b"dn: cn=\xcf,dc=x\nobjectClass: person\n".to_vec(), "UTF-8 must be in base64: `\\xcf,dc=x`"),
        (format!("dn: cn=\"a,{ROOT}\nobjectClass: person\n").into(), "isn't a distinguished name: `\"a"),
    ];
    for (number, (bad, words)) in cases.iter().enumerate() {
        let _case = harness::Context::new(*words);
        let words = words.split(": letters").next().unwrap();
        let (one, two) = (2 * number + 10, 2 * number + 11);
        let text = [entries(&[one]).as_bytes(), b"\n", bad, b"\n", entries(&[two]).as_bytes()].concat();
        let file = there.written("spoilt.ldif", &text);
        let tried = there.pbm("restore", &file, &["--dry-run"]);
        let done = there.pbm("restore", &file, &[]);
        for told in [&tried, &done] {
            assert!(told.code == 1 && told.stderr.contains(words), "{}", told.stderr);
            assert!(told.stderr.contains(" 0 the same, 0 different, 1 refused"), "{}", told.stderr);
        }
        there.installation.probe().user(&format!("u{one}@example.com"));
        there.installation.probe().user(&format!("u{two}@example.com"));
        let compared = there.pbm("diff", &file, &[file.to_str().unwrap()]);
        assert!(compared.code == 1 && compared.stderr.contains(words), "{}", compared.stderr);
        assert!(
            compared.stderr.contains("2 the same, 0 different") && compared.stdout.is_empty(),
            "{}",
            compared.output()
        );
        let diff = there.pbm("diff", &file, &[]);
        assert!(diff.code == 1 && diff.stderr.contains(words), "{}", diff.output());
        // A record without a readable name might be one that a mirror would delete.
        let mirrored = there.pbm("restore", &file, &["--mirror", "--dry-run"]);
        if bad.starts_with(b"dn: cn=a") || bad.starts_with(b"dn: cn=b") {
            assert!(
                mirrored.stderr.contains("removed") || mirrored.stdout.contains("delete"),
                "{}",
                mirrored.output()
            );
        } else if number > 5 {
            assert!(mirrored.stderr.contains("--mirror could delete"), "{}", mirrored.output());
        }
    }
    // An entry below an unreadable record is not added, and the dry run reports this.
    let folder = format!("dn: ou=f,{ROOT}\nobjectClass: organizationalUnit\nou:: *\n");
    let below = format!("dn: cn=x,ou=f,{ROOT}\nobjectClass: person\ncn: x\nsn: x\n");
    let file = there.written("below.ldif", format!("{folder}\n{below}"));
    for more in [&["--dry-run"][..], &[]] {
        let told = there.pbm("restore", &file, more);
        assert!(
            told.stderr.contains(&format!("ou=f,{ROOT} was refused, and it stands below that")),
            "{}",
            told.stderr
        );
        assert!(told.stderr.contains("2 refused"), "{}", told.stderr);
    }
}

/// Violations of the schema are reported before anything is written, and over HTTP with the same message.
fn misfits() {
    let there = Fixture::empty();
    let serve = there.serve();
    let client = super_of(&serve);
    let values = [
        ("title:", "title has an empty value"),
        ("description::", "description has an empty value"),
        ("postalAddress:", "postalAddress has an empty value"),
        ("mail:: 0Y8=", "mail must be text in ASCII"),
        ("title:: /w==", "title must be text in UTF-8"),
        ("telephoneNumber: 1_2", "telephoneNumber must be letters"),
        ("manager: nobody", "manager must be the name of an entry"),
        ("uidNumber: many", "uidNumber must be a whole number"),
        ("pbmDeletedWithTenant: yes", "pbmDeletedWithTenant must be TRUE or FALSE"),
        ("pbmDeletedSince: yesterday", "pbmDeletedSince must be a time"),
    ];
    let classes = "objectClass: inetOrgPerson\nobjectClass: extensibleObject";
    for (number, (line, words)) in values.iter().enumerate() {
        let _case = harness::Context::new(*line);
        let text = format!("dn: cn=m{number},ou=CAB,{ROOT}\n{classes}\ncn: m{number}\nsn: x\n{line}\n");
        let file = there.written("misfit.ldif", &text);
        let reason = |told: &str| {
            let line =
                told.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {told}"));
            line.split("ou=CAB,dc=example,dc=com: ").nth(1).unwrap().to_owned()
        };
        let tried = reason(&there.pbm("restore", &file, &["--dry-run"]).stderr);
        assert_eq!(reason(&there.pbm("restore", &file, &[]).stderr), tried);
        let answer =
            client.with_header("Content-Type", "text/x-ldif").post("/v2/restore/ldif", &text).expect(200);
        let first: serde_json::Value = serde_json::from_str(answer.text().lines().next().unwrap()).unwrap();
        assert_eq!(
            (first["result"].as_str(), first["message"].as_str()),
            (Some("refused"), Some(tried.as_str()))
        );
        // The server agrees.
        let added = text.replacen("\nobjectClass", "\nchangetype: add\nobjectClass", 1);
        assert!(there.installation.probe().try_modify(&added).code != 0, "{line}");
    }
    // Values that may be empty are accepted.
    let text = format!(
        "dn: cn=e,ou=CAB,{ROOT}\n{classes}\ncn: e\nsn: x\njpegPhoto:\nmanager:\nx121Address:\nmail:\n"
    );
    let file = there.written("empty.ldif", &text);
    for more in [&["--dry-run"][..], &[]] {
        let done = there.pbm("restore", &file, more).expect_success();
        assert!(done.stderr.starts_with("1 entries: 1 "), "{}", done.stderr);
    }
    // Violations that only the server detects are reported in the same form.
    let text = format!("dn: cn=f,ou=CAB,{ROOT}\nobjectClass: inetOrgPerson\ncn: f\n");
    let file = there.written("class.ldif", &text);
    let told = there.pbm("restore", &file, &[]).stderr;
    let answer =
        client.with_header("Content-Type", "text/x-ldif").post("/v2/restore/ldif", &text).expect(200);
    let first: serde_json::Value = serde_json::from_str(answer.text().lines().next().unwrap()).unwrap();
    let message = first["message"].as_str().unwrap();
    assert!(message.contains("sn") && told.contains(message), "{message}: {told}");
    assert!(message == message.trim() && !told.contains("\n\n"), "{told}");
}

fn wrong_entries() {
    let there = Fixture::empty();
    there.installation.probe().modify(&user("default", "example.com", 7));
    let person =
        |rdn: &str, more: &str| format!("dn: {rdn}\nobjectClass: inetOrgPerson\ncn: x\nsn: x\n{more}\n");
    let mut file = format!("{}\n", entries(&[1, 2]));
    let cases = [
        (person("cn=a,dc=elsewhere", ""), "is not below dc=example,dc=com"),
        (person(&format!("cn=a,ou=Nowhere,{ROOT}"), ""), "neither in the file nor in the directory"),
        (person(&format!("cn=b,ou=CAB,{ROOT}"), "shoeSize: 43\n"), "knows no attribute shoeSize"),
        (person(&format!("cn=c,ou=CAB,{ROOT}"), "objectClass: shoe\n"), "knows no object class shoe"),
        (person(&format!("cn=d,ou=CAB,{ROOT}"), "userPassword: {ROT13}grfg\n"), "{ROT13}"),
        (
            person(&format!("cn=e,ou=CAB,{ROOT}"), "mail: alias.7@example.com\n"),
            "another entry has alias.7@example.com",
        ),
        (
            format!("dn: cn=f,ou=CAB,{ROOT}\nobjectClass: inetOrgPerson\ncn: x\n\n"),
            "schema does not allow it",
        ),
        (person(&format!("CN=G,ou=CAB,{ROOT}"), ""), ""),
        (person(&format!("cn=g,ou=CAB,{ROOT}"), ""), "has an entry of this name already"),
        (person(&format!("cn=h,ou=CAB,{ROOT}"), "mailQuota: much\n"), "h,ou=CAB"),
    ];
    for (record, _) in &cases {
        file.push_str(record);
    }
    file.push_str(&entries(&[3]));
    let file = there.written("wrong.ldif", &file);
    let tried = there.pbm("restore", &file, &["--dry-run"]);
    let done = there.pbm("restore", &file, &[]);
    assert_eq!((tried.code, done.code), (1, 1), "{}", done.output());
    for (record, words) in cases.iter().filter(|(_, words)| !words.is_empty()) {
        let name = record.lines().next().unwrap().trim_start_matches("dn: ");
        let told =
            done.stderr.lines().find(|line| line.contains(&format!(": {name}: ")) && line.contains(words));
        assert!(told.is_some_and(|line| line.starts_with("line ")), "{name}: {words}: {}", done.stderr);
    }
    assert!(
        done.stderr.contains(" 4 added, 0 updated,") && done.stderr.contains(" 9 refused"),
        "{}",
        done.stderr
    );
    for mail in ["u1@example.com", "u2@example.com", "u3@example.com"] {
        there.installation.probe().user(mail);
    }
    assert!(!done.output().contains("grfg"), "{}", done.output());
    // No refused entry exists.
    assert_eq!(there.installation.probe().search(&format!("ou=CAB,{ROOT}"), "sub", "(cn=x)").len(), 1);
}

fn windows() {
    let there = Fixture::empty();
    let text = format!("\u{feff}version: 1\r\n\r\n{}", entries(&[1, 2]).replace('\n', "\r\n"));
    let file = there.written("windows.ldif", text);
    let done = there.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains(" 2 added"), "{}", done.stderr);
    assert_eq!(there.installation.probe().user("u1@example.com").one("cn"), "Анна");
}

fn wrong_commands() {
    let there = Fixture::empty();
    let file = there.written("a.ldif", entries(&[1]));
    for (command, more) in
        [("restore", ["--existing", "drop"]), ("restore", ["--tenant", "!"]), ("diff", ["--tenant", "!"])]
    {
        let refused = there.pbm(command, &file, &more);
        assert!(refused.code != 0 && refused.stdout.is_empty(), "{}", refused.output());
    }
    let missing = there.pbm("restore", &there.file("missing.ldif"), &[]).expect_failure();
    assert!(missing.stderr.contains("missing.ldif"), "{}", missing.stderr);
    there.pbm("restore", there.installation.folder(), &[]).expect_failure();
    let config = there.installation.usual_config();
    let nowhere = there.installation.pbm(&config, &["backup", "--output", "/nonexistent/folder/a.ldif"]);
    let nowhere = nowhere.expect_failure().stderr;
    let words = "--output /nonexistent/folder/a.ldif: cannot write the backup: there is no folder /nonexistent/folder\n";
    assert!(nowhere.ends_with(words), "{nowhere}");
    let in_a_file = format!("{}/a.ldif", file.display());
    let refused = there.installation.pbm(&config, &["backup", "--output", &in_a_file]).expect_failure();
    assert!(refused.stderr.contains(&format!("the folder {}", file.display())), "{}", refused.stderr);
    assert!(!refused.stderr.contains("/.a.ldif"), "a hidden name: {}", refused.stderr);
    for tenants in [&["nosuch"][..], &["default", "nosuch"]] {
        let named = tenants.iter().flat_map(|tenant| ["--tenant", tenant]);
        let arguments: Vec<_> = ["backup"].into_iter().chain(named).collect();
        let refused = there.installation.pbm(&config, &arguments).expect_failure();
        assert!(refused.stderr.ends_with("there is no tenant nosuch\n"), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
    for command in ["backup", "restore", "diff"] {
        let help = harness::run_program(harness::pbm(), [command, "--help"], &[], "").expect_success();
        assert!(help.stdout.contains("Examples:"), "{}", help.stdout);
    }
}

fn no_directory() {
    let mut there = Fixture::empty();
    let file = there.back_up("a.ldif");
    let config = there.installation.config("none.toml", &[("backup.bind_password", "\"\"")]);
    there.installation.pbm(&config, &["backup"]).expect_failure();
    let text = fs::read_to_string(&config).unwrap();
    let without: Vec<_> = text.lines().filter(|line| !line.starts_with("backup.")).collect();
    fs::write(&config, without.join("\n")).unwrap();
    let refused = there.installation.pbm(&config, &["backup"]).expect_failure();
    assert!(
        refused.stderr.contains("backup.bind_password_file") && refused.stderr.contains("pbm init"),
        "{}",
        refused.stderr
    );
    there.installation.directory.kill();
    for arguments in
        [["backup"].as_slice(), &["restore", file.to_str().unwrap()], &["diff", file.to_str().unwrap()]]
    {
        let refused = there.installation.pbm(&there.installation.usual_config(), arguments).expect_failure();
        assert!(refused.stderr.contains("out of reach"), "{}", refused.stderr);
    }
    // The old file still exists, and there is no partial new one.
    let before = fs::read(&file).unwrap();
    let to_it = ["backup", "--output", file.to_str().unwrap()];
    there.installation.pbm(&there.installation.usual_config(), &to_it).expect_failure();
    assert!(fs::read(&file).unwrap() == before);
    let hidden = fs::read_dir(there.installation.folder()).unwrap();
    let hidden =
        hidden.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with(".a.ldif"));
    assert_eq!(hidden.count(), 0);
}
