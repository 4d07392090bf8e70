//! Tables from other programs, over HTTP: their encodings, shapes and compression.

use crate::bulk_fixture::{CSV, Fixture, assert_summary, end, in_encoding, utf_16};
use encoding_rs::{IBM866, KOI8_R, MACINTOSH, WINDOWS_1251, WINDOWS_1252};
use flate2::{Compression, write::GzEncoder};
use harness::{Context, World};
use serde_json::json;
use std::io::Write;

harness::trials! { "bulk_tables":
    tables_in_every_encoding_are_read_and_it_is_named,
    a_charset_is_taken_and_what_does_not_fit_it_refused,
    an_encoding_that_cannot_be_told_is_asked_for,
    tables_are_taken_in_every_shape,
    packed_tables_are_taken_and_bombs_are_not,
    only_what_cannot_be_read_is_unsupported,
}

fn tables_in_every_encoding_are_read_and_it_is_named(world: &World) {
    let fixture = Fixture::new(world);
    let read = |bytes: Vec<u8>, name: &str, guessed: bool, names: [&str; 2]| {
        let _case = Context::new(format!("{names:?} in {name}"));
        let answer = fixture.send(CSV, "mode=upsert", bytes);
        assert_summary(&answer, &[("rows", 1), ("updated", 1)]);
        let end = end(&answer);
        assert_eq!((&end["encoding"], &end["encoding-guessed"]), (&json!(name), &json!(guessed)));
        assert_eq!(fixture.take_names(), names);
    };
    for names in [["José", "Peña"], ["Пётр", "Щукин"], ["Ян", "Ли"], ["李", "明"], ["Ann", "Lee"]]
    {
        let text = fixture.table(names[0], names[1]);
        read(text.clone().into_bytes(), "utf-8", false, names);
        read(format!("\u{feff}{text}").into_bytes(), "utf-8", false, names);
        for mark in ["", "\u{feff}"] {
            read(utf_16(&format!("{mark}{text}"), u16::to_le_bytes), "utf-16le", false, names);
            read(utf_16(&format!("{mark}{text}"), u16::to_be_bytes), "utf-16be", false, names);
        }
    }
    let western = [
        ["José", "Peña"],
        ["François", "Lefèvre"],
        ["Jürgen", "Weiß"],
        ["Niccolò", "Forlì"],
        ["João", "Simões"],
    ];
    let russian = [["Пётр", "Щукин"], ["Анна-Мария", "Белых"], ["СЕРГЕЙ", "ИВАНОВ"], ["Юлия", "Эрнст"]];
    for (names, encoding, name) in western.iter().map(|names| (names, WINDOWS_1252, "windows-1252")).chain(
        russian.iter().flat_map(|names| {
            [(WINDOWS_1251, "windows-1251"), (IBM866, "cp866"), (KOI8_R, "koi8-r")]
                .map(|(e, n)| (names, e, n))
        }),
    ) {
        read(in_encoding(&fixture.table(names[0], names[1]), encoding), name, true, *names);
    }
    read(in_encoding(&fixture.table("José", "Núñez"), MACINTOSH), "macintosh", true, ["José", "Núñez"]);
}

fn a_charset_is_taken_and_what_does_not_fit_it_refused(world: &World) {
    let fixture = Fixture::new(world);
    for (label, encoding, names) in [
        ("windows-1251", WINDOWS_1251, ["ж", "Щ"]),
        ("windows-1252", WINDOWS_1252, ["José", "Œuf"]),
        ("iso-8859-1", WINDOWS_1252, ["José", "Peña"]),
        ("cp866", IBM866, ["ж", "Ю"]),
        ("KOI8-R", KOI8_R, ["ж", "Ю"]),
        ("windows-1250", encoding_rs::WINDOWS_1250, ["Łukasz", "Żółty"]),
        ("gb18030", encoding_rs::GB18030, ["李", "明"]),
    ] {
        let _case = Context::new(label);
        let bytes = in_encoding(&fixture.table(names[0], names[1]), encoding);
        let answer = fixture.send(&format!("text/csv; charset={label}"), "mode=upsert", bytes);
        assert_summary(&answer, &[("rows", 1), ("updated", 1)]);
        assert_eq!(end(&answer)["encoding-guessed"], false);
        assert_eq!(fixture.take_names(), names);
    }
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        for mark in ["", "\u{feff}"] {
            let bytes = utf_16(&format!("{mark}{}", fixture.table("Ж", "Я")), to_bytes);
            assert_summary(
                &fixture.send("text/csv; charset=utf-16", "mode=upsert", bytes),
                &[("rows", 1), ("updated", 1)],
            );
            assert_eq!(fixture.take_names(), ["Ж", "Я"]);
        }
    }
    let column = fixture.user.mail.len() + 2;
    for (label, byte, words) in [
        ("utf-8", b'\xC8', "the bytes from here on are not UTF-8"),
        ("windows-1251", b'\x98', "the byte 0x98 is not a letter of windows-1251"),
        ("windows-1252", b'\x81', "the byte 0x81 is not a letter of windows-1252"),
    ] {
        let table = fixture.table("?", "x").into_bytes();
        let table: Vec<u8> = table.into_iter().map(|b| if b == b'?' { byte } else { b }).collect();
        let refused = fixture.send(&format!("text/csv; charset={label}"), "mode=upsert", table).expect(400);
        let said = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(said.starts_with(&format!("line 2, column {column}: {words}")), "{said}");
    }
    let marked = format!("\u{feff}{}", fixture.table("a", "b"));
    let refused = fixture.send("text/csv; charset=koi8-r", "", marked).expect(400);
    assert!(
        refused.text().contains("begins with the byte order mark of utf-8 and cannot be koi8-r"),
        "{}",
        refused.text()
    );
}

fn an_encoding_that_cannot_be_told_is_asked_for(world: &World) {
    let fixture = Fixture::new(world);
    for names in [&b"\xE6"[..], b"Jos\x82", "Łukasz".as_bytes().get(1..).unwrap()] {
        let table = [b"mail;sn;cn\n", fixture.user.mail.as_bytes(), b";x;", names, b"\n"].concat();
        let refused = fixture.send(CSV, "mode=upsert", table).expect(400);
        assert!(refused.text().contains("in an encoding that cannot be detected"), "{}", refused.text());
    }
    assert_eq!(fixture.take_names(), ["jose", "Tester"]);
}

fn tables_are_taken_in_every_shape(world: &World) {
    let fixture = Fixture::new(world);
    let mail = &fixture.user.mail;
    let taken = |text: &str| {
        let _case = Context::new(text);
        assert_summary(&fixture.send(CSV, "mode=upsert", text), &[("rows", 1), ("updated", 1)]);
        assert_eq!(fixture.take_names(), ["Анна; \"A\"", "Белых"]);
    };
    for separator in [";", ",", "\t", "|", ":", " "] {
        for end in ["\r\n", "\n", "\r"] {
            let rows = |separator: &str| {
                format!(
                    "sn{separator}cn{separator}mail{end}Белых{separator}\"Анна; \"\"A\"\"\"{separator}{mail}"
                )
            };
            taken(&rows(separator));
            taken(&format!("{}{end}{end}", rows(separator)));
            if separator != " " {
                taken(&format!("sep={separator}{end}{}", rows(separator)));
                taken(&format!("\u{feff}\"SEP={separator}\"{end}{}", rows(separator)));
            }
        }
    }
    for text in [
        // Missing cells, superfluous cells, and empty rows to the end of the sheet.
        "mail;cn;sn;title;ou;;\r\nM;A;Белых\r\n;;;;;;\r\n",
        "mail;cn;sn\r\nM;A;Белых;;;\u{a0}; \r\n\r\n;;\r\n",
        "mail;cn;sn; ;\u{feff}\r\nM;A;Белых;;\r\n",
        "mail,cn,sn,,,\r\nM,A,Белых,,,\r\n,,,,,\r\n,,,,,\r\n",
        "\r\n;;;\r\n\u{200b}mail\u{a0};cn;\"sn\"\r\n\r\nM;A;Белых\r\n",
        "sep=;;;\r\nmail;cn;sn\r\nM;A;Белых\r\n",
    ] {
        taken(
            &text
                .replace(";A;", ";\"Анна; \"\"A\"\"\";")
                .replace(",A,", ",\"Анна; \"\"A\"\"\",")
                .replace('M', mail),
        );
    }
    let surplus = fixture.refused(format!("mail;cn;sn\n{mail};A;B;;\u{200b}x\n"));
    assert_eq!(surplus, "cell 5 has a value, \\u{200b}x, but the header names 3 column(s)");
    let hole = fixture.send(CSV, "mode=upsert", format!("mail;;cn\n{mail};;A\n")).expect(400);
    assert!(hole.text().contains("column 2 of the table has no name"), "{}", hole.text());
    let unknown = fixture.send(CSV, "mode=upsert", "sep=#\nmail#cn\n").expect(400);
    assert!(unknown.text().contains("other than ; , | : and tab"), "{}", unknown.text());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed_tables_are_taken_and_bombs_are_not(world: &World) {
    let fixture = Fixture::new(world);
    let table = fixture.table("Пётр", "Щукин");
    let utf_16 = utf_16(&format!("\u{feff}{}", table.replace(';', "\t")), u16::to_le_bytes);
    for (coding, body) in [
        ("gzip", gzip(table.as_bytes())),
        ("x-gzip", gzip(&utf_16)),
        ("GZIP", gzip(&in_encoding(&table, WINDOWS_1251))),
        // Compressed without the header, and the header without compression.
        ("identity", gzip(table.as_bytes())),
        ("gzip", table.clone().into_bytes()),
    ] {
        let answer =
            fixture.send_with(&[("Content-Type", CSV), ("Content-Encoding", coding)], "mode=upsert", body);
        assert_summary(&answer, &[("rows", 1), ("updated", 1)]);
        assert_eq!(fixture.take_names(), ["Пётр", "Щукин"]);
    }
    let whole = gzip(table.as_bytes());
    let cut = fixture.send(CSV, "mode=upsert", &whole[..whole.len() - 4]);
    assert!(cut.text().contains("is damaged or truncated"), "{}", cut.text());
    let bomb = gzip(&[fixture.table("x", "x").into_bytes(), vec![b'\n'; 64 << 20]].concat());
    assert!(bomb.len() < 100_000);
    let refused = fixture.send(CSV, "mode=upsert", bomb);
    assert!(refused.text().contains("unpacks to more than 128 times its size"), "{}", refused.text());
    assert_eq!(end(&refused)["summary"]["errors"], 1);
    for coding in ["br", "zstd", "deflate", "gzip, gzip"] {
        fixture.send_with(&[("Content-Type", CSV), ("Content-Encoding", coding)], "", &table).expect(415);
    }
}

fn only_what_cannot_be_read_is_unsupported(world: &World) {
    let fixture = Fixture::new(world);
    let table = fixture.table("Anna", "Lee");
    for kind in [
        "text/csv",
        "Text/CSV; header=present; charset=\"utf-8\"",
        "text/tab-separated-values",
        "text/plain; charset=us-ascii",
        "application/csv",
        "application/vnd.ms-excel",
    ] {
        assert_summary(&fixture.send(kind, "mode=upsert", &table), &[("rows", 1), ("updated", 1)]);
        fixture.take_names();
    }
    let line = json!({"mail": fixture.user.mail, "cn": "Пётр"}).to_string();
    for kind in [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl; charset=utf-8",
        "application/x-jsonlines",
    ] {
        assert_summary(&fixture.send(kind, "mode=upsert", &line), &[("rows", 1), ("updated", 1)]);
        fixture.take_names();
    }
    // The output of PowerShell.
    let wide = utf_16(&format!("\u{feff}{line}\r\n"), u16::to_le_bytes);
    assert_summary(
        &fixture.send("application/x-ndjson", "mode=upsert", wide),
        &[("rows", 1), ("updated", 1)],
    );
    for kind in [
        "application/x-www-form-urlencoded",
        "application/json",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "text/csv; charset=utf-7",
        "text/csv; charset=cp850",
        "application/x-ndjson; charset=koi8-r",
    ] {
        fixture.send(kind, "mode=upsert", &table).expect(415);
    }
    for (bytes, words) in
        [(&b"PK\x03\x04\x14\0\x06\0"[..], "is a workbook"), (b"\xD0\xCF\x11\xE0\xA1\xB1", "is a workbook")]
    {
        let refused = fixture.send(CSV, "", bytes).expect(400);
        assert!(refused.text().contains(words), "{}", refused.text());
    }
}
