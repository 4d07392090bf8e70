//! What came of the entries of a restore: counted, and reported.

use super::{bounds::MOST_LISTED, refusal::Refusal};
use crate::backup::key::Key;
use ldap_text::{dn::Dn, ldif::ChangeRecord};
use std::collections::{HashMap, HashSet};

/// What came, or would come, of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The directory lacked it.
    Added(ChangeRecord),
    /// It differed, and is now as in the file.
    Updated(ChangeRecord),
    /// It differs, and this would make it as in the file.
    Different(ChangeRecord),
    /// It is as in the file.
    Same,
    /// The file lacks it, and it is gone.
    Removed(ChangeRecord),
    /// It could not be restored.
    Refused(Refusal),
}

/// Something that a restore tells of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Where it stands in the file, if it does.
    pub line: Option<u64>,
    /// Its name; the empty one where it can't be read.
    pub dn: &'a Dn,
    /// What came of it.
    pub outcome: &'a Outcome,
}

/// The number of entries by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Added.
    pub added: u64,
    /// Brought to the file's state.
    pub updated: u64,
    /// Removed, since the file lacks them.
    pub removed: u64,
    /// As in the file already.
    pub same: u64,
    /// Different, and left so.
    pub different: u64,
    /// Refused.
    pub refused: u64,
    /// Those of the refused that were counted and not reported.
    pub unlisted: u64,
    /// Of no part that was asked for.
    pub left_out: u64,
}

impl Summary {
    /// All entries of the part that was asked for.
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

/// What came of an entry that the directory was asked about.
pub(super) struct Ended {
    pub(super) line: u64,
    pub(super) key: Key,
    pub(super) dn: Dn,
    pub(super) outcome: Outcome,
}

/// What has come of the entries so far.
pub(super) struct Tally<F> {
    pub(super) summary: Summary,
    /// Entries that are not there, though the file has them.
    pub(super) failed: HashSet<Key>,
    /// Entries that the file lacks and that others of it stand below: whether they are there.
    pub(super) parents: HashMap<Key, bool>,
    /// Entries whose addresses others have, by their lines: they are tried again.
    pub(super) clashes: HashMap<u64, (Dn, Refusal)>,
    /// How many there may be of these.
    most_clashes: usize,
    on_event: F,
}

impl<F: AsyncFnMut(Event<'_>)> Tally<F> {
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
        (self.on_event)(Event { line, dn, outcome }).await;
    }

    /// Counts refused records of which nothing is known any more.
    pub(super) fn count_refused(&mut self, number: u64) {
        self.summary.refused += number;
        self.summary.unlisted += number;
    }
}
