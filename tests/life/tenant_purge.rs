//! The purge of a deleted tenant with all its data. Each trial has a directory of its own, because a purge without a
//! retention removes all deleted data.

use harness::{Entry, Signal, Tenant, World, form, program, signal};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// Deletion times are whole seconds, so data deleted now is due one second from now at the latest.
const DUE: Duration = Duration::from_millis(1100);

harness::trials! { "tenant_purge":
    a_purge_removes_a_deleted_tenant_with_everything_it_has,
    a_purge_leaves_a_tenant_alone_that_is_not_due,
    a_purge_that_was_killed_half_way_ends_when_it_is_run_again,
    a_restore_that_races_the_purge_of_a_tenant_wins_or_is_told_so,
}

fn without_retention(world: &World) -> PathBuf {
    world.installation().config("purge.toml", &[("deletion.retention", "\"0s\"")])
}

/// A tenant with one object of each kind.
fn full(world: &World) -> Tenant<'_> {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("alias", &tenant.address("boss")).with("ou", "Sales").create();
    let gone = tenant.user("gone").create();
    tenant.admin().delete(&gone).expect_success();
    let rome = tenant.group("Переговорные").create().resource("rome").create();
    tenant.group("Cars").create();
    let friends =
        tenant.mail_list("friends").members(&[&ivan.mail, &rome.mail, "a@outside.example"]).create();
    tenant.mail_list("all").members(&[&friends.mail]).create();
    tenant.mail_list("sales").filter("ou=Sales").create();
    tenant
}

/// All entries of a tenant except the users that were deleted on their own, which a purge removes as well.
fn lasting(tenant: &Tenant<'_>) -> Vec<Entry> {
    tenant.entries().into_iter().filter(|entry| entry.one("pbmDeletedSince").is_empty()).collect()
}

fn a_purge_removes_a_deleted_tenant_with_everything_it_has(_: &World) {
    let world = World::start();
    let config = without_retention(&world);
    let [ours, theirs] = [full(&world), full(&world)];
    world.root().delete(ours.path()).expect_success();
    sleep(DUE);
    let (before, others) = (ours.entries(), lasting(&theirs));

    let dry = world.installation().pbm(&config, &["purge", "--dry-run"]).expect_success();
    assert!(dry.stdout.contains(&format!("dn: ou={},ou=Domains,", ours.id)), "{dry:?}");
    assert!(!dry.stdout.contains(&format!("ou={},ou=Domains", theirs.id)), "{dry:?}");
    assert_eq!(ours.entries(), before);

    world.installation().pbm(&config, &["purge"]).expect_success();
    assert_eq!(ours.entries(), []);
    assert_eq!(lasting(&theirs), others);
    assert_eq!(world.probe().find(&format!("(|(mail=*@{0})(associatedDomain={0}))", ours.domain)), []);
    world.root().restore(ours.path()).expect(404);
    world.root().get(ours.path()).expect(404);
    let deleted = world.root().get("/v2/tenants?deleted=1").expect(200).json();
    assert_eq!(deleted["count"], 0);
    world.installation().pbm(&config, &["purge"]).expect_success();
    // Name, domain and addresses are free.
    world.root().put(ours.path(), &form(&[("domain", &ours.domain)])).expect_success();
    let again = ours.user("ivan").by(world.root()).create();
    again.log_in().get(&again).expect(200);
    assert_eq!(world.root().get(ours.maillists()).expect(200).json()["count"], 0);
    theirs.admin().get(theirs.users()).expect(200);
    drop((ours, theirs));
    assert_eq!(world.stop(), Vec::<String>::new());
}

fn a_purge_leaves_a_tenant_alone_that_is_not_due(world: &World) {
    let tenant = full(world);
    world.root().delete(tenant.path()).expect_success();
    let before = tenant.entries();
    let usual = world.installation().usual_config();
    for command in [&["purge", "--dry-run"][..], &["purge"]] {
        world.installation().pbm(&usual, command).expect_success();
        assert_eq!(tenant.entries(), before);
    }
    world.root().restore(tenant.path()).expect_success();
    tenant.named("ivan").log_in();
}

const USERS: usize = 1000;
const CLASSES: &str =
    "objectClass: inetOrgPerson\nobjectClass: inetUser\nobjectClass: mailRecipient\nobjectClass: pbmUser\n";

/// Creates many users directly in the directory.
fn fill(world: &World, tenant: &Tenant<'_>) {
    let mut ldif = String::new();
    for number in 0..USERS {
        let user = tenant.named(&format!("u{number:04}"));
        let (dn, mail) = (user.dn(), &user.mail);
        let attributes =
            format!("mail: {mail}\ncn: U\nsn: U\nemployeeNumber: 2\nemployeeType: 3\ninetUserStatus: 1\n");
        write!(ldif, "dn: {dn}\nchangetype: add\n{CLASSES}{attributes}\n").unwrap();
    }
    world.probe().modify(&ldif);
}

/// A purge in progress.
fn start_purge(config: &Path) -> Child {
    let mut command = Command::new(program("setpriv"));
    command.args(["--pdeathsig", "KILL", "--"]).arg(harness::pbm());
    command.args(["purge", "--config", config.to_str().unwrap()]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn a_purge_that_was_killed_half_way_ends_when_it_is_run_again(_: &World) {
    let world = World::start();
    let config = without_retention(&world);
    let [ours, theirs] = [full(&world), full(&world)];
    fill(&world, &ours);
    world.root().delete(ours.path()).expect_success();
    sleep(DUE);
    let others = lasting(&theirs);
    let left = || {
        let base = format!("ou={},ou=People,{}", ours.id, world.probe().root);
        world.probe().search(&base, "one", "(objectClass=pbmUser)").len()
    };
    for _ in 0..2 {
        let before = left();
        let mut purge = start_purge(&config);
        let since = Instant::now();
        while left() + 50 > before {
            assert!(since.elapsed() < Duration::from_secs(20), "nothing is removed");
            sleep(Duration::from_millis(5));
        }
        signal(purge.id(), Signal::KILL);
        purge.wait().unwrap();
        assert!((1..before).contains(&left()), "{} left: not the middle", left());
        assert_eq!(lasting(&theirs), others);
        // It cannot be restored half.
        world.root().restore(ours.path()).expect(404);
        world.root().get(ours.path()).expect(404);
    }
    world.installation().pbm(&config, &["purge"]).expect_success();
    assert_eq!((ours.entries(), lasting(&theirs)), (vec![], others));
    world.root().put(ours.path(), &form(&[("domain", &ours.domain)])).expect_success();
    drop((ours, theirs));
    assert_eq!(world.stop(), Vec::<String>::new());
}

fn a_restore_that_races_the_purge_of_a_tenant_wins_or_is_told_so(_: &World) {
    let world = World::start();
    let config = without_retention(&world);
    let (mut restored, mut purged) = (0, 0);
    // A busy machine takes longer to begin a purge.
    for round in 0..60_u64 {
        if round >= 12 && restored > 0 && purged > 0 {
            break;
        }
        let tenant = world.tenant();
        tenant.user("ivan").create();
        tenant.mail_list("friends").members(&[&tenant.address("ivan")]).create();
        world.root().delete(tenant.path()).expect_success();
        sleep(DUE);
        let mut purge = start_purge(&config);
        sleep(Duration::from_millis(round * 12));
        let answer = world.root().restore(tenant.path());
        purge.wait().unwrap();
        world.installation().pbm(&config, &["purge"]).expect_success();
        if answer.status == 200 {
            restored += 1;
            world.root().get(tenant.path()).expect(200);
            tenant.named("ivan").log_in();
            assert_eq!(world.root().get(tenant.list_named("friends")).expect(200).json()["members"], 1);
        } else {
            answer.expect(404);
            purged += 1;
            assert_eq!(tenant.entries(), []);
        }
    }
    assert!(restored > 0 && purged > 0, "no race: {restored} restored, {purged} purged");
    assert_eq!(world.stop(), Vec::<String>::new());
}
