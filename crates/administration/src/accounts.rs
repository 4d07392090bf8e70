//! Accounts behind tokens, remembered for a few seconds: a blocked, deleted or re-passworded user's tokens
//! stop working within `FRESH` everywhere, and at once in the process that made the change. While the directory does not
//! answer, an account is believed as long as the address book is answered from its copy.

use crate::tokens::Subject;
use directory::{Directory, error::DirectoryError};
use mail_model::{tenant::TenantId, user::account::Account};
use moka::sync::Cache;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long an answer of the directory about an account is believed. The promise is 10 s; half of it leaves
/// room for a replica that lags behind.
const FRESH: Duration = Duration::from_secs(5);
/// Most accounts remembered: about 300 bytes each.
const MOST: u64 = 20_000;

/// The accounts that asked lately, by identifier.
#[derive(Clone)]
pub struct Accounts(Cache<String, Remembered>);

#[derive(Clone)]
struct Remembered {
    account: Arc<Account>,
    read: Instant,
}

impl Accounts {
    /// Remembers nothing yet. `lifetime` is how long an account is believed while the directory does not answer.
    #[must_use]
    pub fn new(lifetime: Duration) -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(lifetime.max(FRESH)).build())
    }

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
        self.current(directory, &subject.id, |account| subject.is_current(account)).await
    }

    /// Whether an account still has the rights that it had: somebody may have blocked it or changed its password or role. A
    /// directory that does not answer takes nobody's rights away.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory can't be read.
    pub(crate) async fn still_is(
        &self,
        directory: &Directory,
        account: &Account,
    ) -> Result<bool, DirectoryError> {
        let has_the_same = |found: &Account| {
            (found.role, &found.tenant, &found.tokens_valid_from)
                == (account.role, &account.tenant, &account.tokens_valid_from)
        };
        match self.current(directory, &account.id, has_the_same).await {
            Err(DirectoryError::Unreachable(_)) => Ok(true),
            found => Ok(found?.is_some()),
        }
    }

    /// The account with an identifier, where it is as it should be. What is remembered is believed only where it is so.
    async fn current(
        &self,
        directory: &Directory,
        id: &str,
        is_as_it_should_be: impl Fn(&Account) -> bool,
    ) -> Result<Option<Arc<Account>>, DirectoryError> {
        let known = self.0.get(id).filter(|known| is_as_it_should_be(&known.account));
        if let Some(Remembered { account, read }) = &known
            && read.elapsed() < FRESH
        {
            return Ok(Some(account.clone()));
        }
        // Boxed, since every request would be larger by it, and it comes once in some seconds.
        let account = match (Box::pin(directory.account_of_id(id)).await, known) {
            (Err(DirectoryError::Unreachable(_)), Some(known)) => return Ok(Some(known.account)),
            (account, _) => account?.map(Arc::new),
        };
        match &account {
            Some(account) => {
                let remembered = Remembered { account: account.clone(), read: Instant::now() };
                self.0.insert(id.to_owned(), remembered);
            }
            None => self.forget(id),
        }
        Ok(account.filter(|account| is_as_it_should_be(account)))
    }

    /// Forgets the accounts of a tenant.
    pub(crate) fn forget_of(&self, tenant: &TenantId) {
        for (id, known) in &self.0 {
            if known.account.tenant == *tenant {
                self.forget(&id);
            }
        }
    }

    /// Forgets everybody.
    pub(crate) fn forget_all(&self) {
        self.0.invalidate_all();
    }

    /// Forgets an account, after a change of it.
    pub(crate) fn forget(&self, id: &str) {
        self.0.invalidate(id);
    }
}
