//! Passwords in rows that change users: whether the user has the password already. Only a bind as the user tells, so it is a
//! guess at a password, and is limited as log-ins are.
//!
//! A guess that was wrong is forgotten once the row is written, for by then nobody has the password that was guessed at, and
//! 389-ds has set its own count of failures back. Where the row is not written it counts. Beyond the limit nothing is
//! compared: the password is written as it is given.

use super::Import;
use administration::attempts::{Attempt, Attempts};
use directory::error::DirectoryError;
use mail_model::{address::MailAddress, user::command::UserPatch};
use std::{net::IpAddr, sync::Arc, time::Instant};

/// What limits the guesses of an import: the same counters as for log-ins.
#[derive(Clone)]
pub struct Comparisons {
    /// The counters.
    pub attempts: Arc<Attempts>,
    /// The address of who imports, where it is known.
    pub address: Option<IpAddr>,
}

/// What came of comparing.
pub(super) struct Compared<'a> {
    /// The patch, without a password that the user has already.
    pub(super) patch: UserPatch,
    /// A guess that was wrong: it counts as failed unless the password is overwritten.
    pub(super) guess: Option<Attempt<'a>>,
}

impl Compared<'_> {
    fn not(patch: UserPatch) -> Self {
        Self { patch, guess: None }
    }
}

/// Leaves a password out that the user has already: written again it would end the user's tokens, and a policy that
/// remembers passwords would refuse it. The password of a blocked user cannot be tried, so it is written. A dry run tries
/// none.
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
