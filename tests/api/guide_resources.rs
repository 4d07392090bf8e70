//! The guide's curl lines about resource groups (3.11) and resources (3.12), run by bash.

use crate::shell::{Shell, success};
use harness::{Context, Group, Tenant, World};
use serde_json::json;

harness::trials! { "guide_resources":
    the_first_line_of_3_11_2_lists_groups,
    the_second_line_of_3_11_2_makes_a_group,
    the_third_line_of_3_11_2_renames_a_group,
    the_line_of_3_11_3_deletes_a_group_with_its_resources,
    the_first_line_of_3_12_2_lists_resources,
    the_second_line_of_3_12_2_makes_a_resource,
    the_line_of_3_12_3_changes_a_resource,
    the_line_of_3_12_4_deletes_a_resource,
}

const LIST_GROUPS: &str = r#"curl -X GET "https://<pbm_url>/v2/resourcegroups/<tenant-id>"
-H "Authorization: Bearer <access_token>""#;

const PUT_GROUP: &str = r#"curl -X PUT "https://<pbm_url>/v2/resourcegroups/<tenant-id>/<gname>"
-H "Authorization: Bearer <access_token>""#;

const RENAME_GROUP: &str = r#"curl -X PATCH "https://<pbm_url>/v2/resourcegroups/<tenant-id>/
<gname>?name=<new_name>" -H "Authorization: Bearer <access_token>""#;

const DELETE_GROUP: &str = r#"curl -X DELETE "https://<pbm_url>/v2/resourcegroups/<tenant-id>/<gname>"
-H "Authorization: Bearer <access_token>""#;

const LIST: &str = r#"curl -X GET "https://<pbm_url>/v2/resources/<tenant-id>/<gname>"  
-H "Authorization: Bearer <access_token>""#;

const PUT: &str = r#"curl -X PUT "https://<pbm_url>/v2/resources/<tenant-id>/<gname>/  
<rmail>&displayName=<name>&description=<descr>&l=<l>&employeeType=  
<employeeType>" -H "Authorization: Bearer <access_token>""#;

const PATCH: &str = r#"curl -X PATCH "https://<pbm_url>/v2/resources/<tenant-id>/<gname>/<rmail>  
&displayName=<name>&description=<descr>&l=<l>&employeeType=<employeeType>"
-H "Authorization: Bearer <access_token>""#;

const DELETE: &str = r#"curl -X DELETE "https://<pbm_url>/v2/resources/<tenant-id>/<gname>/<rmail>"
-H "Authorization: Bearer <access_token>""#;

/// Names of groups in plain form, and as a person types them in a URL; curl sends letters of any script, but no blanks.
const NAMES: [(&str, &str); 3] =
    [("Rooms", "Rooms"), ("Переговорные", "Переговорные"), ("Большой зал", "Большой%20зал")];

fn about<'w>(world: &'w World, tenant: &Tenant<'_>, written: &str) -> Shell<'w> {
    Shell::about(world, tenant).fill("<gname>", written)
}

fn with_two_rooms<'w>(tenant: &Tenant<'w>, name: &str) -> Group<'w> {
    let group = tenant.group(name).create();
    group.resource("rome").with("description", "4 этаж").with("l", "МСК").create();
    group.resource("oslo").create();
    group
}

fn the_first_line_of_3_11_2_lists_groups(world: &World) {
    let tenant = world.tenant();
    with_two_rooms(&tenant, "Переговорные");
    tenant.group("Cars").create();
    let groups = json!([{"name": "Cars", "resources": 0}, {"name": "Переговорные", "resources": 2}]);
    let expected = json!({"resourcegroups": groups, "count": 2, "page": 1, "pages": 1, "per_page": 50});
    assert_eq!(Shell::about(world, &tenant).run(LIST_GROUPS), expected);
}

fn the_second_line_of_3_11_2_makes_a_group(world: &World) {
    let tenant = world.tenant();
    for (name, written) in NAMES {
        let _case = Context::new(name);
        assert_eq!(about(world, &tenant, written).run(PUT_GROUP), success());
        let shown = tenant.admin().get(tenant.group(name)).expect(200).json();
        assert_eq!(shown, json!({"name": name, "tenant-id": tenant.id, "resources": 0}));
        let base = format!("ou={},ou=Resources,{}", tenant.id, world.probe().root);
        let entries = world.probe().search(&base, "one", &format!("(ou={name})"));
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].one("ou"), name);
    }
}

fn the_third_line_of_3_11_2_renames_a_group(world: &World) {
    let tenant = world.tenant();
    let group = with_two_rooms(&tenant, "Rooms");
    let mut old = "Rooms";
    for (new, written) in
        [("Переговорные", "Переговорные"), ("Большой зал", "Большой%20зал"), ("Halls", "Halls")]
    {
        let _case = Context::new(new);
        let shell = about(world, &tenant, &old.replace(' ', "%20")).fill("<new_name>", written);
        assert_eq!(shell.run(RENAME_GROUP), success());
        tenant.admin().get(group.renamed(old)).expect(404);
        assert_eq!(group.renamed(new).listed(""), ["oslo", "rome"]);
        old = new;
    }
    assert_eq!(world.probe().find_one(&format!("(mail={})", tenant.address("rome"))).one("l"), "МСК");
    assert_eq!(group.renamed("Halls").entries().len(), 3);
}

fn the_line_of_3_11_3_deletes_a_group_with_its_resources(world: &World) {
    let tenant = world.tenant();
    for (name, written) in NAMES {
        let _case = Context::new(name);
        with_two_rooms(&tenant, name);
        assert_eq!(about(world, &tenant, written).run(DELETE_GROUP), success());
        tenant.admin().get(tenant.group(name)).expect(404);
        let base = format!("ou={},ou=Resources,{}", tenant.id, world.probe().root);
        assert_eq!(world.probe().search(&base, "sub", "(objectClass=*)").len(), 1);
    }
}

fn the_first_line_of_3_12_2_lists_resources(world: &World) {
    let tenant = world.tenant();
    with_two_rooms(&tenant, "Переговорные");
    let [oslo, rome] = ["oslo", "rome"].map(|name| tenant.address(name));
    let rooms = json!([
        {"mail": oslo, "displayName": "oslo", "employeeType": 1, "group": "Переговорные"},
        {"mail": rome, "displayName": "rome", "description": "4 этаж", "l": "МСК", "employeeType": 1,
         "group": "Переговорные"},
    ]);
    let expected = json!({"resources": rooms, "count": 2, "page": 1, "pages": 1, "per_page": 50});
    let mut answer = about(world, &tenant, "Переговорные").run(LIST);
    for room in answer["resources"].as_array_mut().unwrap() {
        // The guide does not say whether a list repeats the requested tenant.
        room.as_object_mut().unwrap().remove("tenant-id");
    }
    assert_eq!(answer, expected);
}

fn the_second_line_of_3_12_2_makes_a_resource(world: &World) {
    let tenant = world.tenant();
    for (number, (name, written)) in NAMES.into_iter().enumerate() {
        let _case = Context::new(name);
        let group = tenant.group(name).create();
        let rome = group.named(&format!("rome{number}"));
        let shell = about(world, &tenant, written).fill("<rmail>", &rome.mail).fill("<name>", "Рим");
        let shell = shell.fill("<descr>", "4%20этаж").fill("<l>", "МСК").fill("<employeeType>", "0");
        assert_eq!(shell.run(PUT), success());
        let expected = json!({
            "mail": rome.mail, "tenant-id": tenant.id, "group": name, "displayName": "Рим",
            "description": "4 этаж", "l": "МСК", "employeeType": 0,
        });
        assert_eq!(tenant.admin().get(&rome).expect(200).json(), expected);
        let entry = rome.entry();
        let stored = ["displayName", "description", "l", "employeeType"].map(|name| entry.one(name));
        assert_eq!(stored, ["Рим", "4 этаж", "МСК", "0"]);
    }
}

fn the_line_of_3_12_3_changes_a_resource(world: &World) {
    let tenant = world.tenant();
    let group = with_two_rooms(&tenant, "Переговорные");
    let rome = group.named("rome");
    let shell = about(world, &tenant, "Переговорные").fill("<rmail>", &rome.mail).fill("<name>", "Rome");
    let shell = shell.fill("<descr>", "").fill("<l>", "СПб").fill("<employeeType>", "2");
    assert_eq!(shell.run(PATCH), success());
    let expected = json!({
        "mail": rome.mail, "tenant-id": tenant.id, "group": "Переговорные", "displayName": "Rome", "l": "СПб",
        "employeeType": 2,
    });
    assert_eq!(tenant.admin().get(&rome).expect(200).json(), expected);
    let entry = rome.entry();
    let stored = ["displayName", "description", "l", "employeeType"].map(|name| entry.one(name));
    assert_eq!(stored, ["Rome", "", "СПб", "2"]);
}

fn the_line_of_3_12_4_deletes_a_resource(world: &World) {
    let tenant = world.tenant();
    for (name, written) in NAMES {
        let _case = Context::new(name);
        let group = with_two_rooms(&tenant, name);
        let rome = group.named("rome");
        assert_eq!(about(world, &tenant, written).fill("<rmail>", &rome.mail).run(DELETE), success());
        tenant.admin().get(&rome).expect(404);
        assert_eq!(group.listed(""), ["oslo"]);
        assert_eq!(world.probe().find(&format!("(mail={})", rome.mail)), []);
        tenant.admin().delete(&group).expect_success();
    }
}
