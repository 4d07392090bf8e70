//! Dynamic lists: conditions on users instead of members.

use harness::{Context, Tenant, World, form};
use serde_json::json;

harness::trials! { "dynamic_lists":
    a_dynamic_list_shows_its_conditions_and_no_members,
    everybody_who_fits_is_in_it_at_once,
    all_conditions_must_hold,
    conditions_are_repeated_parameters_or_an_array,
    letter_case_does_not_count_and_a_comma_is_part_of_the_value,
    every_field_that_is_offered_works,
    wrong_conditions_are_refused,
    special_characters_in_a_condition_are_literal,
    users_of_other_tenants_and_other_entries_do_not_fit,
    a_list_becomes_dynamic_and_static_again,
    members_are_not_added_to_conditions,
}

fn people(tenant: &Tenant<'_>) {
    for (name, ou, l) in
        [("anna", "Sales", "Москва"), ("boris", "Sales", "Омск"), ("vera", "Support", "Москва")]
    {
        tenant.user(name).with("ou", ou).with("l", l).create();
    }
}

/// The names of all users who get the mail of a list with these conditions.
#[track_caller]
fn who(tenant: &Tenant<'_>, conditions: &[&str]) -> Vec<String> {
    let list = tenant.mail_list("probe");
    let list = conditions.iter().fold(list, |list, condition| list.filter(condition)).create();
    let names = list.expanded().iter().map(|mail| mail.split('@').next().unwrap().to_owned()).collect();
    list.delete().expect_success();
    names
}

fn a_dynamic_list_shows_its_conditions_and_no_members(world: &World) {
    let tenant = world.tenant();
    people(&tenant);
    let list = tenant.mail_list("sales").filter("ou=Sales").filter("l=Москва").create();
    let mut shown = list.show();
    let conditions = shown["filter"].as_array_mut().unwrap();
    conditions.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    let expected = json!({"mail": list.mail, "tenant-id": tenant.id, "displayName": "sales",
        "filter": ["l=Москва", "ou=Sales"]});
    assert_eq!(shown, expected);
    let entry = list.entry();
    let mut stored = entry.all("pbmListFilter");
    stored.sort_unstable();
    assert_eq!((stored, entry.all("member")), (vec!["l=Москва", "ou=Sales"], vec![]));
    // For readers that support groups of URLs (the search of RFC 4516).
    let url = entry.one("memberURL");
    assert!(url.starts_with("ldap:///") && url.contains(&tenant.id), "{url}");
    let page = tenant.admin().get(tenant.maillists()).expect(200).json();
    let listed = page["maillists"][0].as_object().unwrap();
    assert_eq!(listed.keys().map(String::as_str).collect::<Vec<_>>(), ["displayName", "filter", "mail"]);
}

fn everybody_who_fits_is_in_it_at_once(world: &World) {
    let tenant = world.tenant();
    people(&tenant);
    let list = tenant.mail_list("sales").filter("ou=Sales").create();
    let expanded = || {
        let mails = list.expanded();
        mails.iter().map(|mail| mail.split('@').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(expanded(), ["anna", "boris"]);
    tenant.user("newcomer").with("ou", "Sales").create();
    assert_eq!(expanded(), ["anna", "boris", "newcomer"]);
    tenant.admin().patch(tenant.named("boris"), "ou=Support").expect_success();
    assert_eq!(expanded(), ["anna", "newcomer"]);
    tenant.admin().patch(tenant.named("anna"), &form(&[("mail", tenant.address("zoya"))])).expect_success();
    assert_eq!(expanded(), ["newcomer", "zoya"]);
    tenant.admin().delete(tenant.named("zoya")).expect_success();
    assert_eq!(expanded(), ["newcomer"]);
    tenant.admin().restore(tenant.named("zoya")).expect_success();
    // A change behind the program's back counts too.
    let dn = tenant.named("boris").dn();
    world.probe().modify(&format!("dn: {dn}\nchangetype: modify\nreplace: ou\nou: Sales\n"));
    assert_eq!(expanded(), ["boris", "newcomer", "zoya"]);
}

fn all_conditions_must_hold(world: &World) {
    let tenant = world.tenant();
    people(&tenant);
    assert_eq!(who(&tenant, &["ou=Sales"]), ["anna", "boris"]);
    assert_eq!(who(&tenant, &["l=Москва"]), ["anna", "vera"]);
    assert_eq!(who(&tenant, &["ou=Sales", "l=Москва"]), ["anna"]);
    assert_eq!(who(&tenant, &["ou=Sales", "ou=Sales", "l=Омск"]), ["boris"]);
    assert_eq!(who(&tenant, &["ou=Support", "l=Омск"]), Vec::<String>::new());
    // Equality: a part of a value does not match.
    assert_eq!(who(&tenant, &["ou=Sale"]), Vec::<String>::new());
}

fn conditions_are_repeated_parameters_or_an_array(world: &World) {
    let tenant = world.tenant();
    people(&tenant);
    let list = tenant.list_named("sales");
    let request = format!("{}&displayName=Sales", list.request());
    let boris = [tenant.address("boris")];
    // The first = ends the parameter's name, even if the others are not encoded.
    for body in
        [form(&[("filter", "ou=Sales"), ("filter", "l=Омск")]), "filter=ou=Sales&filter=l=Омск".into()]
    {
        let _case = Context::new(&body);
        tenant.admin().post(&request, &body).expect_success();
        assert_eq!(list.expanded(), boris);
        tenant.admin().put(list.request(), "filter=l=Москва").expect_success();
        assert_eq!(list.show()["filter"], json!(["l=Москва"]));
        tenant.admin().put(format!("{}&{body}", list.request()), "").expect_success();
        assert_eq!(list.expanded(), boris);
        list.delete().expect_success();
    }
    let client = tenant.admin().with_header("Content-Type", "application/json");
    client.post(&request, &json!({"filter": ["ou=Sales", "l=Омск"]}).to_string()).expect_success();
    assert_eq!(list.expanded(), boris);
    client.put(list.request(), &json!({"filter": "l=Москва"}).to_string()).expect_success();
    assert_eq!(list.show()["filter"], json!(["l=Москва"]));
}

fn letter_case_does_not_count_and_a_comma_is_part_of_the_value(world: &World) {
    let tenant = world.tenant();
    tenant.user("anna").with("ou", "Отдел продаж, Москва").create();
    tenant.user("boris").with("ou", "отдел ПРОДАЖ, москва").create();
    tenant.user("vera").with("ou", "Отдел продаж").create();
    assert_eq!(who(&tenant, &["ou=Отдел продаж, Москва"]), ["anna", "boris"]);
    assert_eq!(who(&tenant, &["ou=ОТДЕЛ продаж"]), ["vera"]);
    let list = tenant.mail_list("sales").filter("ou=Продажи").filter("ou=ПРОДАЖИ").create();
    assert_eq!(list.show()["filter"].as_array().map(Vec::len), Some(1));
}

fn every_field_that_is_offered_works(world: &World) {
    let tenant = world.tenant();
    let anna = tenant.user("anna").with("ou", "Продажи").with("title", "Lead").with("l", "Омск");
    anna.with("lang", "tt-RU").role(1).create();
    tenant.user("boris").create();
    let conditions = ["ou=Продажи", "title=Lead", "l=Омск", "lang=tt-RU"];
    for condition in conditions {
        assert_eq!(who(&tenant, &[condition]), ["anna"], "{condition}");
    }
    assert_eq!(who(&tenant, &["employeeNumber=1"]), ["administrator", "anna"]);
    assert_eq!(who(&tenant, &[&conditions[..], &["employeeNumber=1"]].concat()), ["anna"]);
    assert_eq!(who(&tenant, &["employeeNumber=2"]), ["boris"]);
    assert_eq!(who(&tenant, &["lang=en-US"]), ["administrator", "boris"]);
}

fn wrong_conditions_are_refused(world: &World) {
    let tenant = world.tenant();
    people(&tenant);
    let list = tenant.mail_list("sales").filter("ou=Sales").create();
    let before = tenant.entries();
    for wrong in [
        "mail=x",
        "cn=Анна",
        "userPassword=x",
        "objectClass=*",
        "preferredLanguage=ru-RU",
        "OU",
        "ou",
        "=Sales",
        "ou=",
        "ou= ",
        "lang=xx",
        "employeeNumber=x",
        "(ou=Sales)",
        "ou>=Sales",
        "!ou=Sales",
        "",
    ] {
        let _case = Context::new(wrong);
        let answer = tenant.mail_list("new").filter(wrong).post();
        // An empty list of conditions counts as no conditions, so the members are missing.
        if wrong.is_empty() {
            answer.expect(400)
        } else {
            answer.expect_wrong(&["filter"])
        };
        if !wrong.is_empty() {
            list.put(&[("filter", "l=Омск"), ("filter", wrong)]).expect_wrong(&["filter"]);
        }
    }
    let six = ["ou=a", "ou=b", "ou=c", "l=d", "l=e", "title=f"];
    let six: Vec<_> = six.map(|condition| ("filter", condition)).to_vec();
    list.put(&six).expect_wrong(&["filter"]);
    let both = tenant.mail_list("new").filter("ou=Sales").members(&[&tenant.address("anna")]);
    both.post().expect_wrong(&["filter"]);
    let long = format!("ou={}", "x".repeat(60_000));
    let answer = list.put(&[("filter", long)]).expect_wrong(&["filter"]);
    assert!(answer.body.len() < 1000);
    assert_eq!(tenant.entries(), before);
    list.put(&six[..5]).expect_success();
}

fn special_characters_in_a_condition_are_literal(world: &World) {
    let tenant = world.tenant();
    let names = ["R*D (x) \\2a", "a=b", "*", "x)(ou=*", "Отдел & партнёры", "100% ?q#f", "<\"quoted\">; +1"];
    for (number, ou) in names.iter().enumerate() {
        tenant.user(&format!("u{number}")).with("ou", ou).create();
    }
    for (number, ou) in names.iter().enumerate() {
        let _case = Context::new(*ou);
        let condition = format!("ou={ou}");
        assert_eq!(who(&tenant, &[&condition]), [format!("u{number}")]);
        let list = tenant.mail_list("shown").filter(&condition).create();
        assert_eq!(list.show()["filter"], json!([condition]));
        assert_eq!(list.entry().one("pbmListFilter"), condition);
        list.delete().expect_success();
    }
}

fn users_of_other_tenants_and_other_entries_do_not_fit(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    people(&ours);
    people(&theirs);
    ours.group("Rooms").create().resource("rome").with("l", "Москва").create();
    assert_eq!(who(&ours, &["l=Москва"]), ["anna", "vera"]);
    let list = ours.mail_list("moscow").filter("l=Москва").create();
    assert_eq!(list.expanded(), ["anna", "vera"].map(|name| ours.address(name)));
}

fn a_list_becomes_dynamic_and_static_again(world: &World) {
    let tenant = world.tenant();
    people(&tenant);
    let vera = tenant.address("vera");
    let list = tenant.mail_list("sales").members(&[&vera, "a@outside.example"]).create();
    let above = tenant.mail_list("above").members(&[&list.mail]).create();
    list.put(&[("filter", "ou=Sales")]).expect_success();
    assert_eq!((list.show().get("alias"), list.show().get("members")), (None, None));
    assert_eq!(list.expanded(), ["anna", "boris"].map(|name| tenant.address(name)));
    assert_eq!(above.expanded(), list.expanded());
    let entry = list.entry();
    assert_eq!((entry.all("member"), entry.all("mgrpRFC822MailMember")), (vec![], vec![]));
    list.put(&[("displayName", "Sales"), ("newmail", &tenant.address("sellers"))]).expect_success();
    let list = tenant.list_named("sellers");
    assert_eq!(list.show()["filter"], json!(["ou=Sales"]));
    list.put(&[("members", format!("{vera},b@outside.example"))]).expect_success();
    assert_eq!(
        (list.members(), list.show().get("filter")),
        (vec!["b@outside.example".into(), vera.clone()], None)
    );
    let entry = list.entry();
    assert_eq!((entry.all("pbmListFilter"), entry.all("memberURL")), (vec![], vec![]));
    list.add(&[&tenant.address("anna")]).expect_success();
    assert_eq!(above.expanded(), list.members().iter().map(String::as_str).collect::<Vec<_>>());
}

fn members_are_not_added_to_conditions(world: &World) {
    let tenant = world.tenant();
    people(&tenant);
    let list = tenant.mail_list("sales").filter("ou=Sales").create();
    let before = tenant.entries();
    let anna = tenant.address("anna");
    list.add(&[&anna]).expect_wrong(&["alias"]);
    list.remove(&[&anna]).expect_wrong(&["remove"]);
    list.put(&[("members", "")]).expect_wrong(&["members"]);
    assert_eq!(tenant.entries(), before);
}
