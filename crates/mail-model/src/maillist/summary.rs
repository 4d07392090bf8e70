//! A mailing list as lists of mailing lists show it: with so many of its members as fit.

use super::{MailList, conditions::Conditions};
use std::collections::HashSet;

/// Most members that are shown of a list among others: with 1,000 lists a page they fill some 30 MB. Reading the
/// list itself shows all.
pub const MAX_SHOWN_MEMBERS: usize = 1000;

/// A mailing list in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailListSummary {
    /// Its address.
    pub mail: String,
    /// Its shown name.
    pub display_name: String,
    /// Its first members, in order.
    pub members: Vec<String>,
    /// How many members it has.
    pub count: usize,
    /// Its conditions, where it is dynamic.
    pub conditions: Option<Conditions>,
}

impl MailListSummary {
    /// Of a list, without its hidden members.
    #[must_use]
    pub fn of(list: &MailList, hidden: &HashSet<String>) -> Self {
        let mut members = list.members.addresses(hidden);
        let count = members.len();
        members.truncate(MAX_SHOWN_MEMBERS);
        members.shrink_to_fit();
        Self {
            mail: list.mail.to_string(),
            display_name: list.display_name.clone(),
            members,
            count,
            conditions: list.conditions.clone(),
        }
    }
}
