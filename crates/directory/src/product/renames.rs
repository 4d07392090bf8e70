//! What 389-ds does after a rename, and the wait until it has done with it.
//!
//! Each entry carries its DN in the server's caches, and a search that was under way when the rename was committed may put
//! an entry there under its old DN. On LMDB the server answers the rename first and empties its caches afterwards, so for
//! some milliseconds, and sometimes for good, it finds an entry by its old DN and not by its new one: the entry that was
//! renamed, or what stands below it. (Seen with 2.3.1; `docs/decisions/0016-lmdb.md` has the measurements.)
//!
//! So a rename is over when the server reads what was renamed under the new name. Where that takes long, a rename of an
//! entry that is not there helps: the server refuses it, and empties its caches again.

use crate::{Directory, Scope, backup::every_entry, error::DirectoryError};
use ldap_text::{
    dn::{Dn, Rdn},
    filter::Filter,
    ldif::{Change, ChangeRecord},
};
use mail_model::{entry::EntryView, names};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a rename may take to be seen: the server is asked three times to empty its caches meanwhile. It is no longer,
/// since an entry that was renamed again may never be seen under this name, and changes of others wait.
const MOST: Duration = Duration::from_secs(1);
/// How long the server is left to itself, and how long between two requests to empty its caches.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long between two looks; doubled up to the patience.
const FIRST_STEP: Duration = Duration::from_millis(2);

/// The name that a change gives to an entry, where it renames one.
pub(crate) fn new_name(record: &ChangeRecord) -> Option<Dn> {
    let Change::Rename { new_rdn, new_superior, .. } = &record.change else { return None };
    let folder = new_superior.clone().or_else(|| record.dn.parent())?;
    Some(folder.with_rdn(new_rdn.clone()))
}

impl Directory {
    /// Waits, for a bounded time, until the server reads a renamed entry and what stands directly below it under the new
    /// name. Whatever comes of it, the rename was done.
    pub async fn await_rename(&self, dn: &Dn) {
        let began = Instant::now();
        let mut step = FIRST_STEP;
        let mut nudged = began;
        loop {
            match self.is_read_as(dn).await {
                // After an error the next request finds out what is wrong with the directory.
                Ok(true) | Err(_) => return,
                Ok(false) => {}
            }
            if began.elapsed() > MOST {
                tracing::warn!(
                    hint = "restart 389-ds, or rename the entry again",
                    "directory.rename.unseen: 389-ds goes on reading a renamed entry under its old name"
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

    /// Whether an entry, and each of its children, is read under its name. An entry that is not there has been renamed or
    /// removed since.
    async fn is_read_as(&self, dn: &Dn) -> Result<bool, DirectoryError> {
        let everything = Filter::present(names::OBJECT_CLASS);
        let found = self.look(dn, Scope::Base, &everything, &[names::NUM_SUBORDINATES], 1).await?;
        let Some(found) = found else { return Ok(true) };
        // Found by the name, and then passed over because it bears another one.
        let Some(entry) = found.first() else { return Ok(false) };
        let expected = entry.first(&names::NUM_SUBORDINATES).and_then(|number| number.parse().ok());
        if entry.dn().as_ref() != Some(dn) {
            return Ok(false);
        }
        let Some(expected) = expected.filter(|number| *number > 0_usize) else { return Ok(true) };
        // The server counts what is hidden from other searches, too.
        let attributes = [names::NO_ATTRIBUTES];
        let mut scan = self.scan_with_conflicts(dn, Scope::Children, &every_entry(), &attributes).await?;
        let mut count = 0_usize;
        while let Some(child) = scan.next().await? {
            count += usize::from(child.dn().and_then(|child| child.parent()).as_ref() == Some(dn));
        }
        Ok(count == expected)
    }

    /// Has the server empty its caches, on LMDB: it does so after every rename, be it refused.
    async fn empty_caches(&self, dn: &Dn) {
        let nobody = Rdn::new(names::OU, &format!("pbm-{:016x}", rand::random::<u64>()));
        let folder = dn.parent().unwrap_or_else(Dn::empty);
        let change = Change::Rename { new_rdn: nobody.clone(), delete_old_rdn: false, new_superior: None };
        // Refused as it should be: there is no such entry.
        let _refused = self.send(&ChangeRecord { dn: folder.with_rdn(nobody), change }).await;
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
