//! Resource groups: their names, their list, and the effect on their resources.

use harness::{Context, Group, Tenant, World, encoded, form};
use serde_json::json;

harness::trials! { "resource_groups":
    a_group_is_made_shown_and_deleted,
    names_with_special_characters_are_found_again,
    a_name_is_one_in_any_letter_case,
    a_name_that_is_none_is_refused,
    a_group_that_is_not_there_is_not_found,
    a_group_renames_with_all_its_resources,
    a_rename_onto_a_taken_name_changes_nothing,
    a_group_is_renamed_in_letter_case_alone,
    what_is_renamed_while_it_is_read_has_its_new_name_at_once,
    the_groups_page_sort_and_search,
    a_deleted_group_takes_all_its_resources_along,
    of_many_who_make_a_group_one_succeeds,
    a_group_of_another_tenant_is_out_of_reach,
}

fn names(tenant: &Tenant<'_>, query: &str) -> Vec<String> {
    tenant.admin().get(format!("{}?{query}", tenant.groups())).column("resourcegroups", "name")
}

fn a_group_is_made_shown_and_deleted(world: &World) {
    let tenant = world.tenant();
    let rooms = tenant.group("Переговорные").create();
    let shown = || tenant.admin().get(&rooms).expect(200).json();
    assert_eq!(shown(), json!({"name": "Переговорные", "tenant-id": tenant.id, "resources": 0}));
    rooms.resource("rome").create();
    assert_eq!(shown()["resources"], 1);
    let entries = rooms.entries();
    assert_eq!((entries.len(), entries[0].one("ou")), (2, "Переговорные"));
    tenant.admin().put(&rooms, "").expect(409);
    tenant.admin().delete(&rooms).expect_success();
    tenant.admin().get(&rooms).expect(404);
    tenant.admin().delete(&rooms).expect(404);
    assert_eq!(rooms.entries(), []);
    assert_eq!(tenant.group("Переговорные").create().listed(""), Vec::<String>::new());
}

/// Names that are difficult in a URL, a DN or a filter.
#[rustfmt::skip]
const NAMES: [&str; 20] = [
    "a/b", "/", "a&b", "&x=y", "%2F", "100%", "a?b", "a#b", "a+b", "a b", "Ёлки & палки", "..", ".", ",+\"\\<>;=#*()",
    "\\2c", "#x", "=", "😀", "restore", "x&name=y",
];

fn names_with_special_characters_are_found_again(world: &World) {
    let tenant = world.tenant();
    for (number, name) in NAMES.into_iter().enumerate() {
        let _case = Context::new(name);
        let group = tenant.group(name).create();
        assert_eq!(tenant.admin().get(&group).expect(200).json()["name"], name);
        let room = group.resource(&format!("room{number}")).create();
        let shown = tenant.admin().get(&room).expect(200).json();
        assert_eq!((&shown["group"], &shown["mail"]), (&json!(name), &json!(room.mail)));
        assert_eq!(group.listed(""), [format!("room{number}")]);
        tenant.admin().put(&group, "").expect(409);
        let plain = format!("plain{number}");
        group.rename(&plain).expect_success();
        group.renamed(&plain).rename(name).expect_success();
        tenant.admin().patch(&room, "l=x").expect_success();
        assert_eq!(room.entry().one("l"), "x");
    }
    let mut expected: Vec<_> = NAMES.map(str::to_owned).to_vec();
    expected.sort_by_key(|name| name.to_lowercase());
    assert_eq!(names(&tenant, ""), expected);
    for name in NAMES {
        let _case = Context::new(name);
        assert!(names(&tenant, &format!("search={}", encoded(name))).contains(&name.to_owned()));
        tenant.admin().delete(tenant.group(name)).expect_success();
    }
    assert_eq!(names(&tenant, ""), Vec::<String>::new());
    assert_eq!(tenant.entries().iter().filter(|entry| entry.dn.contains("ou=Resources")).count(), 1);
}

fn a_name_is_one_in_any_letter_case(world: &World) {
    let tenant = world.tenant();
    for (name, other) in [("Rooms", "ROOMS"), ("Залы", "зАЛЫ")] {
        let _case = Context::new(other);
        let group = tenant.group(name).create();
        tenant.admin().put(tenant.group(other), "").expect(409);
        assert_eq!(tenant.admin().get(tenant.group(other)).expect(200).json()["name"], name);
        let room = tenant.group(other).resource("room").create();
        assert_eq!(tenant.admin().get(group.named("room")).expect(200).json()["group"], name);
        tenant.admin().delete(&room).expect_success();
    }
}

fn a_name_that_is_none_is_refused(world: &World) {
    let tenant = world.tenant();
    let rooms = tenant.group("Rooms").create();
    let before = tenant.entries();
    let long = "я".repeat(129);
    for wrong in ["a\0", "a\nb", "\u{1b}[31m", "a\u{7f}", " a", "a ", "a  b", " ", &long] {
        let _case = Context::new(format!("{wrong:?}"));
        tenant.admin().put(tenant.group(wrong), "").expect_wrong(&["name"]);
        rooms.rename(wrong).expect_wrong(&["name"]);
        tenant.admin().get(tenant.group(wrong)).expect(404);
        tenant.admin().delete(tenant.group(wrong)).expect(404);
    }
    let answer = tenant.admin().patch(&rooms, "").expect_wrong(&["name"]);
    assert_eq!(answer.message()["name"], "name is a required value");
    rooms.rename("").expect_wrong(&["name"]);
    tenant.admin().patch(&rooms, "name=a&name=b").expect_wrong(&["name"]);
    assert_eq!(tenant.entries(), before);
    // A name for which 389-ds could not make a tombstone on LMDB: the entry could not be removed.
    for long in ["я".repeat(101), "😀".repeat(51), ",".repeat(67)] {
        tenant.admin().put(tenant.group(&long), "").expect_wrong(&["name"]);
        rooms.rename(&long).expect_wrong(&["name"]);
    }
    assert_eq!(tenant.entries(), before);
    for longest in ["я".repeat(100), "a".repeat(128), "😀".repeat(50), ",".repeat(66)] {
        let group = tenant.group(&longest).create();
        tenant.admin().delete(&group).expect_success();
    }
    rooms.rename(&"я".repeat(100)).expect_success();
    tenant.admin().delete(rooms.renamed(&"я".repeat(100))).expect_success();
}

fn a_group_that_is_not_there_is_not_found(world: &World) {
    let tenant = world.tenant();
    let missing = tenant.group("Missing");
    tenant.admin().get(&missing).expect(404);
    missing.rename("x").expect(404);
    tenant.admin().delete(&missing).expect(404);
    tenant.admin().get(missing.resources()).expect(404);
    missing.resource("room").put().expect(404);
    tenant.admin().get(missing.named("room")).expect(404);
    tenant.admin().patch(missing.named("room"), "l=x").expect(404);
    tenant.admin().delete(missing.named("room")).expect(404);
    assert_eq!(world.probe().find(&format!("(mail={})", tenant.address("room"))), []);
    for id in [world.fresh_name().as_str(), "%2A", "a%2Cb"] {
        let path = format!("/v2/resourcegroups/{id}");
        world.root().get(&path).expect(404);
        world.root().put(format!("{path}/Rooms"), "").expect(404);
        world.root().patch(format!("{path}/Rooms"), "name=x").expect(404);
        world.root().delete(format!("{path}/Rooms")).expect(404);
        world.root().get(format!("/v2/resources/{id}/Rooms")).expect(404);
    }
}

/// A group with a number of rooms.
fn with_rooms<'w>(tenant: &Tenant<'w>, name: &str, count: usize) -> Group<'w> {
    let group = tenant.group(name).create();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let group = &group;
            scope.spawn(move || {
                for number in (part..count).step_by(4) {
                    let room = group.resource(&format!("room{number:02}")).with("l", "МСК");
                    room.with("displayName", &format!("Зал {number}")).create();
                }
            });
        }
    });
    group
}

fn a_group_renames_with_all_its_resources(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let rooms = with_rooms(&tenant, "Rooms", 50);
    let other = tenant.group("Cars").create();
    let car = other.resource("car").create();
    let room = rooms.named("room07");
    let list = tenant.mail_list("friends").members(&[&room.mail, &car.mail, &ivan.mail]).create();
    let before = rooms.page("limit=1000");
    rooms.rename("Переговорные").expect_success();
    let renamed = rooms.renamed("Переговорные");
    tenant.admin().get(&rooms).expect(404);
    tenant.admin().get(&room).expect(404);
    tenant.admin().get(rooms.resources()).expect(404);
    assert_eq!(rooms.entries(), []);
    assert_eq!(renamed.entries().len(), 51);
    let mut expected = before.clone();
    for room in expected["resources"].as_array_mut().unwrap() {
        room["group"] = json!("Переговорные");
    }
    assert_eq!(renamed.page("limit=1000"), expected);
    assert_eq!(renamed.page("")["count"], 50);
    // It is still a member, under its present name.
    assert_eq!(list.members(), [car.mail.as_str(), &ivan.mail, &room.mail]);
    let mut dns = [ivan.dn(), car.dn(), renamed.named("room07").dn()].map(|dn| dn.to_lowercase());
    dns.sort_unstable();
    assert_eq!(list.member_dns(), dns);
    assert_eq!(other.listed(""), ["car"]);
    tenant.admin().patch(renamed.named("room07"), "l=Омск").expect_success();
    tenant.group("Rooms").create();
}

fn a_rename_onto_a_taken_name_changes_nothing(world: &World) {
    let tenant = world.tenant();
    let rooms = with_rooms(&tenant, "Rooms", 2);
    tenant.group("Залы").create();
    let look =
        || tenant.entries().into_iter().map(|entry| entry.without(&["pbmRevision"])).collect::<Vec<_>>();
    let before = look();
    for taken in ["Залы", "залы"] {
        let text = rooms.rename(taken).expect(409).text();
        assert!(text.to_lowercase().contains("залы"), "{text}");
        assert_eq!(look(), before);
    }
    rooms.rename("Rooms").expect_success();
    assert_eq!(look(), before);
}

fn a_group_is_renamed_in_letter_case_alone(world: &World) {
    let tenant = world.tenant();
    let rooms = with_rooms(&tenant, "rooms", 2);
    rooms.rename("ROOMS").expect_success();
    assert_eq!(names(&tenant, ""), ["ROOMS"]);
    assert_eq!(rooms.listed(""), ["room00", "room01"]);
}

/// A search that runs during a rename can put the old name back into the caches of 389-ds.
fn what_is_renamed_while_it_is_read_has_its_new_name_at_once(world: &World) {
    const READERS: usize = 5;
    const ROUNDS: usize = 20;
    let tenant = world.tenant();
    let mut rooms = tenant.group("Rooms0").create();
    let members: Vec<_> = (0..5).map(|number| rooms.resource(&format!("r{number}")).create()).collect();
    let mut ivan = tenant.user("ivan0").create();
    let folders =
        ["Resources", "People"].map(|kind| format!("ou={},ou={kind},{}", tenant.id, world.probe().root));
    let _readers: Vec<_> =
        folders.iter().cycle().take(READERS).map(|folder| world.probe().reader(folder)).collect();
    for number in 1..=ROUNDS {
        let _case = Context::new(format!("rename {number}"));
        let (old, new) = (rooms.clone(), rooms.renamed(&format!("Rooms{number}")));
        old.rename(&new.name).expect_success();
        assert_eq!(new.listed(""), ["r0", "r1", "r2", "r3", "r4"]);
        tenant.admin().get(&old).expect(404);
        for (number, room) in members.iter().enumerate() {
            assert_eq!(tenant.book().contact(&room.mail)["group"], new.name.as_str());
            let name = format!("r{number}");
            assert_eq!(tenant.admin().get(new.named(&name)).expect(200).json()["group"], new.name.as_str());
            tenant.admin().get(old.named(&name)).expect(404);
        }
        rooms = new;
        let address = tenant.address(&format!("ivan{number}"));
        tenant.admin().patch(&ivan, &form(&[("mail", &address)])).expect_success();
        tenant.admin().get(&ivan).expect(404);
        ivan = tenant.named(&format!("ivan{number}"));
        assert_eq!(tenant.admin().get(&ivan).expect(200).json()["mail"], address.as_str());
        tenant.admin().patch(&ivan, &format!("title=t{number}")).expect_success();
    }
    tenant.assert_book_is_right("renamed");
}

fn the_groups_page_sort_and_search(world: &World) {
    let tenant = world.tenant();
    for name in ["Ёж", "Cars", "анна зал", "rooms", "Анна кабинет", "Boats"] {
        tenant.group(name).create();
    }
    tenant.group("rooms").resource("rome").create();
    let all = ["Boats", "Cars", "rooms", "анна зал", "Анна кабинет", "Ёж"];
    assert_eq!(names(&tenant, ""), all);
    assert_eq!(names(&tenant, "sort=1&orderby=name"), all.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(names(&tenant, "limit=2&page=2"), all[2..4]);
    assert_eq!(names(&tenant, "page=2"), Vec::<String>::new());
    for (words, found) in
        [("АННА", &all[3..5]), ("анна зал", &all[3..4]), ("oa", &all[..1]), ("*", &[]), ("rome", &[])]
    {
        assert_eq!(names(&tenant, &format!("search={}", encoded(words))), found, "{words}");
    }
    let page = tenant.admin().get(format!("{}?limit=1&page=3", tenant.groups())).expect(200).json();
    let rooms = json!([{"name": "rooms", "resources": 1}]);
    assert_eq!(page, json!({"resourcegroups": rooms, "count": 6, "page": 3, "pages": 6, "per_page": 1}));
    let wrong = format!("{}?page=0&limit=1001&sort=2&orderby=resources", tenant.groups());
    tenant.admin().get(wrong).expect_wrong(&["page", "limit", "sort", "orderby"]);
}

fn a_deleted_group_takes_all_its_resources_along(world: &World) {
    let tenant = world.tenant();
    let rooms = with_rooms(&tenant, "Rooms", 50);
    let other = with_rooms_of(&tenant, "Rooms 2", ["rome", "oslo"]);
    let members = [rooms.named("room01").mail, other.named("rome").mail];
    let list = tenant.mail_list("friends").members(&members.each_ref().map(String::as_str)).create();
    let before = other.entries();
    tenant.admin().delete(&rooms).expect_success();
    assert_eq!((rooms.entries(), other.entries()), (vec![], before));
    assert_eq!(list.members(), members[1..]);
    assert_eq!(list.member_dns().len(), 1);
    assert_eq!(names(&tenant, ""), ["Rooms 2"]);
    // Their addresses are free at once.
    tenant.user("room01").create();
    with_rooms_of(&tenant, "Rooms", ["room02", "room03"]);
}

fn with_rooms_of<'w>(tenant: &Tenant<'w>, name: &str, rooms: [&str; 2]) -> Group<'w> {
    let group = tenant.group(name).create();
    for room in rooms {
        group.resource(room).create();
    }
    group
}

fn of_many_who_make_a_group_one_succeeds(world: &World) {
    let tenant = world.tenant();
    for round in 0..10 {
        let spellings = [format!("Зал {round}"), format!("ЗАЛ {round}")];
        let mut statuses: Vec<_> = std::thread::scope(|scope| {
            let ask = |number: usize| {
                let (tenant, name) = (&tenant, &spellings[number % 2]);
                scope.spawn(move || tenant.admin().put(tenant.group(name), "").status)
            };
            let asked: Vec<_> = (0..6).map(ask).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
    }
    assert_eq!(names(&tenant, "").len(), 10);
}

fn a_group_of_another_tenant_is_out_of_reach(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    let rooms = with_rooms_of(&ours, "Rooms", ["rome", "oslo"]);
    let before = ours.entries();
    let client = theirs.admin();
    for answer in [
        client.get(ours.groups()),
        client.get(&rooms),
        client.put(ours.group("New"), ""),
        client.patch(&rooms, "name=x"),
        client.delete(&rooms),
        client.get(rooms.resources()),
        client.get(rooms.named("rome")),
        rooms.resource("new").by(client).put(),
        client.patch(rooms.named("rome"), &form(&[("l", "x")])),
        client.delete(rooms.named("rome")),
    ] {
        answer.expect(403);
    }
    assert_eq!(ours.entries(), before);
    assert_eq!(names(&theirs, ""), Vec::<String>::new());
}
