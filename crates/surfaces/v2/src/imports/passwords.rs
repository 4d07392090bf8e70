//! Compares the passwords of rows that change users with the users' present passwords. Only a bind as the user can do
//! this, so it is a guess at a password and is limited as log-ins are.
//!
//! A wrong guess is forgotten once the row is written, because by then the user has the new password, and 389-ds has
//! reset its own count of failures. If the row is not written, the guess counts. Beyond the limit no password is
//! compared: it is written as given.

use super::Import;
use administration::attempts::{Attempt, Attempts};
use directory::error::DirectoryError;
use mail_model::{address::MailAddress, user::command::UserPatch};
use std::{net::IpAddr, sync::Arc, time::Instant};

/// The limits of an import's guesses: the same counters as for log-ins.
#[derive(Clone)]
pub struct Comparisons {
    /// The counters.
    pub attempts: Arc<Attempts>,
    /// The address of the importing client, if it is known.
    pub address: Option<IpAddr>,
}

/// The result of a comparison.
pub(super) struct Compared<'a> {
    /// The patch, without a password that the user already has.
    pub(super) patch: UserPatch,
    /// A wrong guess: it counts as failed unless the password is overwritten.
    pub(super) guess: Option<Attempt<'a>>,
}

impl Compared<'_> {
    fn not(patch: UserPatch) -> Self {
        Self { patch, guess: None }
    }
}

/// Removes the password from a patch if the user already has it: writing it again would invalidate the user's tokens,
/// and a policy that remembers passwords would refuse it. The password of a blocked user cannot be compared, so it is
/// written. A dry run compares none.
pub(super) async fn without_same_password<'a>(
    import: &'a Import,
    mail: &MailAddress,
    patch: UserPatch,
) -> Result<Compared<'a>, DirectoryError> {
    let Some(password) = patch.password().filter(|_| !import.dry_run) else {
        return Ok(Compared::not(patch));
    };
    let Some(account) = import.importer.directory().account_of_login(mail).await? else {
        return Ok(Compared::not(patch));
    };
    let begin = |c: &'a Comparisons| c.attempts.begin(Some(mail), c.address, Instant::now());
    let Ok(guess) = import.comparisons.as_ref().map(begin).transpose() else {
        return Ok(Compared::not(patch));
    };
    match import.importer.directory().is_password_of(Some(&account), password).await {
        Ok(true) => {
            if let Some(guess) = guess {
                guess.succeeded();
            }
            Ok(Compared::not(patch.without_password()))
        }
        Ok(false) => Ok(Compared { patch, guess }),
        Err(error) => {
            if let Some(guess) = guess {
                guess.undecided();
            }
            Err(error)
        }
    }
}
