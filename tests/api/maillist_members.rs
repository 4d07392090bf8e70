//! The members of mailing lists: who can be a member, and how members are added, removed, renamed and deleted.

use harness::{Context, MailList, Tenant, World, form};
use serde_json::json;

harness::trials! { "maillist_members":
    an_alias_of_a_user_is_that_user,
    a_member_twice_is_one_member,
    members_are_added_taken_out_and_set,
    changes_of_members_do_not_mix,
    outside_addresses_stand_in_the_directory_as_addresses,
    who_cannot_be_a_member_is_refused,
    a_refused_member_refuses_the_whole_request,
    more_than_5000_members_in_a_request_are_refused,
    of_200_clients_who_add_a_member_each_nobody_is_lost,
    clients_who_add_and_take_out_at_once_do_not_disturb_each_other,
    renamed_members_stay_members,
    deleted_users_are_hidden_and_back_after_a_restore,
    blocked_users_stay_members,
    deleted_lists_and_resources_are_members_no_more,
    members_with_special_characters_are_members_like_others,
}

fn with_users<'w, const N: usize>(world: &'w World, names: [&str; N]) -> (Tenant<'w>, [String; N]) {
    let tenant = world.tenant();
    let mails = names.map(|name| tenant.user(name).create().mail);
    (tenant, mails)
}

fn an_alias_of_a_user_is_that_user(world: &World) {
    let tenant = world.tenant();
    let [boss, chief] = ["boss", "chief"].map(|name| tenant.address(name));
    let ivan = tenant.user("ivan").with("alias", &format!("{boss},{chief}")).create();
    let dn = [ivan.dn().to_lowercase()];
    let list = tenant.mail_list("friends").members(&[&boss]).create();
    assert_eq!((list.members(), list.member_dns()), (vec![ivan.mail.clone()], dn.to_vec()));
    list.add(&[&chief, &ivan.mail, &boss.to_uppercase()]).expect_success();
    assert_eq!((list.members(), list.member_dns()), (vec![ivan.mail.clone()], dn.to_vec()));
    assert_eq!(list.expanded(), [ivan.mail.as_str()]);
    list.add(&["a@outside.example"]).expect_success();
    list.remove(&[&chief]).expect_success();
    assert_eq!(list.members(), ["a@outside.example"]);
    list.put(&[("members", &boss)]).expect_success();
    assert_eq!(list.members(), [ivan.mail.as_str()]);
    // The alias may be removed, the member stays.
    tenant.admin().patch(&ivan, "alias=").expect_success();
    assert_eq!(list.members(), [ivan.mail.as_str()]);
}

fn a_member_twice_is_one_member(world: &World) {
    let (tenant, [ivan, olga]) = with_users(world, ["ivan", "olga"]);
    let twice = [&*ivan, &olga, &ivan.to_uppercase(), "a@outside.example", "A@OUTSIDE.example"];
    let list = tenant.mail_list("friends").members(&twice).create();
    let expected = ["a@outside.example", &ivan, &olga];
    assert_eq!(list.members(), expected);
    list.add(&twice).expect_success();
    list.add(&[&ivan]).expect_success();
    assert_eq!(list.members(), expected);
    list.put(&[("members", twice.join(","))]).expect_success();
    assert_eq!(list.members(), expected);
    assert_eq!(list.member_dns().len(), 2);
    assert_eq!(list.entry().one("mgrpRFC822MailMember"), "a@outside.example");
}

fn members_are_added_taken_out_and_set(world: &World) {
    let (tenant, [a, b, c, d]) = with_users(world, ["a", "b", "c", "d"]);
    let list = tenant.mail_list("friends").members(&[&a]).create();
    list.add(&[&b, "x@outside.example"]).expect_success();
    assert_eq!(list.members(), [a.as_str(), &b, "x@outside.example"]);
    // Removing an address that is not a member is not an error.
    list.remove(&[&c, "x@outside.example", "nobody@outside.example", &tenant.address("nobody")])
        .expect_success();
    assert_eq!(list.members(), [a.as_str(), &b]);
    list.put(&[("alias", format!("{c},{d}")), ("remove", a.clone())]).expect_success();
    assert_eq!(list.members(), [b.as_str(), &c, &d]);
    list.put(&[("members", format!("{a},{d},y@outside.example"))]).expect_success();
    assert_eq!(list.members(), [a.as_str(), &d, "y@outside.example"]);
    list.put(&[("members", &a)]).expect_success();
    assert_eq!((list.members(), list.entry().one("mgrpRFC822MailMember")), (vec![a.clone()], ""));
    list.put(&[("members", "z@outside.example")]).expect_success();
    assert_eq!((list.members(), list.member_dns()), (vec!["z@outside.example".to_owned()], vec![]));
    list.put(&[("alias", "")]).expect_success();
    list.put(&[("remove", "")]).expect_success();
    list.put(&[("members", "")]).expect_wrong(&["members"]);
    assert_eq!(list.members(), ["z@outside.example"]);
}

fn changes_of_members_do_not_mix(world: &World) {
    let (tenant, [a, b]) = with_users(world, ["a", "b"]);
    let list = tenant.mail_list("friends").members(&[&a]).create();
    let before = list.entry();
    for (one, other) in [
        ("alias", "members"),
        ("remove", "members"),
        ("members", "filter"),
        ("alias", "filter"),
        ("remove", "filter"),
    ] {
        let value = |name| if name == "filter" { "ou=Sales" } else { b.as_str() };
        let answer = list.put(&[(one, value(one)), (other, value(other))]).expect(400);
        assert!(answer.message().is_object(), "{}", answer.text());
    }
    assert_eq!(list.entry(), before);
}

fn outside_addresses_stand_in_the_directory_as_addresses(world: &World) {
    let (tenant, [ivan]) = with_users(world, ["ivan"]);
    let outside = ["o'neil+x@outside.example", "ivan@sub.outside.example", "ivan@почта.рф"];
    let list = tenant.mail_list("friends").members(&outside).create();
    let expected = ["ivan@sub.outside.example", "ivan@xn--80a1acny.xn--p1ai", "o'neil+x@outside.example"];
    assert_eq!(list.members(), expected);
    let entry = list.entry();
    let mut stored = entry.all("mgrpRFC822MailMember");
    stored.sort_unstable();
    assert_eq!((stored, entry.all("member")), (expected.to_vec(), vec![]));
    list.add(&[&ivan, "ivan@xn--80a1acny.xn--p1ai"]).expect_success();
    assert_eq!(list.members().len(), 4);
    list.remove(&outside).expect_success();
    assert_eq!((list.members(), list.entry().all("mgrpRFC822MailMember")), (vec![ivan], vec![]));
}

fn who_cannot_be_a_member_is_refused(world: &World) {
    let (tenant, [ivan]) = with_users(world, ["ivan"]);
    let theirs = world.tenant();
    let olga = theirs.user("olga").create();
    let list = tenant.mail_list("friends").members(&[&ivan]).create();
    let before = (tenant.entries(), theirs.entries());
    let strangers = [
        tenant.address("nobody"),
        olga.mail.clone(),
        theirs.address("nobody"),
        "admin@example.com".to_owned(),
        list.mail.clone(),
        list.mail.to_uppercase(),
    ];
    for stranger in &strangers {
        let _case = Context::new(stranger);
        let answer = list.add(&[stranger]).expect_wrong(&["alias"]);
        let text = answer.text();
        assert!(text.contains(&stranger.to_lowercase()) && !text.contains("olga,"), "{text}");
        list.put(&[("members", stranger)]).expect_wrong(&["members"]);
        if !stranger.eq_ignore_ascii_case(&list.mail) {
            tenant.mail_list("new").members(&[stranger]).post().expect_wrong(&["alias"]);
        }
    }
    // The message about an address is the same whether or not it exists.
    let text = |mail: &str| list.add(&[mail]).text().replace(mail, "");
    assert_eq!(text(&olga.mail), text(&theirs.address("nobody")));
    tenant.mail_list("new").members(&[&tenant.address("new")]).post().expect_wrong(&["alias"]);
    for wrong in
        ["nobody", "a b@outside.example", "иван@outside.example", "@outside.example", "\0@x.test", "*"]
    {
        let _case = Context::new(format!("{wrong:?}"));
        list.add(&[wrong]).expect_wrong(&["alias"]);
        list.put(&[("members", wrong)]).expect_wrong(&["members"]);
        tenant.mail_list("new").members(&[wrong]).post().expect_wrong(&["alias"]);
    }
    assert_eq!((tenant.entries(), theirs.entries()), before);
}

fn a_refused_member_refuses_the_whole_request(world: &World) {
    let (tenant, [ivan, olga]) = with_users(world, ["ivan", "olga"]);
    let list = tenant.mail_list("friends").members(&[&ivan]).create();
    let before = tenant.entries();
    let nobody = tenant.address("nobody");
    let alias = format!("{olga},{nobody},a@outside.example");
    let changes = [("alias", alias.as_str()), ("displayName", "x"), ("newmail", &tenant.address("renamed"))];
    list.put(&changes).expect_wrong(&["alias"]);
    list.put(&[("members", alias.as_str()), ("displayName", "x")]).expect_wrong(&["members"]);
    let answer = list.put(&[("alias", &*nobody), ("newmail", "x"), ("displayName", "\0")]).expect(400);
    assert!(answer.message()["newmail"].is_string() && answer.message()["displayName"].is_string());
    assert_eq!(tenant.entries(), before);
}

fn more_than_5000_members_in_a_request_are_refused(world: &World) {
    let (tenant, [ivan]) = with_users(world, ["ivan"]);
    let list = tenant.mail_list("friends").members(&[&ivan]).create();
    let before = tenant.entries();
    let many: Vec<_> = (0..5001).map(|number| format!("m{number}@outside.example")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let parts = |name| -> Vec<_> { many.chunks(1000).map(|part| (name, part.join(","))).collect() };
    for name in ["alias", "members"] {
        let answer = list.put(&parts(name)).expect_wrong(&[name]);
        assert!(answer.text().contains("5000") && answer.body.len() < 1000, "{}", answer.text());
    }
    let new = parts("alias").iter().fold(tenant.mail_list("new"), |new, (name, part)| new.and(name, part));
    new.post().expect_wrong(&["alias"]);
    assert_eq!(tenant.entries(), before);
    // A value holds at most 64 KB, so many members need several values.
    list.add(&many).expect_wrong(&["alias"]);
    list.put(&parts("alias")[..5]).expect_success();
    assert_eq!(list.members().len(), 5001);
    list.put(&parts("alias")[1..]).expect_success();
    assert_eq!(list.members().len(), 5002);
    for part in many[1..5000].chunks(1000) {
        list.remove(part).expect_success();
    }
    assert_eq!(list.members(), [ivan.as_str(), many[0], many[5000]]);
}

/// Runs a function in as many threads as there are names, 20 at a time.
fn at_once(names: &[String], act: impl Fn(usize, &str) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(name) = names.get(number) else { break };
                    act(number, name);
                }
            });
        }
    });
}

fn of_200_clients_who_add_a_member_each_nobody_is_lost(world: &World) {
    let (tenant, [first]) = with_users(world, ["first"]);
    let list = tenant.mail_list("friends").members(&[&first]).create();
    // Half of them have an entry here, half are elsewhere.
    let names: Vec<_> = (0..200).map(|number| format!("m{number:03}")).collect();
    let mail = |number: usize, name: &str| match number % 2 {
        0 => tenant.address(name),
        _ => format!("{name}@outside.example"),
    };
    at_once(&names, |number, name| {
        if number % 2 == 0 {
            tenant.user(name).create();
        }
    });
    std::thread::scope(|scope| {
        for (number, name) in names.iter().enumerate() {
            let (list, mail) = (&list, mail(number, name));
            scope.spawn(move || list.add(&[&mail]).expect_success());
        }
    });
    let mut expected: Vec<_> = names.iter().enumerate().map(|(number, name)| mail(number, name)).collect();
    expected.push(first);
    expected.sort_unstable();
    assert_eq!(list.members(), expected);
    assert_eq!((list.member_dns().len(), list.entry().all("mgrpRFC822MailMember").len()), (101, 100));
}

fn clients_who_add_and_take_out_at_once_do_not_disturb_each_other(world: &World) {
    let (tenant, [first]) = with_users(world, ["first"]);
    let mail = |kind: &str, number: usize| format!("{kind}{number:02}@outside.example");
    let old: Vec<_> = (0..40).map(|number| mail("old", number)).collect();
    let list = tenant.mail_list("friends").members(&[&first]).create();
    list.add(&old.iter().map(String::as_str).collect::<Vec<_>>()).expect_success();
    std::thread::scope(|scope| {
        for (number, old) in old.iter().enumerate() {
            let list = &list;
            scope.spawn(move || match number % 4 {
                0 => list.remove(&[old]).expect_success(),
                1 => list.put(&[("displayName", old)]).expect_success(),
                2 => list.put(&[("alias", mail("new", number)), ("remove", old.clone())]).expect_success(),
                _ => list.add(&[&mail("new", number)]).expect_success(),
            });
        }
    });
    let stay = old.iter().enumerate().filter(|(number, _)| number % 4 % 2 == 1).map(|(_, mail)| mail.clone());
    let come = (0..40).filter(|number| number % 4 > 1).map(|number| mail("new", number));
    let mut expected: Vec<_> = stay.chain(come).chain([first]).collect();
    expected.sort_unstable();
    assert_eq!(list.members(), expected);
}

fn renamed_members_stay_members(world: &World) {
    let (tenant, [ivan, olga]) = with_users(world, ["ivan", "olga"]);
    let rooms = tenant.group("Rooms").create();
    let rome = rooms.resource("rome").create();
    let inner = tenant.mail_list("inner").members(&[&olga]).create();
    let list = tenant.mail_list("friends").members(&[&ivan, &rome.mail, &inner.mail]).create();
    tenant.admin().patch(tenant.named("ivan"), &form(&[("mail", tenant.address("petr"))])).expect_success();
    inner.put(&[("newmail", tenant.address("outer"))]).expect_success();
    rooms.rename("Halls").expect_success();
    let [outer, petr] = ["outer", "petr"].map(|name| tenant.address(name));
    assert_eq!(list.members(), [outer.as_str(), &petr, &rome.mail]);
    assert_eq!(list.expanded(), [olga.as_str(), &petr, &rome.mail]);
    let rome = rooms.renamed("Halls").named("rome");
    let mut dns =
        [tenant.named("petr").dn(), tenant.list_named("outer").dn(), rome.dn()].map(|dn| dn.to_lowercase());
    dns.sort_unstable();
    assert_eq!(list.member_dns(), dns);
    // A new user with the old address is a different user.
    tenant.user("ivan").create();
    assert_eq!(list.members(), [outer.as_str(), &petr, &rome.mail]);
    list.remove(&[&petr]).expect_success();
    assert_eq!(list.members(), [outer.as_str(), &rome.mail]);
}

/// The displayed data of a list: its members, their number, and all users who get its mail.
fn shown(list: &MailList<'_>) -> (Vec<String>, Vec<String>) {
    (list.members(), list.expanded())
}

fn deleted_users_are_hidden_and_back_after_a_restore(world: &World) {
    let (tenant, [ivan, olga]) = with_users(world, ["ivan", "olga"]);
    let list = tenant.mail_list("friends").members(&[&ivan, &olga]).create();
    let all = tenant.mail_list("all").members(&[&list.mail]).create();
    let (before, entry) = (shown(&list), list.entry());
    tenant.admin().delete(tenant.named("ivan")).expect_success();
    assert_eq!(shown(&list), (vec![olga.clone()], vec![olga.clone()]));
    assert_eq!(all.expanded(), [olga.as_str()]);
    let page = tenant.admin().get(tenant.maillists()).json();
    let expected = json!({"mail": list.mail, "displayName": "friends", "alias": [olga], "members": 1});
    assert_eq!(page["maillists"][1], expected);
    // The membership itself is kept until the user is undeleted.
    assert_eq!(list.member_dns().len(), 2);
    list.add(&[&ivan]).expect_wrong(&["alias"]);
    list.put(&[("displayName", "friends")]).expect_success();
    tenant.admin().restore(tenant.named("ivan")).expect_success();
    assert_eq!(shown(&list), before);
    assert_eq!(list.entry().without(&["pbmRevision"]), entry.without(&["pbmRevision"]));
}

fn blocked_users_stay_members(world: &World) {
    let (tenant, [ivan, olga]) = with_users(world, ["ivan", "olga"]);
    let list = tenant.mail_list("friends").members(&[&ivan]).create();
    let before = shown(&list);
    tenant.admin().patch(tenant.named("ivan"), "inetUserStatus=0").expect_success();
    assert_eq!(shown(&list), before);
    list.add(&[&olga]).expect_success();
    assert_eq!(list.members(), [ivan.as_str(), &olga]);
}

fn deleted_lists_and_resources_are_members_no_more(world: &World) {
    let (tenant, [ivan]) = with_users(world, ["ivan"]);
    let rooms = tenant.group("Rooms").create();
    let [rome, oslo, bern] = ["rome", "oslo", "bern"].map(|name| rooms.resource(name).create());
    let inner = tenant.mail_list("inner").members(&[&ivan]).create();
    let list =
        tenant.mail_list("friends").members(&[&rome.mail, &oslo.mail, &bern.mail, &inner.mail]).create();
    tenant.admin().delete(&oslo).expect_success();
    assert_eq!(list.members(), [bern.mail.as_str(), &inner.mail, &rome.mail]);
    inner.delete().expect_success();
    assert_eq!(list.members(), [bern.mail.as_str(), &rome.mail]);
    tenant.admin().delete(&rooms).expect_success();
    assert_eq!((list.members(), list.member_dns()), (vec![], vec![]));
    // A list without members is still a list.
    assert_eq!(list.expanded(), Vec::<String>::new());
    list.add(&[&ivan]).expect_success();
    assert_eq!(list.members(), [ivan.as_str()]);
}

fn members_with_special_characters_are_members_like_others(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan+1=x").create();
    let rooms = tenant.group("Залы, +\"a\"=b").create();
    let rome = rooms.resource("#rome+2").create();
    let inner = tenant.mail_list("in/n&er+3").members(&[&ivan.mail]).create();
    let list = tenant.mail_list("o'uter").members(&[&ivan.mail, &rome.mail, &inner.mail]).create();
    let expected = [&rome.mail, &inner.mail, &ivan.mail].map(String::as_str);
    assert_eq!(list.members(), expected);
    assert_eq!(list.expanded(), [&rome.mail, &ivan.mail].map(String::as_str));
    list.add(&expected).expect_success();
    assert_eq!((list.members().len(), list.member_dns().len()), (3, 3));
    let answer = tenant.admin().get(format!("{}/maillists", ivan.as_ref()));
    assert_eq!(answer.column("maillists", "mail"), [&inner.mail, &list.mail].map(String::as_str));
    inner.add(&[&list.mail]).expect_wrong(&["alias"]);
    inner.put(&[("newmail", tenant.address("plain"))]).expect_success();
    let plain = tenant.address("plain");
    assert_eq!(list.members(), [&rome.mail, &ivan.mail, &plain].map(String::as_str));
    list.remove(&[&ivan.mail, &rome.mail]).expect_success();
    assert_eq!(list.members(), [plain]);
}
