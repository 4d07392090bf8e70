//! Repeated creations: the same key, the same answer.

use harness::{Answer, Client, Context, Tenant, World, form};
use serde_json::json;

harness::trials! { "idempotency":
    a_repeat_is_answered_as_the_first_time,
    a_conflict_is_repeated_as_well,
    the_answer_stays_what_it_was_whatever_happened_since,
    a_key_with_another_request_is_refused,
    of_many_repeats_at_once_one_is_done,
    keys_of_different_accounts_are_different,
    a_refused_request_leaves_its_key_free,
    another_process_knows_the_key,
    a_key_has_no_place_where_nothing_is_made,
    an_odd_key_is_refused,
    without_a_key_nothing_is_remembered,
}

/// A request that creates an object.
struct Creation {
    method: &'static str,
    path: String,
    body: String,
}

impl Creation {
    fn send(&self, client: &Client) -> Answer {
        client.send(self.method, &self.path, &self.body)
    }
}

/// One of each kind; `name` is the name of the created object.
fn creations(tenant: &Tenant<'_>, name: &str) -> [Creation; 6] {
    let creation = |method, path: &str, body: String| Creation { method, path: path.to_owned(), body };
    let group = tenant.group("Rooms");
    let list = tenant.mail_list(&format!("list-{name}")).members(&["partner@outside.example"]);
    [
        creation("PUT", tenant.named(name).as_ref(), tenant.user(name).form()),
        creation("POST", "/v2/maillists", list.form()),
        creation("PUT", tenant.group(name).as_ref(), String::new()),
        creation("PUT", group.named(&format!("room-{name}")).as_ref(), format!("displayName={name}")),
        creation("PUT", &format!("/v2/tenants/{name}"), form(&[("domain", format!("{name}.test"))])),
        creation("POST", "/v2/tenants", form(&[("domain", format!("{name}.example"))])),
    ]
}

/// A tenant with a group, and an unused name.
fn fixture(world: &World) -> (Tenant<'_>, String) {
    let tenant = world.tenant();
    tenant.group("Rooms").create();
    (tenant, world.fresh_name())
}

#[track_caller]
fn assert_same(first: &Answer, again: &Answer) {
    assert_eq!((again.status, again.text()), (first.status, first.text()));
    assert_eq!(again.header("content-type"), first.header("content-type"));
}

fn a_repeat_is_answered_as_the_first_time(world: &World) {
    let (tenant, name) = fixture(world);
    for (number, creation) in creations(&tenant, &name).iter().enumerate() {
        let _case = Context::new(format!("{} {}", creation.method, creation.path));
        let client = world.root().with_key(&format!("{name}-{number}"));
        let first = creation.send(&client).expect(200);
        for _ in 0..3 {
            assert_same(&first, &creation.send(&client));
        }
        // A repetition without the key is told that the object exists.
        creation.send(world.root()).expect(409);
    }
    let tenants = world.probe().find(&format!("(associatedDomain={name}.*)"));
    assert_eq!(tenants.len(), 2);
}

fn a_conflict_is_repeated_as_well(world: &World) {
    let (tenant, name) = fixture(world);
    for (number, creation) in creations(&tenant, &name).iter().enumerate() {
        let _case = Context::new(format!("{} {}", creation.method, creation.path));
        creation.send(world.root()).expect(200);
        let client = world.root().with_key(&format!("{name}-conflict-{number}"));
        let first = creation.send(&client).expect(409);
        assert_same(&first, &creation.send(&client));
    }
    // Even if the name is free by now.
    let [user, ..] = creations(&tenant, &format!("{name}y"));
    user.send(world.root()).expect(200);
    let client = world.root().with_key(&format!("{name}-freed"));
    let first = user.send(&client).expect(409);
    let moved = form(&[("mail", tenant.address("elsewhere"))]);
    world.root().patch(&user.path, &moved).expect_success();
    assert_same(&first, &user.send(&client));
    world.root().get(&user.path).expect(404);
}

fn the_answer_stays_what_it_was_whatever_happened_since(world: &World) {
    let (tenant, name) = fixture(world);
    let [user, list, ..] = creations(&tenant, &name);
    let client = world.root().with_key(&name);
    let first = user.send(&client).expect(200);
    world.root().delete(&user.path).expect_success();
    assert_same(&first, &user.send(&client));
    world.root().get(&user.path).expect(404);
    let client = world.root().with_key(&format!("{name}-list"));
    let first = list.send(&client).expect(200);
    tenant.list_named(&format!("list-{name}")).delete().expect_success();
    assert_same(&first, &list.send(&client));
    tenant.admin().get(tenant.list_named(&format!("list-{name}"))).expect(404);
}

fn a_key_with_another_request_is_refused(world: &World) {
    let (tenant, name) = fixture(world);
    let (first, others) = (creations(&tenant, &name), creations(&tenant, &format!("{name}y")));
    for (number, (creation, other)) in first.iter().zip(&others).enumerate() {
        let _case = Context::new(format!("{} {}", creation.method, creation.path));
        let client = world.root().with_key(&format!("{name}-{number}"));
        creation.send(&client).expect(200);
        other.send(&client).expect(422);
        let another_body = format!("{}&displayName=other", creation.body);
        client.send(creation.method, &creation.path, &another_body).expect(422);
        // A key of another endpoint is refused too.
        first[(number + 1) % 6].send(&client).expect(422);
        creation.send(&client).expect(200);
    }
    assert_eq!(world.probe().find(&format!("(|(mail=*{name}y@*)(ou={name}y))")), []);
}

fn of_many_repeats_at_once_one_is_done(world: &World) {
    let (tenant, name) = fixture(world);
    for round in 0..5 {
        let creations = creations(&tenant, &format!("{name}{round}"));
        for (number, creation) in creations.iter().enumerate() {
            let _case = Context::new(format!("{} {}", creation.method, creation.path));
            let client = world.root().with_key(&format!("{name}-{round}-{number}"));
            let answers: Vec<_> = std::thread::scope(|scope| {
                let ask = |_| scope.spawn(|| creation.send(&client));
                let asked: Vec<_> = (0..8).map(ask).collect();
                asked.into_iter().map(|asked| asked.join().unwrap()).collect()
            });
            let (done, waiting): (Vec<_>, Vec<_>) =
                answers.into_iter().partition(|answer| answer.status == 200);
            for answer in waiting {
                // The first request is still in progress.
                let answer = answer.expect(409);
                assert!(
                    answer.header("retry-after").is_some_and(|wait| wait.parse::<u32>().is_ok()),
                    "{answer:?}"
                );
            }
            let first = done.first().unwrap_or_else(|| panic!("nobody was answered"));
            for other in done.iter().chain([&creation.send(&client)]) {
                assert_same(first, other);
            }
        }
        assert_eq!(world.probe().find(&format!("(associatedDomain={name}{round}.*)")).len(), 2);
    }
}

fn keys_of_different_accounts_are_different(world: &World) {
    let (ours, name) = fixture(world);
    let (theirs, colleague) = (world.tenant(), ours.user("colleague").role(1).create().log_in());
    let key = format!("{name}-shared");
    let ask = |client: &Client, tenant: &Tenant<'_>, user: &str| {
        client.with_key(&key).put(tenant.named(user), &tenant.user(user).form())
    };
    ask(ours.admin(), &ours, "ivan").expect_success();
    ask(theirs.admin(), &theirs, "olga").expect_success();
    ask(&colleague, &ours, "vera").expect_success();
    ask(world.root(), &ours, "petr").expect_success();
    // No caller receives the answer to another caller.
    ask(&colleague, &ours, "ivan").expect(422);
    ask(theirs.admin(), &ours, "ivan").expect(403);
    assert_eq!(ours.listed(""), ["administrator", "colleague", "ivan", "petr", "vera"]);
    // The same account in another session counts as the same caller.
    let again = ours.named("administrator").log_in();
    ask(&again, &ours, "ivan").expect_success();
    ask(&again, &ours, "other").expect(422);
}

fn a_refused_request_leaves_its_key_free(world: &World) {
    let (tenant, name) = fixture(world);
    let client = tenant.admin().with_key(&name);
    client.put(tenant.named("ivan"), "cn=Ivan").expect(400);
    client.put(tenant.named("ivan"), &tenant.user("ivan").form()).expect_success();
    client.put(tenant.named("ivan"), &tenant.user("ivan").form()).expect_success();
    let client = tenant.admin().with_key(&format!("{name}-missing"));
    let (missing, room) = (tenant.group("Missing"), tenant.group("Missing").named("room"));
    client.put(&room, "displayName=Room").expect(404);
    missing.create();
    client.put(&room, "displayName=Room").expect_success();
}

fn another_process_knows_the_key(world: &World) {
    let (tenant, name) = fixture(world);
    let here = world.root().with_key(&name);
    let [user, .., post] = creations(&tenant, &name);
    let first = user.send(&here).expect(200);
    let there = |key: &str| world.root().at(&world.short_lived().client()).with_key(key);
    assert_same(&first, &user.send(&there(&name)));
    let key = format!("{name}-tenant");
    let first = post.send(&there(&key)).expect(200);
    assert_same(&first, &post.send(&world.root().with_key(&key)));
    assert_eq!(first.json(), json!({"success": true, "tenant-id": name}));
}

fn a_key_has_no_place_where_nothing_is_made(world: &World) {
    let (tenant, name) = fixture(world);
    let ivan = tenant.user("ivan").create();
    let list = tenant.mail_list("friends").members(&[&ivan.mail]).create();
    let room = tenant.group("Rooms").resource("rome").create();
    let before = tenant.entries();
    let client = world.root().with_key(&name);
    for (method, path, body) in [
        ("PATCH", ivan.as_ref(), "title=x"),
        ("DELETE", ivan.as_ref(), ""),
        ("POST", &*format!("{}/restore", ivan.as_ref()), ""),
        ("PUT", &list.request(), "displayName=x"),
        ("DELETE", &list.request(), ""),
        ("PATCH", tenant.group("Rooms").as_ref(), "name=x"),
        ("DELETE", tenant.group("Rooms").as_ref(), ""),
        ("PATCH", room.as_ref(), "l=x"),
        ("DELETE", room.as_ref(), ""),
        ("PATCH", &tenant.path(), "quota=1"),
        ("DELETE", &tenant.path(), ""),
        ("POST", &format!("{}/restore", tenant.path()), ""),
        ("PUT", &format!("{}/domains/{name}.test", tenant.path()), ""),
        ("DELETE", &format!("{}/domains/{name}.test", tenant.path()), ""),
    ] {
        let _case = Context::new(format!("{method} {path}"));
        client.send(method, path, body).expect(400);
    }
    assert_eq!(tenant.entries(), before);
    client.get(&ivan).expect(200);
}

fn an_odd_key_is_refused(world: &World) {
    let (tenant, name) = fixture(world);
    let before = tenant.entries();
    for key in ["", " ", &"k".repeat(256), "ключ", "a\tb", "a\u{7f}", &"k".repeat(5000)] {
        let _case = Context::new(format!("{key:?}"));
        for creation in creations(&tenant, &name) {
            creation.send(&world.root().with_key(key)).expect(400);
        }
    }
    // Two keys are not a valid key.
    let [user, ..] = creations(&tenant, &name);
    let twice = world.root().with_key("a").with_header("X-A", &format!("x\r\nIdempotency-Key: {name}"));
    user.send(&twice).expect(400);
    assert_eq!(tenant.entries(), before);
    let longest = format!("{name}{}", "k".repeat(255 - name.len()));
    user.send(&world.root().with_key(&longest)).expect(200);
    user.send(&world.root().with_key(&longest)).expect(200);
    let [_, list, ..] = creations(&tenant, &name);
    for _ in 0..2 {
        list.send(&world.root().with_key(&format!("\"{name}\" ~!/=(*)\\,"))).expect(200);
    }
}

fn without_a_key_nothing_is_remembered(world: &World) {
    let (tenant, name) = fixture(world);
    for creation in creations(&tenant, &name) {
        creation.send(world.root()).expect(200);
        creation.send(world.root()).expect(409);
    }
}
