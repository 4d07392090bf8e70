//! A real `OpenLDAP`.

use crate::fixture::{all_groups, all_people, people, settings_of};
use mail_model::{source::SourceKind, user::field::UserField};
use sandbox::SlapdServer;
use sources::{
    SourceError, Sweep,
    ldap::{Encryption, LdapSourceSettings},
};
use stand_ins::active_directory::DomainController;
use std::fmt::Write as _;
use tempfile::TempDir;

const BASE: &str = "dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=test
objectClass: organizationalUnit
ou: groups

dn: cn=reader,dc=example,dc=test
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader-secret

";

/// A person, with further lines.
fn person(uid: &str, lines: &str) -> String {
    format!(
        "dn: uid={uid},ou=people,dc=example,dc=test\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
         mail: {uid}@example.test\n{lines}\n"
    )
}

/// A group with an address, if it has one, and members, given by their DNs below the suffix.
fn group(cn: &str, class: &str, attribute: &str, members: &[&str]) -> String {
    let mut entry = format!("dn: cn={cn},ou=groups,dc=example,dc=test\nobjectClass: {class}\ncn: {cn}\n");
    for member in members {
        writeln!(entry, "{attribute}: {member},dc=example,dc=test").unwrap();
    }
    entry + "\n"
}

fn with_mail(group: &str, mail: &str) -> String {
    group.replacen("\ncn:", &format!("\nobjectClass: extensibleObject\nmail: {mail}\ncn:"), 1)
}

struct OpenLdap {
    server: SlapdServer,
    _folder: TempDir,
}

impl OpenLdap {
    fn start(entries: &str, settings: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let ldif = format!("{BASE}{entries}");
        let server =
            SlapdServer::in_folder(folder.path()).ldif(&ldif).settings(settings).tls(true).start().unwrap();
        Self { server, _folder: folder }
    }

    fn settings(&self) -> LdapSourceSettings {
        let like = settings_of(&DomainController::start());
        LdapSourceSettings {
            port: self.server.port(),
            login: "cn=reader,dc=example,dc=test".into(),
            password: "reader-secret".into(),
            base_dn: "ou=people,dc=example,dc=test".into(),
            groups_dn: Some("ou=groups,dc=example,dc=test".into()),
            groups_filter: "(&(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))(mail=*))".into(),
            ..like
        }
    }
}

#[tokio::test]
async fn people_are_read_whole_with_their_entry_uuids() {
    let mut entries = String::new();
    for number in 0..1_200 {
        entries += &person(&format!("p{number}"), "");
    }
    entries += &person(
        "anna",
        "mail: smirnova@example.test\nl: Tula\nmobile: +7 900 123-45-67\njpegPhoto:: /9j/4AA=\n",
    );
    let openldap = OpenLdap::start(&entries, "sizelimit unlimited");
    let found = all_people(&openldap.settings()).await;
    assert_eq!((found.people.len(), found.passed.len()), (1_201, 0));
    let anna = &found.people["anna@example.test"];
    assert_eq!((anna.id.kind(), anna.id.as_str().len()), (SourceKind::Ldap, "ldap:".len() + 36));
    assert_eq!(anna.aliases[0].as_str(), "smirnova@example.test");
    assert_eq!(anna.text(UserField::City), Some("Tula"));
    assert_eq!(anna.photo.as_deref(), Some(&[0xff, 0xd8, 0xff, 0xe0, 0][..]));
    // A position of another server says nothing here.
    let (found, ending) = people(&openldap.settings(), &Sweep::Since("1 0a 0 dc1".into())).await;
    let ending = ending.unwrap();
    assert!(ending.is_whole && ending.position.is_none() && found.people.len() == 1_201);
}

#[tokio::test]
async fn a_renamed_person_is_the_same() {
    let openldap = OpenLdap::start(&person("anna", ""), "");
    let before = all_people(&openldap.settings()).await.people["anna@example.test"].id.clone();
    let rename = "dn: uid=anna,ou=people,dc=example,dc=test\nchangetype: modrdn\nnewrdn: uid=vera\ndeleteoldrdn: 1\n\n\
                  dn: uid=vera,ou=people,dc=example,dc=test\nchangetype: modify\nreplace: mail\nmail: vera@example.test\n";
    openldap.server.change(rename).unwrap();
    assert_eq!(all_people(&openldap.settings()).await.people["vera@example.test"].id, before);
}

#[tokio::test]
async fn a_size_limit_is_an_error_and_not_a_short_answer() {
    let entries: String = (0..30).map(|number| person(&format!("p{number}"), "")).collect();
    let openldap = OpenLdap::start(&entries, "sizelimit 10");
    let (_, ending) = people(&openldap.settings(), &Sweep::Whole).await;
    let text = ending.unwrap_err().to_string();
    assert!(text.contains("raise its limit"), "{text}");
}

#[tokio::test]
async fn groups_of_both_classes_are_read_with_nested_ones() {
    let entries = [
        person("anna", ""),
        person("boris", ""),
        person("vera", ""),
        with_mail(
            &group(
                "all",
                "groupOfNames",
                "member",
                &["cn=sales,ou=groups", "cn=plain,ou=groups", "uid=nobody,ou=people"],
            ),
            "all@example.test",
        ),
        with_mail(
            &group(
                "sales",
                "groupOfUniqueNames",
                "uniqueMember",
                &["UID=Anna,ou=People", "cn=all,ou=groups"],
            ),
            "sales@example.test",
        ),
        group("plain", "groupOfNames", "member", &["uid=boris,ou=people", "cn=plain,ou=groups"]),
    ];
    let openldap = OpenLdap::start(&entries.concat(), "");
    let found = all_groups(&openldap.settings()).await;
    assert_eq!(found.lists.len(), 2);
    let members = [found.members("all@example.test"), found.members("sales@example.test")];
    // Which of both is not a member of the other depends on their identifiers.
    let one = [vec!["boris@example.test", "sales@example.test"], vec!["anna@example.test"]];
    let other = [vec!["boris@example.test"], vec!["all@example.test", "anna@example.test"]];
    assert!(members == one || members == other, "{members:?}");
    let reasons = [found.why("all@example.test"), found.why("sales@example.test")].concat();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons.iter().any(|why| why.starts_with("1 of its members")), "{reasons:?}");
}

#[tokio::test]
async fn tls_is_spoken_with_the_configured_authority_and_no_other() {
    let openldap = OpenLdap::start(&person("anna", ""), "");
    let plain = LdapSourceSettings { ca_file: openldap.server.ca_file(), ..openldap.settings() };
    let start_tls = LdapSourceSettings { encryption: Encryption::StartTls, ..plain.clone() };
    let port = openldap.server.tls_port().unwrap();
    let tls = LdapSourceSettings { encryption: Encryption::Tls, port, ..plain };
    for settings in [&start_tls, &tls] {
        assert_eq!(all_people(settings).await.mails(), ["anna@example.test"]);
        let other = LdapSourceSettings { ca_file: None, ..settings.clone() };
        let (_, ending) = people(&other, &Sweep::Whole).await;
        let text = ending.unwrap_err().to_string();
        assert!(text.contains("certificate"), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_name_that_is_no_dn_are_refused() {
    let openldap = OpenLdap::start("", "");
    let wrong = LdapSourceSettings { password: "wrong".into(), ..openldap.settings() };
    let no_dn = LdapSourceSettings { login: "reader@example.test".into(), ..openldap.settings() };
    for (settings, word) in [(wrong, "login or the password"), (no_dn, "give a DN")] {
        let (_, ending) = people(&settings, &Sweep::Whole).await;
        let error = ending.unwrap_err();
        assert!(matches!(&error, SourceError::Login(text) if text.contains(word)), "{error}");
    }
}
