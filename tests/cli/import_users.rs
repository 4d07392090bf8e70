//! `pbm import-users`: users from files, and the messages about invalid files.

use harness::{Finished, Installation, PASSWORD, Setup, World, pbm, run_program, start_serve};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_table_of_excel_in_windows_1251_makes_users", windows_1251),
    ("a_dry_run_tells_the_same_and_changes_nothing", dry_run),
    ("upsert_changes_what_differs_and_nothing_else", upsert),
    ("the_same_password_again_keeps_tokens_and_another_ends_them", passwords),
    ("a_wrong_row_stops_no_other", wrong_rows),
    ("rows_of_one_address_are_done_in_their_order", order),
    ("a_wrong_header_is_told_at_once_and_stops_everything", wrong_headers),
    ("workbooks_are_told_by_name_and_by_content", workbooks),
    ("a_dry_run_shows_the_first_names_as_they_are_read", names),
    ("what_cannot_be_read_is_named_by_line_and_column", unreadable),
    ("a_large_file_is_read_from_standard_input", standard_input),
    ("without_a_directory_it_gives_up_soon", no_directory),
    ("a_wrong_command_line_is_told_in_words", wrong_commands),
];

pub(crate) const HEADER: &str = "mail;userPassword;employeeNumber;cn;sn";

/// An installation, and tables to import into it.
pub(crate) struct Fixture(pub(crate) Installation);

impl Fixture {
    pub(crate) fn start() -> Self {
        Self(Installation::start(Setup::default()))
    }

    pub(crate) fn import(&self, name: &str, content: impl AsRef<[u8]>, more: &[&str]) -> Finished {
        let file = self.0.file(name);
        std::fs::write(&file, content).unwrap();
        let arguments = [&["import-users", file.to_str().unwrap(), "--tenant", "default"], more].concat();
        self.0.pbm(&self.0.usual_config(), &arguments)
    }

    pub(crate) fn users(&self) -> Vec<harness::Entry> {
        self.0.probe().find("(objectClass=pbmUser)")
    }

    fn accepts(&self, mail: &str, password: &str) -> bool {
        self.0.probe().accepts_bind(&format!("mail={mail},ou=default,ou=People,dc=example,dc=com"), password)
    }
}

/// A row for [`HEADER`].
pub(crate) fn row(mail: &str, cn: &str) -> String {
    format!("{mail};{PASSWORD};2;{cn};Tester\n")
}

/// The text in Windows-1251, if it consists of ASCII, Russian letters and `№`.
fn in_windows_1251(text: &str) -> Vec<u8> {
    let byte = |c: char| match c {
        'А'..='я' => u8::try_from(u32::from(c) - u32::from('А') + 0xC0).unwrap(),
        'ё' => 0xB8,
        'Ё' => 0xA8,
        '№' => 0xB9,
        c => u8::try_from(c).ok().filter(u8::is_ascii).unwrap(),
    };
    text.chars().map(byte).collect()
}

fn windows_1251() {
    let fixture = Fixture::start();
    let text = format!(
        "{HEADER};title;alias\r\n\
         petr@example.com;{PASSWORD};2;Пётр;Ёлкин;\"Отдел № 1; \"\"главный\"\"\";p@example.com, P2@example.com\r\n\
         \r\n\
         super@example.com;{PASSWORD};3;Иван;Иванов;;\r\n"
    );
    let made = fixture.import("people.csv", in_windows_1251(&text), &[]).expect_success();
    let said = "2 row(s): 2 created, 0 updated, 0 unchanged, 0 error(s).\n\
                The file was read as windows-1251. That is a guess: if names look wrong, set the encoding with --charset.\n";
    assert_eq!((&*made.stdout, &*made.stderr), (said, ""));
    let petr = fixture.0.probe().user("petr@example.com");
    assert_eq!((petr.one("cn"), petr.one("sn")), ("Пётр", "Ёлкин"));
    assert_eq!(petr.one("title"), "Отдел № 1; \"главный\"");
    let mut aliases = petr.all("mailAlternateAddress");
    aliases.sort_unstable();
    assert_eq!(aliases, ["p2@example.com", "p@example.com"]);
    assert_eq!(petr.one("preferredLanguage"), "en-US");
    assert!(fixture.accepts("petr@example.com", PASSWORD));
    assert_eq!(fixture.0.probe().user("super@example.com").one("employeeNumber"), "3");
    // The same table in UTF-8 changes nothing.
    let again =
        fixture.import("utf-8.txt", format!("\u{FEFF}{text}"), &["--mode", "upsert"]).expect_success();
    assert!(again.stdout.contains("2 unchanged"), "{again:?}");
}

fn dry_run() {
    let fixture = Fixture::start();
    let before = fixture.users();
    let admin = World::root_login();
    let text = [
        format!("{HEADER};alias"),
        format!("new@example.com;{PASSWORD};2;New;Tester;"),
        format!("{admin};{PASSWORD};2;Taken;Tester;"),
        format!("other@example.com;{PASSWORD};2;Other;Tester;{admin}"),
        ";;;Nameless;;".into(),
    ];
    let text = text.join("\n");
    let dry = fixture.import("users.csv", &text, &["--dry-run"]).expect_failure();
    assert_eq!(fixture.users(), before);
    let summary =
        "4 row(s): 1 would be created, 0 would be updated, 0 unchanged, 3 error(s); nothing was written.\n";
    let names = "The names in the first rows, as read: New Tester, Taken Tester, Other Tester.\n";
    assert_eq!(dry.stdout, format!("{summary}{names}"));
    let wet = fixture.import("users.csv", &text, &[]).expect_failure();
    assert_eq!(dry.stderr, wet.stderr);
    assert!(
        wet.stderr.contains("line 3: ") && wet.stderr.contains("line 5: mail is a required value\n"),
        "{wet:?}"
    );
    let twice = format!(
        "{HEADER};alias\n{0};t@example.com\n{0};\n{1};T@example.com\n",
        row("twice@example.com", "A").trim(),
        row("other@example.com", "B").trim()
    );
    let dry = fixture.import("twice.csv", &twice, &["--dry-run"]).expect_failure();
    let wet = fixture.import("twice.csv", &twice, &[]).expect_failure();
    assert_eq!(dry.stderr, wet.stderr);
    assert!(wet.stderr.starts_with("line 3: ") && wet.stderr.contains("\nline 4: "), "{wet:?}");
    let again = twice.replace("twice@", "again@").replace("t@example", "s@example");
    let again = again.replace("T@example", "s2@example");
    let dry = fixture.import("again.csv", &again, &["--dry-run", "--mode", "upsert"]).expect_success();
    assert!(dry.stdout.starts_with("3 row(s): 2 would be created, 1 would be updated"), "{dry:?}");
    let changes = format!("mail;title\nnew@example.com;Boss\n{admin};Root\n");
    let before = fixture.users();
    let dry = fixture.import("changes.csv", changes, &["--dry-run", "--mode=upsert"]).expect_success();
    assert!(dry.stdout.contains("2 would be updated"), "{dry:?}");
    assert_eq!(fixture.users(), before);
}

fn upsert() {
    let fixture = Fixture::start();
    let text = format!("{HEADER},title\n{},Boss\n", row("a@example.com", "Anna").trim()).replace(';', ",");
    let first = fixture.import("a.csv", &text, &["--mode", "upsert"]).expect_success();
    assert!(first.stdout.starts_with("1 row(s): 1 created"), "{first:?}");
    let made = fixture.users();
    let second = fixture.import("a.csv", &text, &["--mode", "upsert"]).expect_success();
    assert!(second.stdout.contains("0 created, 0 updated, 1 unchanged"), "{second:?}");
    assert_eq!(fixture.users(), made);
    // An empty cell changes nothing; an empty JSON text clears the field.
    let partly = "mail;title;l\na@example.com;;Казань\nb@example.com;;\n";
    let third = fixture.import("b.csv", partly, &["--mode", "upsert"]).expect_failure();
    assert!(third.stdout.contains("0 created, 1 updated, 0 unchanged, 1 error(s)"), "{third:?}");
    assert!(third.stderr.contains("line 3: cn is a required value\n"), "{third:?}");
    let changed = fixture.0.probe().user("a@example.com");
    assert_eq!((changed.one("title"), changed.one("l")), ("Boss", "Казань"));
    let cleared = "{\"mail\":\"A@example.com\",\"title\":\"\",\"alias\":[\"x@example.com\"],\"quota\":10}\n";
    fixture.import("c.ndjson", cleared, &["--mode", "upsert"]).expect_success();
    let changed = fixture.0.probe().user("a@example.com");
    assert_eq!((changed.one("title"), changed.one("mailAlternateAddress")), ("", "x@example.com"));
    // A deleted user is neither changed nor created again.
    fixture.0.probe().modify(
        "dn: mail=a@example.com,ou=default,ou=People,dc=example,dc=com\nchangetype: modify\n\
         add: pbmDeletedSince\npbmDeletedSince: 20991231000000Z\n",
    );
    let deleted = fixture.import("a.csv", &text, &["--mode", "upsert"]).expect_failure();
    assert!(deleted.stderr.contains("line 2: ") && deleted.stderr.contains("deleted"), "{deleted:?}");
}

fn passwords() {
    let fixture = Fixture::start();
    let serve = start_serve(&fixture.0.usual_config(), &[]);
    fixture.import("a.csv", format!("{HEADER}\n{}", row("a@example.com", "Anna")), &[]).expect_success();
    let token = |password: &str| {
        let answer = serve.client().log_in("a@example.com", password).expect(200);
        serve.client().with_token(answer.json()["access_token"].as_str().unwrap())
    };
    let client = token(PASSWORD);
    let upsert = |password: &str| {
        let text = format!("mail;userPassword\na@example.com;{password}\n");
        fixture.import("password.csv", text, &["--mode", "upsert"]).expect_success().stdout
    };
    assert!(upsert(PASSWORD).contains("1 unchanged"));
    client.get("/v2/users/default/a@example.com").expect(200);
    let marks =
        |fixture: &Fixture| fixture.0.probe().user("a@example.com").one("pbmTokensValidFrom").to_owned();
    assert_eq!(marks(&fixture), "");
    assert!(upsert("Another-Horse-8").contains("1 updated"));
    assert_ne!(marks(&fixture), "");
    assert!(fixture.accepts("a@example.com", "Another-Horse-8"));
    token("Another-Horse-8").get("/v2/users/default/a@example.com").expect(200);
}

fn wrong_rows() {
    let fixture = Fixture::start();
    let good: String = (1..=3).map(|n| row(&format!("good{n}@example.com"), "Good")).collect();
    let wrong = [
        "wrong;short;9;;Tester\n".to_owned(),
        row("a@elsewhere.test", "A"),
        "too;few;and;;;;;too many\n".to_owned(),
        row("good1@example.com", "Again"),
        format!("x@example.com;\"{PASSWORD}\" ;2;X;Tester\n"),
    ];
    let text = format!("{HEADER}\n{good}{}{}", wrong.concat(), row("good4@example.com", "Good"));
    let done = fixture.import("users.csv", text, &[]);
    assert_eq!(done.code, 1, "{done:?}");
    assert_eq!(done.stdout, "9 row(s): 4 created, 0 updated, 0 unchanged, 5 error(s).\n");
    let lines: Vec<_> = done.stderr.lines().collect();
    for words in [
        "line 5: mail is not a mail address",
        "line 5: cn is a required value",
        "line 5: employeeNumber must be one of 1, 2, 3",
        "line 6: mail a@elsewhere.test is of a domain",
        "line 7: cell 8 has a value, too many, but the header names 5 column(s)",
        "line 8: ",
        "line 9: column 32: text stands after a closing quotation mark",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(words)), "{words} is not in {}", done.stderr);
    }
    assert_eq!(fixture.users().len(), 5);
    let ndjson = "{\"mail\":\"good1@example.com\",\"tilte\":\"x\"}\n{\"mail\":\n\n\
                  {\"mail\":\"good1@example.com\",\"title\":\"Boss\"}\n";
    let done = fixture.import("users.jsonl", ndjson, &["--mode", "upsert"]).expect_failure();
    assert!(done.stdout.starts_with("3 row(s): 0 created, 1 updated, 0 unchanged, 2 error(s)"), "{done:?}");
    assert!(
        done.stderr.contains("line 1: tilte is not a field; did you mean title?\nline 2: column "),
        "{done:?}"
    );
}

fn order() {
    let fixture = Fixture::start();
    let titles = ["Two", "Three", "Four", "Five", "Six"].map(|title| format!("a@example.com;;;;;{title}\n"));
    let titles = titles.concat();
    let text = format!("{HEADER};title\n{};One\n{titles}", row("a@example.com", "Anna").trim());
    let done = fixture.import("users.csv", text, &["--mode", "upsert"]).expect_success();
    assert_eq!(done.stdout, "6 row(s): 1 created, 5 updated, 0 unchanged, 0 error(s).\n");
    assert_eq!(fixture.0.probe().user("a@example.com").one("title"), "Six");
}

fn wrong_headers() {
    let fixture = Fixture::start();
    let before = fixture.users();
    let text = format!("mail;userpassword;cn;cn;colour\n{}", row("a@example.com", "A"));
    let wrong = fixture.import("users.csv", text, &[]);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    let said = "line 1: column 2 of the table: userpassword is not a field; did you mean userPassword?\n\
                line 1: column 4 of the table: cn is named twice\n\
                line 1: column 5 of the table: colour is not a field\n\
                line 1: the column userPassword is missing\n\
                line 1: the column sn is missing\n\
                line 1: the column employeeNumber is missing\n";
    assert_eq!(wrong.stderr, said);
    assert_eq!(wrong.stdout, "Nothing was imported: the header is not valid.\n");
    let russian = fixture.import("users.csv", "mail;Пароль\n", &["--mode", "upsert"]).expect_failure();
    assert_eq!(russian.stderr, "line 1: column 2 of the table: Пароль is not a field\n");
    let wrong = fixture.import("users.csv", "title\nBoss\n", &["--mode", "upsert"]).expect_failure();
    assert_eq!(wrong.stderr, "line 1: the column mail is missing\n");
    let empty = fixture.import("users.csv", "", &[]).expect_failure();
    assert!(empty.stderr.contains("the file is empty"), "{empty:?}");
    assert_eq!(empty.stdout, "Nothing was imported: no row could be read.\n");
    assert_eq!(fixture.users(), before);
}

fn workbooks() {
    let fixture = Fixture::start();
    for name in ["p.xlsx", "P.XLSX", "p.xls", "p.ods", "p.xlsm"] {
        let refused = fixture.import(name, "mail\n", &[]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains("is a workbook: save its table as CSV"), "{name}: {refused:?}");
    }
    for begin in [&b"PK\x03\x04\x14\0\x06\0"[..], b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"] {
        for name in ["p.csv", "p.jsonl"] {
            let refused = fixture.import(name, begin, &[]).expect_failure();
            assert!(refused.stderr.contains("the file is a workbook"), "{name}: {refused:?}");
        }
    }
    let forced = fixture.import("p.xlsx", b"PK\x03\x04", &["--format", "csv"]).expect_failure();
    assert!(forced.stderr.contains("the file is a workbook"), "{forced:?}");
}

fn names() {
    let fixture = Fixture::start();
    let names = ["Пётр", "Анна", "Ив\u{200b}ан", "Дарья"];
    let rows = names.iter().enumerate().map(|(n, name)| row(&format!("u{n}@example.com"), name));
    let text = format!("{HEADER};displayName\n{}", rows.collect::<String>());
    let dry = fixture.import("utf-8.csv", &text, &["--dry-run"]);
    let told = "The names in the first rows, as read: Пётр Tester, Анна Tester, Ив\\u{200b}ан Tester.\n";
    assert!(dry.stdout.contains(told), "{dry:?}");
    // In a wrong encoding the names are visibly wrong.
    let text = format!("{HEADER}\n{}", row("u@example.com", "Пётр"));
    let wrong = fixture.import("w.csv", in_windows_1251(&text), &["--dry-run", "--charset", "koi8-r"]);
    assert!(wrong.stdout.contains("as read: о╦РП Tester"), "{wrong:?}");
    let none = fixture.import(
        "none.csv",
        "mail;title\nadmin@example.com;Boss\n",
        &["--dry-run", "--mode", "upsert"],
    );
    assert!(!none.stdout.contains("names"), "{none:?}");
    let wet =
        fixture.import("w.csv", in_windows_1251(&text), &["--charset", "windows-1251"]).expect_success();
    assert!(!wet.stdout.contains("names"), "{wet:?}");
}

fn unreadable() {
    let fixture = Fixture::start();
    let good = row("good@example.com", "Good");
    let open =
        format!("{HEADER}\n{good}b@example.com;{PASSWORD};2;\"B;Tester\n{}", row("c@example.com", "C"));
    let said = fixture.import("open.csv", open, &[]).expect_failure();
    assert_eq!(said.stderr, "line 3, column 33: the quotation mark that opens here is not closed\n");
    assert_eq!(said.stdout, "2 row(s): 1 created, 0 updated, 0 unchanged, 1 error(s).\n");
    let utf_8 = row("b@example.com", "Иван");
    let mixed =
        [format!("{HEADER}\n{utf_8}").into_bytes(), in_windows_1251("c@example.com;;;Иван;\n")].concat();
    let said = fixture.import("mixed.csv", &mixed, &["--mode", "upsert"]).expect_failure();
    assert!(said.stderr.contains("line 3, column 17: the bytes from here on are not UTF-8"), "{said:?}");
    assert_eq!(fixture.0.probe().user("b@example.com").one("cn"), "Иван");
    let windows = in_windows_1251(&format!("{HEADER}\n{utf_8}"));
    let said = fixture.import("windows.csv", &windows, &["--charset", "utf-8"]).expect_failure();
    assert!(said.stderr.starts_with("line 2, column 33: "), "{said:?}");
    let said = fixture.import("people.csv", b"PK\x03\x04\x14\0", &[]).expect_failure();
    assert_eq!(
        said.stderr,
        "line 1, column 1: the file is a workbook of Excel or the like: save it as CSV\n"
    );
    let unclear = [format!("{HEADER}\n").as_bytes(), b"x@example.com;;;Jos\x82;\n"].concat();
    let said = fixture.import("cp850.csv", unclear, &[]).expect_failure();
    assert!(
        said.stderr.starts_with("line 2, column 20: the letters from here on are in an encoding"),
        "{said:?}"
    );
    let long = format!("{HEADER}\n\"{}", "line of a letter that somebody pasted\n".repeat(10_000));
    let said = fixture.import("long.csv", long, &[]).expect_failure();
    assert!(said.stderr.contains("line 2, column 1: the row that begins here is too long"), "{said:?}");
    assert!(said.stderr.contains("is the quotation mark in line 2, column 1 not closed?"), "{said:?}");
}

fn standard_input() {
    let fixture = Fixture::start();
    let number = 600;
    let rows: String = (0..number).map(|n| row(&format!("u{n}@example.com"), "Many")).collect();
    let config = fixture.0.usual_config();
    let arguments =
        ["import-users", "-", "--tenant", "default", "--format", "csv", "--config", config.to_str().unwrap()];
    let done = run_program(pbm(), arguments, &[], &format!("{HEADER}\n{rows}")).expect_success();
    assert_eq!(
        done.stdout,
        format!("{number} row(s): {number} created, 0 updated, 0 unchanged, 0 error(s).\n")
    );
    assert_eq!(fixture.users().len(), number + 1);
}

fn no_directory() {
    let mut fixture = Fixture::start();
    let rows: String = (0..500).map(|n| row(&format!("u{n}@example.com"), "Many")).collect();
    let fifo = fixture.0.file("users.csv");
    run_program(&harness::program("mkfifo"), [fifo.to_str().unwrap()], &[], "").expect_success();
    let config = fixture.0.usual_config();
    let import = std::thread::spawn({
        let fifo = fifo.clone();
        move || {
            let (fifo, config) = (fifo.to_str().unwrap(), config.to_str().unwrap());
            run_program(pbm(), ["import-users", fifo, "--tenant", "default", "--config", config], &[], "")
        }
    });
    let mut pipe = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    // More than a pipe holds: when it is written, the program is reading, and has already read the tenant.
    let blank = "\n".repeat(256 * 1024);
    std::io::Write::write_all(&mut pipe, format!("{HEADER}\n{blank}").as_bytes()).unwrap();
    fixture.0.directory.kill();
    let _ = std::io::Write::write_all(&mut pipe, rows.as_bytes());
    drop(pipe);
    let done = import.join().unwrap();
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stderr.contains("was out of reach for 20 consecutive rows"), "{done:?}");
    // Rows in progress are reported too, one for every other connection.
    let rows: usize = done.stdout.split(' ').next().unwrap().parse().unwrap();
    assert!((20..=36).contains(&rows), "{done:?}");
}

fn wrong_commands() {
    let fixture = Fixture::start();
    let config = fixture.0.usual_config();
    let run = |arguments: &[&str]| fixture.0.pbm(&config, &[&["import-users"], arguments].concat());
    let refused = run(&["/nowhere/users.csv", "--tenant", "default"]);
    assert!(refused.code == 1 && refused.stderr.contains("no such file: /nowhere/users.csv"), "{refused:?}");
    let refused = run(&["-", "--tenant", "default"]);
    assert!(refused.code == 2 && refused.stderr.contains("--format csv"), "{refused:?}");
    let refused = run(&["/nowhere/users", "--tenant", "default"]);
    assert!(refused.code == 1 && refused.stderr.contains("no such file: /nowhere/users"), "{refused:?}");
    let refused = fixture.import("users.json", "", &["--charset", "windows-1251"]);
    assert!(refused.code == 2 && refused.stderr.contains("NDJSON is always UTF-8"), "{refused:?}");
    let folder = fixture.0.folder().to_str().unwrap();
    let refused = run(&[folder, "--tenant", "default", "--format", "csv"]);
    assert!(refused.code == 1 && refused.stderr.contains("is a folder"), "{refused:?}");
    let refused = fixture.import("users.csv", "mail\n", &["--tenant", "nobody"]);
    assert_eq!(refused.code, 2, "an option that is given twice: {refused:?}");
    let users = fixture.0.file("users.csv");
    let refused = run(&[users.to_str().unwrap(), "--tenant", "nobody"]);
    assert!(refused.code == 1 && refused.stderr.contains("there is no tenant nobody"), "{refused:?}");
    assert_eq!(run(&["users.csv", "--tenant", "default", "--mode", "destroy"]).code, 2);
}
