//! Soft deletion and undeletion.

use harness::{World, form};
use serde_json::json;

harness::trials! { "deletion":
    a_deleted_user_is_hidden_everywhere_but_in_the_list_of_the_deleted,
    a_deleted_user_keeps_its_login_and_aliases_reserved,
    a_restored_user_is_as_it_was,
    a_blocked_user_stays_blocked_after_a_restore,
    what_is_not_deleted_cannot_be_restored,
    deleted_users_are_paged_and_searched_like_others,
    a_deletion_ends_tokens_and_a_restore_does_not_revive_them,
}

fn a_deleted_user_is_hidden_everywhere_but_in_the_list_of_the_deleted(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("title", "Boss").create();
    let shown = tenant.admin().get(&ivan).json();
    tenant.admin().delete(&ivan).expect_success();
    tenant.admin().get(&ivan).expect(404);
    tenant.admin().patch(&ivan, "title=x").expect(404);
    tenant.admin().delete(&ivan).expect(404);
    assert_eq!(tenant.listed(""), ["administrator"]);
    assert_eq!(tenant.listed("search=ivan"), Vec::<String>::new());
    let deleted = tenant.list("deleted=1");
    assert_eq!((&deleted["count"], &deleted["pages"]), (&json!(1), &json!(1)));
    let user = &deleted["users"][0];
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(&user[name], value, "{name}");
    }
    // 30 days later, to the second.
    let (since, until) = (user["deleted-since"].as_str().unwrap(), user["kept-until"].as_str().unwrap());
    assert!(since < until && since[10..] == until[10..], "{since} {until}");
    assert!(!ivan.can_bind());
    ivan.try_log_in().expect(401);
    let entry = world.probe().user(&ivan.mail);
    assert_eq!((entry.one("title"), entry.one("inetUserStatus")), ("Boss", "1"));
}

fn a_deleted_user_keeps_its_login_and_aliases_reserved(world: &World) {
    let tenant = world.tenant();
    let alias = tenant.address("alias");
    let ivan = tenant.user("ivan").with("alias", &alias).create();
    tenant.admin().delete(&ivan).expect_success();
    let until = tenant.list("deleted=1")["users"][0]["kept-until"].as_str().unwrap().to_owned();
    let olga = tenant.user("olga").create();
    let answers = [
        (tenant.user("ivan").put(), &ivan.mail),
        (tenant.user("alias").put(), &alias),
        (tenant.user("new").with("alias", &alias).put(), &alias),
        (tenant.admin().patch(&olga, &form(&[("alias", &ivan.mail)])), &ivan.mail),
        (tenant.admin().patch(&olga, &form(&[("mail", &ivan.mail)])), &ivan.mail),
    ];
    for (answer, address) in answers {
        let text = answer.expect(409).text();
        assert!(text.contains(address.as_str()) && text.contains(&until), "{text}");
    }
}

fn a_restored_user_is_as_it_was(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("alias", &tenant.address("alias")).with("quota", "5").create();
    let group = format!("cn=friends,ou={},ou=Groups,{}", tenant.id, world.probe().root);
    let add = format!("changetype: add\nobjectClass: groupOfNames\ncn: friends\nmember: {}\n", ivan.dn());
    world.probe().modify(&format!("dn: {group}\n{add}"));
    let (shown, before) = (tenant.admin().get(&ivan).json(), world.probe().user(&ivan.mail));
    tenant.admin().delete(&ivan).expect_success();
    tenant.admin().restore(&ivan).expect_success();
    assert_eq!(tenant.admin().get(&ivan).expect(200).json(), shown);
    let after = world.probe().user(&ivan.mail);
    for attribute in
        ["userPassword", "objectClass", "memberOf", "nsAccountLock", "pbmDeletedSince", "mailQuota"]
    {
        assert_eq!(after.all(attribute), before.all(attribute), "{attribute}");
    }
    assert_eq!(world.probe().entry(&group).unwrap().one("member").to_lowercase(), ivan.dn().to_lowercase());
    assert!(ivan.can_bind());
    ivan.log_in().get(&ivan).expect(200);
    assert_eq!(tenant.list("deleted=1")["count"], 0);
    assert_eq!(tenant.listed(""), ["administrator", "ivan"]);
}

fn a_blocked_user_stays_blocked_after_a_restore(world: &World) {
    let tenant = world.tenant();
    for status in ["0", "2"] {
        let user = tenant.user(&format!("blocked{status}")).with("inetUserStatus", status).create();
        tenant.admin().delete(&user).expect_success();
        tenant.admin().restore(&user).expect_success();
        assert!(!user.can_bind());
        user.try_log_in().expect(401);
        assert_eq!(world.probe().user(&user.mail).one("inetUserStatus"), status);
        tenant.admin().patch(&user, "inetUserStatus=1").expect_success();
        assert!(user.can_bind());
    }
}

fn what_is_not_deleted_cannot_be_restored(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let before = world.probe().user(&ivan.mail);
    tenant.admin().restore(&ivan).expect(404);
    tenant.admin().restore(tenant.named("missing")).expect(404);
    assert_eq!(world.probe().user(&ivan.mail), before);
}

fn deleted_users_are_paged_and_searched_like_others(world: &World) {
    let tenant = world.tenant();
    for number in 0..7 {
        let user = tenant.user(&format!("u{number}")).with("sn", &format!("Ёж{}", 9 - number)).create();
        tenant.admin().delete(&user).expect_success();
    }
    assert_eq!(tenant.listed("deleted=1&limit=3&page=2"), ["u3", "u4", "u5"]);
    assert_eq!(tenant.listed("deleted=1&orderby=sn&limit=2"), ["u6", "u5"]);
    assert_eq!(tenant.listed("deleted=1&sort=1&limit=1"), ["u6"]);
    assert_eq!(tenant.listed("deleted=1&search=%D1%91%D0%B6%37"), ["u2"]);
    assert_eq!(tenant.list("deleted=1&page=99")["count"], 7);
    assert_eq!(tenant.list("deleted=0")["count"], 1);
}

fn a_deletion_ends_tokens_and_a_restore_does_not_revive_them(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = ivan.log_in();
    client.get(&ivan).expect(200);
    tenant.admin().delete(&ivan).expect_success();
    client.get(&ivan).expect(401);
    tenant.admin().restore(&ivan).expect_success();
    client.get(&ivan).expect(401);
    ivan.log_in().get(&ivan).expect(200);
}
