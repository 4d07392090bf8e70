//! Names, domains and passwords that arrive in another form than the stored one.

use harness::{Context, Tenant, World, encoded, form};

harness::trials! { "spellings":
    an_international_domain_is_found_by_its_own_letters,
    lists_without_a_book_find_an_international_domain_too,
    a_decomposed_name_is_found_and_sorted_like_a_composed_one,
    every_list_has_yo_where_the_address_book_has_it,
    texts_are_stored_composed,
    a_dynamic_list_matches_both_forms_of_a_value,
    the_spellings_of_a_name_that_people_use_find_it,
    host_names_with_two_hyphens_are_domains,
    a_wrong_domain_is_told_by_its_rule,
    a_password_is_the_same_composed_and_decomposed,
    a_password_that_was_set_decomposed_still_counts,
}

/// й and ё, each as two characters.
const SERGEY: &str = "Сергеи\u{306}";
const SYOMIN: &str = "Се\u{308}мин";

/// A domain of a tenant in Unicode, and its A-labels.
fn international(world: &World, tenant: &Tenant<'_>) -> (String, String) {
    let shown = format!("пример{}.рф", world.fresh_name());
    let path = format!("{}/domains/{}", tenant.path(), encoded(&shown));
    world.root().put(path, "").expect_success();
    let answer = world.root().get(tenant.path()).expect(200).json();
    let domains = answer["domains"].as_array().unwrap().iter().map(|domain| domain.as_str().unwrap());
    let stored = domains.filter(|domain| domain.starts_with("xn--")).map(str::to_owned).next().unwrap();
    (shown, stored)
}

fn put_user(tenant: &Tenant<'_>, mail: &str) {
    let body = tenant.user("ivan").form();
    tenant.admin().put(format!("{}/{}", tenant.users(), encoded(mail)), &body).expect_success();
}

fn an_international_domain_is_found_by_its_own_letters(world: &World) {
    let tenant = world.tenant();
    let (shown, stored) = international(world, &tenant);
    put_user(&tenant, &format!("ivan@{shown}"));
    tenant.user("ivan").create();
    let expected = format!("ivan@{stored}");
    let typing = format!("ivan@{}", shown.strip_suffix('ф').unwrap());
    let (upper, whole) = (format!("IVAN@{}", shown.to_uppercase()), format!("ivan@{shown}"));
    for text in ["пример", "приме", &shown, &typing, &upper, &whole, &stored, &expected] {
        let _case = Context::new(text);
        let query = format!("search={}", encoded(text));
        let users = tenant.list(&query);
        assert_eq!((&users["count"], &users["users"][0]["mail"]), (&1.into(), &expected.as_str().into()));
        let contacts = tenant.book().contacts(&query);
        assert_eq!(contacts.len(), 1);
        assert_eq!(contacts[0]["mail"], expected.as_str());
        let suggested = tenant.book().ask(text, "").expect(200).json();
        assert_eq!(suggested["contacts"].as_array().unwrap().len(), 1, "{suggested}");
        assert_eq!(suggested["contacts"][0]["mail"], expected.as_str());
    }
}

fn lists_without_a_book_find_an_international_domain_too(world: &World) {
    let tenant = world.tenant();
    let (shown, stored) = international(world, &tenant);
    put_user(&tenant, &format!("ivan@{shown}"));
    let ivan = format!("ivan@{stored}");
    tenant.mail_list("l1").with("mail", &format!("all@{stored}")).members(&[&ivan]).create();
    tenant.mail_list("l2").members(&[&ivan]).create();
    let group = tenant.group("Rooms").create();
    let room = format!("{}/room@{stored}", group.resources());
    tenant.admin().put(room, "displayName=Room").expect_success();
    let deleted = format!("gone@{shown}");
    put_user(&tenant, &deleted);
    tenant.admin().delete(format!("{}/{}", tenant.users(), encoded(&deleted))).expect_success();
    for text in [&shown, &stored, &shown[..shown.len() - "ф".len()], &shown["п".len()..]] {
        let _case = Context::new(text);
        let query = format!("search={}", encoded(text));
        let count = |path: &str, client: &harness::Client| {
            let answer = client.get(path).expect(200).json();
            answer["count"].as_u64().unwrap()
        };
        let admin = tenant.admin();
        assert_eq!(count(&format!("{}&{query}", tenant.maillists()), admin), 1);
        assert_eq!(group.page(&query)["count"], 1);
        assert_eq!(count(&format!("{}?deleted=1&{query}", tenant.users()), admin), 1);
        assert_eq!(count(&format!("{}/{ivan}/maillists?{query}", tenant.users()), admin), 1);
        assert_eq!(count(&format!("/v2/tenants?{query}"), world.root()), 1);
    }
}

/// A user whose names another program wrote in decomposed form.
fn decomposed(world: &World, tenant: &Tenant<'_>, name: &str) {
    let user = tenant.user(name).create();
    world.probe().replace(&user.dn(), "cn", &[SERGEY]);
    world.probe().replace(&user.dn(), "sn", &[SYOMIN]);
    tenant.assert_book_is_right_soon("names behind the back");
}

fn a_decomposed_name_is_found_and_sorted_like_a_composed_one(world: &World) {
    let tenant = world.tenant();
    decomposed(world, &tenant, "b");
    tenant.user("a").with("cn", "Сергей").with("sn", "Семин").create();
    tenant.user("c").with("cn", "Сергий").with("sn", "Тютин").create();
    for text in ["Сергей", SERGEY, "семин", "СЁМИН", SYOMIN, "сергей сем"] {
        let query = format!("search={}", encoded(text));
        assert_eq!(tenant.listed(&query), ["a", "b"], "{text}");
        assert_eq!(tenant.book().contacts(&query).len(), 2, "{text}");
    }
    for order in ["cn", "sn"] {
        let query = format!("orderby={order}&search=с");
        assert_eq!(tenant.listed(&query), ["a", "b", "c"], "{order}");
    }
    // Deleted users are listed without a book.
    for name in ["a", "b", "c"] {
        tenant.admin().delete(tenant.named(name)).expect_success();
    }
    let deleted = |query: &str| {
        let answer = tenant.admin().get(format!("{}?deleted=1&{query}", tenant.users())).expect(200).json();
        let users = answer["users"].as_array().unwrap().clone();
        users.iter().map(|user| user["mail"].as_str().unwrap()[..1].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(deleted("orderby=cn"), ["a", "b", "c"]);
    for text in ["сергей", SERGEY, "сёмин"] {
        assert_eq!(deleted(&format!("search={}", encoded(text))), ["a", "b"], "{text}");
    }
}

fn every_list_has_yo_where_the_address_book_has_it(world: &World) {
    let tenant = world.tenant();
    let names = ["Дина", "Ежова", "Ёлкин", "Емцов", "Жук", "Яна"];
    let in_order = ["Дина", "Ежова", "Ёлкин", "Емцов", "Жук", "Яна"];
    let group = tenant.group("Rooms").create();
    for (number, name) in names.iter().enumerate().rev() {
        let user = tenant.user(&format!("u{number}")).with("cn", name).with("sn", name);
        user.with("displayName", name).create();
        group.resource(&format!("r{number}")).with("displayName", name).create();
        let members = tenant.address(&format!("u{number}"));
        tenant.mail_list(&format!("l{number}")).with("displayName", name).members(&[&members]).create();
        tenant.group(name).create();
    }
    let column = |answer: harness::Answer, list: &str, field: &str| {
        let items = answer.expect(200).json()[list].as_array().unwrap().clone();
        let names = items.iter().map(|item| item[field].as_str().unwrap().to_owned());
        names.filter(|name| in_order.contains(&name.as_str())).collect::<Vec<_>>()
    };
    let admin = tenant.admin();
    for (path, list, field) in [
        (format!("{}?orderby=cn", tenant.users()), "users", "cn"),
        (format!("{}?orderby=sn", tenant.users()), "users", "sn"),
        (format!("/v2/addressbook/{}?kind=user", tenant.id), "contacts", "displayName"),
        (format!("{}&orderby=displayName", tenant.maillists()), "maillists", "displayName"),
        (format!("{}?orderby=displayName", group.resources()), "resources", "displayName"),
        (tenant.groups(), "resourcegroups", "name"),
    ] {
        assert_eq!(column(admin.get(&path), list, field), in_order, "{path}");
    }
    for name in ["u2", "u5", "u3"] {
        admin.delete(tenant.named(name)).expect_success();
    }
    let path = format!("{}?deleted=1&orderby=cn", tenant.users());
    assert_eq!(column(admin.get(path), "users", "cn"), ["Ёлкин", "Емцов", "Яна"]);
}

fn texts_are_stored_composed(world: &World) {
    let tenant = world.tenant();
    let user = tenant.user("a").with("cn", SERGEY).with("sn", SYOMIN).with("ou", "Кассии\u{306}").create();
    let entry = world.probe().user(&user.mail);
    assert_eq!((entry.one("cn"), entry.one("sn"), entry.one("ou")), ("Сергей", "Сёмин", "Кассий"));
    tenant.admin().patch(&user, &form(&[("description", "e\u{301}\nи\u{306}")])).expect_success();
    assert_eq!(tenant.admin().get(&user).expect(200).json()["description"], "é\nй");
    // In a table too.
    let mail = tenant.address("bulk");
    let table =
        format!("mail,userPassword,cn,sn,employeeNumber\n{mail},Correct-Horse-7,{SERGEY},{SYOMIN},2\n");
    let client = tenant.admin().with_header("Content-Type", "text/csv");
    client.post(format!("/v2/users/{}/bulk?mode=create", tenant.id), &table).expect(200);
    let entry = world.probe().user(&mail);
    assert_eq!((entry.one("cn"), entry.one("sn")), ("Сергей", "Сёмин"));
}

fn a_dynamic_list_matches_both_forms_of_a_value(world: &World) {
    let tenant = world.tenant();
    let behind = tenant.user("behind").create();
    world.probe().replace(&behind.dn(), "ou", &["Отдел кассии\u{306}"]);
    tenant.user("written").with("ou", "Отдел кассии\u{306}").create();
    tenant.user("composed").with("ou", "отдел кассий").create();
    tenant.user("other").with("ou", "Отдел кассии").create();
    let expected = ["behind", "composed", "written"].map(|name| tenant.address(name));
    for (number, condition) in ["ou=Отдел кассии\u{306}", "ou=Отдел кассий"].iter().enumerate()
    {
        let list = tenant.mail_list(&format!("l{number}")).filter(condition).create();
        assert_eq!(list.expanded(), expected, "{condition}");
        assert_eq!(list.show()["filter"][0], "ou=Отдел кассий");
    }
    for name in ["behind", "written", "composed", "other"] {
        let path = format!("{}/{}/maillists", tenant.users(), tenant.address(name));
        let count = if name == "other" { 0 } else { 2 };
        assert_eq!(tenant.admin().get(path).expect(200).json()["count"], count, "{name}");
    }
}

fn the_spellings_of_a_name_that_people_use_find_it(world: &World) {
    let tenant = world.tenant();
    for (name, first, last) in [
        ("p1", "Александр", "Хомяков"),
        ("p2", "Алексей", "Щукин"),
        ("p3", "Дмитрий", "Цой"),
        ("p4", "Сергей", "Юрьев"),
        ("p5", "Юлия", "Белова"),
        ("p6", "José", "Müller"),
        ("p7", "Pablo", "Peña"),
    ] {
        tenant.user(name).with("cn", first).with("sn", last).create();
    }
    for (text, expected) in [
        ("alex", &["p1", "p2"][..]),
        ("alexey", &["p2"]),
        ("alexander", &["p1"]),
        ("dmitry", &["p3"]),
        ("sergei", &["p4"]),
        ("sergej", &["p4"]),
        ("julia", &["p5"]),
        ("yuliia", &["p5"]),
        ("homyakov", &["p1"]),
        ("tsoi", &["p3"]),
        ("schukin", &["p2"]),
        ("yuryev", &["p4"]),
        ("jose", &["p6"]),
        ("jose\u{301}", &["p6"]),
        ("mueller", &["p6"]),
        ("muller", &["p6"]),
        ("pena", &["p7"]),
        ("sergei yuryev", &["p4"]),
    ] {
        let mut found = tenant.book().suggested(text);
        found.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
}

fn host_names_with_two_hyphens_are_domains(world: &World) {
    let tenant = world.tenant();
    for name in ["ab--cd", "r3---sn-abc"] {
        let domain = format!("{name}.{}.example", world.fresh_name());
        world.root().put(format!("{}/domains/{domain}", tenant.path()), "").expect_success();
        put_user(&tenant, &format!("ivan@{domain}"));
        world.probe().user(&format!("ivan@{domain}"));
    }
    for mail in ["x@ab--cd.example", "x@r3---sn-abc.example"] {
        let list = tenant.mail_list(&mail[2..4]).members(&[mail]).create();
        assert_eq!(list.members(), [mail]);
    }
}

fn a_wrong_domain_is_told_by_its_rule(world: &World) {
    let tenant = world.tenant();
    let long = format!("{}.example", "a".repeat(64));
    let longest = format!("{}example", "abcdefghi.".repeat(25));
    for (domain, rule) in [
        ("a..example", "empty label"),
        ("localhost", "at least two"),
        (&long, "at most 63"),
        (&longest, "at most 253"),
        ("x_y.example", "the character _"),
        ("a\u{202e}b.example", "the character \\u{202e}"),
        ("-a.example", "begins or ends with a hyphen"),
        ("xn--a.example", "not the ASCII form"),
        ("xn--99999999.example", "not the ASCII form"),
        ("аб--вг.рф", "third and fourth"),
        ("10.0.0.1", "IP address"),
    ] {
        let _case = Context::new(domain);
        let path = format!("{}/domains/{}", tenant.path(), encoded(domain));
        let answer = world.root().put(path, "").expect_wrong(&["domain"]);
        assert!(answer.text().contains(&rule.replace('\\', "\\\\")), "{}", answer.text());
        let body = form(&[("displayName", "L"), ("alias", format!("x@{domain}").as_str())]);
        let answer = tenant.admin().post(tenant.list_named("l").request(), &body).expect_wrong(&["alias"]);
        assert!(answer.text().contains("has a wrong domain: it "), "{}", answer.text());
        assert!(answer.text().contains(&rule.replace('\\', "\\\\")), "{}", answer.text());
    }
}

const COMPOSED: &str = "Коной-Ёж-7 é";
const DECOMPOSED: &str = "Конои\u{306}-Е\u{308}ж-7\u{a0}e\u{301}";

fn a_password_is_the_same_composed_and_decomposed(world: &World) {
    let tenant = world.tenant();
    for (name, set) in [("a", COMPOSED), ("b", DECOMPOSED)] {
        let user = tenant.user(name).with("userPassword", set).create();
        for password in [COMPOSED, DECOMPOSED] {
            world.nobody().log_in(&user.mail, password).expect(200);
        }
        world.nobody().log_in(&user.mail, "Конои-Еж-7 e").expect(401);
        assert!(world.probe().accepts_bind(&user.dn(), COMPOSED));
    }
    // The user's own change, and a table.
    let user = tenant.named("a");
    let answer = world.nobody().log_in(&user.mail, COMPOSED).expect(200).json();
    let own = world.nobody().with_token(answer["access_token"].as_str().unwrap());
    own.patch(&user, &form(&[("userPassword", "Новыи\u{306}-Пароль-8")])).expect_success();
    world.nobody().log_in(&user.mail, "Новый-Пароль-8").expect(200);
    let mail = tenant.address("c");
    let table = format!("mail,userPassword,cn,sn,employeeNumber\n{mail},{DECOMPOSED},C,C,2\n");
    let client = tenant.admin().with_header("Content-Type", "text/csv");
    let bulk = |table: &str| {
        client.post(format!("/v2/users/{}/bulk?mode=upsert", tenant.id), table).expect(200).text().clone()
    };
    assert!(bulk(&table).contains("\"created\""));
    world.nobody().log_in(&mail, COMPOSED).expect(200);
    let again = bulk(&table.replace(DECOMPOSED, COMPOSED));
    assert!(again.contains("\"unchanged\""), "{again}");
}

fn a_password_that_was_set_decomposed_still_counts(world: &World) {
    let tenant = world.tenant();
    let user = tenant.user("a").create();
    world.probe().replace(&user.dn(), "userPassword", &[DECOMPOSED]);
    world.nobody().log_in(&user.mail, DECOMPOSED).expect(200);
    world.nobody().log_in(&user.mail, COMPOSED).expect(401);
    world.nobody().log_in(&user.mail, "Кони\u{306}").expect(401);
    let nobody = tenant.address("nobody");
    world.nobody().log_in(&nobody, DECOMPOSED).expect(401);
}
