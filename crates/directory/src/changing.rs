//! The common parts of all changes: why a change is refused, how often it is planned again, which versions it applies
//! to, and which entry has an address.

use crate::{
    Directory, Entry, Lookup, Scope,
    batches::Applied,
    error::{DirectoryError, INSUFFICIENT_ACCESS_RIGHTS, NOT_ALLOWED_ON_NON_LEAF, PasswordRefusal},
    maillists::refused::MembersRefused,
    product::look_up::FEW,
};
use ldap_text::{
    dn::Dn,
    filter::Filter,
    ldif::{Change, ChangeRecord},
};
use mail_model::{
    changes::old_name_removal,
    deletion::{self, Since},
    entry::EntryView,
    field::ListField,
    names,
    revision::{Precondition, Revision, Version},
    source::plan::contact_removal,
    tenant::TenantId,
};

/// How often a change is planned again because the entry was written since it was read. With ten writers on one entry
/// the last of them needs ten attempts; many more are not a race but a fault.
const MAX_TRIES: usize = 32;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is no such entry, or it is in another state, such as deleted.
    #[error("no such entry")]
    NotFound,
    /// An address belongs to another entry.
    #[error("an address is taken")]
    Taken(AddressTaken),
    /// There is an entry with this name already.
    #[error("the name is taken")]
    NameTaken(NameTaken),
    /// The state of an entry does not allow the change, for the given reason.
    #[error("{0}")]
    Conflict(String),
    /// A field of a mailing list has members that the list cannot have.
    #[error("the members of a mailing list are refused: {1}")]
    Members(ListField, MembersRefused),
    /// The caller may not change this entry.
    #[error("the caller may not change this entry")]
    Forbidden,
    /// The entry has another version than the change requires.
    #[error("the entry has changed")]
    PreconditionFailed,
    /// The password policy refuses the password.
    #[error("{0}")]
    PasswordRefused(PasswordRefusal),
    /// The directory failed.
    #[error(transparent)]
    Directory(DirectoryError),
}

/// An address that another entry has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressTaken {
    /// The address.
    pub address: String,
    /// When the owner was deleted, if it is a deleted entry of the same tenant.
    pub owner_deleted_since: Option<Since>,
}

/// A name that another entry has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTaken {
    /// The name.
    pub name: String,
    /// When the owner was deleted, if it is deleted.
    pub owner_deleted_since: Option<Since>,
}

impl WriteError {
    /// The error of a later one of several writes; the writes before it are done.
    pub(crate) fn after_a_write(self) -> Self {
        match self {
            Self::Directory(error) => Self::Directory(error.after_a_write()),
            other => other,
        }
    }
}

impl From<DirectoryError> for WriteError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::NotFound => Self::NotFound,
            DirectoryError::PasswordRefused(refusal) => Self::PasswordRefused(refusal),
            other => Self::Directory(other),
        }
    }
}

/// Removes an address that a rename left in an entry because it was interrupted before its last step: the address is
/// neither the name of the entry nor one of its aliases.
fn left_by_a_rename(dn: &Dn, owner: &Entry, address: &str) -> Option<ChangeRecord> {
    let name = dn.rdn()?.value_of(&names::MAIL)?;
    let mut all = owner.values(&names::MAIL_ALTERNATE_ADDRESS).iter().map(String::as_str).chain([name]);
    (!all.any(|own| own.eq_ignore_ascii_case(address))).then(|| old_name_removal(dn.clone(), address))
}

/// Entries with an address, as their own or as an alias.
pub(crate) fn has_address(address: &str) -> Filter {
    Filter::any([names::MAIL, names::MAIL_ALTERNATE_ADDRESS].map(|name| Filter::equal(name, address)))
}

/// Counts the attempts of a change, which is planned again on the current state while other writers are faster.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    precondition: &'a Precondition,
    stale: usize,
    refused: bool,
}

impl<'a> Attempts<'a> {
    /// The attempts of a change with a precondition.
    pub(crate) fn under(precondition: &'a Precondition) -> Self {
        Self { precondition, stale: 0, refused: false }
    }

    /// Whether the precondition allows the change of a version.
    ///
    /// # Errors
    /// [`WriteError::PreconditionFailed`] if it does not.
    pub(crate) fn allow(&self, version: &Version) -> Result<(), WriteError> {
        if self.precondition.allows(version) { Ok(()) } else { Err(WriteError::PreconditionFailed) }
    }

    /// Interprets the outcome of a planned change: done, or to be planned again (`None`). A refusal leads to one more
    /// attempt: 389-ds answers a write to a missing entry with `insufficientAccessRights`, and reading it again finds
    /// that out.
    ///
    /// # Errors
    /// The error that ends the attempts.
    pub(crate) fn judge<T>(&mut self, outcome: Result<T, DirectoryError>) -> Result<Option<T>, WriteError> {
        match outcome {
            Ok(done) => Ok(Some(done)),
            Err(DirectoryError::Stale) if self.precondition.names_versions() => {
                Err(WriteError::PreconditionFailed)
            }
            Err(DirectoryError::Stale) if self.stale + 1 < MAX_TRIES => {
                self.stale += 1;
                Ok(None)
            }
            Err(DirectoryError::Refused { .. }) if !self.refused => {
                self.refused = true;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Who has addresses.
#[derive(Default)]
struct Owners {
    /// The first address that another entry has.
    taken: Option<AddressTaken>,
    /// The removals of aliases that an interrupted rename has left at other entries.
    left_by_renames: Vec<ChangeRecord>,
    /// The removals of contacts that a synchronization has made: they give way to users, lists and resources.
    contacts: Vec<ChangeRecord>,
}

impl Lookup {
    /// The first of the addresses that another entry than `own` has.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn taken_address(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<Option<AddressTaken>, DirectoryError> {
        Ok(self.owners(tenant, addresses, own).await?.taken)
    }

    async fn owners(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<Owners, DirectoryError> {
        let root = self.tree().root();
        let mut owners = Owners::default();
        for few in addresses.chunks(FEW) {
            // Usually no address is taken, and one search finds that out for several.
            let any = Filter::any(few.iter().map(|address| has_address(address)));
            if few.len() > 1
                && self.find(root, Scope::Subtree, &any, &[names::NO_ATTRIBUTES]).await?.is_none()
            {
                continue;
            }
            self.add_owners(tenant, few, own, &mut owners).await?;
            if owners.taken.is_some() {
                break;
            }
        }
        Ok(owners)
    }

    /// Looks for the owner of each address, up to the first that is taken.
    async fn add_owners(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
        owners: &mut Owners,
    ) -> Result<(), DirectoryError> {
        let root = self.tree().root();
        for address in addresses {
            let attributes = [names::DELETED_SINCE, names::MAIL_ALTERNATE_ADDRESS, names::SOURCE];
            let Some(owner) = self.find(root, Scope::Subtree, &has_address(address), &attributes).await?
            else {
                continue;
            };
            let dn = owner.dn();
            if dn.as_ref() == own {
                continue;
            }
            if let Some(removal) = dn.as_ref().and_then(|dn| left_by_a_rename(dn, &owner, address)) {
                owners.left_by_renames.push(removal);
                continue;
            }
            if let Some(contact) = dn.as_ref().filter(|dn| self.gives_way(dn, &owner)) {
                owners.contacts.push(contact_removal(contact.clone()));
                continue;
            }
            let is_ours = dn.is_some_and(|dn| self.tree().is_of_tenant(&dn, tenant));
            let owner_deleted_since = Since::of_entry(&owner).filter(|_| is_ours);
            owners.taken = Some(AddressTaken { address: address.clone(), owner_deleted_since });
            break;
        }
        Ok(())
    }

    /// Whether an entry is a contact that a synchronization has made. It may be another tenant's, made before this tenant
    /// had the domain of the address.
    fn gives_way(&self, dn: &Dn, entry: &Entry) -> bool {
        dn.is_within(self.tree().contacts()) && entry.first(&names::SOURCE).is_some()
    }

    /// Whether an entry exists and is claimed for removal.
    pub(crate) async fn is_claimed(&self, dn: &Dn) -> Result<bool, DirectoryError> {
        let found = self.find(dn, Scope::Base, &deletion::is_claimed(), &[names::NO_ATTRIBUTES]).await?;
        Ok(found.is_some())
    }
}

impl Directory {
    /// Applies the changes of one plan. The first change decides whether the plan still fits the entry; the others
    /// belong to a rename.
    pub(crate) async fn apply_in_turn(&self, changes: &[ChangeRecord]) -> Result<(), DirectoryError> {
        let Some((first, rest)) = changes.split_first() else { return Ok(()) };
        self.apply(first).await?;
        self.apply_rest(rest).await
    }

    /// Applies the changes of a plan after the first.
    pub(crate) async fn apply_rest(&self, rest: &[ChangeRecord]) -> Result<(), DirectoryError> {
        for change in rest {
            let outcome = self.apply(change).await.map_err(DirectoryError::after_a_write);
            match (&change.change, outcome) {
                // The reservation is gone already, as wanted; or it stays, is shown nowhere, and is removed by the next
                // rename.
                (Change::Modify(_), Err(DirectoryError::Stale)) => {}
                (Change::Modify(_), Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "rename.reservation_left");
                }
                (_, outcome) => outcome?,
            }
        }
        Ok(())
    }

    /// Undoes a change that should not have been made. A failure is only logged: it leaves an address in a domain that
    /// the tenant has lost, or a user of a deleted tenant, which the hourly job reconciles.
    pub(crate) async fn take_back(&self, changes: &[ChangeRecord]) {
        for change in changes {
            if let Err(error) = self.apply(change).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "change.not_taken_back");
                return;
            }
        }
    }

    /// Applies a removal, which succeeds if the entry is gone already.
    pub(crate) async fn remove(&self, removal: &ChangeRecord) -> Result<(), DirectoryError> {
        match self.apply(removal).await {
            Err(DirectoryError::NotFound) => Ok(()),
            outcome => outcome,
        }
    }

    /// Removes a list, a resource or a group as it was read. A removal in LDAP has no condition, so the entry is
    /// claimed first, by a modify on the revision that was read.
    pub(crate) async fn claim_and_remove(&self, dn: Dn, revision: &Revision) -> Result<(), DirectoryError> {
        self.apply(&deletion::claim_of(dn.clone(), revision)).await?;
        self.remove_claimed(dn).await.map_err(DirectoryError::after_a_write)
    }

    /// Removes a claimed entry. It is a success if the entry is gone, even if another entry has its name by now: the
    /// server's access rules protect entries that are not claimed.
    pub(crate) async fn remove_claimed(&self, dn: Dn) -> Result<(), DirectoryError> {
        let outcome = self.remove(&deletion::removal(dn.clone())).await;
        if let Err(DirectoryError::Refused {
            code: INSUFFICIENT_ACCESS_RIGHTS | NOT_ALLOWED_ON_NON_LEAF, ..
        }) = outcome
            && !self.is_claimed(&dn).await?
        {
            return Ok(());
        }
        outcome
    }

    /// Claims the lists, resources and groups of a folder for removal, each as it was read.
    pub(crate) async fn claim_all(&self, folder: &Dn, scope: Scope) -> Result<Applied, DirectoryError> {
        let claim = |dn, entry: &Entry| Some(deletion::claim_of(dn, &Revision::of_entry(entry)));
        self.change_all_found(folder, scope, &deletion::is_claimable(), &[names::REVISION], claim).await
    }

    /// The first of the addresses that another entry than `own` has. Aliases that an interrupted rename has left at
    /// other entries are removed; so are contacts that a synchronization has made, if nothing else has any
    /// of the addresses.
    pub(crate) async fn free_addresses(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<Option<AddressTaken>, DirectoryError> {
        let Owners { taken, left_by_renames, contacts } = self.owners(tenant, addresses, own).await?;
        for removal in &left_by_renames {
            self.apply(removal).await?;
        }
        for removal in contacts.iter().filter(|_| taken.is_none()) {
            self.remove(removal).await?;
        }
        Ok(taken)
    }

    /// The error for addresses that the directory has refused as taken.
    pub(crate) async fn address_conflict(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<WriteError, DirectoryError> {
        let taken = self.free_addresses(tenant, addresses, own).await?;
        // No address is taken any more: name the first, and a repeated request will succeed.
        Ok(WriteError::Taken(taken.unwrap_or_else(|| AddressTaken {
            address: addresses.first().cloned().unwrap_or_default(),
            owner_deleted_since: None,
        })))
    }
}
