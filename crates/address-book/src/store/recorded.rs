//! What this process has recorded of late. The directory reports each of its own writes to it as well, and a state that
//! this process recorded need not be compared with the one in Redis.

use super::text::{Condition, Stored};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The number of entries that are remembered: more than are written between a write and its report.
const MOST: usize = 4096;

/// The states of entries that this process has recorded, as hashes of their records. Only records with a version are
/// remembered: no later state has the same record, so a state that another process has replaced since is never mistaken
/// for the present one.
#[derive(Default)]
pub(super) struct RecordedStates {
    states: Mutex<HashMap<String, u64>>,
    hasher: RandomState,
}

impl RecordedStates {
    /// Whether an entry with the condition [`Condition::Same`] need not be sent to the Redis process `home`.
    pub(super) fn has(&self, home: &str, entry: &Stored) -> bool {
        entry.has_version
            && entry.condition == Condition::Same
            && self.states().get(&entry.id) == Some(&self.hash(home, entry))
    }

    /// Remembers an entry that was recorded in the Redis process `home`.
    pub(super) fn note(&self, home: &str, entry: &Stored) {
        let mut states = self.states();
        if !entry.has_version {
            states.remove(&entry.id);
            return;
        }
        if states.len() >= MOST {
            states.clear();
        }
        states.insert(entry.id.clone(), self.hash(home, entry));
    }

    fn hash(&self, home: &str, entry: &Stored) -> u64 {
        self.hasher.hash_one((home, &entry.body))
    }

    fn states(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "one";

    fn stored(condition: Condition, body: &str, has_version: bool) -> Stored {
        Stored { id: "1".into(), condition, tenant: "t".into(), body: body.into(), has_version }
    }

    #[test]
    fn only_the_last_recorded_state_of_a_versioned_record_is_known() {
        let recorded = RecordedStates::default();
        let same = |body| stored(Condition::Same, body, true);
        recorded.note(HOME, &stored(Condition::Since(1), "one", true));
        assert!(recorded.has(HOME, &same("one")) && !recorded.has(HOME, &same("two")));
        assert!(!recorded.has(HOME, &stored(Condition::Since(2), "one", true)));
        assert!(!recorded.has("another", &same("one")));
        recorded.note(HOME, &same("two"));
        assert!(!recorded.has(HOME, &same("one")) && recorded.has(HOME, &same("two")));
        recorded.note(HOME, &stored(Condition::Always, "", false));
        assert!(!recorded.has(HOME, &same("two")));
    }

    #[test]
    fn records_without_a_version_are_not_remembered() {
        let recorded = RecordedStates::default();
        recorded.note(HOME, &stored(Condition::Same, "one", false));
        assert!(!recorded.has(HOME, &stored(Condition::Same, "one", false)));
    }

    #[test]
    fn memory_is_bounded() {
        let recorded = RecordedStates::default();
        for number in 0..3 * MOST {
            recorded.note(HOME, &Stored { id: number.to_string(), ..stored(Condition::Same, "one", true) });
            assert!(recorded.states().len() <= MOST);
        }
    }
}
