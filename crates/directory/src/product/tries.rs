//! Changes that 389-ds could not make at that moment and that are sent again. A refused try has changed nothing.
//!
//! When the server rolls a transaction back, for example because an address is taken, the entries that it touched stay
//! unusable in the cache as long as any thread holds them. Every addition, removal and rename below a folder touches
//! the entry of the folder, so with many writers some thread always holds it. For a change that needs such an entry
//! the server logs `Retry count exceeded` and answers that the entry does not exist, or, to an account that is not the
//! Directory Manager, `insufficientAccessRights` without a message (389-ds issue 5939). So if all entries that a
//! change needs exist, the change is sent again.
//!
//! On Berkeley DB a rename fails with `operationsError` if a search puts the entry back into the cache at the same
//! time.

use crate::{
    Directory, Lookup, Scope,
    error::{DirectoryError, INSUFFICIENT_ACCESS_RIGHTS, Unreachable},
};
use ldap_text::{
    dn::Dn,
    filter::Filter,
    ldif::{Change, ChangeRecord},
};
use mail_model::names;
use rand::RngExt as _;
use std::time::Duration;
use tokio::time::sleep;

/// Milliseconds before each retry of a change whose entries were unusable: 2.5 seconds in total.
const MISSED: [u64; 8] = [10, 20, 50, 100, 200, 400, 700, 1000];
/// Milliseconds before each retry of a rename that failed.
const RENAMES: [u64; 3] = [10, 50, 200];

/// The result codes (RFC 4511 appendix A.2).
const OPERATIONS_ERROR: u32 = 1;
const NO_SUCH_OBJECT: u32 = 32;

/// The retries that a change has left.
pub(crate) struct Tries {
    missed: std::array::IntoIter<u64, 8>,
    renames: std::array::IntoIter<u64, 3>,
}

impl Tries {
    /// All retries are left.
    pub(crate) fn new() -> Self {
        Self { missed: MISSED.into_iter(), renames: RENAMES.into_iter() }
    }

    /// Waits before the next try of a change.
    ///
    /// # Errors
    /// The error, if another try would end the same way; [`DirectoryError::Crowded`] after the last retry.
    pub(crate) async fn wait_after(
        &mut self,
        error: DirectoryError,
        directory: &Directory,
        record: &ChangeRecord,
    ) -> Result<(), DirectoryError> {
        if let Some(code) = code_of_a_miss(&error) {
            if !directory.has_what_it_needs(record).await {
                return Err(error);
            }
            let wait = self.missed.next().ok_or(DirectoryError::Crowded { code })?;
            // Random, so that changes that were refused at the same moment are sent again at different moments.
            let wait = rand::rng().random_range(wait / 2..wait * 3 / 2);
            sleep(Duration::from_millis(wait)).await;
            return Ok(());
        }
        if !is_a_failed_rename(&error, record) {
            return Err(error);
        }
        let wait = self.renames.next().ok_or(error)?;
        sleep(Duration::from_millis(wait)).await;
        Ok(())
    }
}

/// The result code of an error that says, or seems to say, that an entry does not exist.
fn code_of_a_miss(error: &DirectoryError) -> Option<u32> {
    match error {
        DirectoryError::NotFound => Some(NO_SUCH_OBJECT),
        // A genuine refusal names the right that is missing.
        DirectoryError::Refused { code: INSUFFICIENT_ACCESS_RIGHTS, diagnostic } if diagnostic.is_empty() => {
            Some(INSUFFICIENT_ACCESS_RIGHTS)
        }
        _ => None,
    }
}

fn is_a_failed_rename(error: &DirectoryError, record: &ChangeRecord) -> bool {
    matches!(error, DirectoryError::Unreachable(Unreachable::Declined { code: OPERATIONS_ERROR, .. }))
        && matches!(record.change, Change::Rename { .. })
}

/// The entries that a change needs.
fn needed(record: &ChangeRecord) -> Vec<Dn> {
    match &record.change {
        Change::Add(_) => record.dn.parent().into_iter().collect(),
        Change::Modify(_) | Change::Delete => vec![record.dn.clone()],
        Change::Rename { new_superior, .. } => {
            std::iter::once(record.dn.clone()).chain(new_superior.clone()).collect()
        }
    }
}

impl Lookup {
    /// Whether every entry that a change needs exists.
    async fn has_what_it_needs(&self, record: &ChangeRecord) -> bool {
        let everything = Filter::present(names::OBJECT_CLASS);
        for dn in needed(record) {
            let found = self.find(&dn, Scope::Base, &everything, &[names::NO_ATTRIBUTES]).await;
            if !matches!(found, Ok(Some(_))) {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap_text::dn::Rdn;

    fn record(change: Change) -> ChangeRecord {
        ChangeRecord { dn: Dn::parse("mail=a,ou=b,dc=x").unwrap(), change }
    }

    fn rename(superior: Option<&str>) -> ChangeRecord {
        record(Change::Rename {
            new_rdn: Rdn::new(names::MAIL, "c"),
            delete_old_rdn: true,
            new_superior: superior.map(|superior| Dn::parse(superior).unwrap()),
        })
    }

    fn declined(code: u32) -> DirectoryError {
        Unreachable::Declined { code, diagnostic: String::new() }.into()
    }

    #[test]
    fn a_refusal_with_words_is_meant() {
        let refused =
            |code, diagnostic: &str| DirectoryError::Refused { code, diagnostic: diagnostic.into() };
        assert_eq!(code_of_a_miss(&DirectoryError::NotFound), Some(32));
        assert_eq!(code_of_a_miss(&refused(50, "")), Some(50));
        assert_eq!(code_of_a_miss(&refused(50, "Insufficient 'add' privilege")), None);
        assert_eq!(code_of_a_miss(&refused(65, "")), None);
        assert_eq!(code_of_a_miss(&DirectoryError::Stale), None);
        assert_eq!(code_of_a_miss(&declined(1)), None);
    }

    #[test]
    fn only_a_rename_that_failed_is_sent_again() {
        assert!(is_a_failed_rename(&declined(1), &rename(None)));
        assert!(!is_a_failed_rename(&declined(53), &rename(None)));
        assert!(!is_a_failed_rename(&DirectoryError::NotFound, &rename(None)));
        assert!(!is_a_failed_rename(&declined(1), &record(Change::Delete)));
    }

    #[test]
    fn a_change_needs_its_entry_and_an_addition_its_folder() {
        let names = |record| needed(&record).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(record(Change::Add(vec![]))), ["ou=b,dc=x"]);
        assert_eq!(names(record(Change::Modify(vec![]))), ["mail=a,ou=b,dc=x"]);
        assert_eq!(names(record(Change::Delete)), ["mail=a,ou=b,dc=x"]);
        assert_eq!(names(rename(None)), ["mail=a,ou=b,dc=x"]);
        assert_eq!(names(rename(Some("ou=d,dc=x"))), ["mail=a,ou=b,dc=x", "ou=d,dc=x"]);
    }
}
