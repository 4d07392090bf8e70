//! Errors that leave it open whether a change was made: the connection broke, the server fell silent or is being
//! restarted. A restore looks at the entry again and goes on from what it finds. Each entry has a bounded number of such
//! looks; with the default time limit they last about as long as that limit.

use super::{RestoreError, tally::Outcome};
use crate::error::{DirectoryError, Unreachable};
use std::time::Duration;

/// How often a restore looks at an entry.
const MOST: u32 = 8;
/// The time before the first look; it doubles each time, up to a quarter of the time limit of an operation.
const FIRST: Duration = Duration::from_millis(100);

/// What is known of an entry while it is restored.
pub(super) struct Attempt {
    /// Whether the directory is believed to have the entry.
    pub(super) is_there: bool,
    /// What came of it, if a change whose outcome is unknown was made after all, or is completed.
    pub(super) in_doubt: Option<Outcome>,
}

impl Attempt {
    pub(super) fn new(is_there: bool) -> Self {
        Self { is_there, in_doubt: None }
    }

    /// Whether the entry may have been added by this restore.
    pub(super) fn may_be_ours(&self) -> bool {
        matches!(self.in_doubt, Some(Outcome::Added(_)))
    }
}

/// The looks at one entry.
pub(super) struct Looks {
    number: u32,
    longest_wait: Duration,
}

impl Looks {
    pub(super) fn new(operation_timeout: Duration) -> Self {
        Self { number: 0, longest_wait: operation_timeout / 4 }
    }

    /// Waits before the next look.
    ///
    /// # Errors
    /// The error, if the directory is not to be asked again.
    pub(super) async fn wait_after(&mut self, error: RestoreError) -> Result<(), RestoreError> {
        let RestoreError::Directory(cause) = &error else { return Err(error) };
        if self.number >= MOST || !may_pass(cause) {
            return Err(error);
        }
        tracing::warn!(error = cause as &dyn std::error::Error, "restore.looks_again");
        let wait = FIRST.saturating_mul(1 << self.number).min(self.longest_wait);
        self.number += 1;
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// Whether an error may be gone in a moment. A server that hangs or takes no writes has been waited for already.
fn may_pass(error: &DirectoryError) -> bool {
    match error {
        DirectoryError::OutcomeUnknown(_) => true,
        DirectoryError::Unreachable(Unreachable::ReadOnly(_) | Unreachable::Hangs) => false,
        DirectoryError::Unreachable(cause) => !cause.is_of_account(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown() -> RestoreError {
        DirectoryError::OutcomeUnknown("broken".into()).into()
    }

    #[tokio::test(start_paused = true)]
    async fn the_looks_are_bounded_in_number_and_time() {
        let began = tokio::time::Instant::now();
        let mut looks = Looks::new(Duration::from_secs(10));
        for _ in 0..MOST {
            looks.wait_after(unknown()).await.unwrap();
        }
        assert!(looks.wait_after(unknown()).await.is_err());
        assert_eq!(began.elapsed(), Duration::from_millis(100 + 200 + 400 + 800 + 1600 + 3 * 2500));
    }

    #[tokio::test]
    async fn an_account_that_is_refused_is_not_waited_for() {
        let mut looks = Looks::new(Duration::ZERO);
        let refused: DirectoryError = Unreachable::PasswordExpired.into();
        assert!(looks.wait_after(refused.into()).await.is_err());
        let read_only: DirectoryError = Unreachable::ReadOnly(String::new()).into();
        assert!(looks.wait_after(read_only.into()).await.is_err());
        let shutting_down = Unreachable::Declined { code: 52, diagnostic: String::new() };
        assert!(looks.wait_after(DirectoryError::from(shutting_down).into()).await.is_ok());
    }
}
