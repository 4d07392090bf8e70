//! Accounts that other programs lock: `dsidm account lock` writes only `nsAccountLock`, `dsidm role lock` a role that
//! implies it. Every reader reports such a user as blocked, and unblocking either works or says why it cannot.

use harness::{Tenant, User, World, within};
use std::time::Duration;

harness::trials! { "locks":
    a_user_whom_others_lock_is_blocked_for_every_reader,
    unblocking_ends_a_lock_by_others,
    blocking_writes_whichever_attribute_is_missing,
    a_user_whom_others_locked_comes_back_locked_from_a_deletion,
    a_user_whom_others_locked_comes_back_locked_with_its_tenant,
    an_import_ends_and_keeps_a_lock_by_others,
    a_lock_by_a_role_refuses_a_log_in_and_is_no_success_to_end,
}

/// How long tokens of a locked account may still be accepted.
const BELIEVED: Duration = Duration::from_secs(10);

fn lock(world: &World, user: &User<'_>) {
    world.probe().replace(&user.dn(), "nsAccountLock", &["TRUE"]);
}

/// The status as each reader reports it, the log-in first: of a user, the list of users, and the address book.
fn readers(tenant: &Tenant<'_>, user: &User<'_>) -> (bool, String, String, bool) {
    let status = |user: &serde_json::Value| user["inetUserStatus"].to_string();
    let listed = tenant.list(&format!("search={}", user.mail));
    (
        user.try_log_in().status == 200,
        status(&tenant.admin().get(user).expect(200).json()),
        status(&listed["users"][0]),
        tenant.book().has(&user.mail),
    )
}

#[track_caller]
fn assert_soon(tenant: &Tenant<'_>, user: &User<'_>, is_active: bool) {
    let status = if is_active { "1" } else { "0" };
    let expected = (is_active, status.to_owned(), status.to_owned(), is_active);
    let mut last = None;
    let is_so = within(Duration::from_secs(3), || {
        last = Some(readers(tenant, user));
        last.as_ref() == Some(&expected)
    });
    assert!(is_so, "{last:?}, expected {expected:?}");
    assert_eq!(user.can_bind(), is_active);
}

fn a_user_whom_others_lock_is_blocked_for_every_reader(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in();
    assert_soon(&tenant, &ivan, true);
    lock(world, &ivan);
    assert_soon(&tenant, &ivan, false);
    assert!(within(BELIEVED, || client.get(&ivan).status == 401));
    world.probe().replace(&ivan.dn(), "nsAccountLock", &[]);
    assert_soon(&tenant, &ivan, true);
    // A value that 389-ds does not regard as a lock is not a lock.
    world.probe().replace(&ivan.dn(), "nsAccountLock", &["yes"]);
    assert_soon(&tenant, &ivan, true);
}

fn unblocking_ends_a_lock_by_others(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in();
    for status in [&["1"][..], &["0"], &["2"], &[]] {
        world.probe().replace(&ivan.dn(), "inetUserStatus", status);
        lock(world, &ivan);
        tenant.admin().patch(&ivan, "inetUserStatus=1").expect_success();
        assert_soon(&tenant, &ivan, true);
        // The end of the lock does not make earlier tokens valid again.
        client.get(&ivan).expect(401);
    }
}

fn blocking_writes_whichever_attribute_is_missing(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    // Blocked only by the lock: without it the user stays blocked from now on.
    lock(world, &ivan);
    tenant.admin().patch(&ivan, "inetUserStatus=0").expect_success();
    assert_eq!(world.probe().user(&ivan.mail).one("inetUserStatus"), "0");
    // Blocked only by the status, so the directory itself allows the bind.
    world.probe().replace(&ivan.dn(), "nsAccountLock", &[]);
    assert!(ivan.can_bind());
    tenant.admin().patch(&ivan, "inetUserStatus=0").expect_success();
    assert_soon(&tenant, &ivan, false);
}

fn a_user_whom_others_locked_comes_back_locked_from_a_deletion(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    lock(world, &ivan);
    tenant.admin().delete(&ivan).expect_success();
    assert_eq!(tenant.list("deleted=1")["users"][0]["inetUserStatus"], 0);
    tenant.admin().restore(&ivan).expect_success();
    assert_soon(&tenant, &ivan, false);
    tenant.admin().patch(&ivan, "inetUserStatus=1").expect_success();
    assert_soon(&tenant, &ivan, true);
    // The lock of a deletion is not a block.
    tenant.admin().delete(&ivan).expect_success();
    assert_eq!(tenant.list("deleted=1")["users"][0]["inetUserStatus"], 1);
    tenant.admin().restore(&ivan).expect_success();
    assert_soon(&tenant, &ivan, true);
}

fn a_user_whom_others_locked_comes_back_locked_with_its_tenant(world: &World) {
    let tenant = world.tenant();
    let [ivan, olga] = ["ivan", "olga"].map(|name| tenant.user(name).create());
    lock(world, &ivan);
    world.root().delete(tenant.path()).expect_success();
    world.root().restore(tenant.path()).expect_success();
    assert!(!ivan.can_bind() && olga.can_bind());
    assert_eq!(world.root().get(&ivan).expect(200).json()["inetUserStatus"], 0);
}

fn an_import_ends_and_keeps_a_lock_by_others(world: &World) {
    let tenant = world.tenant();
    let [ivan, olga] = ["ivan", "olga"].map(|name| tenant.user(name).create());
    lock(world, &ivan);
    lock(world, &olga);
    let table = format!("mail,title,inetUserStatus\n{},Boss,1\n{},Boss,\n", ivan.mail, olga.mail);
    let by = tenant.admin().with_header("Content-Type", "text/csv");
    by.post(format!("{}/bulk?mode=upsert", tenant.users()), &table).expect(200);
    assert_soon(&tenant, &ivan, true);
    assert_soon(&tenant, &olga, false);
    assert_eq!(tenant.admin().get(&olga).json()["title"], "Boss");
}

/// The entry that `dsidm role` makes, below the users of a tenant: every user with the role is locked.
fn locking_role(folder: &str) -> String {
    let role = format!("cn=nsManagedDisabledRole,{folder}");
    format!(
        "dn: {role}
changetype: add
objectClass: ldapSubEntry
objectClass: nsRoleDefinition
objectClass: nsSimpleRoleDefinition
objectClass: nsManagedRoleDefinition

dn: cn=nsAccountInactivationTmp,{folder}
changetype: add
objectClass: nsContainer

dn: cn=\"{role}\",cn=nsAccountInactivationTmp,{folder}
changetype: add
objectClass: extensibleObject
objectClass: costemplate
objectClass: ldapsubentry
nsAccountLock: true
cosPriority: 0

dn: cn=nsAccountInactivation_cos,{folder}
changetype: add
objectClass: ldapSubEntry
objectClass: cosSuperDefinition
objectClass: cosClassicDefinition
cosTemplateDn: cn=nsAccountInactivationTmp,{folder}
cosSpecifier: nsRole
cosAttribute: nsAccountLock operational
"
    )
}

fn a_lock_by_a_role_refuses_a_log_in_and_is_no_success_to_end(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let folder = format!("ou={},ou=People,{}", tenant.id, world.probe().root);
    world.probe().modify(&locking_role(&folder));
    world.probe().replace(&ivan.dn(), "nsRoleDN", &[&format!("cn=nsManagedDisabledRole,{folder}")]);
    // 389-ds needs some time before it knows a new role.
    assert!(within(BELIEVED, || !ivan.can_bind()));
    ivan.try_log_in().expect(401);
    // Answers from memory may not show it: 389-ds does not report changes of computed values.
    let answer = tenant.admin().patch(&ivan, "inetUserStatus=1").expect(409);
    assert!(answer.text().contains("locked by a role"), "{answer:?}");
    world.probe().replace(&ivan.dn(), "nsRoleDN", &[]);
    assert!(within(BELIEVED, || ivan.can_bind()));
    ivan.log_in().get(&ivan).expect(200);
}
