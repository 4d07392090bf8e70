//! The outcomes of a restore, counted and reported.

use super::{bounds::MOST_LISTED, refusal::Refusal};
use crate::backup::key::Key;
use ldap_text::{dn::Dn, ldif::ChangeRecord};
use std::collections::{HashMap, HashSet};

/// The outcome for an entry, real or (in a dry run) expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The directory did not have the entry.
    Added(ChangeRecord),
    /// The entry differed, and is now as in the file.
    Updated(ChangeRecord),
    /// The entry differs; this change would make it as in the file.
    Different(ChangeRecord),
    /// The entry is as in the file.
    Same,
    /// The file does not have the entry, and it was removed.
    Removed(ChangeRecord),
    /// The entry could not be restored.
    Refused(Refusal),
}

/// A result that a restore reports for an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreEvent<'a> {
    /// The line of the entry in the file, if it is there.
    pub line: Option<u64>,
    /// The name of the entry; empty if it can't be read.
    pub dn: &'a Dn,
    /// What came of it.
    pub outcome: &'a Outcome,
}

/// The numbers of entries by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Added.
    pub added: u64,
    /// Updated to the state in the file.
    pub updated: u64,
    /// Removed, since the file does not have them.
    pub removed: u64,
    /// The same as in the file.
    pub same: u64,
    /// Different, and left as they are.
    pub different: u64,
    /// Refused.
    pub refused: u64,
    /// Those of the refused that were only counted and not reported.
    pub unlisted: u64,
    /// Outside of the requested part.
    pub left_out: u64,
}

impl Summary {
    /// All entries of the requested part.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.added + self.updated + self.same + self.different + self.refused
    }

    fn count(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Added(_) => &mut self.added,
            Outcome::Updated(_) => &mut self.updated,
            Outcome::Different(_) => &mut self.different,
            Outcome::Same => &mut self.same,
            Outcome::Removed(_) => &mut self.removed,
            Outcome::Refused(_) => &mut self.refused,
        };
        *count += 1;
    }
}

/// The outcome for an entry, and where it occurs.
pub(super) struct Ended {
    pub(super) line: u64,
    pub(super) key: Key,
    pub(super) dn: Dn,
    pub(super) outcome: Outcome,
}

/// The outcomes so far.
pub(super) struct Tally<F> {
    pub(super) summary: Summary,
    /// Entries that do not exist in the directory, though the file has them.
    pub(super) failed: HashSet<Key>,
    /// Parents that the file does not have, and whether they exist.
    pub(super) parents: HashMap<Key, bool>,
    /// Entries whose addresses other entries have, by line; they are tried again.
    pub(super) clashes: HashMap<u64, (Dn, Refusal)>,
    /// The largest number of such entries.
    most_clashes: usize,
    on_event: F,
}

impl<F: AsyncFnMut(RestoreEvent<'_>)> Tally<F> {
    pub(super) fn new(left_out: u64, most_clashes: usize, on_event: F) -> Self {
        Self {
            summary: Summary { left_out, ..Summary::default() },
            failed: HashSet::new(),
            parents: HashMap::new(),
            clashes: HashMap::new(),
            most_clashes,
            on_event,
        }
    }

    pub(super) async fn end(&mut self, ended: Ended) {
        let Ended { line, key, dn, outcome } = ended;
        if matches!(outcome, Outcome::Refused(_)) {
            self.failed.insert(key);
        }
        match outcome {
            Outcome::Refused(refusal @ Refusal::Taken(_)) if self.clashes.len() < self.most_clashes => {
                self.clashes.insert(line, (dn, refusal));
            }
            outcome => self.tell(Some(line), &dn, &outcome).await,
        }
    }

    pub(super) async fn tell(&mut self, line: Option<u64>, dn: &Dn, outcome: &Outcome) {
        self.summary.count(outcome);
        if matches!(outcome, Outcome::Refused(_)) && self.summary.refused > MOST_LISTED as u64 {
            self.summary.unlisted += 1;
            return;
        }
        (self.on_event)(RestoreEvent { line, dn, outcome }).await;
    }

    /// Counts refused records of which only the number is known.
    pub(super) fn count_refused(&mut self, number: u64) {
        self.summary.refused += number;
        self.summary.unlisted += number;
    }
}
