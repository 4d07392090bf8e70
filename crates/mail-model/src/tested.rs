//! Filters that 389-ds tests on entries that it has found by other means.
//!
//! 389-ds looks up an equality, a presence or a substring in its indexes wherever it is part of a filter. That is
//! wasteful if the index list contains most of the directory, as for `(objectClass=pbmUser)`, and on Berkeley DB
//! reading such a list while entries are added can hang the server (decision 18). 389-ds does not look up a negation:
//! it takes the entries that the rest of the filter and the base of the search leave, and tests them.

use ldap_text::filter::Filter;

/// The same condition, negated twice, so that no index is read.
///
/// Use it beside a condition that few entries meet, or in a search below a folder that is read as a whole.
#[must_use]
pub fn tested(filter: Filter) -> Filter {
    Filter::not(Filter::not(filter))
}

/// Entries of an object class, tested.
#[must_use]
pub fn of_class(class: &str) -> Filter {
    tested(Filter::equal(crate::names::OBJECT_CLASS, class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_condition_stays_the_same() {
        assert_eq!(of_class("pbmUser").to_string(), "(!(!(objectClass=pbmUser)))");
    }
}
