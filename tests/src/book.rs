//! Address books as the trials read them.

use crate::{answer::Answer, client::Client, follower::Follower, text::encoded};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Contacts as JSON, by their identifiers.
pub type Contacts = BTreeMap<String, Value>;

/// The address book of one tenant, read by one client.
#[derive(Clone, Debug)]
pub struct Book {
    /// The client that reads.
    pub client: Client,
    /// Its path.
    pub path: String,
}

impl Book {
    /// The address book of a tenant.
    pub fn new(client: &Client, tenant: &str) -> Self {
        Self { client: client.clone(), path: format!("/v2/addressbook/{tenant}") }
    }

    /// The same address book, read by another client.
    pub fn by(&self, client: &Client) -> Self {
        Self { client: client.clone(), path: self.path.clone() }
    }

    /// Requests a page.
    pub fn get(&self, query: &str) -> Answer {
        self.client.get(format!("{}?{query}", self.path))
    }

    /// A page.
    #[track_caller]
    pub fn page(&self, query: &str) -> Value {
        self.get(query).expect(200).json()
    }

    /// The contacts on a page.
    #[track_caller]
    pub fn contacts(&self, query: &str) -> Vec<Value> {
        json_list(&self.page(query), "contacts")
    }

    /// The addresses on a page, before the `@`.
    #[track_caller]
    pub fn names(&self, query: &str) -> Vec<String> {
        self.contacts(query).iter().map(local_part).collect()
    }

    /// The only contact with an address, in any view.
    #[track_caller]
    pub fn contact(&self, mail: &str) -> Value {
        let mut found = self.contacts(&format!("view=all&limit=1000&search={}", encoded(mail)));
        found.retain(|contact| contact["mail"] == mail);
        assert_eq!(found.len(), 1, "{mail}: {found:?}");
        found.remove(0)
    }

    /// Whether an address is in any view.
    #[track_caller]
    pub fn has(&self, mail: &str) -> bool {
        let found = self.contacts(&format!("view=all&limit=1000&search={}", encoded(mail)));
        found.iter().any(|contact| contact["mail"] == mail)
    }

    /// All contacts of a view, page by page; as many as every page reports, and none twice.
    #[track_caller]
    pub fn all(&self, view: &str) -> Contacts {
        let mut contacts = Contacts::new();
        for number in 1.. {
            let page = self.page(&format!("view={view}&limit=1000&page={number}"));
            for contact in json_list(&page, "contacts") {
                let before = contacts.insert(id_of(&contact), contact);
                assert!(before.is_none(), "twice: {before:?}");
            }
            if page["pages"].as_u64().unwrap() <= number {
                assert_eq!(page["count"], contacts.len());
                break;
            }
        }
        contacts
    }

    /// Requests suggestions.
    pub fn ask(&self, text: &str, query: &str) -> Answer {
        self.client.get(format!("{}/suggest?q={}&{query}", self.path, encoded(text)))
    }

    /// The suggested addresses for a text, before the `@`, best first.
    #[track_caller]
    pub fn suggested(&self, text: &str) -> Vec<String> {
        json_list(&self.ask(text, "limit=100").expect(200).json(), "contacts")
            .iter()
            .map(local_part)
            .collect()
    }

    /// Requires that exactly these are suggested for a text, best first.
    #[track_caller]
    pub fn assert_suggested(&self, text: &str, names: &[&str]) {
        assert_eq!(self.suggested(text), names, "{text}");
    }

    /// Requests changes.
    pub fn changes(&self, since: &str, limit: usize) -> Answer {
        self.client.get(format!("{}/changes?since={}&limit={limit}", self.path, encoded(since)))
    }

    /// A follower from the beginning, with a number of changes per page.
    pub fn follower(&self, limit: usize) -> Follower {
        Follower::new(self, limit)
    }

    /// Requests an export.
    pub fn export(&self, query: &str) -> Answer {
        self.client.get(format!("{}/export?{query}", self.path))
    }
}

/// A list in JSON.
#[track_caller]
pub fn json_list(value: &Value, name: &str) -> Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("no {name}: {value}")).clone()
}

/// A contact's identifier.
#[track_caller]
pub(crate) fn id_of(contact: &Value) -> String {
    contact["id"].as_str().unwrap_or_else(|| panic!("no id: {contact}")).to_owned()
}

#[track_caller]
fn local_part(contact: &Value) -> String {
    let mail = contact["mail"].as_str().unwrap_or_else(|| panic!("no mail: {contact}"));
    mail.split('@').next().unwrap_or_default().to_owned()
}

/// Requires that two address books are equal, and shows a difference.
#[track_caller]
pub fn assert_same(what: &str, found: &Contacts, expected: &Contacts) {
    if let Some(difference) = difference(found, expected) {
        panic!("{what}: {difference}");
    }
}

/// A difference between two address books.
pub fn difference(found: &Contacts, expected: &Contacts) -> Option<String> {
    let ids: BTreeSet<_> = found.keys().chain(expected.keys()).collect();
    let differ: Vec<_> = ids.into_iter().filter(|id| found.get(*id) != expected.get(*id)).collect();
    let show = |contact: Option<&Value>| contact.map_or_else(|| "nothing".to_owned(), Value::to_string);
    let lines = differ
        .iter()
        .take(10)
        .map(|id| format!("\n  found    {}\n  expected {}", show(found.get(*id)), show(expected.get(*id))));
    let all = format!("{} contacts, {} expected, {} differ", found.len(), expected.len(), differ.len());
    (!differ.is_empty()).then(|| all + &lines.collect::<String>())
}
