//! The accounts behind tokens, cached for a few seconds. If a user is blocked or deleted or gets a new password, the
//! user's tokens stop working within `FRESH` everywhere, and at once in the process that made the change. While the
//! directory does not answer, a cached account stays valid as long as the address book is served from its cache.

use crate::tokens::Subject;
use address_book::settings::LiveDuration;
use directory::{Lookup, error::DirectoryError};
use mail_model::{tenant::TenantId, user::account::Account};
use moka::sync::Cache;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the directory's answer about an account stays valid. Tokens must stop working within 10 s; half of that
/// leaves room for a replica that lags behind.
const FRESH: Duration = Duration::from_secs(5);
/// The largest number of cached accounts: about 300 bytes each.
const MOST: u64 = 20_000;

/// Recently used accounts, by identifier.
#[derive(Clone)]
pub struct Accounts {
    cache: Cache<String, Remembered>,
    /// How long an account stays valid while the directory does not answer.
    lifetime: LiveDuration,
}

#[derive(Clone)]
struct Remembered {
    account: Arc<Account>,
    read: Instant,
}

impl Accounts {
    /// Creates an empty cache. `lifetime` is how long an account stays valid while the directory does not answer.
    #[must_use]
    pub fn new(lifetime: Duration) -> Self {
        Self { cache: Cache::new(MOST), lifetime: LiveDuration::new(lifetime.max(FRESH)) }
    }

    /// Changes how long an account stays valid while the directory does not answer.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.lifetime.set(lifetime.max(FRESH));
    }

    /// The account that a token was issued for, if the token is still valid. The cache is used only for a positive
    /// answer: a token that was issued after a password change elsewhere is newer than the cached account.
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory is needed and does not answer.
    pub async fn of_token(
        &self,
        directory: &Lookup,
        subject: &Subject,
    ) -> Result<Option<Arc<Account>>, DirectoryError> {
        self.current(directory, &subject.id, |account| subject.is_current(account)).await
    }

    /// Whether an account still has the rights that it had: it may have been blocked, or its password or role changed.
    /// A directory that does not answer takes no rights away.
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory can't be read.
    pub(crate) async fn still_is(
        &self,
        directory: &Lookup,
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

    /// The account with an identifier, if it passes a check. The cache is used only if the cached account passes it.
    async fn current(
        &self,
        directory: &Lookup,
        id: &str,
        is_as_it_should_be: impl Fn(&Account) -> bool,
    ) -> Result<Option<Arc<Account>>, DirectoryError> {
        let known = self.cache.get(id).filter(|known| known.read.elapsed() < self.lifetime.get());
        let known = known.filter(|known| is_as_it_should_be(&known.account));
        if let Some(Remembered { account, read }) = &known
            && read.elapsed() < FRESH
        {
            return Ok(Some(account.clone()));
        }
        // Boxed, since it is needed only once in some seconds and would add to the size of every request's future.
        let account = match (Box::pin(directory.account_of_id(id)).await, known) {
            (Err(DirectoryError::Unreachable(_)), Some(known)) => return Ok(Some(known.account)),
            (account, _) => account?.map(Arc::new),
        };
        match &account {
            Some(account) => {
                let remembered = Remembered { account: account.clone(), read: Instant::now() };
                self.cache.insert(id.to_owned(), remembered);
            }
            None => self.forget(id),
        }
        Ok(account.filter(|account| is_as_it_should_be(account)))
    }

    /// Removes the accounts of a tenant from the cache.
    pub(crate) fn forget_of(&self, tenant: &TenantId) {
        for (id, known) in &self.cache {
            if known.account.tenant == *tenant {
                self.forget(&id);
            }
        }
    }

    /// Empties the cache.
    pub(crate) fn forget_all(&self) {
        self.cache.invalidate_all();
    }

    /// Removes an account from the cache, after a change of the account.
    pub(crate) fn forget(&self, id: &str) {
        self.cache.invalidate(id);
    }
}
