//! An installation with one object of each kind, and commands on its backups.

use harness::{
    ALLOWED_ADDRESS, Client, Finished, Installation, Serve, Setup, World, form, ldif_line, start_serve,
};
use sandbox::DirectoryServer;
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// The root DN of every installation here.
pub(crate) const ROOT: &str = "dc=example,dc=com";
/// The users that [`Fixture::fill`] creates besides the special ones.
pub(crate) const USERS: usize = 40;
/// Their password.
pub(crate) const PASSWORD: &str = harness::PASSWORD;

/// An installation for backups.
pub(crate) struct Fixture {
    pub(crate) installation: Installation,
}

impl Fixture {
    /// An empty, prepared installation.
    pub(crate) fn empty() -> Self {
        Self { installation: Installation::start(Setup { without_redis: true, ..Setup::default() }) }
    }

    /// A prepared installation to restore into: without the administrator of `pbm init`, whose password has a different
    /// hash each time.
    pub(crate) fn bare() -> Self {
        let fixture = Self::empty();
        fixture.installation.probe().delete(&format!("mail=admin@example.com,ou=default,ou=People,{ROOT}"));
        fixture
    }

    /// An installation with one object of each kind.
    pub(crate) fn filled() -> Self {
        let fixture = Self::empty();
        fixture.fill();
        fixture
    }

    pub(crate) fn fill(&self) {
        self.installation.create_tenant("acme", "acme.test");
        let mut ldif = String::new();
        for number in 0..USERS {
            let (tenant, domain) = [("default", "example.com"), ("acme", "acme.test")][number % 2];
            writeln!(ldif, "{}", user(tenant, domain, number)).unwrap();
        }
        self.installation.probe().modify(&ldif);
        let serve = self.serve();
        let client = client_of(&serve);
        client.delete("/v2/users/default/u0@example.com").expect_success();
        client.patch("/v2/users/acme/u1@acme.test", "inetUserStatus=0").expect_success();
        let lists = [
            ("all@acme.test", "u1@acme.test,u3@acme.test,partner@elsewhere.example"),
            ("outer@acme.test", "all@acme.test,u5@acme.test"),
        ];
        for (mail, members) in lists {
            let fields = form(&[
                ("tenant-id", "acme"),
                ("mail", mail),
                ("alias", members),
                ("displayName", "Все: сразу"),
            ]);
            client.post("/v2/maillists", &fields).expect_success();
        }
        let dynamic = [
            ("tenant-id", "acme"),
            ("mail", "sales@acme.test"),
            ("displayName", "Sales"),
            ("filter", "title=Директор 3"),
        ];
        client.post("/v2/maillists", &form(&dynamic)).expect_success();
        client.put("/v2/resourcegroups/acme/Rooms", "").expect_success();
        client.put("/v2/resources/acme/Rooms/blue@acme.test", "displayName=Blue").expect_success();
        self.installation.probe().modify(&odd_entries());
    }

    /// A process of `pbm serve`.
    pub(crate) fn serve(&self) -> Serve {
        start_serve(&self.installation.usual_config(), &[])
    }

    /// A file in the installation's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.installation.file(name)
    }

    /// A file with a given content.
    pub(crate) fn written(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.file(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Runs a command of `pbm` on a file, with more arguments.
    pub(crate) fn pbm(&self, command: &str, file: &Path, more: &[&str]) -> Finished {
        let arguments = [&[command, file.to_str().unwrap()], more].concat();
        self.installation.pbm(&self.installation.usual_config(), &arguments)
    }

    /// Backs up everything into a file.
    #[track_caller]
    pub(crate) fn back_up(&self, name: &str) -> PathBuf {
        self.back_up_with(name, &[])
    }

    #[track_caller]
    pub(crate) fn back_up_with(&self, name: &str, more: &[&str]) -> PathBuf {
        let file = self.file(name);
        let arguments = [&["backup", "--output", file.to_str().unwrap()], more].concat();
        self.installation.pbm(&self.installation.usual_config(), &arguments).expect_success();
        file
    }

    /// Requires that `pbm diff` finds no difference between a file and the directory.
    #[track_caller]
    pub(crate) fn assert_is_as(&self, file: &Path) {
        let diff = self.pbm("diff", file, &[]);
        assert_eq!(diff.code, 0, "{}", diff.output());
        assert_eq!(diff.stdout, "");
    }

    /// Requires that ldapsearch finds the same in two installations, except the passwords of pbm's own accounts.
    #[track_caller]
    pub(crate) fn assert_same_as(&self, other: &Self) {
        let entries = |fixture: &Self| {
            let found = fixture.installation.probe().search_with(&["aci"], ROOT, "sub", "(objectClass=*)");
            let is_account = |entry: &harness::Entry| entry.dn.contains("ou=System");
            let mut found: Vec<_> = found
                .into_iter()
                .map(|entry| if is_account(&entry) { entry.without(&["userPassword"]) } else { entry })
                .collect();
            found.sort_unstable_by_key(|entry| entry.dn.to_lowercase());
            found
        };
        let (ours, theirs) = (entries(self), entries(other));
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(
                (ours.dn.to_lowercase(), ours.in_order()),
                (theirs.dn.to_lowercase(), theirs.in_order())
            );
        }
    }

    /// Requires that users can log in with their old passwords.
    #[track_caller]
    pub(crate) fn assert_passwords_count(&self) {
        let probe = self.installation.probe();
        let accepts = |tenant: &str, mail: &str| {
            probe.accepts_bind(&format!("mail={mail},ou={tenant},ou=People,{ROOT}"), PASSWORD)
        };
        assert!(accepts("default", "u2@example.com") && accepts("acme", "u3@acme.test"));
        assert!(!accepts("default", "u0@example.com"), "a deleted user logs in");
        assert!(!accepts("acme", "u1@acme.test"), "a blocked user logs in");
    }
}

/// The folder with the configuration of a server, for its offline commands.
pub(crate) fn config_folder(server: &DirectoryServer) -> PathBuf {
    let folders = std::fs::read_dir(server.folder()).unwrap().map(|file| file.unwrap().path());
    let is_config = |path: &PathBuf| path.join("dse.ldif").exists();
    folders.into_iter().find(is_config).expect("389-ds has a folder with its configuration")
}

pub(crate) fn client_of(serve: &Serve) -> Client {
    serve.client().behind(ALLOWED_ADDRESS)
}

/// The first super administrator with a token: an address is not sufficient for backups and restores.
#[track_caller]
pub(crate) fn super_of(serve: &Serve) -> Client {
    let granted = serve.client().log_in(&World::root_login(), World::root_password()).expect(200).json();
    client_of(serve).with_token(granted["access_token"].as_str().unwrap())
}

/// LDIF that adds a user.
pub(crate) fn user(tenant: &str, domain: &str, number: usize) -> String {
    let mail = format!("u{number}@{domain}");
    let classes = ["inetOrgPerson", "inetUser", "mailRecipient", "pbmUser"];
    let classes: String = classes.iter().map(|class| ldif_line("objectClass", class)).collect();
    let own = [
        ("mail", mail.clone()),
        ("mailAlternateAddress", format!("alias.{number}@{domain}")),
        ("cn", "Анна".to_owned()),
        ("sn", format!("Ёлкина {number}")),
        ("title", format!("Директор {number}")),
        ("userPassword", PASSWORD.to_owned()),
        ("inetUserStatus", "1".to_owned()),
        ("employeeNumber", "2".to_owned()),
        ("employeeType", "3".to_owned()),
    ];
    let own: String = own.iter().map(|(name, value)| ldif_line(name, value)).collect();
    format!("dn: mail={mail},ou={tenant},ou=People,{ROOT}\nchangetype: add\n{classes}{own}")
}

/// Unusual data of other programs: binary values, long values, unusual blanks, names with commas, access rules.
fn odd_entries() -> String {
    let photo = "/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAA=";
    let long = "Слово и дело. ".repeat(300);
    format!(
        "dn: cn=Smith\\, John \\+ Co,ou=CAB,{ROOT}\nchangetype: add\nobjectClass: inetOrgPerson\n\
         cn: Smith, John + Co\nsn: Smith\njpegPhoto:: {photo}\n{}{}{}\n\
         dn: ou=acme,ou=CAB,{ROOT}\nchangetype: modify\nadd: aci\n\
         aci: (targetattr = \"cn\")(version 3.0; acl \"site: look\"; allow (read) userdn = \"ldap:///all\";)\n\n\
         dn: ou=Ours,{ROOT}\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: ou=Deep,ou=Ours,{ROOT}\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: cn=admins,ou=Deep,ou=Ours,{ROOT}\nchangetype: add\nobjectClass: groupOfUniqueNames\n\
         uniqueMember: mail=u2@example.com,ou=default,ou=People,{ROOT}\n",
        ldif_line("description", &long),
        ldif_line("description", ": < begins oddly"),
        ldif_line("postalAddress", " blanks around it "),
    )
}
