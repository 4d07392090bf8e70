//! Filters that 389-ds tests on entries which it has found by other means.
//!
//! 389-ds looks an equality, a presence or a substring up in its indexes wherever it stands in a filter. That is a waste
//! where the index names most of the directory, such as `(objectClass=pbmUser)`, and on Berkeley DB reading such a list
//! while entries are added can hang the server (decision 18). Of a negation it looks nothing up: it takes every entry
//! that the rest of the filter and the base of the search leave, and tests that.

use ldap_text::filter::Filter;

/// The same condition, for which no index is read: negated twice.
///
/// It belongs beside a condition that few entries meet, or into a search below a folder that is read anyway.
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
