//! Access control (design, section 4): every endpoint, each role, in its own and in a foreign tenant. The expected
//! statuses are listed here independently of the program's own table.

use crate::access_cases::{Case, is_deleted};
use harness::{Client, Context, Tenant, World, form};
use v2::requests::ENDPOINTS;

harness::trials! { "access":
    every_endpoint_answers_each_role_as_the_table_says,
    a_token_that_counts_for_nothing_opens_nothing,
    an_administrator_of_the_default_tenant_can_neither_make_nor_touch_a_super_administrator,
    an_administrator_elsewhere_cannot_make_a_super_administrator,
    nobody_becomes_a_super_administrator_outside_the_default_tenant,
    a_user_reads_itself_and_changes_its_own_password_alone,
    an_allowed_address_needs_no_token_and_others_do,
    a_token_counts_before_an_allowed_address,
}

/// For roles 3, 1 and 2, an address of an allowed subnet, and an anonymous client: the status in its own tenant and in
/// a foreign one. An allowed address and an anonymous client have no tenant; the first column is `default`.
type Statuses = [[u16; 2]; 5];

const OPEN: Statuses = [[200, 200]; 5];
const ADMINISTRATION: Statuses = [[200, 200], [200, 403], [403, 403], [200, 200], [401, 401]];

/// Every caller of the tenant.
const OF_TENANT: Statuses = [[200, 200], [200, 403], [200, 403], [200, 200], [401, 401]];

/// An allowed address is not sufficient.
const BY_TOKEN: Statuses = [[200, 200], [200, 403], [403, 403], [401, 401], [401, 401]];

/// Administrators; what they may reach follows from the addresses in the request.
const OF_CALLER: Statuses = [[200, 200], [200, 200], [403, 403], [200, 200], [401, 401]];

const SUPER: Statuses = [[200, 200], [403, 403], [403, 403], [200, 200], [401, 401]];

const TABLE: &[(&str, Statuses)] = &[
    ("authenticate", OPEN),
    ("live", OPEN),
    ("ready", OPEN),
    ("readDocument", OPEN),
    ("readDocs", OPEN),
    ("readDocsFile", OPEN),
    ("listUsers", ADMINISTRATION),
    ("createUser", ADMINISTRATION),
    ("readUser", ADMINISTRATION),
    ("patchUser", ADMINISTRATION),
    ("deleteUser", ADMINISTRATION),
    ("restoreUser", ADMINISTRATION),
    ("importUsers", ADMINISTRATION),
    ("listMemberships", ADMINISTRATION),
    ("readPhoto", ADMINISTRATION),
    ("putPhoto", ADMINISTRATION),
    ("deletePhoto", ADMINISTRATION),
    ("listTenants", SUPER),
    ("createTenantOfDomain", SUPER),
    ("createTenant", SUPER),
    ("readTenant", SUPER),
    ("patchTenant", SUPER),
    ("deleteTenant", SUPER),
    ("restoreTenant", SUPER),
    ("addDomain", SUPER),
    ("removeDomain", SUPER),
    ("listMailLists", ADMINISTRATION),
    ("createMailList", ADMINISTRATION),
    ("patchMailList", ADMINISTRATION),
    ("deleteMailList", ADMINISTRATION),
    ("readMailList", ADMINISTRATION),
    ("listResourceGroups", ADMINISTRATION),
    ("createResourceGroup", ADMINISTRATION),
    ("readResourceGroup", ADMINISTRATION),
    ("renameResourceGroup", ADMINISTRATION),
    ("deleteResourceGroup", ADMINISTRATION),
    ("listResources", ADMINISTRATION),
    ("createResource", ADMINISTRATION),
    ("readResource", ADMINISTRATION),
    ("patchResource", ADMINISTRATION),
    ("deleteResource", ADMINISTRATION),
    ("listContacts", OF_TENANT),
    ("suggestContacts", OF_TENANT),
    ("listContactChanges", OF_TENANT),
    ("exportContacts", OF_TENANT),
    ("readContact", OF_TENANT),
    ("syncPeopleOfBitrix24", ADMINISTRATION),
    ("syncPeopleOfDirectory", ADMINISTRATION),
    ("syncGroupsOfDirectory", ADMINISTRATION),
    ("listRuns", ADMINISTRATION),
    ("readRun", ADMINISTRATION),
    ("recallMessage", OF_CALLER),
    ("backUp", BY_TOKEN),
    ("restore", BY_TOKEN),
];

/// A caller, with its own tenant and a foreign one.
struct Actor<'a, 'w> {
    name: &'a str,
    client: Client,
    tenants: [&'a Tenant<'w>; 2],
}

fn every_endpoint_answers_each_role_as_the_table_says(world: &World) {
    let (default, ours, theirs) = (world.default_tenant(), world.tenant(), world.tenant());
    let actors = [
        Actor { name: "role 3", client: world.root().clone(), tenants: [&default, &ours] },
        Actor { name: "role 1", client: ours.admin().clone(), tenants: [&ours, &theirs] },
        Actor { name: "role 2", client: ours.user("plain").create().log_in(), tenants: [&ours, &theirs] },
        Actor { name: "allowed address", client: world.trusted(), tenants: [&default, &ours] },
        Actor { name: "nobody", client: world.nobody(), tenants: [&ours, &theirs] },
    ];
    for endpoint in ENDPOINTS.iter().map(|endpoint| endpoint.name) {
        let row = TABLE.iter().find(|(known, _)| *known == endpoint);
        let (_, statuses) = row.unwrap_or_else(|| panic!("{endpoint} has no cases here"));
        for (number, (actor, statuses)) in actors.iter().zip(statuses).enumerate() {
            for (place, tenant, expected) in
                [("own", actor.tenants[0], statuses[0]), ("foreign", actor.tenants[1], statuses[1])]
            {
                let name = format!("case-{endpoint}-{number}-{place}").to_lowercase();
                let _case = Context::new(format!("{endpoint} by {} in its {place} tenant", actor.name));
                Case { world, client: &actor.client, tenant, name, expected }.check(endpoint);
            }
        }
    }
}

fn a_token_that_counts_for_nothing_opens_nothing(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    for value in ["Bearer", "Bearer ", "Bearer x.y.z", "Basic YWRtaW46YWRtaW4=", "Bearer é", ""] {
        let client = world.nobody().with_header("Authorization", value);
        client.get(&ivan).expect(401);
        client.delete(&ivan).expect(401);
        // Even if no token is needed, an invalid token is refused.
        client.behind(harness::ALLOWED_ADDRESS).delete(&ivan).expect(401);
    }
    assert!(!is_deleted(world, &ivan));
}

fn an_administrator_of_the_default_tenant_can_neither_make_nor_touch_a_super_administrator(world: &World) {
    let tenant = world.default_tenant();
    let admin = tenant.user("default-administrator").role(1).create().log_in();
    let boss = tenant.user("second-super").role(3).create();
    let plain = tenant.user("no-super").create();
    let before = world.probe().user(&boss.mail);
    tenant.user("third-super").role(3).by(&admin).put().expect(403);
    admin.patch(&plain, "employeeNumber=3").expect(403);
    for change in ["title=x", "userPassword=Other-Horse-8", "inetUserStatus=0", "employeeNumber=2"] {
        admin.patch(&boss, change).expect(403);
    }
    admin.patch(&boss, &form(&[("mail", tenant.address("renamed-super"))])).expect(403);
    admin.delete(&boss).expect(403);
    assert_eq!(world.probe().user(&boss.mail), before);
    assert!(boss.can_bind());
    world.root().delete(&boss).expect_success();
    admin.restore(&boss).expect(403);
    assert!(is_deleted(world, &boss));
    assert_eq!(world.probe().find("(mail=third-super@*)"), []);
    assert_eq!(world.probe().user(&plain.mail).one("employeeNumber"), "2");
}

fn an_administrator_elsewhere_cannot_make_a_super_administrator(world: &World) {
    let tenant = world.tenant();
    let plain = tenant.user("plain").create();
    for answer in [tenant.user("boss").role(3).put(), tenant.admin().patch(&plain, "employeeNumber=3")] {
        assert!([400, 403].contains(&answer.status), "{answer:?}");
    }
    assert_eq!(world.probe().find(&format!("(mail={})", tenant.address("boss"))), []);
    assert_eq!(world.probe().user(&plain.mail).one("employeeNumber"), "2");
}

fn nobody_becomes_a_super_administrator_outside_the_default_tenant(world: &World) {
    let tenant = world.tenant();
    tenant.user("boss").role(3).by(world.root()).put().expect_wrong(&["employeeNumber"]);
    // Not even through an edit behind the program's back.
    let ivan = tenant.user("ivan").create();
    let dn = ivan.dn();
    world
        .probe()
        .modify(&format!("dn: {dn}\nchangetype: modify\nreplace: employeeNumber\nemployeeNumber: 3\n"));
    let client = ivan.log_in();
    client.get("/v2/users/default").expect(403);
    client.get(tenant.users()).expect(403);
}

fn a_user_reads_itself_and_changes_its_own_password_alone(world: &World) {
    let tenant = world.tenant();
    let mut ivan = tenant.user("ivan").create();
    let other = tenant.user("other").create();
    let client = ivan.log_in();
    assert_eq!(client.get(&ivan).expect(200).json()["mail"], ivan.mail.as_str());
    client.get(&other).expect(403);
    client.get(tenant.named("missing")).expect(403);
    let before = world.probe().user(&ivan.mail);
    for change in ["title=Boss", "userPassword=Other-Horse-8&title=Boss", "employeeNumber=1", "alias="] {
        client.patch(&ivan, change).expect(403);
    }
    client.patch(&ivan, &form(&[("mail", tenant.address("renamed"))])).expect(403);
    client.patch(&other, "userPassword=Other-Horse-8").expect(403);
    client.delete(&ivan).expect(403);
    client.restore(&ivan).expect(403);
    assert_eq!(world.probe().user(&ivan.mail), before);
    assert!(other.can_bind());
    client.patch(&ivan, "userPassword=Other-Horse-8").expect_success();
    ivan.password = "Other-Horse-8".into();
    assert!(ivan.can_bind());
    client.get(&ivan).expect(401);
    ivan.log_in().get(&ivan).expect(200);
}

fn an_allowed_address_needs_no_token_and_others_do(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    world.trusted().patch(&ivan, "title=Boss").expect_success();
    world.default_tenant().user("made-by-address").role(3).by(&world.trusted()).put().expect_success();
    for address in ["192.0.3.7", "203.0.113.1", "192.0.2.7, 203.0.113.1", "::1", "nonsense", "192.0.2.0/24"] {
        world.nobody().behind(address).get(&ivan).expect(401);
    }
    // The last address that is not a trusted proxy's counts.
    world.nobody().behind("203.0.113.1, 192.0.2.9, 127.0.0.1").get(&ivan).expect(200);
}

fn a_token_counts_before_an_allowed_address(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in().behind(harness::ALLOWED_ADDRESS);
    client.get(&ivan).expect(200);
    client.get(tenant.users()).expect(403);
}
