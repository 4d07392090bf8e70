//! What all changes have in common: why one is not made, how often it is planned anew, on which versions it may be
//! made, and who has an address that was asked for.

use crate::{
    Directory, Entry, Scope,
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
    tenant::TenantId,
};

/// How often a change is planned anew because someone else wrote the entry meanwhile. With ten writers
/// on one entry the last of them needs ten; more is no longer a race but a fault.
const MAX_TRIES: usize = 32;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is no such entry, or not in this state of its life.
    #[error("no such entry")]
    NotFound,
    /// An address belongs to another entry.
    #[error("an address is taken")]
    Taken(AddressTaken),
    /// There is an entry of this name already.
    #[error("the name is taken")]
    NameTaken(NameTaken),
    /// The state of something makes it impossible, for the reason given.
    #[error("{0}")]
    Conflict(String),
    /// A field of a mailing list has members that the list cannot have.
    #[error("the members of a mailing list are refused: {1}")]
    Members(ListField, MembersRefused),
    /// Who asks may not touch this entry.
    #[error("the entry may not be touched by who asks")]
    Forbidden,
    /// The entry is not of a version that the change may be made to.
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
    /// When its owner was deleted, where the owner is a deleted entry of the same tenant.
    pub owner_deleted_since: Option<Since>,
}

/// A name that another entry has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTaken {
    /// The name.
    pub name: String,
    /// When its owner was deleted, where it is.
    pub owner_deleted_since: Option<Since>,
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

/// The change that takes an address from an entry whose rename was cut off before its last step: it is neither what
/// the entry is named by nor one of its aliases.
fn left_by_a_rename(dn: &Dn, owner: &Entry, address: &str) -> Option<ChangeRecord> {
    let name = dn.rdn()?.value_of(&names::MAIL)?;
    let mut all = owner.values(&names::MAIL_ALTERNATE_ADDRESS).iter().map(String::as_str).chain([name]);
    (!all.any(|own| own.eq_ignore_ascii_case(address))).then(|| old_name_removal(dn.clone(), address))
}

/// Whoever has an address, be it the first one or another.
pub(crate) fn has_address(address: &str) -> Filter {
    Filter::any([names::MAIL, names::MAIL_ALTERNATE_ADDRESS].map(|name| Filter::equal(name, address)))
}

/// Plans a change on the state that is there, again and again while others are faster.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    precondition: &'a Precondition,
    stale: usize,
    refused: bool,
}

impl<'a> Attempts<'a> {
    /// A change that may be made to some versions.
    pub(crate) fn under(precondition: &'a Precondition) -> Self {
        Self { precondition, stale: 0, refused: false }
    }

    /// Whether the change may be made to a version.
    ///
    /// # Errors
    /// [`WriteError::PreconditionFailed`] when it may not.
    pub(crate) fn allow(&self, version: &Version) -> Result<(), WriteError> {
        if self.precondition.allows(version) { Ok(()) } else { Err(WriteError::PreconditionFailed) }
    }

    /// What an outcome of a planned change means: done, or to be planned anew (`None`). A refusal counts once:
    /// 389-ds answers a write to an entry that is gone with `insufficientAccessRights`, and reading again tells.
    ///
    /// # Errors
    /// What ends the attempts.
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

impl Directory {
    /// Applies the changes of one plan. The first decides whether the plan still fits the entry; what
    /// follows belongs to a rename.
    pub(crate) async fn apply_in_turn(&self, changes: &[ChangeRecord]) -> Result<(), DirectoryError> {
        let Some((first, rest)) = changes.split_first() else { return Ok(()) };
        self.apply(first).await?;
        self.apply_rest(rest).await
    }

    /// Applies what follows the first change of a plan.
    pub(crate) async fn apply_rest(&self, rest: &[ChangeRecord]) -> Result<(), DirectoryError> {
        for change in rest {
            let outcome = self.apply(change).await.map_err(DirectoryError::after_a_write);
            match (&change.change, outcome) {
                // The reservation is gone already, which is what was wanted; or it stays behind, is
                // shown nowhere, and goes with the next rename.
                (Change::Modify(_), Err(DirectoryError::Stale)) => {}
                (Change::Modify(_), Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "rename.reservation_left");
                }
                (_, outcome) => outcome?,
            }
        }
        Ok(())
    }

    /// Takes back what should not have been written. Where that fails it is logged: an address of a domain that its
    /// tenant has lost stays behind, or a user of a deleted tenant, which the hourly job reconciles.
    pub(crate) async fn take_back(&self, changes: &[ChangeRecord]) {
        for change in changes {
            if let Err(error) = self.apply(change).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "change.not_taken_back");
                return;
            }
        }
    }

    /// Applies a removal; one that finds nothing is done already.
    pub(crate) async fn remove(&self, removal: &ChangeRecord) -> Result<(), DirectoryError> {
        match self.apply(removal).await {
            Err(DirectoryError::NotFound) => Ok(()),
            outcome => outcome,
        }
    }

    /// Removes a list, a resource or a group as it was read. LDAP's removal has no condition, so it is claimed first, by a
    /// modify on the revision that was read.
    pub(crate) async fn claim_and_remove(&self, dn: Dn, revision: &Revision) -> Result<(), DirectoryError> {
        self.apply(&deletion::claim_of(dn.clone(), revision)).await?;
        self.remove_claimed(dn).await.map_err(DirectoryError::after_a_write)
    }

    /// Removes a claimed entry. One that is gone is done already, be it that another one has its name by now: the server's
    /// access rules protect what nobody has claimed.
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

    /// Whether an entry is there and claimed for removal.
    pub(crate) async fn is_claimed(&self, dn: &Dn) -> Result<bool, DirectoryError> {
        let found = self.find(dn, Scope::Base, &deletion::is_claimed(), &[names::NO_ATTRIBUTES]).await?;
        Ok(found.is_some())
    }

    /// Claims the lists, resources and groups of a folder for removal, each as it was read.
    pub(crate) async fn claim_all(&self, folder: &Dn, scope: Scope) -> Result<Applied, DirectoryError> {
        let claim = |dn, entry: &Entry| Some(deletion::claim_of(dn, &Revision::of_entry(entry)));
        self.change_all_found(folder, scope, &deletion::is_claimable(), &[names::REVISION], claim).await
    }

    /// Which of some addresses another entry than `own` has.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn taken_address(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<Option<AddressTaken>, DirectoryError> {
        let root = self.tree().root();
        for few in addresses.chunks(FEW) {
            // Most often none is taken, and one search tells that of a few.
            let any = Filter::any(few.iter().map(|address| has_address(address)));
            if few.len() > 1
                && self.find(root, Scope::Subtree, &any, &[names::NO_ATTRIBUTES]).await?.is_none()
            {
                continue;
            }
            if let Some(taken) = self.first_taken(tenant, few, own).await? {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// The first of some addresses that another entry has, looked for one by one.
    async fn first_taken(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<Option<AddressTaken>, DirectoryError> {
        let root = self.tree().root();
        for address in addresses {
            let attributes = [names::DELETED_SINCE, names::MAIL_ALTERNATE_ADDRESS];
            let Some(owner) = self.find(root, Scope::Subtree, &has_address(address), &attributes).await?
            else {
                continue;
            };
            let dn = owner.dn();
            if dn.as_ref() == own {
                continue;
            }
            if let Some(cleaning) = dn.as_ref().and_then(|dn| left_by_a_rename(dn, &owner, address)) {
                self.apply(&cleaning).await?;
                continue;
            }
            let is_ours = dn.is_some_and(|dn| self.tree().is_of_tenant(&dn, tenant));
            let owner_deleted_since = Since::of_entry(&owner).filter(|_| is_ours);
            return Ok(Some(AddressTaken { address: address.clone(), owner_deleted_since }));
        }
        Ok(None)
    }

    /// The error for addresses of which another entry was found to have one.
    pub(crate) async fn address_conflict(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<WriteError, DirectoryError> {
        let taken = self.taken_address(tenant, addresses, own).await?;
        // Taken a moment ago and free again by now; the first is named, and asking again will do.
        Ok(WriteError::Taken(taken.unwrap_or_else(|| AddressTaken {
            address: addresses.first().cloned().unwrap_or_default(),
            owner_deleted_since: None,
        })))
    }
}
