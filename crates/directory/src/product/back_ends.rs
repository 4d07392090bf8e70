//! The back ends of a server and the suffixes that they store (`cn=mapping tree,cn=config`). Only the Directory Manager
//! may read these entries.

use crate::{Lookup, Scope, error::DirectoryError};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use mail_model::{entry::EntryView, names};
use std::sync::Arc;

const BACKEND: AttributeName = AttributeName::from_static("nsslapd-backend");
/// The class of the entry that makes a suffix a replica.
const REPLICA_CLASS: &str = "nsds5replica";

/// The back end that stores an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredBy {
    /// Its name.
    pub(crate) name: String,
    /// Its suffix: the entry at the top of everything that it stores.
    pub(crate) suffix: Dn,
    /// The entry of the suffix in the configuration.
    pub(crate) entry: String,
}

impl Lookup {
    /// The back end that stores the root; `None` if there is none.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(crate) async fn back_end_of_root(&self) -> Result<Option<StoredBy>, DirectoryError> {
        let root = self.tree().root();
        let base = Dn::empty().child(names::CN, "config").child(names::CN, "mapping tree");
        let filter = Filter::present(BACKEND);
        let scan = self.scan(&base, Scope::Children, &filter, &[names::CN, BACKEND]).await?;
        let of_entry = |entry: &crate::Entry| {
            let suffix = entry.first(&names::CN).and_then(|suffix| Dn::parse(suffix).ok())?;
            let name = entry.first(&BACKEND)?.to_owned();
            let entry = entry.dn_text().to_owned();
            root.is_within(&suffix).then_some(StoredBy { name, suffix, entry })
        };
        // The innermost suffix counts.
        Ok(scan.gather(of_entry).await?.into_iter().max_by_key(|found| found.suffix.rdns().len()))
    }

    /// The URL of the server that answers, for operations that must all go to the same one.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn answering_server(&self) -> Result<Arc<str>, DirectoryError> {
        let everything = Filter::present(names::OBJECT_CLASS);
        let no_attributes = [names::NO_ATTRIBUTES];
        let (server, _) =
            self.find_with_server(&Dn::empty(), Scope::Base, &everything, &no_attributes).await?;
        Ok(server)
    }

    /// Whether a back end takes part in replication.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(crate) async fn is_replicated(&self, back_end: &StoredBy) -> Result<bool, DirectoryError> {
        let Ok(base) = Dn::parse(&back_end.entry) else { return Ok(false) };
        let replica = Filter::equal(names::OBJECT_CLASS, REPLICA_CLASS);
        let found = self.find(&base, Scope::Children, &replica, &[names::NO_ATTRIBUTES]).await?;
        Ok(found.is_some())
    }
}
