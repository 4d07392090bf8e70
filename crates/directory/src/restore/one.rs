//! Restores one entry of a file: adds it, or compares it with the stored one and updates that.

use super::{
    Existing, RestoreError,
    condition::conditioned,
    doubt::{Attempt, Looks},
    large::{Pieces, is_large, is_marked},
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

/// Why a change was not made completely.
enum Failure {
    /// Its first operation failed.
    AtFirst(DirectoryError),
    /// A later operation failed; those before it are done.
    Later(DirectoryError),
}

impl Failure {
    /// Whether the change may have been made, completely or in part.
    fn leaves_a_change(&self) -> bool {
        matches!(self, Self::Later(_) | Self::AtFirst(DirectoryError::OutcomeUnknown(_)))
    }
}

impl From<Outcome> for Brought {
    fn from(outcome: Outcome) -> Self {
        Self::Done(outcome)
    }
}

impl Restore {
    /// Adds an entry or compares it with the stored one; tries again while others change it at the same time, and after
    /// errors that leave it unknown whether it was changed.
    pub(super) async fn restore(&self, item: Item) -> Result<Ended, RestoreError> {
        let Item { line, key, entry, .. } = item;
        let dn = entry.dn.clone();
        let ended = |outcome| Ok(Ended { line, key, dn, outcome });
        let mut attempt = Attempt::new(self.present.contains_key(&key));
        let mut looks = self.looks();
        let mut last = changed_by_others();
        for _ in 0..MAX_TRIES {
            match self.attempt(key, &entry, &mut attempt).await {
                Ok(Brought::Done(outcome)) => return ended(outcome),
                Ok(Brought::Overtaken(refusal)) => last = refusal,
                Err(error) => {
                    looks.wait_after(error).await?;
                    attempt.is_there = true;
                }
            }
        }
        ended(Outcome::Refused(last))
    }

    pub(super) fn looks(&self) -> Looks {
        Looks::new(self.directory.settings().operation_timeout)
    }

    async fn attempt(&self, key: Key, entry: &Entry, attempt: &mut Attempt) -> Result<Brought, RestoreError> {
        if !attempt.is_there
            && let Some(brought) = self.add(entry, attempt).await?
        {
            return Ok(brought);
        }
        let stored = match self.directory.read_whole(&entry.dn).await {
            Ok(Some(stored)) => stored,
            // The entry was removed a moment ago, or the addition that is in doubt was not made.
            Ok(None) => {
                attempt.is_there = false;
                return Ok(Brought::Overtaken(changed_by_others()));
            }
            Err(error @ DirectoryError::Unreadable { .. }) => {
                return Ok(Outcome::Refused(Refusal::Other(error.to_string())).into());
            }
            Err(error) => return Err(error.into()),
        };
        attempt.is_there = true;
        let stored = self.rules.with_own_names(stored);
        self.bring(key, entry, &stored, attempt).await
    }

    /// Adds an entry; `None` if it exists already.
    async fn add(&self, entry: &Entry, attempt: &mut Attempt) -> Result<Option<Brought>, RestoreError> {
        let entry = self.rules.to_add(entry.clone());
        let dn = entry.dn.clone();
        let record = ChangeRecord { dn, change: Change::Add(with_secrets(entry)) };
        if self.request.dry_run && self.request.existing == Existing::Keep {
            // The owner of an address keeps it. (If entries are updated, the owner may give it up.)
            let taken = self.taken_by_others(&record).await?;
            if !taken.is_empty() {
                return Ok(Some(Outcome::Refused(Refusal::Taken(taken)).into()));
            }
        }
        match self.apply_whole(&record, None).await {
            Ok(()) => Ok(Some(Outcome::Added(record).into())),
            Err(Failure::AtFirst(DirectoryError::Exists)) => Ok(None),
            Err(Failure::AtFirst(DirectoryError::NotFound)) => {
                let parent = record.dn.parent().unwrap_or_default();
                Ok(Some(Outcome::Refused(Refusal::NoParent(parent)).into()))
            }
            Err(Failure::AtFirst(DirectoryError::NotUnique)) => {
                let taken = self.taken_by_others(&record).await?;
                Ok(Some(Outcome::Refused(Refusal::Taken(taken)).into()))
            }
            Err(failure) => {
                attempt.in_doubt = failure.leaves_a_change().then_some(Outcome::Added(record));
                match failure {
                    Failure::AtFirst(error) => Ok(Some(Outcome::Refused(self.refusal(error).await?).into())),
                    later @ Failure::Later(_) => self.brought_after(later).await.map(Some),
                }
            }
        }
    }

    /// Updates a stored entry to the state in the file, or reports the difference.
    async fn bring(
        &self,
        key: Key,
        wanted: &Entry,
        stored: &Entry,
        attempt: &mut Attempt,
    ) -> Result<Brought, RestoreError> {
        if let Some(reason) = self.untouchable(stored, attempt) {
            return Ok(Outcome::Refused(Refusal::Forbidden(reason.to_owned())).into());
        }
        let is_incomplete = is_large(wanted) && (attempt.may_be_ours() || is_marked(wanted, stored));
        let existing = if is_incomplete { Existing::Update } else { self.request.existing };
        let modifications = self.rules.difference(key, wanted, stored, existing);
        if modifications.is_empty() {
            return Ok(attempt.in_doubt.take().unwrap_or(Outcome::Same).into());
        }
        let dn = stored.dn.clone();
        if existing == Existing::Keep {
            let change = Change::Modify(modifications);
            return Ok(Outcome::Different(ChangeRecord { dn, change }).into());
        }
        let mut modifications = self.conditioned(modifications, wanted, stored);
        let shown = ChangeRecord { dn: dn.clone(), change: Change::Modify(modifications.clone()) };
        if !attempt.may_be_ours() {
            attempt.in_doubt = None;
        }
        let outcome = attempt.in_doubt.take().unwrap_or(Outcome::Updated(shown));
        modifications.extend(self.rules.end_of_tokens(wanted, &modifications));
        let record = ChangeRecord { dn, change: Change::Modify(modifications) };
        match self.apply_whole(&record, Some(stored)).await {
            Ok(()) => Ok(outcome.into()),
            Err(Failure::AtFirst(DirectoryError::NotUnique)) => {
                self.give_up_addresses(wanted, stored).await?;
                let taken = self.taken(&wanted.dn, &wanted.attributes).await?;
                Ok(Outcome::Refused(Refusal::Taken(taken)).into())
            }
            Err(failure) => {
                attempt.in_doubt = failure.leaves_a_change().then_some(outcome);
                self.brought_after(failure).await
            }
        }
    }

    /// The meaning of a failed change of an entry.
    async fn brought_after(&self, failure: Failure) -> Result<Brought, RestoreError> {
        let (may_be_overtaken, error) = match failure {
            Failure::AtFirst(error) => (self.may_be_overtaken(&error), error),
            Failure::Later(error) => {
                (matches!(error, DirectoryError::NotFound | DirectoryError::Stale), error.after_a_write())
            }
        };
        let refusal = self.refusal(error).await?;
        Ok(if may_be_overtaken { Brought::Overtaken(refusal) } else { Outcome::Refused(refusal).into() })
    }

    /// Why the administrator of a tenant may not change an entry in its stored state.
    fn untouchable(&self, stored: &Entry, attempt: &Attempt) -> Option<&'static str> {
        self.request.limited_to.as_ref()?;
        if is_super(self.directory.tree(), stored) {
            return Some("only super administrators can restore super administrators");
        }
        let is_claimed = !stored.values(&names::PURGING).is_empty() && !attempt.may_be_ours();
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

    /// Applies a change by as many operations as it takes.
    async fn apply_whole(&self, record: &ChangeRecord, stored: Option<&Entry>) -> Result<(), Failure> {
        let Some(Pieces { first, others }) = self.rules.pieces(record, stored) else {
            return self.apply(record).await.map_err(Failure::AtFirst);
        };
        self.apply(&first).await.map_err(Failure::AtFirst)?;
        for piece in others {
            self.apply(&piece).await.map_err(Failure::Later)?;
        }
        Ok(())
    }

    /// The addresses and domains of a new entry that other entries have.
    async fn taken_by_others(&self, addition: &ChangeRecord) -> Result<Vec<String>, RestoreError> {
        let Change::Add(attributes) = &addition.change else { return Ok(Vec::new()) };
        self.taken(&addition.dn, attributes).await
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

fn changed_by_others() -> Refusal {
    Refusal::Other("other clients change it all the time".to_owned())
}
