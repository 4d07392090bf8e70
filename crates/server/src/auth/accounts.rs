//! Accounts behind tokens, remembered for a few seconds: a blocked, deleted or re-passworded user's tokens
//! stop working within [`FRESH`] everywhere, and at once in the process that made the change.

use directory::{Directory, error::DirectoryError};
use mail_model::user::account::Account;
use moka::sync::Cache;
use std::{sync::Arc, time::Duration};

/// How long an answer of the directory about an account is believed. The promise is 10 s; half of it leaves
/// room for a replica that lags behind.
const FRESH: Duration = Duration::from_secs(5);
/// Most accounts remembered: about 300 bytes each.
const MOST: u64 = 20_000;

/// The accounts that asked lately, by identifier. Those that may not log in are remembered as such.
#[derive(Clone)]
pub struct Accounts(Cache<String, Option<Arc<Account>>>);

impl Default for Accounts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(FRESH).build())
    }
}

impl Accounts {
    /// The account of an identifier; `None` when it may not log in.
    ///
    /// # Errors
    /// [`DirectoryError`] when it is not remembered and the directory does not answer.
    pub async fn get(&self, directory: &Directory, id: &str) -> Result<Option<Arc<Account>>, DirectoryError> {
        if let Some(known) = self.0.get(id) {
            return Ok(known);
        }
        let account = directory.account_of_id(id).await?.map(Arc::new);
        self.0.insert(id.to_owned(), account.clone());
        Ok(account)
    }

    /// Forgets everything: after a change that took someone's tokens away. Such changes are rare, and what
    /// is forgotten costs one look-up each.
    pub fn forget(&self) {
        self.0.invalidate_all();
    }
}
