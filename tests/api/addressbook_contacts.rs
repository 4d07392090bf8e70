//! The contents of an address book: which entries, in which views, with which attributes.

use harness::{Context, MEMBERS, Tenant, World, form};
use serde_json::{Value, json};

harness::trials! { "addressbook_contacts":
    everything_with_an_address_is_a_contact_of_its_kind,
    a_contact_shows_what_is_set_and_nothing_else,
    what_one_user_is_to_another_has_no_secrets,
    employee_type_says_in_which_views_a_user_is,
    blocked_users_are_in_no_view,
    deleted_users_are_in_no_view_until_they_are_restored,
    who_has_no_displayname_is_shown_by_its_names,
    a_contact_keeps_its_identifier_when_it_is_renamed,
    outside_contacts_are_read_as_they_stand,
    what_has_no_address_or_stands_elsewhere_is_no_contact,
    an_address_book_knows_its_own_tenant_alone,
    a_deleted_tenant_has_no_address_book_until_it_is_restored,
}

fn everything_with_an_address_is_a_contact_of_its_kind(world: &World) {
    let tenant = world.tenant();
    let (book, ivan) = (tenant.book(), tenant.user("ivan").create());
    let list = tenant.mail_list("sales").members(&[&ivan.mail]).create();
    let room = tenant.group("Переговорные").create().resource("rome").create();
    let outside = format!("partner@outside-{}.example", tenant.id);
    tenant.add_outside("Партнёр", &outside, "");
    let kinds = [(&ivan.mail, "user"), (&list.mail, "list"), (&room.mail, "resource"), (&outside, "contact")];
    for (mail, kind) in kinds {
        harness::soon(mail, || book.has(mail));
        assert_eq!(book.contact(mail)["kind"], kind);
    }
    assert_eq!(book.page("")["count"], 5);
    tenant.assert_book_is_right("one of each kind");
}

/// Field of a user, and its value with every letter and sign that may be handled wrongly.
const FIELDS: [(&str, &str); 13] = [
    ("displayName", "Ёлкина, Анна; «босс» \\ 😀"),
    ("cn", "Анна-Мария"),
    ("sn", "Ёлкина"),
    ("initials", "Игоревна"),
    ("ou", "Отдел & партнёры"),
    ("title", "Lead + 100% = «начальник»"),
    ("description", "first line\nвторая\tстрока"),
    ("homePhone", "+7 (495) 123-45-67"),
    ("telephoneNumber", "8-800-555-35-35, 12/3"),
    ("mobile", "+7 (900) 123-45-67"),
    ("l", "Санкт-Петербург"),
    ("telegram", "@anna_ё"),
    ("skype", "live:anna.1"),
];

fn a_contact_shows_what_is_set_and_nothing_else(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let aliases = ["a2", "a1"].map(|name| tenant.address(name));
    let anna = FIELDS.iter().fold(tenant.user("anna"), |new, (field, value)| new.with(field, value));
    let anna = anna.with("alias", &aliases.join(",")).with("quota", "77").with("lang", "ru-RU").create();
    let id = book.contact(&anna.mail)["id"].as_str().unwrap().to_owned();
    assert!(is_uuid(&id), "{id}");
    let mut expected =
        json!({"id": id, "kind": "user", "mail": anna.mail, "alias": [aliases[1], aliases[0]]});
    for (field, value) in FIELDS {
        expected[field] = json!(value);
    }
    assert_eq!(book.contact(&anna.mail), expected);
    // Removed values are no longer shown.
    for field in
        ["initials", "ou", "title", "description", "homePhone", "telephoneNumber", "mobile", "l", "telegram"]
    {
        tenant.admin().patch(&anna, &format!("{field}=")).expect_success();
        expected.as_object_mut().unwrap().remove(field);
        assert_eq!(book.contact(&anna.mail), expected);
    }
    tenant.admin().patch(&anna, "alias=").expect_success();
    expected.as_object_mut().unwrap().remove("alias");
    assert_eq!(book.contact(&anna.mail), expected);

    let list = tenant.mail_list("sales").with("displayName", "Отдел продаж").members(&[&anna.mail]).create();
    let shown = without_id(book.contact(&list.mail));
    assert_eq!(shown, json!({"kind": "list", "mail": list.mail, "displayName": "Отдел продаж"}));
    let room = tenant.group("Залы, большие").create().resource("rome").with("displayName", "Рим");
    let room = room.with("description", "40 мест").with("l", "Москва").create();
    let shown = without_id(book.contact(&room.mail));
    let expected = json!({
        "kind": "resource", "mail": room.mail, "displayName": "Рим", "description": "40 мест", "l": "Москва",
        "group": "Залы, большие",
    });
    assert_eq!(shown, expected);
    tenant.assert_book_is_right("all fields");
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    let digit = |byte: u8| b"-0123456789abcdef".contains(&byte);
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(digit)
}

fn without_id(mut contact: Value) -> Value {
    assert!(is_uuid(contact["id"].as_str().unwrap()), "{contact}");
    contact.as_object_mut().unwrap().remove("id");
    contact
}

fn what_one_user_is_to_another_has_no_secrets(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").role(1).with("quota", "77777777").with("lang", "tt-RU").create();
    let reader = tenant.user("reader").create().log_in();
    let book = tenant.book().by(&reader);
    let mut answers = vec![book.get("view=all"), book.ask("ivan", ""), book.export("format=json")];
    answers.extend(["vcard", "csv", "ldif"].map(|format| book.export(&format!("format={format}"))));
    if world.has_redis() {
        answers.push(book.changes("", 1000));
    }
    for answer in answers {
        let text = answer.expect(200).text();
        assert!(text.contains(&ivan.mail), "{text}");
        let secrets =
            ["employeeNumber", "inetUserStatus", "quota", "7777777", "tt-RU", "password", "{PBKDF2"];
        for secret in secrets {
            assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret}: {text}");
        }
    }
}

/// Whether the contact is in each of the views.
#[track_caller]
fn views(tenant: &Tenant<'_>, name: &str) -> [bool; 3] {
    ["colleagues", "suggestions", "all"]
        .map(|view| tenant.book().names(&format!("view={view}&limit=1000")).contains(&name.to_owned()))
}

fn employee_type_says_in_which_views_a_user_is(world: &World) {
    let tenant = world.tenant();
    let rooms = tenant.group("Rooms").create();
    let [nowhere, colleagues, suggestions, both] =
        [[false, false, false], [true, false, true], [false, true, true], [true, true, true]];
    let users = [("0", suggestions), ("1", both), ("2", colleagues), ("3", both)];
    for (number, expected) in users {
        let _case = Context::new(format!("a user of type {number}"));
        let name = format!("user{number}");
        tenant.user(&name).with("employeeType", number).create();
        assert_eq!(views(&tenant, &name), expected);
        assert_eq!(tenant.book().suggested(&name).contains(&name), expected[1]);
    }
    for (number, expected) in [("0", suggestions), ("1", both), ("2", nowhere)] {
        let _case = Context::new(format!("a resource of type {number}"));
        let name = format!("room{number}");
        rooms.resource(&name).with("employeeType", number).create();
        assert_eq!(views(&tenant, &name), expected);
        assert_eq!(tenant.book().suggested(&name).contains(&name), expected[1]);
    }
    tenant.user("usual").create();
    rooms.resource("usual-room").create();
    tenant.mail_list("list").members(MEMBERS).create();
    assert_eq!(["usual", "usual-room", "list"].map(|name| views(&tenant, name)), [both; 3]);
    // Each can become another one.
    for (number, expected) in users.into_iter().rev() {
        tenant.admin().patch(tenant.named("usual"), &format!("employeeType={number}")).expect_success();
        assert_eq!(views(&tenant, "usual"), expected);
    }
    tenant.admin().patch(rooms.named("usual-room"), "employeeType=2").expect_success();
    assert_eq!(views(&tenant, "usual-room"), nowhere);
    // Without a name the view is that of the colleagues.
    assert_eq!(tenant.book().names("limit=1000"), tenant.book().names("view=colleagues&limit=1000"));
}

fn blocked_users_are_in_no_view(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let id = tenant.book().contact(&ivan.mail)["id"].clone();
    for status in ["0", "2"] {
        tenant.admin().patch(&ivan, &format!("inetUserStatus={status}")).expect_success();
        assert_eq!(views(&tenant, "ivan"), [false; 3]);
        assert_eq!(tenant.book().suggested("ivan"), Vec::<String>::new());
        let card = format!("{}/{}.vcf", tenant.book().path, id.as_str().unwrap());
        tenant.admin().get(&card).expect(404);
        assert!(!tenant.book().export("format=json").expect(200).text().contains(&ivan.mail));
        // The list of users, for administrators, still has it.
        assert_eq!(tenant.listed(""), ["administrator", "ivan"]);
        tenant.admin().patch(&ivan, "inetUserStatus=1").expect_success();
        assert_eq!(views(&tenant, "ivan"), [true; 3]);
        assert_eq!(tenant.book().contact(&ivan.mail)["id"], id);
        tenant.admin().get(&card).expect(200);
    }
    tenant.user("born-blocked").with("inetUserStatus", "0").create();
    assert_eq!(views(&tenant, "born-blocked"), [false; 3]);
    tenant.assert_book_is_right("blocked users");
}

fn deleted_users_are_in_no_view_until_they_are_restored(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("displayName", "Иван Петров").create();
    let before = tenant.book().contact(&ivan.mail);
    tenant.admin().delete(&ivan).expect_success();
    assert_eq!(views(&tenant, "ivan"), [false; 3]);
    assert_eq!(tenant.book().suggested("иван"), Vec::<String>::new());
    assert_eq!(tenant.listed(""), ["administrator"]);
    tenant.admin().restore(&ivan).expect_success();
    assert_eq!(tenant.book().contact(&ivan.mail), before);
    assert_eq!(tenant.book().suggested("иван"), ["ivan"]);
    tenant.admin().patch(&ivan, "inetUserStatus=0").expect_success();
    tenant.admin().delete(&ivan).expect_success();
    tenant.admin().restore(&ivan).expect_success();
    assert_eq!(views(&tenant, "ivan"), [false; 3]);
}

fn who_has_no_displayname_is_shown_by_its_names(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let ivan = tenant.user("ivan").with("cn", "Иван").with("sn", "Ёлкин").create();
    let shown = |mail: &str| book.contact(mail)["displayName"].as_str().unwrap().to_owned();
    assert_eq!(shown(&ivan.mail), "Иван Ёлкин");
    tenant.admin().patch(&ivan, "displayName=Director").expect_success();
    assert_eq!(shown(&ivan.mail), "Director");
    tenant.admin().patch(&ivan, "displayName=").expect_success();
    assert_eq!(shown(&ivan.mail), "Иван Ёлкин");
    tenant.admin().patch(&ivan, &form(&[("sn", "Иванов")])).expect_success();
    assert_eq!(shown(&ivan.mail), "Иван Иванов");
    // It is found and ordered by the display name.
    tenant.user("boris").with("cn", "Борис").with("sn", "Яшин").create();
    let found = book.names(&format!("search={}", harness::encoded("ван иван")));
    assert_eq!(found, ["ivan"]);
    let order = book.names("orderby=displayName");
    assert!(order.iter().position(|name| name == "boris") < order.iter().position(|name| name == "ivan"));
}

fn a_contact_keeps_its_identifier_when_it_is_renamed(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let ivan = tenant.user("ivan").create();
    let list = tenant.mail_list("sales").members(MEMBERS).create();
    let group = tenant.group("Rooms").create();
    let room = group.resource("rome").create();
    let renames = [(&ivan.mail, tenant.address("ivan2")), (&list.mail, tenant.address("sales2"))];
    for (old, new) in renames {
        let before = book.contact(old);
        if before["kind"] == "user" {
            tenant.admin().patch(&ivan, &form(&[("mail", &new)])).expect_success();
        } else {
            list.put(&[("newmail", &new)]).expect_success();
        }
        let after = book.contact(&new);
        assert_eq!((&after["id"], &after["displayName"]), (&before["id"], &before["displayName"]));
        assert!(!book.has(old));
    }
    let before = book.contact(&room.mail);
    group.rename("Залы").expect_success();
    let mut expected = before;
    expected["group"] = json!("Залы");
    assert_eq!(book.contact(&room.mail), expected);
    // A new user at an old address is a different contact.
    let second = tenant.user("ivan").create();
    assert_ne!(book.contact(&second.mail)["id"], book.contact(&tenant.address("ivan2"))["id"]);
    tenant.assert_book_is_right("renamed");
}

fn outside_contacts_are_read_as_they_stand(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let mail = format!("Partner@Outside-{}.example", tenant.id);
    let more = "telephoneNumber: +7 495 1\ntitle: Director\nou: Sales\ninitials: X\nl: Omsk\n";
    let dn = tenant.add_outside("Partner", &mail, more);
    let mail = mail.to_lowercase();
    harness::soon("an outside contact is seen", || book.has(&mail));
    let shown = without_id(book.contact(&mail));
    let expected = json!({
        "kind": "contact", "mail": mail, "displayName": "Partner Outside", "cn": "Partner", "sn": "Outside",
        "telephoneNumber": "+7 495 1", "title": "Director", "ou": "Sales", "initials": "X", "l": "Omsk",
    });
    assert_eq!(shown, expected);
    assert_eq!(views(&tenant, "partner"), [true; 3]);
    // A synchronisation may keep folders of its own.
    let folder = format!("ou=Поставщики,{}", tenant.outside());
    let line = harness::ldif_line("dn", &folder);
    world.probe().modify(&format!("{line}changetype: add\nobjectClass: organizationalUnit\n"));
    world.probe().rename(&dn, "cn=Partner", Some(&folder));
    tenant.assert_book_is_right_soon("moved into a folder");
    assert!(book.has(&mail));
    world.probe().replace(&format!("cn=Partner,{folder}"), "displayName", &["Партнёр"]);
    harness::soon("the new name", || book.contact(&mail)["displayName"] == "Партнёр");
}

fn what_has_no_address_or_stands_elsewhere_is_no_contact(world: &World) {
    let tenant = world.tenant();
    let root = world.probe().root;
    let person = "changetype: add\nobjectClass: inetOrgPerson\ncn: x\nsn: x\n";
    let name = world.fresh_name();
    let mail = format!("{name}@elsewhere.example");
    world.probe().modify(&format!("dn: cn=x,{}\n{person}", tenant.outside()));
    world.probe().modify(&format!("dn: cn={name},ou=System,{root}\n{person}mail: {mail}\n"));
    // Entries that pbm does not regard as users.
    let stranger = format!("mail=stranger-{mail},ou={},ou=People,{root}", tenant.id);
    world.probe().modify(&format!("dn: {stranger}\n{person}mail: stranger-{mail}\n"));
    // Created after all of these, so that they would already be visible.
    let last = format!("last-{mail}");
    tenant.add_outside("last", &last, "");
    harness::soon("the last contact", || tenant.book().has(&last));
    tenant.assert_book_is_right("strangers");
    let names = tenant.book().names("view=all&limit=1000");
    assert_eq!(names, ["administrator".to_owned(), format!("last-{name}")]);
    for dn in [format!("cn={name},ou=System,{root}"), stranger] {
        world.probe().delete(&dn);
    }
}

fn an_address_book_knows_its_own_tenant_alone(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    let name = world.fresh_name();
    let [us, them] = [&ours, &theirs].map(|tenant| tenant.user(&name).create());
    for (tenant, own, foreign) in [(&ours, &us, &them), (&theirs, &them, &us)] {
        let book = tenant.book();
        assert!(book.has(&own.mail) && !book.has(&foreign.mail));
        book.assert_suggested(&name, &[&name]);
        for format in ["vcard", "csv", "ldif", "json"] {
            let text = book.export(&format!("format={format}")).expect(200).text();
            assert!(text.contains(&own.mail) && !text.contains(&foreign.mail), "{text}");
        }
        tenant.assert_book_is_right("of two tenants");
    }
    // The letter case of the path does not matter for an address book.
    let path = format!("/v2/addressbook/{}?search={name}", ours.id.to_uppercase());
    assert_eq!(ours.admin().get(path).column("contacts", "mail"), [us.mail]);
}

fn a_deleted_tenant_has_no_address_book_until_it_is_restored(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book().by(world.root());
    tenant.user("ivan").create();
    let gone = tenant.user("gone").create();
    tenant.mail_list("sales").members(MEMBERS).create();
    tenant.group("Rooms").create().resource("rome").create();
    tenant.add_outside("Partner", &format!("p@outside-{}.example", tenant.id), "");
    tenant.admin().delete(&gone).expect_success();
    harness::soon("everything is there", || book.page("")["count"] == 5);
    let before = book.all("all");
    world.root().delete(tenant.path()).expect_success();
    for answer in [book.get(""), book.ask("ivan", ""), book.export("")] {
        answer.expect(404);
    }
    if world.has_redis() {
        book.changes("", 10).expect(404);
    }
    world.root().restore(tenant.path()).expect_success();
    harness::assert_same("restored", &book.all("all"), &before);
    assert_eq!(book.suggested("ivan"), ["ivan"]);
}
