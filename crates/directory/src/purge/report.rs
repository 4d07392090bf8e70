//! What a purge did, and which entries it could not process.

use crate::{
    Lookup, Scope,
    batches::Applied,
    error::{DirectoryError, NOT_ALLOWED_ON_NON_LEAF},
};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{entry::EntryView, names};

/// The report names at most this many entries; the others are only counted.
const MOST_NAMED: usize = 100;

/// What a purge did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurgeReport {
    /// Users removed, including those of removed tenants.
    pub users: usize,
    /// Tenants removed.
    pub tenants: usize,
    /// Users and tenants that another process restored or removed during the purge.
    pub overtaken: usize,
    /// Entries that could not be removed or changed; the next run tries again.
    pub failed: usize,
    /// The first of these entries.
    pub failures: Vec<FailedEntry>,
}

/// An entry that could not be removed or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedEntry {
    /// The entry's `nsUniqueId`; empty if it can't be read.
    pub id: String,
    /// The reason, written for the operator of the directory.
    pub reason: String,
}

impl Lookup {
    /// Records a change that failed, so that the purge can continue with the others.
    ///
    /// # Errors
    /// The same error if the directory as a whole does not work.
    pub(super) async fn take_note(
        &self,
        report: &mut PurgeReport,
        dn: &Dn,
        outcome: Result<(), DirectoryError>,
    ) -> Result<(), DirectoryError> {
        if let Err(error) = outcome {
            let error = self.of_one_entry(error).await?;
            self.note(report, dn, &error).await;
        }
        Ok(())
    }

    /// Records the failed ones of many changes.
    pub(super) async fn take_notes(&self, report: &mut PurgeReport, applied: Applied) {
        for (dn, error) in &applied.failed {
            self.note(report, dn, error).await;
        }
    }

    async fn note(&self, report: &mut PurgeReport, dn: &Dn, error: &DirectoryError) {
        report.failed += 1;
        if report.failures.len() == MOST_NAMED {
            return;
        }
        let any = Filter::present(names::OBJECT_CLASS);
        let found = self.find(dn, Scope::Base, &any, &[names::NS_UNIQUE_ID]).await;
        let entry = found.ok().flatten();
        let id = entry.as_ref().and_then(|entry| entry.first(&names::NS_UNIQUE_ID)).unwrap_or_default();
        let reason = match error {
            DirectoryError::Refused { code: NOT_ALLOWED_ON_NON_LEAF, .. } => {
                "other entries stand below it".to_owned()
            }
            other => other.to_string(),
        };
        tracing::warn!(entry = id, reason, "purge.entry.failed");
        report.failures.push(FailedEntry { id: id.to_owned(), reason });
    }
}
