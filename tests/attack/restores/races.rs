//! Restores while other clients change data that the administrator of a tenant may not change.

use super::acme::{Acme, ROOT, lines, restore, user};
use harness::{PASSWORD, within};
use std::{fmt::Write, thread, time::Duration};

/// Users that are promoted during their restore.
const USERS: usize = 120;

fn mail(number: usize) -> String {
    format!("u{number}@example.com")
}

/// The entry of a user of the tenant `default` with a title.
fn entry(number: usize, title: &str) -> String {
    let entry = user(&format!("mail={}", mail(number)), &mail(number)).replace("ou=acme", "ou=default");
    // Half of them were never written by pbm.
    let revision = if number.is_multiple_of(2) { "pbmRevision: 1\n" } else { "" };
    format!("{entry}{revision}title: {title}\n")
}

pub(super) fn promotions() {
    let acme = Acme::start();
    let deputy = acme.administrator_of("default", "deputy@example.com");
    let probe = acme.installation.probe();
    let mut made = String::new();
    for number in 0..USERS {
        let entry = entry(number, "Before").replacen('\n', "\nchangetype: add\n", 1);
        writeln!(made, "{entry}").unwrap();
    }
    probe.modify(&made);
    let file: String = (0..USERS).map(|number| entry(number, "Restored") + "\n").collect();
    // Directly in the directory from the last one on, and by pbm from the first one on.
    let mut behind = String::new();
    for number in (0..USERS).rev().filter(|number| number % 3 == 0) {
        let dn = format!("mail={},ou=default,ou=People,{ROOT}", mail(number));
        let change = "replace: employeeNumber\nemployeeNumber: 3\n-\nreplace: title\ntitle: Promoted";
        writeln!(behind, "dn: {dn}\nchangetype: modify\n{change}\n").unwrap();
    }
    let answer = thread::scope(|scope| {
        let restored = scope.spawn(|| restore(&deputy, "tenant-id=default&existing=update", file.as_bytes()));
        scope.spawn(|| probe.modify(&behind));
        for number in (0..USERS).filter(|number| number % 3 != 0) {
            let path = format!("/v2/users/default/{}", mail(number));
            acme.root.patch(path, "employeeNumber=3&title=Promoted").expect_success();
        }
        restored.join().unwrap()
    });
    for number in 0..USERS {
        let found = probe.user(&mail(number));
        assert_eq!(
            (found.one("employeeNumber"), found.one("title")),
            ("3", "Promoted"),
            "{}: {}",
            mail(number),
            answer.text()
        );
    }
    // The race took place: some users were restored before their promotion, some after.
    assert!(lines(&answer).last().unwrap()["summary"].is_object(), "{}", answer.text());
    let again = restore(&deputy, "tenant-id=default&existing=update", file.as_bytes());
    let refused = lines(&again).pop().unwrap()["summary"]["refused"].as_u64().unwrap();
    assert_eq!(refused, USERS as u64, "{}", again.text());
}

pub(super) fn domains() {
    let acme = Acme::start();
    acme.root.put("/v2/tenants/acme/domains/spare.test", "").expect_success();
    // The server hashes passwords in clear text, which takes time.
    let mut file = String::new();
    for number in 0..4000 {
        let mail = format!("n{number}@acme.test");
        writeln!(file, "{}userPassword: {PASSWORD}-{number}\n", user(&format!("mail={mail}"), &mail))
            .unwrap();
    }
    let probe = acme.installation.probe();
    let answer = thread::scope(|scope| {
        let restored = scope.spawn(|| acme.update(&file));
        let has_begun = || !probe.find("(mail=n1@acme.test)").is_empty();
        assert!(within(Duration::from_secs(10), has_begun));
        acme.root.delete("/v2/tenants/acme/domains/spare.test").expect_success();
        restored.join().unwrap()
    });
    let last = lines(&answer).pop().unwrap();
    assert!(last["message"].as_str().is_some_and(|text| text.contains("have changed")), "{last}");
    assert!(probe.find("(mail=n3999@acme.test)").is_empty());
}
