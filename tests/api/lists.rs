//! The list of a tenant's users: pages, order, search.

use harness::{Tenant, World, encoded};
use std::collections::BTreeSet;

harness::trials! { "lists":
    walking_the_pages_shows_each_of_120_users_once_in_each_order,
    a_page_past_the_end_is_empty_and_counts,
    a_tenant_that_does_not_exist_has_no_list,
    the_order_ignores_letter_case_and_ties_go_by_address,
    a_search_finds_parts_of_addresses_and_names_in_any_letter_case,
    every_word_of_a_search_must_be_found,
    filter_characters_in_a_search_are_literal,
    a_search_does_not_look_into_other_tenants_or_fields,
}

/// 118 users and the administrator, created concurrently; first names repeat.
fn fill(tenant: &Tenant<'_>) {
    let names = ["Анна", "борис", "Vera", "Ёлка", "анна", "Boris"];
    std::thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                for number in (part..119).step_by(4) {
                    let user =
                        tenant.user(&format!("user{number:03}")).with("cn", names[number % names.len()]);
                    user.with("sn", &format!("Фамилия{:02}", number * 7 % 30)).create();
                }
            });
        }
    });
}

fn walking_the_pages_shows_each_of_120_users_once_in_each_order(world: &World) {
    let tenant = world.tenant();
    fill(&tenant);
    let everybody: BTreeSet<String> =
        (0..119).map(|number| format!("user{number:03}")).chain(["administrator".into()]).collect();
    for order in ["mail", "cn", "sn"] {
        let mut walked = Vec::new();
        for (sort, limit) in [(0, 50), (1, 50), (0, 7), (1, 1000)] {
            let mut users = Vec::new();
            for page in 1..=120_usize.div_ceil(limit) {
                let query = format!("orderby={order}&sort={sort}&limit={limit}&page={page}");
                let list = tenant.list(&query);
                assert_eq!(list["count"], 120);
                assert_eq!(list["pages"], 120_usize.div_ceil(limit));
                assert_eq!((&list["page"], &list["per_page"]), (&page.into(), &limit.into()));
                users.extend(list["users"].as_array().unwrap().clone());
            }
            let key = |user: &serde_json::Value| {
                let value = user[order].as_str().unwrap().to_lowercase().replace('ё', "е");
                (value, user["mail"].as_str().unwrap().to_owned())
            };
            let mut keys: Vec<_> = users.iter().map(key).collect();
            if sort == 1 {
                keys.reverse();
            }
            assert!(keys.is_sorted(), "{order} {sort} {limit}");
            let mails = keys.iter().map(|(_, mail)| mail.split('@').next().unwrap().to_owned());
            assert_eq!(mails.clone().count(), 120);
            assert_eq!(mails.collect::<BTreeSet<_>>(), everybody, "{order} {sort} {limit}");
            walked.push(keys);
        }
        assert!(walked.windows(2).all(|pair| pair[0] == pair[1]), "{order}");
    }
    // Without parameters the first page by address.
    let list = tenant.list("");
    assert_eq!((&list["count"], &list["per_page"], &list["pages"]), (&120.into(), &50.into(), &3.into()));
    assert_eq!(tenant.listed("")[..2], ["administrator", "user000"]);
}

fn a_page_past_the_end_is_empty_and_counts(world: &World) {
    let tenant = world.tenant();
    tenant.user("ivan").create();
    for page in ["2", "1000", "9999999"] {
        let list = tenant.list(&format!("page={page}"));
        assert_eq!((&list["users"], &list["count"]), (&serde_json::json!([]), &2.into()));
        assert_eq!(list["page"], page.parse::<u64>().unwrap());
    }
    let none = tenant.list("search=nobody-has-this");
    assert_eq!((&none["count"], &none["pages"], &none["page"]), (&0.into(), &0.into(), &1.into()));
    for wrong in ["page=0", "page=-1", "page=x", "page=1.0", "page=1000000001", "page=18446744073709551616"] {
        tenant.admin().get(format!("{}?{wrong}", tenant.users())).expect_wrong(&["page"]);
    }
    for wrong in ["limit=0", "limit=1001", "limit=ten"] {
        tenant.admin().get(format!("{}?{wrong}", tenant.users())).expect_wrong(&["limit"]);
    }
    let all_wrong = format!("{}?page=0&limit=0&sort=2&orderby=uid&deleted=yes", tenant.users());
    tenant.admin().get(all_wrong).expect_wrong(&["page", "limit", "sort", "orderby", "deleted"]);
}

fn a_tenant_that_does_not_exist_has_no_list(world: &World) {
    for tenant in ["missing", "%2A", "a%2Cb", "..", "%00", &"x".repeat(100)] {
        world.root().get(format!("/v2/users/{tenant}")).expect(404);
        world.root().get(format!("/v2/users/{tenant}?deleted=1")).expect(404);
    }
}

fn the_order_ignores_letter_case_and_ties_go_by_address(world: &World) {
    let tenant = world.tenant();
    for (name, first) in [("d", "анна"), ("c", "Анна"), ("b", "БОРИС"), ("a", "борис")] {
        tenant.user(name).with("cn", first).with("sn", "Same").create();
    }
    let ours = |query: &str| tenant.listed(&format!("{query}&search=Same"));
    assert_eq!(ours("orderby=cn"), ["c", "d", "a", "b"]);
    assert_eq!(ours("orderby=cn&sort=1"), ["b", "a", "d", "c"]);
    assert_eq!(ours("orderby=sn"), ["a", "b", "c", "d"]);
    assert_eq!(ours("orderby=sn&sort=1"), ["d", "c", "b", "a"]);
}

fn a_search_finds_parts_of_addresses_and_names_in_any_letter_case(world: &World) {
    let tenant = world.tenant();
    tenant.user("ivan.petrov").with("cn", "Иван").with("sn", "Петров").create();
    tenant.user("vera").with("cn", "Вера").with("sn", "Новикова-Ёлкина").create();
    for (text, found) in [
        ("иван", vec!["ivan.petrov"]),
        ("ИВАН", vec!["ivan.petrov"]),
        ("етро", vec!["ivan.petrov"]),
        ("ЁЛК", vec!["vera"]),
        ("в", vec!["ivan.petrov", "vera"]),
        ("PETROV", vec!["ivan.petrov"]),
        ("n.p", vec!["ivan.petrov"]),
        (&tenant.domain.to_uppercase(), vec!["administrator", "ivan.petrov", "vera"]),
        ("", vec!["administrator", "ivan.petrov", "vera"]),
        ("   ", vec!["administrator", "ivan.petrov", "vera"]),
        ("сидоров", vec![]),
    ] {
        assert_eq!(tenant.listed(&format!("search={}", encoded(text))), found, "{text:?}");
    }
}

fn every_word_of_a_search_must_be_found(world: &World) {
    let tenant = world.tenant();
    tenant.user("ivan").with("cn", "Иван").with("sn", "Петров").create();
    tenant.user("petr").with("cn", "Пётр").with("sn", "Иванов").create();
    for (text, found) in [
        ("петров иван", vec!["ivan"]),
        // ё equals е, as in the address book.
        ("иван  петр", vec!["ivan", "petr"]),
        ("петрова иван", vec![]),
        ("иванов petr", vec!["petr"]),
        ("иван", vec!["ivan", "petr"]),
        ("иван сидоров", vec![]),
    ] {
        assert_eq!(tenant.listed(&format!("search={}", encoded(text))), found, "{text:?}");
    }
}

fn filter_characters_in_a_search_are_literal(world: &World) {
    let tenant = world.tenant();
    let odd = "x*y(z)\\2a";
    tenant.user("odd").with("cn", odd).create();
    tenant.user("plain").with("cn", "xAyzB").create();
    for (text, found) in [
        ("*", vec!["odd"]),
        ("x*y", vec!["odd"]),
        ("(", vec!["odd"]),
        (")", vec!["odd"]),
        ("\\2a", vec!["odd"]),
        (odd, vec!["odd"]),
        ("\\", vec!["odd"]),
        ("*)(cn=*", vec![]),
        ("*)(objectClass=*))(|(cn=*", vec![]),
        ("&", vec![]),
        ("xay", vec!["plain"]),
    ] {
        assert_eq!(tenant.listed(&format!("search={}", encoded(text))), found, "{text:?}");
    }
    // No name has such a character; an empty result and a refusal are both acceptable, a server error is not.
    for control in ["%00", "x%00y", "%01", "%7F"] {
        let answer = tenant.admin().get(format!("{}?search={control}", tenant.users()));
        match answer.status {
            200 => assert_eq!(answer.json()["count"], 0, "{control}"),
            _ => drop(answer.expect_wrong(&["search"])),
        }
    }
}

fn a_search_does_not_look_into_other_tenants_or_fields(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    ours.user("ivan").with("title", "Unfindable").with("sn", "Needle").create();
    theirs.user("olga").with("sn", "Needle").create();
    assert_eq!(ours.listed("search=needle"), ["ivan"]);
    assert_eq!(ours.listed("search=unfindable"), Vec::<String>::new());
}
