//! What 389-ds does after a rename, and how to wait until it is finished.
//!
//! Each entry carries its DN in the server's caches, and a search that was in progress when the rename was committed
//! may put an entry back there under its old DN. On LMDB the server answers the rename first and empties its caches
//! afterwards. So for some milliseconds, and sometimes permanently, it finds an entry by its old DN and not by its new
//! one: the renamed entry or entries below it. (Seen with 2.3.1; `docs/decisions/0016-lmdb.md` has the measurements.)
//!
//! So a rename is finished when the server reads the renamed entries under the new name. If that takes long, a rename
//! of an entry that does not exist helps: the server refuses it and empties its caches again.

use crate::{Lookup, Scope, backup::every_entry, error::DirectoryError, written::write};
use ldap_text::{
    dn::{Dn, Rdn},
    filter::Filter,
    ldif::{Change, ChangeRecord},
};
use mail_model::{entry::EntryView, names};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long to wait until a rename is visible; the server is asked three times in this time to empty its caches. It is
/// not longer, since an entry that was renamed again may never be visible under this name, and changes by others wait.
const MOST: Duration = Duration::from_secs(1);
/// How long to wait before the server is asked to empty its caches, and between two such requests.
const PATIENCE: Duration = Duration::from_millis(250);
/// The time between the first two checks; it doubles each time, up to `PATIENCE`.
const FIRST_STEP: Duration = Duration::from_millis(2);

/// The new name of an entry, if a change renames one.
pub(crate) fn new_name(record: &ChangeRecord) -> Option<Dn> {
    let Change::Rename { new_rdn, new_superior, .. } = &record.change else { return None };
    let folder = new_superior.clone().or_else(|| record.dn.parent())?;
    Some(folder.with_rdn(new_rdn.clone()))
}

impl Lookup {
    /// Whether the entry and each of its children are read under their new names. If the entry does not exist, it has
    /// been renamed again or removed, which also counts.
    async fn is_read_as(&self, dn: &Dn) -> Result<bool, DirectoryError> {
        let everything = Filter::present(names::OBJECT_CLASS);
        let found = self.look(dn, Scope::Base, &everything, &[names::NUM_SUBORDINATES], 1).await?;
        let Some(found) = found else { return Ok(true) };
        // The server found it by this name, and then dropped it because its own name differs.
        let Some(entry) = found.first() else { return Ok(false) };
        let expected = entry.first(&names::NUM_SUBORDINATES).and_then(|number| number.parse().ok());
        if entry.dn().as_ref() != Some(dn) {
            return Ok(false);
        }
        let Some(expected) = expected.filter(|number| *number > 0_usize) else { return Ok(true) };
        // The server's count includes entries that are hidden from other searches.
        let attributes = [names::NO_ATTRIBUTES];
        let mut scan = self.scan_with_conflicts(dn, Scope::Children, &every_entry(), &attributes).await?;
        let mut count = 0_usize;
        while let Some(child) = scan.next().await? {
            count += usize::from(child.dn().and_then(|child| child.parent()).as_ref() == Some(dn));
        }
        Ok(count == expected)
    }

    /// Waits, for a bounded time, until the server reads a renamed entry and its children under the new name. The
    /// rename itself was done, even if this time runs out.
    pub async fn await_rename(&self, dn: &Dn) {
        let began = Instant::now();
        let mut step = FIRST_STEP;
        let mut nudged = began;
        loop {
            match self.is_read_as(dn).await {
                // If this is an error, the next request finds out what is wrong with the directory.
                Ok(true) | Err(_) => return,
                Ok(false) => {}
            }
            if began.elapsed() > MOST {
                tracing::warn!(
                    hint = "restart 389-ds, or rename the entry again",
                    "directory.rename.unseen: 389-ds still returns a renamed entry under its old name"
                );
                return;
            }
            if nudged.elapsed() > PATIENCE {
                self.empty_caches(dn).await;
                nudged = Instant::now();
            }
            sleep(step).await;
            step = (step * 2).min(PATIENCE);
        }
    }

    /// Makes the server empty its caches, on LMDB: it does so after every rename, even a refused one.
    async fn empty_caches(&self, dn: &Dn) {
        let nobody = Rdn::new(names::OU, &format!("pbm-{:016x}", rand::random::<u64>()));
        let folder = dn.parent().unwrap_or_else(Dn::empty);
        let change = Change::Rename { new_rdn: nobody.clone(), delete_old_rdn: false, new_superior: None };
        let Ok(mut connection) = self.pool.check_out().await else { return };
        // The server always refuses this: the entry does not exist.
        let _refused = write(&mut connection, &ChangeRecord { dn: folder.with_rdn(nobody), change }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_gives_a_name_below_the_old_or_the_new_parent() {
        let rename = |superior: Option<&str>| ChangeRecord {
            dn: Dn::parse("ou=a,ou=b,dc=x").unwrap(),
            change: Change::Rename {
                new_rdn: Rdn::new(names::OU, "c"),
                delete_old_rdn: true,
                new_superior: superior.map(|superior| Dn::parse(superior).unwrap()),
            },
        };
        let name = |record| new_name(&record).map(|dn| dn.to_string());
        assert_eq!(name(rename(None)).as_deref(), Some("ou=c,ou=b,dc=x"));
        assert_eq!(name(rename(Some("dc=y"))).as_deref(), Some("ou=c,dc=y"));
        assert_eq!(name(ChangeRecord { dn: Dn::parse("dc=x").unwrap(), change: Change::Delete }), None);
    }
}
