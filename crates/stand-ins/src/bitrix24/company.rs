//! Who works at a company: what a portal knows.

use super::generate;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The fields of a person.
pub type Person = Map<String, Value>;

/// The people and departments of a portal, and the files that it serves.
#[derive(Clone, Debug, Default)]
pub struct Company {
    /// The people, by their identifiers.
    pub people: BTreeMap<u64, Person>,
    /// The names of the departments, by their identifiers.
    pub departments: BTreeMap<u64, String>,
    /// The files, by their paths, such as `/upload/1.jpg`.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Company {
    /// A company of so many people with Russian names, always the same. Among them are some that a reader of employees
    /// with addresses leaves out: dismissed ones, guests (`extranet`), and a few without an address. Their identifiers
    /// have gaps, and empty fields have every form that portals give them.
    #[must_use]
    pub fn of(people: u64) -> Self {
        generate::company(people)
    }

    /// Dismisses a person, who stays in the portal.
    pub fn dismiss(&mut self, id: u64) {
        self.set(id, "ACTIVE", json!(false));
    }

    /// Sets a field of a person.
    pub fn set(&mut self, id: u64, field: &str, value: Value) {
        if let Some(person) = self.people.get_mut(&id) {
            person.insert(field.to_owned(), value);
        }
    }

    /// The identifiers of the active employees who have an address: whom a reader must find.
    #[must_use]
    pub fn employees(&self) -> Vec<u64> {
        let is = |person: &Person, field: &str, value: Value| person.get(field) == Some(&value);
        let is_employee = |person: &Person| {
            is(person, "ACTIVE", json!(true))
                && is(person, "USER_TYPE", json!("employee"))
                && person.get("EMAIL").and_then(Value::as_str).is_some_and(|mail| !mail.is_empty())
        };
        self.people.iter().filter(|(_, person)| is_employee(person)).map(|(id, _)| *id).collect()
    }
}
