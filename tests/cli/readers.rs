//! Other readers of the directory, with the account, the right and the filters that `docs/OPERATIONS.md` gives them.

use harness::{World, documented_filter, documented_ldif};

pub(crate) const TRIALS: &[harness::Alone] =
    &[("the_documented_account_finds_what_its_filters_ask_for_and_no_password", the_documented_account)];

const PASSWORD: &str = "Reader-Horse-7";

fn the_documented_account() {
    let world = World::start();
    let (probe, tenant) = (world.probe(), world.tenant());
    let root = probe.root.clone();
    let in_root = |text: &str| {
        text.replace("ou=System,R", &format!("ou=System,{root}")).replace("dn: R\n", &format!("dn: {root}\n"))
    };
    let ldif = in_root(&documented_ldif("**Whom they bind as.**")).replace("PASSWORD", PASSWORD);
    let ldif = ldif.replacen("\nobjectClass: account", "\nchangetype: add\nobjectClass: account", 1);
    probe.modify(&ldif);
    let ivan = tenant.user("ivan").create();
    let fields =
        [("mail", tenant.address("all")), ("displayName", "All".to_owned()), ("alias", ivan.mail.clone())];
    tenant
        .admin()
        .post(format!("/v2/maillists?tenant-id={}", tenant.id), &harness::form(&fields))
        .expect_success();
    let reader = format!("uid=reader,ou=System,{root}");
    for (row, mail) in [
        ("Postfix, mailbox exists", &ivan.mail),
        ("query_filter", &tenant.address("all")),
        ("Dovecot, userdb", &ivan.mail),
        ("address books, people", &ivan.mail),
        ("address books, lists", &tenant.address("all")),
    ] {
        let (base, filter) = documented_filter(row);
        let base = base.replace("<tenant>", &tenant.id);
        let base = format!("{}{root}", base.strip_suffix('R').unwrap());
        let filter = filter.replace("%s", mail).replace("%u", mail);
        let found = probe.search_below_as(&reader, PASSWORD, &base, &filter).expect_success();
        assert!(found.stdout.contains(&format!("mail: {mail}\n")), "{row}: {found:?}");
        assert!(!found.stdout.contains("userPassword"), "{row}: {found:?}");
        // No other account finds anything.
        let unknown = probe.search_below_as(&ivan.dn(), harness::PASSWORD, &base, &filter);
        assert!(!unknown.stdout.contains(&format!("mail: {mail}\n")), "{row}: {unknown:?}");
    }
    assert_eq!(world.stop(), Vec::<String>::new());
}
