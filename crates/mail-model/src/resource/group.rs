//! Resource groups: folders of resources, known by their names.

use crate::{deletion::is_of_class, entry::EntryView, list::Listing, names, revision::Version};
use ldap_text::{attribute::AttributeName, dn::Rdn, filter::Filter};
use std::fmt;

/// Longest name of a group, in characters. Of 4 bytes each and percent-encoded it still fits a URL many times.
pub const MAX_GROUP_NAME: usize = 128;

/// A group's name: any text of one line. Letter case does not tell two apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

/// Why a text is no name of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no name of a group: 1 to {MAX_GROUP_NAME} characters, none of them a control character, and no blank at its ends or next to another"
)]
pub struct GroupNameError;

impl GroupName {
    /// Reads a name. Blanks at the ends or in a row are refused: the directory would not tell them apart.
    ///
    /// # Errors
    /// [`GroupNameError`] says what is allowed.
    pub fn parse(text: &str) -> Result<Self, GroupNameError> {
        let length = text.chars().count();
        let has_odd_blanks = text.trim() != text || text.contains("  ");
        if (1..=MAX_GROUP_NAME).contains(&length) && !has_odd_blanks && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(GroupNameError)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lists of groups.
pub static LISTING: Listing =
    Listing { naming: names::OU, searched: &[names::OU], orders: &["name"], order_attributes: &[None] };

/// A resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceGroup {
    /// Its name.
    pub name: GroupName,
    /// How many resources it has.
    pub resources: u64,
    /// What a write is planned on.
    pub version: Version,
    /// Whether its deletion was begun: it is found no more, and asking for the deletion again ends it.
    pub being_deleted: bool,
}

impl ResourceGroup {
    /// Reads the group of a name from an entry with [`READ_ATTRIBUTES`]; `None` where it is none. A renaming that was cut
    /// off may have left its old name beside the new one.
    #[must_use]
    pub fn from_entry(rdn: &Rdn, entry: &impl EntryView) -> Option<Self> {
        if !is_of_class(entry, names::RESOURCE_GROUP_CLASS) {
            return None;
        }
        let is_its_name = |name: &&String| Rdn::new(names::OU, name) == *rdn;
        let name = entry.values(&names::OU).iter().find(is_its_name)?;
        Some(Self {
            name: GroupName::parse(name).ok()?,
            resources: entry.first(&names::NUM_SUBORDINATES).and_then(|text| text.parse().ok()).unwrap_or(0),
            version: Version::of_entry(entry),
            being_deleted: entry.first(&names::PURGING).is_some(),
        })
    }
}

/// Attributes that a group is read with.
pub const READ_ATTRIBUTES: &[AttributeName] = &[
    names::OBJECT_CLASS,
    names::OU,
    names::NUM_SUBORDINATES,
    names::PURGING,
    names::REVISION,
    names::ENTRY_USN,
    names::MODIFY_TIMESTAMP,
];

/// Groups whose deletion was not begun.
#[must_use]
pub fn live_filter() -> Filter {
    Filter::all([of_class(), Filter::not(Filter::present(names::PURGING))])
}

/// All groups.
#[must_use]
pub fn of_class() -> Filter {
    Filter::equal(names::OBJECT_CLASS, names::RESOURCE_GROUP_CLASS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_any_line_without_odd_blanks() {
        for right in ["Rooms", "Переговорные", "a/b", "a&b", "%2F", ",+\"\\<>;=#*()", "a b", "..", "1"]
        {
            assert_eq!(GroupName::parse(right).unwrap().as_str(), right);
        }
        for wrong in ["", " a", "a ", "a  b", "a\0", "a\nb", "\u{a0}a", &"я".repeat(129)] {
            assert_eq!(GroupName::parse(wrong), Err(GroupNameError), "{wrong}");
        }
        assert!(GroupName::parse(&"я".repeat(128)).is_ok());
    }
}
