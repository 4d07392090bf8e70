//! LDIF from other programs, and entries that pbm would not create.

use crate::fixture::{Fixture, PASSWORD, ROOT, super_of, user};
use std::fs;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("names_in_quotes_are_read", quoted_names),
    ("what_slapcat_writes_is_read", slapcat),
    ("an_entry_without_what_it_is_named_by_is_the_same_afterwards", unnamed),
    ("blanks_tabs_and_utf_16_change_nothing", written_otherwise),
    ("entries_that_point_to_other_servers_are_saved_and_restored", referrals),
    ("what_the_server_works_out_of_other_entries_is_not_saved", worked_out),
    ("attributes_with_odd_names_are_saved_or_told", odd_names),
];

fn quoted_names() {
    let there = Fixture::empty();
    let text = format!(
        "dn: ou=q,{ROOT}\nobjectClass: organizationalUnit\n\n\
         dn: cn=\"cn=Directory Administrators,{ROOT}\",ou=q,{ROOT}\nobjectClass: extensibleObject\n\n\
         dn: cn=\" a;b \" ; OID.2.5.4.11 = q ; {ROOT}\nobjectClass: groupOfNames\n\
         member: cn=\"x,y\",ou=q,{ROOT}\n\n\
         dn: cn=\"x,y\",ou=q,{ROOT}\nobjectClass: person\nsn: x\n"
    );
    let file = there.written("quoted.ldif", text);
    let done = there.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains(" 4 added"), "{}", done.stderr);
    let again = there.pbm("restore", &file, &[]).expect_success();
    assert!(again.stderr.contains("4 the same"), "{}", again.output());
    let found = there.installation.probe().search(&format!("ou=q,{ROOT}"), "one", "(objectClass=*)");
    let mut names: Vec<_> = found.iter().map(|entry| entry.one("cn")).collect();
    names.sort_unstable();
    assert_eq!(names, [" a;b ", &format!("cn=Directory Administrators,{ROOT}"), "x,y"]);
}

/// In the format of slapd 2.5.
fn slapcat() {
    let there = Fixture::empty();
    let made = "structuralObjectClass: inetOrgPerson\nentryUUID: 4cdbd2a6-5f93-103b-8a4e-0f1d1f1b1a11\n\
                creatorsName: cn=admin,dc=example,dc=com\ncreateTimestamp: 20261129070000Z\n\
                entryCSN: 20261129070000.123456Z#000000#000#000000\nmodifiersName: cn=admin,dc=example,dc=com\n\
                modifyTimestamp: 20261129070000Z\npwdChangedTime: 20261129070000Z\n";
    let text = format!(
        "dn: ou=s,{ROOT}\nobjectClass: organizationalUnit\nou: s\n{}\
         contextCSN: 20261129070000.123456Z#000000#000#000000\n\n\
         # search reference\nref: ldap://elsewhere/ou=x,{ROOT}??sub\n\n\
         dn: cn=s,ou=s,{ROOT}\nobjectClass: inetOrgPerson\ncn: s\nsn: x\nuserPassword:: e1NTSEF9QUFFQ0F3UUZCZ2NJQ1FvTERBME9EeEFSRWhNVUZSWVg=\n{made}\n\
         dn: cn=t,ou=s,{ROOT}\nobjectClass: inetOrgPerson\ncn: t\nsn: x\npwdAccountLockedTime: 000001010000Z\n{made}\n\
         ref: ldap://elsewhere/\nref: ldap://elsewhere2/\n\n# search result\nsearch: 2\nresult: 0 Success\n",
        made.replace("inetOrgPerson", "organizationalUnit")
    );
    let file = there.written("slapcat.ldif", &text);
    let done = there.pbm("restore", &file, &[]);
    // A user that is locked there must not arrive here unlocked.
    assert!(
        done.stderr.contains("2 added") && done.stderr.contains("no attribute pwdAccountLockedTime"),
        "{}",
        done.stderr
    );
    let again = there.pbm("restore", &file, &["--dry-run"]);
    assert!(again.stderr.contains("2 the same, 0 different, 1 refused"), "{}", again.output());
    let without = text.lines().filter(|line| !line.contains("CSN") && !line.starts_with("pwdChanged"));
    let without = there.written("without.ldif", without.collect::<Vec<_>>().join("\n"));
    there.pbm("diff", &file, &[without.to_str().unwrap()]).expect_success();
}

fn unnamed() {
    let there = Fixture::empty();
    let text = format!(
        "dn: ou=n,{ROOT}\nobjectClass: organizationalUnit\n\n\
         dn: cn=a+sn=b,ou=n,{ROOT}\nobjectClass: inetOrgPerson\n\n\
         dn: 2.5.4.3=c,ou=n,{ROOT}\nobjectClass: inetOrgPerson\nsn: x\ncommonName: d\n"
    );
    let file = there.written("unnamed.ldif", text);
    there.pbm("restore", &file, &[]).expect_success();
    for existing in ["keep", "update"] {
        let again = there.pbm("restore", &file, &["--existing", existing]).expect_success();
        assert!(again.stderr.contains("0 added, 0 updated, 3 the same"), "{}", again.output());
    }
    let saved = there.back_up("saved.ldif");
    let part = fs::read_to_string(&saved).unwrap();
    let part =
        part.split_inclusive("\n\n").filter(|record| record.contains("ou=n,") && record.starts_with("dn:"));
    let part = there.written("part.ldif", part.collect::<String>());
    there.pbm("diff", &file, &[part.to_str().unwrap()]);
    let compared = there.pbm("diff", &part, &[there.file("unnamed.ldif").to_str().unwrap()]);
    assert!(
        !compared.stdout.contains("replace: cn") && !compared.stdout.contains("replace: ou"),
        "{}",
        compared.output()
    );
}

fn written_otherwise() {
    let plain = user("default", "example.com", 1).replace("changetype: add\n", "");
    let blanks: String = plain
        .lines()
        .map(|line| if line.contains("::") { format!("{line}\n") } else { format!("{line}   \n") })
        .collect();
    let tabs = plain.replace("mailAlternateAddress: ", "mailAlternateAddress: \n\t");
    let wide = |to: fn(u16) -> [u8; 2], text: &str| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let windows = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
    let cases: [(&str, Vec<u8>); 5] = [
        ("blanks", blanks.into()),
        ("tabs", tabs.into()),
        ("UTF-16LE with a mark", wide(u16::to_le_bytes, &windows)),
        ("UTF-16BE with a mark", wide(u16::to_be_bytes, &windows)),
        ("UTF-16LE without", wide(u16::to_le_bytes, &plain)),
    ];
    let there = Fixture::empty();
    let dn = format!("mail=u1@example.com,ou=default,ou=People,{ROOT}");
    for (what, text) in cases {
        let _case = harness::Context::new(what);
        let file = there.written("otherwise.ldif", text);
        let done = there.pbm("restore", &file, &[]).expect_success();
        assert!(done.stderr.contains(" 1 added"), "{}", done.output());
        let stored = there.installation.probe().user("u1@example.com");
        assert_eq!(
            (stored.one("inetUserStatus"), stored.one("employeeNumber"), stored.one("cn")),
            ("1", "2", "Анна")
        );
        assert_eq!(stored.one("mailAlternateAddress"), "alias.1@example.com");
        assert!(there.installation.probe().accepts_bind(&dn, PASSWORD));
        there.installation.probe().delete(&dn);
    }
    let broken = [&b"d\0n\0:\0"[..], b"\0\xd8x\0"].concat();
    let refused = there.pbm("restore", &there.written("broken.ldif", broken), &[]).expect_failure();
    assert!(refused.stderr.contains("UTF-16"), "{}", refused.stderr);
}

fn referrals() {
    let here = Fixture::filled();
    let dn = format!("cn=elsewhere,ou=CAB,{ROOT}");
    let entry = |url: &str| {
        format!("dn: {dn}\nobjectClass: referral\nobjectClass: extensibleObject\ncn: elsewhere\nref: {url}\n")
    };
    let added =
        entry("ldap://127.0.0.1:9/ou=x,dc=y").replacen("\nobjectClass", "\nchangetype: add\nobjectClass", 1);
    here.installation.probe().modify(&added);
    let ours = here.back_up("ours.ldif");
    assert!(fs::read_to_string(&ours).unwrap().contains("ref: ldap://127.0.0.1:9/ou=x,dc=y\n"));
    here.assert_is_as(&ours);
    let serve = here.serve();
    assert!(super_of(&serve).get("/v2/backup/ldif").expect(200).text().contains("ref: ldap://127.0.0.1:9"));
    let there = Fixture::bare();
    there.pbm("restore", &ours, &[]).expect_success();
    there.assert_is_as(&ours);
    // It is changed and removed like any other entry.
    let changed = there.written("changed.ldif", entry("ldap://127.0.0.1:10/dc=z"));
    let done = there.pbm("restore", &changed, &["--existing", "update"]).expect_success();
    assert!(done.stderr.contains("1 updated"), "{}", done.output());
    assert!(fs::read_to_string(there.back_up("b.ldif")).unwrap().contains("ref: ldap://127.0.0.1:10/dc=z\n"));
    let serve = there.serve();
    let client = super_of(&serve);
    let answer = client
        .with_header("Content-Type", "text/x-ldif")
        .post("/v2/restore/ldif?existing=update", &fs::read_to_string(&ours).unwrap());
    assert!(answer.expect(200).text().contains("\"updated\":1,"));
    there.assert_is_as(&ours);
    let text = fs::read_to_string(&ours).unwrap();
    let without: String = text
        .split_inclusive("\n\n")
        .filter(|record| record.starts_with("dn:") && !record.contains("cn=elsewhere"))
        .collect();
    let without = there.written("without.ldif", without);
    let done = there.pbm("restore", &without, &["--mirror", "--yes"]).expect_success();
    assert!(done.stderr.contains("1 removed"), "{}", done.output());
    there.assert_is_as(&without);
}

fn odd_names() {
    let here = Fixture::empty();
    let entry = |name: &str, line: &str| {
        format!("dn: cn={name},ou=CAB,{ROOT}\nobjectClass: extensibleObject\ncn: {name}\n{line}\n")
    };
    let added = |text: &str| text.replacen("\nobjectClass", "\nchangetype: add\nobjectClass", 1);
    here.installation.probe().modify(&added(&entry("under", "my_attr: x\ncn;lang_ru: y")));
    let ours = here.back_up("ours.ldif");
    assert!(fs::read_to_string(&ours).unwrap().contains("\nmy_attr: x\n"));
    here.assert_is_as(&ours);
    here.installation.probe().delete(&format!("cn=under,ou=CAB,{ROOT}"));
    let done = here.pbm("restore", &ours, &[]).expect_success();
    assert!(done.stderr.contains(" 1 added"), "{}", done.output());
    here.assert_is_as(&ours);
    // An entry that LDIF cannot represent stops no restore and no comparison, and a backup names it.
    here.installation.probe().modify(&added(&entry("odd", "my.attr: x")));
    let config = here.installation.usual_config();
    let refused = here.installation.pbm(&config, &["backup"]).expect_failure();
    assert!(
        refused.stderr.contains(&format!("cn=odd,ou=CAB,{ROOT}")) && refused.stderr.contains("my.attr"),
        "{}",
        refused.stderr
    );
    let file = here.written("more.ldif", entry("new", "description: x"));
    let done = here.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains(" 1 added"), "{}", done.output());
    let file = here.written("odd.ldif", entry("odd", "description: x"));
    for existing in ["keep", "update"] {
        let told = here.pbm("restore", &file, &["--existing", existing]);
        assert!(told.code == 1 && told.stderr.contains("my.attr"), "{}", told.output());
    }
    let told = here.pbm("diff", &ours, &[]);
    assert!(
        told.code == 1 && told.stdout.contains(&format!("dn: cn=odd,ou=CAB,{ROOT}")),
        "{}",
        told.output()
    );
}

/// A class of service gives entries attributes that they do not contain themselves.
fn worked_out() {
    let here = Fixture::empty();
    here.installation.probe().modify(&format!(
        "dn: cn=template,ou=CAB,{ROOT}\nchangetype: add\nobjectClass: costemplate\nobjectClass: extensibleObject\n\
         nsSizeLimit: 77\ntitle: given\n\n\
         dn: cn=definition,ou=CAB,{ROOT}\nchangetype: add\nobjectClass: cosSuperDefinition\n\
         objectClass: cosPointerDefinition\ncosTemplateDn: cn=template,ou=CAB,{ROOT}\n\
         cosAttribute: nsSizeLimit operational\ncosAttribute: title\n\n\
         dn: cn=a,ou=CAB,{ROOT}\nchangetype: add\nobjectClass: inetOrgPerson\nsn: x\n"
    ));
    let probe = here.installation.probe();
    let given = || probe.search_with(&["title"], &format!("cn=a,ou=CAB,{ROOT}"), "base", "(title=given)");
    harness::soon("the server gives it", || !given().is_empty());
    let saved = here.back_up("saved.ldif");
    let text = fs::read_to_string(&saved).unwrap();
    let record = text.split("\n\n").find(|record| record.starts_with("dn: cn=a,")).unwrap();
    assert!(!record.contains("title") && !record.contains("nsSizeLimit"), "{record}");
    let there = Fixture::bare();
    there.pbm("restore", &saved, &[]).expect_success();
    there.assert_is_as(&saved);
}
