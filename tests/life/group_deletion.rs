//! The deletion of a group of 1,000 resources, interrupted by the end of the process.

use harness::{BUSY, Client, Context, Group, Serve, Signal, Tenant, World, start_serve};
use std::{
    fmt::Write,
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

harness::trials! { "group_deletion":
    a_deletion_that_was_killed_half_way_ends_when_it_is_asked_for_again,
    a_deletion_that_was_killed_again_and_again_ends,
    a_group_that_is_made_again_stays_though_another_process_deletes_the_old_one,
    the_service_account_can_remove_only_what_was_claimed,
}

const RESOURCES: usize = 1000;

/// Creates a number of resources directly in the directory.
fn fill(world: &World, group: &Group<'_>, count: usize) {
    let mut ldif = String::new();
    for number in 0..count {
        let room = group.named(&format!("{}-{number:04}", group.name.to_lowercase()));
        let (dn, mail) = (room.dn(), &room.mail);
        let attributes =
            format!("objectClass: pbmResource\nmail: {mail}\ncn: Room\ndisplayName: Room\nemployeeType: 1\n");
        write!(ldif, "dn: {dn}\nchangetype: add\nobjectClass: top\n{attributes}\n").unwrap();
    }
    world.probe().modify(&ldif);
}

/// A separate process on the same directory, and its client with a super administrator's token.
fn another_process(world: &World) -> (Serve, Client) {
    let serve = start_serve(&world.installation().usual_config(), &[]);
    let client = world.root().at(&serve.client());
    (serve, client)
}

fn left(world: &World, group: &Group<'_>) -> usize {
    world.probe().search(&group.dn(), "one", "(objectClass=pbmResource)").len()
}

/// Requests the deletion and kills the process in the middle of it.
fn cut_off(world: &World, group: &Group<'_>) -> usize {
    let (mut serve, client) = another_process(world);
    let before = left(world, group);
    let path = group.as_ref().to_owned();
    let asked = std::thread::spawn(move || client.try_send("DELETE", &path, b""));
    let since = Instant::now();
    while left(world, group) > before - 50 {
        assert!(since.elapsed() < Duration::from_secs(20), "nothing is removed");
        sleep(Duration::from_millis(5));
    }
    serve.signal(Signal::KILL);
    serve.wait(BUSY).unwrap();
    let answer = asked.join().unwrap();
    assert!(answer.is_err(), "the deletion was over before the kill: {answer:?}");
    let after = left(world, group);
    assert!(after > 0 && after < before, "{after} of {before} left: not the middle");
    after
}

/// A group to delete, and the data that must be kept.
struct Fixture<'w> {
    world: &'w World,
    tenant: Tenant<'w>,
    rooms: Group<'w>,
    cars: Group<'w>,
}

impl<'w> Fixture<'w> {
    fn new(world: &'w World) -> Self {
        let tenant = world.tenant();
        let ivan = tenant.user("ivan").create();
        let [rooms, cars] = ["Rooms", "Cars"].map(|name| tenant.group(name).create());
        fill(world, &rooms, RESOURCES);
        fill(world, &cars, 20);
        let members = ["rooms-0001", "rooms-0999", "cars-0001"].map(|name| tenant.address(name));
        let members: Vec<_> = members.iter().chain([&ivan.mail]).map(String::as_str).collect();
        tenant.mail_list("friends").members(&members).create();
        Self { world, tenant, rooms, cars }
    }

    /// All entries of the tenant except the group and the lists.
    fn others(&self) -> Vec<harness::Entry> {
        let is_other = |dn: &str| !dn.contains("ou=Rooms") && !dn.contains("ou=Groups");
        // The directory removes memberships with a delay of its own.
        self.tenant.entries().into_iter().filter(|entry| is_other(&entry.dn)).collect()
    }

    #[track_caller]
    fn assert_ended(self, others: &[harness::Entry]) {
        assert_eq!(self.rooms.entries(), []);
        assert_eq!(self.others(), others);
        let friends = self.tenant.list_named("friends");
        let members = ["cars-0001", "ivan"].map(|name| self.tenant.address(name));
        assert_eq!((friends.members(), friends.member_dns().len()), (members.to_vec(), 2));
        self.tenant.admin().get(&self.rooms).expect(404);
        assert_eq!(self.cars.page("")["count"], 20);
        let again = self.tenant.group("Rooms").create();
        again.resource("rooms-0001").create();
        assert_eq!(again.listed(""), ["rooms-0001"]);
        self.world.root().delete(&again).expect_success();
    }
}

fn a_deletion_that_was_killed_half_way_ends_when_it_is_asked_for_again(world: &World) {
    let fixture = Fixture::new(world);
    let others = fixture.others();
    cut_off(world, &fixture.rooms);
    assert_eq!(fixture.others(), others);
    let (_serve, client) = another_process(world);
    // The job of the new process may have been faster.
    let again = client.delete(&fixture.rooms).status;
    assert!([200, 404].contains(&again), "{again}");
    client.delete(&fixture.rooms).expect(404);
    fixture.assert_ended(&others);
}

fn a_deletion_that_was_killed_again_and_again_ends(world: &World) {
    let fixture = Fixture::new(world);
    let others = fixture.others();
    let mut before = RESOURCES;
    for _ in 0..3 {
        let after = cut_off(world, &fixture.rooms);
        assert!(after < before);
        before = after;
        if after < 200 {
            break;
        }
    }
    world.root().delete(&fixture.rooms).expect_success();
    fixture.assert_ended(&others);
}

fn a_group_that_is_made_again_stays_though_another_process_deletes_the_old_one(world: &World) {
    let tenant = world.tenant();
    let processes = [another_process(world), another_process(world)];
    for round in 0..20 {
        let _case = Context::new(format!("round {round}"));
        let rooms = tenant.group("Rooms").create();
        fill(world, &rooms, 30);
        let tag = world.root().get(&rooms).etag();
        let is_made = AtomicBool::new(false);
        let delete = |client: &Client| {
            let status = client.if_match(&tag).delete(&rooms).status;
            // The first client that learns of the deletion creates the group again, while the other one may still be
            // deleting.
            if status == 200 && !is_made.swap(true, Ordering::Relaxed) {
                tenant.group("Rooms").create().resource("rooms-0001").create();
            }
        };
        std::thread::scope(|scope| {
            for (_, client) in &processes {
                scope.spawn(|| delete(client));
            }
        });
        assert!(is_made.into_inner(), "nobody deleted it");
        let again = tenant.group("Rooms");
        assert_eq!(again.listed(""), ["rooms-0001"]);
        world.root().delete(&again).expect_success();
    }
}

/// So a late or mistaken removal never hits an entry that has got the name in the meantime.
fn the_service_account_can_remove_only_what_was_claimed(world: &World) {
    let tenant = world.tenant();
    let user = tenant.user("ivan").create();
    let list = tenant.mail_list("friends").members(&[&user.mail]).create();
    let rooms = tenant.group("Rooms").create();
    let room = rooms.resource("rome").create();
    let service = format!("uid=pbm,ou=System,{}", world.probe().root);
    let remove = |dn: &str| {
        let ldif = format!("dn: {dn}\nchangetype: delete\n");
        world.probe().modify_as(&service, "service-password", &ldif).code
    };
    for dn in [user.dn(), list.dn(), room.dn(), rooms.dn()] {
        // A folder with entries is refused because of them.
        assert!([50, 66].contains(&remove(&dn)), "{dn}");
    }
    world.probe().delete(&room.dn());
    assert_eq!(remove(&rooms.dn()), 50);
    for dn in [user.dn(), list.dn(), rooms.dn()] {
        world.probe().replace(&dn, "pbmPurging", &["TRUE"]);
        assert_eq!(remove(&dn), 0, "{dn}");
    }
}
