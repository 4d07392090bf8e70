//! Whether the directory answers, so that changes can be made.

use directory::{
    Lookup,
    error::{DirectoryError, Unreachable},
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a result is reused, so that probes cost the directory nothing.
const FRESH: Duration = Duration::from_secs(1);

/// The state of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It answers.
    Answers,
    /// It accepts connections, but does not answer.
    Hangs,
    /// It can't be reached.
    OutOfReach,
    /// It refuses the account of this server. The log names the account and the reason.
    RefusesUs,
    /// It lacks entries: a restore of everything is under way or was not finished, or nothing was set up. The log says
    /// what to do.
    Incomplete,
    /// Plug-ins do not run, so addresses could be assigned twice. The log names the plug-ins.
    HasIdlePlugins,
}

/// The last result.
#[derive(Default)]
pub struct Health(Mutex<Option<(Instant, Found)>>);

impl Health {
    /// The state of the directory, now or a moment ago.
    pub async fn look(&self, directory: &Lookup) -> Found {
        if directory.hangs() {
            return Found::Hangs;
        }
        if let Some(found) = self.known() {
            return found;
        }
        let found = look(directory).await.unwrap_or_else(|error| match error {
            DirectoryError::Unreachable(error) if error.is_of_account() => Found::RefusesUs,
            DirectoryError::Unreachable(Unreachable::Incomplete) => Found::Incomplete,
            _ => Found::OutOfReach,
        });
        *self.last() = Some((Instant::now(), found));
        found
    }

    fn known(&self) -> Option<Found> {
        self.last().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, found)| found)
    }

    fn last(&self) -> MutexGuard<'_, Option<(Instant, Found)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look(directory: &Lookup) -> Result<Found, DirectoryError> {
    if !directory.completeness().await?.is_complete() {
        return Ok(Found::Incomplete);
    }
    let idle = directory.idle_plugins().await?;
    Ok(if idle.is_some_and(|idle| !idle.is_empty()) { Found::HasIdlePlugins } else { Found::Answers })
}
