//! Lists in lists: cycles, all recipients, and the lists that a user belongs to.

use harness::{Context, MailList, Tenant, World};
use serde_json::{Value, json};

harness::trials! { "maillist_nesting":
    a_cycle_over_three_lists_is_refused_with_its_path,
    lists_may_meet_in_a_list_below,
    racing_changes_never_leave_a_cycle,
    racing_changes_over_three_lists_never_leave_a_cycle,
    an_expansion_opens_lists_and_shows_everybody_once,
    another_reader_expands_lists_just_so,
    a_cycle_made_by_others_does_no_harm,
    one_reads_where_one_is_a_member,
    a_membership_ends_with_what_it_came_from,
}

/// A list of one user besides the given members.
fn list<'w>(tenant: &Tenant<'w>, name: &str, members: &[&str]) -> MailList<'w> {
    let own = tenant.user(&format!("of-{name}")).create();
    tenant.mail_list(name).members(&[members, &[own.mail.as_str()]].concat()).create()
}

fn a_cycle_over_three_lists_is_refused_with_its_path(world: &World) {
    let tenant = world.tenant();
    let c = list(&tenant, "c", &[]);
    let b = list(&tenant, "b", &[&c.mail]);
    let a = list(&tenant, "a", &[&b.mail]);
    let before = tenant.entries();
    let path =
        |lists: &[&MailList<'_>]| lists.iter().map(|list| list.mail.as_str()).collect::<Vec<_>>().join(" → ");
    for (answer, parameter, cycle) in [
        (c.add(&[&a.mail]), "alias", path(&[&c, &a, &b, &c])),
        (c.put(&[("members", &a.mail)]), "members", path(&[&c, &a, &b, &c])),
        (b.add(&["x@outside.example", &a.mail]), "alias", path(&[&b, &a, &b])),
        (c.add(&[&b.mail]), "alias", path(&[&c, &b, &c])),
    ] {
        let message = answer.expect_wrong(&[parameter]).message();
        let reason = message[parameter].as_str().unwrap();
        assert!(reason.contains(&cycle), "{cycle}: {reason}");
    }
    for itself in [&a, &b, &c] {
        itself.add(&[&itself.mail]).expect_wrong(&["alias"]);
    }
    assert_eq!(tenant.entries(), before);
    // After the edge is removed, the opposite edge is possible.
    a.remove(&[&b.mail]).expect_success();
    c.add(&[&a.mail]).expect_success();
    a.add(&[&b.mail]).expect_wrong(&["alias"]);
    // A change that closes the cycle by one list and opens it at another in the same request does not make a cycle.
    b.put(&[("members", &a.mail)]).expect_success();
    a.put(&[("alias", &c.mail)]).expect_wrong(&["alias"]);
}

fn lists_may_meet_in_a_list_below(world: &World) {
    let tenant = world.tenant();
    let d = list(&tenant, "d", &[]);
    let [b, c] = ["b", "c"].map(|name| list(&tenant, name, &[&d.mail]));
    let a = list(&tenant, "a", &[&b.mail, &c.mail, &d.mail]);
    let everybody = ["a", "b", "c", "d"].map(|name| tenant.address(&format!("of-{name}")));
    assert_eq!(a.expanded(), everybody);
    d.add(&[&a.mail]).expect_wrong(&["alias"]);
}

/// Each list requests the next one as its member, all at once; not all of them can succeed.
fn race(world: &World, lists: &[MailList<'_>], parameter: &str) -> Vec<u16> {
    let mut statuses: Vec<_> = std::thread::scope(|scope| {
        let ask = |number: usize| {
            let (list, next) = (&lists[number], &lists[(number + 1) % lists.len()]);
            scope.spawn(move || list.put(&[(parameter, &next.mail)]).status)
        };
        let asked: Vec<_> = (0..lists.len()).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let closed = lists.iter().enumerate().filter(|(number, list)| {
        let next = &lists[(number + 1) % lists.len()];
        world
            .probe()
            .find_one(&format!("(mail={})", list.mail))
            .all("member")
            .iter()
            .any(|dn| dn.eq_ignore_ascii_case(&next.dn()))
    });
    let closed = closed.count();
    assert!(closed < lists.len(), "a cycle: {statuses:?}");
    assert_eq!(closed, statuses.iter().filter(|status| **status == 200).count(), "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 400, 409].contains(status)), "{statuses:?}");
    statuses.sort_unstable();
    statuses
}

fn racing_changes_never_leave_a_cycle(world: &World) {
    let tenant = world.tenant();
    let lists = ["a", "b"].map(|name| list(&tenant, name, &[]));
    let mut successes = 0;
    for round in 0..40 {
        let parameter = ["alias", "members"][round % 2];
        let _case = Context::new(format!("round {round}, {parameter}"));
        let statuses = race(world, &lists, parameter);
        successes += usize::from(statuses[0] == 200);
        for (number, list) in lists.iter().enumerate() {
            list.put(&[("members", tenant.address(["of-a", "of-b"][number]))]).expect_success();
        }
    }
    // Refusing all of them would be too easy.
    assert!(successes > 4, "{successes} of 40");
}

fn racing_changes_over_three_lists_never_leave_a_cycle(world: &World) {
    let tenant = world.tenant();
    let lists = ["a", "b", "c"].map(|name| list(&tenant, name, &[]));
    for round in 0..30 {
        let _case = Context::new(format!("round {round}"));
        race(world, &lists, "alias");
        for (number, list) in lists.iter().enumerate() {
            list.remove(&[&lists[(number + 1) % 3].mail]).expect_success();
        }
    }
}

fn an_expansion_opens_lists_and_shows_everybody_once(world: &World) {
    let tenant = world.tenant();
    let rome = tenant.group("Rooms").create().resource("rome").create();
    let shared = tenant.user("shared").create();
    let gone = tenant.user("gone").create();
    let vera = tenant.user("vera").with("ou", "Sales").create();
    let sales = tenant.mail_list("sales").filter("ou=Sales").create();
    let inner =
        list(&tenant, "inner", &[&shared.mail, &gone.mail, &rome.mail, &sales.mail, "a@outside.example"]);
    let outer = list(&tenant, "outer", &[&inner.mail, &shared.mail, &vera.mail, "a@outside.example"]);
    tenant.admin().delete(&gone).expect_success();
    let [of_inner, of_outer] = ["of-inner", "of-outer"].map(|name| tenant.address(name));
    let everybody = ["a@outside.example", &of_inner, &of_outer, &rome.mail, &shared.mail, &vera.mail];
    assert_eq!(outer.expanded(), everybody);
    // The expansion is only shown on request; lists are members, but not recipients.
    assert_eq!(outer.show().get("expanded"), None);
    assert_eq!(outer.members(), ["a@outside.example", &inner.mail, &of_outer, &shared.mail, &vera.mail]);
    let zero = tenant.admin().get(format!("{}?expand=0", outer.as_ref())).expect(200).json();
    assert_eq!(zero.get("expanded"), None);
    tenant.admin().get(format!("{}?expand=yes", outer.as_ref())).expect_wrong(&["expand"]);
}

/// The expansion by Postfix: from an address to the entries of its members and on, except deleted ones.
fn expanded_by_a_reader(
    world: &World,
    filter_or_dn: (&str, &str),
    found: &mut std::collections::BTreeSet<String>,
) {
    let (base, filter) = filter_or_dn;
    let scope = if base == world.probe().root { "sub" } else { "base" };
    for entry in world.probe().search(base, scope, &format!("(&{filter}(!(pbmDeletedSince=*)))")) {
        let (members, outside) = (entry.all("member"), entry.all("mgrpRFC822MailMember"));
        if members.is_empty() && outside.is_empty() {
            found.insert(entry.one("mail").to_owned());
        }
        found.extend(outside.into_iter().map(str::to_owned));
        for member in members {
            expanded_by_a_reader(world, (member, "(objectClass=*)"), found);
        }
    }
}

fn another_reader_expands_lists_just_so(world: &World) {
    let tenant = world.tenant();
    let [gone, renamed, alias] = ["gone", "renamed", "alias"]
        .map(|name| tenant.user(name).with("alias", &tenant.address(&format!("{name}-alias"))).create());
    let rome = tenant.group("Залы").create().resource("rome").create();
    let members = [&*gone.mail, &renamed.mail, &tenant.address("alias-alias"), "a@outside.example"];
    let inner = list(&tenant, "inner", &members);
    let outer = list(&tenant, "outer", &[&inner.mail, &alias.mail, &rome.mail, "b@outside.example"]);
    tenant.admin().delete(&gone).expect_success();
    tenant.admin().patch(&renamed, &format!("mail={}", tenant.address("new-name"))).expect_success();
    tenant.group("Залы").rename("Комнаты").expect_success();
    inner.put(&[("newmail", tenant.address("new-inner"))]).expect_success();
    let mut found = std::collections::BTreeSet::new();
    expanded_by_a_reader(world, (&world.probe().root, &format!("(mail={})", outer.mail)), &mut found);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), outer.expanded());
    assert_eq!(outer.expanded().len(), 7);
}

fn a_cycle_made_by_others_does_no_harm(world: &World) {
    let tenant = world.tenant();
    let b = list(&tenant, "b", &[]);
    let a = list(&tenant, "a", &[&b.mail]);
    world.probe().modify(&format!("dn: {}\nchangetype: modify\nadd: member\nmember: {}\n", b.dn(), a.dn()));
    let everybody = ["of-a", "of-b"].map(|name| tenant.address(name));
    assert_eq!((a.expanded(), b.expanded()), (everybody.to_vec(), everybody.to_vec()));
    let user = tenant.named("of-a");
    let answer = tenant.admin().get(format!("{}/maillists", user.as_ref())).expect(200).json();
    assert_eq!(answer["count"], 2);
    b.remove(&[&a.mail]).expect_success();
    assert_eq!(b.expanded(), everybody[1..]);
}

#[track_caller]
fn where_is(tenant: &Tenant<'_>, name: &str) -> Value {
    let path = format!("{}/maillists", tenant.named(name).as_ref());
    tenant.admin().get(path).expect(200).json()
}

/// The expected answer: names of lists, and whether the user is a direct member of each.
fn lists(tenant: &Tenant<'_>, expected: &[(&str, bool)]) -> Value {
    let list = |(name, direct): &(&str, bool)| json!({"mail": tenant.address(name), "displayName": name, "direct": direct});
    let (lists, count): (Vec<_>, _) = (expected.iter().map(list).collect(), expected.len());
    json!({"maillists": lists, "count": count, "page": 1, "pages": count.min(1), "per_page": 50})
}

fn one_reads_where_one_is_a_member(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("ou", "Sales").with("l", "Москва").create();
    let olga = tenant.user("olga").create();
    assert_eq!(where_is(&tenant, "ivan"), lists(&tenant, &[]));
    list(&tenant, "unrelated", &[&olga.mail]);
    let direct = list(&tenant, "direct", &[&ivan.mail]);
    let above = list(&tenant, "above", &[&direct.mail]);
    list(&tenant, "top", &[&above.mail]);
    list(&tenant, "both", &[&direct.mail, &ivan.mail]);
    let sales = tenant.mail_list("sales").filter("ou=Sales").filter("l=Москва").create();
    tenant.mail_list("others").filter("ou=Sales").filter("l=Омск").create();
    list(&tenant, "over-sales", &[&sales.mail]);
    let expected = lists(
        &tenant,
        &[
            ("above", false),
            ("both", true),
            ("direct", true),
            ("over-sales", false),
            ("sales", true),
            ("top", false),
        ],
    );
    assert_eq!(where_is(&tenant, "ivan"), expected);
    assert_eq!(where_is(&tenant, "olga"), lists(&tenant, &[("unrelated", true)]));
    let client = ivan.log_in();
    assert_eq!(client.get(format!("{}/maillists", ivan.as_ref())).expect(200).json()["count"], 6);
    client.get(format!("{}/maillists", olga.as_ref())).expect(403);
    tenant.admin().get(format!("{}/maillists", tenant.named("missing").as_ref())).expect(404);
}

fn a_membership_ends_with_what_it_came_from(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("ou", "Sales").create();
    let inner = list(&tenant, "inner", &[&ivan.mail]);
    let outer = list(&tenant, "outer", &[&inner.mail]);
    tenant.mail_list("sales").filter("ou=Sales").create();
    assert_eq!(where_is(&tenant, "ivan")["count"], 3);
    tenant.admin().patch(&ivan, "ou=Support").expect_success();
    assert_eq!(where_is(&tenant, "ivan"), lists(&tenant, &[("inner", true), ("outer", false)]));
    outer.remove(&[&inner.mail]).expect_success();
    assert_eq!(where_is(&tenant, "ivan"), lists(&tenant, &[("inner", true)]));
    tenant.admin().delete(&ivan).expect_success();
    tenant.admin().get(format!("{}/maillists", ivan.as_ref())).expect(404);
    tenant.admin().restore(&ivan).expect_success();
    inner.delete().expect_success();
    assert_eq!(where_is(&tenant, "ivan"), lists(&tenant, &[]));
}
