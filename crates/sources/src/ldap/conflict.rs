//! Entries that a server's replication set aside, because two servers made an entry of the same name at once. Each has
//! an address that belongs to another entry.

use crate::Passed;
use mail_model::conflicts;

/// What Active Directory puts into the name of such an entry: a line break, escaped, and a mark (MS-ADTS 3.1.1.5.1.6).
const MARK: &str = "\\0ACNF:";

/// The report of an entry that was set aside; `None` for any other.
pub(super) fn report(dn: &str) -> Option<Passed> {
    let is_marked = dn.to_ascii_uppercase().contains(MARK) || conflicts::is_name_set_aside(dn);
    is_marked.then(|| Passed {
        what: super::shown::shown(dn),
        why: "it is a replication conflict: remove it, or rename it".to_owned(),
        keeps: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_of_both_products_are_known() {
        for dn in [
            "CN=Anna\\0ACNF:5a3e0c9e-0000-4000-8000-000000000000,OU=Staff,DC=x",
            "cn=anna\\0acnf:5a3e0c9e-0000-4000-8000-000000000000,dc=x",
            "nsuniqueid=66446001-1dd211b2-66225011-2ee211db+uid=anna,dc=x",
        ] {
            assert!(report(dn).is_some(), "{dn}");
        }
        assert_eq!(report("CN=CNF: Anna,DC=x"), None);
    }
}
