//! Entity tags of an address book: a client that has a page does not load it again until it changes (RFC 9110).

use harness::{Answer, Book, Context, MEMBERS, Tenant, World, form};

harness::trials! { "addressbook_versions":
    a_page_has_a_strong_tag_and_may_be_kept_by_its_reader,
    who_has_the_page_is_told_so_without_a_body,
    every_change_of_the_tenant_makes_a_new_tag,
    changes_of_another_tenant_leave_the_tag,
    a_change_behind_the_programs_back_makes_a_new_tag,
}

fn a_page_has_a_strong_tag_and_may_be_kept_by_its_reader(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let answer = book.get("").expect(200);
    let tag = answer.etag();
    assert!(
        !tag.starts_with("W/") && tag[1..tag.len() - 1].bytes().all(|b| b.is_ascii_graphic() && b != b'"')
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    for _ in 0..5 {
        assert_eq!(book.get("").expect(200).etag(), tag);
    }
}

/// Requests a page that the client already has.
fn again(book: &Book, tags: &str) -> Answer {
    book.by(&book.client.with_header("If-None-Match", tags)).get("")
}

fn who_has_the_page_is_told_so_without_a_body(world: &World) {
    let tenant = world.tenant();
    let book = tenant.book();
    let tag = book.get("").expect(200).etag();
    let weak = format!("W/{tag}");
    let list = format!("\"other\", W/\"third\" ,{tag}");
    for tags in [&tag, &weak, &list, "*", &format!("{tag},\"x\""), &format!("  {tag}  ")] {
        let _case = Context::new(tags);
        let answer = again(&book, tags);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{answer:?}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let client = book.client.with_header("If-None-Match", tags);
        assert_eq!(client.send("HEAD", &book.path, "").status, 304);
    }
    let bare = tag.trim_matches('"');
    for tags in ["\"other\"", "", &format!("\"x{bare}\""), &format!("\"{bare}x\""), bare, "\"", ",", "W/"] {
        let _case = Context::new(tags);
        let answer = again(&book, tags).expect(200);
        assert_eq!(answer.etag(), tag);
        assert_eq!(answer.json()["count"], 1);
    }
    // An invalid request is reported first.
    let held = book.by(&book.client.with_header("If-None-Match", "*"));
    held.get("limit=0").expect_wrong(&["limit"]);
    // The tag does not reveal whether a contact exists.
    let stranger = world.tenant();
    held.by(&stranger.admin().with_header("If-None-Match", "*")).get("").expect(403);
    held.by(&world.nobody().with_header("If-None-Match", "*")).get("").expect(401);
}

/// Requires that a change makes a new tag at once, and that a client with the old one receives the new page.
#[track_caller]
fn assert_new_tag(book: &Book, held: &mut (String, String), what: &str) {
    let answer = again(book, &held.0).expect(200);
    let new = (answer.etag(), answer.text());
    assert!(new.0 != held.0 && new.1 != held.1, "{what}: {held:?} is the same as before");
    assert_eq!(again(book, &new.0).status, 304, "{what}");
    *held = new;
}

/// The tag of the page, and the page.
#[track_caller]
fn held(book: &Book) -> (String, String) {
    let answer = book.get("").expect(200);
    (answer.etag(), answer.text())
}

fn every_change_of_the_tenant_makes_a_new_tag(world: &World) {
    let tenant = world.tenant();
    let (book, admin) = (tenant.book(), tenant.admin());
    let mut held = held(&book);
    let mut changed = |what: &str| assert_new_tag(&book, &mut held, what);
    let ivan = tenant.user("ivan").create();
    changed("a user is made");
    admin.patch(&ivan, "displayName=Other").expect_success();
    changed("a user is shown by another name");
    admin.patch(&ivan, "inetUserStatus=0").expect_success();
    changed("a user is blocked");
    admin.patch(&ivan, "inetUserStatus=1").expect_success();
    changed("a user is unblocked");
    admin.delete(&ivan).expect_success();
    changed("a user is deleted");
    admin.restore(&ivan).expect_success();
    changed("a user is restored");
    admin.patch(&ivan, &form(&[("mail", tenant.address("ivan2"))])).expect_success();
    changed("a user is renamed");
    let list = tenant.mail_list("sales").members(MEMBERS).create();
    changed("a list is made");
    list.put(&[("displayName", "Other")]).expect_success();
    changed("a list is shown by another name");
    list.delete().expect_success();
    changed("a list is deleted");
    let rooms = tenant.group("Rooms").create();
    let room = rooms.resource("rome").create();
    changed("a resource is made");
    admin.patch(&room, "l=Omsk").expect_success();
    changed("a resource has moved to another city");
    rooms.rename("Halls").expect_success();
    changed("a group is renamed");
    admin.delete(rooms.renamed("Halls")).expect_success();
    changed("a group is deleted");
}

fn changes_of_another_tenant_leave_the_tag(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    ours.user("ivan").create();
    let tag = ours.book().get("").expect(200).etag();
    let olga = theirs.user("olga").create();
    let unchanged = |what: &str| {
        // The change there is visible, so ours is up to date with it.
        theirs.assert_book_is_right_soon(what);
        assert_eq!(again(&ours.book(), &tag).status, 304, "{what}");
        assert_eq!(ours.book().get("").expect(200).etag(), tag, "{what}");
    };
    unchanged("a user is made");
    theirs.admin().patch(&olga, "displayName=Other").expect_success();
    unchanged("a user is changed");
    theirs.admin().delete(&olga).expect_success();
    unchanged("a user is deleted");
    theirs.mail_list("sales").members(MEMBERS).create();
    unchanged("a list is made");
    let outside = theirs.add_outside("Partner", &format!("p@outside-{}.example", theirs.id), "");
    unchanged("a contact is made");
    world.probe().delete(&outside);
    unchanged("a contact is deleted");
    // The tags of two tenants never match.
    assert_ne!(theirs.book().get("").expect(200).etag(), tag);
}

fn a_change_behind_the_programs_back_makes_a_new_tag(world: &World) {
    let tenant: Tenant<'_> = world.tenant();
    let ivan = tenant.user("ivan").create();
    let book = tenant.book();
    let mut held = held(&book);
    let mut changed = |what: &str| {
        harness::soon(what, || again(&book, &held.0).status == 200);
        assert_new_tag(&book, &mut held, what);
    };
    world.probe().replace(&ivan.dn(), "title", &["Director"]);
    changed("a user is changed");
    let outside = tenant.add_outside("Partner", &format!("p@outside-{}.example", tenant.id), "");
    changed("a contact is made");
    world.probe().delete(&outside);
    changed("a contact is deleted");
    world.probe().rename(&ivan.dn(), &format!("mail={}", tenant.address("ivan2")), None);
    changed("a user is renamed");
}
