//! Outside members of mailing lists whose address becomes an address of the tenant.

use harness::{MailList, Tenant, World, encoded};
use serde_json::Value;
use std::thread;

harness::trials! { "adoption":
    whoever_gets_the_address_of_an_outside_member_is_the_member,
    an_alias_and_a_rename_are_addresses_too,
    a_member_is_shown_once_after_adding_again_and_not_after_its_deletion,
    a_user_that_comes_back_is_the_member_again,
    a_new_list_that_would_close_a_cycle_is_refused_with_its_path,
    a_rename_that_would_close_a_cycle_is_refused_with_its_path,
    a_list_that_gets_the_address_is_nested,
    a_domain_that_is_added_finds_who_has_its_addresses_already,
    addresses_of_other_tenants_and_other_domains_stay_outside,
    changes_at_once_lose_no_member_and_leave_no_cycle,
    what_others_have_written_is_mended_by_the_next_change_of_members,
}

/// A member that stays outside.
const ELSEWHERE: &str = "x@outside.example";

/// A tenant that will get another domain.
struct Fixture<'w> {
    world: &'w World,
    tenant: Tenant<'w>,
    domain: String,
}

impl<'w> Fixture<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, tenant: world.tenant(), domain: format!("{}.test", world.fresh_name()) }
    }

    fn mail(&self, name: &str) -> String {
        format!("{name}@{}", self.domain)
    }

    /// A list with outside members, before the domain belongs to the tenant.
    fn list(&self, name: &str, members: &[&str]) -> MailList<'w> {
        let members: Vec<_> = members.iter().map(|name| self.mail(name)).collect();
        let members: Vec<_> = members.iter().map(String::as_str).collect();
        self.tenant.mail_list(name).members(&members).create()
    }

    fn add_domain(&self) {
        let path = format!("{}/domains/{}", self.tenant.path(), encoded(&self.domain));
        self.world.root().put(path, "").expect_success();
    }

    /// Writes outside members into a list, as another program would.
    fn write_outside(&self, list: &MailList<'_>, mails: &[&str]) {
        self.world.probe().replace(&list.dn(), "mgrpRFC822MailMember", mails);
    }
}

/// The outside members of a list, as in its entry, in order.
fn outside(list: &MailList<'_>) -> Vec<String> {
    let mut outside: Vec<_> =
        list.entry().all("mgrpRFC822MailMember").into_iter().map(str::to_lowercase).collect();
    outside.sort_unstable();
    outside
}

/// Requires that a list has no outside members and exactly these members, in order.
#[track_caller]
fn assert_inside(list: &MailList<'_>, mails: &[&str]) {
    assert_eq!(outside(list), [""; 0]);
    assert_eq!(list.members(), mails);
    assert_eq!(list.member_dns().len(), mails.len(), "{:?}", list.member_dns());
}

fn whoever_gets_the_address_of_an_outside_member_is_the_member(world: &World) {
    let fixture = Fixture::new(world);
    let list = fixture.list("list", &["ivan", "room", "imported", "else"]);
    let other = fixture.list("other", &["ivan"]);
    fixture.add_domain();
    assert_eq!(outside(&list).len(), 4);
    let [ivan, room, imported, nobody] = ["ivan", "room", "imported", "else"].map(|name| fixture.mail(name));
    let users = fixture.tenant.users();
    fixture
        .tenant
        .admin()
        .put(format!("{users}/{ivan}"), &fixture.tenant.user("ivan").form())
        .expect_success();
    let group = fixture.tenant.group("Rooms").create();
    fixture.tenant.admin().put(format!("{}/{room}", group.resources()), "displayName=Room").expect_success();
    let row = format!("mail,userPassword,cn,sn,employeeNumber\n{imported},Correct-Horse-7,a,b,2\n");
    let by = fixture.tenant.admin().with_header("Content-Type", "text/csv");
    by.post(format!("{users}/bulk"), &row).expect(200);
    assert_eq!(outside(&list), [nobody.as_str()]);
    let mut expected = [nobody.as_str(), &imported, &ivan, &room];
    expected.sort_unstable();
    assert_eq!(list.members(), expected);
    assert_eq!(list.member_dns().len(), 3);
    assert_inside(&other, &[&ivan]);
    let memberships = fixture.tenant.admin().get(format!("{users}/{ivan}/maillists")).expect(200);
    assert_eq!(memberships.column("maillists", "mail"), [list.mail.clone(), other.mail.clone()]);
}

fn an_alias_and_a_rename_are_addresses_too(world: &World) {
    let fixture = Fixture::new(world);
    let list = fixture.list("list", &["alias", "renamed"]);
    let [ivan, olga] = ["ivan", "olga"].map(|name| fixture.tenant.user(name).create());
    fixture.add_domain();
    fixture.tenant.admin().patch(&ivan, &format!("alias={}", fixture.mail("alias"))).expect_success();
    assert_eq!(outside(&list), [fixture.mail("renamed")]);
    fixture.tenant.admin().patch(&olga, &format!("mail={}", fixture.mail("renamed"))).expect_success();
    let mut expected = [ivan.mail.as_str(), &fixture.mail("renamed")].map(str::to_owned);
    expected.sort_unstable();
    assert_inside(&list, &[&expected[0], &expected[1]]);
}

fn a_member_is_shown_once_after_adding_again_and_not_after_its_deletion(world: &World) {
    let fixture = Fixture::new(world);
    let list = fixture.list("list", &["ivan"]);
    fixture.add_domain();
    let ivan = fixture.mail("ivan");
    let path = format!("{}/{ivan}", fixture.tenant.users());
    let alias = fixture.tenant.address("vanya");
    fixture
        .tenant
        .admin()
        .put(&path, &fixture.tenant.user("ivan").with("alias", &alias).form())
        .expect_success();
    list.add(&[&ivan]).expect_success();
    list.add(&[&alias]).expect_success();
    assert_inside(&list, &[&ivan]);
    fixture.tenant.admin().delete(&path).expect_success();
    assert_eq!(list.members(), [""; 0]);
    assert_eq!(list.expanded(), [""; 0]);
}

fn a_user_that_comes_back_is_the_member_again(world: &World) {
    let fixture = Fixture::new(world);
    let list = fixture.tenant.mail_list("list").members(&[ELSEWHERE]).create();
    let user = fixture.tenant.user("ivan").create();
    fixture.tenant.admin().delete(&user).expect_success();
    // Another program writes the address of the deleted user into the list.
    fixture.write_outside(&list, &[&user.mail]);
    fixture.tenant.admin().restore(&user).expect_success();
    assert_inside(&list, &[&user.mail]);
}

#[track_caller]
fn assert_cycle(message: &Value, parameter: &str, path: &[&str]) {
    let reason = message[parameter].as_str().unwrap();
    assert!(reason.contains(&format!("its own member: {}", path.join(" → "))), "{reason}");
}

fn a_new_list_that_would_close_a_cycle_is_refused_with_its_path(world: &World) {
    let fixture = Fixture::new(world);
    let low = fixture.list("low", &["new"]);
    let middle = fixture.tenant.mail_list("middle").members(&[&low.mail]).create();
    fixture.add_domain();
    let before = fixture.tenant.entries();
    let new = fixture.mail("new");
    for (member, path) in [
        (&low, vec![low.mail.as_str(), &new, &low.mail]),
        (&middle, vec![low.mail.as_str(), &new, &middle.mail, &low.mail]),
    ] {
        let answer = fixture.tenant.mail_list("new").with("mail", &new).members(&[&member.mail]).post();
        assert_cycle(&answer.expect_wrong(&["alias"]).message(), "alias", &path);
        assert_eq!(fixture.tenant.entries(), before);
    }
}

fn a_rename_that_would_close_a_cycle_is_refused_with_its_path(world: &World) {
    let fixture = Fixture::new(world);
    let low = fixture.list("low", &["new", "own"]);
    let middle = fixture.tenant.mail_list("middle").members(&[&low.mail]).create();
    let top = fixture.tenant.mail_list("top").members(&[&middle.mail]).create();
    let free = fixture.tenant.mail_list("free").members(&[ELSEWHERE]).create();
    fixture.add_domain();
    let before = fixture.tenant.entries();
    let new = fixture.mail("new");
    for (list, path) in [
        (&low, vec![new.as_str(), &new]),
        (&middle, vec![low.mail.as_str(), &new, &low.mail]),
        (&top, vec![low.mail.as_str(), &new, &middle.mail, &low.mail]),
    ] {
        let message = list.put(&[("newmail", &new)]).expect_wrong(&["newmail"]).message();
        assert_cycle(&message, "newmail", &path);
        assert_eq!(fixture.tenant.entries(), before);
    }
    // With members that the same change adds.
    let message = free.put(&[("newmail", &new), ("alias", &top.mail)]).expect_wrong(&["newmail"]).message();
    assert_cycle(&message, "newmail", &[&low.mail, &new, &top.mail, &middle.mail, &low.mail]);
    assert_eq!(fixture.tenant.entries(), before);
    free.put(&[("newmail", &new)]).expect_success();
    assert_eq!(outside(&low), [fixture.mail("own")]);
}

fn a_list_that_gets_the_address_is_nested(world: &World) {
    let fixture = Fixture::new(world);
    let low = fixture.list("low", &["made", "renamed"]);
    let ivan = fixture.tenant.user("ivan").create();
    let friends = fixture.tenant.mail_list("friends").members(&[&ivan.mail]).create();
    fixture.add_domain();
    let [made, renamed] = ["made", "renamed"].map(|name| fixture.mail(name));
    let new = fixture.tenant.mail_list("made").with("mail", &made).members(&[ELSEWHERE]).create();
    friends.put(&[("newmail", &renamed)]).expect_success();
    assert_inside(&low, &[&made, &renamed]);
    let mut expected = [ivan.mail.as_str(), ELSEWHERE];
    expected.sort_unstable();
    assert_eq!(low.expanded(), expected);
    // From now on the usual check finds them.
    new.add(&[&low.mail]).expect_wrong(&["alias"]);
}

fn a_domain_that_is_added_finds_who_has_its_addresses_already(world: &World) {
    let fixture = Fixture::new(world);
    let list = fixture.list("list", &["ivan", "nobody"]);
    let user = fixture.tenant.user("ivan").create();
    // Another program has given the user an address before the tenant got the domain.
    world.probe().replace(&user.dn(), "mailAlternateAddress", &[&fixture.mail("ivan")]);
    fixture.add_domain();
    assert_eq!(outside(&list), [fixture.mail("nobody")]);
    assert_eq!(list.member_dns().len(), 1);
    assert!(list.member_dns()[0].to_lowercase().contains(&user.mail), "{:?}", list.member_dns());
}

fn addresses_of_other_tenants_and_other_domains_stay_outside(world: &World) {
    let fixture = Fixture::new(world);
    let list = fixture.list("list", &["ivan", "evan"]);
    let (other, domain) = (world.tenant(), &fixture.domain);
    world.root().put(format!("{}/domains/{domain}", other.path()), "").expect_success();
    let ivan = format!("{}/{}", other.users(), fixture.mail("ivan"));
    other.admin().put(ivan, &other.user("ivan").form()).expect_success();
    // The addresses of another tenant, of another domain with the same ending, and of a longer name.
    fixture.tenant.user("ivan").create();
    fixture.tenant.user("van").create();
    assert_eq!(outside(&list), [fixture.mail("evan"), fixture.mail("ivan")]);
    assert_eq!(list.member_dns().len(), 0);
}

fn changes_at_once_lose_no_member_and_leave_no_cycle(world: &World) {
    for round in 0..4 {
        let fixture = Fixture::new(world);
        let names = ["a", "b", "c", "d"];
        let list = fixture.list("list", &names);
        let low = fixture.list("low", &["new"]);
        let middle = fixture.tenant.mail_list("middle").members(&[ELSEWHERE]).create();
        fixture.add_domain();
        let new = fixture.mail("new");
        thread::scope(|scope| {
            for name in names {
                let (tenant, mail) = (&fixture.tenant, fixture.mail(name));
                scope.spawn(move || {
                    let user = tenant.user(name);
                    tenant.admin().put(format!("{}/{mail}", tenant.users()), &user.form()).expect_success();
                });
            }
            let (list, tenant) = (&list, &fixture.tenant);
            scope.spawn(move || list.add(&["more@outside.example"]).expect_success());
            // The new list adopts the middle one, which adopts the low one, which waits for the new one.
            let (new, low, middle) = (&new, &low, &middle);
            scope.spawn(move || {
                let new = tenant.mail_list("new").with("mail", new).members(&[&middle.mail]);
                assert!([200, 201, 400].contains(&new.post().status));
            });
            scope.spawn(move || assert!([200, 400].contains(&middle.add(&[&low.mail]).status)));
        });
        assert_eq!(outside(&list), ["more@outside.example"], "{round}");
        assert_eq!(list.member_dns().len(), names.len(), "{round}");
        let is_nested = !low.member_dns().is_empty();
        let holds_low = !middle.member_dns().is_empty();
        let new = fixture.tenant.admin().get(format!("/v2/maillists/{}/{new}", fixture.tenant.id));
        // All three edges would be a cycle: the new list contains the middle one, which contains the low one, which
        // contains the new one.
        assert!(!(new.status == 200 && is_nested && holds_low), "{round}");
        assert!(
            new.status != 200 || is_nested,
            "{round}: a list is not a member of the one that waited for it"
        );
    }
}

fn what_others_have_written_is_mended_by_the_next_change_of_members(world: &World) {
    let fixture = Fixture::new(world);
    let [ivan, olga] = ["ivan", "olga"].map(|name| fixture.tenant.user(name).create());
    let list = fixture.tenant.mail_list("list").members(&[ELSEWHERE]).create();
    fixture.write_outside(&list, &[&ivan.mail, ELSEWHERE, &list.mail]);
    list.add(&[&olga.mail]).expect_success();
    // The list's own address stays an outside address: as a member it would be a cycle.
    assert_eq!(outside(&list), [list.mail.as_str(), ELSEWHERE]);
    assert_eq!(list.member_dns().len(), 2);
}
