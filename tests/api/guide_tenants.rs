//! The guide's curl lines about tenants (3.2), run by bash.

use crate::shell::{Shell, success};
use harness::{Context, World};
use serde_json::json;

harness::trials! { "guide_tenants":
    the_line_of_3_2_1_lists_tenants,
    the_first_line_of_3_2_2_makes_a_tenant_and_names_it,
    the_second_line_of_3_2_2_makes_a_tenant_of_a_name,
    the_line_of_3_2_3_deletes_a_tenant,
    the_lines_of_3_2_are_for_super_administrators_only,
}

const LIST: &str = r#"curl -X GET "https://<pbm_url>/v2/tenants" -H "Authorization:
Bearer <access_token>""#;

const POST: &str = r#"curl -X POST "https://<pbm_url>/v2/tenants" -d domain=<domain>  
-H "Authorization: Bearer <access_token>""#;

const PUT: &str = r#"curl -X PUT "https://<pbm_url>/v2/tenants/<tenant-id>" -d domain=<domain>  
-H "Authorization: Bearer <access_token>""#;

const DELETE: &str = r#"curl -X DELETE "https://<pbm_url>/v2/tenants/<tenant-id>"  
-H "Authorization: Bearer <access_token>""#;

fn the_line_of_3_2_1_lists_tenants(world: &World) {
    let answer = Shell::of_root(world).run(LIST);
    let keys: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["count", "page", "pages", "per_page", "tenants"]);
    assert_eq!((&answer["page"], &answer["per_page"]), (&json!(1), &json!(50)));
    let default = json!({"tenant-id": "default", "domains": ["example.com"]});
    let tenants = answer["tenants"].as_array().unwrap();
    assert!(tenants.contains(&default), "{answer}");
    assert!(answer["count"].as_u64().unwrap() >= tenants.len() as u64);
}

fn the_first_line_of_3_2_2_makes_a_tenant_and_names_it(world: &World) {
    let name = world.fresh_name();
    // Another script too: the name is derived from the A-labels of the domain.
    for domain in [format!("{name}.test"), format!("почта-{name}.рф")] {
        let _case = Context::new(&domain);
        let answer = Shell::of_root(world).fill("<domain>", &domain).run(POST);
        let id = answer["tenant-id"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert_eq!(answer, json!({"success": true, "tenant-id": id}));
        let shown = world.root().get(format!("/v2/tenants/{id}")).expect(200).json();
        let entry = world.probe().entry(&format!("ou={id},ou=Domains,{}", world.probe().root)).unwrap();
        assert_eq!(shown["domains"], json!([entry.one("associatedDomain")]));
        assert_eq!(entry.one("associatedDomain").split('.').next(), Some(id));
    }
}

fn the_second_line_of_3_2_2_makes_a_tenant_of_a_name(world: &World) {
    let name = world.fresh_name();
    let shell = Shell::of_root(world).fill("<tenant-id>", &name);
    assert_eq!(shell.fill("<domain>", &format!("mail.{name}.test")).run(PUT), success());
    let shown = world.root().get(format!("/v2/tenants/{name}")).expect(200).json();
    assert_eq!(
        (&shown["tenant-id"], &shown["domains"]),
        (&json!(name), &json!([format!("mail.{name}.test")]))
    );
    for folder in ["Domains", "People", "Groups", "Resources", "CAB"] {
        let dn = format!("ou={name},ou={folder},{}", world.probe().root);
        assert!(world.probe().entry(&dn).is_some(), "{dn}");
    }
}

fn the_line_of_3_2_3_deletes_a_tenant(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    assert_eq!(Shell::of_root(world).fill("<tenant-id>", &tenant.id).run(DELETE), success());
    world.root().get(tenant.path()).expect(404);
    let tenants = world.root().get(format!("/v2/tenants?search={}", tenant.domain));
    assert!(!tenants.column("tenants", "tenant-id").contains(&tenant.id));
    assert!(!ivan.can_bind());
}

fn the_lines_of_3_2_are_for_super_administrators_only(world: &World) {
    let (tenant, name) = (world.tenant(), world.fresh_name());
    let shell = Shell::about(world, &tenant).fill("<domain>", &format!("{name}.test"));
    for line in [LIST, POST, PUT, DELETE] {
        let answer = shell.run(line);
        assert!(answer["message"].as_str().unwrap().starts_with("You don't have the permission"), "{answer}");
    }
    tenant.admin().get(tenant.users()).expect(200);
    assert_eq!(world.probe().find(&format!("(associatedDomain={name}.test)")), []);
}
