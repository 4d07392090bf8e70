//! Backup and restore over HTTP, and the rights of an administrator of a tenant.

use crate::fixture::{Fixture, PASSWORD, ROOT, client_of, super_of, user};
use harness::{Answer, Client, soon, start_serve};
use serde_json::Value;
use std::{fmt::Write, fs};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("what_is_saved_over_http_is_what_the_command_saves", saved),
    ("a_body_is_restored_and_reported_line_by_line", restored),
    ("an_administrator_saves_and_restores_its_own_tenant", administrators),
    ("an_administrator_restores_nothing_that_gives_more_rights", overreach),
    ("a_file_that_is_unfit_is_a_bad_request", unfit),
    ("a_large_body_is_taken", large),
    ("without_an_account_it_is_not_set_up", not_set_up),
];

fn restore(client: &Client, more: &str, body: &str) -> Answer {
    let answer =
        client.with_header("Content-Type", "text/x-ldif").post(format!("/v2/restore/ldif{more}"), body);
    // Reports and refusals name people.
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    answer
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn summary(answer: &Answer) -> Value {
    let last = lines(answer).pop().unwrap();
    assert!(last["summary"].is_object(), "{}", answer.text());
    last["summary"].clone()
}

fn saved() {
    let here = Fixture::filled();
    let serve = here.serve();
    let client = super_of(&serve);
    let answer = client.get("/v2/backup/ldif").expect(200);
    assert_eq!(answer.header("content-type"), Some("text/x-ldif"));
    fs::write(here.file("http.ldif"), answer.text()).unwrap();
    here.assert_is_as(&here.file("http.ldif"));
    let acme = client.get("/v2/backup/ldif?tenant-id=acme").expect(200);
    fs::write(here.file("acme.ldif"), acme.text()).unwrap();
    here.pbm("diff", &here.file("acme.ldif"), &["--tenant", "acme"]).expect_success();
    assert!(!acme.text().contains("u2@example.com"));
    client.get("/v2/backup/ldif?tenant-id=nobody").expect(404);
}

fn restored() {
    let here = Fixture::filled();
    let serve = here.serve();
    let all = super_of(&serve).get("/v2/backup/ldif").expect(200).text();
    let there = Fixture::bare();
    let boss = all.split_inclusive("\n\n").find(|entry| entry.starts_with("dn: mail=admin@example.com,"));
    fs::write(there.file("boss.ldif"), boss.unwrap()).unwrap();
    there.pbm("restore", &there.file("boss.ldif"), &[]).expect_success();
    let serve = there.serve();
    let client = super_of(&serve);
    let tried = restore(&client, "?dry-run=1", &all).expect(200);
    assert_eq!(lines(&tried).last().unwrap()["dry-run"], true);
    let planned = lines(&tried).iter().filter(|line| line["result"] == "added").count();
    assert!(there.installation.probe().find("(mail=u2@example.com)").is_empty());
    assert!(!tried.text().contains("PBKDF2"), "a hash is shown");
    let done = restore(&client, "", &all).expect(200);
    let counts = summary(&done);
    assert_eq!((counts["added"].as_u64().unwrap(), counts["refused"].as_u64()), (planned as u64, Some(0)));
    fs::write(there.file("all.ldif"), &all).unwrap();
    there.assert_is_as(&there.file("all.ldif"));
    // The client that restored it sees it at once.
    assert!(client.get("/v2/users/acme?limit=1000").text().contains("u5@acme.test"));
    let dn = format!("mail=u2@example.com,ou=default,ou=People,{ROOT}");
    there.installation.probe().replace(&dn, "title", &["Другой"]);
    let kept = restore(&client, "", &all);
    let told: Vec<_> = lines(&kept).into_iter().filter(|line| line["result"] == "different").collect();
    assert_eq!(told.len(), 1, "{}", kept.text());
    assert!(told[0]["line"].as_u64().unwrap() > 1 && told[0]["ldif"].as_str().unwrap().contains("title"));
    assert_eq!(summary(&restore(&client, "?existing=update", &all))["updated"], 1);
    there.assert_is_as(&there.file("all.ldif"));
}

/// An administrator of the tenant `acme`.
fn administrator(fixture: &Fixture, client: &Client) -> Client {
    let dn = format!("mail=u3@acme.test,ou=acme,ou=People,{ROOT}");
    fixture.installation.probe().replace(&dn, "employeeNumber", &["1"]);
    let mut token = None;
    soon("it logs in", || {
        let answer = client.log_in("u3@acme.test", PASSWORD);
        token = answer.json()["access_token"].as_str().map(str::to_owned);
        token.is_some()
    });
    client.with_token(&token.unwrap())
}

fn administrators() {
    let here = Fixture::filled();
    let serve = here.serve();
    let client = client_of(&serve);
    let admin = administrator(&here, &client);
    for path in ["/v2/backup/ldif", "/v2/backup/ldif?tenant-id=default"] {
        admin.get(path).expect(403);
    }
    for more in ["", "?tenant-id=default"] {
        restore(&admin, more, "dn: dc=x\n").expect(403);
    }
    // An address that needs no token elsewhere needs one here.
    client.get("/v2/backup/ldif?tenant-id=acme").expect(401);
    restore(&client, "?tenant-id=acme", "dn: dc=x\n").expect(401);
    let file = admin.get("/v2/backup/ldif?tenant-id=acme").expect(200).text();
    assert!(file.contains("u5@acme.test") && !file.contains("example.com,ou=default"));
    here.installation.probe().delete(&format!("mail=u5@acme.test,ou=acme,ou=People,{ROOT}"));
    let done = restore(&admin, "?tenant-id=acme", &file).expect(200);
    assert_eq!(summary(&done)["added"], 1, "{}", done.text());
    assert!(
        here.installation
            .probe()
            .accepts_bind(&format!("mail=u5@acme.test,ou=acme,ou=People,{ROOT}"), PASSWORD)
    );
    // From a backup of everything, only its own tenant.
    let all = super_of(&serve).get("/v2/backup/ldif").expect(200).text();
    let done = restore(&admin, "?tenant-id=acme&existing=update", &all).expect(200);
    assert_eq!(
        (&summary(&done)["updated"], &summary(&done)["added"]),
        (&Value::from(0), &Value::from(0)),
        "{}",
        done.text()
    );
    assert!(summary(&done)["left-out"].as_u64().unwrap() > 10);
}

fn overreach() {
    let here = Fixture::filled();
    let serve = here.serve();
    let client = client_of(&serve);
    let admin = administrator(&here, &client);
    let before = here.back_up("before.ldif");
    let plain = |tenant: &str, domain: &str, more: &str| {
        format!("{}{more}", user(tenant, domain, 5).replace("changetype: add\n", ""))
    };
    let acme = |more: &str| plain("acme", "acme.test", more);
    let room = format!("dn: ou=x,ou=acme,ou=Resources,{ROOT}\nobjectClass: organizationalUnit\nou: x\n");
    let files = [
        acme(
            "aci: (targetattr = \"*\")(version 3.0; acl \"mine\"; allow (all) userdn = \"ldap:///anyone\";)\n",
        ),
        acme("nsSizeLimit: -1\n"),
        acme("mailAlternateAddress: boss@example.com\n"),
        plain("acme", "example.com", ""),
        plain("default", "example.com", ""),
        format!(
            "dn: ou=acme,ou=Domains,{ROOT}\nobjectClass: pbmTenant\nou: acme\nassociatedDomain: bank.example\n"
        ),
        format!("dn: ou=System,{ROOT}\nobjectClass: organizationalUnit\nou: System\ndescription: mine\n"),
        format!(
            "{room}aci: (targetattr = \"*\")(version 3.0; acl \"mine\"; allow (all) userdn = \"ldap:///anyone\";)\n"
        ),
        format!(
            "dn: uid=x,ou=acme,ou=People,{ROOT}\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: x\nuserPassword: {PASSWORD}\n"
        ),
    ];
    for file in &files {
        let done = restore(&admin, "?tenant-id=acme&existing=update", file);
        // Entries of another tenant are not restored.
        if done.status != 400 {
            let counts = summary(&done.clone().expect(200));
            let done_something = (&counts["added"], &counts["updated"]) != (&Value::from(0), &Value::from(0));
            assert!(!done_something, "{file}: {}", done.text());
        }
        here.assert_is_as(&before);
    }
    // An administrator of a tenant cannot create or change a super administrator.
    let dn = format!("mail=u2@example.com,ou=default,ou=People,{ROOT}");
    here.installation.probe().replace(&dn, "employeeNumber", &["1"]);
    let token = client.log_in("u2@example.com", PASSWORD).json()["access_token"].as_str().unwrap().to_owned();
    let admin = client.with_token(&token);
    let before = here.back_up("before.ldif");
    let file = admin.get("/v2/backup/ldif?tenant-id=default").expect(200).text();
    assert!(!file.contains("mail=admin@example.com"), "the hash of a super administrator");
    let boss = here.installation.probe().user("admin@example.com").dn;
    let files = [
        plain("default", "example.com", "")
            .replace("employeeNumber: 2", "employeeNumber: 3")
            .replace("u5@", "u4@"),
        format!(
            "dn: {boss}\nobjectClass: inetOrgPerson\nobjectClass: pbmUser\ncn: x\nsn: x\nmail: admin@example.com\nemployeeNumber: 2\nuserPassword: {PASSWORD}\n"
        ),
    ];
    for file in &files {
        let done = restore(&admin, "?tenant-id=default&existing=update", file).expect(200);
        assert_eq!(summary(&done)["refused"], 1, "{file}: {}", done.text());
        here.assert_is_as(&before);
    }
}

fn unfit() {
    let here = Fixture::empty();
    let serve = here.serve();
    let client = super_of(&serve);
    let all = client.get("/v2/backup/ldif").text();
    let cut = &all[..all.find("# pbm backup: entries").unwrap()];
    for (body, words) in [
        (cut, "truncated"),
        ("dn: dc=x\ncn no\n", "line 2"),
        ("", "no entry"),
        ("dn: dc=x\nchangetype: delete\n", "changetype"),
        ("dn: dc=old\nobjectClass: top\n", "another directory"),
    ] {
        let answer = restore(&client, "", body).expect(400);
        assert!(answer.json()["message"].as_str().unwrap().contains(words), "{words}: {}", answer.text());
        assert!(!answer.text().contains("--"), "words of the command line: {}", answer.text());
    }
    restore(&client, "?existing=drop&dry-run=7", &all).expect(400);
}

fn large() {
    let here = Fixture::empty();
    let serve = here.serve();
    let client = super_of(&serve);
    let mut body = String::new();
    while body.len() < 20 << 20 {
        let (number, text) = (body.len(), harness::ldif_line("description", &"слово ".repeat(500)));
        writeln!(body, "dn: cn={number},ou=CAB,dc=elsewhere\nobjectClass: person\n{text}").unwrap();
    }
    body.push_str(&user("default", "example.com", 1).replace("changetype: add\n", ""));
    let done = restore(&client, "", &body).expect(200);
    assert_eq!(summary(&done)["added"], 1);
}

fn not_set_up() {
    let here = Fixture::empty();
    let config = here.installation.usual_config();
    let text = fs::read_to_string(&config).unwrap();
    let without: Vec<_> = text.lines().filter(|line| !line.starts_with("backup.")).collect();
    let config = here.file("without.toml");
    fs::write(&config, without.join("\n")).unwrap();
    let serve = start_serve(&config, &[]);
    let client = super_of(&serve);
    client.get("/v2/backup/ldif").expect(503);
    restore(&client, "", "dn: dc=x\nobjectClass: top\n").expect(503);
}
