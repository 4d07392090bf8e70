//! The pages of an address book: orders, searches, kinds, and invalid parameters.

use harness::{Book, Context, MEMBERS, Tenant, World, encoded, json_list};
use std::{collections::BTreeSet, fmt::Write};

harness::trials! { "addressbook_pages":
    the_order_minds_neither_letter_case_nor_yo,
    ties_go_by_address,
    who_has_no_last_name_comes_first_in_that_order,
    every_page_of_a_large_book_shows_each_contact_once,
    a_page_past_the_end_is_empty_and_counts,
    a_search_finds_each_word_somewhere_in_a_contact,
    a_search_looks_into_names_addresses_aliases_department_and_position_alone,
    every_sign_of_a_search_is_literal,
    kinds_are_picked_one_or_several,
    kinds_views_and_searches_go_together,
    bad_parameters_are_named_all_at_once,
    a_search_that_is_too_much_is_refused,
    unknown_parameters_are_named_and_change_nothing,
    a_head_request_says_what_the_page_would,
}

/// Users by name and display name.
fn fill(tenant: &Tenant<'_>, people: &[(&str, &str)]) {
    for (name, shown) in people {
        tenant.user(name).with("displayName", shown).with("sn", shown).create();
    }
}

/// The addresses in an order, without the administrator's.
#[track_caller]
fn order(book: &Book, query: &str) -> Vec<String> {
    let mut names = book.names(query);
    names.retain(|name| name != "administrator");
    names
}

fn the_order_minds_neither_letter_case_nor_yo(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    fill(
        &tenant,
        &[
            ("g", "ЖУКОВ"),
            ("b", "ёлкин"),
            ("a", "Ельцов"),
            ("f", "Ежова Ю"),
            ("e", "Ёж"),
            ("d", "Анна"),
            ("c", "zoe"),
            ("h", "Adam"),
        ],
    );
    let expected = ["h", "c", "d", "e", "f", "b", "a", "g"];
    assert_eq!(order(&book, ""), expected);
    assert_eq!(order(&book, "orderby=displayName&sort=0"), expected);
    assert_eq!(order(&book, "orderby=sn"), expected);
    assert_eq!(order(&book, "orderby=mail"), ["a", "b", "c", "d", "e", "f", "g", "h"]);
    let reversed: Vec<_> = expected.into_iter().rev().collect();
    assert_eq!(order(&book, "orderby=displayName&sort=1"), reversed);
    assert_eq!(order(&book, "orderby=sn&sort=1"), reversed);
    assert_eq!(order(&book, "orderby=mail&sort=1&limit=3"), ["h", "g", "f"]);
}

fn ties_go_by_address(world: &World) {
    let tenant = world.tenant();
    fill(&tenant, &[("d", "Пётр"), ("a", "ПЕТР"), ("c", "петр"), ("b", "пЁтр")]);
    for by in ["displayName", "sn"] {
        assert_eq!(order(&tenant.book(), &format!("orderby={by}")), ["a", "b", "c", "d"]);
        assert_eq!(order(&tenant.book(), &format!("orderby={by}&sort=1")), ["d", "c", "b", "a"]);
    }
}

fn who_has_no_last_name_comes_first_in_that_order(world: &World) {
    let tenant = world.tenant();
    fill(&tenant, &[("user", "Ая")]);
    tenant.mail_list("sales").members(MEMBERS).create();
    tenant.group("Rooms").create().resource("rome").create();
    assert_eq!(tenant.book().names("orderby=sn"), ["rome", "sales", "administrator", "user"]);
    assert_eq!(tenant.book().names("orderby=sn&sort=1"), ["user", "administrator", "sales", "rome"]);
}

/// More than the largest page holds.
const MANY: usize = 1100;

/// Outside contacts, added directly to the directory; names and addresses have different orders, and names repeat.
pub(crate) fn fill_outside(world: &World, tenant: &Tenant<'_>) {
    let mut ldif = String::new();
    for number in 0..MANY {
        let (dn, name) = (format!("cn=c{number},{}", tenant.outside()), number * 7 % 550);
        let mail = format!("c{number:04}@outside-{}.example", tenant.id);
        let attributes =
            format!("objectClass: inetOrgPerson\ncn: c{number}\nsn: Last{name:03}\nmail: {mail}\n");
        writeln!(ldif, "dn: {dn}\nchangetype: add\n{attributes}displayName: Contact {name:03}\n").unwrap();
    }
    world.probe().modify(&ldif);
    harness::soon("the last contact", || tenant.book().page("")["count"] == MANY + 1);
}

fn every_page_of_a_large_book_shows_each_contact_once(world: &World) {
    let tenant = world.tenant();
    fill_outside(world, &tenant);
    let book = tenant.book();
    for by in ["displayName", "mail", "sn"] {
        for (sort, limit) in [(0, 50), (1, 50), (0, 1000), (1, 999), (0, 137)] {
            let _case = Context::new(format!("orderby={by}&sort={sort}&limit={limit}"));
            let pages = (MANY + 1).div_ceil(limit);
            let mut keys = Vec::new();
            for number in 1..=pages {
                let page = book.page(&format!("orderby={by}&sort={sort}&limit={limit}&page={number}"));
                assert_eq!(page["count"], MANY + 1);
                assert_eq!((&page["pages"], &page["page"]), (&pages.into(), &number.into()));
                assert_eq!(page["per_page"], limit);
                let contacts = json_list(&page, "contacts");
                let expected = if number < pages { limit } else { (MANY + 1) - limit * (pages - 1) };
                assert_eq!(contacts.len(), expected);
                keys.extend(contacts.iter().map(|contact| {
                    [by, "mail"].map(|field| contact[field].as_str().unwrap().to_lowercase())
                }));
            }
            let different: BTreeSet<_> = keys.iter().map(|[_, mail]| mail).collect();
            assert_eq!(different.len(), MANY + 1);
            if sort == 1 {
                keys.reverse();
            }
            assert!(keys.is_sorted());
        }
    }
    if world.has_redis() {
        let mut follower = book.follower(100);
        harness::assert_same("a walk", &follower.catch_up().clone(), &book.all("all"));
    }
}

fn a_page_past_the_end_is_empty_and_counts(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    for page in ["2", "1000", "9999999"] {
        let shown = book.page(&format!("page={page}"));
        assert_eq!((json_list(&shown, "contacts"), &shown["count"]), (vec![], &1.into()));
        assert_eq!((&shown["page"], &shown["pages"]), (&page.parse::<u64>().unwrap().into(), &1.into()));
    }
    let none = book.page("search=nobody-has-this");
    assert_eq!(none, serde_json::json!({"contacts": [], "count": 0, "page": 1, "pages": 0, "per_page": 50}));
}

fn a_search_finds_each_word_somewhere_in_a_contact(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan.petrov").with("cn", "Иван").with("sn", "Петров").with("ou", "Отдел продаж");
    ivan.with("title", "Главный инженер").with("alias", &tenant.address("boss.of.all")).create();
    tenant
        .user("vera")
        .with("cn", "Вера")
        .with("sn", "Ёлкина-Новикова")
        .with("initials", "Петровна")
        .create();
    tenant.mail_list("sales").with("displayName", "Все продажи").members(MEMBERS).create();
    for (text, found) in [
        ("иван", vec!["ivan.petrov"]),
        ("ИВАН", vec!["ivan.petrov"]),
        ("етро", vec!["vera", "ivan.petrov"]),
        ("елк", vec!["vera"]),
        ("ЁЛКИНА", vec!["vera"]),
        ("Вёра", vec!["vera"]),
        ("инжёнер", vec!["ivan.petrov"]),
        ("N.P", vec!["ivan.petrov"]),
        ("boss.of", vec!["ivan.petrov"]),
        ("продаж", vec!["sales", "ivan.petrov"]),
        ("инженер иван продаж BOSS", vec!["ivan.petrov"]),
        ("  иван   пётров ", vec!["ivan.petrov"]),
        ("иван вера", vec![]),
        ("", vec!["administrator", "vera", "sales", "ivan.petrov"]),
        ("   ", vec!["administrator", "vera", "sales", "ivan.petrov"]),
        ("сидоров", vec![]),
    ] {
        let mut names = tenant.book().names(&format!("search={}", encoded(text)));
        names.sort_unstable();
        let mut expected = found;
        expected.sort_unstable();
        assert_eq!(names, expected, "{text:?}");
        assert_eq!(tenant.book().page(&format!("search={}&limit=1", encoded(text)))["count"], expected.len());
    }
}

fn a_search_looks_into_names_addresses_aliases_department_and_position_alone(world: &World) {
    let tenant = world.tenant();
    let needles = [
        ("displayName", "needle-a"),
        ("cn", "needle-b"),
        ("sn", "needle-c"),
        ("initials", "needle-d"),
        ("ou", "needle-e"),
        ("title", "needle-f"),
    ];
    for (field, needle) in needles {
        let name = format!("by-{}", field.to_lowercase());
        tenant.user(&name).with(field, needle).create();
        assert_eq!(tenant.book().names(&format!("search={needle}")), [name], "{field}");
    }
    tenant.user("by-alias").with("alias", &tenant.address("needle-g")).create();
    assert_eq!(tenant.book().names("search=needle-g"), ["by-alias"]);
    for (field, needle) in
        [("description", "needle-h"), ("l", "needle-i"), ("telegram", "@needle_j"), ("homePhone", "+7 70707")]
    {
        let name = format!("not-by-{}", field.to_lowercase());
        tenant.user(&name).with(field, needle).create();
        let last = needle.split_whitespace().last().unwrap();
        assert_eq!(
            tenant.book().names(&format!("search={}", encoded(last))),
            Vec::<String>::new(),
            "{field}"
        );
    }
}

fn every_sign_of_a_search_is_literal(world: &World) {
    let tenant = world.tenant();
    let odd = "x*y(z)\\2a%_.?[w]";
    tenant.user("odd").with("cn", odd).create();
    tenant.user("plain").with("cn", "xAyzB").create();
    for (text, found) in [
        ("*", vec!["odd"]),
        ("x*y", vec!["odd"]),
        ("(", vec!["odd"]),
        ("\\2a", vec!["odd"]),
        ("\\", vec!["odd"]),
        ("%_", vec!["odd"]),
        ("[w]", vec!["odd"]),
        (".?", vec!["odd"]),
        (odd, vec!["odd"]),
        ("*)(cn=*", vec![]),
        ("x.y", vec![]),
        ("^x", vec![]),
        ("xay", vec!["plain"]),
        ("😀", vec![]),
    ] {
        assert_eq!(tenant.book().names(&format!("search={}", encoded(text))), found, "{text:?}");
    }
}

/// One user besides the administrator, a list, a room and an outside contact.
fn one_of_each(world: &World) -> Tenant<'_> {
    let tenant = world.tenant();
    tenant.user("user").create();
    tenant.mail_list("list").members(MEMBERS).create();
    tenant.group("Rooms").create().resource("room").with("employeeType", "0").create();
    tenant.add_outside("Partner", &format!("partner@outside-{}.example", tenant.id), "");
    harness::soon("the partner", || tenant.book().page("view=all")["count"] == 5);
    tenant
}

fn kinds_are_picked_one_or_several(world: &World) {
    let tenant = one_of_each(world);
    for (query, found) in [
        ("kind=user", vec!["administrator", "user"]),
        ("kind=contact", vec!["partner"]),
        ("kind=list", vec!["list"]),
        ("kind=resource", vec!["room"]),
        ("kind=user,list", vec!["administrator", "list", "user"]),
        ("kind=list,user", vec!["administrator", "list", "user"]),
        ("kind=resource&kind=contact", vec!["partner", "room"]),
        ("kind=list,list", vec!["list"]),
        ("kind=user,contact,list,resource", vec!["administrator", "list", "partner", "room", "user"]),
        ("kind=", vec!["administrator", "list", "partner", "room", "user"]),
        ("", vec!["administrator", "list", "partner", "room", "user"]),
    ] {
        let page = tenant.book().page(&format!("view=all&orderby=mail&{query}"));
        assert_eq!(page["count"], found.len(), "{query}");
        assert_eq!(tenant.book().names(&format!("view=all&orderby=mail&{query}")), found, "{query}");
    }
}

fn kinds_views_and_searches_go_together(world: &World) {
    let tenant = one_of_each(world);
    tenant.user("hidden").with("employeeType", "0").create();
    let names = |query: &str| tenant.book().names(&format!("orderby=mail&{query}"));
    assert_eq!(names("kind=user"), ["administrator", "user"]);
    assert_eq!(names("kind=user&view=suggestions"), ["administrator", "hidden", "user"]);
    assert_eq!(names("kind=resource"), Vec::<String>::new());
    assert_eq!(names("kind=resource,user&view=suggestions&search=o"), ["administrator", "room"]);
    assert_eq!(
        names("kind=resource,user,list&view=all&search=i&sort=1"),
        ["list", "hidden", "administrator"]
    );
    let page = tenant.book().page("kind=user&view=all&limit=2&page=2");
    assert_eq!((&page["count"], &page["pages"]), (&3.into(), &2.into()));
}

fn bad_parameters_are_named_all_at_once(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let numbers = ["0", "-1", "1000000000", "1001", "ten", "1.0", "١", "18446744073709551616", "+1x"];
    for wrong in numbers {
        let _case = Context::new(wrong);
        book.get(&format!("limit={}", encoded(wrong))).expect_wrong(&["limit"]);
        if !["1000000000", "1001"].contains(&wrong) {
            book.get(&format!("page={}", encoded(wrong))).expect_wrong(&["page"]);
        }
        book.ask("x", &format!("limit={}", encoded(wrong))).expect_wrong(&["limit"]);
        let changes = format!("{}/changes?limit={}", book.path, encoded(wrong));
        tenant.admin().get(changes).expect_wrong(&["limit"]);
    }
    book.ask("x", "limit=101").expect_wrong(&["limit"]);
    book.ask("x", "limit=100").expect(200);
    book.get("limit=1000").expect(200);
    for wrong in ["view=everyone", "kind=person", "orderby=uid", "sort=2", "view=ALL", "sort=-1"] {
        let (name, _) = wrong.split_once('=').unwrap();
        book.get(wrong).expect_wrong(&[name]);
    }
    book.get("kind=user,person").expect_wrong(&["kind"]);
    let all = "view=x&kind=x&orderby=x&sort=x&page=x&limit=x";
    book.get(all).expect_wrong(&["view", "kind", "orderby", "sort", "page", "limit"]);
    for twice in ["view", "orderby", "sort", "page", "limit", "search"] {
        book.get(&format!("{twice}=1&{twice}=2")).expect_wrong(&[twice]);
    }
}

fn a_search_that_is_too_much_is_refused(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let search = |text: &str| book.get(&format!("search={}", encoded(text)));
    search(&"я".repeat(256)).expect(200);
    search(&"я".repeat(257)).expect_wrong(&["search"]);
    search(&"x".repeat(10 * 1024)).expect_wrong(&["search"]);
    search("1 2 3 4 5 6 7 8").expect(200);
    search("1 2 3 4 5 6 7 8 9").expect_wrong(&["search"]);
    for control in ["\0", "x\0y", "\u{1}", "\u{7f}"] {
        let answer = search(control);
        match answer.status {
            200 => assert_eq!(answer.json()["count"], 0, "{control:?}"),
            _ => drop(answer.expect_wrong(&["search"])),
        }
    }
    let not_utf8 = book.get("search=%FF%FE");
    assert!([200, 400].contains(&not_utf8.status), "{not_utf8:?}");
}

fn unknown_parameters_are_named_and_change_nothing(world: &World) {
    let tenant = world.tenant();
    let plain = tenant.book().get("limit=7").expect(200);
    let answer = tenant.book().get("limit=7&colour=red&sort-by=x").expect(200);
    assert_eq!(answer.json(), plain.json());
    let ignored = answer.header("x-ignored-parameters").unwrap();
    assert!(ignored.contains("colour") && ignored.contains("sort-by"), "{ignored}");
}

fn a_head_request_says_what_the_page_would(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let id = book.contact(&tenant.address("administrator"))["id"].as_str().unwrap().to_owned();
    let mut paths = vec![
        book.path.clone(),
        format!("{}/suggest?q=a", book.path),
        format!("{}/export", book.path),
        format!("{}/{id}.vcf", book.path),
    ];
    if world.has_redis() {
        paths.push(format!("{}/changes", book.path));
    }
    for path in paths {
        let _case = Context::new(&path);
        let (head, get) = (tenant.admin().send("HEAD", &path, ""), tenant.admin().get(&path).expect(200));
        assert_eq!((head.status, head.body.len()), (200, 0));
        for name in ["etag", "content-type", "cache-control", "content-disposition"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
    }
}
