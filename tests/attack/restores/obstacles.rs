//! Entries in places where pbm creates none, and the jobs that find them.

use super::acme::{Acme, ROOT, create_user};
use harness::{start_serve, within};
use std::time::{Duration, Instant};

fn unit(dn: &str) -> String {
    format!("dn: ou=x,{dn}\nchangetype: add\nobjectClass: organizationalUnit\n\n")
}

pub(super) fn group() {
    let acme = Acme::start();
    let probe = acme.installation.probe();
    let groups = format!("ou=acme,ou=Resources,{ROOT}");
    for group in ["Rooms", "Cars"] {
        acme.admin.put(format!("/v2/resourcegroups/acme/{group}"), "").expect_success();
        let room = format!("/v2/resources/acme/{group}/{}@acme.test", group.to_lowercase());
        acme.admin.put(room, "displayName=One").expect_success();
    }
    // Below a group, and below a resource.
    probe.modify(&unit(&format!("ou=Rooms,{groups}")));
    probe.modify(&unit(&format!("mail=cars@acme.test,ou=Cars,{groups}")));
    for group in ["Rooms", "Cars", "Rooms"] {
        let since = Instant::now();
        let answer = acme.admin.delete(format!("/v2/resourcegroups/acme/{group}")).expect(409);
        assert!(answer.message().as_str().unwrap().contains("can't be removed"), "{}", answer.text());
        assert!(since.elapsed() < Duration::from_secs(20));
    }
    assert!(probe.find("(mail=rooms@acme.test)").is_empty(), "its resources are gone");

    let ids = ["ou=Rooms", "ou=Cars"].map(|group| {
        let dn = format!("{group},{groups}");
        let found = probe.search_with(&["nsUniqueId"], &dn, "base", "(objectClass=*)").remove(0);
        found.one("nsUniqueId").to_owned()
    });
    let purge = acme.installation.pbm(&acme.installation.usual_config(), &["purge"]).expect_failure();
    for id in &ids {
        assert!(purge.stdout.contains(id), "{purge:?}");
    }
    // The groups, and the resource that contains one of them.
    assert!(purge.stdout.contains("3 could not be removed"), "{purge:?}");
    probe.delete(&format!("ou=x,ou=Rooms,{groups}"));
    probe.delete(&format!("ou=x,mail=cars@acme.test,ou=Cars,{groups}"));
    acme.admin.delete("/v2/resourcegroups/acme/Rooms").expect_success();
    acme.installation.pbm(&acme.installation.usual_config(), &["purge"]).expect_success();
    assert!(probe.search(&groups, "one", "(objectClass=*)").is_empty());
}

pub(super) fn purge() {
    let acme = Acme::start();
    let probe = acme.installation.probe();
    let user = |tenant: &str, name: &str| {
        let (domain, tenant) = (format!("{tenant}.test"), tenant.to_owned());
        create_user(&acme.root, &tenant, &format!("{name}@{domain}"), &[]);
        format!("mail={name}@{domain},ou={tenant},ou=People,{ROOT}")
    };
    let stuck = user("acme", "aaa");
    let (others, of_victim) = (["bbb", "ccc"].map(|name| user("acme", name)), user("victim", "ddd"));
    for name in ["aaa", "bbb", "ccc"] {
        acme.root.delete(format!("/v2/users/acme/{name}@acme.test")).expect_success();
    }
    acme.root.delete("/v2/tenants/victim").expect_success();
    probe.modify(&unit(&stuck));
    probe.modify(&unit(&of_victim));
    std::thread::sleep(Duration::from_millis(1100));

    // On schedule, every second.
    let due = [("deletion.retention", "\"0s\""), ("deletion.purge_interval", "\"1s\"")];
    let config = acme.installation.config("purge.toml", &due);
    let serve = start_serve(&config, &[]);
    let are_gone = || others.iter().all(|dn| probe.entry(dn).is_none());
    assert!(within(Duration::from_secs(15), are_gone), "{}", serve.log());
    let id = probe.search_with(&["nsUniqueId"], &stuck, "base", "(objectClass=*)").remove(0);
    let id = id.one("nsUniqueId").to_owned();
    let is_logged =
        || serve.log().lines().any(|line| line.contains("purge.entry.failed") && line.contains(&id));
    assert!(within(Duration::from_secs(5), is_logged), "{}", serve.log());
    drop(serve);

    let purge = acme.installation.pbm(&config, &["purge"]);
    assert!(purge.code == 1 && purge.stdout.contains(&id), "{purge:?}");
    assert!(probe.entry(&of_victim).is_none() || purge.stdout.contains("could not be removed"), "{purge:?}");
    probe.delete(&format!("ou=x,{stuck}"));
    let left = probe.entry(&format!("ou=x,{of_victim}")).is_some();
    if left {
        probe.delete(&format!("ou=x,{of_victim}"));
    }
    acme.installation.pbm(&config, &["purge"]).expect_success();
    assert!(probe.entry(&stuck).is_none() && probe.entry(&format!("ou=victim,ou=Domains,{ROOT}")).is_none());
}
