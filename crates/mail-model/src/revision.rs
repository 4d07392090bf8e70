//! The state of an entry that a change is planned on. Every write leaves another revision behind, and a write
//! that was planned on one replaces exactly that one: of two such writers one succeeds. 389-ds has no
//! assertion control (RFC 4528); a modify that deletes a value which is not there fails as a whole, which does
//! the same.

use crate::{entry::EntryView, names};
use ldap_text::attribute::AttributeName;
use std::fmt;

/// Attributes that a version is read with.
pub const READ_ATTRIBUTES: &[AttributeName] = &[names::REVISION, names::ENTRY_USN, names::MODIFY_TIMESTAMP];

/// The mark of the last write of an entry through this project; entries made by others have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(Option<String>);

impl Revision {
    /// Reads it from an entry.
    #[must_use]
    pub fn of_entry(entry: &impl EntryView) -> Self {
        Self(entry.first(&names::REVISION).map(str::to_owned))
    }

    /// The value as it stands in the entry.
    #[must_use]
    pub fn stored(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The value after the next write.
    #[must_use]
    pub fn next(&self) -> String {
        let current = self.0.as_deref().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        current.wrapping_add(1).to_string()
    }
}

/// A revision that is written without knowing the one before, so that writers who do not mind each other (two
/// who add different members) both succeed, while a write that was planned on the old revision fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshRevision(u64);

impl FreshRevision {
    /// From a random number: none that was used before, as far as chance goes. The upper half of the numbers, so
    /// that counted revisions stay apart, and one bit less than an LDAP integer of 389-ds compares rightly.
    #[must_use]
    pub const fn from_random(random: u64) -> Self {
        Self((random >> 2) | (1 << 61))
    }
}

impl fmt::Display for FreshRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What tells one state of an entry from every other: our revision, and the server's own count of changes with the
/// time of the last one, which changes made by others move as well. The count alone would not do: 389-ds takes one off
/// for many a change that it refuses, and gives the number again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What a write replaces.
    pub revision: Revision,
    change: String,
}

impl Version {
    /// Reads it from an entry with [`READ_ATTRIBUTES`]. Entries from before the plug-in USN have no count.
    #[must_use]
    pub fn of_entry(entry: &impl EntryView) -> Self {
        let part = |name| entry.first(name).unwrap_or_default();
        let change = format!("{}-{}", part(&names::ENTRY_USN), part(&names::MODIFY_TIMESTAMP));
        Self { revision: Revision::of_entry(entry), change }
    }

    /// The version as an opaque text of letters, digits and `-`.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("{}-{}", self.revision.stored().unwrap_or("0"), self.change)
    }
}

/// Which versions of an entry a change may be made to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Any, and nobody asked.
    #[default]
    None,
    /// Any that is there (`*`).
    AnyVersion,
    /// One of these tags.
    OneOf(Vec<String>),
}

impl Precondition {
    /// Whether the change may be made to this version.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        match self {
            Self::None | Self::AnyVersion => true,
            Self::OneOf(tags) => tags.contains(&version.tag()),
        }
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_some(&self) -> bool {
        *self != Self::None
    }

    /// Whether it names versions: then a change that loses a race for the entry is refused, and not planned anew.
    #[must_use]
    pub fn names_versions(&self) -> bool {
        matches!(self, Self::OneOf(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Stored;

    fn version(pairs: &[(AttributeName, &str)]) -> Version {
        Version::of_entry(&Stored::new(&[], pairs))
    }

    #[test]
    fn a_change_by_others_makes_another_version() {
        let at = |usn, time| {
            version(&[(names::REVISION, "7"), (names::ENTRY_USN, usn), (names::MODIFY_TIMESTAMP, time)])
        };
        let (ours, theirs) = (at("41", "20260101000000Z"), at("42", "20260101000000Z"));
        let same_count = at("41", "20260101000001Z");
        assert_eq!(ours.tag(), "7-41-20260101000000Z");
        assert_eq!(theirs.tag(), "7-42-20260101000000Z");
        assert_ne!(ours.tag(), same_count.tag());
        let condition = Precondition::OneOf(vec!["6-40".into(), ours.tag()]);
        assert!(condition.allows(&ours) && !condition.allows(&theirs));
        assert!(Precondition::AnyVersion.allows(&theirs) && Precondition::None.allows(&theirs));
    }

    #[test]
    fn an_entry_without_a_count_shows_the_time_of_its_last_change() {
        let old = version(&[(names::MODIFY_TIMESTAMP, "20260101000000Z")]);
        assert_eq!(old.tag(), "0--20260101000000Z");
    }

    #[test]
    fn a_fresh_revision_is_no_counted_one_and_fits_a_signed_number() {
        for random in [0, 1, u64::MAX] {
            let fresh: i64 = FreshRevision::from_random(random).to_string().parse().unwrap();
            assert!(fresh >= 1 << 61, "{fresh}");
        }
    }
}
