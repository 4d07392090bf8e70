//! Conflict entries of replication (see `mail_model::conflicts`). Only the functions here return them; every other
//! search skips them as it reads.

use crate::{Lookup, Scope, error::DirectoryError};
use ldap_text::dn::Dn;
use mail_model::conflicts::{self, SetAside};
use std::collections::HashMap;

impl Lookup {
    /// The conflict entries below the root, as far as this account may see them.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn conflict_entries(&self) -> Result<SetAside, DirectoryError> {
        let mut found = SetAside::default();
        for dn in self.set_aside_or_hidden(self.tree().root()).await? {
            if conflicts::is_set_aside(&dn) {
                found.note(&dn);
            }
        }
        Ok(found)
    }

    /// Counts, for each entry below a base, the children that no other search finds. The server's `numSubordinates`
    /// includes them.
    pub(crate) async fn unfound_children(&self, base: &Dn) -> Result<UnfoundChildren, DirectoryError> {
        let mut children = HashMap::new();
        for parent in self.set_aside_or_hidden(base).await?.iter().filter_map(Dn::parent) {
            *children.entry(parent).or_default() += 1;
        }
        Ok(UnfoundChildren(children))
    }

    /// This reads two short index lists of the whole server; in a directory without replication the second one is
    /// empty.
    async fn set_aside_or_hidden(&self, base: &Dn) -> Result<Vec<Dn>, DirectoryError> {
        let filter = conflicts::set_aside_or_hidden();
        let attributes = [mail_model::names::NO_ATTRIBUTES];
        let scan = self.scan_with_conflicts(base, Scope::Subtree, &filter, &attributes).await?;
        scan.gather(crate::Entry::dn).await
    }
}

/// Numbers of children by parent.
pub(crate) struct UnfoundChildren(HashMap<Dn, usize>);

impl UnfoundChildren {
    /// The server's number of a parent's children, without those that no search finds.
    pub(crate) fn subtract_from(&self, subordinates: usize, parent: &Dn) -> usize {
        subordinates.saturating_sub(self.0.get(parent).copied().unwrap_or(0))
    }
}
