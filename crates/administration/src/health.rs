//! Whether the directory answers, so that changes can be made.

use directory::{Directory, error::DirectoryError};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long an answer about the directory is believed, so that probes cost it nothing.
const FRESH: Duration = Duration::from_secs(1);

/// How the directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It answers.
    Answers,
    /// It accepts connections and answers nothing.
    Hangs,
    /// It can't be reached.
    OutOfReach,
    /// It does not let the account of this server in. What account, and why, is for the log.
    RefusesUs,
    /// Plug-ins do not run, so that nothing would keep addresses from being given twice. Which ones is for the log.
    HasIdlePlugins,
}

/// The last answer about the directory.
#[derive(Default)]
pub struct Health(Mutex<Option<(Instant, Found)>>);

impl Health {
    /// How the directory is now, or was a moment ago.
    pub async fn look(&self, directory: &Directory) -> Found {
        if directory.hangs() {
            return Found::Hangs;
        }
        if let Some(found) = self.known() {
            return found;
        }
        let found = look(directory).await.unwrap_or_else(|error| match error {
            DirectoryError::Unreachable(error) if error.is_of_account() => Found::RefusesUs,
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

async fn look(directory: &Directory) -> Result<Found, DirectoryError> {
    directory.ping().await?;
    let idle = directory.idle_plugins().await?;
    Ok(if idle.is_some_and(|idle| !idle.is_empty()) { Found::HasIdlePlugins } else { Found::Answers })
}
