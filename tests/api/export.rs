//! Exports: the same contacts in each format, read back as other programs read them.

use crate::{addressbook_pages::fill_outside, file_formats};
use harness::{Context, Tenant, World};
use serde_json::Value;
use std::collections::BTreeMap;

harness::trials! { "export":
    json_is_one_array_of_the_contacts_in_the_order_of_addresses,
    csv_has_a_row_for_each_contact,
    ldif_has_an_entry_for_each_contact,
    vcards_have_what_contacts_have,
    a_vcard_folds_between_characters,
    every_format_names_its_type_and_file,
    views_and_kinds_are_picked,
    a_large_book_is_exported_whole,
    bad_parameters_are_refused,
    one_contact_is_a_vcard_by_its_identifier,
    what_is_no_contact_has_no_vcard,
}

const NAME: &str = "Ёлкина, Анна; «босс» \\ 😀";
const NOTE: &str = "first line\nвторая, строка; \\n конец";

/// One of each kind, with the characters that each format has to escape.
fn company(world: &World) -> Tenant<'_> {
    let tenant = world.tenant();
    let anna = tenant.user("anna").with("displayName", NAME).with("cn", "Анна;Мария").with("sn", "Ёлкина,");
    let anna =
        anna.with("initials", "Игоревна").with("ou", "Отдел \"A\", первый").with("title", "=1+1; босс");
    let anna = anna.with("description", NOTE).with("homePhone", "+7 (495) 123-45-67").with("l", "Орёл, \\");
    let anna = anna
        .with("telephoneNumber", "8-800-555")
        .with("mobile", "+7 900 1")
        .with("telegram", "@anna")
        .with("skype", "live:anna.1");
    let anna = anna.with("alias", &[tenant.address("a1"), tenant.address("a2")].join(",")).create();
    let plain = tenant.user("plain").create();
    tenant.user("not-suggested").with("employeeType", "2").create();
    tenant.user("blocked").with("inetUserStatus", "0").create();
    tenant
        .mail_list("sales")
        .with("displayName", "Продажи; все")
        .members(&[&anna.mail, &plain.mail])
        .create();
    let room = tenant.group("Залы, большие").create().resource("rome").with("displayName", "Рим");
    room.with("description", "40 мест").with("l", "Москва").create();
    tenant.add_outside("Partner", &format!("zz@outside-{}.example", tenant.id), "title: Director\n");
    harness::soon("the partner", || tenant.book().page("view=all")["count"] == 7);
    tenant
}

/// The contacts in the order of their addresses.
fn by_mail(tenant: &Tenant<'_>, query: &str) -> Vec<Value> {
    tenant.book().contacts(&format!("orderby=mail&limit=1000&{query}"))
}

fn json_is_one_array_of_the_contacts_in_the_order_of_addresses(world: &World) {
    let tenant = company(world);
    let exported = tenant.book().export("format=json").expect(200).json();
    assert_eq!(exported, Value::Array(by_mail(&tenant, "view=all")));
    assert_eq!(exported.as_array().unwrap().len(), 7);
}

fn csv_has_a_row_for_each_contact(world: &World) {
    let tenant = company(world);
    let text = tenant.book().export("format=csv").expect(200).text();
    let rows = file_formats::csv(&text);
    let header = &rows[0];
    let contacts = by_mail(&tenant, "view=all");
    assert_eq!(rows.len(), contacts.len() + 1);
    for (row, contact) in rows[1..].iter().zip(&contacts) {
        let _case = Context::new(contact.to_string());
        assert_eq!(row.len(), header.len());
        let cells: BTreeMap<_, _> = header.iter().map(String::as_str).zip(row).collect();
        for (field, value) in contact.as_object().unwrap() {
            let cell = cells.get(field.as_str()).unwrap_or_else(|| panic!("no column {field}: {header:?}"));
            let expected = match value {
                Value::Array(values) => {
                    values.iter().map(|v| v.as_str().unwrap()).collect::<Vec<_>>().join(",")
                }
                _ => value.as_str().unwrap().to_owned(),
            };
            // A spreadsheet must not interpret it as a formula.
            let formula = expected.starts_with(['=', '+', '-', '@']);
            let guarded = if formula { format!("'{expected}") } else { expected };
            assert_eq!(**cell, guarded, "{field}");
        }
        let set = cells.values().filter(|cell| !cell.is_empty()).count();
        assert_eq!(set, contact.as_object().unwrap().len());
    }
}

fn ldif_has_an_entry_for_each_contact(world: &World) {
    let tenant = company(world);
    let text = tenant.book().export("format=ldif").expect(200).text();
    let entries = file_formats::ldif(&text);
    let contacts = by_mail(&tenant, "view=all");
    assert_eq!(entries.len(), contacts.len());
    for (entry, contact) in entries.iter().zip(&contacts) {
        let _case = Context::new(contact.to_string());
        let values = |attribute: &str| {
            let named = entry.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
            named.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(entry[0].0, "dn");
        assert_eq!(values("mail"), [contact["mail"].as_str().unwrap()]);
        let same = [
            "displayName",
            "sn",
            "ou",
            "title",
            "l",
            "description",
            "telephoneNumber",
            "homePhone",
            "mobile",
        ];
        for field in same.into_iter().filter(|field| !contact[field].is_null()) {
            assert_eq!(values(field), [contact[field].as_str().unwrap()], "{field}");
        }
        let aliases = contact["alias"].as_array().map_or(0, Vec::len);
        assert_eq!(values("mailAlternateAddress").len(), aliases);
        assert!(!values("objectClass").is_empty());
    }
    assert!(!text.to_lowercase().contains("dc=example") && !text.contains("ou=People"), "{text}");
}

fn vcards_have_what_contacts_have(world: &World) {
    let tenant = company(world);
    let text = tenant.book().export("").expect(200).text();
    assert_eq!(tenant.book().export("format=vcard").expect(200).text(), text);
    let cards = file_formats::vcards(&text);
    let contacts = by_mail(&tenant, "view=all");
    assert_eq!(cards.len(), contacts.len());
    for (card, contact) in cards.iter().zip(&contacts) {
        let _case = Context::new(contact.to_string());
        let field = |name: &str| contact[name].as_str().unwrap_or_default();
        assert_eq!(card.one("VERSION"), "4.0");
        assert_eq!(card.one("UID"), format!("urn:uuid:{}", field("id")));
        assert_eq!(card.text("FN"), field("displayName"));
        let kind = match field("kind") {
            "list" => "group",
            "resource" => "location",
            _ => "individual",
        };
        assert_eq!(card.one("KIND"), kind);
        let mails = card.all("EMAIL");
        assert_eq!(mails[0].value, field("mail"));
        assert!(mails[0].parameters.contains("PREF=1"), "{:?}", mails[0]);
        let aliases: Vec<_> = mails[1..].iter().map(|mail| Value::from(mail.value.as_str())).collect();
        assert_eq!(aliases, contact["alias"].as_array().cloned().unwrap_or_default());
        let names = [field("sn"), field("cn"), field("initials"), "", ""];
        if names != [""; 5] {
            assert_eq!(card.components("N"), names);
        }
        if !field("ou").is_empty() {
            assert_eq!(card.components("ORG"), ["", field("ou")]);
        }
        assert_eq!(card.text("TITLE"), field("title"));
        assert_eq!(card.text("NOTE"), field("description"));
        for (kind, phone) in
            [("work", field("telephoneNumber")), ("home", field("homePhone")), ("cell", field("mobile"))]
        {
            let of_kind = card.all("TEL").into_iter().filter(|line| line.parameters.contains(kind));
            let phones: Vec<_> = of_kind.map(|line| line.text()).collect();
            assert_eq!(phones.concat(), phone, "{kind}");
        }
        if !field("l").is_empty() {
            assert_eq!(card.components("ADR"), ["", "", "", field("l"), "", "", ""]);
        }
        for name in ["telegram", "skype"].map(field).into_iter().filter(|name| !name.is_empty()) {
            let plain = harness::encoded(name);
            assert!(card.lines.iter().any(|line| {
                (line.name == "IMPP" || line.name.starts_with("X-"))
                    && (line.value.contains(name) || line.value.contains(&plain))
            }));
        }
    }
    let group = cards.iter().find(|card| card.one("KIND") == "group").unwrap();
    let mut members: Vec<_> = group.all("MEMBER").into_iter().map(|line| line.value.clone()).collect();
    members.sort_unstable();
    assert_eq!(members, ["anna", "plain"].map(|name| format!("mailto:{}", tenant.address(name))));
}

fn a_vcard_folds_between_characters(world: &World) {
    let tenant = world.tenant();
    for (number, shift) in ["", "x ", "xx ", "xxx "].into_iter().enumerate() {
        let name = format!("{shift}{}", "Ёж😀".repeat(25));
        tenant.user(&format!("u{number}")).with("displayName", &name).with("description", &name).create();
    }
    let answer = tenant.book().export("").expect(200);
    let text = std::str::from_utf8(&answer.body).unwrap();
    assert!(text.ends_with("END:VCARD\r\n"));
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "lines end with CRLF");
    let folds = answer.body.windows(3).filter(|bytes| bytes == b"\r\n ").count();
    assert!(folds >= 4 * 4, "{folds}");
    for line in answer.body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(line.len() <= 75, "{} octets", line.len());
        assert!(std::str::from_utf8(line).is_ok(), "cut inside a character: {line:?}");
    }
    let names: Vec<_> = file_formats::vcards(text).iter().map(|card| card.text("FN")).collect();
    assert_eq!(names[3], format!("xx {}", "Ёж😀".repeat(25)));
}

fn every_format_names_its_type_and_file(world: &World) {
    let tenant = world.tenant();
    for (format, content_type, ending) in [
        ("vcard", "text/vcard; charset=utf-8", "vcf"),
        ("csv", "text/csv; charset=utf-8", "csv"),
        ("ldif", "text/plain; charset=utf-8", "ldif"),
        ("json", "application/json", "json"),
    ] {
        let answer = tenant.book().export(&format!("format={format}")).expect(200);
        assert_eq!(answer.header("content-type"), Some(content_type));
        let file = format!("attachment; filename=\"addressbook-{}.{ending}\"", tenant.id);
        assert_eq!(answer.header("content-disposition"), Some(file.as_str()));
    }
}

fn views_and_kinds_are_picked(world: &World) {
    let tenant = company(world);
    for query in [
        "view=suggestions",
        "view=colleagues",
        "kind=user",
        "kind=list,resource",
        "view=suggestions&kind=user",
    ] {
        let exported = tenant.book().export(&format!("format=json&{query}")).expect(200).json();
        let all = if query.contains("view") { query.to_owned() } else { format!("view=all&{query}") };
        assert_eq!(exported, Value::Array(by_mail(&tenant, &all)), "{query}");
        let cards = file_formats::vcards(&tenant.book().export(query).expect(200).text());
        assert_eq!(cards.len(), exported.as_array().unwrap().len(), "{query}");
    }
    let empty = tenant.book().export("format=json&kind=contact&view=all").expect(200).json();
    assert_eq!(empty.as_array().unwrap().len(), 1);
    let nobody = world.tenant();
    for (format, expected) in [("json", "[]"), ("vcard", "")] {
        let text = nobody.book().export(&format!("kind=list&format={format}")).expect(200).text();
        assert_eq!(text.trim(), expected);
    }
}

fn a_large_book_is_exported_whole(world: &World) {
    let tenant = world.tenant();
    fill_outside(world, &tenant);
    let exported = tenant.book().export("format=json").expect(200).json();
    let mut expected = by_mail(&tenant, "");
    expected.extend(by_mail(&tenant, "page=2"));
    assert_eq!(exported.as_array().unwrap().len(), expected.len());
    assert_eq!(exported, Value::Array(expected.clone()));
    let cards = file_formats::vcards(&tenant.book().export("").expect(200).text());
    let mails = cards.iter().map(|card| card.all("EMAIL")[0].value.clone());
    assert!(mails.eq(expected.iter().map(|contact| contact["mail"].as_str().unwrap().to_owned())));
    assert_eq!(file_formats::csv(&tenant.book().export("format=csv").text()).len(), expected.len() + 1);
    assert_eq!(file_formats::ldif(&tenant.book().export("format=ldif").text()).len(), expected.len());
}

fn bad_parameters_are_refused(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    for wrong in ["format=xls", "format=VCARD", "view=everyone", "kind=person"] {
        book.export(wrong).expect_wrong(&[wrong.split('=').next().unwrap()]);
    }
    book.export("format=x&view=x&kind=x").expect_wrong(&["format", "view", "kind"]);
}

fn one_contact_is_a_vcard_by_its_identifier(world: &World) {
    let tenant = company(world);
    let all = tenant.book().export("").expect(200).text();
    for contact in by_mail(&tenant, "view=all") {
        let _case = Context::new(contact.to_string());
        let path = format!("{}/{}.vcf", tenant.book().path, contact["id"].as_str().unwrap());
        let answer = tenant.admin().get(&path).expect(200);
        assert_eq!(answer.header("content-type"), Some("text/vcard; charset=utf-8"));
        let text = answer.text();
        assert!(text.starts_with("BEGIN:VCARD\r\n") && all.contains(&text), "{text}");
        assert_eq!(file_formats::vcards(&text).len(), 1);
    }
}

fn what_is_no_contact_has_no_vcard(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let id = tenant.book().contact(&ivan.mail)["id"].as_str().unwrap().to_owned();
    let card = |id: &str| tenant.admin().get(format!("{}/{id}.vcf", tenant.book().path));
    card(&id).expect(200);
    let other = "00000000-0000-0000-0000-000000000000";
    for wrong in [other, "x", "", "%00", "..", &id[1..], &format!("{id}0"), &id.replace('-', ""), "%2A"] {
        let _case = Context::new(wrong);
        card(wrong).expect(404);
    }
    tenant.admin().get(format!("{}/{id}.vcard", tenant.book().path)).expect(404);
    tenant.admin().get(format!("{}/{id}", tenant.book().path)).expect(404);
    tenant.admin().delete(&ivan).expect_success();
    let answer = card(&id).expect(404);
    assert_eq!(answer.message(), "There is no such contact.");
    tenant.admin().restore(&ivan).expect_success();
    card(&id).expect(200);
}
