//! Accounts behind tokens, remembered for a few seconds: a blocked, deleted or re-passworded user's tokens
//! stop working within `FRESH` everywhere, and at once in the process that made the change.

use super::tokens::Subject;
use directory::{Directory, error::DirectoryError};
use mail_model::user::account::Account;
use moka::sync::Cache;
use std::{sync::Arc, time::Duration};

/// How long an answer of the directory about an account is believed. The promise is 10 s; half of it leaves
/// room for a replica that lags behind.
const FRESH: Duration = Duration::from_secs(5);
/// Most accounts remembered: about 300 bytes each.
const MOST: u64 = 20_000;

/// The accounts that asked lately, by identifier.
#[derive(Clone)]
pub struct Accounts(Cache<String, Arc<Account>>);

impl Default for Accounts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(FRESH).build())
    }
}

impl Accounts {
    /// The account that a token was made for, while the token counts. What is remembered is believed only when
    /// it says yes: a token that was made after a change of password elsewhere is newer than the memory.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory must be asked and does not answer.
    pub async fn of_token(
        &self,
        directory: &Directory,
        subject: &Subject,
    ) -> Result<Option<Arc<Account>>, DirectoryError> {
        if let Some(known) = self.0.get(&subject.id)
            && subject.is_current(&known)
        {
            return Ok(Some(known));
        }
        // Boxed, since every request would be larger by it, and it comes once in some seconds.
        let account = Box::pin(directory.account_of_id(&subject.id)).await?.map(Arc::new);
        if let Some(account) = &account {
            self.0.insert(subject.id.clone(), account.clone());
        }
        Ok(account.filter(|account| subject.is_current(account)))
    }

    /// Forgets an account, after a change of it.
    pub fn forget(&self, id: &str) {
        self.0.invalidate(id);
    }
}
