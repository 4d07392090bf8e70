//! `pbm import-users`: tables from other programs, and our own export.

use crate::import_users::{Fixture, HEADER, row};
use harness::{PASSWORD, start_serve};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("tables_from_elsewhere_are_read_and_the_guess_is_told", from_elsewhere),
    ("an_export_is_imported_again_without_a_change", exported),
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

fn from_elsewhere() {
    let fixture = Fixture::start();
    fixture.import("a.csv", format!("{HEADER}\n{}", row("a@example.com", "Anna")), &[]).expect_success();
    let table = "sep=\t\r\nmail\tcn\tsn\t\t\r\na@example.com\tПётр\tЩукин\r\n\t\t\r\n";
    let utf_16: Vec<u8> = format!("\u{feff}{table}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (cp866, _, _) = encoding_rs::IBM866.encode(table);
    let reset = || fixture.import("b.csv", "mail;cn;sn\na@example.com;x;x\n", &["--mode", "upsert"]);
    for (name, bytes, guess) in [
        ("people.tsv", utf_16.clone(), ""),
        ("people.TXT.gz", gzip(&utf_16), ""),
        ("people.tab", cp866.to_vec(), "cp866"),
        ("people.csv.gz", gzip(&cp866), "cp866"),
    ] {
        let done = fixture.import(name, bytes, &["--mode", "upsert"]).expect_success();
        let told = done.stdout.lines().nth(1).unwrap_or_default();
        assert!(
            done.stdout.starts_with("1 row(s): 0 created, 1 updated, 0 unchanged, 0 error(s).\n"),
            "{done:?}"
        );
        assert_eq!(told.contains("That is a guess"), !guess.is_empty(), "{done:?}");
        assert!(told.contains(guess), "{done:?}");
        let user = fixture.0.probe().user("a@example.com");
        assert_eq!((user.one("cn"), user.one("sn")), ("Пётр", "Щукин"), "{name}");
        reset().expect_success();
    }
    let one_letter = encoding_rs::KOI8_R.encode("mail;cn\na@example.com;Ж\n").0.into_owned();
    let said = fixture.import("one.csv", &one_letter, &["--mode", "upsert"]).expect_failure();
    assert!(said.stderr.contains("in an encoding that cannot be detected"), "{said:?}");
    fixture.import("one.csv", &one_letter, &["--mode", "upsert", "--charset", "koi8-r"]).expect_success();
    assert_eq!(fixture.0.probe().user("a@example.com").one("cn"), "Ж");
    let wrong = fixture.import("one.csv", &one_letter, &["--charset", "cp850"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("windows-1252, iso-8859-1, cp866, koi8-r"), "{wrong:?}");
}

fn exported() {
    let fixture = Fixture::start();
    let rows: String = [
        "a@example.com;Correct-Horse-7;2;Анна;Белых;;+7 (495) 000-00-00;=1+1",
        "b@example.com;Correct-Horse-7;2;-;Белых;Белых, Б.;8-800, +7 812;\"a; +7, =x\"",
        "c@example.com;Correct-Horse-7;2;@c;=;;;'так'",
    ]
    .map(|row| format!("{row}\n"))
    .concat();
    let text = format!("{HEADER};displayName;telephoneNumber;title\n{rows}");
    fixture.import("a.csv", text, &[]).expect_success();
    let serve = start_serve(&fixture.0.usual_config(), &[]);
    let answer = serve.client().log_in("a@example.com", PASSWORD).expect(200);
    let client = serve.client().with_token(answer.json()["access_token"].as_str().unwrap());
    let export = client.get("/v2/addressbook/default/export?format=csv").expect(200);
    let before = fixture.users();
    let again = fixture.import("export.csv", &export.body, &["--mode", "upsert"]).expect_success();
    assert_eq!(again.stdout, "4 row(s): 0 created, 0 updated, 4 unchanged, 0 error(s).\n");
    assert_eq!(fixture.users(), before);
}
