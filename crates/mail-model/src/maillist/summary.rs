//! A mailing list in pages of lists: with a limited number of members.

use super::{MailList, conditions::Conditions};
use std::collections::HashSet;

/// The most members that a page shows of each list: with 1,000 lists a page they fill some 30 MB. Reading a single list
/// shows all members.
pub const MAX_SHOWN_MEMBERS: usize = 1000;

/// A shortened mailing list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailListSummary {
    /// The address.
    pub mail: String,
    /// The displayed name.
    pub display_name: String,
    /// The first members, sorted.
    pub members: Vec<String>,
    /// The number of all members.
    pub count: usize,
    /// The conditions, if the list is dynamic.
    pub conditions: Option<Conditions>,
}

impl MailListSummary {
    /// The summary of a list, without its hidden members.
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
