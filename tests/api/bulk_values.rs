//! Values in tables from other programs: names in two scripts, invisible characters, hashes, our own export.

use crate::{
    bulk_fixture::{CSV, Fixture, assert_summary, end, in_encoding, lines, utf_16},
    file_formats,
};
use encoding_rs::WINDOWS_1252;
use harness::{PASSWORD, World, form};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

harness::trials! { "bulk_values":
    a_word_in_two_scripts_is_no_name,
    what_does_not_show_is_cut_at_ends_and_shown_in_messages,
    an_export_is_imported_again_without_a_change,
    a_table_that_breaks_off_counts_each_row_once,
    hashes_are_no_passwords_and_bytes_are_called_bytes,
    rights_that_are_lost_while_rows_come_are_lost,
    rights_that_are_taken_behind_pbm_are_lost_to_an_import_that_goes_on,
}

fn a_word_in_two_scripts_is_no_name(world: &World) {
    let fixture = Fixture::new(world);
    let admin = fixture.tenant.admin();
    for field in ["cn", "sn", "displayName", "initials"] {
        let answer = admin.patch(&fixture.user, &form(&[(field, "Peсa")])).expect_wrong(&[field]);
        let message = answer.message()[field].as_str().unwrap().to_owned();
        assert!(
            message.starts_with(&format!(
                "{field} has Latin and Cyrillic letters in one word, Peсa (Cyrillic: с)"
            )),
            "{message}"
        );
    }
    // Windows-1252, declared as windows-1251.
    let table = in_encoding(&fixture.table("José", "Peña"), WINDOWS_1252);
    let said = lines(&fixture.send("text/csv; charset=windows-1251", "mode=upsert", table));
    assert!(
        said[0]["message"]["cn"].as_str().unwrap().contains("in one word, Josй (Cyrillic: й)"),
        "{said:?}"
    );
    assert!(said[0]["message"]["sn"].as_str().unwrap().contains("Peсa"), "{said:?}");
    assert_eq!(fixture.take_names(), ["jose", "Tester"]);
    for (field, text) in
        [("cn", "IT-отдел"), ("sn", "О'Neil"), ("title", "Web-дизaйнер"), ("description", "Josй")]
    {
        admin.patch(&fixture.user, &form(&[(field, text)])).expect_success();
    }
}

fn what_does_not_show_is_cut_at_ends_and_shown_in_messages(world: &World) {
    let fixture = Fixture::new(world);
    let (admin, mail) = (fixture.tenant.admin(), &fixture.user.mail);
    for blank in ["\u{200b}", "\u{feff}", "\u{a0}", "\u{ad}\u{2060}", "\u{3164}", " \u{200e}\u{202f}"] {
        assert_eq!(fixture.refused(fixture.table(blank, "x")), json!({"cn": "cn is blank"}));
        for field in ["cn", "title", "displayName", "description"] {
            let answer = admin.patch(&fixture.user, &form(&[(field, blank)])).expect_wrong(&[field]);
            assert_eq!(answer.message()[field], format!("{field} is blank"));
        }
    }
    let alias = fixture.tenant.address("alias");
    let table = format!(
        "\u{200b}mail\u{feff};\u{a0}cn;telephoneNumber;quota;lang;alias;employeeType\n\
         \u{feff} {mail}\u{200b};\u{a0}Пётр\u{200b};\u{202a}+7 495\u{202c};\u{a0}10\u{200b};ru-RU\u{a0};\u{200b}{alias}\u{a0},\u{200b};2\u{feff}\n"
    );
    assert_summary(&fixture.send(CSV, "mode=upsert", table), &[("rows", 1), ("updated", 1)]);
    let shown = admin.get(&fixture.user).expect(200).json();
    let values =
        ["cn", "telephoneNumber", "quota", "lang", "alias", "employeeType"].map(|field| shown[field].clone());
    assert_eq!(values, [json!("Пётр"), json!("+7 495"), json!(10), json!("ru-RU"), json!([alias]), json!(2)]);
    // A login, and an address in the path.
    world.nobody().log_in(&format!("\u{a0}{mail}\u{200b}"), PASSWORD).expect(200);
    let path = format!("{}/{}", fixture.tenant.users(), harness::encoded(&format!("{mail}\u{200b}")));
    admin.get(path).expect(200);
    // Inside a value they stay, and messages show them.
    for (field, text, words) in [
        ("telephoneNumber", "+7\u{a0}495", r"telephoneNumber +7\u{a0}495 is not a phone number"),
        ("quota", "1\u{200b}0", r"quota 1\u{200b}0 must be a whole number"),
        ("employeeType", "1\u{feff}2", r"employeeType 1\u{feff}2 must be one of"),
        ("alias", "a\u{200b}b@x.y", r"alias a\u{200b}b@x.y has a non-ASCII"),
        ("mail", "a\u{200b}b@x.y", r"mail a\u{200b}b@x.y has a non-ASCII"),
    ] {
        let answer = admin.patch(&fixture.user, &form(&[(field, text)])).expect_wrong(&[field]);
        let message = answer.message()[field].as_str().unwrap().to_owned();
        assert!(message.starts_with(words), "{message}");
    }
    let header = fixture.send(CSV, "mode=upsert", "mail;ma\u{200b}il;t\0itle\nx;y\n").expect(400);
    assert!(header.text().contains(r"ma\\u{200b}il is not a field; did you mean mail?"), "{}", header.text());
    assert!(header.text().contains(r"t\\u{0}itle is not a field"), "{}", header.text());
    let key = json!({"mail": mail, "ti\u{feff}tle": "x"}).to_string();
    let said = lines(&fixture.send("application/x-ndjson", "mode=upsert", key));
    assert_eq!(
        said[0]["message"],
        json!({r"ti\u{feff}tle": r"ti\u{feff}tle is not a field; did you mean title?"})
    );
}

/// Values that a spreadsheet takes for a formula, or that CSV has to quote.
#[rustfmt::skip]
const HARD: [(&str, &[&str]); 7] = [
    ("telephoneNumber", &["+7 (495) 000-00-00", "+7 495 1, +7 812 2", "8-800", "-1", ""]),
    ("title", &["=1+1; босс", "@home", "-", "", "a; +7, =x", "инженер \"главный\"", "'так'"]),
    ("description", &["- раз\n- два; =3", "\"=1\"", "", "+", "одна\r\nдве", "'=1"]),
    ("telegram", &["@ivan", "", "+79"]),
    ("displayName", &["", "", "Белых, Анна", "＝Анна", "-Анна-"]),
    ("ou", &["Отдел; сбыт", "", "=Отдел"]),
    ("initials", &["", "Ильич", "-"]),
];

/// Seventy users, and some contacts of other kinds.
fn company(world: &World) -> Fixture<'_> {
    let fixture = Fixture::new(world);
    let tenant = &fixture.tenant;
    let row = |number: usize| {
        let pick = |values: [&'static str; 3]| values[number % 3];
        let mut row = json!({
            "mail": tenant.address(&format!("u{number}")), "userPassword": PASSWORD, "employeeNumber": 2,
            "cn": pick(["Анна", "=Ann", "О'Нил"]), "sn": pick(["Белых", "-", "Ёлкин; мл."]),
        });
        for (field, values) in HARD {
            row[field] = json!(values[number % values.len()]);
        }
        if number.is_multiple_of(4) {
            row["alias"] =
                json!([tenant.address(&format!("z{number}")), tenant.address(&format!("a{number}"))]);
        }
        row.to_string()
    };
    let rows: Vec<_> = (0..64).map(row).collect();
    assert_summary(
        &fixture.send("application/x-ndjson", "", rows.join("\n")),
        &[("rows", 64), ("created", 64)],
    );
    // Values that other programs left in the directory and that a request may not set.
    for (number, attribute, value) in [
        (1, "description", "a\u{1}b"),
        (2, "cn", "Сидoров"),
        (3, "title", "босс\u{a0}"),
        (5, "sn", " Белых "),
        (6, "telephoneNumber", "ext. 12"),
    ] {
        let dn = world.probe().user(&tenant.address(&format!("u{number}"))).dn;
        world.probe().replace(&dn, attribute, &[value]);
    }
    tenant.mail_list("sales").with("displayName", "=Продажи").members(&[&fixture.user.mail]).create();
    tenant.group("Rooms").create().resource("rome").with("displayName", "Рим").create();
    harness::soon("the changes", || tenant.book().export("format=csv").text().contains("ext. 12"));
    fixture
}

fn an_export_is_imported_again_without_a_change(world: &World) {
    let fixture = company(world);
    let tenant = &fixture.tenant;
    let exported = tenant.book().export("format=csv").expect(200).text();
    let before = tenant.entries();
    let unchanged = [("rows", 68), ("unchanged", 66), ("skipped", 2)];
    let answer = fixture.send(CSV, "mode=upsert", &exported);
    assert_summary(&answer, &unchanged);
    // The columns in another order, with other separators and another encoding, as a spreadsheet saves it.
    let rows = file_formats::csv(&exported);
    let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    for turn in [3, 8, 16] {
        let row = |row: &Vec<String>| {
            let mut cells: Vec<_> = row.iter().map(quoted).collect();
            cells.rotate_left(turn);
            cells.join(if turn == 8 { "\t" } else { ";" })
        };
        let text = rows.iter().map(row).collect::<Vec<_>>().join("\r\n");
        assert_summary(&fixture.send(CSV, "mode=upsert", utf_16(&text, u16::to_le_bytes)), &unchanged);
    }
    let json = tenant.book().export("format=json&kind=user").expect(200).json();
    let ndjson: Vec<_> = json.as_array().unwrap().iter().map(Value::to_string).collect();
    let answer = fixture.send("application/x-ndjson", "mode=upsert", ndjson.join("\n"));
    assert_summary(&answer, &[("rows", 66), ("unchanged", 66)]);
    assert_eq!(tenant.entries(), before);
    // Only the changes in the table are applied; a changed display name is applied as well.
    let changed = exported
        .replace(",'+7 (495) 000-00-00,", ",'+7 (495) 111-11-11,")
        .replace("'=1+1; босс", "'=2; босс");
    assert_ne!(changed, exported);
    let answer = fixture.send(CSV, "mode=upsert", &changed);
    assert_eq!(end(&answer)["summary"]["errors"], 0, "{}", answer.text());
    let first = tenant.admin().get(tenant.named("u0")).expect(200).json();
    assert_eq!(
        (&first["telephoneNumber"], &first["title"]),
        (&json!("+7 (495) 111-11-11"), &json!("=2; босс"))
    );
    // Without the columns that only exports have, every value of a table is literal; a password is never changed by it.
    let table =
        format!("mail;displayName;title;userPassword\n{};'=Jose;'=x;'=Correct-Horse-7\n", fixture.user.mail);
    assert_summary(&fixture.send(CSV, "mode=upsert", table), &[("rows", 1), ("updated", 1)]);
    let shown = tenant.admin().get(&fixture.user).expect(200).json();
    assert_eq!((&shown["displayName"], &shown["title"]), (&json!("=Jose"), &json!("=x")));
    world.nobody().log_in(&fixture.user.mail, "'=Correct-Horse-7").expect(200);
}

fn a_table_that_breaks_off_counts_each_row_once(world: &World) {
    let fixture = Fixture::new(world);
    let mail = &fixture.user.mail;
    for (rest, errors) in [
        (format!("{mail};\"open\n").into_bytes(), 1),
        (format!("{mail};Иван\n{mail};").into_bytes().into_iter().chain([0xFF]).collect(), 1),
        (format!("wrong;x\n{mail};\"open\n").into_bytes(), 2),
    ] {
        let table = [format!("mail;title\n{mail};first\n").as_bytes(), &rest].concat();
        let answer = fixture.send(CSV, "mode=upsert", table);
        let summary = end(&answer)["summary"].clone();
        let of = |name: &str| summary[name].as_u64().unwrap();
        assert_eq!(of("errors"), errors, "{}", answer.text());
        let sum = ["created", "updated", "unchanged", "skipped", "errors"].map(of).iter().sum::<u64>();
        assert_eq!(of("rows"), sum, "{}", answer.text());
    }
}

fn hashes_are_no_passwords_and_bytes_are_called_bytes(world: &World) {
    let fixture = Fixture::new(world);
    let (admin, mail) = (fixture.tenant.admin(), &fixture.user.mail);
    for hash in
        ["{SSHA}KgL5bUqq8E0Zp3d2OH0vLYBKQ0bB8bIcGg==", "{ssha512}x", "{PBKDF2-SHA512}1$2$3", "{CRYPT}$6$x$y"]
    {
        let refused =
            admin.patch(&fixture.user, &form(&[("userPassword", hash)])).expect_wrong(&["userPassword"]);
        let message = refused.message()["userPassword"].as_str().unwrap().to_owned();
        assert!(
            message.contains("hashes of passwords are not accepted") && !message.contains("KgL5"),
            "{message}"
        );
        fixture.tenant.user("new").with("userPassword", hash).put().expect_wrong(&["userPassword"]);
        let said = fixture.refused(format!("mail;userPassword\n{mail};{hash}\n"));
        assert_eq!(said, json!({"userPassword": message}));
    }
    for long in ["x".repeat(513), format!("x{}", "я".repeat(256))] {
        let refused =
            admin.patch(&fixture.user, &form(&[("userPassword", &long)])).expect_wrong(&["userPassword"]);
        assert_eq!(refused.message()["userPassword"], "userPassword is too long: at most 512 bytes of UTF-8");
    }
    let refused = admin.patch(&fixture.user, &form(&[("cn", &"я".repeat(257))])).expect_wrong(&["cn"]);
    assert_eq!(refused.message()["cn"], "cn is too long: at most 256 characters");
    assert!(fixture.user.can_bind());
}

fn rights_that_are_lost_while_rows_come_are_lost(world: &World) {
    let tenant = world.tenant();
    let boss = tenant.user("boss").role(1).create();
    let client = boss.log_in();
    let mut stream = TcpStream::connect(client.server()).unwrap();
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let row = |name: &str| format!("{name}@{};{PASSWORD};1;A;B\n", tenant.domain);
    let head = format!(
        "POST /v2/users/{}/bulk HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: text/csv\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        tenant.id,
        client.server(),
        client.token()
    );
    // Rows are read in batches, so the first ones are many.
    let names: Vec<_> = (0..400).map(|number| format!("early{number}")).collect();
    let early: String = names.iter().map(|name| row(name)).collect();
    let first = head + &chunk("mail;userPassword;employeeNumber;cn;sn\n") + &chunk(&early);
    stream.write_all(first.as_bytes()).unwrap();
    harness::soon("rows are done", || {
        world.probe().find(&format!("(mail=early0@{})", tenant.domain)).len() == 1
    });
    world.root().patch(&boss, "inetUserStatus=0").expect_success();
    stream.write_all((chunk(&row("late")) + "0\r\n\r\n").as_bytes()).unwrap();
    let mut report = String::new();
    stream.read_to_string(&mut report).unwrap();
    assert!(report.contains("early0@"), "{report}");
    assert!(world.probe().find(&format!("(mail=late@{})", tenant.domain)).is_empty(), "{report}");
}

fn rights_that_are_taken_behind_pbm_are_lost_to_an_import_that_goes_on(world: &World) {
    let tenant = world.tenant();
    let boss = tenant.user("boss").role(1).create();
    let client = boss.log_in();
    let mut stream = TcpStream::connect(client.server()).unwrap();
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let head = format!(
        "POST /v2/users/{}/bulk HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: text/csv\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        tenant.id,
        client.server(),
        client.token()
    );
    let header = "mail;userPassword;employeeNumber;cn;sn\n";
    stream.write_all((head + &chunk(header)).as_bytes()).unwrap();
    world.probe().replace(&boss.dn(), "inetUserStatus", &["0"]);
    // Rows keep arriving, so the cached account is used continuously.
    let mut number = 0;
    for _ in 0..12 {
        let rows: Vec<String> = (0..100)
            .map(|_| {
                number += 1;
                format!("row{number}@{};{PASSWORD};2;A;B\n", tenant.domain)
            })
            .collect();
        stream.write_all(chunk(&rows.concat()).as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut report = String::new();
    stream.read_to_string(&mut report).unwrap();
    assert!(world.probe().find(&format!("(mail=row{number}@{})", tenant.domain)).is_empty());
    assert!(report.contains("\"error\""), "{}", report.chars().take(2000).collect::<String>());
}
