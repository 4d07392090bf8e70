//! Records that would let an administrator of a tenant do more than the API allows.

use super::acme::{Acme, ROOT, assert_refused, create_user, restore, summary, user};
use harness::{Context, PASSWORD, ldif_line};

/// A name, a file of one record, and the text of its refusal.
type Case = (&'static str, String, &'static str);

pub(super) fn refused() {
    let acme = Acme::start();
    let before = acme.entries();
    let all = [names(), attributes(), lists(), places()].concat();
    for (what, file, words) in &all {
        let _case = Context::new(*what);
        for existing in ["update", "keep"] {
            let query = format!("tenant-id=acme&existing={existing}");
            assert_refused(&restore(&acme.admin, &query, file.as_bytes()), &[words]);
        }
    }
    assert!(acme.entries() == before, "something was written");
    // The owner of the address still has it.
    create_user(&acme.root, "victim", "security@victim.test", &[]);
}

/// A user that does not exist yet.
fn new(more: &str) -> String {
    format!("{}{more}", user("mail=new@acme.test", "new@acme.test"))
}

fn named(rdn: &str, mail: &str) -> String {
    user(rdn, mail).replace("mail: \n", "")
}

fn names() -> Vec<Case> {
    const NAME: &str = "its name must be one pair";
    let contact = |dn: &str, mail: &str| {
        format!("dn: {dn},ou=acme,ou=CAB,{ROOT}\nobjectClass: inetOrgPerson\ncn: P\nsn: P\n{mail}")
    };
    vec![
        // The server would add the line, so it counts as present.
        ("an address without its line", named("mail=security@victim.test", ""), "in no domain"),
        ("an address with another line", named("mail=security@victim.test", "x@acme.test"), NAME),
        ("a foreign address", named("mail=security@victim.test", "security@victim.test"), "in no domain"),
        (
            "an alias in the name",
            named("mail=x@acme.test+mailAlternateAddress=security@victim.test", "x@acme.test"),
            NAME,
        ),
        (
            "a role in the name, in quotes",
            named("mail=\"x@acme.test\"+OID.2.16.840.1.113730.3.1.3=\"3\"", "x@acme.test"),
            NAME,
        ),
        ("a foreign address, in quotes", named("mail=\"security@victim.test\"", "x@acme.test"), NAME),
        ("a role in the name", named("mail=x@acme.test+employeeNumber=3", "x@acme.test"), NAME),
        ("an access rule in the name", named("mail=x@acme.test+aci=mine", "x@acme.test"), NAME),
        ("a limit in the name", named("mail=x@acme.test+nsSizeLimit=-1", "x@acme.test"), NAME),
        ("a role of the server in the name", named("mail=x@acme.test+nsRoleDN=cn\\=x", "x@acme.test"), NAME),
        ("a name by another attribute", named("uid=x", "x@acme.test"), NAME),
        (
            "an address with a blank",
            new("").replace("mail: new@acme.test\n", &ldif_line("mail", "new@acme.test ")),
            NAME,
        ),
        ("an address in capital letters", new("").replace("mail: new@", "mail: New@"), "must be spelled"),
        ("a contact's address without its line", contact("mail=security@victim.test", ""), "another tenant"),
        (
            "a contact's address of another tenant",
            contact("cn=P", "mail: security@victim.test\n"),
            "another tenant",
        ),
        (
            "a contact's address in its name",
            contact("cn=P+mail=security@victim.test", "mail: p@elsewhere.test\n"),
            NAME,
        ),
    ]
}

fn attributes() -> Vec<Case> {
    let forbidden = [
        ("mailForwardingAddress: spy@elsewhere.test", "mailForwardingAddress of a user"),
        ("mailProgramDeliveryInfo: /bin/sh", "mailProgramDeliveryInfo of a user"),
        ("mailMessageStore: /", "mailMessageStore of a user"),
        ("mailHost: elsewhere.test", "mailHost of a user"),
        ("uid: root", "uid of a user"),
        (
            "aci: (targetattr = \"*\")(version 3.0; acl \"x\"; allow (all) userdn = \"ldap:///anyone\";)",
            "aci of a user",
        ),
        ("nsRoleDN: cn=x", "nsRoleDN of a user"),
        ("nsSizeLimit: -1", "nsSizeLimit of a user"),
        ("mail;lang-ru: security@victim.test", "mail;lang-ru of a user"),
        ("pbmPurging: TRUE", "pbmPurging of a user"),
        ("mailQuota: 9223372036854775807999", "mailQuota must be"),
        ("mailAlternateAddress: security@victim.test", "in no domain of the tenant"),
        ("rfc822Mailbox: security@victim.test", "its name must be one pair"),
        ("0.9.2342.19200300.100.1.3: security@victim.test", "its name must be one pair"),
        (
            "userPassword: {PBKDF2}2000000000$IlfapjA351LuDSwYC0IQ8Q$saHqQTuYnjJN/tmAndT.8mJt.6w",
            "takes too long to check",
        ),
        ("userPassword: {PBKDF2-SHA512}10000$c2FsdHNhbHQ=$", "is not a whole hash of {PBKDF2-SHA512}"),
        ("userPassword;lang-ru: {CRYPT}$6$salt$", "is not a whole hash of {CRYPT}"),
        ("userPassword: {PBKDF2-SH", "has no closing brace"),
        (
            "userPassword: {CRYPT}$y$jFT$abcdefgh$UW91CA4iFUxEp5zvsysGsQFOGocmK82.ujmsMUFNLr3",
            "takes too long to check",
        ),
        (
            "userPassword;lang-ru: {CRYPT}$y$jFT$abcdefgh$UW91CA4iFUxEp5zvsysGsQFOGocmK82.ujmsMUFNLr3",
            "takes too long to check",
        ),
        (
            "userPassword;vucsn-6b0bc9e8000100070000: {CRYPT}$y$jFT$abcdefgh$UW91CA4iFUxEp5zvsysGsQFOGocmK82.ujmsMUFNLr3",
            "takes too long to check",
        ),
        ("employeeNumber;vucsn-6b0bc9e8000100070000: 3", "employeeNumber has more than one value"),
        ("mail;vucsn-6b0bc9e8000100070000: security@victim.test", "its name must be one pair"),
        ("entryCSN;x-a: 1", "entryCSN;x-a of a user"),
        ("inetUserStatus: 7", "inetUserStatus must be one of"),
        ("objectClass: account", "the class account is not one of a user"),
    ];
    let mut cases: Vec<_> = forbidden.map(|(line, words)| (line, new(&format!("{line}\n")), words)).into();
    let room = format!("dn: ou=Rooms,ou=acme,ou=Resources,{ROOT}\nobjectClass: organizationalUnit\n");
    let room = format!("{room}objectClass: pbmResourceGroup\nou: Rooms\n");
    cases.push(("an access rule of a group", format!("{room}aci: x\n"), "aci of a resource group"));
    cases.push((
        "a role 3",
        new("").replace("employeeNumber: 2", "employeeNumber: 3"),
        "must be one of 1, 2",
    ));
    // Also for an existing entry that the record would replace.
    let ivan = user("mail=ivan@acme.test", "ivan@acme.test");
    cases.push((
        "a forwarding of a user that is there",
        format!("{ivan}mailForwardingAddress: spy@elsewhere.test\n"),
        "mailForwardingAddress",
    ));
    cases
}

fn lists() -> Vec<Case> {
    let list = |more: &str| {
        let classes = ["groupOfNames", "groupOfURLs", "mailGroup", "pbmMailList"];
        let classes: String = classes.map(|class| format!("objectClass: {class}\n")).concat();
        let own = "mail: all@acme.test\ncn: All\ndisplayName: All\n";
        format!("dn: mail=all@acme.test,ou=acme,ou=Groups,{ROOT}\n{classes}{own}{more}")
    };
    let victim = format!("mail=ceo@victim.test,ou=victim,ou=People,{ROOT}");
    vec![
        (
            "a member of another tenant",
            list(&format!("member: {victim}\n")),
            "not a name of an entry of the tenant",
        ),
        (
            "an outside member of another tenant",
            list("mgrpRFC822MailMember: ceo@victim.test\n"),
            "another tenant",
        ),
        ("a program as a member", list("mgrpRFC822MailMember: |/bin/sh\n"), "is not a mail address"),
        (
            "a search of another tenant",
            list(&format!("memberURL: ldap:///{ROOT}?mail?sub?(mail=*)\n")),
            "memberURL",
        ),
        (
            "a forwarding of a list",
            list("mailForwardingAddress: spy@elsewhere.test\n"),
            "mailForwardingAddress of a mailing list",
        ),
        ("a password of a list", list("userPassword: x\n"), "userPassword of a mailing list"),
    ]
}

fn places() -> Vec<Case> {
    let unit = |dn: &str| format!("dn: {dn},{ROOT}\nobjectClass: organizationalUnit\nou: x\n");
    let account = format!(
        "dn: uid=x,ou=acme,ou=People,{ROOT}\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: x\nuserPassword: {PASSWORD}\n"
    );
    let in_contacts = new("").replace("ou=People", "ou=CAB").replace("dn: mail=new@acme.test", "dn: cn=Ivan");
    vec![
        (
            "a folder below a user",
            unit("ou=x,mail=ivan@acme.test,ou=acme,ou=People"),
            "an entry of a tenant cannot be",
        ),
        (
            "a folder below a resource",
            unit("ou=x,mail=r@acme.test,ou=Rooms,ou=acme,ou=Resources"),
            "an entry of a tenant cannot be",
        ),
        (
            "a folder below a resource group",
            unit("ou=x,ou=Rooms,ou=acme,ou=Resources"),
            "its name must be one pair, mail=",
        ),
        ("a folder that is no group", unit("ou=x,ou=acme,ou=Resources"), "pbmResourceGroup is required"),
        ("a folder among the users", unit("ou=x,ou=acme,ou=People"), "its name must be one pair, mail="),
        ("far below", unit("ou=x,ou=y,ou=z,ou=a,ou=b,ou=c,ou=acme,ou=CAB"), "an entry of a tenant cannot be"),
        ("an account among the users", account, "its name must be one pair, mail="),
        ("a user among the contacts", in_contacts, "is not one of a contact"),
    ]
}

pub(super) fn promoted() {
    let acme = Acme::start();
    let admin = acme.administrator_of("default", "deputy@example.com");
    let before = acme.entries();
    let user = |mail: &str, more: &str| {
        let entry = user(&format!("mail={mail}"), mail).replace("ou=acme", "ou=default");
        format!("{entry}{more}")
    };
    let query = "tenant-id=default&existing=update";
    let made = user("x@example.com", "").replace("employeeNumber: 2", "employeeNumber: 3");
    assert_refused(&restore(&admin, query, made.as_bytes()), &["employeeNumber must be one of 1, 2"]);
    let changed = user("admin@example.com", &format!("userPassword: {PASSWORD}\n"));
    assert_refused(
        &restore(&admin, query, changed.as_bytes()),
        &["only super administrators can restore super administrators"],
    );
    assert!(acme.entries() == before, "something was written");
}

pub(super) fn unlocked() {
    let acme = Acme::start();
    let user = |name: &str, more: &str| {
        let mail = format!("{name}@acme.test");
        format!("{}userPassword: {PASSWORD}\n{more}\n", user(&format!("mail={mail}"), &mail))
    };
    let file = [
        user("one", "pbmDeletedSince: 20200101000000Z\n"),
        user("two", "inetUserStatus: 0\nnsAccountLock: false\n"),
        user("three", "inetUserStatus: 1\n"),
        user("ivan", "inetUserStatus: 2\nnsAccountLock: false\n"),
    ];
    let counts = summary(&acme.update(&file.concat()));
    assert_eq!((counts["added"].as_u64(), counts["updated"].as_u64()), (Some(3), Some(1)), "{counts}");
    let can_log_in = |name: &str| {
        let dn = format!("mail={name}@acme.test,ou=acme,ou=People,{ROOT}");
        acme.installation.probe().accepts_bind(&dn, PASSWORD)
    };
    assert_eq!(["one", "two", "three", "ivan"].map(can_log_in), [false, false, true, false]);
}

pub(super) fn retention() {
    let acme = Acme::start();
    let dn = format!("mail=ivan@acme.test,ou=acme,ou=People,{ROOT}");
    let deleted =
        |since: &str| user("mail=ivan@acme.test", &format!("ivan@acme.test\npbmDeletedSince: {since}"));
    // Repeatedly, and after any earlier value.
    for since in ["20200101000000Z", "20200101000000Z", "20190101000000Z"] {
        acme.update(&deleted(since)).expect(200);
        let stored = acme.installation.probe().entry(&dn).unwrap().one("pbmDeletedSince").to_owned();
        assert!(stored.as_str() > "20260000000000Z", "{since}: {stored}");
    }
    acme.admin.post("/v2/users/acme/ivan@acme.test/restore", "").expect_success();
}
