//! How much is read of a server, which may send without an end.

use crate::SourceError;
use std::time::Duration;

/// How much is read at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most entries that one search finds: people, or groups.
    pub entries: u32,
    /// Most entries, references and pages of a whole read.
    pub items: u32,
    /// Most pieces of the members of large groups.
    pub pieces: u32,
    /// Most pages in a row that may be empty.
    pub empty_pages: u32,
    /// How long a read may take.
    pub deadline: Duration,
}

impl Default for Limits {
    /// As many people as of Bitrix24. Besides the people, a read has up to 100,000 groups, found by up to three searches,
    /// and a page for each few hundred entries. All members of groups (20 million) are 14,000 pieces of 1,500, which may
    /// be read three times, and a last piece for each group that has more. Active Directory returns an empty page when it
    /// looked at many entries and found none. A million people are 2,000 pages, for each of which a slow server may take
    /// five seconds.
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            items: 3_000_000,
            pieces: 100_000,
            empty_pages: 10_000,
            deadline: Duration::from_secs(3 * 3600),
        }
    }
}

impl Limits {
    /// Of a log-in, which reads two entries.
    pub(super) fn of_probe() -> Self {
        Self { items: 1_000, deadline: Duration::from_secs(600), ..Self::default() }
    }

    /// Ends a read that takes too long.
    ///
    /// # Errors
    /// [`SourceError`], of the read or of its lateness.
    pub(super) async fn in_time<T>(
        &self,
        read: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let late = |_| {
            SourceError::Refused(format!(
                "reading the source took longer than {:?}: look whether the server is slow, or narrow base_dn, \
                 groups_dn or the filters",
                self.deadline
            ))
        };
        tokio::time::timeout(self.deadline, read).await.map_err(late)?
    }
}

/// What a read has used of its limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    limits: Limits,
    items: u32,
    pieces: u32,
}

impl Budget {
    /// Nothing is used yet.
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { limits: *limits, items: 0, pieces: 0 }
    }

    /// Counts an entry, a reference or a page.
    ///
    /// # Errors
    /// [`SourceError::Refused`] if there were too many.
    pub(super) fn item(&mut self) -> Result<(), SourceError> {
        self.items += 1;
        let what = "entries, references to other servers, and pages";
        at_most(self.limits.items, self.items, what)
    }

    /// Counts a piece of the members of a group.
    ///
    /// # Errors
    /// [`SourceError::Refused`] if there were too many.
    pub(super) fn piece(&mut self) -> Result<(), SourceError> {
        self.pieces += 1;
        at_most(self.limits.pieces, self.pieces, "pieces of the members of groups")
    }

    /// Checks how many entries a search has found.
    ///
    /// # Errors
    /// [`SourceError::Refused`] if they are too many.
    pub(super) fn check_entries(&self, found: u32) -> Result<(), SourceError> {
        at_most(self.limits.entries, found, "entries for one search")
    }

    /// Checks how many pages in a row were empty.
    ///
    /// # Errors
    /// [`SourceError::Refused`] if they are too many.
    pub(super) fn check_empty_pages(&self, empty: u32) -> Result<(), SourceError> {
        at_most(self.limits.empty_pages, empty, "pages in a row without an entry")
    }
}

fn at_most(limit: u32, count: u32, what: &str) -> Result<(), SourceError> {
    if count <= limit {
        return Ok(());
    }
    Err(SourceError::Refused(format!(
        "the server sends more than {limit} {what}: narrow base_dn, groups_dn or the filters, if it is the right server"
    )))
}
