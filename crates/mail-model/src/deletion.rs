//! Soft deletion: how long a deleted entry is kept, when it is removed, and how the deletion of a tenant affects its
//! entries.

use crate::{
    changes::{claim, delete_value, guarded, modify, replace, whole_seconds},
    entry::EntryView,
    names,
    revision::Revision,
    tested::tested,
    user::status::Status,
};
use jiff::{SignedDuration, Timestamp};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    filter::Filter,
    generalized_time,
    ldif::{Change, ChangeRecord, Modification},
};

/// The time when an entry was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    time: Timestamp,
    /// The value in the entry, for a write that has to find it unchanged.
    value: String,
}

impl Since {
    /// Now, in whole seconds.
    #[must_use]
    pub fn now(now: Timestamp) -> Self {
        let time = whole_seconds(now);
        Self { time, value: generalized_time::print(time) }
    }

    /// Reads the time from an entry; `None` if the entry is not deleted.
    #[must_use]
    pub fn of_entry(entry: &impl EntryView) -> Option<Self> {
        let value = entry.first(&names::DELETED_SINCE)?.to_owned();
        Some(Self { time: generalized_time::parse(&value).ok()?, value })
    }

    /// The time.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Sets the time in an entry.
    pub(crate) fn set(&self) -> Modification {
        replace(names::DELETED_SINCE, vec![self.value.as_str().into()])
    }

    /// Removes the time from an entry; fails if the entry has another one.
    pub(crate) fn unset(&self) -> Modification {
        delete_value(names::DELETED_SINCE, &self.value)
    }
}

/// Entries that were deleted at this time or earlier.
#[must_use]
pub fn deleted_by(moment: Timestamp) -> Filter {
    Filter::at_most(names::DELETED_SINCE, generalized_time::print(whole_seconds(moment)))
}

/// Entries that are deleted.
#[must_use]
pub fn is_deleted() -> Filter {
    Filter::present(names::DELETED_SINCE)
}

/// Entries that are not deleted.
#[must_use]
pub fn is_live() -> Filter {
    Filter::not(is_deleted())
}

/// Whether searches no longer find an entry, because it is deleted or claimed for removal.
#[must_use]
pub fn is_hidden(entry: &impl EntryView) -> bool {
    [names::DELETED_SINCE, names::PURGING].iter().any(|name| entry.first(name).is_some())
}

/// Entries that are neither deleted nor claimed for removal.
#[must_use]
pub fn is_shown() -> Filter {
    Filter::all([is_live(), Filter::not(Filter::present(names::PURGING))])
}

/// Entries of a tenant that are deleted and restored with the tenant: users, mailing lists and resources.
#[must_use]
pub fn follows_its_tenant() -> Filter {
    let classes = [names::USER_CLASS, names::MAIL_LIST_CLASS, names::RESOURCE_CLASS];
    tested(Filter::any(classes.map(|class| Filter::equal(names::OBJECT_CLASS, class))))
}

/// Entries that were deleted with their tenant.
#[must_use]
pub fn is_deleted_with_tenant() -> Filter {
    Filter::equal(names::DELETED_WITH_TENANT, "TRUE")
}

/// Entries that are claimed for removal.
#[must_use]
pub fn is_claimed() -> Filter {
    Filter::equal(names::PURGING, "TRUE")
}

/// The attributes that are needed to delete and restore an entry with its tenant.
pub const FOLLOWING_ATTRIBUTES: &[AttributeName] = &[
    names::OBJECT_CLASS,
    names::REVISION,
    names::DELETED_SINCE,
    names::INET_USER_STATUS,
    names::NS_ACCOUNT_LOCK,
];

/// Deletes an entry with its tenant.
#[must_use]
pub fn with_tenant(dn: Dn, entry: &impl EntryView, since: &Since, now: Timestamp) -> ChangeRecord {
    let mut modifications = vec![since.set(), replace(names::DELETED_WITH_TENANT, vec!["TRUE".into()])];
    if is_user(entry) {
        modifications.extend(Status::of_entry(entry).kept_in_deletion());
        modifications.push(lock(false));
        modifications.push(end_tokens(now));
    }
    guarded(dn, &Revision::of_entry(entry), modifications)
}

/// Restores an entry with its tenant; `None` if it was not deleted with the tenant. A user that was blocked before
/// stays blocked.
#[must_use]
pub fn back_with_tenant(dn: Dn, entry: &impl EntryView) -> Option<ChangeRecord> {
    let since = Since::of_entry(entry)?;
    let mut modifications = vec![since.unset(), delete_value(names::DELETED_WITH_TENANT, "TRUE")];
    if is_user(entry) {
        modifications.push(lock(Status::of_entry(entry).is_active()));
    }
    Some(guarded(dn, &Revision::of_entry(entry), modifications))
}

/// Lists, resources and resource groups that are not claimed for removal.
#[must_use]
pub fn is_claimable() -> Filter {
    let classes = [names::MAIL_LIST_CLASS, names::RESOURCE_CLASS, names::RESOURCE_GROUP_CLASS];
    let class = tested(Filter::any(classes.map(|class| Filter::equal(names::OBJECT_CLASS, class))));
    Filter::all([class, Filter::not(Filter::present(names::PURGING))])
}

/// Claims an entry for removal, as it was read: from then on nothing finds it. Another entry that has the name by now
/// has another revision, and is left alone.
#[must_use]
pub fn claim_of(dn: Dn, revision: &Revision) -> ChangeRecord {
    guarded(dn, revision, vec![claim()])
}

/// Undoes the creation of an entry.
#[must_use]
pub fn abandonment(dn: Dn) -> [ChangeRecord; 2] {
    [modify(dn.clone(), vec![claim()]), removal(dn)]
}

/// Removes an entry for good. The server's access rules allow it for claimed entries only.
#[must_use]
pub fn removal(dn: Dn) -> ChangeRecord {
    ChangeRecord { dn, change: Change::Delete }
}

/// Whether an entry has a class.
pub(crate) fn is_of_class(entry: &impl EntryView, class: &str) -> bool {
    entry.values(&names::OBJECT_CLASS).iter().any(|has| has.eq_ignore_ascii_case(class))
}

fn is_user(entry: &impl EntryView) -> bool {
    is_of_class(entry, names::USER_CLASS)
}

/// Allows or forbids binds of a user.
pub(crate) fn lock(may_bind: bool) -> Modification {
    replace(names::NS_ACCOUNT_LOCK, if may_bind { Vec::new() } else { vec!["true".into()] })
}

/// Invalidates the tokens issued until now.
pub(crate) fn end_tokens(now: Timestamp) -> Modification {
    replace(names::TOKENS_VALID_FROM, vec![generalized_time::print(now).into()])
}

/// How long a deleted entry is kept before a purge may remove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(SignedDuration);

impl Retention {
    /// A retention of whole seconds; the guide's is 30 days.
    #[must_use]
    pub const fn from_secs(seconds: u32) -> Self {
        Self(SignedDuration::from_secs(seconds as i64))
    }

    /// The time until which an entry that was deleted at `since` is kept.
    #[must_use]
    pub fn kept_until(self, since: Timestamp) -> Timestamp {
        since.saturating_add(self.0).unwrap_or(Timestamp::MAX)
    }

    /// Entries that were deleted at this time or earlier are due for removal.
    #[must_use]
    pub fn due_since(self, now: Timestamp) -> Timestamp {
        now.saturating_sub(self.0).unwrap_or(Timestamp::MIN)
    }

    /// Whether an entry that was deleted at `since` is due for removal.
    #[must_use]
    pub fn is_due(self, since: Timestamp, now: Timestamp) -> bool {
        since <= self.due_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Stored;

    #[test]
    fn an_entry_is_due_at_the_last_second_of_its_retention_and_not_before() {
        let retention = Retention::from_secs(30 * 24 * 3600);
        let since: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let until = retention.kept_until(since);
        assert_eq!(until.to_string(), "2026-01-31T00:00:00Z");
        assert!(retention.is_due(since, until));
        assert!(!retention.is_due(since, until - SignedDuration::from_secs(1)));
    }

    fn user(more: &[(AttributeName, &str)]) -> Stored {
        Stored::new(&[names::USER_CLASS], more)
    }

    #[test]
    fn what_follows_its_tenant_is_marked_and_comes_back_by_the_mark() {
        let dn = || Dn::parse("mail=a@x.ru,ou=t,ou=People,dc=x").unwrap();
        let now: Timestamp = "2026-01-02T03:04:05.6Z".parse().unwrap();
        let gone = with_tenant(dn(), &user(&[(names::REVISION, "1")]), &Since::now(now), now).to_string();
        for part in [
            "replace: pbmDeletedSince\npbmDeletedSince: 20260102030405Z\n",
            "replace: pbmDeletedWithTenant\npbmDeletedWithTenant: TRUE\n",
            "replace: nsAccountLock\nnsAccountLock: true\n",
            "replace: pbmTokensValidFrom\n",
        ] {
            assert!(gone.contains(part), "{part} is not in\n{gone}");
        }
        assert!(!gone.contains("inetUserStatus"), "{gone}");
        let locked = user(&[(names::INET_USER_STATUS, "1"), (names::NS_ACCOUNT_LOCK, "TRUE")]);
        let gone = with_tenant(dn(), &locked, &Since::now(now), now).to_string();
        assert!(gone.contains("replace: inetUserStatus\ninetUserStatus: 0\n"), "{gone}");
        let since = (names::DELETED_SINCE, "20260102030405Z");
        let back = back_with_tenant(dn(), &user(std::slice::from_ref(&since))).unwrap().to_string();
        assert!(back.contains("delete: pbmDeletedWithTenant\npbmDeletedWithTenant: TRUE\n"), "{back}");
        assert!(back.contains("replace: nsAccountLock\n-\n"), "{back}");
        let blocked = user(&[since, (names::INET_USER_STATUS, "0")]);
        assert!(back_with_tenant(dn(), &blocked).unwrap().to_string().contains("nsAccountLock: true"));
        assert!(back_with_tenant(dn(), &user(&[])).is_none());
    }

    #[test]
    fn a_list_that_follows_its_tenant_has_no_lock() {
        let list = Stored::new(&[names::MAIL_LIST_CLASS], &[]);
        let dn = Dn::parse("mail=l@x.ru,ou=t,ou=Groups,dc=x").unwrap();
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        assert!(!with_tenant(dn, &list, &Since::now(now), now).to_string().contains("nsAccountLock"));
    }
}
