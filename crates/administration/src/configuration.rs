//! Whether the settings that are in force are those that were configured last.

use std::sync::atomic::{AtomicBool, Ordering};

/// A problem with the configuration. Requests are answered all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigurationProblem {
    /// The latest values in etcd have a mistake; the last valid ones are in force. The log lists the mistakes.
    Invalid,
    /// etcd cannot be read, so changes are not seen.
    Unreachable,
    /// Some changes take effect only after a restart. The log lists the settings.
    WaitingForRestart,
}

impl ConfigurationProblem {
    const ALL: [Self; 3] = [Self::Invalid, Self::Unreachable, Self::WaitingForRestart];
}

/// The present problems with the configuration. Shared by all threads.
#[derive(Debug, Default)]
pub struct ConfigurationState([AtomicBool; ConfigurationProblem::ALL.len()]);

impl ConfigurationState {
    /// Records whether there is a problem; returns whether that is news.
    pub fn note(&self, problem: ConfigurationProblem, is_present: bool) -> bool {
        let flags = ConfigurationProblem::ALL.iter().zip(&self.0);
        let mut flag = flags.filter(|(other, _)| **other == problem).map(|(_, flag)| flag);
        flag.next().is_some_and(|flag| flag.swap(is_present, Ordering::Relaxed) != is_present)
    }

    /// The problems.
    pub fn problems(&self) -> impl Iterator<Item = ConfigurationProblem> {
        let flags = ConfigurationProblem::ALL.into_iter().zip(&self.0);
        flags.filter(|(_, flag)| flag.load(Ordering::Relaxed)).map(|(problem, _)| problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_news_once() {
        let state = ConfigurationState::default();
        assert!(state.note(ConfigurationProblem::Invalid, true));
        assert!(!state.note(ConfigurationProblem::Invalid, true));
        assert!(state.note(ConfigurationProblem::WaitingForRestart, true));
        assert!(state.note(ConfigurationProblem::Invalid, false));
        assert!(state.problems().eq([ConfigurationProblem::WaitingForRestart]));
    }
}
