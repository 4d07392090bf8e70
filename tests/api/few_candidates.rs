//! Searches in batches, and filters that are evaluated instead of looked up, find the same entries as a plain search.

use harness::{Probe, Tenant, World, documented_filter, encoded};
use std::collections::BTreeSet;

harness::trials! { "few_candidates":
    other_readers_find_what_the_plain_filters_find,
    pages_of_more_than_ten_are_whole_and_in_order,
    members_are_found_by_the_dozen,
}

/// Entries of each kind: more than two batches of ten.
const MANY: usize = 23;

/// The names of the entries that a filter finds.
fn found(probe: &Probe, tenant: &Tenant<'_>, base: &str, filter: &str) -> BTreeSet<String> {
    let base = base.replace("<tenant>", &tenant.id).replace(",R", &format!(",{}", probe.root));
    probe.search(&base, "sub", filter).into_iter().map(|entry| entry.dn.to_lowercase()).collect()
}

fn other_readers_find_what_the_plain_filters_find(world: &World) {
    let tenant = world.tenant();
    let live = tenant.user("live").with("alias", &tenant.address("other")).create();
    let blocked = tenant.user("blocked").with("inetUserStatus", "0").create();
    let deleted = tenant.user("deleted").create();
    tenant.admin().delete(&deleted).expect_success();
    let list = tenant.mail_list("list").members(&[&live.mail]).create();
    let room = tenant.group("rooms").create().resource("room").create();
    let (probe, administrator) = (world.probe(), tenant.named("administrator"));
    let names = |dns: &[String]| dns.iter().map(|dn| dn.to_lowercase()).collect::<BTreeSet<_>>();

    let plain = "(&(objectClass=pbmUser)(|(mail=%s)(mailAlternateAddress=%s))(!(pbmDeletedSince=*)))";
    let of_list = "(&(objectClass=pbmMailList)(mail=%s)(!(pbmDeletedSince=*))(!(pbmPurging=*)))";
    let of_room = "(&(objectClass=pbmResource)(mail=%s)(!(pbmDeletedSince=*))(!(pbmPurging=*)))";
    let login = "(&(objectClass=pbmUser)(mail=%u)(!(pbmDeletedSince=*)))";
    let alias = tenant.address("other");
    let asked = [&live.mail, &alias, &blocked.mail, &deleted.mail, &list.mail, &room.mail];
    let by_address: [(&str, &str, [&[String]; 6]); 4] = [
        ("Postfix, mailbox exists", plain, [&[live.dn()], &[live.dn()], &[blocked.dn()], &[], &[], &[]]),
        ("query_filter", of_list, [&[], &[], &[], &[], &[list.dn()], &[]]),
        ("Postfix, resources", of_room, [&[], &[], &[], &[], &[], &[room.dn()]]),
        ("Dovecot, userdb", login, [&[live.dn()], &[], &[blocked.dn()], &[], &[], &[]]),
    ];
    for (reader, plain, expected) in by_address {
        let (base, filter) = documented_filter(reader);
        for (address, expected) in asked.iter().zip(expected) {
            let ask = |filter: &str| {
                found(&probe, &tenant, &base, &filter.replace("%s", address).replace("%u", address))
            };
            assert_eq!(ask(&filter), names(expected), "{reader}: {address}");
            assert_eq!(ask(plain), names(expected), "{reader}: {address}, plain");
        }
    }

    let people = "(&(objectClass=pbmUser)(inetUserStatus=1)(!(pbmDeletedSince=*)))";
    let lists = "(&(objectClass=pbmMailList)(!(pbmDeletedSince=*))(!(pbmPurging=*)))";
    let books = [
        ("address books, people", people, names(&[live.dn(), administrator.dn()])),
        ("address books, lists", lists, names(&[list.dn()])),
    ];
    for (reader, plain, expected) in books {
        let (base, filter) = documented_filter(reader);
        assert_eq!(found(&probe, &tenant, &base, &filter), expected, "{reader}");
        assert_eq!(found(&probe, &tenant, &base, plain), expected, "{reader}, plain");
    }
}

/// The names on all pages of a list, page by page.
fn walk(tenant: &Tenant<'_>, path: &str, [list, field]: [&str; 2], query: &str) -> Vec<String> {
    let join = if path.contains('?') { '&' } else { '?' };
    let page = |page: usize| {
        let path = format!("{path}{join}{query}&limit=12&page={page}");
        tenant.admin().get(path).column(list, field)
    };
    let pages: Vec<_> = (1..=MANY).map(page).take_while(|page| !page.is_empty()).collect();
    assert!(pages.iter().rev().skip(1).all(|page| page.len() == 12), "{path}: {pages:?}");
    pages.concat()
}

fn pages_of_more_than_ten_are_whole_and_in_order(world: &World) {
    let tenant = world.tenant();
    let rooms = tenant.group("g00").create();
    for number in 0..MANY {
        tenant.mail_list(&format!("list{number:02}")).members(harness::MEMBERS).create();
        rooms.resource(&format!("room{number:02}")).create();
        // Departments of that name are not groups.
        let user = tenant.user(&format!("user{number:02}")).with("ou", &format!("g{number:02}")).create();
        tenant.admin().delete(&user).expect_success();
        if number > 0 {
            tenant.group(&format!("g{number:02}")).create();
        }
    }
    let mails = |kind: &str| (0..MANY).map(|n| tenant.address(&format!("{kind}{n:02}"))).collect::<Vec<_>>();
    let groups = (0..MANY).map(|n| format!("g{n:02}")).collect();
    let deleted = format!("{}?deleted=1", tenant.users());
    let lists: [(&str, [&str; 2], Vec<String>, &str); 4] = [
        (&tenant.maillists(), ["maillists", "mail"], mails("list"), "list2"),
        (&rooms.resources(), ["resources", "mail"], mails("room"), "room2"),
        (&tenant.groups(), ["resourcegroups", "name"], groups, "g2"),
        (&deleted, ["users", "mail"], mails("user"), "user2"),
    ];
    for (path, of, mut expected, search) in lists {
        assert_eq!(walk(&tenant, path, of, "sort=0"), expected, "{path}");
        let of_search: Vec<_> = expected.iter().filter(|name| name.starts_with(search)).cloned().collect();
        assert_eq!(of_search.len(), 3);
        assert_eq!(walk(&tenant, path, of, &format!("search={search}")), of_search, "{path}");
        expected.reverse();
        assert_eq!(walk(&tenant, path, of, "sort=1"), expected, "{path}");
    }
}

fn members_are_found_by_the_dozen(world: &World) {
    let tenant = world.tenant();
    let users: Vec<_> = (0..MANY).map(|number| tenant.user(&format!("user{number:02}"))).collect();
    let users: Vec<_> = users
        .into_iter()
        .enumerate()
        .map(|(number, user)| user.with("alias", &tenant.address(&format!("alias{number:02}"))).create())
        .collect();
    let mails: Vec<_> = users.iter().map(|user| user.mail.clone()).collect();
    // Every other one by its alias, and outside ones in between.
    let outside = (0..MANY).map(|number| format!("someone@domain{number:02}.example"));
    let inside = (0..MANY).map(|number| match number % 2 {
        0 => mails[number].clone(),
        _ => tenant.address(&format!("alias{number:02}")),
    });
    let asked: Vec<_> = inside.chain(outside.clone()).collect();
    let list = tenant.mail_list("all").with("alias", &asked.join(",")).create();
    let expected: BTreeSet<_> = mails.iter().cloned().chain(outside.clone()).collect();
    assert_eq!(list.members().into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(list.expanded().into_iter().collect::<BTreeSet<_>>(), expected);
    // More than ten lists in one list, and more than ten lists with the same member.
    let lists: Vec<_> = (0..MANY)
        .map(|number| {
            tenant.mail_list(&format!("list{number:02}")).members(&[&mails[number], &mails[0]]).create()
        })
        .collect();
    let nested: Vec<_> = lists.iter().map(|list| list.mail.as_str()).collect();
    let top = tenant.mail_list("top").members(&nested).create();
    assert_eq!(top.expanded(), mails);
    let path = format!("{}/{}/maillists", tenant.users(), encoded(&mails[0]));
    let memberships = tenant.admin().get(path).column("maillists", "mail");
    let mut expected: Vec<_> = lists.iter().map(|list| list.mail.clone()).collect();
    expected.extend([list.mail.clone(), top.mail.clone()]);
    expected.sort_unstable();
    assert_eq!(memberships, expected);
    // A deleted user is no longer shown, and unknown addresses are named.
    tenant.admin().delete(&users[1]).expect_success();
    assert!(!list.expanded().contains(&mails[1]) && !top.expanded().contains(&mails[1]));
    let wrong = list.add(&[&mails[2], &tenant.address("nobody")]).expect_wrong(&["alias"]);
    assert!(wrong.text().contains("nobody@") && !wrong.text().contains("user02@"), "{}", wrong.text());
}
