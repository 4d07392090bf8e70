//! A client sees its own writes at once: in the pages, in the list of users, in suggestions, in the feed.

use harness::{Client, Follower, MEMBERS, Tenant, World, assert_same, form, start_serve};
use std::fmt::Write;

harness::trials! { "own_writes":
    writes_to_users_are_read_at_once,
    writes_to_lists_are_read_at_once,
    writes_to_resources_and_their_groups_are_read_at_once,
    users_in_bulk_are_read_at_once,
    the_deletion_and_return_of_a_tenant_are_read_at_once,
    a_write_through_one_process_is_read_at_once_through_another,
    many_writers_at_a_time_read_what_they_wrote,
}

/// Reads a tenant's address book in every way after each write.
struct Reader<'a, 'w> {
    world: &'w World,
    tenant: &'a Tenant<'w>,
    client: Client,
    follower: Follower,
}

impl<'a, 'w> Reader<'a, 'w> {
    fn new(world: &'w World, tenant: &'a Tenant<'w>, client: &Client) -> Self {
        let follower = tenant.book().by(client).follower(100);
        Self { world, tenant, client: client.clone(), follower }
    }

    /// Requires that every reader shows the contents of the directory, and that a text suggests exactly one contact, or
    /// none.
    #[track_caller]
    fn assert_right(&mut self, what: &str, text: &str, suggested: Option<&str>) {
        let book = self.tenant.book().by(&self.client);
        // First, because it causes the fewest requests.
        assert_eq!(book.suggested(text), suggested.into_iter().collect::<Vec<_>>(), "{what}");
        if self.world.has_redis() {
            let copy = self.follower.catch_up().clone();
            assert_same(what, &copy, &book.all("all"));
            assert_eq!(self.follower.restarts, 0, "{what}");
        }
        if let Some(difference) = self.tenant.book_difference(&self.client) {
            panic!("{what}: {difference}");
        }
    }
}

fn writes_to_users_are_read_at_once(world: &World) {
    let tenant = world.tenant();
    let admin = tenant.admin();
    let mut reader = Reader::new(world, &tenant, admin);
    let ivan = tenant.user("ivan").with("cn", "Иван").create();
    reader.assert_right("made", "иван", Some("ivan"));
    admin.patch(&ivan, "displayName=Other").expect_success();
    reader.assert_right("shown otherwise", "other", Some("ivan"));
    admin.patch(&ivan, "cn=Boris&displayName=").expect_success();
    reader.assert_right("named otherwise", "иван", None);
    admin.patch(&ivan, &form(&[("alias", tenant.address("nickname"))])).expect_success();
    reader.assert_right("an alias", "nickname", Some("ivan"));
    admin.patch(&ivan, "alias=").expect_success();
    reader.assert_right("no alias", "nickname", None);
    admin.patch(&ivan, "employeeType=2").expect_success();
    reader.assert_right("not suggested", "boris", None);
    admin.patch(&ivan, "employeeType=0").expect_success();
    reader.assert_right("suggested alone", "boris", Some("ivan"));
    admin.patch(&ivan, "inetUserStatus=0").expect_success();
    reader.assert_right("blocked", "boris", None);
    admin.patch(&ivan, "inetUserStatus=1").expect_success();
    reader.assert_right("unblocked", "boris", Some("ivan"));
    admin.patch(&ivan, &form(&[("mail", tenant.address("ivan2"))])).expect_success();
    reader.assert_right("renamed", "boris", Some("ivan2"));
    let ivan = tenant.named("ivan2");
    admin.delete(&ivan).expect_success();
    reader.assert_right("deleted", "boris", None);
    admin.restore(&ivan).expect_success();
    reader.assert_right("restored", "boris", Some("ivan2"));
    admin.patch(&ivan, "userPassword=Other-Horse-8").expect_success();
    reader.assert_right("with another password", "boris", Some("ivan2"));
    // The refused user does not exist.
    tenant.user("ivan2").put().expect(409);
    tenant.user("nobody").with("employeeType", "9").put().expect(400);
    reader.assert_right("refused", "nobody", None);
}

fn writes_to_lists_are_read_at_once(world: &World) {
    let tenant = world.tenant();
    let mut reader = Reader::new(world, &tenant, tenant.admin());
    let ivan = tenant.user("ivan").create();
    let list = tenant.mail_list("sales").with("displayName", "Продажи").members(MEMBERS).create();
    reader.assert_right("made", "прод", Some("sales"));
    list.put(&[("displayName", "Закупки")]).expect_success();
    reader.assert_right("shown otherwise", "зак", Some("sales"));
    list.add(&[&ivan.mail]).expect_success();
    list.remove(&[&ivan.mail]).expect_success();
    reader.assert_right("with other members", "зак", Some("sales"));
    list.put(&[("newmail", tenant.address("purchases"))]).expect_success();
    reader.assert_right("renamed", "зак", Some("purchases"));
    tenant.list_named("purchases").delete().expect_success();
    reader.assert_right("deleted", "зак", None);
    tenant.mail_list("everybody").filter("ou=Sales").create();
    reader.assert_right("by a condition", "every", Some("everybody"));
}

fn writes_to_resources_and_their_groups_are_read_at_once(world: &World) {
    let tenant = world.tenant();
    let admin = tenant.admin();
    let mut reader = Reader::new(world, &tenant, admin);
    let rooms = tenant.group("Rooms").create();
    let rome = rooms.resource("rome").with("displayName", "Рим").create();
    rooms.resource("oslo").create();
    reader.assert_right("made", "рим", Some("rome"));
    admin.patch(&rome, "displayName=Paris").expect_success();
    reader.assert_right("shown otherwise", "paris", Some("rome"));
    admin.patch(&rome, "employeeType=2").expect_success();
    reader.assert_right("hidden", "paris", None);
    admin.patch(&rome, "employeeType=1").expect_success();
    reader.assert_right("shown", "paris", Some("rome"));
    rooms.rename("Залы").expect_success();
    reader.assert_right("of a renamed group", "paris", Some("rome"));
    let rooms = rooms.renamed("Залы");
    admin.delete(rooms.named("rome")).expect_success();
    reader.assert_right("deleted", "paris", None);
    rooms.resource("rome").with("displayName", "Рим").create();
    reader.assert_right("made again", "рим", Some("rome"));
    admin.delete(&rooms).expect_success();
    reader.assert_right("deleted with the group", "рим", None);
}

const BULK: usize = 120;

fn users_in_bulk_are_read_at_once(world: &World) {
    let tenant = world.tenant();
    let client = tenant.admin().with_header("Content-Type", "text/csv");
    let mut reader = Reader::new(world, &tenant, tenant.admin());
    reader.assert_right("before", "ким7", None);
    let mut rows = "mail,userPassword,employeeNumber,cn,sn\n".to_owned();
    for number in 0..BULK {
        let mail = tenant.address(&format!("bulk{number}"));
        writeln!(rows, "{mail},{},2,Анна,Ким{number}x", harness::PASSWORD).unwrap();
    }
    client.post(format!("{}/bulk", tenant.users()), &rows).expect(200);
    reader.assert_right("made in bulk", "ким7x", Some("bulk7"));
    assert_eq!(tenant.book().page("search=bulk")["count"], BULK);
}

fn the_deletion_and_return_of_a_tenant_are_read_at_once(world: &World) {
    let tenant = world.tenant();
    let root = world.root();
    tenant.user("ivan").with("cn", "Иван").create();
    let gone = tenant.user("gone").create();
    tenant.admin().delete(&gone).expect_success();
    tenant.mail_list("sales").members(MEMBERS).create();
    tenant.group("Rooms").create().resource("rome").create();
    let mut reader = Reader::new(world, &tenant, root);
    reader.assert_right("before", "иван", Some("ivan"));
    for _ in 0..2 {
        root.delete(tenant.path()).expect_success();
        for answer in [reader.tenant.book().by(root).get(""), root.get(tenant.users())] {
            answer.expect(404);
        }
        root.restore(tenant.path()).expect_success();
        reader.assert_right("restored", "иван", Some("ivan"));
    }
}

fn a_write_through_one_process_is_read_at_once_through_another(world: &World) {
    if !world.has_redis() {
        // Each process has its own connection to the directory and cannot inform the other.
        return;
    }
    let tenant = world.tenant();
    let second = start_serve(&world.installation().usual_config(), &[]);
    let there = tenant.admin().at(&second.client());
    let mut readers = [tenant.admin(), &there].map(|client| Reader::new(world, &tenant, client));
    for number in 0..10 {
        let (name, cn) = (format!("u{number}"), format!("Word{number}x"));
        let writer = if number % 2 == 0 { tenant.admin() } else { &there };
        let user = tenant.user(&name).by(writer).with("cn", &cn).create();
        for reader in &mut readers {
            reader.assert_right("made", &cn, Some(&name));
        }
        writer.delete(&user).expect_success();
        for reader in &mut readers {
            reader.assert_right("deleted", &cn, None);
        }
    }
}

fn many_writers_at_a_time_read_what_they_wrote(world: &World) {
    let tenant = world.tenant();
    std::thread::scope(|scope| {
        for writer in 0..6 {
            let tenant = &tenant;
            scope.spawn(move || {
                let book = tenant.book();
                for number in 0..8 {
                    let name = format!("w{writer}n{number}x");
                    let user = tenant.user(&name).create();
                    book.assert_suggested(&name, &[&name]);
                    tenant.admin().patch(&user, &format!("displayName=Shown{name}")).expect_success();
                    assert_eq!(book.contact(&user.mail)["displayName"], format!("Shown{name}"));
                    if number % 2 == 0 {
                        tenant.admin().delete(&user).expect_success();
                        assert!(!book.has(&user.mail));
                        assert!(!tenant.listed(&format!("search={name}")).contains(&name));
                    }
                }
            });
        }
    });
    tenant.assert_book_is_right("after all");
}
