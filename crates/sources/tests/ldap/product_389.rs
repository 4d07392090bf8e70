//! A real 389-ds, whose identifiers and locks are its own; `FreeIPA` and ALD Pro are built on it.

use crate::fixture::{all_groups, all_people, settings_of};
use sandbox::DirectoryServer;
use sources::ldap::LdapSourceSettings;
use stand_ins::active_directory::DomainController;
use std::{
    io::Write as _,
    process::{Command, Stdio},
};
use tempfile::TempDir;

const ENTRIES: &str = "dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people

dn: uid=anna,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: anna
cn: Anna
sn: Smirnova
mail: anna@example.test

dn: uid=locked,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: locked
cn: Locked
sn: Locked
mail: locked@example.test
nsAccountLock: true

dn: cn=sales,ou=people,dc=example,dc=test
objectClass: groupOfNames
objectClass: extensibleObject
cn: sales
mail: sales@example.test
member: uid=anna,ou=people,dc=example,dc=test
member: uid=locked,ou=people,dc=example,dc=test
";

fn add(server: &DirectoryServer, ldif: &str) {
    let mut child = Command::new("ldapadd")
        .args(["-x", "-H", &server.url(), "-D", server.manager_dn(), "-y"])
        .arg(server.manager_password_file())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(ldif.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn people_and_groups_are_read_without_those_who_are_locked() {
    let folder = TempDir::new().unwrap();
    let server = DirectoryServer::in_folder(folder.path()).suffix("dc=example,dc=test").start().unwrap();
    add(&server, ENTRIES);
    let base = "ou=people,dc=example,dc=test";
    let port = server.url().rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let settings = LdapSourceSettings {
        port,
        login: server.manager_dn().to_owned(),
        password: server.manager_password().clone(),
        base_dn: base.into(),
        groups_dn: Some(base.into()),
        groups_filter: "(&(objectClass=groupOfNames)(mail=*))".into(),
        ..settings_of(&DomainController::start())
    };
    let found = all_people(&settings).await;
    assert_eq!(found.mails(), ["anna@example.test"]);
    let id = found.people["anna@example.test"].id.as_str();
    assert!(id.starts_with("ldap:") && id.len() > 30, "{id}");
    let found = all_groups(&settings).await;
    assert_eq!(found.members("sales@example.test"), ["anna@example.test"]);
    assert_eq!(found.why("sales@example.test").len(), 1);
}
