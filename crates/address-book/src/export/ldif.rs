//! Entries (RFC 2849) for directories and mail clients; they reveal nothing about the directory tree.
//!
//! - The DN of an entry is its address alone, `mail=anna@acme.example`.
//! - People are `inetOrgPerson` (RFC 2798): `cn` is the display name, `givenName` the first name. `mail` has one value,
//!   because Thunderbird takes the last of several; further addresses are in `mailAlternateAddress`, an attribute of
//!   389-ds.
//! - Lists are `mailGroup`, also a class of 389-ds, and `groupOfNames` (RFC 4519) if their members are included.
//!   Thunderbird makes a list of an entry with that class, and a contact of an entry without it that has an address.
//! - Resources are `room` (RFC 4524).
//!
//! The attributes for which these classes have no place are left out: telegram, skype, the group of a resource, the
//! identifier. There is no blank line after `version: 1`: Thunderbird would make a contact of the lines above it.

use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{Attribute, Entry, write_entry},
};
use mail_model::{
    contact::{Contact, Kind},
    names,
};

const GIVEN_NAME: AttributeName = AttributeName::from_static("givenName");
const MEMBER: AttributeName = AttributeName::from_static("member");

const PERSON: &[&str] = &["top", "person", "organizationalPerson", "inetOrgPerson"];
const LIST: &[&str] = &["top", "mailGroup", "extensibleObject"];
const LIST_WITH_MEMBERS: &[&str] = &["top", "groupOfNames", "mailGroup", "extensibleObject"];
const ROOM: &[&str] = &["top", "room", "extensibleObject"];

pub(super) fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(b"version: 1\n");
}

pub(super) fn entry(out: &mut Vec<u8>, contact: &Contact, members: &[String]) {
    let members = if contact.kind == Kind::List { members } else { &[] };
    let mut attributes = vec![
        Attribute::new(names::OBJECT_CLASS, classes(contact, members)),
        Attribute::new(names::CN, [contact.display_name.as_str()]),
        Attribute::new(names::DISPLAY_NAME, [contact.display_name.as_str()]),
        Attribute::new(names::MAIL, [contact.mail.as_str()]),
    ];
    let is_person = matches!(contact.kind, Kind::User | Kind::Contact);
    // A person must have `sn`.
    let sn = contact.sn.as_ref().or_else(|| is_person.then_some(&contact.display_name));
    let optional = [
        (names::SN, sn),
        (GIVEN_NAME, contact.cn.as_ref()),
        (names::INITIALS, contact.initials.as_ref()),
        (names::OU, contact.ou.as_ref()),
        (names::TITLE, contact.title.as_ref()),
        (names::TELEPHONE_NUMBER, contact.telephone_number.as_ref()),
        (names::HOME_PHONE, contact.home_phone.as_ref()),
        (names::MOBILE, contact.mobile.as_ref()),
        (names::L, contact.l.as_ref()),
        (names::DESCRIPTION, contact.description.as_ref()),
    ];
    let present = optional.into_iter().filter_map(|(name, text)| Some((name, text?)));
    attributes.extend(present.map(|(name, text)| Attribute::new(name, [text.as_str()])));
    attributes.push(Attribute::new(names::MAIL_ALTERNATE_ADDRESS, contact.alias.iter().map(String::as_str)));
    attributes.push(Attribute::new(MEMBER, members.iter().map(|mail| dn(mail).to_string())));
    // Writing to a Vec does not fail, and no name above is a keyword of LDIF.
    let _written = write_entry(out, &Entry { dn: dn(&contact.mail), attributes });
}

fn dn(mail: &str) -> Dn {
    Dn::empty().child(names::MAIL, mail)
}

fn classes(contact: &Contact, members: &[String]) -> Vec<&'static str> {
    let classes = match contact.kind {
        Kind::User | Kind::Contact => PERSON,
        Kind::List if members.is_empty() => LIST,
        Kind::List => LIST_WITH_MEMBERS,
        Kind::Resource => ROOM,
    };
    let of_aliases = (classes == PERSON && !contact.alias.is_empty()).then_some("mailRecipient");
    classes.iter().copied().chain(of_aliases).collect()
}
