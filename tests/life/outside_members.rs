//! Outside members of mailing lists with addresses of the tenant, as other programs write them: the hourly job replaces
//! them by the entries with those addresses.

use crate::running::PATIENCE;
use harness::{World, start_serve, within};

harness::trials! { "outside_members":
    the_job_exchanges_addresses_that_others_have_written,
    a_list_that_cannot_be_changed_stops_no_other,
}

fn the_job_exchanges_addresses_that_others_have_written(world: &World) {
    let tenant = world.tenant();
    let [ivan, olga] = ["ivan", "olga"].map(|name| tenant.user(name).create());
    tenant.admin().delete(&olga).expect_success();
    let elsewhere = "x@outside.example";
    let list = tenant.mail_list("list").members(&[elsewhere]).create();
    let written = [&ivan.mail.to_uppercase(), &olga.mail, elsewhere, &list.mail];
    world.probe().replace(&list.dn(), "mgrpRFC822MailMember", &written);
    // Each process runs its jobs when it starts.
    let serve = start_serve(&world.installation().usual_config(), &[]);
    assert!(within(PATIENCE, || !list.member_dns().is_empty()), "{}", serve.log());
    let entry = list.entry();
    let mut outside = entry.all("mgrpRFC822MailMember");
    outside.sort_unstable();
    // A deleted user's address stays until the user is undeleted, and a list does not become its own member.
    assert_eq!(outside, [list.mail.as_str(), &olga.mail, elsewhere]);
    assert!(within(PATIENCE, || serve.log().contains("maillists.cycle_left")), "{}", serve.log());
    assert!(!serve.log().contains(&list.mail), "{}", serve.log());
}

fn a_list_that_cannot_be_changed_stops_no_other(world: &World) {
    let tenants = [world.tenant(), world.tenant()];
    let service = format!("uid=pbm,ou=System,{}", world.probe().root);
    let deny = format!(
        "(targetattr=\"*\")(version 3.0; acl \"frozen\"; deny (write) userdn=\"ldap:///{service}\";)"
    );
    let lists: Vec<_> = tenants
        .iter()
        .flat_map(|tenant| {
            let ivan = tenant.user("ivan").create();
            ["one", "two"].map(|name| {
                let list = tenant.mail_list(name).members(&["x@outside.example"]).create();
                // The first one in each tenant.
                if name == "one" {
                    world.probe().replace(&list.dn(), "aci", &[&deny]);
                }
                world.probe().replace(&list.dn(), "mgrpRFC822MailMember", &[&ivan.mail]);
                list
            })
        })
        .collect();
    let serve = start_serve(&world.installation().usual_config(), &[]);
    for list in lists.iter().skip(1).step_by(2) {
        assert!(within(PATIENCE, || !list.member_dns().is_empty()), "{}", serve.log());
    }
    assert!(within(PATIENCE, || serve.log().contains("maillists.outside_member_left")), "{}", serve.log());
    for list in lists.iter().step_by(2) {
        assert!(list.member_dns().is_empty());
        world.probe().replace(&list.dn(), "aci", &[]);
    }
}
