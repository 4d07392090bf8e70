//! Whose boxes are reached: the caller's rights, aliases, mailing lists, limits.

use super::{Post, config, recall, results};
use harness::World;

harness::trials! { "recall_addresses":
    addresses_of_other_tenants_look_like_unknown_ones,
    boxes_of_super_administrators_look_like_unknown_ones,
    only_administrators_recall,
    an_alias_leads_to_its_users_box,
    lists_are_opened_on_request,
    a_mask_reaches_nobody_elses_box,
    addresses_are_limited_and_separated_in_every_way,
    without_a_mail_server_the_answer_names_the_setting,
    check_asks_the_mail_server,
}

fn rows(rows: &[(&String, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(mail, result)| ((*mail).clone(), (*result).to_owned())).collect()
}

fn addresses_of_other_tenants_look_like_unknown_ones(world: &World) {
    let post = Post::start(world, &["ivan", "gone"]);
    let theirs = world.tenant();
    let foreign = theirs.user("foreign").with("alias", &theirs.address("other")).create();
    let list = theirs.mail_list("list").members(&[&foreign.mail]).create();
    let [ivan, gone, unknown, alias] = [
        post.tenant.address("ivan"),
        post.tenant.address("gone"),
        theirs.address("nobody"),
        theirs.address("other"),
    ];
    post.have_boxes(&[ivan.clone(), gone.clone(), foreign.mail.clone()]);
    for user in [&ivan, &gone, &foreign.mail] {
        let message = "Message-ID: <1@x>\r\n\r\nx\r\n";
        post.doveadm_of("save", user, serde_json::json!({"mailbox": "INBOX", "file": message}));
    }
    post.tenant.admin().delete(post.tenant.named("gone")).expect_success();
    let emails = [&foreign.mail, &unknown, &alias, &list.mail, &gone];
    let texts = emails.iter().map(|mail| mail.as_str()).collect::<Vec<_>>().join(",");
    for expand in ["0", "1"] {
        let answer = post.recall("<1@x>", &texts, &[("expand", expand), ("force", "1")]);
        assert_eq!(results(&answer), rows(&emails.map(|mail| (mail, "no-user"))));
        let members = answer["results"].as_array().unwrap().iter().map(|row| row.as_object().unwrap().len());
        assert!(members.clone().all(|count| count == 2), "nothing tells them apart: {answer}");
    }
    let [ids_foreign, ids_gone] = [&foreign.mail, &gone].map(|mail| {
        let query = serde_json::json!({"field": ["uid"], "query": ["all"]});
        post.doveadm_of("fetch", mail, query).len()
    });
    assert_eq!((ids_foreign, ids_gone), (1, 1));
    // A super administrator reaches every tenant.
    let answer = recall(&post.at(world.root()), "<1@x>", &texts, &[("expand", "1"), ("notify", "0")]);
    let answer = answer.expect(200).json();
    let expected =
        [(&foreign.mail, "recalled"), (&unknown, "no-user"), (&alias, "recalled"), (&gone, "no-user")];
    assert_eq!(results(&answer), rows(&expected));
    assert_eq!(answer["results"][2]["box"], foreign.mail.as_str());
}

fn boxes_of_super_administrators_look_like_unknown_ones(world: &World) {
    let post = Post::start(world, &[]);
    let default = world.default_tenant();
    let [boss, alias, clerk, list] = [(); 4].map(|()| world.fresh_name());
    let alias = default.address(&alias);
    let boss = default.user(&boss).role(3).with("alias", &alias).create();
    let clerk = default.user(&clerk).role(1).create();
    let list = default.mail_list(&list).members(&[&boss.mail, &clerk.mail]).create();
    let (unknown, outside) = (default.address("nobody"), "partner@outside.example".to_owned());
    let more = default.mail_list(&world.fresh_name()).members(&[&boss.mail, &outside]).create();
    post.have_boxes(&[boss.mail.clone(), clerk.mail.clone()]);
    let message = serde_json::json!({"mailbox": "INBOX", "file": "Message-ID: <1@x>\r\n\r\nx\r\n"});
    for user in [&boss, &clerk] {
        post.doveadm_of("save", &user.mail, message.clone());
    }
    let recall = |by: &harness::Client, emails: &[&String]| {
        let emails = emails.iter().map(|mail| mail.as_str()).collect::<Vec<_>>().join(",");
        let more = [("force", "1"), ("expand", "1"), ("notify", "0")];
        recall(&post.at(by), "<1@x>", &emails, &more).expect(200).json()
    };
    let administrator = clerk.log_in();
    let answer = recall(&administrator, &[&boss.mail, &alias, &unknown]);
    assert_eq!(results(&answer), rows(&[&boss.mail, &alias, &unknown].map(|mail| (mail, "no-user"))));
    let members = answer["results"].as_array().unwrap().iter().map(|row| row.as_object().unwrap().len());
    assert!(members.clone().all(|count| count == 2), "nothing tells them apart: {answer}");
    let answer = recall(&administrator, &[&more.mail, &list.mail]);
    let mut found = results(&answer);
    found.sort();
    let mut expected = rows(&[(&boss.mail, "no-user"), (&outside, "no-user"), (&clerk.mail, "recalled")]);
    expected.sort();
    assert_eq!(found, expected);
    let reasons: Vec<_> = answer["results"].as_array().unwrap().iter().map(|row| &row["reason"]).collect();
    assert!(reasons[0] == reasons[1] && reasons[0].is_string(), "nothing tells them apart: {answer}");
    // A super administrator reaches them, through the alias too.
    let answer = recall(world.root(), &[&alias]);
    assert_eq!(results(&answer), rows(&[(&alias, "recalled")]));
}

fn only_administrators_recall(world: &World) {
    let post = Post::start(world, &["ivan", "plain"]);
    post.deliver("ivan", "<1@x>");
    let ivan = post.tenant.address("ivan");
    let plain = post.at(&post.tenant.named("plain").log_in());
    recall(&plain, "<1@x>", &ivan, &[]).expect(403);
    recall(&post.at(&post.tenant.named("ivan").log_in()), "<1@x>", &ivan, &[]).expect(403);
    recall(&post.serve.client(), "<1@x>", &ivan, &[]).expect(401);
    assert_eq!(post.ids("ivan"), ["<1@x>"]);
    let trusted = recall(&post.at(&world.trusted()), "<1@x>", &ivan, &[]).expect(200).json();
    assert_eq!(results(&trusted), rows(&[(&ivan, "recalled")]));
    let log = post.serve.log();
    assert!(log.contains("recall.box") && !log.contains(&ivan), "{log}");
}

fn an_alias_leads_to_its_users_box(world: &World) {
    let post = Post::start(world, &[]);
    let [ivan, alias] = ["ivan", "sales"].map(|name| post.tenant.address(name));
    post.tenant.user("ivan").with("alias", &alias).create();
    post.have_boxes(std::slice::from_ref(&ivan));
    post.deliver("ivan", "<1@x>");
    let answer =
        post.recall("<1@x>", &format!("{},{ivan},{}", alias.to_uppercase(), ivan.to_uppercase()), &[]);
    assert_eq!(results(&answer), rows(&[(&alias.to_uppercase(), "recalled"), (&ivan, "recalled")]));
    assert_eq!(answer["results"][0]["box"], ivan.as_str());
    assert!(answer["results"][1].get("box").is_none());
    // Both addresses are in the answer, and the box counts once.
    assert_eq!((&answer["counts"]["recalled"], &answer["results"][0]["removed"]), (&1.into(), &1.into()));
    assert!(answer["results"][1].get("removed").is_none());
    assert!(answer["results"][1]["reason"].as_str().unwrap().contains(&alias.to_uppercase()), "{answer}");
    assert_eq!(post.serve.log().matches("recall.box").count(), 1);
}

fn lists_are_opened_on_request(world: &World) {
    let post = Post::start(world, &["ivan", "anna", "boris"]);
    let [ivan, anna, boris] = ["ivan", "anna", "boris"].map(|name| post.tenant.address(name));
    let inner = post.tenant.mail_list("inner").members(&[&anna, "partner@outside.example"]).create();
    let outer = post.tenant.mail_list("outer").members(&[&ivan, &inner.mail]).create();
    // A cycle, which only other programs can make.
    let member = format!("member: {}", outer.dn());
    world.probe().modify(&format!("dn: {}\nchangetype: modify\nadd: member\n{member}\n", inner.dn()));
    for name in ["ivan", "anna", "boris"] {
        post.deliver(name, "<1@x>");
    }
    let closed = post.recall("<1@x>", &outer.mail, &[]);
    assert_eq!(results(&closed), rows(&[(&outer.mail, "no-user")]));
    assert!(closed["results"][0]["reason"].as_str().unwrap().contains("expand=1"));
    let emails = format!("{boris},{},{ivan}", outer.mail);
    let opened = post.recall("<1@x>", &emails, &[("expand", "1")]);
    let outside = "partner@outside.example".to_owned();
    let expected = [(&boris, "recalled"), (&anna, "recalled"), (&ivan, "recalled"), (&outside, "no-user")];
    assert_eq!(results(&opened), rows(&expected));
    assert!(opened["results"][3]["reason"].as_str().unwrap().contains("outside"), "{opened}");
    assert!(["ivan", "anna", "boris"].iter().all(|name| post.ids(name).is_empty()));
}

fn a_mask_reaches_nobody_elses_box(world: &World) {
    let post = Post::start(world, &["ivan"]);
    let mask = post.tenant.address("iva*");
    post.tenant.user("iva*").create();
    post.deliver("ivan", "<1@x>");
    let answer = post.recall("<1@x>", &mask, &[("force", "1")]);
    assert_eq!(results(&answer), rows(&[(&mask, "failed")]));
    assert_eq!(answer["success"], false);
    assert_eq!(post.ids("ivan"), ["<1@x>"]);
}

fn addresses_are_limited_and_separated_in_every_way(world: &World) {
    let post = Post::start(world, &["ivan", "anna"]);
    let (admin, [ivan, anna]) =
        (post.at(post.tenant.admin()), ["ivan", "anna"].map(|name| post.tenant.address(name)));
    let expected = rows(&[(&ivan, "not-found"), (&anna, "not-found")]);
    for emails in [
        format!("{ivan},{anna}"),
        format!("{ivan}; {anna}"),
        format!("{ivan} {anna}"),
        format!("[{ivan},{anna}]"),
        format!("[\"{ivan}\",\"{anna}\"]"),
    ] {
        let answer = post.recall("<1@x>", &emails, &[]);
        assert_eq!(results(&answer), expected, "{emails}");
    }
    let json = admin.with_header("Content-Type", "application/json");
    let body = serde_json::json!({"messageid": "<1@x>", "emails": [ivan, anna], "notify": 0});
    assert_eq!(results(&json.post("/v2/actions", &body.to_string()).expect(200).json()), expected);
    let many =
        |count: usize| (0..count).map(|number| format!("u{number}@x.test")).collect::<Vec<_>>().join(",");
    let answer = admin.post(
        "/v2/actions",
        &harness::form(&[("messageid", "1@x"), ("emails", &many(1000)), ("notify", "0")]),
    );
    assert_eq!(answer.expect(200).json()["counts"]["no-user"], 1000);
    let answer = admin.post("/v2/actions", &harness::form(&[("messageid", "1@x"), ("emails", &many(1001))]));
    answer.expect_wrong(&["emails"]);
    admin.post("/v2/actions?cmd=search&force=2&notify=x&expand=y", "").expect_wrong(&[
        "cmd",
        "messageid",
        "emails",
        "force",
        "notify",
        "expand",
    ]);
}

fn without_a_mail_server_the_answer_names_the_setting(world: &World) {
    let tenant = world.tenant();
    let answer = recall(tenant.admin(), "<1@x>", &tenant.address("ivan"), &[]).expect(503);
    assert!(answer.message().as_str().unwrap().contains("doveadm.url"), "{answer:?}");
}

fn check_asks_the_mail_server(world: &World) {
    let mut post = Post::start(world, &[]);
    let check = |config: &std::path::Path| world.installation().pbm(config, &["check"]);
    let output = check(&post.config).expect_success().output();
    assert!(
        output.contains("doveadm at http://127.0.0.1:") && output.contains("has the commands"),
        "{output}"
    );
    let (url, password_file) = (post.dovecot.doveadm_url(), post.dovecot.doveadm_password_file());
    let wrong = config(world, &url, &password_file, &[("doveadm.login", "\"other\"")]);
    let output = check(&wrong).expect_failure().output();
    assert!(output.contains("refuses pbm's login"), "{output}");
    post.dovecot.kill();
    let output = check(&post.config).expect_failure().output();
    assert!(output.contains("the mail server cannot be reached"), "{output}");
}
