//! A new address for a user: `PATCH` with `mail`.

use harness::{Tenant, User, World, form};
use serde_json::json;

harness::trials! { "renames":
    a_rename_moves_the_user_with_everything_it_has,
    a_rename_takes_other_changes_along,
    memberships_follow_a_rename,
    a_rename_onto_a_taken_address_changes_nothing,
    an_alias_can_become_the_address_and_the_address_an_alias,
    a_rename_back_and_forth_leaves_nothing_behind,
    a_rename_to_the_same_address_changes_nothing,
    a_renamed_user_keeps_its_tokens,
    addresses_with_special_characters_are_renamed_as_others_are,
}

#[track_caller]
fn rename<'w>(tenant: &Tenant<'w>, user: &User<'w>, name: &str, more: &str) -> User<'w> {
    let body = format!("{}&{more}", form(&[("mail", tenant.address(name))]));
    tenant.admin().patch(user, &body).expect_success();
    tenant.named(name)
}

fn a_rename_moves_the_user_with_everything_it_has(world: &World) {
    let tenant = world.tenant();
    let alias = tenant.address("alias");
    let ivan = tenant.user("ivan").with("alias", &alias).with("title", "Boss").create();
    let before = world.probe().user(&ivan.mail);
    let petr = rename(&tenant, &ivan, "petr", "");
    tenant.admin().get(&ivan).expect(404);
    let answer = tenant.admin().get(&petr).expect(200).json();
    assert_eq!((&answer["title"], &answer["alias"]), (&json!("Boss"), &json!([alias])));
    let after = world.probe().user(&petr.mail);
    assert_eq!(after.all("mail"), [petr.mail.as_str()]);
    assert_eq!(after.one("userPassword"), before.one("userPassword"));
    assert_eq!(after.all("mailAlternateAddress"), [alias.as_str()]);
    assert!(petr.can_bind());
    petr.log_in();
    ivan.try_log_in().expect(401);
    tenant.user("ivan").create();
}

fn a_rename_takes_other_changes_along(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("alias", &tenant.address("old")).create();
    let more = format!(
        "title=Boss&userPassword=Other-Horse-8&alias={}&cn=Пётр&inetUserStatus=1",
        tenant.address("new")
    );
    let mut petr = rename(&tenant, &ivan, "petr", &more);
    petr.password = "Other-Horse-8".into();
    let answer = tenant.admin().get(&petr).expect(200).json();
    assert_eq!((&answer["title"], &answer["cn"]), (&json!("Boss"), &json!("Пётр")));
    assert_eq!(answer["alias"], json!([tenant.address("new")]));
    assert!(petr.can_bind());
    tenant.user("old").create();
}

fn memberships_follow_a_rename(world: &World) {
    let tenant = world.tenant();
    let (ivan, olga) = (tenant.user("ivan").create(), tenant.user("olga").create());
    let group = format!("cn=friends,ou={},ou=Groups,{}", tenant.id, world.probe().root);
    let members = format!("member: {}\nmember: {}\n", ivan.dn(), olga.dn());
    world
        .probe()
        .modify(&format!("dn: {group}\nchangetype: add\nobjectClass: groupOfNames\ncn: friends\n{members}"));
    let petr = rename(&tenant, &ivan, "petr", "title=x");
    let members = |expected: [&str; 2]| {
        let entry = world.probe().entry(&group).unwrap();
        let mut members: Vec<_> = entry.all("member").into_iter().map(str::to_lowercase).collect();
        members.sort_unstable();
        let mut expected = expected.map(str::to_lowercase);
        expected.sort_unstable();
        assert_eq!(members, expected);
    };
    members([&petr.dn(), &olga.dn()]);
    // A deletion keeps the membership for an undeletion.
    tenant.admin().delete(&petr).expect_success();
    members([&petr.dn(), &olga.dn()]);
}

fn a_rename_onto_a_taken_address_changes_nothing(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    tenant.user("olga").with("alias", &tenant.address("olgas-alias")).create();
    let gone = tenant.user("gone").create();
    tenant.admin().delete(&gone).expect_success();
    let before = world.probe().user(&ivan.mail);
    for taken in ["olga", "olgas-alias", "gone"] {
        let body = format!("{}&title=Boss", form(&[("mail", tenant.address(taken))]));
        let answer = tenant.admin().patch(&ivan, &body).expect(409);
        assert!(answer.text().contains(&tenant.address(taken)), "{}", answer.text());
        assert_eq!(world.probe().user(&ivan.mail), before);
    }
    for wrong in ["no-address", "ivan@elsewhere.example", "юзер@пример.рф", ""] {
        tenant.admin().patch(&ivan, &form(&[("mail", wrong), ("title", "Boss")])).expect_wrong(&["mail"]);
    }
    assert_eq!(world.probe().user(&ivan.mail), before);
}

fn an_alias_can_become_the_address_and_the_address_an_alias(world: &World) {
    let tenant = world.tenant();
    let (ivan, alias) =
        (tenant.user("ivan").with("alias", &tenant.address("boss")).create(), tenant.address("ivan"));
    let boss = rename(&tenant, &ivan, "boss", &form(&[("alias", &alias)]));
    let entry = world.probe().user(&boss.mail);
    assert_eq!(entry.all("mailAlternateAddress"), [alias.as_str()]);
    assert_eq!(tenant.admin().get(&boss).json()["alias"], json!([alias]));
    tenant.user("ivan").put().expect(409);
}

fn a_rename_back_and_forth_leaves_nothing_behind(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    for _ in 0..3 {
        let petr = rename(&tenant, &ivan, "petr", "");
        assert_eq!(world.probe().user(&petr.mail).all("mailAlternateAddress"), Vec::<&str>::new());
        rename(&tenant, &petr, "ivan", "");
    }
    assert_eq!(world.probe().user(&ivan.mail).all("mailAlternateAddress"), Vec::<&str>::new());
    tenant.user("petr").create();
}

fn a_rename_to_the_same_address_changes_nothing(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let before = world.probe().user(&ivan.mail);
    tenant.admin().patch(&ivan, &form(&[("mail", tenant.address("IVAN"))])).expect_success();
    assert_eq!(world.probe().user(&ivan.mail), before);
}

fn a_renamed_user_keeps_its_tokens(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in();
    client.get(&ivan).expect(200);
    let petr = rename(&tenant, &ivan, "petr", "");
    client.get(&petr).expect(200);
    client.get(&ivan).expect(403);
}

fn addresses_with_special_characters_are_renamed_as_others_are(world: &World) {
    let tenant = world.tenant();
    for (number, name) in ["a+b", "a=b", "#a", "o'neil", "a/b", "a%b", "a&b"].into_iter().enumerate() {
        let _case = harness::Context::new(name);
        let user = tenant.user(&format!("u{number}")).create();
        let odd = rename(&tenant, &user, name, "");
        let back = rename(&tenant, &odd, &format!("u{number}"), "title=x");
        let entry = world.probe().user(&back.mail);
        assert_eq!((entry.all("mail"), entry.one("title")), (vec![back.mail.as_str()], "x"));
        assert_eq!(entry.all("mailAlternateAddress"), Vec::<&str>::new());
        tenant.user(name).create();
    }
}
