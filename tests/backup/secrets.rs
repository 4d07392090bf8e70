//! Passwords in files, in any form: none is printed, and none is stored in clear text.

use crate::fixture::{Fixture, ROOT, super_of};
use std::fs;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_password_is_one_whatever_its_options", passwords_with_options),
    ("no_other_secret_is_shown", other_secrets),
];

/// The secret in the files of this test.
const SECRET: &str = "Hunter-Two-2";

fn person(name: &str, more: &str) -> String {
    format!("dn: cn={name},ou=CAB,{ROOT}\nobjectClass: inetOrgPerson\ncn: {name}\nsn: x\n{more}\n")
}

impl Fixture {
    /// Requires that no comparison, dry run or restore of a file prints the secret.
    #[track_caller]
    fn assert_is_not_shown(&self, text: &str) {
        let file = self.file("secret.ldif");
        fs::write(&file, text).unwrap();
        let other = self.file("other.ldif");
        fs::write(&other, person("a", "userPassword: x\n")).unwrap();
        let other = other.to_str().unwrap();
        for (command, more) in [
            ("diff", &[][..]),
            ("diff", &[other][..]),
            ("restore", &["--dry-run"]),
            ("restore", &["--dry-run", "--existing", "update"]),
            ("restore", &["--verbose"]),
            ("restore", &["--verbose", "--existing", "update"]),
        ] {
            let told = self.pbm(command, &file, more).output();
            assert!(!told.contains(SECRET), "{command} {more:?}: {told}");
        }
        let reversed =
            self.pbm("diff", self.file("other.ldif").as_path(), &[file.to_str().unwrap()]).output();
        assert!(!reversed.contains(SECRET), "{reversed}");
    }
}

fn passwords_with_options() {
    let here = Fixture::empty();
    let serve = here.serve();
    let client = super_of(&serve);
    let probe = here.installation.probe();
    let dn = format!("cn=a,ou=CAB,{ROOT}");
    for name in [
        "userPassword;lang-ru",
        "USERPASSWORD;binary",
        "2.5.4.35",
        "2.5.4.35;x-a",
        "userpassword;lang-ru;x-a",
    ] {
        let _case = harness::Context::new(name);
        let text = person("a", &format!("{name}: {SECRET}\n"));
        let tried =
            client.with_header("Content-Type", "text/x-ldif").post("/v2/restore/ldif?dry-run=1", &text);
        assert!(!tried.text().contains(SECRET) && tried.text().contains("added"), "{}", tried.text());
        let file = here.file("dry.ldif");
        fs::write(&file, &text).unwrap();
        let tried = here.pbm("restore", &file, &["--dry-run"]).expect_success();
        assert!(tried.stdout.contains("cn=a") && !tried.stdout.contains(SECRET), "{}", tried.stdout);
        here.pbm("restore", &file, &[]).expect_success();
        // It is stored as the hashed password, and nowhere else.
        assert!(probe.accepts_bind(&dn, SECRET));
        let stored = fs::read_to_string(here.back_up("stored.ldif")).unwrap();
        assert!(!stored.contains(SECRET) && !stored.to_lowercase().contains("userpassword;"), "{stored}");
        here.assert_is_not_shown(&text);
        probe.delete(&dn);
    }
    // A password that another program stored in clear text is not printed either, and is removed if the file lacks it.
    probe.modify(
        &person("a", &format!("userPassword;lang-ru: {SECRET}\n"))
            .replace("\nobjectClass", "\nchangetype: add\nobjectClass"),
    );
    let file = here.file("without.ldif");
    fs::write(&file, person("a", "userPassword: Other-Horse-7\n")).unwrap();
    let told = here.pbm("diff", &file, &[]).output();
    assert!(!told.contains(SECRET) && told.contains("userPassword;lang-ru"), "{told}");
    here.pbm("restore", &file, &["--existing", "update"]).expect_success();
    assert!(!fs::read_to_string(here.back_up("stored.ldif")).unwrap().contains(SECRET));
}

fn other_secrets() {
    let here = Fixture::empty();
    for name in
        ["sambaNTPassword", "krbPrincipalKey", "nsDS5ReplicaCredentials;x-a", "myAppSecret", "unicodePwd"]
    {
        let _case = harness::Context::new(name);
        here.assert_is_not_shown(&person("a", &format!("objectClass: extensibleObject\n{name}: {SECRET}\n")));
        here.installation.probe().delete(&format!("cn=a,ou=CAB,{ROOT}"));
    }
}
