//! Whether a user is blocked. Two attributes say so: `inetUserStatus`, which pbm and mail programs read, and
//! `nsAccountLock`, by which 389-ds refuses binds. pbm writes both together; tools of 389-ds (`dsidm account lock`)
//! write only the lock. Either attribute blocks the user, and every reader of a user asks this module.

use crate::{
    changes::replace,
    deletion::{is_hidden, lock},
    entry::EntryView,
    names,
};
use ldap_text::ldif::Modification;

/// The status of an active user.
const ACTIVE: &str = "1";
/// The status of a blocked user, including one that only the lock blocks.
const BLOCKED: &str = "0";

/// The attributes of an entry that block the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    stored: Option<String>,
    /// A deletion sets the lock too, so the lock of a deleted user does not affect the status.
    lock_says_blocked: bool,
    is_locked: bool,
}

impl Status {
    /// Reads the status from a user's entry, which was read with the lock and the attributes of hidden entries.
    #[must_use]
    pub fn of_entry(entry: &impl EntryView) -> Self {
        // The only value that 389-ds knows, in any letter case.
        let is_locked =
            entry.first(&names::NS_ACCOUNT_LOCK).is_some_and(|lock| lock.eq_ignore_ascii_case("true"));
        Self {
            stored: entry.first(&names::INET_USER_STATUS).map(str::to_owned),
            lock_says_blocked: is_locked && !is_hidden(entry),
            is_locked,
        }
    }

    /// The status for answers; `None` if the entry has none, which means active.
    #[must_use]
    pub fn shown(&self) -> Option<&str> {
        if self.is_blocked_by_lock_alone() { Some(BLOCKED) } else { self.stored.as_deref() }
    }

    /// Whether the status allows a log-in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.shown().is_none_or(is_active)
    }

    /// The change to another status; `None` if both attributes have it already.
    pub(super) fn change_to(&self, wanted: &str) -> Option<[Modification; 2]> {
        let is_there = self.stored.as_deref() == Some(wanted) && self.is_locked != is_active(wanted);
        (!is_there).then(|| set(wanted))
    }

    /// The change in a deletion that keeps a user blocked after a restore, if only the lock blocks the user.
    pub(crate) fn kept_in_deletion(&self) -> Option<Modification> {
        self.is_blocked_by_lock_alone().then(|| replace(names::INET_USER_STATUS, vec![BLOCKED.into()]))
    }

    /// Whether only the lock blocks the user, while the status is active.
    #[must_use]
    pub fn is_blocked_by_lock_alone(&self) -> bool {
        self.lock_says_blocked && self.stored.as_deref().is_none_or(is_active)
    }
}

/// Whether a status allows a log-in.
#[must_use]
pub fn is_active(status: &str) -> bool {
    status == ACTIVE
}

fn set(wanted: &str) -> [Modification; 2] {
    [replace(names::INET_USER_STATUS, vec![wanted.into()]), lock(is_active(wanted))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Stored;

    const NO_STATUS: Option<&str> = None;

    fn status(stored: Option<&str>, lock: Option<&str>, deleted: bool) -> Status {
        let mut pairs = Vec::new();
        pairs.extend(stored.map(|status| (names::INET_USER_STATUS, status)));
        pairs.extend(lock.map(|lock| (names::NS_ACCOUNT_LOCK, lock)));
        pairs.extend(deleted.then_some((names::DELETED_SINCE, "20260101000000Z")));
        Status::of_entry(&Stored::new(&[names::USER_CLASS], &pairs))
    }

    #[test]
    fn either_attribute_blocks_a_live_user() {
        for (stored, lock, shown) in [
            (Some("1"), None, Some("1")),
            (NO_STATUS, None, None),
            (Some("1"), Some("false"), Some("1")),
            // As 389-ds has it.
            (Some("1"), Some("yes"), Some("1")),
            (Some("1"), Some("TRUE"), Some("0")),
            (Some("1"), Some("true"), Some("0")),
            (NO_STATUS, Some("true"), Some("0")),
            (Some("0"), Some("true"), Some("0")),
            (Some("2"), Some("true"), Some("2")),
            (Some("0"), None, Some("0")),
        ] {
            let status = status(stored, lock, false);
            assert_eq!(status.shown(), shown, "{stored:?}, {lock:?}");
            assert_eq!(status.is_active(), shown.is_none_or(|shown| shown == "1"), "{stored:?}, {lock:?}");
        }
    }

    #[test]
    fn a_change_is_needed_unless_both_attributes_say_what_is_wanted() {
        for (stored, lock, wanted, is_needed) in [
            (Some("1"), None, "1", false),
            (Some("1"), Some("true"), "1", true),
            (NO_STATUS, None, "1", true),
            (Some("0"), None, "1", true),
            (Some("0"), Some("true"), "0", false),
            (Some("0"), None, "0", true),
            (Some("1"), Some("true"), "0", true),
            (Some("2"), Some("true"), "0", true),
        ] {
            let change = status(stored, lock, false).change_to(wanted);
            assert_eq!(change.is_some(), is_needed, "{stored:?}, {lock:?} to {wanted}");
            assert!(change.is_none_or(|change| change == set(wanted)));
        }
    }

    #[test]
    fn a_deletion_keeps_what_only_the_lock_says_and_its_own_lock_says_nothing() {
        let kept = |stored, lock| status(stored, lock, false).kept_in_deletion().is_some();
        assert!(kept(Some("1"), Some("true")) && kept(None, Some("true")));
        assert!(!kept(Some("1"), None) && !kept(Some("0"), Some("true")) && !kept(Some("2"), Some("true")));
        assert!(status(Some("1"), Some("true"), true).is_active());
        assert!(!status(Some("0"), Some("true"), true).is_active());
        assert!(status(Some("1"), Some("true"), true).kept_in_deletion().is_none());
    }
}
