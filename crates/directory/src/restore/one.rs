//! Restores one entry of a file: adds it, or compares it with the stored one and updates that.

use super::{
    Existing, RestoreError,
    condition::conditioned,
    records::Item,
    refusal::Refusal,
    rules::with_secrets,
    run::Restore,
    tally::{Ended, Outcome},
};
use crate::{
    backup::{is_super, key::Key},
    error::{DirectoryError, Unreachable},
    product::result_code::said,
};
use ldap_text::{
    dn::Dn,
    filter::Filter,
    ldif::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind, Value},
};
use mail_model::{entry::EntryView, names};

/// The result codes objectClassViolation and namingViolation (RFC 4511 appendix A.2).
const OBJECT_CLASS_VIOLATION: u32 = 65;
const SCHEMA_VIOLATIONS: [u32; 2] = [OBJECT_CLASS_VIOLATION, 64];
/// How often a change is planned again because others write the entry at the same time.
const MAX_TRIES: usize = 16;

/// The result of updating an entry to the state in the file.
enum Brought {
    /// The update has this outcome.
    Done(Outcome),
    /// It seems that others have changed the entry since it was read. The refusal is the outcome if every try ends
    /// like this.
    Overtaken(Refusal),
}

impl From<Outcome> for Brought {
    fn from(outcome: Outcome) -> Self {
        Self::Done(outcome)
    }
}

impl Restore {
    /// Adds an entry or compares it with the stored one; tries again while others change it at the same time.
    pub(super) async fn restore(&self, item: Item) -> Result<Ended, RestoreError> {
        let Item { line, key, entry, .. } = item;
        let dn = entry.dn.clone();
        let ended = |outcome| Ok(Ended { line, key, dn, outcome });
        let mut is_there = self.present.contains_key(&key);
        let mut last = Refusal::Other("other clients change it all the time".to_owned());
        for _ in 0..MAX_TRIES {
            if !is_there && let Some(outcome) = self.add(&entry).await? {
                return ended(outcome);
            }
            let stored = match self.directory.read_whole(&entry.dn).await {
                Ok(Some(stored)) => stored,
                // The entry was removed a moment ago.
                Ok(None) => {
                    is_there = false;
                    continue;
                }
                Err(error @ DirectoryError::Unreadable { .. }) => {
                    return ended(Outcome::Refused(Refusal::Other(error.to_string())));
                }
                Err(error) => return Err(error.into()),
            };
            is_there = true;
            let stored = self.rules.with_own_names(stored);
            match self.bring(key, &entry, &stored).await? {
                Brought::Done(outcome) => return ended(outcome),
                Brought::Overtaken(refusal) => last = refusal,
            }
        }
        ended(Outcome::Refused(last))
    }

    /// Adds an entry; `None` if it exists already.
    async fn add(&self, entry: &Entry) -> Result<Option<Outcome>, RestoreError> {
        let entry = self.rules.to_add(entry.clone());
        let dn = entry.dn.clone();
        let record = ChangeRecord { dn, change: Change::Add(with_secrets(entry)) };
        if self.request.dry_run && self.request.existing == Existing::Keep {
            // The owner of an address keeps it. (If entries are updated, the owner may give it up.)
            let Change::Add(attributes) = &record.change else { return Ok(None) };
            let taken = self.taken(&record.dn, attributes).await?;
            if !taken.is_empty() {
                return Ok(Some(Outcome::Refused(Refusal::Taken(taken))));
            }
        }
        match self.apply(&record).await {
            Ok(()) => Ok(Some(Outcome::Added(record))),
            Err(DirectoryError::Exists) => Ok(None),
            Err(DirectoryError::NotFound) => {
                let parent = record.dn.parent().unwrap_or_default();
                Ok(Some(Outcome::Refused(Refusal::NoParent(parent))))
            }
            Err(DirectoryError::NotUnique) => {
                let Change::Add(attributes) = &record.change else { return Ok(None) };
                let taken = self.taken(&record.dn, attributes).await?;
                Ok(Some(Outcome::Refused(Refusal::Taken(taken))))
            }
            Err(error) => self.refusal(error).await.map(|refusal| Some(Outcome::Refused(refusal))),
        }
    }

    /// Updates a stored entry to the state in the file, or reports the difference.
    async fn bring(&self, key: Key, wanted: &Entry, stored: &Entry) -> Result<Brought, RestoreError> {
        if let Some(reason) = self.untouchable(stored) {
            return Ok(Outcome::Refused(Refusal::Forbidden(reason.to_owned())).into());
        }
        let modifications = self.rules.difference(key, wanted, stored, self.request.existing);
        if modifications.is_empty() {
            return Ok(Outcome::Same.into());
        }
        let dn = stored.dn.clone();
        if self.request.existing == Existing::Keep {
            let change = Change::Modify(modifications);
            return Ok(Outcome::Different(ChangeRecord { dn, change }).into());
        }
        let mut modifications = self.conditioned(modifications, wanted, stored);
        let shown = ChangeRecord { dn: dn.clone(), change: Change::Modify(modifications.clone()) };
        modifications.extend(self.rules.end_of_tokens(wanted, &modifications));
        match self.apply(&ChangeRecord { dn, change: Change::Modify(modifications) }).await {
            Ok(()) => Ok(Outcome::Updated(shown).into()),
            Err(DirectoryError::NotUnique) => {
                self.give_up_addresses(wanted, stored).await?;
                let taken = self.taken(&wanted.dn, &wanted.attributes).await?;
                Ok(Outcome::Refused(Refusal::Taken(taken)).into())
            }
            Err(error) => {
                let may_be_overtaken = self.may_be_overtaken(&error);
                let refusal = self.refusal(error).await?;
                Ok(if may_be_overtaken {
                    Brought::Overtaken(refusal)
                } else {
                    Outcome::Refused(refusal).into()
                })
            }
        }
    }

    /// Why the administrator of a tenant may not change an entry in its stored state.
    fn untouchable(&self, stored: &Entry) -> Option<&'static str> {
        self.request.limited_to.as_ref()?;
        if is_super(self.directory.tree(), stored) {
            return Some("only super administrators can restore super administrators");
        }
        let is_claimed = !stored.values(&names::PURGING).is_empty();
        is_claimed.then_some("the entry is being removed; when it is gone it can be restored")
    }

    /// Restricts the changes of the administrator of a tenant to the state of the entry that was read.
    fn conditioned(
        &self,
        modifications: Vec<Modification>,
        wanted: &Entry,
        stored: &Entry,
    ) -> Vec<Modification> {
        let is_limited = self.request.limited_to.is_some();
        if is_limited { conditioned(modifications, wanted, stored) } else { modifications }
    }

    /// Whether an error may mean that the entry has changed since it was read: a value that was to be replaced does
    /// not exist, or there are two values if the schema allows one.
    fn may_be_overtaken(&self, error: &DirectoryError) -> bool {
        let is_conditioned = self.request.limited_to.is_some();
        let is_overtaken = match error {
            DirectoryError::Stale => true,
            DirectoryError::Refused { code, .. } => *code == OBJECT_CLASS_VIOLATION,
            _ => false,
        };
        (is_conditioned && is_overtaken) || matches!(error, DirectoryError::NotFound)
    }

    /// Removes the aliases that an entry is not to keep: other entries may be waiting for them, as this one waits for
    /// an address of another entry.
    async fn give_up_addresses(&self, wanted: &Entry, stored: &Entry) -> Result<(), RestoreError> {
        let name = names::MAIL_ALTERNATE_ADDRESS;
        let wanted = wanted.values(&name);
        let surplus = stored.values(&name).iter().filter(|value| !wanted.contains(value)).cloned();
        let values: Vec<Value> = surplus.collect();
        if values.is_empty() {
            return Ok(());
        }
        let kind = ModifyKind::Delete;
        let modification = Modification { kind, attribute: Attribute { name, values } };
        let modifications = self.conditioned(vec![modification], stored, stored);
        let record = ChangeRecord { dn: stored.dn.clone(), change: Change::Modify(modifications) };
        match self.apply(&record).await {
            Ok(()) => Ok(()),
            // The whole entry is tried again later.
            Err(error) => self.refusal(error).await.map(|_| ()),
        }
    }

    pub(super) async fn apply(&self, record: &ChangeRecord) -> Result<(), DirectoryError> {
        if self.request.dry_run { Ok(()) } else { self.directory.apply(record).await }
    }

    /// The addresses and domains of an entry that other entries have.
    async fn taken(&self, dn: &Dn, attributes: &[Attribute]) -> Result<Vec<String>, RestoreError> {
        let kinds = [names::MAIL, names::MAIL_ALTERNATE_ADDRESS, names::ASSOCIATED_DOMAIN];
        let own = attributes.iter().filter(|attribute| kinds.contains(&attribute.name));
        let own = own.flat_map(|a| &a.values).filter_map(|value| str::from_utf8(value.as_bytes()).ok());
        let own: Vec<&str> = own.collect();
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let has =
            |address: &&str| Filter::any(kinds.iter().map(|kind| Filter::equal(kind.clone(), *address)));
        let values: Vec<_> = own.iter().map(has).collect();
        let shared = |other: &crate::Entry| {
            let is_other = other.dn().is_some_and(|other| other != *dn);
            let theirs: Vec<&String> = kinds.iter().flat_map(|kind| other.values(kind)).collect();
            let shared = |address: &&&str| theirs.iter().any(|their| their.eq_ignore_ascii_case(address));
            let shared = own.iter().filter(shared).map(|address| (*address).to_owned());
            is_other.then(|| shared.collect::<Vec<_>>())
        };
        let root = self.directory.tree().root();
        let taken = self.directory.find_by_values(root, None, &values, &kinds, shared).await?;
        let mut taken = taken.concat();
        taken.sort_unstable();
        taken.dedup();
        Ok(taken)
    }

    /// The meaning of an error for one entry.
    ///
    /// # Errors
    /// If the error means that the restore can't continue.
    pub(super) async fn refusal(&self, error: DirectoryError) -> Result<Refusal, RestoreError> {
        match error {
            DirectoryError::InvalidValue(diagnostic) => Ok(Refusal::Value(diagnostic)),
            DirectoryError::PasswordRefused(reason) => Ok(Refusal::Value(reason.to_string())),
            DirectoryError::Refused { code, diagnostic } if SCHEMA_VIOLATIONS.contains(&code) => {
                Ok(Refusal::Schema(diagnostic))
            }
            DirectoryError::Refused { code, diagnostic } => Ok(Refusal::Other(said(code, &diagnostic))),
            // Either the server does nothing any more, or it refuses only this.
            DirectoryError::Unreachable(Unreachable::Declined { code, diagnostic })
                if self.directory.ping().await.is_ok() =>
            {
                Ok(Refusal::Other(said(code, &diagnostic)))
            }
            DirectoryError::Stale => {
                Ok(Refusal::Value("the server considers two of its values equal".to_owned()))
            }
            error @ (DirectoryError::NotFound
            | DirectoryError::Exists
            | DirectoryError::NotUnique
            | DirectoryError::Unreadable { .. }
            | DirectoryError::Crowded { .. }
            | DirectoryError::Malformed(_)) => Ok(Refusal::Other(error.to_string())),
            error @ (DirectoryError::Unreachable(_) | DirectoryError::OutcomeUnknown(_)) => Err(error.into()),
        }
    }
}
