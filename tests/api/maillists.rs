//! Mailing lists: creation, display, listing, renaming and deletion. Their members, dynamic lists and memberships have
//! files of their own.

use harness::{Context, MailList, Tenant, World, encoded, form};
use serde_json::{Value, json};

harness::trials! { "maillists":
    a_list_is_shown_as_it_was_made,
    a_list_needs_an_address_a_name_and_a_member,
    members_are_read_in_every_form,
    mail_and_mmail_name_a_list_wherever_parameters_stand,
    the_shown_name_changes_alone,
    a_renamed_list_keeps_everything_and_stays_a_member,
    a_list_shares_the_namespace_of_addresses,
    a_deleted_list_is_gone_at_once_and_leaves_other_lists,
    the_lists_page_sort_and_search,
    a_list_among_others_shows_the_first_thousand_members,
    lists_of_other_tenants_are_not_seen,
    a_list_that_is_not_there_is_not_found,
    a_tenant_is_required_and_must_be_there,
}

/// A tenant with two users, and their addresses.
fn with_two_users(world: &World) -> (Tenant<'_>, [String; 2]) {
    let tenant = world.tenant();
    let mails = ["ivan", "olga"].map(|name| tenant.user(name).create().mail);
    (tenant, mails)
}

fn a_list_is_shown_as_it_was_made(world: &World) {
    let (tenant, [ivan, olga]) = with_two_users(world);
    let new = tenant.mail_list("friends").with("displayName", "Друзья & «партнёры» 😀");
    let list = new.members(&[&olga, "b@outside.example", &ivan, "A@Outside.example"]).create();
    let members = ["a@outside.example", "b@outside.example", &ivan, &olga];
    let expected = json!({"mail": list.mail, "tenant-id": tenant.id, "displayName": "Друзья & «партнёры» 😀",
        "alias": members, "members": 4});
    assert_eq!(list.show(), expected);
    let entry = list.entry();
    assert_eq!(entry.dn.to_lowercase(), list.dn().to_lowercase());
    assert_eq!((entry.one("mail"), entry.one("displayName")), (&*list.mail, "Друзья & «партнёры» 😀"));
    assert_eq!(list.member_dns(), ["ivan", "olga"].map(|name| tenant.named(name).dn().to_lowercase()));
    let mut outside = entry.all("mgrpRFC822MailMember");
    outside.sort_unstable();
    assert_eq!(outside, ["a@outside.example", "b@outside.example"]);
    for class in ["groupOfNames", "mailGroup", "pbmMailList"] {
        assert!(entry.all("objectClass").iter().any(|known| known.eq_ignore_ascii_case(class)), "{class}");
    }
}

fn a_list_needs_an_address_a_name_and_a_member(world: &World) {
    let (tenant, [ivan, _]) = with_two_users(world);
    let before = tenant.entries();
    let answer = tenant.admin().post(tenant.maillists(), "").expect_wrong(&["mail", "displayName", "alias"]);
    assert_eq!(answer.message()["mail"], "mail is a required value");
    let new = tenant.mail_list("friends").members(&[&ivan]);
    for missing in ["mail", "displayName", "alias"] {
        let answer = new.clone().without(missing).post().expect_wrong(&[missing]);
        assert_eq!(answer.message()[missing], format!("{missing} is a required value"));
        new.clone().with(missing, "").post().expect_wrong(&[missing]);
    }
    for nobody in ["[]", "\\[\\]", ",", " "] {
        new.clone().with("alias", nobody).post().expect_wrong(&["alias"]);
    }
    for wrong in ["friends", "a b@x.test", "друзья@пример.рф", "friends@elsewhere.example"] {
        new.clone().with("mail", wrong).post().expect_wrong(&["mail"]);
    }
    for wrong in ["a\nb", "\0", " ", &"x".repeat(60_000)] {
        new.clone().with("displayName", wrong).post().expect_wrong(&["displayName"]);
    }
    new.clone().and("displayName", "again").post().expect_wrong(&["displayName"]);
    assert_eq!(tenant.entries(), before);
    new.create();
}

fn members_are_read_in_every_form(world: &World) {
    let (tenant, [a, b]) = with_two_users(world);
    let texts = [
        format!("{a},{b}"),
        format!("[\"{a}\",\"{b}\"]"),
        format!("[{a},{b}]"),
        format!("\\[\"{a}\",\"{b}\"\\]"),
        format!("\\[\"{a}\",\"\\{b}\"\\]"),
        format!("\\[\"{a}\",\"\\ \"{b}\"\\]"),
        format!(" {a} , {b} ,"),
        format!("{},{b},{b}", a.to_uppercase()),
    ];
    let mut forms: Vec<_> = texts.iter().map(|text| format!("alias={}", encoded(text))).collect();
    forms.push(format!("alias={a}&alias={b}"));
    for (number, alias) in forms.iter().enumerate() {
        let _case = Context::new(alias);
        let name = format!("list{number}");
        let others = form(&[("mail", tenant.address(&name)), ("displayName", name.clone())]);
        tenant.admin().post(tenant.maillists(), &format!("{others}&{alias}")).expect_success();
        let list = tenant.list_named(&name);
        assert_eq!(list.members(), [a.as_str(), &b]);
        for parameter in ["remove", "alias", "members"] {
            let body = alias.replace("alias=", &format!("{parameter}="));
            if parameter == "remove" {
                list.add(&["left@outside.example"]).expect_success();
            }
            tenant.admin().put(list.request(), &body).expect_success();
            let left = parameter != "members";
            assert_eq!(list.members().contains(&"left@outside.example".into()), left, "{parameter}");
            assert_eq!(list.members().contains(&a), parameter != "remove", "{parameter}");
        }
    }
}

fn mail_and_mmail_name_a_list_wherever_parameters_stand(world: &World) {
    let (tenant, [ivan, _]) = with_two_users(world);
    let admin = tenant.admin();
    let list = tenant.list_named("friends");
    let (mail, name) = (encoded(&list.mail), "displayName=Friends");
    let query = tenant.maillists();
    let shown_name = || list.show()["displayName"].clone();
    admin.post(format!("{query}&mmail={mail}&alias={ivan}&{name}"), "").expect_success();
    admin.put(format!("{query}&mmail={mail}&displayName=query"), "").expect_success();
    assert_eq!(shown_name(), "query");
    admin
        .put("/v2/maillists", &format!("tenant-id={}&mail={mail}&displayName=body", tenant.id))
        .expect_success();
    assert_eq!(shown_name(), "body");
    admin
        .put(format!("/v2/maillists&tenant-id={}&mail={mail}&displayName=tail", tenant.id), "")
        .expect_success();
    assert_eq!(shown_name(), "tail");
    let json = json!({"tenant-id": tenant.id, "mail": list.mail, "displayName": "json", "alias": [ivan]});
    let client = admin.with_header("Content-Type", "application/json");
    client.put("/v2/maillists", &json.to_string()).expect_success();
    assert_eq!(shown_name(), "json");
    let upper = format!("tenant-id={}&mail={}", tenant.id.to_uppercase(), encoded(&list.mail.to_uppercase()));
    admin.put(format!("/v2/maillists?{upper}"), "displayName=UPPER").expect_success();
    assert_eq!(shown_name(), "UPPER");
    let ignored = admin.put(format!("{}&shoeSize=44", list.request()), "").expect_success();
    assert_eq!(ignored.header("x-ignored-parameters"), Some("shoeSize"));
    admin.put(&query, name).expect_wrong(&["mail"]);
    admin.delete(&query).expect_wrong(&["mail"]);
    let page = admin.send("GET", "/v2/maillists", &format!("&tenant-id={}&page=1", tenant.id));
    assert_eq!(page.column("maillists", "mail"), [list.mail.as_str()]);
    admin.send("DELETE", "/v2/maillists", &format!("tenant-id={}&mmail={mail}", tenant.id)).expect_success();
    admin.get(&list).expect(404);
}

fn the_shown_name_changes_alone(world: &World) {
    let (tenant, [ivan, olga]) = with_two_users(world);
    let list = tenant.mail_list("friends").members(&[&ivan, &olga, "a@outside.example"]).create();
    let mut expected = list.show();
    list.put(&[("displayName", "Товарищи")]).expect_success();
    expected["displayName"] = json!("Товарищи");
    assert_eq!(list.show(), expected);
    list.put::<&str>(&[]).expect_success();
    list.put(&[("displayName", "")]).expect_wrong(&["displayName"]);
    list.put(&[("displayName", "a\nb")]).expect_wrong(&["displayName"]);
    assert_eq!(list.show(), expected);
    assert_eq!(list.entry().one("displayName"), "Товарищи");
}

fn a_renamed_list_keeps_everything_and_stays_a_member(world: &World) {
    let (tenant, [ivan, olga]) = with_two_users(world);
    let friends = tenant.mail_list("friends").members(&[&ivan, "a@outside.example"]).create();
    let all = tenant.mail_list("all").members(&[&friends.mail, &olga]).create();
    let comrades = tenant.list_named("comrades");
    let changes = [("newmail", &*comrades.mail), ("displayName", "Comrades"), ("alias", &olga)];
    friends.put(&changes).expect_success();
    tenant.admin().get(&friends).expect(404);
    assert_eq!(comrades.show()["displayName"], "Comrades");
    assert_eq!(comrades.members(), ["a@outside.example", &ivan, &olga]);
    assert_eq!(comrades.entry().all("mailAlternateAddress"), Vec::<&str>::new());
    assert_eq!(all.members(), [comrades.mail.as_str(), &olga]);
    assert!(all.member_dns().contains(&comrades.dn().to_lowercase()));
    // Its old address is free, and renaming it forth and back leaves nothing behind.
    comrades.put(&[("newmail", &friends.mail)]).expect_success();
    friends.put(&[("newmail", friends.mail.to_uppercase())]).expect_success();
    tenant.user("comrades").create();
    for (wrong, status) in [("comrades", 409), ("all", 409), ("ivan", 409)] {
        let answer =
            friends.put(&[("newmail", tenant.address(wrong)), ("displayName", "x".into())]).expect(status);
        assert!(answer.text().contains(&tenant.address(wrong)), "{}", answer.text());
    }
    for wrong in ["no-address", "list@elsewhere.example", "друзья@пример.рф"] {
        friends.put(&[("newmail", wrong)]).expect_wrong(&["newmail"]);
    }
    assert_eq!(friends.show()["displayName"], "Comrades");
}

fn a_list_shares_the_namespace_of_addresses(world: &World) {
    let (tenant, [ivan, _]) = with_two_users(world);
    tenant.user("boss").with("alias", &tenant.address("alias")).create();
    let gone = tenant.user("gone").create();
    tenant.admin().delete(&gone).expect_success();
    tenant.group("Rooms").create().resource("rome").create();
    tenant.mail_list("friends").members(&[&ivan]).create();
    for taken in ["ivan", "alias", "gone", "rome", "friends", "FRIENDS"] {
        let text = tenant.mail_list(taken).members(&["a@outside.example"]).post().expect(409).text();
        assert!(text.contains(&tenant.address(&taken.to_lowercase())), "{text}");
    }
    tenant.user("friends").put().expect(409);
    tenant.user("new").with("alias", &tenant.address("friends")).put().expect(409);
    tenant.admin().patch(tenant.named("boss"), &form(&[("mail", tenant.address("friends"))])).expect(409);
    tenant.group("Rooms").resource("friends").put().expect(409);
}

fn a_deleted_list_is_gone_at_once_and_leaves_other_lists(world: &World) {
    let (tenant, [ivan, olga]) = with_two_users(world);
    let friends = tenant.mail_list("friends").members(&[&ivan]).create();
    let all = tenant.mail_list("all").members(&[&friends.mail, &olga]).create();
    friends.delete().expect_success();
    tenant.admin().get(&friends).expect(404);
    friends.delete().expect(404);
    assert_eq!(world.probe().find(&format!("(mail={})", friends.mail)), []);
    assert_eq!(all.members(), [olga.as_str()]);
    assert_eq!(all.member_dns(), [tenant.named("olga").dn().to_lowercase()]);
    tenant.admin().get(tenant.named("ivan")).expect(200);
    tenant.user("friends").create();
}

/// Some lists with one member each: name and display name.
fn fill<'w>(tenant: &Tenant<'w>, names: &[(&str, &str)]) -> Vec<MailList<'w>> {
    let member = tenant.address("ivan");
    let list = |(name, shown): &(&str, &str)| {
        tenant.mail_list(name).with("displayName", shown).members(&[&member]).create()
    };
    names.iter().map(list).collect()
}

fn the_lists_page_sort_and_search(world: &World) {
    let (tenant, _) = with_two_users(world);
    fill(&tenant, &[("d", "анна"), ("c", "Анна"), ("b", "БОРИС"), ("a", "борис")]);
    tenant.mail_list("e").with("displayName", "x*y(z)").filter("ou=Sales").create();
    let page = |query: &str| tenant.admin().get(format!("{}&{query}", tenant.maillists())).expect(200);
    let listed = |query: &str| -> String {
        page(query).column("maillists", "mail").iter().map(|mail| mail.split('@').next().unwrap()).collect()
    };
    assert_eq!(listed(""), "abcde");
    assert_eq!(listed("sort=1"), "edcba");
    assert_eq!(listed("orderby=displayName&search=%D0%BD"), "cd");
    assert_eq!(listed("orderby=displayName&limit=2"), "ec");
    assert_eq!(listed("orderby=displayName&limit=2&page=2&sort=1"), "dc");
    assert_eq!(listed("limit=2&page=3"), "e");
    assert_eq!(listed("limit=2&page=4"), "");
    for (words, found) in
        [("борис", "ab"), ("БОРИС a@", "a"), ("*", "e"), ("y(", "e"), ("nobody", ""), ("  ", "abcde")]
    {
        assert_eq!(listed(&format!("search={}", encoded(words))), found, "{words}");
    }
    let answer = page("limit=2&page=3").json();
    let dynamic = json!({"mail": tenant.address("e"), "displayName": "x*y(z)", "filter": ["ou=Sales"]});
    let expected = json!({"maillists": [dynamic], "count": 5, "page": 3, "pages": 3, "per_page": 2});
    assert_eq!(answer, expected);
    let wrong = format!("{}&page=0&limit=1001&sort=2&orderby=cn", tenant.maillists());
    tenant.admin().get(wrong).expect_wrong(&["page", "limit", "sort", "orderby"]);
}

fn a_list_among_others_shows_the_first_thousand_members(world: &World) {
    let (tenant, _) = with_two_users(world);
    let members: Vec<_> = (0..1200).map(|number| format!("m{number:04}@outside.example")).collect();
    let references: Vec<_> = members.iter().rev().map(String::as_str).collect();
    let list = tenant.mail_list("many").members(&references).create();
    let page = tenant.admin().get(tenant.maillists()).expect(200).json();
    assert_eq!(page["maillists"][0]["members"], 1200);
    assert_eq!(page["maillists"][0]["alias"], json!(members[..1000]));
    assert_eq!(list.members(), members);
    assert_eq!(list.expanded(), members);
}

fn lists_of_other_tenants_are_not_seen(world: &World) {
    let ((ours, [ivan, _]), theirs) = (with_two_users(world), world.tenant());
    let friends = ours.mail_list("friends").members(&[&ivan]).create();
    assert_eq!(theirs.admin().get(theirs.maillists()).expect(200).json()["count"], 0);
    let here = MailList::request(&friends)
        .replace(&format!("tenant-id={}", ours.id), &format!("tenant-id={}", theirs.id));
    theirs.admin().put(&here, "displayName=x").expect(404);
    theirs.admin().delete(&here).expect(404);
    for answer in [
        theirs.admin().get(ours.maillists()),
        theirs.admin().get(&friends),
        theirs.admin().put(friends.request(), "displayName=x"),
        theirs.admin().delete(friends.request()),
        ours.mail_list("new").members(&[&ivan]).by(theirs.admin()).post(),
    ] {
        answer.expect(403);
    }
    assert_eq!(friends.show()["displayName"], "friends");
}

fn a_list_that_is_not_there_is_not_found(world: &World) {
    let (tenant, _) = with_two_users(world);
    for mail in [
        tenant.address("missing"),
        tenant.address("ivan"),
        "*".into(),
        "no address".into(),
        "a,b@x.test".into(),
    ] {
        let _case = Context::new(&mail);
        let request = format!("{}&mail={}", tenant.maillists(), encoded(&mail));
        let path = format!("/v2/maillists/{}/{}", tenant.id, encoded(&mail));
        for answer in [
            tenant.admin().get(&path),
            tenant.admin().put(&request, "displayName=x"),
            tenant.admin().delete(&request),
        ] {
            assert_eq!(answer.expect(404).message(), Value::from("There is no such mailing list."));
        }
    }
}

fn a_tenant_is_required_and_must_be_there(world: &World) {
    let (tenant, [ivan, _]) = with_two_users(world);
    let admin = world.root();
    let body = tenant.mail_list("friends").members(&[&ivan]).without("tenant-id").form();
    let answers = [
        admin.get("/v2/maillists"),
        admin.post("/v2/maillists", &body),
        admin.put("/v2/maillists", &body),
        admin.send("DELETE", "/v2/maillists", &body),
        admin.get("/v2/maillists?tenant-id="),
    ];
    for answer in answers {
        let answer = answer.expect_wrong(&["tenant-id"]);
        assert_eq!(answer.message()["tenant-id"], "tenant-id is a required value");
    }
    for id in [world.fresh_name().as_str(), "%2A", "a%2Cb", "%00"] {
        let _case = Context::new(id);
        let request = format!("/v2/maillists?tenant-id={id}");
        admin.get(&request).expect(404);
        admin.post(&request, &body).expect(404);
        admin.put(&request, &body).expect(404);
        admin.delete(format!("{request}&mail={}", tenant.address("friends"))).expect(404);
    }
}
