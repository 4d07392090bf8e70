//! An honest backup, restored by the administrator of the tenant: all data is restored unchanged.

use super::acme::{Acme, ROOT, create_user, lines, restore, summary};
use harness::{Client, PASSWORD, encoded, form, ldif_line};

/// Names of resource groups that are difficult to encode.
const GROUPS: [&str; 6] = ["a/b", "a & b", "a+b", "Смирнов, Иванов", "%2F#1", "Переговорные"];

/// One object of each kind, with every field that the API sets.
fn fill(acme: &Acme) {
    let admin = &acme.admin;
    acme.root.put("/v2/tenants/acme/domains/xn--e1afmkfd.xn--p1ai", "").expect_success();
    let full = [
        ("cn", "Анна"),
        ("sn", "Ёлкина: мл."),
        ("displayName", " <Анна> "),
        ("employeeType", "2"),
        ("initials", "П."),
        ("ou", "R&D, отдел (2)"),
        ("title", "Директор * 1"),
        ("alias", "a.1@acme.test,b@пример.рф"),
        ("description", "одна\r\nдве\tтри"),
        ("homePhone", "+7 (495) 123-45-67"),
        ("telephoneNumber", "123/45"),
        ("mobile", "+7 900 1"),
        ("l", "Санкт-Петербург"),
        ("telegram", "@anna"),
        ("skype", "live:anna"),
        ("quota", "2048"),
        ("lang", "ru-RU"),
    ];
    create_user(admin, "acme", "anna@acme.test", &full);
    create_user(admin, "acme", "odd!#$&'*+-=^_`{|}~.x@acme.test", &[]);
    for (mail, status) in [("blocked@acme.test", "0"), ("waiting@acme.test", "2"), ("gone@acme.test", "1")] {
        create_user(admin, "acme", mail, &[("inetUserStatus", status)]);
    }
    create_user(admin, "acme", "both@acme.test", &[("inetUserStatus", "0")]);
    create_user(admin, "acme", "before@acme.test", &[]);
    admin.patch("/v2/users/acme/before@acme.test", "mail=after@acme.test&title=X").expect_success();
    for mail in ["gone", "both"] {
        admin.delete(format!("/v2/users/acme/{mail}@acme.test")).expect_success();
    }
    rooms(admin);
    lists(admin);
    acme.installation.probe().modify(&contacts());
}

fn rooms(admin: &Client) {
    for (number, group) in GROUPS.iter().enumerate() {
        let group = encoded(group);
        admin.put(format!("/v2/resourcegroups/acme/{group}"), "").expect_success();
        let visibility = (number % 3).to_string();
        let fields =
            [("displayName", "Рим"), ("description", "a\nb"), ("l", "Рим"), ("employeeType", &visibility)];
        let room = format!("/v2/resources/acme/{group}/room{number}@acme.test");
        admin.put(&room, &form(&fields)).expect_success();
    }
}

fn lists(admin: &Client) {
    let inner = [("alias", "anna@acme.test,blocked@acme.test,partner@elsewhere.test")];
    let all = [("alias", "inner@acme.test,after@acme.test,room3@acme.test,ivan@acme.test")];
    let outermost = [("alias", "all@acme.test,x@elsewhere.test")];
    let sales =
        ["title=Директор * 1", "ou=R&D, отдел (2)", "employeeNumber=2"].map(|value| ("filter", value));
    let contents: [(&str, &[(&str, &str)]); 4] = [
        ("inner@acme.test", &inner),
        ("all@acme.test", &all),
        ("outermost@acme.test", &outermost),
        ("sales@acme.test", &sales),
    ];
    for (mail, content) in contents {
        let fields = [("tenant-id", "acme"), ("mail", mail), ("displayName", "Все: сразу")];
        admin.post("/v2/maillists", &form(&[&fields, content].concat())).expect_success();
    }
    admin
        .put("/v2/maillists?tenant-id=acme&mail=inner@acme.test", "displayName=Inner&newmail=in@acme.test")
        .expect_success();
}

fn contacts() -> String {
    let contact = |name: &str, more: &str| {
        let dn = ldif_line("dn", &format!("cn={name},ou=acme,ou=CAB,{ROOT}"));
        let class = "changetype: add\nobjectClass: inetOrgPerson\nobjectClass: mailRecipient\nsn: Outside\n";
        format!("{dn}{class}{}{more}\n", ldif_line("cn", name))
    };
    let texts = "telephoneNumber: 123\nmailAlternateAddress: q@elsewhere.test\ntitle: Boss\no: none\n";
    contact("Партнёр", &format!("mail: partner@elsewhere.test\n{}", texts.replace("o: none\n", "")))
        + &contact("Without", "")
}

/// Removes and changes everything in the backup.
fn ruin(acme: &Acme) {
    let (admin, probe) = (&acme.admin, acme.installation.probe());
    for mail in ["anna@acme.test", "blocked@acme.test", "after@acme.test", "odd!#$&'*+-=^_`{|}~.x@acme.test"]
    {
        admin.delete(format!("/v2/users/acme/{}", encoded(mail))).expect_success();
    }
    for mail in ["all@acme.test", "sales@acme.test"] {
        admin.delete(format!("/v2/maillists?tenant-id=acme&mail={mail}")).expect_success();
    }
    for group in &GROUPS[1..] {
        admin.delete(format!("/v2/resourcegroups/acme/{}", encoded(group))).expect_success();
    }
    admin.delete(format!("/v2/resources/acme/{}/room0@acme.test", encoded(GROUPS[0]))).expect_success();
    probe.delete(&format!("cn=Without,ou=acme,ou=CAB,{ROOT}"));
    // Deleted users are purged, including those that were deleted before the backup.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let config = acme.installation.config("purge.toml", &[("deletion.retention", "\"0s\"")]);
    let purged = acme.installation.pbm(&config, &["purge"]).expect_success();
    assert!(purged.stdout.contains("6 user(s) removed"), "{purged:?}");
    admin.patch("/v2/users/acme/ivan@acme.test", "title=Other&inetUserStatus=0").expect_success();
    admin.patch("/v2/users/acme/waiting@acme.test", "inetUserStatus=1&alias=new@acme.test").expect_success();
    admin.put("/v2/maillists?tenant-id=acme&mail=in@acme.test", "members=ivan@acme.test").expect_success();
}

pub(super) fn everything() {
    let acme = Acme::start();
    fill(&acme);
    let backup = acme.back_up();
    let before = acme.entries();
    for existing in ["keep", "update"] {
        let query = format!("tenant-id=acme&existing={existing}");
        let counts = summary(&restore(&acme.admin, &query, backup.as_bytes()));
        let others = ["added", "updated", "different", "refused"].map(|name| counts[name].as_u64().unwrap());
        assert_eq!(others, [0; 4], "{counts}");
    }
    assert!(acme.entries() == before, "something was written");

    ruin(&acme);
    let kept = restore(&acme.admin, "tenant-id=acme", backup.as_bytes());
    let counts = summary(&kept);
    assert_eq!(
        (counts["refused"].as_u64(), counts["different"].as_u64()),
        (Some(0), Some(4)),
        "{}",
        kept.text()
    );
    let updated = acme.update(&backup);
    let counts = summary(&updated);
    assert_eq!(
        (counts["refused"].as_u64(), counts["added"].as_u64()),
        (Some(0), Some(0)),
        "{}",
        updated.text()
    );
    acme.assert_is_as(&backup);
    assert_eq!(summary(&acme.update(&backup))["updated"], 0);
    assert_lives(&acme);

    let there = Acme::start();
    there.root.put("/v2/tenants/acme/domains/xn--e1afmkfd.xn--p1ai", "").expect_success();
    let updated = there.update(&backup);
    assert_eq!(summary(&updated)["refused"], 0, "{}", updated.text());
    there.assert_is_as(&backup);
    assert_lives(&there);
}

/// Requires that users can or cannot log in, as before.
#[track_caller]
fn assert_lives(acme: &Acme) {
    let probe = acme.installation.probe();
    let can = |mail: &str| probe.accepts_bind(&format!("mail={mail},ou=acme,ou=People,{ROOT}"), PASSWORD);
    let mails =
        ["anna@acme.test", "ivan@acme.test", "blocked@acme.test", "waiting@acme.test", "gone@acme.test"];
    assert_eq!(mails.map(can), [true, true, false, false, false]);
}

pub(super) fn operators() {
    let acme = Acme::start();
    let probe = acme.installation.probe();
    let ivan = format!("mail=ivan@acme.test,ou=acme,ou=People,{ROOT}");
    let without = acme.back_up();
    probe.replace(&ivan, "mailForwardingAddress", &["office@elsewhere.test"]);
    probe.replace(&ivan, "nsSizeLimit", &["100"]);
    let rule =
        "(targetattr = \"cn\")(version 3.0; acl \"site: look\"; allow (read) userdn = \"ldap:///all\";)";
    probe.replace(&format!("ou=acme,ou=CAB,{ROOT}"), "aci", &[rule]);
    let with = acme.back_up();
    // Unchanged entries need no rights.
    let counts = summary(&acme.update(&with));
    assert_eq!((counts["refused"].as_u64(), counts["updated"].as_u64()), (Some(0), Some(0)), "{counts}");

    acme.admin.patch("/v2/users/acme/ivan@acme.test", "title=Other").expect_success();
    let refused = acme.update(&with);
    let told: Vec<_> = lines(&refused).into_iter().filter(|line| line["result"] == "refused").collect();
    assert_eq!(told.len(), 1, "{}", refused.text());
    assert!(told[0]["message"].as_str().unwrap().contains("is for super administrators"), "{}", told[0]);

    let updated = acme.update(&without);
    assert_eq!(summary(&updated)["updated"], 1, "{}", updated.text());
    let found = probe.search_with(&["nsSizeLimit"], &ivan, "base", "(objectClass=*)").remove(0);
    assert_eq!((found.one("title"), found.one("nsSizeLimit")), ("", "100"));
    assert_eq!(found.one("mailForwardingAddress"), "office@elsewhere.test");
}
