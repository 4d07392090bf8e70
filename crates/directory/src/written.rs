//! Writes, and the entries that they leave behind. The server returns the entry in the same operation (RFC 4527), so
//! no second read is needed, and the returned entry is exactly what was written.

use crate::{
    Directory,
    connection::Connection,
    entry::Entry,
    error::{DirectoryError, Operation, Unreachable, check},
    product::{duration::allowance, renames, tries::Tries},
};
use futures_util::future::BoxFuture;
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{Attribute, Change, ChangeRecord, Modification, ModifyKind},
};
use ldap3::{
    Ldap, LdapError, LdapResult, Mod, ResultEntry,
    controls::{PostRead, PreRead, RawControl},
};
use mail_model::{contact::record, entry::EntryView, names};
use std::{collections::HashSet, sync::Arc};

/// The controls whose answers are entries (RFC 4527 sections 3.1 and 3.2).
const READ_CONTROLS: [&str; 2] = ["1.3.6.1.1.13.1", "1.3.6.1.1.13.2"];

/// Gets a report of each successful write.
pub trait WriteObserver: Send + Sync {
    /// Receives the report of a write.
    fn saw(&self, report: Report) -> BoxFuture<'_, ()>;
}

/// The report of a successful write.
#[derive(Clone, Debug)]
pub struct Report {
    /// The server that did the write; the other servers may get it later.
    pub server: Arc<str>,
    /// The entry that the write left behind.
    pub written: Written,
}

/// What a write has left behind.
#[derive(Clone, Debug)]
pub enum Written {
    /// A new entry, with [`record::read_attributes`].
    New(Entry),
    /// An entry that existed before, in its new state.
    Changed(Entry),
    /// A removed entry, in its state before the removal.
    Removed(Entry),
    /// A renamed entry, and with it everything below.
    Moved(Dn),
}

impl Directory {
    /// Applies a change. If this returns success, the change is stored.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::OutcomeUnknown`] if the change may have been made.
    pub async fn apply(&self, record: &ChangeRecord) -> Result<(), DirectoryError> {
        let mut tries = Tries::new();
        loop {
            let Err(error) = self.apply_once(record).await else {
                if let Some(patience) = &self.patience {
                    patience.renew();
                }
                return Ok(());
            };
            if !self.is_worth_waiting(&error).await {
                // Boxed, since it is seldom needed and would add to the size of every change's future.
                Box::pin(tries.wait_after(error, self, record)).await?;
            }
        }
    }

    /// Waits while the server takes no writes, as long as the settings allow; `true` if another try is worthwhile.
    async fn is_worth_waiting(&self, error: &DirectoryError) -> bool {
        match (&self.patience, error) {
            (Some(patience), DirectoryError::Unreachable(Unreachable::ReadOnly(_))) => {
                patience.is_left().await
            }
            _ => false,
        }
    }

    async fn apply_once(&self, record: &ChangeRecord) -> Result<(), DirectoryError> {
        let observer = self.observer.as_ref().filter(|_| self.tree().owner_of(&record.dn).is_some());
        let report = if observer.is_some() {
            let mut connection = self.pool.check_out().await?;
            write_and_look(&mut connection, record).await?
        } else {
            self.send(record).await?;
            None
        };
        if let Some(dn) = renames::new_name(record) {
            self.await_rename(&dn).await;
        }
        if let (Some(observer), Some(report)) = (observer, report) {
            observer.saw(report).await;
        }
        Ok(())
    }

    /// Sends a change once, without retries and without a report to the observer.
    pub(crate) async fn send(&self, record: &ChangeRecord) -> Result<(), DirectoryError> {
        let mut connection = self.pool.check_out().await?;
        write(&mut connection, record).await
    }
}

/// Sends a change.
pub(crate) async fn write(connection: &mut Connection, record: &ChangeRecord) -> Result<(), DirectoryError> {
    let outcome = connection.run_with(allowance(record), async |ldap| send(ldap, record).await).await;
    check(outcome.map_err(|error| connection.failure(Operation::Write, error))?)
}

/// Sends a change and reads the entry that it leaves behind; `None` if the server does not return it.
async fn write_and_look(
    connection: &mut Connection,
    record: &ChangeRecord,
) -> Result<Option<Report>, DirectoryError> {
    let attributes: Vec<&str> = record::read_attributes().iter().map(AttributeName::as_str).collect();
    let control = match record.change {
        Change::Delete => PreRead::new(attributes),
        Change::Add(_) | Change::Modify(_) | Change::Rename { .. } => PostRead::new(attributes),
    };
    let write = async |ldap: &mut Ldap| {
        // In addition to the controls that the connection sends with every operation.
        ldap.controls.get_or_insert_default().push(control);
        send(ldap, record).await
    };
    let outcome = connection.run_with(allowance(record), write).await;
    let result = outcome.map_err(|error| connection.failure(Operation::Write, error))?;
    let entry = result.ctrls.iter().find_map(|control| entry_of(&control.1));
    check(result)?;
    let left = entry.and_then(|entry| left_of(entry, record));
    Ok(left.map(|written| Report { server: connection.server().clone(), written }))
}

fn left_of(entry: Entry, record: &ChangeRecord) -> Option<Written> {
    Some(match record.change {
        Change::Add(_) => Written::New(entry),
        Change::Delete => Written::Removed(entry),
        // An entry with an address has nothing below it.
        Change::Rename { .. } if entry.first(&names::MAIL).is_none() => Written::Moved(entry.dn()?),
        Change::Modify(_) | Change::Rename { .. } => Written::Changed(entry),
    })
}

/// The entry in the response control.
fn entry_of(control: &RawControl) -> Option<Entry> {
    if !READ_CONTROLS.contains(&control.ctype.as_str()) {
        return None;
    }
    let (_, tag) = lber::parse::parse_tag(control.val.as_deref()?).ok()?;
    Entry::decode(ResultEntry::new(tag))
}

async fn send(ldap: &mut Ldap, record: &ChangeRecord) -> Result<LdapResult, LdapError> {
    let dn = record.dn.to_string();
    match &record.change {
        Change::Add(attributes) => ldap.add(&dn, attributes.iter().map(name_and_values).collect()).await,
        Change::Modify(modifications) => {
            ldap.modify(&dn, modifications.iter().map(modification).collect()).await
        }
        Change::Rename { new_rdn, delete_old_rdn, new_superior } => {
            let superior = new_superior.as_ref().map(ToString::to_string);
            ldap.modifydn(&dn, &new_rdn.to_string(), *delete_old_rdn, superior.as_deref()).await
        }
        Change::Delete => ldap.delete(&dn).await,
    }
}

fn name_and_values(attribute: &Attribute) -> (&[u8], HashSet<&[u8]>) {
    (
        attribute.name.as_str().as_bytes(),
        attribute.values.iter().map(ldap_text::ldif::Value::as_bytes).collect(),
    )
}

fn modification(modification: &Modification) -> Mod<&[u8]> {
    let (name, values) = name_and_values(&modification.attribute);
    match modification.kind {
        ModifyKind::Add => Mod::Add(name, values),
        ModifyKind::Delete => Mod::Delete(name, values),
        ModifyKind::Replace => Mod::Replace(name, values),
    }
}
