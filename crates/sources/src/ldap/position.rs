//! From where a quick run continues: the number of the last change that a domain controller had counted *before* the
//! people were read, so that what changes during the read is read again.
//!
//! Each domain controller counts for itself, and begins another count when its database is restored from a backup. A
//! position of another count, or one that was reached with other settings, says nothing: the run is then a whole one.

use super::{names, root::Count, settings::Plan};
use ldap_text::Filter;
use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// A position. Its text has four words: the number, the database, the settings, the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    count: Count,
    /// A number for the settings that decide what is read. It may differ in another version of the program.
    settings: u64,
}

impl Position {
    /// The position that a read with these settings reaches.
    pub(super) fn new(count: &Count, plan: &Plan) -> Self {
        let mut hasher = DefaultHasher::new();
        (&plan.base, &plan.users.and(None)).hash(&mut hasher);
        for (field, attribute) in &plan.mapping {
            (field, attribute).hash(&mut hasher);
        }
        Self { count: count.clone(), settings: hasher.finish() }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let highest = words.next()?.parse().ok()?;
        let invocation = words.next()?.to_owned();
        let settings = u64::from_str_radix(words.next()?, 16).ok()?;
        let server = words.next()?.to_owned();
        let count = Count { server, invocation, highest };
        words.next().is_none().then_some(Self { count, settings })
    }

    /// What has changed between an earlier position and this one; `None` if the earlier one says nothing.
    pub(super) fn changes_since(&self, earlier: &str) -> Option<Filter> {
        let earlier = Self::parse(earlier)?;
        let next = earlier.count.highest.checked_add(1)?;
        let same = Self { count: Count { highest: self.count.highest, ..earlier.count.clone() }, ..earlier };
        let is_past = earlier.count.highest <= self.count.highest;
        (same == *self && is_past).then(|| Filter::at_least(names::USN_CHANGED, next.to_string()))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count { server, invocation, highest } = &self.count;
        write!(f, "{highest} {invocation} {:x} {server}", self.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::settings::{LdapSourceSettings, tests::settings};

    fn position(server: &str, invocation: &str, highest: u64, settings: &LdapSourceSettings) -> Position {
        let count = Count { server: server.into(), invocation: invocation.into(), highest };
        Position::new(&count, &Plan::new(settings).unwrap())
    }

    #[test]
    fn a_quick_run_begins_after_the_last_change() {
        let now = position("dc1.x", "0a", 120, &settings());
        let since =
            |earlier: Position| now.changes_since(&earlier.to_string()).map(|filter| filter.to_string());
        assert_eq!(since(position("dc1.x", "0a", 100, &settings())).as_deref(), Some("(uSNChanged>=101)"));
        assert_eq!(since(now.clone()).as_deref(), Some("(uSNChanged>=121)"));
    }

    #[test]
    fn a_position_of_another_count_says_nothing() {
        let now = position("dc1.x", "0a", 120, &settings());
        let other = LdapSourceSettings { base_dn: "dc=other".into(), ..settings() };
        for earlier in [
            position("dc2.x", "0a", 100, &settings()),
            position("dc1.x", "0b", 100, &settings()),
            position("dc1.x", "0a", 121, &settings()),
            position("dc1.x", "0a", 100, &other),
        ] {
            assert_eq!(now.changes_since(&earlier.to_string()), None, "{earlier}");
        }
        for text in ["", "x", "100 0a", "18446744073709551615 0a 0 dc1.x"] {
            assert_eq!(now.changes_since(text), None, "{text}");
        }
    }
}
