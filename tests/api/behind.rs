//! Changes that other programs make to the directory: visible within a second.

use harness::{Follower, MEMBERS, Tenant, World, assert_same, ldif_line};
use std::fmt::Write;

harness::trials! { "behind":
    entries_that_others_add_change_and_remove_are_seen,
    users_that_others_block_and_delete_are_seen,
    renames_by_others_are_seen,
    a_user_who_moves_to_another_tenant_is_seen_there_alone,
    a_folder_that_is_renamed_takes_its_contacts_along,
    outside_contacts_come_and_go_by_hundreds,
    changes_that_concern_nobody_are_no_matter,
}

/// A tenant and an up-to-date follower of it, if there is a feed.
struct Watched<'w> {
    world: &'w World,
    tenant: Tenant<'w>,
    follower: Option<Follower>,
}

impl<'w> Watched<'w> {
    fn new(world: &'w World) -> Self {
        let tenant = world.tenant();
        let mut follower = world.has_redis().then(|| tenant.book().follower(100));
        if let Some(follower) = &mut follower {
            follower.catch_up();
        }
        Self { world, tenant, follower }
    }

    /// Requires that every reader shows the contents of the directory within a second.
    #[track_caller]
    fn assert_seen(&mut self, what: &str) {
        self.tenant.assert_book_is_right_soon(what);
        if let Some(follower) = &mut self.follower {
            assert_same(what, &follower.catch_up().clone(), &self.world.expected_book(&self.tenant.id).all());
            assert_eq!(follower.restarts, 0, "{what}");
        }
    }

    fn add_user(&self, name: &str) -> String {
        let (tenant, mail) = (&self.tenant, self.tenant.address(name));
        let classes = ["inetOrgPerson", "inetUser", "mailRecipient", "pbmUser"];
        let classes =
            classes.iter().map(|class| ldif_line("objectClass", class)).collect::<Vec<_>>().concat();
        let own = format!("mail: {mail}\ncn: {name}\nsn: Behind\ninetUserStatus: 1\nemployeeNumber: 2\n");
        let dn = tenant.named(name).dn();
        self.world.probe().modify(&format!("dn: {dn}\nchangetype: add\n{classes}{own}employeeType: 3\n"));
        dn
    }
}

fn entries_that_others_add_change_and_remove_are_seen(world: &World) {
    let mut watched = Watched::new(world);
    let probe = world.probe();
    let dn = watched.add_user("ivan");
    watched.assert_seen("a user is added");
    assert_eq!(watched.tenant.book().suggested("behind"), ["ivan"]);
    for (attribute, values) in [
        ("displayName", &["Ёлкин Иван"][..]),
        ("title", &["Director"]),
        ("employeeType", &["0"]),
        ("employeeType", &["2"]),
        ("employeeType", &[]),
        ("displayName", &[]),
        ("mailAlternateAddress", &[&*watched.tenant.address("b"), &watched.tenant.address("a")]),
        ("mailAlternateAddress", &[]),
        ("cn", &["Пётр"]),
    ] {
        probe.replace(&dn, attribute, values);
        watched.assert_seen(&format!("{attribute} is {values:?}"));
    }
    assert_eq!(watched.tenant.book().suggested("петр behi"), ["ivan"]);
    probe.delete(&dn);
    watched.assert_seen("a user is removed");
    let list = watched.tenant.mail_list("sales").members(MEMBERS).create();
    probe.replace(&list.dn(), "displayName", &["Продажи"]);
    watched.assert_seen("a list is changed");
    probe.replace(&list.dn(), "description", &["Все, кто продаёт"]);
    watched.assert_seen("a list has a description");
    probe.delete(&list.dn());
    watched.assert_seen("a list is removed");
    let room = watched.tenant.group("Rooms").create().resource("rome").create();
    probe.replace(&room.dn(), "employeeType", &["2"]);
    watched.assert_seen("a resource is hidden");
    probe.replace(&room.dn(), "employeeType", &[]);
    watched.assert_seen("a resource is as usual");
    probe.delete(&room.dn());
    watched.assert_seen("a resource is removed");
}

fn users_that_others_block_and_delete_are_seen(world: &World) {
    let mut watched = Watched::new(world);
    let probe = world.probe();
    let ivan = watched.tenant.user("ivan").create();
    for (attribute, value, undone) in [
        ("inetUserStatus", "0", "1"),
        ("nsAccountLock", "true", ""),
        ("pbmDeletedSince", "20260101000000Z", ""),
        ("pbmPurging", "TRUE", ""),
    ] {
        probe.replace(&ivan.dn(), attribute, &[value]);
        watched.assert_seen(attribute);
        assert!(!watched.tenant.book().has(&ivan.mail), "{attribute}");
        let undone: &[&str] = if undone.is_empty() { &[] } else { &[undone] };
        probe.replace(&ivan.dn(), attribute, undone);
        watched.assert_seen(&format!("no {attribute}"));
        assert!(watched.tenant.book().has(&ivan.mail), "{attribute}");
    }
}

fn renames_by_others_are_seen(world: &World) {
    let mut watched = Watched::new(world);
    let probe = world.probe();
    let ivan = watched.tenant.user("ivan").create();
    let id = watched.tenant.book().contact(&ivan.mail)["id"].clone();
    for name in ["ivan2", "ivan3", "ivan"] {
        let old =
            watched.tenant.book().contacts("search=ivan").remove(0)["mail"].as_str().unwrap().to_owned();
        let dn = watched.tenant.named(old.split('@').next().unwrap()).dn();
        probe.rename(&dn, &format!("mail={}", watched.tenant.address(name)), None);
        watched.assert_seen(name);
        assert_eq!(watched.tenant.book().contact(&watched.tenant.address(name))["id"], id);
    }
    let outside =
        watched.tenant.add_outside("One", &format!("one@outside-{}.example", watched.tenant.id), "");
    watched.assert_seen("an outside contact");
    probe.rename(&outside, "cn=Two", None);
    watched.assert_seen("an outside contact is renamed");
    assert_eq!(watched.tenant.book().suggested("two"), ["one"]);
}

fn a_user_who_moves_to_another_tenant_is_seen_there_alone(world: &World) {
    let mut watched = [Watched::new(world), Watched::new(world)];
    let ivan = watched[0].tenant.user("ivan").create();
    let (mut dn, rdn) = (ivan.dn(), format!("mail={}", ivan.mail));
    for tenant in &mut watched {
        tenant.assert_seen("before");
    }
    for place in [1, 0, 1] {
        let folder = format!("ou={},ou=People,{}", watched[place].tenant.id, world.probe().root);
        world.probe().rename(&dn, &rdn, Some(&folder));
        dn = format!("{rdn},{folder}");
        // Each within a second of the move, so the new place is checked first.
        watched[1 - place].assert_seen("moved away");
        watched[place].assert_seen("moved here");
        assert!(watched[place].tenant.book().has(&ivan.mail));
        assert!(!watched[1 - place].tenant.book().has(&ivan.mail));
    }
}

fn a_folder_that_is_renamed_takes_its_contacts_along(world: &World) {
    let mut watched = Watched::new(world);
    let rooms = watched.tenant.group("Rooms").create();
    for name in ["rome", "oslo", "riga"] {
        rooms.resource(name).create();
    }
    watched.assert_seen("before");
    world.probe().rename(&rooms.dn(), "ou=Залы", None);
    watched.assert_seen("a group is renamed");
    let shown = watched.tenant.book().contacts("kind=resource");
    assert!(shown.len() == 3 && shown.iter().all(|contact| contact["group"] == "Залы"), "{shown:?}");
    // Folders of outside contacts can be moved, and deleted with all their entries.
    let folder = format!("ou=One,{}", watched.tenant.outside());
    world.probe().modify(&format!("dn: {folder}\nchangetype: add\nobjectClass: organizationalUnit\n"));
    for number in 0..3 {
        let mail = format!("p{number}@outside-{}.example", watched.tenant.id);
        let dn = watched.tenant.add_outside(&format!("p{number}"), &mail, "");
        world.probe().rename(&dn, &format!("cn=p{number}"), Some(&folder));
    }
    watched.assert_seen("contacts in a folder");
    world.probe().rename(&folder, "ou=Two", None);
    watched.assert_seen("the folder is renamed");
    assert_eq!(watched.tenant.book().page("kind=contact")["count"], 3);
    // To another tenant with the whole folder, and back.
    let other = world.tenant();
    world.probe().rename(&format!("ou=Two,{}", watched.tenant.outside()), "ou=Two", Some(&other.outside()));
    watched.assert_seen("the folder is moved away");
    other.assert_book_is_right_soon("the folder is moved here");
    assert_eq!(watched.tenant.book().page("kind=contact")["count"], 0);
    assert_eq!(other.book().page("kind=contact")["count"], 3);
}

const MANY: usize = 300;

fn outside_contacts_come_and_go_by_hundreds(world: &World) {
    let mut watched = Watched::new(world);
    let folder = watched.tenant.outside();
    let (mut added, mut changed, mut removed) = (String::new(), String::new(), String::new());
    for number in 0..MANY {
        let dn = format!("dn: cn=c{number},{folder}\n");
        let mail = format!("c{number}@outside-{}.example", watched.tenant.id);
        let own = format!("objectClass: inetOrgPerson\ncn: c{number}\nsn: x\nmail: {mail}\n");
        writeln!(added, "{dn}changetype: add\n{own}").unwrap();
        writeln!(changed, "{dn}changetype: modify\nreplace: title\ntitle: t{number}\n").unwrap();
        writeln!(removed, "{dn}changetype: delete\n").unwrap();
    }
    for (what, ldif) in [("added", added), ("changed", changed), ("removed", removed)] {
        world.probe().modify(&ldif);
        watched.assert_seen(what);
    }
    assert_eq!(watched.tenant.book().page("")["count"], 1);
}

fn changes_that_concern_nobody_are_no_matter(world: &World) {
    let mut watched = Watched::new(world);
    let (probe, ivan) = (world.probe(), watched.tenant.user("ivan").create());
    watched.assert_seen("before");
    probe.replace(&ivan.dn(), "carLicense", &["x 777"]);
    probe.replace(&format!("ou=People,{}", probe.root), "description", &["people"]);
    probe.replace(&watched.tenant.outside(), "description", &["others"]);
    watched.assert_seen("changes of other attributes");
    // Without an address it is not a contact, until it gets one.
    let dn = format!("cn=silent,{}", watched.tenant.outside());
    probe.modify(&format!("dn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\ncn: silent\nsn: x\n"));
    watched.assert_seen("without an address");
    probe.replace(&dn, "mail", &[&format!("s@outside-{}.example", watched.tenant.id)]);
    watched.assert_seen("with an address");
    assert_eq!(watched.tenant.book().page("kind=contact")["count"], 1);
    probe.replace(&dn, "mail", &[]);
    watched.assert_seen("without an address again");
    assert_eq!(watched.tenant.book().page("kind=contact")["count"], 0);
}
