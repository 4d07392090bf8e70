//! The expected contents of an address book, derived from the directory independently of pbm: read by ldapsearch, with
//! a second implementation of the rules (guide, tables 1 and 3; design, section 8).

use crate::{
    book::Contacts,
    probe::{Entry, Probe},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The contacts of one tenant, and its users.
pub struct ExpectedBook {
    contacts: BTreeMap<String, (Value, Views)>,
}

/// The views that include a contact.
#[derive(Clone, Copy)]
struct Views {
    colleagues: bool,
    suggestions: bool,
}

impl ExpectedBook {
    /// The contacts of a view.
    pub fn view(&self, name: &str) -> Contacts {
        let is_in = |views: &Views| match name {
            "colleagues" => views.colleagues,
            "suggestions" => views.suggestions,
            _ => views.colleagues || views.suggestions,
        };
        let seen = self.contacts.iter().filter(|(_, (_, views))| is_in(views));
        seen.map(|(id, (contact, _))| (id.clone(), contact.clone())).collect()
    }

    /// The contacts of all views.
    pub fn all(&self) -> Contacts {
        self.view("all")
    }

    /// The addresses of all users, including blocked ones, in order.
    pub fn users(&self) -> Vec<String> {
        let users = self.contacts.values().filter(|(contact, _)| contact["kind"] == "user");
        let mut mails: Vec<_> = users.map(|(user, _)| user["mail"].as_str().unwrap().to_owned()).collect();
        mails.sort_unstable();
        mails
    }
}

impl Probe {
    /// The contacts of a tenant.
    #[track_caller]
    pub fn expected_book(&self, tenant: &str) -> ExpectedBook {
        let entries = self.search_with(&["nsUniqueId"], &self.root, "sub", "(mail=*)");
        let contacts = entries.iter().filter_map(|entry| contact(entry, &self.root, tenant)).collect();
        ExpectedBook { contacts }
    }
}

/// The displayed attributes, if an entry has them.
const SHOWN: [&str; 12] = [
    "cn",
    "sn",
    "initials",
    "ou",
    "title",
    "description",
    "homePhone",
    "telephoneNumber",
    "mobile",
    "l",
    "telegram",
    "skype",
];

fn contact(entry: &Entry, root: &str, tenant: &str) -> Option<(String, (Value, Views))> {
    let below = names_below(&entry.dn, root)?;
    let (kind, own) = match below.as_slice() {
        [own @ .., (_, of), (_, folder)] if of.eq_ignore_ascii_case(tenant) => (folder.as_str(), own),
        _ => return None,
    };
    let is = |class: &str| entry.all("objectClass").iter().any(|known| known.eq_ignore_ascii_case(class));
    let (kind, group) = match (kind, own) {
        ("People", [_]) if is("pbmUser") => ("user", None),
        ("Groups", [_]) if is("pbmMailList") => ("list", None),
        ("Resources", [_, (_, group)]) if is("pbmResource") => ("resource", Some(group)),
        ("CAB", [_, ..]) => ("contact", None),
        _ => return None,
    };
    if ["pbmDeletedSince", "pbmPurging"].iter().any(|mark| !entry.all(mark).is_empty()) {
        return None;
    }
    let text = |attribute: &str| {
        let value = entry.all(attribute).first().copied().unwrap_or_default();
        (!value.trim().is_empty()).then_some(value)
    };
    let mail = match own.first() {
        Some((attribute, value)) if attribute.eq_ignore_ascii_case("mail") => value.as_str(),
        _ => text("mail")?,
    };
    let mail = mail.to_lowercase();
    // Lists and resources have a `cn` because their classes require one.
    let is_person = ["user", "contact"].contains(&kind);
    let full_name: Vec<_> = ["cn", "sn"].into_iter().filter(|_| is_person).filter_map(text).collect();
    let name = if full_name.is_empty() { mail.clone() } else { full_name.join(" ") };
    let id = uuid(entry.one("nsUniqueId"));
    let mut shown =
        json!({"id": id, "kind": kind, "mail": mail, "displayName": text("displayName").unwrap_or(&name)});
    for attribute in SHOWN.iter().filter(|attribute| is_person || !["cn", "sn"].contains(attribute)) {
        if let Some(value) = text(attribute) {
            shown[*attribute] = json!(value);
        }
    }
    if let Some(group) = group {
        shown["group"] = json!(group);
    }
    let mut alias = entry.all("mailAlternateAddress");
    alias.retain(|alias| !alias.eq_ignore_ascii_case(&mail));
    alias.sort_unstable();
    if !alias.is_empty() {
        shown["alias"] = json!(alias);
    }
    Some((id, (shown, views(entry, kind))))
}

fn views(entry: &Entry, kind: &str) -> Views {
    let blocked = kind == "user"
        && (!["", "1"].contains(&entry.one("inetUserStatus"))
            || entry.one("nsAccountLock").eq_ignore_ascii_case("true"));
    let (colleagues, suggestions) = match (kind, entry.one("employeeType")) {
        _ if blocked => (false, false),
        ("user" | "resource", "0") => (false, true),
        ("user", "2") => (true, false),
        ("resource", "2") => (false, false),
        _ => (true, true),
    };
    Views { colleagues, suggestions }
}

/// The UUID (RFC 9562) of an `nsUniqueId`, which has the same digits and other hyphens.
fn uuid(unique_id: &str) -> String {
    let digits = unique_id.replace('-', "").to_lowercase();
    assert_eq!(digits.len(), 32, "{unique_id}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// The RDNs of a DN below another one, as attribute and value, the entry's own first (RFC 4514).
fn names_below(dn: &str, above: &str) -> Option<Vec<(String, String)>> {
    let own = dn.strip_suffix(above)?.strip_suffix(',')?;
    let mut names = Vec::new();
    let mut value: Vec<u8> = Vec::new();
    let mut bytes = own.bytes();
    let mut end = |value: &mut Vec<u8>| {
        let text = String::from_utf8(std::mem::take(value)).ok()?;
        let (attribute, value) = text.split_once('=')?;
        names.push((attribute.to_owned(), value.to_owned()));
        Some(())
    };
    while let Some(byte) = bytes.next() {
        match byte {
            b',' => end(&mut value)?,
            b'\\' => {
                let next = bytes.next()?;
                match char::from(next).to_digit(16) {
                    Some(high) => {
                        let low = char::from(bytes.next()?).to_digit(16)?;
                        value.push(u8::try_from(high * 16 + low).ok()?);
                    }
                    None => value.push(next),
                }
            }
            plain => value.push(plain),
        }
    }
    end(&mut value)?;
    Some(names)
}
