//! The deletion of a tenant with all its data, and its undeletion.

use harness::{Entry, Group, MailList, Resource, Tenant, User, World, form, within};
use serde_json::json;
use std::time::Duration;

harness::trials! { "tenant_deletion":
    a_deleted_tenant_is_hidden_with_everything_it_has,
    nobody_of_a_deleted_tenant_gets_in,
    other_readers_find_nothing_of_a_deleted_tenant,
    what_a_deleted_tenant_has_stays_reserved,
    deleted_tenants_are_listed_with_their_times,
    a_restored_tenant_is_as_it_was,
    what_was_deleted_before_its_tenant_stays_deleted,
    who_was_blocked_before_the_deletion_of_the_tenant_stays_blocked,
    a_tenant_can_be_deleted_and_restored_again_and_again,
    who_comes_while_the_tenant_goes_goes_with_it,
    the_default_tenant_stays,
    what_is_not_deleted_has_nothing_to_restore,
}

/// A tenant with one object of each kind.
struct Full<'w> {
    world: &'w World,
    tenant: Tenant<'w>,
    ivan: User<'w>,
    gone: User<'w>,
    blocked: User<'w>,
    friends: MailList<'w>,
    rooms: Group<'w>,
    rome: Resource<'w>,
}

impl<'w> Full<'w> {
    fn new(world: &'w World) -> Self {
        let tenant = world.tenant();
        let ivan = tenant.user("ivan").with("alias", &tenant.address("boss")).with("ou", "Sales").create();
        let gone = tenant.user("gone").create();
        tenant.admin().delete(&gone).expect_success();
        let blocked = tenant.user("blocked").with("inetUserStatus", "0").create();
        let rooms = tenant.group("Переговорные").create();
        let rome = rooms.resource("rome").create();
        let members = [&*ivan.mail, &blocked.mail, &rome.mail, "partner@outside.example"];
        let friends = tenant.mail_list("friends").members(&members).create();
        tenant.mail_list("sales").filter("ou=Sales").create();
        Self { world, tenant, ivan, gone, blocked, friends, rooms, rome }
    }

    #[track_caller]
    fn delete(&self) {
        self.world.root().delete(self.tenant.path()).expect_success();
    }

    #[track_caller]
    fn restore(&self) {
        self.world.root().restore(self.tenant.path()).expect_success();
    }

    /// The entries of the tenant that a reader finds who respects deletions.
    fn found_by_others(&self) -> Vec<Entry> {
        let kinds = "(|(objectClass=pbmUser)(objectClass=pbmMailList)(objectClass=pbmResource))";
        let filter = format!("(&{kinds}(!(pbmDeletedSince=*)))");
        let found = self.world.probe().find(&filter).into_iter();
        let folder = format!(",ou={},", self.tenant.id);
        found.filter(|entry| entry.dn.contains(&folder)).collect()
    }

    /// All entries, without the attributes that every write changes.
    fn entries(&self) -> Vec<Entry> {
        let bookkeeping = ["pbmRevision", "pbmTokensValidFrom"];
        self.tenant.entries().into_iter().map(|entry| entry.without(&bookkeeping)).collect()
    }
}

fn a_deleted_tenant_is_hidden_with_everything_it_has(world: &World) {
    let full = Full::new(world);
    full.delete();
    let (root, tenant) = (world.root(), &full.tenant);
    let paths = [
        tenant.path(),
        tenant.users(),
        format!("{}?deleted=1", tenant.users()),
        full.ivan.as_ref().into(),
        format!("{}/maillists", full.ivan.as_ref()),
        tenant.maillists(),
        full.friends.as_ref().into(),
        tenant.groups(),
        full.rooms.as_ref().into(),
        full.rooms.resources(),
        full.rome.as_ref().into(),
    ];
    let shown: Vec<_> = paths.iter().filter(|path| root.get(path).status != 404).collect();
    assert_eq!(shown, Vec::<&String>::new());
    let before = full.entries();
    root.put(tenant.named("new"), &tenant.user("new").form()).expect(404);
    root.patch(&full.ivan, "title=x").expect(404);
    root.delete(&full.ivan).expect(404);
    root.restore(&full.gone).expect(404);
    root.post("/v2/maillists", &tenant.mail_list("new").members(&[&full.ivan.mail]).form()).expect(404);
    root.put(full.friends.request(), "displayName=x").expect(404);
    root.delete(full.friends.request()).expect(404);
    root.put(tenant.group("new"), "").expect(404);
    root.patch(&full.rooms, "name=x").expect(404);
    root.delete(&full.rooms).expect(404);
    root.put(full.rooms.named("new"), "displayName=x").expect(404);
    root.patch(&full.rome, "l=x").expect(404);
    root.delete(&full.rome).expect(404);
    root.patch(tenant.path(), "quota=1").expect(404);
    root.delete(tenant.path()).expect(404);
    root.put(format!("{}/domains/{}.test", tenant.path(), world.fresh_name()), "").expect(404);
    assert_eq!(full.entries(), before);
    let live = root.get(format!("/v2/tenants?search={}", tenant.domain));
    assert!(!live.column("tenants", "tenant-id").contains(&tenant.id));
}

fn nobody_of_a_deleted_tenant_gets_in(world: &World) {
    let full = Full::new(world);
    let client = full.ivan.log_in();
    full.tenant.admin().get(full.tenant.users()).expect(200);
    client.get(&full.ivan).expect(200);
    full.delete();
    for user in [&full.ivan, &full.blocked, &full.gone, &full.tenant.named("administrator")] {
        assert!(!user.can_bind(), "{}", user.mail);
        user.try_log_in().expect(401);
    }
    // The same ten seconds as for a deleted user.
    let is_out =
        || client.get(&full.ivan).status == 401 && full.tenant.admin().get(full.tenant.users()).status == 401;
    assert!(within(Duration::from_secs(10), is_out));
    full.restore();
    assert!(full.ivan.can_bind());
    full.ivan.log_in().get(&full.ivan).expect(200);
}

fn other_readers_find_nothing_of_a_deleted_tenant(world: &World) {
    let full = Full::new(world);
    assert_eq!(full.found_by_others().len(), 6);
    full.delete();
    assert_eq!(full.found_by_others(), []);
    for mail in [&full.ivan.mail, &full.tenant.address("boss"), &full.friends.mail, &full.rome.mail] {
        let filter = format!("(&(|(mail={mail})(mailAlternateAddress={mail}))(!(pbmDeletedSince=*)))");
        assert_eq!(world.probe().find(&filter), []);
    }
    let domain = &full.tenant.domain;
    assert_eq!(world.probe().find(&format!("(&(associatedDomain={domain})(!(pbmDeletedSince=*)))")), []);
    full.restore();
    assert_eq!(full.found_by_others().len(), 6);
}

/// The time until which a deleted tenant is kept.
#[track_caller]
fn kept_until(full: &Full<'_>) -> String {
    let query = format!("/v2/tenants?deleted=1&search={}", full.tenant.domain);
    let page = full.world.root().get(query).expect(200).json();
    let tenants = page["tenants"].as_array().unwrap();
    let ours = tenants.iter().find(|tenant| tenant["tenant-id"] == full.tenant.id.as_str()).unwrap();
    ours["kept-until"].as_str().unwrap().to_owned()
}

fn what_a_deleted_tenant_has_stays_reserved(world: &World) {
    let full = Full::new(world);
    full.delete();
    let (root, until) = (world.root(), kept_until(&full));
    let (domain, name) = (form(&[("domain", &full.tenant.domain)]), world.fresh_name());
    let answers = [
        root.put(full.tenant.path(), &format!("domain={name}.test")),
        root.put(format!("/v2/tenants/{name}"), &domain),
        root.post("/v2/tenants", &domain),
    ];
    for answer in answers {
        let text = answer.expect(409).text();
        assert!(text.contains(&until), "{until}: {text}");
    }
    assert_eq!(world.probe().find(&format!("(|(ou={name})(associatedDomain={name}.test))")), []);
    full.restore();
    for taken in ["ivan", "boss", "friends", "rome", "gone"] {
        // The token of its administrator ended with the deletion.
        full.tenant.user(taken).by(root).put().expect(409);
    }
}

fn deleted_tenants_are_listed_with_their_times(world: &World) {
    let full = Full::new(world);
    let list = |query: &str| {
        let page =
            world.root().get(format!("/v2/tenants?search={}&{query}", full.tenant.domain)).expect(200).json();
        let tenants = page["tenants"].as_array().unwrap().clone();
        tenants.into_iter().find(|tenant| tenant["tenant-id"] == full.tenant.id.as_str())
    };
    let alive = json!({"tenant-id": full.tenant.id, "domains": [full.tenant.domain]});
    assert_eq!((list(""), list("deleted=1")), (Some(alive.clone()), None));
    full.delete();
    assert_eq!(list("deleted=0"), None);
    let deleted = list("deleted=1").unwrap();
    // 30 days later, to the second.
    let (since, until) =
        (deleted["deleted-since"].as_str().unwrap(), deleted["kept-until"].as_str().unwrap());
    assert!(since < until && since[10..] == until[10..], "{since} {until}");
    let expected = json!({"tenant-id": full.tenant.id, "domains": [full.tenant.domain], "deleted-since": since,
        "kept-until": until});
    assert_eq!(deleted, expected);
    full.restore();
    assert_eq!((list(""), list("deleted=1")), (Some(alive), None));
}

fn a_restored_tenant_is_as_it_was(world: &World) {
    let full = Full::new(world);
    let root = world.root();
    root.patch(full.tenant.path(), "quota=5&lang=ba-RU").expect_success();
    let paths = [
        full.tenant.path(),
        full.ivan.as_ref().into(),
        full.friends.as_ref().into(),
        full.rooms.as_ref().into(),
        full.rome.as_ref().into(),
        full.tenant.maillists(),
    ];
    let shown = || paths.iter().map(|path| root.get(path).expect(200).json()).collect::<Vec<_>>();
    let before = (shown(), full.entries());
    full.delete();
    full.restore();
    assert_eq!((shown(), full.entries()), before);
    full.ivan.log_in().get(&full.ivan).expect(200);
    let admin = full.tenant.named("administrator").log_in();
    admin.patch(&full.rome, "l=Rome").expect_success();
    admin.put(full.tenant.named("new"), &full.tenant.user("new").form()).expect_success();
}

fn what_was_deleted_before_its_tenant_stays_deleted(world: &World) {
    let full = Full::new(world);
    let deleted = || world.root().get(format!("{}?deleted=1", full.tenant.users())).expect(200).json();
    let before = deleted();
    assert_eq!(before["count"], 1);
    // Deletion times are whole seconds.
    std::thread::sleep(Duration::from_millis(1100));
    full.delete();
    full.restore();
    assert_eq!(deleted(), before);
    assert!(!full.gone.can_bind());
    world.root().get(&full.gone).expect(404);
    world.root().restore(&full.gone).expect_success();
    assert!(full.gone.can_bind());
}

fn who_was_blocked_before_the_deletion_of_the_tenant_stays_blocked(world: &World) {
    let full = Full::new(world);
    full.delete();
    full.restore();
    assert!(!full.blocked.can_bind());
    full.blocked.try_log_in().expect(401);
    assert_eq!(world.probe().user(&full.blocked.mail).one("inetUserStatus"), "0");
    world.root().patch(&full.blocked, "inetUserStatus=1").expect_success();
    assert!(full.blocked.can_bind());
}

fn a_tenant_can_be_deleted_and_restored_again_and_again(world: &World) {
    let full = Full::new(world);
    let before = full.entries();
    for _ in 0..3 {
        full.delete();
        world.root().delete(full.tenant.path()).expect(404);
        full.restore();
        world.root().restore(full.tenant.path()).expect(404);
        assert_eq!(full.entries(), before);
    }
    // Of many concurrent requests one reports the change; at the end the tenant is completely deleted or completely
    // present.
    for _ in 0..5 {
        std::thread::scope(|scope| {
            for number in 0..6 {
                let (root, path) = (world.root(), full.tenant.path());
                scope.spawn(move || {
                    let answer = if number % 2 == 0 { root.delete(&path) } else { root.restore(&path) };
                    assert!([200, 404, 409].contains(&answer.status), "{answer:?}");
                });
            }
        });
        if world.root().get(full.tenant.path()).status == 200 {
            full.delete();
        }
        assert_eq!(full.found_by_others(), []);
        full.restore();
        assert_eq!(full.entries(), before);
    }
}

fn who_comes_while_the_tenant_goes_goes_with_it(world: &World) {
    for round in 0..6 {
        let full = Full::new(world);
        let (root, tenant) = (world.root(), &full.tenant);
        let outcomes: Vec<u16> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..6)
                .map(|maker| {
                    let rooms = &full.rooms;
                    scope.spawn(move || {
                        let make = |number: usize| {
                            let name = format!("new{maker}-{number}");
                            let list = tenant.mail_list(&name).members(&["a@outside.example"]).by(root);
                            match maker % 3 {
                                0 => tenant.user(&name).by(root).put().status,
                                1 => list.post().status,
                                _ => rooms.resource(&name).by(root).put().status,
                            }
                        };
                        (0..12).map(make).collect::<Vec<_>>()
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(20 * round));
            full.delete();
            makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect()
        });
        assert!(outcomes.iter().all(|status| [200, 404].contains(status)), "{outcomes:?}");
        // A user created during the deletion is deleted by the next purge at the latest, and cannot log in until then.
        for late in full.found_by_others().iter().filter(|entry| entry.dn.contains("ou=People")) {
            tenant.named(late.one("mail").split('@').next().unwrap()).try_log_in().expect(401);
        }
        world.installation().pbm(&world.installation().usual_config(), &["purge"]).expect_success();
        assert_eq!(full.found_by_others(), [], "round {round}");
        full.restore();
        let made = outcomes.iter().filter(|status| **status == 200).count();
        assert_eq!(full.found_by_others().len(), 6 + made, "round {round}");
    }
}

fn the_default_tenant_stays(world: &World) {
    let answer = world.root().delete("/v2/tenants/default").expect(409);
    assert!(answer.message().is_string());
    world.root().delete("/v2/tenants/DEFAULT").expect(409);
    world.root().get("/v2/tenants/default").expect(200);
    assert!(world.probe().accepts_bind(&world.default_tenant().named("admin").dn(), World::root_password()));
}

fn what_is_not_deleted_has_nothing_to_restore(world: &World) {
    let full = Full::new(world);
    let before = full.entries();
    world.root().restore(full.tenant.path()).expect(404);
    world.root().restore(format!("/v2/tenants/{}", world.fresh_name())).expect(404);
    assert_eq!(full.entries(), before);
}
