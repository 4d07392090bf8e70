use super::*;
use crate::{address::Domain, tenant::TenantId};
use ldap_text::ldif::{LdifReader, Record};

const USER: &str = "dn: mail=ivan@acme.example,ou=acme,ou=People,dc=x
objectClass: inetOrgPerson
objectClass: inetUser
objectClass: mailRecipient
objectClass: pbmUser
mail: ivan@acme.example
cn: Ivan
sn: Petrov
employeeNumber: 2
";
const LIST: &str = "dn: mail=all@acme.example,ou=acme,ou=Groups,dc=x
objectClass: groupOfNames
objectClass: groupOfURLs
objectClass: mailGroup
objectClass: pbmMailList
mail: all@acme.example
cn: All
displayName: All
";
const GROUP: &str = "dn: ou=Rooms,ou=acme,ou=Resources,dc=x
objectClass: organizationalUnit
objectClass: pbmResourceGroup
ou: Rooms
";
const ROOM: &str = "dn: mail=blue@acme.example,ou=Rooms,ou=acme,ou=Resources,dc=x
objectClass: pbmResource
mail: blue@acme.example
displayName: Blue
";
const CONTACT: &str = "dn: cn=Partner,ou=acme,ou=CAB,dc=x
objectClass: inetOrgPerson
cn: Partner
sn: Outside
mail: partner@elsewhere.example
";
const FOLDER: &str = "dn: ou=acme,ou=People,dc=x
objectClass: organizationalUnit
ou: acme
";

fn check(ldif: &str) -> Result<(), NotAllowed> {
    let Some(Ok(Record::Entry(entry))) = LdifReader::new(ldif.as_bytes()).next() else {
        panic!("not an entry: {ldif}")
    };
    let tree = Tree::new(Dn::parse("dc=x").unwrap());
    let tenant = Tenant {
        id: TenantId::parse("acme").unwrap(),
        domains: vec![Domain::parse("acme.example").unwrap()],
        default_quota: None,
        default_language: None,
    };
    let foreign_domains = HashSet::from(["victim.example".to_owned()]);
    let now = "2026-01-02T03:04:05Z".parse().unwrap();
    let rules = Rules { tree: &tree, tenant: &tenant, foreign_domains: &foreign_domains, now };
    rules.check(&entry.dn, &entry.attributes.iter().collect::<Vec<_>>())
}

#[track_caller]
fn assert_taken(ldif: &str) {
    assert_eq!(check(ldif), Ok(()), "{ldif}");
}

#[track_caller]
fn assert_refused(ldif: &str, words: &str) {
    let reason = check(ldif).expect_err(ldif).to_string();
    assert!(reason.contains(words), "{reason}\n{ldif}");
}

#[test]
fn what_the_api_makes_is_taken() {
    for entry in [USER, LIST, GROUP, ROOM, CONTACT, FOLDER] {
        assert_taken(entry);
    }
    let all = "objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: nsMemberOf
displayName: Иван
employeeType: 3
inetUserStatus: 0
initials: И
ou: Sales & R+D
title: Boss
mailAlternateAddress: i@acme.example
mailAlternateAddress: petrov@acme.example
description:: 0L/QtdGA0LLQsNGPCtCy0YLQvtGA0LDRjw==
homePhone: +7 (495) 123-45-67
telephoneNumber: 123
mobile: +7 900 1
l: Москва
telegram: @ivan
skype: ivan
mailQuota: 1073741824
preferredLanguage: ru-RU
userPassword: {SHA}TLspgFVGAV7yl/kwgQgTK0CCpa0=
nsAccountLock: true
pbmDeletedSince: 20260102030405Z
pbmDeletedWithTenant: TRUE
pbmRevision: 2305843009213693952
pbmTokensValidFrom: 20260102030405.678Z
";
    assert_taken(&format!("{USER}{all}"));
    let members = "member: mail=ivan@acme.example,ou=acme,ou=People,dc=x
member: mail=b\\+c@acme.example,ou=acme,ou=people,dc=x
member: mail=other@acme.example,ou=acme,ou=Groups,dc=x
member: mail=blue@acme.example,ou=Rooms\\, old,ou=acme,ou=Resources,dc=x
member: cn=Partner,ou=acme,ou=CAB,dc=x
mgrpRFC822MailMember: partner@elsewhere.example
pbmRevision: 7
";
    assert_taken(&format!("{LIST}{members}"));
    assert_taken(&format!("{ROOM}cn: Blue\ndescription: On the left\nl: Рим\nemployeeType: 2\n"));
    for name in ["a/b", "a&b", "a\\+b", "a\\,b", "Переговорные"] {
        let value = name.replace('\\', "");
        assert_taken(
            &GROUP.replace("ou=Rooms", &format!("ou={name}")).replace("ou: Rooms", &format!("ou: {value}")),
        );
    }
    assert_taken(&format!(
        "{CONTACT}objectClass: mailRecipient\nmailAlternateAddress: p@elsewhere.example\n"
    ));
    assert_taken(&CONTACT.replace("cn=Partner", "mail=partner@elsewhere.example"));
}

#[test]
fn a_dynamic_list_has_its_conditions_and_the_search_that_says_the_same() {
    let conditions =
        crate::maillist::conditions::Conditions::parse(&["title=Директор 3".to_owned()]).unwrap();
    let url = conditions.url(&Dn::parse("ou=acme,ou=People,dc=x").unwrap());
    let dynamic = format!("{LIST}pbmListFilter: title=Директор 3\nmemberURL: {url}\n");
    assert_taken(&dynamic);
    assert_refused(&dynamic.replace("ou=acme,ou=People,dc=x?mail", "dc=x?mail"), "memberURL");
    assert_refused(&dynamic.replace("?mail?", "?userPassword?"), "memberURL");
    assert_refused(&format!("{dynamic}mgrpRFC822MailMember: a@elsewhere.example\n"), "dynamic");
    assert_refused(&format!("{LIST}memberURL: {url}\n"), "memberURL");
    assert_refused(&format!("{LIST}pbmListFilter: sn=x\n"), "pbmListFilter");
    assert_refused(&format!("{LIST}pbmListFilter: title=Директор 3\n"), "memberURL");
}

#[test]
fn a_name_is_one_pair_that_the_entry_has_as_its_only_value() {
    let name = "its name must be one pair";
    let named = |rdn: &str| USER.replace("dn: mail=ivan@acme.example,", &format!("dn: {rdn},"));
    for rdn in [
        "mail=security@victim.example",
        "mail=x@acme.example",
        "mail=ivan@acme.example+mailAlternateAddress=ceo@victim.example",
        "mail=ivan@acme.example+employeeNumber=3",
        "mail=ivan@acme.example+aci=x",
        "mail=ivan@acme.example+mail=ceo@victim.example",
        "mail=\\ ivan@acme.example",
        "mail=#04046976616e",
        "rfc822Mailbox=ivan@acme.example",
        "0.9.2342.19200300.100.1.3=ivan@acme.example",
        "uid=ivan@acme.example",
        "cn=Ivan",
    ] {
        assert_refused(&named(rdn), name);
    }
    assert_taken(&named("MAIL=Ivan@acme.example"));
    // The Kelvin sign folds to a plain k, but is a different letter to the server.
    let kim = USER.replace("ivan@", "kim@");
    assert_refused(&kim.replace("dn: mail=kim", "dn: mail=\u{212a}im"), name);
    assert_refused(&USER.replace("mail: ivan@acme.example\n", ""), name);
    assert_refused(&CONTACT.replace("dn: cn=Partner", "dn: cn=Other"), name);
    assert_refused(&CONTACT.replace("dn: cn=Partner", "dn: mail=security@victim.example"), name);
    assert_refused(&GROUP.replace("dn: ou=Rooms", "dn: ou=Rooms+description=x"), name);
    assert_refused(&ROOM.replace("ou=Rooms", "ou=Rooms+l=x"), "place");
}

#[test]
fn addresses_are_spelled_as_the_api_writes_them() {
    let named = |value: &str| USER.replace("mail: ivan@acme.example\n", &format!("{value}\n"));
    // "ivan@acme.example " with the trailing blank, and in capital letters.
    assert_refused(&named("mail:: aXZhbkBhY21lLmV4YW1wbGUg"), "its name must be");
    assert_refused(&named("mail: Ivan@acme.example"), "must be spelled");
    assert_refused(&named("mail: ivan@acme.example\nmail: b@acme.example"), "its name must be");
    assert_refused(
        &named("mail: ceo@victim.example").replace("mail=ivan@acme", "mail=ceo@victim"),
        "in no domain of the",
    );
    assert_refused(&named("mail;lang-ru: ivan@acme.example"), "its name must be");
    assert_refused(&format!("{USER}mail;binary: ivan@acme.example\n"), "mail;binary of a user");
    assert_refused(&format!("{USER}mailAlternateAddress: ceo@victim.example\n"), "in no domain");
    assert_refused(&format!("{USER}mailAlternateAddress: I@acme.example\n"), "must be spelled");
    assert_refused(&CONTACT.replace("partner@elsewhere", "ceo@victim"), "another tenant");
    assert_refused(&CONTACT.replace("partner@elsewhere", "Partner@elsewhere"), "must be spelled");
}

#[test]
fn attributes_that_the_api_does_not_write_are_refused_by_their_names() {
    for line in [
        "mailForwardingAddress: a@elsewhere.example",
        "mailProgramDeliveryInfo: /bin/sh",
        "mailMessageStore: /",
        "mailHost: elsewhere.example",
        "uid: root",
        "aci: x",
        "nsRoleDN: cn=x",
        "nsSizeLimit: -1",
        "pbmPurging: TRUE",
        "audio: x",
        "memberOf;x: dc=x",
        "userPassword;x: y",
    ] {
        let (name, _) = line.split_once(':').unwrap();
        assert_refused(&format!("{USER}{line}\n"), &format!("{name} of a user is for super administrators"));
    }
    for entry in [LIST, GROUP, ROOM, CONTACT, FOLDER] {
        assert_refused(&format!("{entry}userPassword: x\n"), "userPassword of a");
        assert_refused(&format!("{entry}aci: x\n"), "aci of a");
    }
}

#[test]
fn values_that_the_api_would_not_take_are_refused() {
    let line = |line: &str| format!("{USER}{line}\n");
    for (text, words) in [
        ("mailQuota: 9223372036854775808", "mailQuota must be"),
        ("mailQuota: -1", "mailQuota must be"),
        ("mailQuota: 01", "mailQuota must be"),
        ("inetUserStatus: deleted", "inetUserStatus must be one of"),
        ("employeeType: 4", "employeeType must be one of"),
        ("preferredLanguage: ru", "preferredLanguage must be one of"),
        ("preferredLanguage: RU-ru", "must be spelled ru-RU"),
        ("telephoneNumber: call me", "telephoneNumber"),
        ("title: a\ntitle: b", "title has more than one value"),
        ("title:: gA==", "title has a value that is not text"),
        ("title:: AA==", "title has a control character"),
        ("userPassword: {SSHA}a\nuserPassword: {SSHA}b", "userPassword has more than one value"),
        ("userPassword: {PBKDF2-SHA512}10000$c2FsdHNhbHQ=$", "is not a whole hash of {PBKDF2-SHA512}"),
        ("userPassword: {PBKDF2-SH", "has no closing brace"),
        ("nsAccountLock: maybe", "nsAccountLock must be"),
        ("pbmRevision: -1", "pbmRevision must be"),
        ("pbmRevision: 9223372036854775808", "pbmRevision must be"),
        ("pbmDeletedSince: 20260202030405Z", "in the future"),
        ("pbmDeletedSince: yesterday", "not a valid time"),
        ("pbmDeletedWithTenant: FALSE", "must be TRUE"),
    ] {
        assert_refused(&line(text), words);
    }
    assert_refused(
        &USER.replace("employeeNumber: 2", "employeeNumber: 3"),
        "employeeNumber must be one of 1, 2",
    );
    assert_refused(&USER.replace("employeeNumber: 2\n", ""), "employeeNumber is a required value");
    let many: Vec<_> = (0..=MANY).map(|n| format!("mailAlternateAddress: a{n}@acme.example\n")).collect();
    let many = many.concat();
    assert_refused(&format!("{USER}{many}"), "too many addresses");
}

/// More aliases than a user can have, including the one of a rename.
const MANY: usize = crate::field::MAX_ALIASES + 1;

#[test]
fn members_are_entries_of_the_tenant_or_addresses_outside() {
    for member in [
        "mail=ceo@victim.example,ou=victim,ou=People,dc=x",
        "ou=acme,ou=People,dc=x",
        "ou=Rooms,ou=acme,ou=Resources,dc=x",
        "uid=pbm,ou=System,dc=x",
        "mail=ivan@acme.example+uid=x,ou=acme,ou=People,dc=x",
        "mail=a@acme.example,ou=deep,ou=acme,ou=People,dc=x",
        "ivan@acme.example",
    ] {
        assert_refused(&format!("{LIST}member: {member}\n"), "member has a member that is not");
    }
    assert_refused(
        &format!("{LIST}member: mail=all@acme.example,ou=acme,ou=Groups,dc=x\n"),
        "the list itself",
    );
    let outside = |address: &str| format!("{LIST}mgrpRFC822MailMember: {address}\n");
    assert_refused(&outside("ceo@victim.example"), "another tenant");
    assert_refused(&outside("|/bin/sh"), "mgrpRFC822MailMember is not a mail address");
}

#[test]
fn nothing_stands_where_the_api_makes_nothing() {
    let unit = |dn: &str| format!("dn: {dn}\nobjectClass: organizationalUnit\nou: x\n");
    for dn in [
        "ou=x,ou=Rooms,ou=acme,ou=Resources,dc=x",
        "ou=x,mail=ivan@acme.example,ou=acme,ou=People,dc=x",
        "ou=x,ou=acme,ou=People,dc=x",
        "ou=x,ou=acme,ou=CAB,dc=x",
        "ou=x,ou=acme,ou=Resources,dc=x",
        "ou=x,ou=victim,ou=People,dc=x",
        "ou=x,ou=System,dc=x",
        "ou=x,dc=x",
        "dc=x",
    ] {
        assert!(check(&unit(dn)).is_err(), "{dn}");
    }
    assert_refused(&unit("ou=x,ou=Rooms,ou=acme,ou=Resources,dc=x"), "its name must be one pair, mail=");
    assert_refused(&unit("ou=x,mail=ivan@acme.example,ou=acme,ou=People,dc=x"), "place");
}

#[test]
fn classes_are_those_of_the_kind() {
    assert_refused(&format!("{USER}objectClass: account\n"), "the class account is not one of a user");
    assert_refused(&format!("{USER}objectClass: extensibleObject\n"), "extensibleObject");
    assert_refused(&USER.replace("objectClass: pbmUser\n", ""), "the class pbmUser is required of a user");
    assert_refused(&format!("{CONTACT}objectClass: pbmUser\n"), "the class pbmUser is not one of a contact");
    assert_refused(&format!("{GROUP}objectClass: pbmUser\n"), "pbmUser");
    assert_refused(&format!("{FOLDER}objectClass: pbmTenant\n"), "pbmTenant");
    assert_refused(&GROUP.replace("objectClass: pbmResourceGroup\n", ""), "pbmResourceGroup is required");
    assert_refused(&FOLDER.replace("objectClass: organizationalUnit\n", "objectClass: top\n"), "required");
}

#[test]
fn a_photo_is_a_small_jpeg_without_metadata() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    // Grayscale, 8 × 8, of one scan: enough to be recognized.
    let jpeg =
        b"\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0\xff\xd9";
    let line = |photo: &[u8]| format!("jpegPhoto:: {}\n", BASE64_STANDARD.encode(photo));
    assert_taken(&format!("{USER}{}", line(jpeg)));
    assert_refused(&format!("{USER}{0}{0}", line(jpeg)), "jpegPhoto has more than one value");
    assert_refused(&format!("{USER}{}", line(b"<svg/>")), "jpegPhoto must be one whole JPEG");
    let with_comment = [&jpeg[..2], b"\xff\xfe\0\x03x", &jpeg[2..]].concat();
    assert_refused(&format!("{USER}{}", line(&with_comment)), "jpegPhoto has metadata");
    assert_taken(&format!("{CONTACT}{}", line(jpeg)));
    assert_refused(
        &format!("{LIST}{}", line(jpeg)),
        "jpegPhoto of a mailing list is for super administrators",
    );
}

#[test]
fn marks_of_sources_are_identifiers() {
    for entry in [USER, CONTACT, LIST] {
        assert_taken(&format!(
            "{entry}pbmSource: ad:0f69e8d2-e82c-11f1-bfa1-87935ae20175\npbmSource: bitrix24:7\n"
        ));
        assert_refused(
            &format!("{entry}pbmSource: elsewhere:7\n"),
            "pbmSource is not an identifier of a source",
        );
    }
    assert_taken(&format!("{USER}pbmSourcePhoto: 0a1b\n"));
    assert_refused(&format!("{USER}pbmSourcePhoto: x y\n"), "pbmSourcePhoto must be hexadecimal digits");
}
