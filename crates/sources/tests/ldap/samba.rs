//! A real domain controller, by Samba: what a domain does by itself, with two thousand people. It does not limit pages
//! or values; the stand-in does.

use crate::fixture::{Found, all_groups, all_people, people, settings_of};
use mail_model::source::{SourceId, SourceKind};
use sandbox::SambaServer;
use sources::{
    Sweep,
    ldap::{Encryption, LdapSourceSettings},
};
use stand_ins::active_directory::DomainController;
use std::fmt::Write as _;
use tempfile::TempDir;

const PEOPLE: usize = 2_000;

/// Containers, people, a contact, and groups: `staff` holds `moscow` and everyone of `Tula` through a group without an
/// address; `moscow` and `tula` hold each other; `primary` holds whose primary group it becomes.
fn entries() -> String {
    let mut ldif = String::new();
    for container in ["Staff", "Groups"] {
        unit(&mut ldif, &format!("OU={container}"));
    }
    for place in ["Moscow", "Tula"] {
        unit(&mut ldif, &format!("OU={place},OU=Staff"));
    }
    for number in 0..PEOPLE {
        writeln!(
            ldif,
            "dn: {}\nchangetype: add\nobjectClass: user\nsAMAccountName: p{number}\nuserAccountControl: 544\n\
             givenName: Person\nsn: Number {number}\ndisplayName: Person {number}\nmail: p{number}@example.test\n\
             proxyAddresses: SMTP:p{number}@example.test\nproxyAddresses: smtp:person.{number}@example.test\n",
            person(number)
        )
        .unwrap();
    }
    writeln!(
        ldif,
        "dn: CN=Partner,OU=Staff,DC=example,DC=test\nchangetype: add\nobjectClass: contact\nmail: partner@example.org\n"
    )
    .unwrap();
    let tula: Vec<_> = (0..PEOPLE).filter(|number| number % 2 == 1).map(person).collect();
    group(&mut ldif, "tula", None, &tula);
    group(&mut ldif, "moscow", Some("moscow"), &[person(0), person(2)]);
    group(&mut ldif, "primary", Some("primary"), &[]);
    let nested = ["moscow", "tula", "primary"].map(|name| format!("CN={name},OU=Groups,DC=example,DC=test"));
    group(&mut ldif, "staff", Some("staff"), &nested);
    ldif += "dn: CN=moscow,OU=Groups,DC=example,DC=test\nchangetype: modify\nadd: member\n\
             member: CN=staff,OU=Groups,DC=example,DC=test\n";
    ldif
}

fn unit(ldif: &mut String, name: &str) {
    writeln!(ldif, "dn: {name},DC=example,DC=test\nchangetype: add\nobjectClass: organizationalUnit\n")
        .unwrap();
}

fn person(number: usize) -> String {
    let place = if number.is_multiple_of(2) { "Moscow" } else { "Tula" };
    format!("CN=Person {number},OU={place},OU=Staff,DC=example,DC=test")
}

fn group(ldif: &mut String, name: &str, mail: Option<&str>, members: &[String]) {
    writeln!(ldif, "dn: CN={name},OU=Groups,DC=example,DC=test\nchangetype: add\nobjectClass: group")
        .unwrap();
    writeln!(ldif, "sAMAccountName: {name}\ndisplayName: The {name}").unwrap();
    if let Some(mail) = mail {
        writeln!(ldif, "mail: {mail}@example.test").unwrap();
    }
    for member in members {
        writeln!(ldif, "member: {member}").unwrap();
    }
    ldif.push('\n');
}

struct Domain {
    server: SambaServer,
    _folder: TempDir,
}

impl Domain {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let server = SambaServer::in_folder(folder.path()).start().unwrap();
        server.change(&entries()).unwrap();
        Self { server, _folder: folder }
    }

    fn settings(&self) -> LdapSourceSettings {
        LdapSourceSettings {
            host: self.server.address().to_string(),
            port: 389,
            login: self.server.administrator().to_owned(),
            password: self.server.password().unwrap(),
            ..settings_of(&DomainController::start())
        }
    }

    async fn changed_since(&self, position: &str) -> (Found, bool, String) {
        let (found, ending) = people(&self.settings(), &Sweep::Since(position.to_owned())).await;
        let ending = ending.unwrap();
        (found, ending.is_whole, ending.position.unwrap())
    }
}

fn id(found: &Found, mail: &str) -> Option<SourceId> {
    found.people.get(mail).map(|card| card.id.clone())
}

#[tokio::test]
#[ignore = "needs root and Samba: make ad-check"]
async fn a_domain_is_read_and_followed() {
    let domain = Domain::start();
    let settings = domain.settings();
    let (before, is_whole, position) = domain.changed_since("").await;
    assert!(is_whole && before.people.len() == PEOPLE + 1, "{}", before.people.len());
    assert_eq!(id(&before, "p7@example.test").map(|id| id.kind()), Some(SourceKind::ActiveDirectory));
    assert_eq!(before.people["p7@example.test"].aliases[0].as_str(), "person.7@example.test");

    reads_groups(&settings, &domain).await;
    follows_changes(&domain, &before, &position).await;
    refuses_logins(&settings, &domain).await;
}

async fn reads_groups(settings: &LdapSourceSettings, domain: &Domain) {
    let primary = "dn: CN=primary,OU=Groups,DC=example,DC=test\nchangetype: modify\nadd: member\nmember: ";
    domain.server.change(&format!("{primary}{}\n", person(4))).unwrap();
    domain.server.tool(&["user", "setprimarygroup", "p4", "primary"]).unwrap();
    let found = all_groups(settings).await;
    assert_eq!(found.members("primary@example.test"), ["p4@example.test"]);
    let staff = found.members("staff@example.test");
    assert_eq!(staff.iter().filter(|mail| mail.starts_with('p') && mail.len() < 19).count(), PEOPLE / 2);
    assert!(staff.contains(&"primary@example.test"), "{staff:?}");
    let nested = [
        staff.contains(&"moscow@example.test"),
        found.members("moscow@example.test").contains(&"staff@example.test"),
    ];
    assert!(nested == [true, false] || nested == [false, true], "{nested:?}");
    assert_eq!(found.passed.len(), 1, "{:?}", found.passed);
}

async fn follows_changes(domain: &Domain, before: &Found, position: &str) {
    let (_, _, position) = domain.changed_since(position).await;
    let (found, is_whole, _) = domain.changed_since(&position).await;
    assert_eq!((found.people.len(), is_whole), (0, false));

    domain.server.tool(&["user", "disable", "p10"]).unwrap();
    domain.server.tool(&["user", "delete", "p12"]).unwrap();
    let changes = format!(
        "dn: {}\nchangetype: modrdn\nnewrdn: CN=Renamed\ndeleteoldrdn: 1\nnewsuperior: OU=Tula,OU=Staff,DC=example,DC=test\n\n\
         dn: CN=Renamed,OU=Tula,OU=Staff,DC=example,DC=test\nchangetype: modify\nreplace: mail\nmail: renamed@example.test\n\n\
         dn: {}\nchangetype: modify\nreplace: accountExpires\naccountExpires: 116444736000000000\n",
        person(14),
        person(16)
    );
    domain.server.change(&changes).unwrap();
    let (found, is_whole, _) = domain.changed_since(&position).await;
    assert_eq!((found.mails(), is_whole), (vec!["renamed@example.test"], false));
    assert_eq!(id(&found, "renamed@example.test"), id(before, "p14@example.test"));

    let after = all_people(&domain.settings()).await;
    assert_eq!(after.people.len(), PEOPLE + 1 - 3);
    for gone in ["p10@example.test", "p12@example.test", "p14@example.test", "p16@example.test"] {
        assert!(!after.people.contains_key(gone), "{gone}");
    }
}

async fn refuses_logins(settings: &LdapSourceSettings, domain: &Domain) {
    let wrong = LdapSourceSettings { password: "wrong".into(), ..settings.clone() };
    let text = people(&wrong, &Sweep::Whole).await.1.unwrap_err().to_string();
    assert!(text.contains("password is wrong") || text.contains("login or the password"), "{text}");
    domain.server.tool(&["user", "setpassword", "p10", "--newpassword=Passw0rd-p10"]).unwrap();
    // A new password enables the account.
    domain.server.tool(&["user", "disable", "p10"]).unwrap();
    let disabled = LdapSourceSettings {
        login: "p10@example.test".into(),
        password: "Passw0rd-p10".into(),
        ..settings.clone()
    };
    let text = people(&disabled, &Sweep::Whole).await.1.unwrap_err().to_string();
    assert!(text.contains("disabled"), "{text}");
    let encrypted = LdapSourceSettings { encryption: Encryption::Tls, port: 636, ..settings.clone() };
    let text = people(&encrypted, &Sweep::Whole).await.1.unwrap_err().to_string();
    assert!(text.contains("certificate"), "{text}");
}
