//! Tenants: their names, the defaults of their new users, and the list of them. Their domains and their deletion have
//! files of their own.

use harness::{Answer, Client, Context, World, encoded, form};
use serde_json::{Value, json};

harness::trials! { "tenants":
    a_tenant_is_named_after_its_domain_and_numbered_where_that_is_taken,
    a_name_or_domain_that_is_taken_is_a_conflict,
    of_many_who_make_a_tenant_of_a_domain_one_succeeds,
    a_new_tenant_is_ready_for_people,
    the_list_of_tenants_pages_sorts_and_searches,
    one_tenant_is_shown_with_counts,
    new_users_take_the_defaults_and_others_keep_what_they_have,
    wrong_defaults_are_refused_all_at_once,
    a_wrong_name_or_domain_of_a_tenant_is_refused,
    a_tenant_that_is_not_there_is_not_found,
    tenants_are_no_business_of_administrators_and_users,
}

fn domain_form(domain: &str) -> String {
    form(&[("domain", domain)])
}

/// Requests a tenant for a domain, and returns its name.
#[track_caller]
fn post(client: &Client, domain: &str) -> String {
    let answer = client.post("/v2/tenants", &domain_form(domain)).expect(200).json();
    let id = answer["tenant-id"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(answer, json!({"success": true, "tenant-id": id}));
    id.to_owned()
}

fn put(client: &Client, id: &str, domain: &str) -> Answer {
    client.put(format!("/v2/tenants/{id}"), &domain_form(domain))
}

fn a_tenant_is_named_after_its_domain_and_numbered_where_that_is_taken(world: &World) {
    let (root, name) = (world.root(), world.fresh_name());
    let numbered = |number: u8| format!("{name}-{number}");
    assert_eq!(post(root, &format!("{name}.test")), name);
    assert_eq!(post(root, &format!("{}.example", name.to_uppercase())), numbered(2));
    put(root, &numbered(3), &format!("other.{name}.test")).expect_success();
    assert_eq!(post(root, &format!("{name}.net")), numbered(4));
    // The name of a deleted tenant is not assigned either.
    root.delete(format!("/v2/tenants/{}", numbered(2))).expect_success();
    assert_eq!(post(root, &format!("{name}.org")), numbered(5));
    assert_eq!(post(root, &format!("default.{name}.ru")), "default-2");
    let shown = root.get(format!("/v2/tenants/{}", numbered(4))).expect(200).json();
    assert_eq!(shown["domains"], json!([format!("{name}.net")]));
}

fn a_name_or_domain_that_is_taken_is_a_conflict(world: &World) {
    let (root, ours) = (world.root(), world.tenant());
    let name = world.fresh_name();
    let answers = [
        (put(root, &ours.id, &format!("{name}.test")), &ours.id),
        (put(root, &ours.id.to_uppercase(), &format!("{name}.test")), &ours.id),
        (put(root, &name, &ours.domain), &ours.domain),
        (put(root, &name, &ours.domain.to_uppercase()), &ours.domain),
        (root.post("/v2/tenants", &domain_form(&ours.domain)), &ours.domain),
        (put(root, "default", &format!("{name}.test")), &"default".to_owned()),
    ];
    for (answer, taken) in answers {
        let text = answer.expect(409).text();
        assert!(text.contains(taken.as_str()), "{taken}: {text}");
    }
    assert_eq!(world.probe().find(&format!("(|(associatedDomain={name}.test)(ou={name}))")), []);
}

fn of_many_who_make_a_tenant_of_a_domain_one_succeeds(world: &World) {
    for _ in 0..5 {
        let (name, other) = (world.fresh_name(), world.fresh_name());
        let domain = format!("{name}.test");
        let statuses = std::thread::scope(|scope| {
            let (domain, other) = (&domain, &other);
            let asked: Vec<_> = (0..8)
                .map(|number| {
                    scope.spawn(move || match number % 2 {
                        0 => world.root().post("/v2/tenants", &domain_form(domain)).status,
                        _ => put(world.root(), &format!("{other}-{number}"), domain).status,
                    })
                })
                .collect();
            let mut statuses: Vec<_> = asked.into_iter().map(|asked| asked.join().unwrap()).collect();
            statuses.sort_unstable();
            statuses
        });
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
        world.probe().find_one(&format!("(associatedDomain={domain})"));
        // After a refusal the name is still free.
        for number in [1, 3, 5, 7].map(|number| format!("{other}-{number}")) {
            if world.root().get(format!("/v2/tenants/{number}")).status == 404 {
                put(world.root(), &number, &format!("{number}.test")).expect_success();
            }
        }
    }
}

fn a_new_tenant_is_ready_for_people(world: &World) {
    let (root, name) = (world.root(), world.fresh_name());
    let id = post(root, &format!("{name}.test"));
    let vera = harness::User::new(world, &id, &format!("vera@{name}.test"), harness::PASSWORD);
    let fields = [("userPassword", harness::PASSWORD), ("employeeNumber", "1"), ("cn", "Вера"), ("sn", "Q")];
    root.put(&vera, &form(&fields)).expect_success();
    let admin = vera.log_in();
    admin.put(format!("/v2/resourcegroups/{id}/Rooms"), "").expect_success();
    let list = [
        ("tenant-id", &*id),
        ("mail", &format!("all@{name}.test")),
        ("alias", &vera.mail),
        ("displayName", "All"),
    ];
    admin.post("/v2/maillists", &form(&list)).expect_success();
    assert!(vera.can_bind());
}

fn the_list_of_tenants_pages_sorts_and_searches(world: &World) {
    let (root, name) = (world.root(), world.fresh_name());
    for number in [3, 1, 5, 2, 4] {
        put(root, &format!("{name}-{number}"), &format!("d{}.{name}.test", 9 - number)).expect_success();
    }
    let page = |query: &str| root.get(format!("/v2/tenants?{query}")).expect(200);
    let numbers = |query: &str| -> Vec<String> {
        let ids = page(&format!("search={name}&{query}")).column("tenants", "tenant-id");
        ids.iter().map(|id| id.strip_prefix(&format!("{name}-")).unwrap().to_owned()).collect()
    };
    assert_eq!(numbers(""), ["1", "2", "3", "4", "5"]);
    assert_eq!(numbers("sort=1"), ["5", "4", "3", "2", "1"]);
    assert_eq!(numbers("orderby=tenant-id&limit=2&page=2"), ["3", "4"]);
    assert_eq!(numbers("limit=2&page=9"), Vec::<String>::new());
    let shown = page(&format!("search={name}&limit=2&page=3")).json();
    let tenant = json!({"tenant-id": format!("{name}-5"), "domains": [format!("d4.{name}.test")]});
    assert_eq!(shown, json!({"tenants": [tenant], "count": 5, "page": 3, "pages": 3, "per_page": 2}));
    for (words, found) in [("d8", 1), ("D8", 1), ("test d8", 1), ("d8 d7", 0), ("-2", 1), ("*", 0), ("(", 0)]
    {
        let answer = page(&format!("search={}", encoded(&format!("{name} {words}")))).json();
        assert_eq!(answer["count"], found, "{words}");
    }
    let wrong = "/v2/tenants?page=0&limit=1001&sort=2&orderby=ou&deleted=x";
    root.get(wrong).expect_wrong(&["page", "limit", "sort", "orderby", "deleted"]);
}

fn one_tenant_is_shown_with_counts(world: &World) {
    let tenant = world.tenant();
    let shown = || world.root().get(tenant.path()).expect(200).json();
    let counts = |users: u8, deleted: u8, lists: u8, groups: u8, resources: u8| {
        json!({"users": users, "deleted-users": deleted, "maillists": lists, "resourcegroups": groups,
            "resources": resources})
    };
    let expected =
        json!({"tenant-id": tenant.id, "domains": [tenant.domain], "counts": counts(1, 0, 0, 0, 0)});
    assert_eq!(shown(), expected);
    let users = ["ivan", "olga", "gone"].map(|name| tenant.user(name).create());
    tenant.admin().delete(&users[2]).expect_success();
    tenant.mail_list("friends").members(&[&users[0].mail]).create();
    tenant.mail_list("sales").filter("ou=Sales").create();
    for name in ["Rooms", "Переговорные", "Cars"] {
        let group = tenant.group(name).create();
        if name != "Cars" {
            group.resource(if name == "Rooms" { "rome" } else { "oslo" }).create();
        }
    }
    assert_eq!(shown()["counts"], counts(3, 1, 2, 3, 2));
    world.root().patch(tenant.path(), "quota=1024&lang=ru-RU").expect_success();
    let expected = json!({"tenant-id": tenant.id, "domains": [tenant.domain], "counts": counts(3, 1, 2, 3, 2),
        "quota": 1024, "lang": "ru-RU"});
    assert_eq!(shown(), expected);
}

fn new_users_take_the_defaults_and_others_keep_what_they_have(world: &World) {
    let tenant = world.tenant();
    let before = tenant.user("before").create();
    let takes = |name: &str, quota: Value, lang: &str| {
        let shown = tenant.admin().get(tenant.user(name).create()).expect(200).json();
        assert_eq!((shown["quota"].clone(), shown["lang"].clone()), (quota, json!(lang)), "{name}");
    };
    let set = |body: &str| world.root().patch(tenant.path(), body).expect_success();
    set("quota=512&lang=ru-RU");
    takes("first", json!(512), "ru-RU");
    assert_eq!(world.probe().user(&tenant.address("first")).one("mailQuota"), "536870912");
    let own = tenant.user("own").with("quota", "7").with("lang", "fr-FR").create();
    set("quota=1024");
    takes("second", json!(1024), "ru-RU");
    set("lang=");
    takes("third", json!(1024), "en-US");
    set("quota=0");
    takes("fourth", json!(0), "en-US");
    set("quota=");
    takes("fifth", Value::Null, "en-US");
    let shown = tenant.admin().get(&own).json();
    assert_eq!((&shown["quota"], &shown["lang"]), (&json!(7), &json!("fr-FR")));
    let shown = tenant.admin().get(&before).json();
    assert_eq!((shown.get("quota"), &shown["lang"]), (None, &json!("en-US")));
    let shown = world.root().get(tenant.path()).json();
    assert_eq!((shown.get("quota"), shown.get("lang")), (None, None));
}

fn wrong_defaults_are_refused_all_at_once(world: &World) {
    let tenant = world.tenant();
    let before = tenant.entries();
    let root = world.root();
    root.patch(tenant.path(), "quota=x&lang=de-DE").expect_wrong(&["quota", "lang"]);
    for wrong in ["-1", "1.5", "1GB", "99999999999999999999"] {
        root.patch(tenant.path(), &format!("quota={wrong}&lang=ru-RU")).expect_wrong(&["quota"]);
    }
    for wrong in ["ru", "ru_RU", "*", "ru-RU,en-US"] {
        root.patch(tenant.path(), &format!("quota=1&lang={wrong}")).expect_wrong(&["lang"]);
    }
    root.patch(tenant.path(), "quota=1&quota=2").expect_wrong(&["quota"]);
    root.patch(tenant.path(), "").expect_success();
    assert_eq!(tenant.entries(), before);
}

fn a_wrong_name_or_domain_of_a_tenant_is_refused(world: &World) {
    let (root, name) = (world.root(), world.fresh_name());
    root.post("/v2/tenants", "").expect_wrong(&["domain"]);
    let required = root.put(format!("/v2/tenants/{name}"), "domain=").expect_wrong(&["domain"]);
    assert_eq!(required.message()["domain"], "domain is a required value");
    for wrong in
        ["com", "x..com", "-x.com", "x_y.com", "10.0.0.1", "a b.com", "*.com", "x.com\0", &"x.".repeat(200)]
    {
        let _case = Context::new(format!("{wrong:?}"));
        root.post("/v2/tenants", &domain_form(wrong)).expect_wrong(&["domain"]);
        put(root, &name, wrong).expect_wrong(&["domain"]);
    }
    root.post("/v2/tenants", "domain=a.test&domain=b.test").expect_wrong(&["domain"]);
    for wrong in ["-x", "a%20b", "a%2Fb", "a%2Cou%3DPeople", "%2A", "%D1%8F", &"x".repeat(65)] {
        let _case = Context::new(wrong);
        let answer = put(root, wrong, &format!("{name}.test"));
        // No object can exist there, or the name is invalid.
        assert!([400, 404].contains(&answer.status), "{answer:?}");
        let status = answer.status;
        answer.expect(status);
    }
    assert_eq!(world.probe().find(&format!("(|(ou={name})(associatedDomain={name}.test))")), []);
}

fn a_tenant_that_is_not_there_is_not_found(world: &World) {
    let (root, name) = (world.root(), world.fresh_name());
    for id in [name.as_str(), "%2A", "a%2Cb", "%00", &"x".repeat(65)] {
        let _case = Context::new(id);
        let path = format!("/v2/tenants/{id}");
        root.get(&path).expect(404);
        root.patch(&path, "quota=1").expect(404);
        root.delete(&path).expect(404);
        root.restore(&path).expect(404);
        root.put(format!("{path}/domains/{name}.test"), "").expect(404);
        root.delete(format!("{path}/domains/{name}.test")).expect(404);
    }
}

fn tenants_are_no_business_of_administrators_and_users(world: &World) {
    let tenant = world.tenant();
    let before = tenant.entries();
    let name = world.fresh_name();
    let path = tenant.path();
    let ours = world.default_tenant().user(&name).role(1).create().log_in();
    for client in [tenant.admin(), &ours] {
        client.get("/v2/tenants").expect(403);
        client.get("/v2/tenants?deleted=1").expect(403);
        client.post("/v2/tenants", &domain_form(&format!("{name}.test"))).expect(403);
        put(client, &name, &format!("{name}.test")).expect(403);
        client.get(&path).expect(403);
        client.patch(&path, "quota=1").expect(403);
        client.put(format!("{path}/domains/{name}.test"), "").expect(403);
        client.delete(format!("{path}/domains/{}", tenant.domain)).expect(403);
        client.restore(&path).expect(403);
        client.delete(&path).expect(403);
    }
    assert_eq!(tenant.entries(), before);
    assert_eq!(world.probe().find(&format!("(|(ou={name})(associatedDomain={name}.test))")), []);
}
