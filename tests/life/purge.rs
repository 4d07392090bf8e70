//! The manual purge, and its race with undeletions. Each trial has a directory of its own, because a purge without a
//! retention removes every deleted user.

use harness::{Tenant, World, run_program};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::Duration,
};

/// Deletion times are whole seconds, so a user deleted now is due one second from now at the latest.
const DUE: Duration = Duration::from_millis(1100);

harness::trials! { "purge":
    a_purge_removes_what_is_due_and_frees_its_addresses,
    a_purged_user_is_in_no_list_any_more,
    a_purge_leaves_alone_what_is_not_due,
    a_restore_that_races_a_purge_wins_or_is_told_so_200_times,
}

/// A configuration under which every deleted user is due.
fn without_retention(world: &World) -> PathBuf {
    world.installation().config("purge.toml", &[("deletion.retention", "\"0s\"")])
}

fn a_purge_removes_what_is_due_and_frees_its_addresses(_: &World) {
    let world = World::start();
    let config = without_retention(&world);
    let tenant = world.tenant();
    let alias = tenant.address("alias");
    let ivan = tenant.user("ivan").with("alias", &alias).create();
    let kept = tenant.user("kept").create();
    let group = format!("cn=friends,ou={},ou=Groups,{}", tenant.id, world.probe().root);
    let members = format!("member: {}\nmember: {}\n", ivan.dn(), kept.dn());
    let add = format!("changetype: add\nobjectClass: groupOfNames\ncn: friends\n{members}");
    world.probe().modify(&format!("dn: {group}\n{add}"));
    tenant.admin().delete(&ivan).expect_success();
    sleep(DUE);

    let before = world.probe().user(&ivan.mail);
    let dry = world.installation().pbm(&config, &["purge", "--dry-run"]).expect_success();
    assert!(
        dry.stdout.contains(&format!("dn: {}", ivan.dn())) && dry.stdout.contains("changetype: delete"),
        "{dry:?}"
    );
    assert!(!dry.stdout.contains("kept@") && dry.stderr.contains("1 user(s) would be removed"), "{dry:?}");
    assert_eq!(world.probe().user(&ivan.mail), before);

    let purge = world.installation().pbm(&config, &["purge"]).expect_success();
    assert!(purge.stdout.contains("1 user(s) removed"), "{purge:?}");
    assert_eq!(world.probe().find(&format!("(mail={})", ivan.mail)), []);
    assert_eq!(world.probe().entry(&group).unwrap().all("member"), [kept.dn()]);
    tenant.admin().restore(&ivan).expect(404);
    assert_eq!(tenant.list("deleted=1")["count"], 0);
    tenant.user("alias").create();
    tenant.user("ivan").create().log_in();
    tenant.admin().get(&kept).expect(200);
    let again = world.installation().pbm(&config, &["purge"]).expect_success();
    assert!(again.stdout.contains("0 user(s) removed"), "{again:?}");
    assert_eq!(world.stop(), Vec::<String>::new());
}

fn a_purged_user_is_in_no_list_any_more(_: &World) {
    let world = World::start();
    let config = without_retention(&world);
    let tenant = world.tenant();
    let [ivan, kept] = ["ivan", "kept"].map(|name| tenant.user(name).create());
    let list = tenant.mail_list("friends").members(&[&ivan.mail, &kept.mail, "a@outside.example"]).create();
    let alone = tenant.mail_list("alone").members(&[&ivan.mail]).create();
    tenant.admin().delete(&ivan).expect_success();
    assert_eq!(list.member_dns().len(), 2);
    sleep(DUE);
    world.installation().pbm(&config, &["purge"]).expect_success();
    assert_eq!(list.members(), ["a@outside.example", &kept.mail]);
    assert_eq!(list.member_dns(), [kept.dn().to_lowercase()]);
    assert_eq!((alone.members(), alone.member_dns()), (vec![], vec![]));
    // A new user of that name is not a member.
    tenant.user("ivan").create();
    assert_eq!(list.expanded(), ["a@outside.example", &kept.mail]);
    assert_eq!(world.stop(), Vec::<String>::new());
}

fn a_purge_leaves_alone_what_is_not_due(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    tenant.admin().delete(&ivan).expect_success();
    let usual = world.installation().usual_config();
    for command in [&["purge", "--dry-run"][..], &["purge"]] {
        world.installation().pbm(&usual, command).expect_success();
        assert!(!world.probe().user(&ivan.mail).one("pbmDeletedSince").is_empty());
    }
    tenant.admin().restore(&ivan).expect_success();
}

const BATCHES: usize = 8;
const BATCH: usize = 25;
const PURGES_AT_ONCE: usize = 2;
/// Deletion times are whole seconds, so with a retention of one second users become due at the next full second.
const ALL_DUE: Duration = Duration::from_secs(2);

fn a_restore_that_races_a_purge_wins_or_is_told_so_200_times(_: &World) {
    let world = World::start();
    let config = world.installation().config("race.toml", &[("deletion.retention", "\"1s\"")]);
    let tenant = world.tenant();
    let over = AtomicBool::new(false);
    let purge = || {
        let arguments = ["purge", "--config", config.to_str().unwrap()];
        run_program(harness::pbm(), arguments, &[], "")
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let _stop = SetOnDrop(&over);
        for _ in 0..PURGES_AT_ONCE {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    purge().expect_success();
                }
            });
        }
        (0..BATCHES).flat_map(|batch| race(&tenant, batch)).collect()
    });
    sleep(ALL_DUE);
    purge().expect_success();
    assert_outcomes(&world, &tenant, &statuses);
    assert_eq!(world.stop(), Vec::<String>::new());
}

/// Deletes some users and restores them at the moment at which they become due.
fn race(tenant: &Tenant<'_>, batch: usize) -> Vec<u16> {
    let numbers = batch * BATCH..(batch + 1) * BATCH;
    let users: Vec<_> = numbers.map(|number| tenant.user(&format!("u{number}")).create()).collect();
    // All are deleted within one second, and so become due with the next; the restores begin a little earlier.
    wait_for_millisecond(20);
    for user in &users {
        tenant.admin().delete(user).expect_success();
    }
    wait_for_millisecond(850 + batch as u64 * 10);
    let mut statuses = vec![0; BATCH];
    // Neither in the order of the purge nor in the opposite one.
    for step in 0..BATCH {
        let number = step * 7 % BATCH;
        let answer = tenant.admin().restore(&users[number]);
        assert!([200, 404].contains(&answer.status), "{answer:?}");
        statuses[number] = answer.status;
        sleep(Duration::from_millis(10));
    }
    statuses
}

/// Sleeps until the clock is this far into a second.
#[expect(clippy::disallowed_methods, reason = "the trial aims at the moment when users become due")]
fn wait_for_millisecond(millisecond: u64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let wait = (millisecond + 1000 - u64::from(now.subsec_millis())) % 1000;
    sleep(Duration::from_millis(wait));
}

/// A user reported as restored exists completely; every other one is gone, and its address is free.
fn assert_outcomes(world: &World, tenant: &Tenant<'_>, statuses: &[u16]) {
    for (number, status) in statuses.iter().enumerate() {
        let user = tenant.named(&format!("u{number}"));
        tenant.admin().get(&user).expect(*status);
        if *status == 404 {
            tenant.user(&format!("u{number}")).create();
        } else {
            assert_eq!(world.probe().user(&user.mail).one("pbmPurging"), "");
            assert!(user.can_bind());
        }
    }
    let restored = statuses.iter().filter(|status| **status == 200).count();
    assert!((1..statuses.len()).contains(&restored), "no race: {restored} of {} restored", statuses.len());
}

/// Stops the purges even if the trial fails.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
