//! Bad input: each case gets a clear error in JSON and changes nothing.

use crate::fixture::Fixture;
use harness::{Context, User, World, encoded, form};
use serde_json::json;

harness::trials! { "bad_input":
    missing_parameters_are_named_all_at_once,
    values_outside_their_lists_are_named_all_at_once,
    an_address_that_is_none_is_refused,
    an_address_of_a_foreign_domain_is_refused,
    a_local_part_in_cyrillic_is_refused_in_words,
    names_with_control_characters_are_refused,
    texts_that_are_too_long_are_refused,
    an_alias_list_with_a_wrong_address_is_refused_as_a_whole,
    a_parameter_given_twice_is_refused,
    an_impossible_tenant_or_address_is_not_found,
}

fn missing_parameters_are_named_all_at_once(world: &World) {
    let fixture = Fixture::new(world);
    let required = ["userPassword", "employeeNumber", "cn", "sn"];
    let answer = fixture.admin().put(fixture.tenant.named("new"), "").expect(400);
    let expected = json!({
        "userPassword": "userPassword is a required value",
        "employeeNumber": "employeeNumber is a required value",
        "cn": "cn is a required value",
        "sn": "sn is a required value",
    });
    assert_eq!(answer.json(), json!({"message": expected}));
    for missing in required {
        let new = fixture.tenant.user("new");
        let answer = new.clone().without(missing).put().expect_wrong(&[missing]);
        assert_eq!(answer.message()[missing], format!("{missing} is a required value"));
        new.with(missing, "").put().expect_wrong(&[missing]);
    }
    fixture.assert_unchanged();
}

fn values_outside_their_lists_are_named_all_at_once(world: &World) {
    let fixture = Fixture::new(world);
    let wrong = [
        ("employeeNumber", "4"),
        ("employeeType", "5"),
        ("inetUserStatus", "blocked"),
        ("lang", "xx-XX"),
        ("quota", "a lot"),
        ("homePhone", "none"),
        ("telephoneNumber", "x"),
        ("mobile", "x"),
        ("alias", "nobody"),
        ("mail", "nobody"),
    ];
    let names = wrong.map(|(name, _)| name);
    fixture.admin().patch(&fixture.ivan, &form(&wrong)).expect_wrong(&names);
    let numbers = ["employeeNumber", "employeeType", "inetUserStatus", "quota"];
    let everywhere = names.iter().flat_map(|name| ["٣", "true", "*", "x1"].map(|value| (*name, value)));
    let in_numbers = numbers.iter().flat_map(|name| ["-1", "1.0", "1e0", "1,2"].map(|value| (*name, value)));
    for (name, value) in everywhere.chain(in_numbers) {
        let _case = Context::new(format!("{name}={value}"));
        fixture.admin().patch(&fixture.ivan, &form(&[(name, value)])).expect_wrong(&[name]);
    }
    let new = wrong.iter().fold(fixture.tenant.user("new"), |new, (name, value)| new.with(name, value));
    // The address of a new user is in the path.
    new.put().expect_wrong(&names[..names.len() - 1]);
    fixture.assert_unchanged();
}

/// Characters that are not allowed before the `@`.
#[rustfmt::skip]
const LOCAL_PARTS: [&str; 16] = [
    "a b", "a,b", "\"a b\"", "a\\b", "<a>", "a;b", "a(b)", ".a", "a.", "a..b", "a\0", "a\n", "a@b", "", "a:b", "[a]",
];

fn an_address_that_is_none_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    let domain = &fixture.tenant.domain;
    let long = "x".repeat(65);
    let whole = ["new", "@", "new@", "@example.com", "new@localhost", "new@10.0.0.1", "new@[10.0.0.1]", "*"];
    let domains = [".com", "-x.com", "x_y.com", "x..com", " x.com", "x.com ", "x.com\0"];
    let all = LOCAL_PARTS.iter().copied().chain([long.as_str()]).map(|local| format!("{local}@{domain}"));
    let all = all.chain(whole.map(str::to_owned)).chain(domains.map(|domain| format!("new@{domain}")));
    for address in all {
        let _case = Context::new(format!("{address:?}"));
        let path = format!("{}/{}", fixture.tenant.users(), encoded(&address));
        fixture.admin().put(&path, &fixture.tenant.user("new").form()).expect_wrong(&["mail"]);
        fixture.admin().patch(&fixture.ivan, &form(&[("mail", &address)])).expect_wrong(&["mail"]);
        fixture.admin().get(&path).expect(404);
        fixture.admin().delete(&path).expect(404);
        fixture.admin().restore(&path).expect(404);
        // In a list of addresses these characters are part of the syntax.
        if !address.contains([',', '"', '\\', '[']) && address.trim() == address {
            fixture.admin().patch(&fixture.ivan, &form(&[("alias", &address)])).expect_wrong(&["alias"]);
        }
    }
    fixture.assert_unchanged();
}

fn an_address_of_a_foreign_domain_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    let other = world.tenant();
    for domain in [other.domain.as_str(), "nowhere.example", &format!("sub.{}", fixture.tenant.domain)] {
        let address = format!("new@{domain}");
        let path = format!("{}/{address}", fixture.tenant.users());
        let answer = fixture.admin().put(&path, &fixture.tenant.user("new").form()).expect_wrong(&["mail"]);
        assert!(answer.text().contains(&fixture.tenant.domain), "{}", answer.text());
        fixture.admin().patch(&fixture.ivan, &form(&[("mail", &address)])).expect_wrong(&["mail"]);
        fixture.admin().patch(&fixture.ivan, &form(&[("alias", &address)])).expect_wrong(&["alias"]);
    }
    fixture.assert_unchanged();
}

fn a_local_part_in_cyrillic_is_refused_in_words(world: &World) {
    let fixture = Fixture::new(world);
    world.installation().create_tenant("cyrillic", "пример.рф");
    for (tenant, address) in
        [("cyrillic", "юзер@пример.рф".to_owned()), (&fixture.tenant.id, fixture.tenant.address("иван"))]
    {
        let path = format!("/v2/users/{tenant}/{}", encoded(&address));
        let answer = world.root().put(&path, &fixture.tenant.user("new").form()).expect_wrong(&["mail"]);
        assert!(answer.message()["mail"].as_str().unwrap().contains("non-ASCII"), "{}", answer.text());
    }
    // Only the domain may be in any script; it is stored as A-labels.
    let user = User::new(world, "cyrillic", "ivan@пример.рф", harness::PASSWORD);
    world.root().put(&user, &fixture.tenant.user("new").form()).expect_success();
    let shown = world.root().get(&user).expect(200).json();
    assert_eq!(shown["mail"], "ivan@xn--e1afmkfd.xn--p1ai");
    user.log_in().get("/v2/users/cyrillic/ivan@xn--e1afmkfd.xn--p1ai").expect(200);
    fixture.assert_unchanged();
}

fn names_with_control_characters_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    for field in
        ["cn", "sn", "displayName", "title", "ou", "l", "initials", "telegram", "skype", "userPassword"]
    {
        for control in ["a\0b", "\0", "a\nb", "a\rb", "\u{1b}[31m", "a\u{7f}", "\u{85}x"] {
            let _case = Context::new(format!("{field}={control:?}"));
            fixture.admin().patch(&fixture.ivan, &form(&[(field, control)])).expect_wrong(&[field]);
            fixture.tenant.user("new").with(field, control).put().expect_wrong(&[field]);
        }
    }
    fixture.admin().patch(&fixture.ivan, "description=a%00b").expect_wrong(&["description"]);
    for blank in [" ", "\u{a0}", "   "] {
        fixture.admin().patch(&fixture.ivan, &form(&[("cn", blank)])).expect_wrong(&["cn"]);
    }
    fixture.assert_unchanged();
}

fn texts_that_are_too_long_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    for field in
        ["cn", "sn", "title", "description", "telegram", "homePhone", "quota", "lang", "userPassword"]
    {
        let _case = Context::new(field);
        let long = "1".repeat(60_000);
        let answer = fixture.admin().patch(&fixture.ivan, &form(&[(field, &long)])).expect_wrong(&[field]);
        assert!(answer.body.len() < 1000, "the error repeats what was sent");
    }
    let page = fixture.admin().get(format!("{}?search={}", fixture.tenant.users(), "x".repeat(300)));
    page.expect_wrong(&["search"]);
    let words = "x+".repeat(100);
    fixture.admin().get(format!("{}?search={words}", fixture.tenant.users())).expect_wrong(&["search"]);
    fixture.assert_unchanged();
}

fn an_alias_list_with_a_wrong_address_is_refused_as_a_whole(world: &World) {
    let fixture = Fixture::new(world);
    let right = fixture.tenant.address("right");
    for wrong in
        ["nobody", "a b@x.test", "иван@x.test", &fixture.ivan.mail, "x@elsewhere.example", "\0@x.test"]
    {
        let _case = Context::new(format!("{wrong:?}"));
        for list in [format!("{right},{wrong}"), format!("[\"{wrong}\",\"{right}\"]")] {
            fixture.admin().patch(&fixture.ivan, &form(&[("alias", &list)])).expect_wrong(&["alias"]);
        }
    }
    let many: Vec<_> = (0..5000).map(|number| fixture.tenant.address(&format!("a{number}"))).collect();
    for chunk in [&many[..200], &many[..1500]] {
        fixture.admin().patch(&fixture.ivan, &form(&[("alias", chunk.join(","))])).expect_wrong(&["alias"]);
    }
    fixture.assert_unchanged();
}

fn a_parameter_given_twice_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    for name in ["cn", "title", "userPassword", "quota", "mail", "lang"] {
        fixture.admin().patch(&fixture.ivan, &format!("{name}=1&{name}=2")).expect_wrong(&[name]);
    }
    fixture.admin().patch(format!("{}?title=a&title=b", fixture.ivan.as_ref()), "").expect_wrong(&["title"]);
    fixture.admin().get(format!("{}?page=1&page=2", fixture.tenant.users())).expect_wrong(&["page"]);
    let answer = world.nobody().post("/v2/auth", "login=a&login=b&password=c");
    answer.expect_wrong(&["login"]);
    fixture.assert_unchanged();
}

fn an_impossible_tenant_or_address_is_not_found(world: &World) {
    let fixture = Fixture::new(world);
    for tenant in ["missing", "a%20b", "a%2Cou%3DPeople", "%2A", "-x", "x%00", "%D1%8F", &"x".repeat(65)] {
        let _case = Context::new(tenant);
        let path = format!("/v2/users/{tenant}/ivan@example.com");
        world.root().get(&path).expect(404);
        world.root().patch(&path, "title=x").expect(404);
        world.root().delete(&path).expect(404);
        world.root().put(&path, &fixture.tenant.user("new").form()).expect(404);
    }
    fixture.admin().get(fixture.tenant.named("missing")).expect(404);
    fixture.admin().patch(fixture.tenant.named("missing"), "title=x").expect(404);
    fixture.assert_unchanged();
}
