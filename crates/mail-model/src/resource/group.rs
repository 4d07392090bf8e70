//! Resource groups: folders of resources, identified by their names.

use crate::{
    deletion::is_of_class, entry::EntryView, list::Listing, names, naming, revision::Version, tested,
};
use ldap_text::{attribute::AttributeName, dn::Rdn, filter::Filter};
use std::fmt;
use visible_text::trimmed;

/// The longest name of a group, in characters. Percent-encoded, with 4 bytes each, it is still much shorter than a URL
/// may be.
pub const MAX_GROUP_NAME: usize = 128;

/// A group's name: any text of one line. Two names that differ only in letter case are the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

/// Why a text is not a name of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupNameError {
    /// The text is empty, too long, or not a plain line.
    #[error(
        "is not a valid name of a group: 1 to {MAX_GROUP_NAME} characters, without control characters, without blanks or invisible characters at its ends, and without consecutive blanks"
    )]
    Shape,
    /// Longer than the name of an entry can be.
    #[error(
        "is too long for a name: at most 200 bytes of UTF-8 (100 Cyrillic letters), of which each of \",+;<>\\= counts as three"
    )]
    LongName,
}

impl GroupName {
    /// Parses a name. Blanks at the ends and consecutive blanks are refused, because the directory ignores the
    /// difference, and invisible characters at the ends, because people cannot see them.
    ///
    /// # Errors
    /// [`GroupNameError::Shape`] says what is allowed.
    pub fn parse(text: &str) -> Result<Self, GroupNameError> {
        let length = text.chars().count();
        let has_odd_blanks = trimmed(text) != text || text.contains("  ");
        if (1..=MAX_GROUP_NAME).contains(&length) && !has_odd_blanks && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(GroupNameError::Shape)
        }
    }

    /// Parses a new name of a group. An existing name that another program has written may be longer, if the server's
    /// back end is Berkeley DB.
    ///
    /// # Errors
    /// [`GroupNameError`] says what is allowed.
    pub fn parse_new(text: &str) -> Result<Self, GroupNameError> {
        let name = Self::parse(text)?;
        if naming::fits(&names::OU, text) { Ok(name) } else { Err(GroupNameError::LongName) }
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

/// The pages of groups.
pub static LISTING: Listing = Listing { naming: names::OU, searched: &[names::OU], orders: &[] };

/// A resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceGroup {
    /// Its name.
    pub name: GroupName,
    /// The number of resources, as counted by the server.
    pub resources: usize,
    /// The version that a write is planned on.
    pub version: Version,
    /// Whether the deletion has begun: nothing finds the group any more, and a repeated deletion completes it.
    pub being_deleted: bool,
}

impl ResourceGroup {
    /// Reads the group with this name from an entry with [`READ_ATTRIBUTES`]; `None` if the entry is not a group. An
    /// interrupted rename may have left the old name beside the new one.
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

/// The attributes to read a group.
pub const READ_ATTRIBUTES: &[AttributeName] = &[
    names::OBJECT_CLASS,
    names::OU,
    names::NUM_SUBORDINATES,
    names::PURGING,
    names::REVISION,
    names::ENTRY_USN,
    names::MODIFY_TIMESTAMP,
];

/// Groups whose deletion has not begun.
#[must_use]
pub fn live_filter() -> Filter {
    Filter::all([of_class(), Filter::not(Filter::present(names::PURGING))])
}

/// All groups.
#[must_use]
pub fn of_class() -> Filter {
    tested::of_class(names::RESOURCE_GROUP_CLASS)
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
            assert_eq!(GroupName::parse(wrong), Err(GroupNameError::Shape), "{wrong}");
        }
        assert!(GroupName::parse(&"я".repeat(128)).is_ok());
        for (new, outcome) in [("я".repeat(100), true), ("я".repeat(101), false), ("a".repeat(128), true)] {
            assert_eq!(GroupName::parse_new(&new).is_ok(), outcome, "{new}");
        }
        assert_eq!(GroupName::parse_new(" a"), Err(GroupNameError::Shape));
    }
}
