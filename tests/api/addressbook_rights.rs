//! Access rights to an address book.

use harness::{Client, Context, Tenant, World};

harness::trials! { "addressbook_rights":
    anybody_of_the_tenant_reads_all_of_it,
    nobody_reads_a_foreign_address_book,
    a_tenant_that_is_not_there_has_no_address_book,
    who_loses_its_right_reads_no_longer,
    an_address_book_is_only_read,
}

/// The paths of all reads of an address book.
fn paths(world: &World, tenant: &Tenant<'_>) -> Vec<String> {
    let book = tenant.book().by(world.root());
    let contact = book.contacts("view=all&limit=1").remove(0);
    let own =
        ["", "/suggest?q=a", "/export", "/export?format=json"].map(|tail| format!("{}{tail}", book.path));
    let card = format!("{}/{}.vcf", book.path, contact["id"].as_str().unwrap());
    own.into_iter().chain([card, format!("{}/changes", book.path)]).collect()
}

/// The feed exists only with Redis, but its rights are checked first.
fn expected(world: &World, path: &str, status: u16) -> u16 {
    if status == 200 && path.ends_with("/changes") && !world.has_redis() { 503 } else { status }
}

#[track_caller]
fn assert_all(world: &World, who: &str, client: &Client, paths: &[String], status: u16) {
    for path in paths {
        let _case = Context::new(format!("{who} {path}"));
        client.get(path).expect(expected(world, path, status));
    }
}

fn anybody_of_the_tenant_reads_all_of_it(world: &World) {
    let tenant = world.tenant();
    let plain = tenant.user("plain").create().log_in();
    let hidden = tenant.user("hidden").with("employeeType", "2").create().log_in();
    let paths = paths(world, &tenant);
    assert_all(world, "role 1", tenant.admin(), &paths, 200);
    assert_all(world, "role 2", &plain, &paths, 200);
    assert_all(world, "role 2, not suggested", &hidden, &paths, 200);
    assert_all(world, "role 3", world.root(), &paths, 200);
    assert_all(world, "an allowed address", &world.trusted(), &paths, 200);
    // Every reader sees the same contents.
    let seen = [tenant.admin(), &plain, world.root()].map(|client| tenant.book().by(client).all("all"));
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

fn nobody_reads_a_foreign_address_book(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    let plain = ours.user("plain").create().log_in();
    let foreign = paths(world, &theirs);
    assert_all(world, "role 1", ours.admin(), &foreign, 403);
    assert_all(world, "role 2", &plain, &foreign, 403);
    assert_all(world, "nobody", &world.nobody(), &foreign, 401);
    assert_all(world, "a bad token", &world.nobody().with_token("x.y.z"), &foreign, 401);
    let of_default = world.default_tenant();
    assert_all(world, "role 1", ours.admin(), &paths(world, &of_default), 403);
    // A foreign contact is not available through one's own address book either.
    let id = theirs.book().contacts("view=all").remove(0)["id"].as_str().unwrap().to_owned();
    let answer = ours.admin().get(format!("{}/{id}.vcf", ours.book().path)).expect(404);
    assert_eq!(answer.message(), "There is no such contact.");
}

fn a_tenant_that_is_not_there_has_no_address_book(world: &World) {
    let tenant = world.tenant();
    let id = tenant.book().contacts("").remove(0)["id"].as_str().unwrap().to_owned();
    for name in ["missing", "%2A", "a%2Cb", "%00", &"x".repeat(100)] {
        for tail in ["", "/suggest?q=a", "/export", "/changes", &format!("/{id}.vcf")] {
            let path = format!("/v2/addressbook/{name}{tail}");
            let _case = Context::new(&path);
            for answer in [world.root().get(&path), world.trusted().get(&path)] {
                // Without a feed its owner is not checked.
                let no_feed = answer.status == 503 && tail == "/changes" && !world.has_redis();
                assert!(answer.status == 404 || no_feed, "{answer:?}");
            }
            world.nobody().get(&path).expect(401);
        }
    }
    // A caller who may not see other tenants does not learn which ones exist.
    tenant.admin().get("/v2/addressbook/missing").expect(403);
}

fn who_loses_its_right_reads_no_longer(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in();
    let book = tenant.book().by(&client);
    book.get("").expect(200);
    tenant.admin().patch(&ivan, "inetUserStatus=0").expect_success();
    for answer in [book.get(""), book.ask("a", ""), book.export(""), book.changes("", 1)] {
        answer.expect(401);
    }
}

fn an_address_book_is_only_read(world: &World) {
    let tenant = world.tenant();
    let before = tenant.entries();
    for path in paths(world, &tenant) {
        for method in ["PUT", "POST", "PATCH", "DELETE"] {
            let _case = Context::new(format!("{method} {path}"));
            let answer = tenant.admin().send(method, &path, "displayName=x").expect(405);
            let allowed = answer.header("allow").unwrap_or_default();
            assert!(allowed.contains("GET") && allowed.contains("HEAD"), "{allowed}");
        }
    }
    assert_eq!(tenant.entries(), before);
}
