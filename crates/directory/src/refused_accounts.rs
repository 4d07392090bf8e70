//! The accounts of pbm that a server refuses. Each refusal is logged once when it begins and once when it ends, not
//! for each connection.

use crate::error::Unreachable;
use ldap_text::dn::Dn;
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// The accounts that one server has refused and not accepted since.
#[derive(Debug, Default)]
pub(crate) struct RefusedAccounts(Mutex<HashSet<Dn>>);

impl RefusedAccounts {
    /// Records the outcome of a bind, and logs it if it differs from the last one. The log may name the account:
    /// accounts from the configuration are not persons.
    pub(crate) fn note(&self, server: &str, account: &Dn, outcome: &Result<(), Unreachable>) {
        match outcome {
            Err(error) if error.is_of_account() && self.is_news(account, true) => tracing::error!(
                server,
                %account,
                error = error as &dyn std::error::Error,
                advice = error.advice(),
                "directory.account.refused"
            ),
            Ok(()) if self.is_news(account, false) => {
                tracing::warn!(server, %account, "directory.account.accepted");
            }
            _ => {}
        }
    }

    fn is_news(&self, account: &Dn, is_refused: bool) -> bool {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_refused { refused.insert(account.clone()) } else { refused.remove(account) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_and_its_end_are_news_once_for_each_account() {
        let [service, backup] = ["uid=pbm,dc=x", "uid=pbm-backup,dc=x"].map(|dn| Dn::parse(dn).unwrap());
        let accounts = RefusedAccounts::default();
        assert!(!accounts.is_news(&service, false), "accepted from the beginning");
        assert!(accounts.is_news(&service, true) && !accounts.is_news(&service, true));
        assert!(!accounts.is_news(&backup, false) && accounts.is_news(&backup, true));
        assert!(accounts.is_news(&service, false) && !accounts.is_news(&service, false));
    }
}
