//! Resources: their fields, addresses and list.

use harness::{Context, Group, Tenant, World, encoded, form};
use serde_json::json;

harness::trials! { "resources":
    every_field_round_trips,
    a_changed_field_changes_nothing_else,
    an_empty_value_clears_description_and_city,
    parameters_come_in_the_query_the_body_and_after_the_path,
    wrong_values_are_refused_all_at_once,
    an_address_that_is_none_or_of_a_foreign_domain_is_refused,
    resources_share_the_namespace_of_addresses,
    an_address_is_one_in_any_letter_case,
    an_address_with_special_characters_is_found_again,
    a_resource_is_found_in_its_group_alone,
    address_and_group_do_not_change,
    a_deleted_resource_is_gone_at_once,
    the_resources_page_sort_and_search,
    of_many_who_want_an_address_one_gets_it,
}

fn with_rooms(world: &World) -> (Tenant<'_>, Group<'_>) {
    let tenant = world.tenant();
    let rooms = tenant.group("Переговорные").create();
    (tenant, rooms)
}

fn every_field_round_trips(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let description = "4 этаж\nсправа & «слева»\t100%";
    let new =
        rooms.resource("rome").with("displayName", "Рим = «Rome» +1 😀").with("description", description);
    let rome = new.with("l", "Санкт-Петербург").with("employeeType", "0").create();
    let expected = json!({
        "mail": rome.mail, "tenant-id": tenant.id, "group": "Переговорные", "displayName": "Рим = «Rome» +1 😀",
        "description": description, "l": "Санкт-Петербург", "employeeType": 0,
    });
    assert_eq!(tenant.admin().get(&rome).expect(200).json(), expected);
    let entry = rome.entry();
    assert_eq!(entry.dn.to_lowercase(), rome.dn().to_lowercase());
    let stored = ["mail", "displayName", "description", "l", "employeeType"].map(|name| entry.one(name));
    assert_eq!(stored, [&*rome.mail, "Рим = «Rome» +1 😀", description, "Санкт-Петербург", "0"]);
    // The other fields have a default, or are omitted.
    let oslo = rooms.resource("oslo").create();
    let expected = json!({"mail": oslo.mail, "tenant-id": tenant.id, "group": "Переговорные", "displayName": "oslo",
        "employeeType": 1});
    assert_eq!(tenant.admin().get(&oslo).expect(200).json(), expected);
    assert_eq!(oslo.entry().one("employeeType"), "1");
}

fn a_changed_field_changes_nothing_else(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let rome = rooms.resource("rome").with("description", "4 этаж").with("l", "МСК").create();
    let mut expected = tenant.admin().get(&rome).json();
    for (field, value) in [("displayName", "Рим"), ("description", "5 этаж"), ("l", "СПб")] {
        tenant.admin().patch(&rome, &form(&[(field, value)])).expect_success();
        expected[field] = json!(value);
        assert_eq!(tenant.admin().get(&rome).json(), expected);
        assert_eq!(rome.entry().one(field), value);
    }
    for number in ["2", "0", "1"] {
        tenant.admin().patch(&rome, &format!("employeeType={number}")).expect_success();
        expected["employeeType"] = json!(number.parse::<u8>().unwrap());
        assert_eq!(tenant.admin().get(&rome).json(), expected);
    }
    let before = rome.entry();
    tenant.admin().patch(&rome, "").expect_success();
    assert_eq!(rome.entry(), before);
}

fn an_empty_value_clears_description_and_city(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let rome = rooms.resource("rome").with("description", "4 этаж").with("l", "МСК").create();
    tenant.admin().patch(&rome, "description=").expect_success();
    assert_eq!(rome.entry().all("description"), Vec::<&str>::new());
    tenant.admin().patch(&rome, "l=").expect_success();
    let shown = tenant.admin().get(&rome).json();
    assert_eq!((shown.get("description"), shown.get("l")), (None, None));
    tenant.admin().patch(&rome, "displayName=&employeeType=").expect_wrong(&["displayName", "employeeType"]);
    // A new one may also leave them empty.
    let oslo = rooms.resource("oslo").with("description", "").with("l", "").create();
    assert_eq!(tenant.admin().get(&oslo).json().get("l"), None);
}

fn parameters_come_in_the_query_the_body_and_after_the_path(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let (admin, rome) = (tenant.admin(), rooms.named("rome"));
    let path = rome.as_ref();
    admin.put(format!("{path}&displayName=Rome&l=%D0%9C%D0%A1%D0%9A&employeeType=2"), "").expect_success();
    let city = |path: &str, body: &str| {
        admin.patch(path, body).expect_success();
        admin.get(&rome).expect(200).json()["l"].clone()
    };
    assert_eq!(admin.get(&rome).json()["l"], "МСК");
    assert_eq!(city(&format!("{path}&l=tail"), ""), "tail");
    assert_eq!(city(&format!("{path}&&l=tail+2&"), ""), "tail 2");
    assert_eq!(city(&format!("{path}?l=query"), ""), "query");
    assert_eq!(city(path, "l=body"), "body");
    assert_eq!(city(&format!("{path}&l=tail"), "l=body+2"), "body 2");
    // The path takes precedence over the parameters.
    let other = "tenant-id=default&group=Other&mail=other@example.com&l=here";
    assert_eq!(city(path, other), "here");
    assert_eq!(admin.get(format!("{path}&x=1")).expect(200).json()["mail"], rome.mail.as_str());
    // An encoded ampersand belongs to the address.
    let odd = rooms.resource("a&l=b").create();
    assert_eq!(admin.get(&odd).expect(200).json()["mail"], odd.mail.as_str());
    admin.delete(format!("{path}&x=1")).expect_success();
    admin.get(&rome).expect(404);
    let ignored = admin.put(format!("{path}&displayName=Rome&shoeSize=44"), "").expect_success();
    assert_eq!(ignored.header("x-ignored-parameters"), Some("shoeSize"));
    let client = admin.with_header("Content-Type", "application/json");
    client
        .patch(&rome, &json!({"employeeType": 0, "l": "json", "description": null}).to_string())
        .expect_success();
    assert_eq!((&admin.get(&rome).json()["l"], rome.entry().one("employeeType")), (&json!("json"), "0"));
}

fn wrong_values_are_refused_all_at_once(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let rome = rooms.resource("rome").create();
    let before = tenant.entries();
    let answer = rooms.resource("new").without("displayName").put().expect_wrong(&["displayName"]);
    assert_eq!(answer.message()["displayName"], "displayName is a required value");
    rooms.resource("new").with("displayName", "").put().expect_wrong(&["displayName"]);
    let wrong = [("displayName", "a\nb"), ("description", "a\0b"), ("l", "a\nb"), ("employeeType", "3")];
    let names = wrong.map(|(name, _)| name);
    tenant.admin().patch(&rome, &form(&wrong)).expect_wrong(&names);
    tenant.admin().put(rooms.named("new"), &form(&wrong)).expect_wrong(&names);
    for value in ["-1", "3", "1.0", "x", "٣", "true", "01x"] {
        tenant.admin().patch(&rome, &form(&[("employeeType", value)])).expect_wrong(&["employeeType"]);
    }
    for field in ["displayName", "description", "l", "employeeType"] {
        let answer =
            tenant.admin().patch(&rome, &form(&[(field, "1".repeat(60_000))])).expect_wrong(&[field]);
        assert!(answer.body.len() < 1000, "the error repeats what was sent");
        tenant.admin().patch(&rome, &format!("{field}=1&{field}=2")).expect_wrong(&[field]);
    }
    assert_eq!(tenant.entries(), before);
}

fn an_address_that_is_none_or_of_a_foreign_domain_is_refused(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let other = world.tenant();
    let before = tenant.entries();
    let foreign = [
        format!("room@{}", other.domain),
        "room@nowhere.example".into(),
        format!("room@sub.{}", tenant.domain),
    ];
    let wrong = ["room", "@", "a b@x.test", "room@localhost", "комната@пример.рф", "a\0@x.test", "*"];
    for address in wrong.map(str::to_owned).iter().chain(&foreign) {
        let _case = Context::new(format!("{address:?}"));
        let path = format!("{}/{}", rooms.resources(), encoded(address));
        tenant.admin().put(&path, "displayName=Room").expect_wrong(&["mail"]);
        tenant.admin().get(&path).expect(404);
        tenant.admin().patch(&path, "l=x").expect(404);
        tenant.admin().delete(&path).expect(404);
    }
    tenant.admin().put(format!("{}/room", rooms.resources()), "").expect_wrong(&["mail", "displayName"]);
    assert_eq!(tenant.entries(), before);
}

fn resources_share_the_namespace_of_addresses(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let ivan = tenant.user("ivan").with("alias", &tenant.address("alias")).create();
    let gone = tenant.user("gone").create();
    tenant.admin().delete(&gone).expect_success();
    tenant.mail_list("friends").members(&[&ivan.mail]).create();
    rooms.resource("rome").create();
    let cars = tenant.group("Cars").create();
    for taken in ["ivan", "alias", "gone", "friends", "rome", "ROME"] {
        for group in [&rooms, &cars] {
            let text = group.resource(taken).put().expect(409).text();
            assert!(text.contains(&tenant.address(&taken.to_lowercase())), "{text}");
        }
    }
    tenant.user("rome").put().expect(409);
    tenant.user("new").with("alias", &tenant.address("rome")).put().expect(409);
    tenant.admin().patch(&ivan, &form(&[("mail", tenant.address("rome"))])).expect(409);
    tenant.mail_list("rome").members(&[&ivan.mail]).post().expect(409);
    assert_eq!((rooms.listed(""), cars.listed("")), (vec!["rome".to_owned()], vec![]));
}

fn an_address_is_one_in_any_letter_case(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    rooms.resource("Big.Room").create();
    let shown = tenant.admin().get(rooms.named("BIG.room")).expect(200).json();
    assert_eq!(shown["mail"], tenant.address("big.room"));
    assert_eq!(rooms.named("big.room").entry().one("mail"), tenant.address("big.room"));
    tenant.admin().patch(rooms.named("bIG.rOOM"), "l=x").expect_success();
    tenant.admin().delete(rooms.named("BIG.ROOM")).expect_success();
}

fn an_address_with_special_characters_is_found_again(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let names = ["a+b", "a=b", "#a", "a*b", "o'neil", "a/b", "a%b", "a&b", "a?b", "{a}", "~`^_$!"];
    for name in names {
        let _case = Context::new(name);
        let room = rooms.resource(name).create();
        assert_eq!(tenant.admin().get(&room).expect(200).json()["mail"], room.mail.as_str());
        tenant.admin().patch(&room, "l=x").expect_success();
        assert_eq!(rooms.listed(&format!("search={}", encoded(name))), [name]);
        tenant.admin().delete(&room).expect_success();
        tenant.admin().get(&room).expect(404);
    }
    assert_eq!(rooms.entries().len(), 1);
}

fn a_resource_is_found_in_its_group_alone(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let cars = tenant.group("Cars").create();
    rooms.resource("rome").create();
    let before = tenant.entries();
    let elsewhere = cars.named("rome");
    tenant.admin().get(&elsewhere).expect(404);
    tenant.admin().patch(&elsewhere, "l=x").expect(404);
    tenant.admin().delete(&elsewhere).expect(404);
    assert_eq!((cars.listed(""), rooms.listed("")), (vec![], vec!["rome".to_owned()]));
    // A resource is not a user, and a user is not a resource.
    tenant.admin().get(tenant.named("rome")).expect(404);
    tenant.admin().get(rooms.named("administrator")).expect(404);
    tenant.admin().delete(rooms.named("administrator")).expect(404);
    assert_eq!(tenant.entries(), before);
}

fn address_and_group_do_not_change(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    tenant.group("Cars").create();
    let rome = rooms.resource("rome").create();
    let before = rome.entry();
    for change in [
        format!("mail={}", tenant.address("oslo")),
        format!("newmail={}", tenant.address("oslo")),
        "group=Cars".into(),
    ] {
        let answer = tenant.admin().patch(&rome, &change);
        assert!([200, 400].contains(&answer.status), "{change}: {}", answer.text());
        assert_eq!(rome.entry(), before);
    }
}

fn a_deleted_resource_is_gone_at_once(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let [rome, oslo] = ["rome", "oslo"].map(|name| rooms.resource(name).create());
    let list = tenant.mail_list("friends").members(&[&rome.mail, &oslo.mail]).create();
    tenant.admin().delete(&rome).expect_success();
    tenant.admin().get(&rome).expect(404);
    tenant.admin().delete(&rome).expect(404);
    tenant.admin().patch(&rome, "l=x").expect(404);
    assert_eq!(world.probe().find(&format!("(mail={})", rome.mail)), []);
    assert_eq!((list.members(), rooms.listed("")), (vec![oslo.mail.clone()], vec!["oslo".to_owned()]));
    tenant.user("rome").create();
}

fn the_resources_page_sort_and_search(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    for (name, shown) in [("d", "анна"), ("c", "Анна"), ("b", "БОРИС"), ("a", "борис"), ("e", "x*y(z)")]
    {
        rooms.resource(name).with("displayName", shown).with("description", "Needle").create();
    }
    tenant.group("Cars").create().resource("car").create();
    let listed = |query: &str| rooms.listed(query).concat();
    assert_eq!(listed(""), "abcde");
    assert_eq!(listed("sort=1"), "edcba");
    assert_eq!(listed("orderby=displayName&search=%D0%BD"), "cd");
    assert_eq!(listed("orderby=displayName"), "ecdab");
    assert_eq!(listed("orderby=displayName&limit=2&page=2&sort=1"), "dc");
    assert_eq!(listed("limit=2&page=3"), "e");
    assert_eq!(listed("limit=2&page=4"), "");
    for (words, found) in
        [("борис", "ab"), ("БОРИС a@", "a"), ("*", "e"), ("y(", "e"), ("needle", ""), ("  ", "abcde")]
    {
        assert_eq!(listed(&format!("search={}", encoded(words))), found, "{words}");
    }
    let page = rooms.page("limit=2&page=3");
    assert_eq!((&page["count"], &page["pages"], &page["per_page"]), (&json!(5), &json!(3), &json!(2)));
    let wrong = format!("{}?page=0&limit=1001&sort=2&orderby=l", rooms.resources());
    tenant.admin().get(wrong).expect_wrong(&["page", "limit", "sort", "orderby"]);
    // A list shows a resource as it is shown alone, except perhaps for the tenant.
    let mut alone = tenant.admin().get(rooms.named("a")).expect(200).json();
    let mut listed = rooms.page("search=a@")["resources"][0].clone();
    for shown in [&mut alone, &mut listed] {
        shown.as_object_mut().unwrap().remove("tenant-id");
    }
    assert_eq!(listed, alone);
}

fn of_many_who_want_an_address_one_gets_it(world: &World) {
    let (tenant, rooms) = with_rooms(world);
    let cars = tenant.group("Cars").create();
    let ivan = tenant.user("ivan").create();
    for round in 0..20 {
        let name = format!("wanted{round}");
        let mut statuses: Vec<_> = std::thread::scope(|scope| {
            let ask = |number: usize| {
                let (tenant, rooms, cars, ivan, name) = (&tenant, &rooms, &cars, &ivan, &name);
                scope.spawn(move || match number % 4 {
                    0 => rooms.resource(name).put().status,
                    1 => cars.resource(name).put().status,
                    2 => tenant.mail_list(name).members(&[&ivan.mail]).post().status,
                    _ => tenant.user(name).put().status,
                })
            };
            let asked: Vec<_> = (0..8).map(ask).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409], "round {round}");
        world.probe().find_one(&format!("(mail={})", tenant.address(&name)));
    }
}
