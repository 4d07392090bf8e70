//! Concurrent edits: the version of the object that was read (`ETag`), and conditional changes (`If-Match`).

use harness::{Answer, Client, Context, Tenant, World, form, within};
use std::{sync::Barrier, time::Duration};

/// Within this time a change of another program shows in every answer.
const SOON: Duration = Duration::from_secs(3);

harness::trials! { "concurrency":
    one_thing_is_read_with_its_version,
    a_change_is_made_to_the_version_that_was_read,
    a_deletion_minds_the_version_as_well,
    a_tag_that_is_weak_or_none_matches_nothing,
    a_change_behind_the_programs_back_is_noticed,
    of_50_clients_who_change_what_they_read_one_succeeds,
    of_50_clients_who_rename_the_group_that_they_read_one_succeeds,
    a_rename_of_a_user_or_list_minds_the_version,
    members_are_added_to_the_version_that_was_read,
    what_is_not_there_has_no_version,
    a_version_has_no_place_where_nothing_was_read,
}

/// An object that can be read and changed.
struct Thing {
    kind: &'static str,
    dn: String,
    /// The path to read it.
    path: String,
    /// The method and the path to change it.
    method: &'static str,
    request: String,
    /// The changed parameter.
    parameter: &'static str,
    /// An attribute that other programs may change.
    attribute: &'static str,
}

/// One of each kind. The group's name has letters without a case difference.
const GROUP: &str = "rooms";

fn things(tenant: &Tenant<'_>, world: &World) -> [Thing; 5] {
    let ivan = tenant.user("ivan").create();
    let list = tenant.mail_list("friends").members(&[&ivan.mail]).create();
    let group = tenant.group(GROUP).create();
    let room = group.resource("rome").create();
    let path = tenant.path();
    let thing = |kind, dn: String, path: &str, method, parameter, attribute| Thing {
        kind,
        dn,
        path: path.to_owned(),
        method,
        request: if method == "PUT" { list.request() } else { path.to_owned() },
        parameter,
        attribute,
    };
    [
        thing("user", ivan.dn(), ivan.as_ref(), "PATCH", "title", "title"),
        thing("list", list.dn(), list.as_ref(), "PUT", "displayName", "description"),
        thing("resource", room.dn(), room.as_ref(), "PATCH", "l", "description"),
        thing("group", group.dn(), group.as_ref(), "PATCH", "name", "description"),
        // Last, because its deletion deletes all others.
        thing(
            "tenant",
            format!("ou={},ou=Domains,{}", tenant.id, world.probe().root),
            &path,
            "PATCH",
            "quota",
            "description",
        ),
    ]
}

impl Thing {
    fn read(&self, client: &Client) -> Answer {
        client.get(&self.path).expect(200)
    }

    /// Changes the object, to a different value for every number; for a group, up to 31.
    fn change(&self, client: &Client, number: usize) -> Answer {
        let spelled = GROUP.char_indices().map(|(place, letter)| {
            if number >> place & 1 == 1 { letter.to_ascii_uppercase() } else { letter }
        });
        let value = if self.kind == "group" { spelled.collect() } else { number.to_string() };
        client.send(self.method, &self.request, &form(&[(self.parameter, value)]))
    }

    fn delete(&self, client: &Client) -> Answer {
        client.delete(&self.request)
    }

    fn change_behind(&self, world: &World, value: &str) {
        let (dn, attribute) = (&self.dn, self.attribute);
        let change = format!("replace: {attribute}\n{attribute}: {value}\n");
        world.probe().modify(&format!("dn: {dn}\nchangetype: modify\n{change}"));
    }
}

fn one_thing_is_read_with_its_version(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    for thing in things(&tenant, world) {
        let _case = Context::new(thing.kind);
        let first = thing.read(root).etag();
        assert_eq!(thing.read(root).etag(), first);
        assert_eq!(root.send("HEAD", &thing.path, "").header("etag"), Some(&*first));
        thing.change(root, 1).expect_success();
        let second = thing.read(root).etag();
        assert_ne!(second, first);
        thing.change(root, 2).expect_success();
        assert!(![first, second].contains(&thing.read(root).etag()));
    }
}

fn a_change_is_made_to_the_version_that_was_read(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    for thing in things(&tenant, world) {
        let _case = Context::new(thing.kind);
        let old = thing.read(root).etag();
        thing.change(&root.if_match(&old), 1).expect_success();
        let (shown, entry) = (thing.read(root), world.probe().entry(&thing.dn));
        let current = shown.etag();
        assert!(thing.change(&root.if_match(&old), 2).expect(412).message().is_string());
        // Even if nothing would change.
        thing.change(&root.if_match(&old), 1).expect(412);
        thing.change(&root.if_match(&format!("{old}, \"x\"")), 2).expect(412);
        assert_eq!((thing.read(root).json(), world.probe().entry(&thing.dn)), (shown.json(), entry));
        assert_eq!(thing.read(root).etag(), current);
        thing.change(&root.if_match(&format!("\"x\", {current} , {old}")), 3).expect_success();
        thing.change(&root.if_match("*"), 4).expect_success();
        thing.change(root, 5).expect_success();
        // An invalid value is reported before an outdated version.
        assert!(
            [400, 412].contains(
                &root
                    .if_match(&old)
                    .send(thing.method, &thing.request, &format!("{}=%00", thing.parameter))
                    .status
            )
        );
    }
}

fn a_deletion_minds_the_version_as_well(world: &World) {
    let root = world.root();
    for tag_of_choice in ["current", "*"] {
        let tenant = world.tenant();
        for thing in things(&tenant, world) {
            let _case = Context::new(format!("{} by {tag_of_choice}", thing.kind));
            let old = thing.read(root).etag();
            thing.change(root, 1).expect_success();
            thing.delete(&root.if_match(&old)).expect(412);
            let current = thing.read(root).etag();
            let tag = if tag_of_choice == "*" { "*" } else { &*current };
            thing.delete(&root.if_match(tag)).expect_success();
            root.get(&thing.path).expect(404);
        }
    }
}

fn a_tag_that_is_weak_or_none_matches_nothing(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    for thing in things(&tenant, world) {
        let current = thing.read(root).etag();
        let before = world.probe().entry(&thing.dn);
        let bare = current.trim_matches('"');
        for tag in
            [&format!("W/{current}"), bare, "\"\"", "x", &format!("{current}{current}"), "*, *", "\"", "é"]
        {
            let _case = Context::new(format!("{} {tag}", thing.kind));
            // Whether it is not a tag or not one of these, the change is not made.
            let status = thing.change(&root.if_match(tag), 1).status;
            assert!([400, 412].contains(&status), "{status}");
        }
        assert_eq!(world.probe().entry(&thing.dn), before);
    }
}

fn a_change_behind_the_programs_back_is_noticed(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    for thing in things(&tenant, world) {
        let _case = Context::new(thing.kind);
        let old = thing.read(root).etag();
        thing.change_behind(world, "theirs");
        // The version that was read before counts no more, whether or not readers know the new one yet.
        thing.change(&root.if_match(&old), 1).expect(412);
        assert!(within(SOON, || thing.read(root).etag() != old));
        let current = thing.read(root).etag();
        thing.delete(&root.if_match(&old)).expect(412);
        assert_eq!(world.probe().entry(&thing.dn).unwrap().one(thing.attribute), "theirs");
        thing.change(&root.if_match(&current), 1).expect_success();
    }
}

const CLIENTS: usize = 50;

/// The sorted statuses of as many clients that all begin a change at the same time, each with the version that it has
/// read.
fn at_once(root: &Client, path: &str, change: impl Fn(&Client, usize) -> u16 + Sync) -> Vec<u16> {
    let barrier = Barrier::new(CLIENTS);
    let mut statuses: Vec<_> = std::thread::scope(|scope| {
        let ask = |number: usize| {
            let (barrier, change) = (&barrier, &change);
            scope.spawn(move || {
                let client = root.if_match(&root.get(path).expect(200).etag());
                barrier.wait();
                change(&client, number)
            })
        };
        let asked: Vec<_> = (0..CLIENTS).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    statuses
}

fn of_50_clients_who_change_what_they_read_one_succeeds(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    for thing in things(&tenant, world).iter().filter(|thing| thing.kind != "group") {
        for round in 0..4 {
            let _case = Context::new(format!("{}, round {round}", thing.kind));
            // The value that the last round has left is not a change.
            let statuses =
                at_once(root, &thing.path, |client, number| thing.change(client, number + 1).status);
            assert_eq!((statuses[0], &statuses[1..]), (200, &[412; CLIENTS - 1][..]));
            thing.change(root, 0).expect_success();
        }
    }
}

fn of_50_clients_who_rename_the_group_that_they_read_one_succeeds(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    let mut group = tenant.group("Rooms").create();
    group.resource("rome").create();
    for round in 0..4 {
        let _case = Context::new(format!("round {round}"));
        let name = |number: usize| format!("Rooms {round}-{number}");
        let statuses = at_once(root, group.as_ref(), |client, number| {
            client.patch(&group, &form(&[("name", name(number))])).status
        });
        assert_eq!(statuses[0], 200);
        // The later clients find no group of that name any more.
        assert!(statuses[1..].iter().all(|status| [404, 412].contains(status)), "{statuses:?}");
        let left = root.get(tenant.groups()).column("resourcegroups", "name");
        assert_eq!(left.len(), 1);
        group = group.renamed(&left[0]);
        assert_eq!(group.listed(""), ["rome"]);
    }
}

fn a_rename_of_a_user_or_list_minds_the_version(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    let [user, list, ..] = things(&tenant, world);
    for (thing, parameter, renamed) in [
        (&user, "mail", tenant.named("petr").as_ref()),
        (&list, "newmail", tenant.list_named("comrades").as_ref()),
    ] {
        let _case = Context::new(thing.kind);
        let name = if thing.kind == "user" { "petr" } else { "comrades" };
        let body = form(&[(parameter, tenant.address(name))]);
        let old = thing.read(root).etag();
        thing.change(root, 1).expect_success();
        let before = world.probe().entry(&thing.dn);
        root.if_match(&old).send(thing.method, &thing.request, &body).expect(412);
        assert_eq!(world.probe().entry(&thing.dn), before);
        let current = thing.read(root).etag();
        root.if_match(&current).send(thing.method, &thing.request, &body).expect_success();
        let after = root.get(renamed).expect(200).etag();
        assert_ne!(after, current);
        root.if_match(&current).get(renamed).expect(200);
    }
}

fn members_are_added_to_the_version_that_was_read(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    let olga = tenant.user("olga").create();
    let list = tenant.mail_list("friends").members(&[&olga.mail]).create();
    let tag = || root.get(&list).expect(200).etag();
    let (old, add) =
        (tag(), |client: &Client, mail: &str| client.put(list.request(), &form(&[("alias", mail)])));
    add(&root.if_match(&old), "a@outside.example").expect_success();
    let current = tag();
    assert_ne!(current, old);
    add(&root.if_match(&old), "b@outside.example").expect(412);
    assert_eq!((tag(), list.members().len()), (current.clone(), 2));
    // A client that adds unconditionally is detected by a client that uses the version.
    add(root, "c@outside.example").expect_success();
    for body in ["remove=a@outside.example", "members=d@outside.example", "filter=ou=Sales", "displayName=x"]
    {
        root.if_match(&current).put(list.request(), body).expect(412);
    }
    assert_eq!(list.members(), ["a@outside.example", "c@outside.example", &olga.mail]);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let (client, add) = (root.if_match(&tag()), &add);
        let ask = |number: usize| {
            let client = client.clone();
            scope.spawn(move || add(&client, &format!("m{number}@outside.example")).status)
        };
        let asked: Vec<_> = (0..20).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|status| **status == 200).count(), 1, "{outcomes:?}");
    assert_eq!(list.members().len(), 4);
}

fn what_is_not_there_has_no_version(world: &World) {
    let (tenant, root) = (world.tenant(), world.root());
    things(&tenant, world);
    for (method, path) in [
        ("PATCH", tenant.named("missing").as_ref()),
        ("DELETE", tenant.named("missing").as_ref()),
        ("PUT", &*tenant.list_named("missing").request()),
        ("DELETE", &tenant.list_named("missing").request()),
        ("DELETE", tenant.group("missing").as_ref()),
        ("DELETE", tenant.group(GROUP).named("missing").as_ref()),
        ("DELETE", &format!("/v2/tenants/{}", world.fresh_name())),
    ] {
        for tag in ["\"x\"", "*"] {
            let answer = root.if_match(tag).send(method, path, "");
            assert!([404, 412].contains(&answer.status), "{method} {path}: {}", answer.text());
        }
    }
}

fn a_version_has_no_place_where_nothing_was_read(world: &World) {
    let (tenant, name) = (world.tenant(), world.fresh_name());
    let [user, ..] = things(&tenant, world);
    let gone = tenant.user("gone").create();
    tenant.admin().delete(&gone).expect_success();
    let before = tenant.entries();
    let list = tenant.mail_list("new").members(&[&tenant.address("ivan")]).form();
    let domain = format!("domain={name}.test");
    let requests = [
        ("PUT", tenant.named("new").as_ref().to_owned(), tenant.user("new").form()),
        ("POST", "/v2/tenants".into(), domain.clone()),
        ("PUT", format!("/v2/tenants/{name}"), domain),
        ("POST", "/v2/maillists".into(), list),
        ("PUT", tenant.group("new").as_ref().to_owned(), String::new()),
        ("PUT", tenant.group(GROUP).named("new").as_ref().to_owned(), "displayName=New".into()),
        ("POST", format!("{}/restore", gone.as_ref()), String::new()),
        ("POST", format!("{}/restore", tenant.path()), String::new()),
        ("PUT", format!("{}/domains/{name}.test", tenant.path()), String::new()),
    ];
    for tag in [&*user.read(world.root()).etag(), "*", "\"x\""] {
        for (method, path, body) in &requests {
            let _case = Context::new(format!("{method} {path} {tag}"));
            world.root().if_match(tag).send(method, path, body).expect(400);
        }
    }
    assert_eq!(tenant.entries(), before);
    assert_eq!(world.probe().find(&format!("(|(ou={name})(associatedDomain={name}.test))")), []);
}
