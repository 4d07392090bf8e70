//! Soft deletion: how long a deleted entry is kept, and when its removal is due.

use jiff::{SignedDuration, Timestamp};

/// How long a deleted entry is kept before a purge may remove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(SignedDuration);

impl Retention {
    /// A retention of whole seconds; the guide's is 30 days.
    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        Self(SignedDuration::from_secs(seconds as i64))
    }

    /// Until when an entry deleted at `since` is kept.
    #[must_use]
    pub fn kept_until(self, since: Timestamp) -> Timestamp {
        since.saturating_add(self.0).unwrap_or(Timestamp::MAX)
    }

    /// What was deleted at this moment or before is due now.
    #[must_use]
    pub fn due_since(self, now: Timestamp) -> Timestamp {
        now.saturating_sub(self.0).unwrap_or(Timestamp::MIN)
    }

    /// Whether an entry deleted at `since` is due.
    #[must_use]
    pub fn is_due(self, since: Timestamp, now: Timestamp) -> bool {
        since <= self.due_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_due_at_the_last_second_of_its_retention_and_not_before() {
        let retention = Retention::from_secs(30 * 24 * 3600);
        let since: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let until = retention.kept_until(since);
        assert_eq!(until.to_string(), "2026-01-31T00:00:00Z");
        assert!(retention.is_due(since, until));
        assert!(!retention.is_due(since, until - SignedDuration::from_secs(1)));
    }
}
