//! Conflict entries of replication. If clients create entries with the same name on two servers of 389-ds at the same
//! time, one of the two keeps the name. The other becomes a conflict entry: its identifier is added to its name, as in
//! `nsuniqueid=…+mail=ivan@example.com`. Until 389-ds 1.3.6 every search found such entries; later versions hide them.
//!
//! A conflict entry is not a user, list or tenant, although it looks like one, and neither is an entry below it. An
//! operator has to decide which of the two entries to keep; pbm leaves conflict entries alone and reports them.

use crate::names;
use ldap_text::{
    dn::{Dn, Rdn},
    filter::Filter,
};
use std::fmt;

/// The most names in a message.
const MOST_NAMED: usize = 10;

/// Whether a name is that of a conflict entry, or of an entry below one.
#[must_use]
pub fn is_set_aside(dn: &Dn) -> bool {
    dn.rdns().iter().any(is_of_conflict)
}

/// The same for a name as the server spells it. Most names need no parsing for this.
#[must_use]
pub fn is_name_set_aside(dn: &str) -> bool {
    dn.contains('+') && Dn::parse(dn).is_ok_and(|dn| is_set_aside(&dn))
}

/// The identifier beside another value. The identifier alone names the tombstone of a removed entry.
fn is_of_conflict(rdn: &Rdn) -> bool {
    rdn.value_of(&names::NS_UNIQUE_ID).is_some_and(|id| Rdn::new(names::NS_UNIQUE_ID, id) != *rdn)
}

/// Conflict entries in every version, and other entries that are hidden from searches, such as roles and password
/// policies.
#[must_use]
pub fn set_aside_or_hidden() -> Filter {
    let hidden = Filter::equal(names::OBJECT_CLASS, names::HIDDEN_CLASS);
    Filter::any([hidden, Filter::present(names::REPLICATION_CONFLICT)])
}

/// The conflict entries that were found: their number, and the first names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetAside {
    named: Vec<String>,
    count: usize,
}

impl SetAside {
    /// Counts an entry.
    pub fn note(&mut self, dn: &Dn) {
        self.count += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(dn.to_string());
        }
    }

    /// Adds the entries that were found elsewhere.
    pub fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.named.extend(other.named);
        self.named.truncate(MOST_NAMED);
    }

    /// The number of entries.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }
}

/// The number, the names and the remedy, in several lines; for operators only.
impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} conflict entries of replication, which pbm leaves out:", self.count)?;
        for name in &self.named {
            writeln!(f, "  {name}")?;
        }
        if self.count > self.named.len() {
            writeln!(f, "  and {} more", self.count - self.named.len())?;
        }
        f.write_str(
            "Decide for each which of the two entries counts, and keep that one: dsconf INSTANCE repl-conflict list SUFFIX \
             (OPERATIONS.md, Conflicts of replication)",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f69e8d2-e82c11f1-bfa18793-5ae20175";

    #[test]
    fn a_conflict_is_known_by_the_identifier_beside_another_value() {
        for (name, expected) in [
            (format!("nsuniqueid={ID}+mail=a@x.ru,ou=t,dc=x"), true),
            (format!("mail=a@x.ru+nsUniqueId={ID},ou=t,dc=x"), true),
            (format!("mail=a@x.ru,nsuniqueid={ID}+ou=t,dc=x"), true),
            (format!("nsuniqueid={ID},mail=a@x.ru,ou=t,dc=x"), false),
            ("mail=a\\+nsuniqueid@x.ru,ou=t,dc=x".to_owned(), false),
            ("cn=a+sn=b,ou=t,dc=x".to_owned(), false),
            ("mail=a@x.ru,ou=t,dc=x".to_owned(), false),
        ] {
            assert_eq!(is_set_aside(&Dn::parse(&name).unwrap()), expected, "{name}");
            assert_eq!(is_name_set_aside(&name), expected, "{name}");
        }
        assert!(!is_name_set_aside("no name + at all"));
    }

    #[test]
    fn the_first_are_named_and_all_are_counted() {
        let mut met = SetAside::default();
        for number in 0..12 {
            met.note(&Dn::parse(&format!("nsuniqueid={ID}+mail=a{number}@x.ru,dc=x")).unwrap());
        }
        let text = met.to_string();
        assert!(text.starts_with("12 conflict entries") && text.contains("  and 2 more\n"), "{text}");
        assert!(text.contains("mail=a9@x.ru") && !text.contains("mail=a10@x.ru"), "{text}");
    }
}
