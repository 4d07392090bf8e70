//! The version of an entry that a change is planned on. Every write replaces the revision. A write that was planned on
//! a revision replaces exactly that one, so of two such writers one succeeds. 389-ds has no assertion control (RFC
//! 4528); a modify that deletes a missing value fails as a whole, which has the same effect.

use crate::{entry::EntryView, names};
use ldap_text::attribute::AttributeName;
use std::fmt;

/// The attributes to read a version.
pub const READ_ATTRIBUTES: &[AttributeName] = &[names::REVISION, names::ENTRY_USN, names::MODIFY_TIMESTAMP];

/// The mark of the last write of an entry by pbm; entries of other programs have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision(Option<String>);

impl Revision {
    /// Reads the revision from an entry.
    #[must_use]
    pub fn of_entry(entry: &impl EntryView) -> Self {
        Self(entry.first(&names::REVISION).map(str::to_owned))
    }

    /// The value in the entry.
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

/// A revision that is written without knowledge of the previous one, so that independent writers (two who add different
/// members) both succeed, while a write that was planned on the old revision fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshRevision(u64);

impl FreshRevision {
    /// From a random number, which makes it unique with near certainty. It is in the upper half of the numbers, apart
    /// from counted revisions, and one bit shorter than the LDAP integers that 389-ds compares correctly.
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

/// Distinguishes one state of an entry from all others: the revision of pbm, and the server's count of changes with the
/// time of the last change, which changes by other programs move as well. The count alone is not enough: 389-ds
/// decrements it for many a refused change, and reuses the number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The revision, which a write replaces.
    pub revision: Revision,
    change: String,
}

impl Version {
    /// Reads the version from an entry with [`READ_ATTRIBUTES`]. Entries from before the plug-in USN have no count.
    #[must_use]
    pub fn of_entry(entry: &impl EntryView) -> Self {
        let part = |name| entry.first(name).unwrap_or_default();
        let change = format!("{}-{}", part(&names::ENTRY_USN), part(&names::MODIFY_TIMESTAMP));
        Self { revision: Revision::of_entry(entry), change }
    }

    /// The version as an opaque string of letters, digits and `-`.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("{}-{}", self.revision.stored().unwrap_or("0"), self.change)
    }
}

/// The versions of an entry that may be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// No condition.
    #[default]
    None,
    /// Any version of an existing entry (`*`).
    AnyVersion,
    /// One of these tags.
    OneOf(Vec<String>),
}

impl Precondition {
    /// Whether this version may be changed.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        match self {
            Self::None | Self::AnyVersion => true,
            Self::OneOf(tags) => tags.contains(&version.tag()),
        }
    }

    /// Whether there is a condition.
    #[must_use]
    pub fn is_some(&self) -> bool {
        *self != Self::None
    }

    /// Whether it names versions. If so, a change that loses a race for the entry is refused, and not planned again.
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
