//! The domains of a tenant.

use harness::{Context, Tenant, World, encoded};
use serde_json::json;

harness::trials! { "tenant_domains":
    a_domain_that_is_added_serves_addresses,
    a_domain_is_added_in_any_letter_case_and_script,
    a_domain_of_another_tenant_is_a_conflict,
    of_two_tenants_that_want_a_domain_one_gets_it,
    a_domain_stays_while_an_address_uses_it,
    the_last_domain_stays,
    a_domain_that_is_not_the_tenants_is_not_found,
    a_wrong_domain_is_refused,
    a_domain_and_an_address_of_it_never_part,
}

fn path(tenant: &Tenant<'_>, domain: &str) -> String {
    format!("{}/domains/{}", tenant.path(), encoded(domain))
}

/// Its domains as shown, and as stored in the directory.
#[track_caller]
fn assert_domains(world: &World, tenant: &Tenant<'_>, expected: &[&str]) {
    let shown = world.root().get(tenant.path()).expect(200).json();
    let dn = format!("ou={},ou=Domains,{}", tenant.id, world.probe().root);
    let entry = world.probe().entry(&dn).unwrap();
    let mut sorted = expected.to_vec();
    sorted.sort_unstable();
    let shown: Vec<_> =
        shown["domains"].as_array().unwrap().iter().map(|domain| domain.as_str().unwrap()).collect();
    for mut domains in [shown, entry.all("associatedDomain")] {
        domains.sort_unstable();
        assert_eq!(domains, sorted);
    }
}

fn a_domain_that_is_added_serves_addresses(world: &World) {
    let (tenant, second) = (world.tenant(), format!("{}.test", world.fresh_name()));
    let new = tenant.user("ivan").form();
    let ivan = format!("{}/ivan@{second}", tenant.users());
    tenant.admin().put(&ivan, &new).expect_wrong(&["mail"]);
    for _ in 0..2 {
        world.root().put(path(&tenant, &second), "").expect_success();
        assert_domains(world, &tenant, &[&tenant.domain, &second]);
    }
    tenant.admin().put(&ivan, &new).expect_success();
    let [list, room] = ["list", "room"].map(|name| format!("{name}@{second}"));
    let members = format!("ivan@{second}");
    tenant.mail_list("list").with("mail", &list).members(&[&members]).create();
    let group = tenant.group("Rooms").create();
    tenant.admin().put(format!("{}/{room}", group.resources()), "displayName=Room").expect_success();
    world.probe().user(&members);
    tenant.admin().delete(&ivan).expect_success();
}

fn a_domain_is_added_in_any_letter_case_and_script(world: &World) {
    let (tenant, name) = (world.tenant(), world.fresh_name());
    world.root().put(path(&tenant, &format!("{}.TEST", name.to_uppercase())), "").expect_success();
    world.root().put(path(&tenant, &format!("Почта.{name}.рф")), "").expect_success();
    let cyrillic = format!("xn--80a1acny.{name}.xn--p1ai");
    let latin = format!("{name}.test");
    assert_domains(world, &tenant, &[&tenant.domain, &latin, &cyrillic]);
    world.root().delete(path(&tenant, &format!("почта.{name}.рф"))).expect_success();
    world.root().delete(path(&tenant, &latin.to_uppercase())).expect_success();
    assert_domains(world, &tenant, &[&tenant.domain]);
}

fn a_domain_of_another_tenant_is_a_conflict(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    for domain in [theirs.domain.clone(), theirs.domain.to_uppercase(), "example.com".into()] {
        let text = world.root().put(path(&ours, &domain), "").expect(409).text();
        assert!(text.contains(&domain.to_lowercase()), "{text}");
    }
    // The domain of a deleted tenant is kept for its undeletion.
    world.root().delete(theirs.path()).expect_success();
    world.root().put(path(&ours, &theirs.domain), "").expect(409);
    assert_domains(world, &ours, &[&ours.domain]);
    world.root().restore(theirs.path()).expect_success();
    // A domain that was given up is free.
    let third = format!("{}.test", world.fresh_name());
    world.root().put(path(&theirs, &third), "").expect_success();
    world.root().put(path(&ours, &third), "").expect(409);
    world.root().delete(path(&theirs, &third)).expect_success();
    world.root().put(path(&ours, &third), "").expect_success();
}

fn of_two_tenants_that_want_a_domain_one_gets_it(world: &World) {
    let tenants = [world.tenant(), world.tenant(), world.tenant(), world.tenant()];
    for _ in 0..10 {
        let domain = format!("{}.test", world.fresh_name());
        let mut statuses: Vec<_> = std::thread::scope(|scope| {
            let ask = |tenant| {
                let path = path(tenant, &domain);
                scope.spawn(move || world.root().put(&path, "").status)
            };
            let asked: Vec<_> = tenants.iter().map(ask).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409]);
        world.probe().find_one(&format!("(associatedDomain={domain})"));
    }
}

fn a_domain_stays_while_an_address_uses_it(world: &World) {
    let (tenant, second) = (world.tenant(), format!("{}.test", world.fresh_name()));
    let ivan = tenant.user("ivan").create();
    let group = tenant.group("Rooms").create();
    let at = |name: &str| format!("{name}@{second}");
    let room = format!("{}/{}", group.resources(), at("room"));
    world.root().put(path(&tenant, &second), "").expect_success();
    let stays = |user: &str| {
        let _case = Context::new(user);
        world.root().delete(path(&tenant, &second)).expect(409);
        assert_domains(world, &tenant, &[&tenant.domain, &second]);
    };
    tenant.admin().patch(&ivan, &format!("alias={}", at("alias"))).expect_success();
    stays("an alias");
    tenant.admin().patch(&ivan, "alias=").expect_success();
    let list = tenant.mail_list("list").with("mail", &at("list")).members(&[&ivan.mail]);
    list.post().expect_success();
    stays("a list");
    tenant.admin().delete(format!("{}&mail={}", tenant.maillists(), at("list"))).expect_success();
    tenant.admin().put(&room, "displayName=Room").expect_success();
    stays("a resource");
    tenant.admin().delete(&room).expect_success();
    let moved = format!("{}/{}", tenant.users(), at("ivan"));
    tenant.admin().patch(&ivan, &format!("mail={}", at("ivan"))).expect_success();
    stays("a user");
    tenant.admin().delete(&moved).expect_success();
    stays("a deleted user");
    tenant.admin().restore(&moved).expect_success();
    tenant.admin().patch(&moved, &format!("mail={}", ivan.mail)).expect_success();
    // Members of other tenants do not count, nor do addresses of a domain with the same ending.
    tenant.mail_list("friends").members(&[&format!("partner@sub.{second}")]).create();
    world.root().delete(path(&tenant, &second)).expect_success();
    assert_domains(world, &tenant, &[&tenant.domain]);
    tenant.admin().put(&moved, &tenant.user("ivan").form()).expect_wrong(&["mail"]);
}

fn the_last_domain_stays(world: &World) {
    let (tenant, name) = (world.tenant(), world.fresh_name());
    world.root().delete(path(&tenant, &tenant.domain)).expect(409);
    // Even if no address uses it.
    world.root().put(format!("/v2/tenants/{name}"), &format!("domain={name}.test")).expect_success();
    let only = format!("/v2/tenants/{name}/domains/{name}.test");
    world.root().delete(&only).expect(409);
    let second = format!("/v2/tenants/{name}/domains/mail.{name}.test");
    world.root().put(&second, "").expect_success();
    world.root().delete(&only).expect_success();
    world.root().delete(&second).expect(409);
    let shown = world.root().get(format!("/v2/tenants/{name}")).json();
    assert_eq!(shown["domains"], json!([format!("mail.{name}.test")]));
}

fn a_domain_that_is_not_the_tenants_is_not_found(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    for domain in
        ["nowhere.example", &theirs.domain, &format!("sub.{}", ours.domain), "test", "*", "no domain"]
    {
        let _case = Context::new(domain);
        world.root().delete(path(&ours, domain)).expect(404);
    }
    assert_domains(world, &theirs, &[&theirs.domain]);
}

fn a_wrong_domain_is_refused(world: &World) {
    let tenant = world.tenant();
    for wrong in ["com", "x..com", "-x.com", "x_y.com", "10.0.0.1", "a b.com", "*.com", "x.com\0"] {
        let _case = Context::new(format!("{wrong:?}"));
        world.root().put(path(&tenant, wrong), "").expect_wrong(&["domain"]);
    }
    assert_domains(world, &tenant, &[&tenant.domain]);
}

/// If a domain is removed while one of its addresses is created, at most one of the two succeeds.
fn a_domain_and_an_address_of_it_never_part(world: &World) {
    let tenant = world.tenant();
    for round in 0..20 {
        let second = format!("{}.test", world.fresh_name());
        let domain = path(&tenant, &second);
        world.root().put(&domain, "").expect_success();
        let user = format!("{}/user{round}@{second}", tenant.users());
        let form = tenant.user("user").form();
        let (removed, made) = std::thread::scope(|scope| {
            let removed = scope.spawn(|| world.root().delete(&domain).status);
            let made = scope.spawn(|| tenant.admin().put(&user, &form).status);
            (removed.join().unwrap(), made.join().unwrap())
        });
        let served = world.probe().find(&format!("(associatedDomain={second})")).len();
        let users = world.probe().find(&format!("(mail=user{round}@{second})")).len();
        assert!(users <= served, "removal {removed}, creation {made}: a user of a domain that is gone");
        assert_eq!((removed == 200, made == 200), (served == 0, users == 1));
    }
}
