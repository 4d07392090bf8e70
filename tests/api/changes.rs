//! The feed of changes: a follower that applies it in order has the tenant's contacts, and an unusable token is
//! refused.

use harness::{
    Answer, Context, Follower, MEMBERS, Step, Tenant, World, assert_same, encoded, form, json_list,
    start_serve,
};
use serde_json::{Value, json};

harness::trials! { "changes":
    a_walk_from_the_beginning_shows_every_contact,
    after_the_end_nothing_comes_until_something_changes,
    each_kind_of_change_comes_as_what_it_is,
    what_is_in_no_view_is_deleted_from_a_copy,
    a_renamed_group_takes_its_resources_along,
    a_walk_one_by_one_ends_right_whatever_changes_meanwhile,
    who_comes_back_late_or_twice_has_the_same,
    the_feed_of_one_tenant_tells_nothing_of_another,
    a_token_of_another_tenant_starts_over,
    a_token_that_was_cut_or_altered_starts_over,
    a_token_that_is_none_starts_over,
    a_token_is_good_at_another_process,
    without_the_cache_there_is_no_feed,
}

fn a_walk_from_the_beginning_shows_every_contact(world: &World) {
    let tenant = world.tenant();
    for number in 0..7 {
        tenant.user(&format!("u{number}")).create();
    }
    tenant.mail_list("sales").members(MEMBERS).create();
    tenant.group("Rooms").create().resource("rome").create();
    tenant.user("blocked").with("inetUserStatus", "0").create();
    let expected = tenant.book().all("all");
    assert_eq!(expected.len(), 10);
    for limit in [1, 2, 3, 9, 10, 11, 1000] {
        let _case = Context::new(format!("limit={limit}"));
        let mut follower = tenant.book().follower(limit);
        assert_same("a walk", follower.catch_up(), &expected);
    }
    // Without a limit, and without any parameter.
    let all = tenant.admin().get(format!("{}/changes", tenant.book().path)).expect(200);
    assert_eq!(all.header("cache-control"), Some("no-store"));
    let all = all.json();
    let changes = json_list(&all, "changes");
    assert!(
        changes.iter().filter(|change| change["op"] == "put").count() == 10 && all["more"] == false,
        "{all}"
    );
    let mut keys: Vec<_> = all.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["changes", "more", "since"]);
}

/// Requires that there are no changes after a token.
#[track_caller]
fn assert_nothing_new(tenant: &Tenant<'_>, since: &str) {
    let page = tenant.book().changes(since, 100).expect(200).json();
    assert_eq!((&page["changes"], &page["more"]), (&json!([]), &json!(false)));
}

/// The next page, which the follower applies.
#[track_caller]
fn news(tenant: &Tenant<'_>, follower: &mut Follower) -> Vec<Value> {
    let page = tenant.book().changes(&follower.since, 1000).expect(200).json();
    assert_eq!(page["more"], false);
    let changes = json_list(&page, "changes");
    assert_eq!(follower.step(), Step::End);
    changes
}

fn after_the_end_nothing_comes_until_something_changes(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let mut follower = tenant.book().follower(1000);
    follower.catch_up();
    for _ in 0..3 {
        assert_nothing_new(&tenant, &follower.since);
    }
    tenant.admin().patch(&ivan, "title=Boss").expect_success();
    let changes = news(&tenant, &mut follower);
    assert_eq!(changes, [json!({"op": "put", "contact": tenant.book().contact(&ivan.mail)})]);
    assert_eq!(changes[0]["contact"]["title"], "Boss");
    assert_nothing_new(&tenant, &follower.since);
}

fn each_kind_of_change_comes_as_what_it_is(world: &World) {
    let tenant = world.tenant();
    let (book, admin) = (tenant.book(), tenant.admin());
    let mut follower = book.follower(1000);
    follower.catch_up();
    let ivan = tenant.user("ivan").create();
    let shown = book.contact(&ivan.mail);
    let (id, put) = (shown["id"].clone(), json!([{"op": "put", "contact": shown}]));
    let delete = json!([{"op": "delete", "id": id}]);
    assert_eq!(json!(news(&tenant, &mut follower)), put);
    for (what, undo) in [("inetUserStatus=0", "inetUserStatus=1"), ("inetUserStatus=2", "inetUserStatus=1")] {
        admin.patch(&ivan, what).expect_success();
        assert_eq!(json!(news(&tenant, &mut follower)), delete, "{what}");
        admin.patch(&ivan, undo).expect_success();
        assert_eq!(json!(news(&tenant, &mut follower)), put, "{undo}");
    }
    admin.delete(&ivan).expect_success();
    assert_eq!(json!(news(&tenant, &mut follower)), delete);
    admin.restore(&ivan).expect_success();
    assert_eq!(json!(news(&tenant, &mut follower)), put);
    let new = tenant.address("ivan2");
    admin.patch(&ivan, &form(&[("mail", &new)])).expect_success();
    let renamed = news(&tenant, &mut follower);
    assert_eq!(json!(renamed), json!([{"op": "put", "contact": book.contact(&new)}]));
    assert_eq!(renamed[0]["contact"]["id"], id);
    let list = tenant.mail_list("sales").members(MEMBERS).create();
    let list_id = book.contact(&list.mail)["id"].clone();
    assert_eq!(news(&tenant, &mut follower)[0]["contact"]["kind"], "list");
    list.delete().expect_success();
    assert_eq!(json!(news(&tenant, &mut follower)), json!([{"op": "delete", "id": list_id}]));
    assert_same("the copy", &follower.contacts, &book.all("all"));
}

fn what_is_in_no_view_is_deleted_from_a_copy(world: &World) {
    let tenant = world.tenant();
    let room = tenant.group("Rooms").create().resource("rome").create();
    let id = tenant.book().contact(&room.mail)["id"].clone();
    let mut follower = tenant.book().follower(1000);
    follower.catch_up();
    tenant.admin().patch(&room, "employeeType=2").expect_success();
    assert_eq!(json!(news(&tenant, &mut follower)), json!([{"op": "delete", "id": id}]));
    tenant.admin().patch(&room, "employeeType=0").expect_success();
    assert_eq!(news(&tenant, &mut follower)[0]["contact"]["id"], id);
}

fn a_renamed_group_takes_its_resources_along(world: &World) {
    let tenant = world.tenant();
    let rooms = tenant.group("Rooms").create();
    for name in ["rome", "oslo", "riga"] {
        rooms.resource(name).create();
    }
    rooms.resource("hidden").with("employeeType", "2").create();
    let mut follower = tenant.book().follower(1000);
    follower.catch_up();
    rooms.rename("Залы").expect_success();
    let changes = news(&tenant, &mut follower);
    let seen = changes.iter().filter(|change| change["op"] == "put");
    assert!(seen.clone().all(|change| change["contact"]["group"] == "Залы"), "{changes:?}");
    assert_eq!(seen.count(), 3);
    assert_same("renamed", &follower.contacts, &tenant.book().all("all"));
    tenant.admin().delete(rooms.renamed("Залы")).expect_success();
    let gone = news(&tenant, &mut follower);
    assert!(gone.iter().all(|change| change["op"] == "delete") && gone.len() >= 3, "{gone:?}");
    assert_eq!(follower.contacts.len(), 1);
}

fn a_walk_one_by_one_ends_right_whatever_changes_meanwhile(world: &World) {
    let tenant = world.tenant();
    let users: Vec<_> = (0..12).map(|number| tenant.user(&format!("u{number}")).create()).collect();
    let mut follower = tenant.book().follower(1);
    for (number, user) in users.iter().enumerate() {
        assert_eq!(follower.step(), Step::More);
        match number % 4 {
            0 => tenant.admin().delete(user).expect_success(),
            1 => tenant.admin().patch(user, "displayName=Other").expect_success(),
            2 => tenant.admin().patch(user, "inetUserStatus=0").expect_success(),
            _ => tenant.user(&format!("new{number}")).put().expect_success(),
        };
    }
    assert_same("at the end", follower.catch_up(), &tenant.book().all("all"));
    assert_eq!(follower.restarts, 0);
}

fn who_comes_back_late_or_twice_has_the_same(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let mut early = tenant.book().follower(1000);
    early.catch_up();
    let start = early.since.clone();
    for number in 0..30 {
        tenant.admin().patch(&ivan, &format!("title=t{number}")).expect_success();
        if number % 3 == 0 {
            tenant.user(&format!("u{number}")).create();
        }
        if number % 5 == 0 {
            early.catch_up();
        }
    }
    let expected = tenant.book().all("all");
    let mut late = tenant.book().follower(7);
    late.since.clone_from(&start);
    assert_same("from an old token", late.catch_up(), &{
        let mut changed = expected.clone();
        // It began with nothing, so it does not have entries that never changed.
        changed.retain(|_, contact| contact["mail"] != tenant.address("administrator"));
        changed
    });
    assert_same("the one that came often", early.catch_up(), &expected);
    // Applying everything again changes nothing.
    early.since = start;
    assert_same("twice", early.catch_up(), &expected);
    assert_eq!((early.restarts, late.restarts), (0, 0));
}

fn the_feed_of_one_tenant_tells_nothing_of_another(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    let mut follower = ours.book().follower(1000);
    follower.catch_up();
    let olga = theirs.user("olga").create();
    theirs.admin().patch(&olga, "title=Boss").expect_success();
    theirs.admin().delete(&olga).expect_success();
    theirs.book().follower(1000).catch_up();
    assert_nothing_new(&ours, &follower.since);
    assert_eq!(follower.catch_up().len(), 1);
    // A user who moves is deleted here and added there.
    let ivan = ours.user("ivan").create();
    let mut other = theirs.book().follower(1000);
    follower.catch_up();
    other.catch_up();
    let place = format!("ou={},ou=People,{}", theirs.id, world.probe().root);
    world.probe().rename(&ivan.dn(), &format!("mail={}", ivan.mail), Some(&place));
    harness::soon("it is there", || other.catch_up().len() == 2);
    harness::soon("it is gone here", || follower.catch_up().len() == 1);
}

/// Requires that the holder of a token has to start over, with a clear message.
#[track_caller]
fn assert_start_over(answer: Answer) {
    let message = answer.expect(410).message();
    let message = message.as_str().unwrap();
    assert!(message.contains("without since"), "{message}");
}

fn a_token_of_another_tenant_starts_over(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    let mut follower = theirs.book().follower(1000);
    follower.catch_up();
    assert_start_over(ours.book().changes(&follower.since, 10));
    assert_start_over(ours.book().by(world.root()).changes(&follower.since, 10));
    theirs.book().changes(&follower.since, 10).expect(200);
    // A token from the middle of a walk does not help either.
    let mut middle = theirs.book().follower(1);
    theirs.user("olga").create();
    assert_eq!(middle.step(), Step::More);
    assert_start_over(ours.book().changes(&middle.since, 10));
}

/// Another character of the same kind.
fn neighbour(letter: char) -> char {
    match letter {
        '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from(letter as u8 + 1),
        '9' => '0',
        'z' => 'a',
        'Z' => 'A',
        _ => 'x',
    }
}

fn a_token_that_was_cut_or_altered_starts_over(world: &World) {
    let tenant = world.tenant();
    for number in 0..3 {
        tenant.user(&format!("u{number}")).create();
    }
    let (mut ended, mut walking) = (tenant.book().follower(1000), tenant.book().follower(1));
    ended.catch_up();
    assert_eq!(walking.step(), Step::More);
    for token in [ended.since, walking.since] {
        tenant.book().changes(&token, 10).expect(200);
        let letters: Vec<char> = token.chars().collect();
        for place in 0..letters.len() {
            let mut altered = letters.clone();
            altered[place] = neighbour(altered[place]);
            let altered: String = altered.into_iter().collect();
            let mut without = letters.clone();
            without.remove(place);
            let without: String = without.into_iter().collect();
            let cut: String = letters[..place].iter().collect();
            for wrong in [altered, without, cut] {
                let _case = Context::new(format!("{wrong} instead of {token}"));
                // An empty token means the beginning.
                if wrong.is_empty() {
                    continue;
                }
                assert_start_over(tenant.book().changes(&wrong, 10));
            }
        }
        for wrong in
            [format!("{token}0"), format!("0{token}"), format!("{token}{token}"), format!(" {token}")]
        {
            let _case = Context::new(format!("{wrong} instead of {token}"));
            assert_start_over(tenant.book().changes(&wrong, 10));
        }
    }
}

fn a_token_that_is_none_starts_over(world: &World) {
    let tenant = world.tenant();
    let long = "9".repeat(10 * 1024);
    let texts = [
        "0",
        "1",
        "-1",
        "x",
        "*",
        "null",
        "18446744073709551615",
        "18446744073709551616",
        "1-1",
        "1-1-1",
        "99999999999-0",
        "$",
        ">",
        "+",
        " ",
        "\0",
        "й",
        "😀",
        "'; DROP TABLE x",
        "{}",
        "pbm",
        "00000000-0000-0000-0000-000000000000",
    ];
    for text in texts.into_iter().chain([long.as_str()]) {
        let _case = Context::new(format!("{text:.50?}"));
        assert_start_over(tenant.book().changes(text, 10));
    }
    let not_utf8 = tenant.admin().get(format!("{}/changes?since=%FF%FE", tenant.book().path));
    assert!([400, 410].contains(&not_utf8.status), "{not_utf8:?}");
    let path = format!("{}/changes", tenant.book().path);
    tenant.admin().get(format!("{path}?since={}&since=y", encoded("x"))).expect_wrong(&["since"]);
    // An empty token means the beginning.
    let all = tenant.admin().get(format!("{path}?since=")).expect(200).json();
    assert_eq!(json_list(&all, "changes").len(), 1);
}

fn a_token_is_good_at_another_process(world: &World) {
    let tenant = world.tenant();
    let second = start_serve(&world.installation().usual_config(), &[]);
    let mut follower = tenant.book().follower(2);
    for number in 0..6 {
        tenant.user(&format!("u{number}")).create();
        let other = if number % 2 == 0 { second.client() } else { world.nobody() };
        follower.at(&other);
        // The other process reports the write of the first at once.
        assert_same("at the other process", follower.catch_up(), &tenant.book().all("all"));
    }
    assert_eq!(follower.restarts, 0);
    let there = tenant.book().by(&tenant.admin().at(&second.client()));
    tenant.user("last").by(&tenant.admin().at(&second.client())).create();
    assert_same("written there, read here", &tenant.book().all("all"), &there.all("all"));
}

fn without_the_cache_there_is_no_feed(world: &World) {
    let tenant = world.tenant();
    let off = [("address_book.cache.enabled", "false")];
    let config = world.installation().config("without-cache.toml", &off);
    let second = start_serve(&config, &[]);
    let book = tenant.book().by(&tenant.admin().at(&second.client()));
    assert_no_feed(&book.changes("", 10));
    // Everything else works, and each process sees the writes of the other.
    tenant.user("ivan").create();
    assert_same("without the cache", &book.all("all"), &world.expected_book(&tenant.id).all());
    tenant.user("olga").by(&book.client).create();
    assert!(book.has(&tenant.address("olga")));
    harness::soon("seen here", || tenant.book().has(&tenant.address("olga")));
    let environment = [("PBM_ADDRESS_BOOK__CACHE__ENABLED", "false")];
    let third = start_serve(&world.installation().usual_config(), &environment);
    assert_no_feed(&book.by(&book.client.at(&third.client())).changes("", 10));
}

#[track_caller]
fn assert_no_feed(answer: &Answer) {
    let answer = answer.clone().expect(503);
    assert!(answer.message().is_string());
}

/// The behaviour of an installation without Redis.
pub(crate) mod none {
    use super::assert_no_feed;
    use harness::{Step, World};

    harness::trials! { "changes":
        an_installation_without_redis_has_no_feed,
    }

    fn an_installation_without_redis_has_no_feed(world: &World) {
        let tenant = world.tenant();
        for answer in [tenant.book().changes("", 10), tenant.book().changes("x", 10)] {
            assert_no_feed(&answer);
        }
        tenant.admin().get(format!("{}/changes?limit=0", tenant.book().path)).expect_wrong(&["limit"]);
        world.tenant().book().by(tenant.admin()).changes("", 10).expect(403);
        assert_eq!(tenant.book().follower(10).step(), Step::NotNow(tenant.book().changes("", 10).text()));
    }
}
