//! Mailing lists that are made from groups.

use super::OwnEntries;
use crate::{Directory, Lookup, changing::WriteError, tenants::TenantAtHand};
use mail_model::{
    address::MailAddress,
    maillist::{
        command::{Content, ContentChange, MailListPatch, NewMailList},
        member::Member,
    },
    revision::Precondition,
    source::list::SourceList,
    tenant::Tenant,
};
use std::collections::HashSet;

/// How a list differs from what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListDifference {
    /// Whether its name differs.
    pub name: bool,
    /// Whether its members differ.
    pub members: bool,
    /// The number of members that it would lose.
    pub leaving: usize,
    /// The number of its members.
    pub of: usize,
}

impl Lookup {
    /// The addresses of a group's members that a list of the tenant may have: those that the tenant has an entry for, and
    /// outside addresses in no domain of another tenant. The others are counted.
    #[must_use]
    pub fn possible_members(
        tenant: &Tenant,
        foreign: &HashSet<String>,
        own: &OwnEntries,
        list: &SourceList,
    ) -> (Vec<MailAddress>, usize) {
        let is_possible = |address: &&MailAddress| {
            let is_outside = !tenant.serves(address.domain()) && !foreign.contains(address.domain());
            is_outside || (tenant.serves(address.domain()) && own.with_address(address.as_str()).is_some())
        };
        let unique: HashSet<_> = list.members.iter().filter(|member| **member != list.mail).collect();
        let mut possible: Vec<_> = unique.iter().copied().filter(is_possible).cloned().collect();
        possible.sort_unstable();
        let left = unique.len() - possible.len();
        (possible, left)
    }

    /// How a list differs from these members, and from this name.
    ///
    /// # Errors
    /// [`WriteError`] when the directory does not answer, or there is no such list.
    pub async fn list_difference(
        &self,
        tenant: &Tenant,
        own: &OwnEntries,
        mail: &MailAddress,
        display_name: &str,
        members: &[MailAddress],
    ) -> Result<ListDifference, WriteError> {
        let list = self.mail_list(&tenant.id, mail).await?.ok_or(WriteError::NotFound)?;
        let member = |address: &MailAddress| {
            let place = own.with_address(address.as_str()).filter(|_| tenant.serves(address.domain()));
            let inside = place.and_then(|place| own.get(place)?.name());
            inside.map_or_else(|| Member::Outside(address.clone()), Member::Inside)
        };
        let wanted: Vec<_> = members.iter().map(member).collect();
        let (lacking, surplus) = list.members.difference(&wanted);
        Ok(ListDifference {
            name: list.display_name != display_name,
            members: !lacking.is_empty() || !surplus.is_empty(),
            leaving: surplus.len(),
            of: list.members.len(),
        })
    }
}

/// Requires that a list may have an address, as requests do for theirs.
fn require_own(tenant: &Tenant, mail: &MailAddress) -> Result<(), WriteError> {
    let is_own = tenant.serves(mail.domain());
    is_own.then_some(()).ok_or_else(|| WriteError::Conflict(format!("{mail} is in no domain of the tenant.")))
}

impl Directory {
    /// Creates the list of a group.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_source_list(
        &self,
        tenant: &TenantAtHand,
        list: &SourceList,
        members: Vec<MailAddress>,
    ) -> Result<(), WriteError> {
        require_own(tenant, &list.mail)?;
        let new = NewMailList {
            mail: list.mail.clone(),
            display_name: list.display_name.clone(),
            content: Content::Members(members),
            source: Some(list.id.clone()),
        };
        self.create_mail_list(tenant, &new).await
    }

    /// Makes the list of a group as the group is.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn update_source_list(
        &self,
        tenant: &TenantAtHand,
        mail: &MailAddress,
        list: &SourceList,
        members: Vec<MailAddress>,
    ) -> Result<(), WriteError> {
        require_own(tenant, &list.mail)?;
        let patch = MailListPatch {
            new_mail: Some(list.mail.clone()).filter(|new| new != mail),
            display_name: Some(list.display_name.clone()),
            content: Some(ContentChange::Replace(Content::Members(members))),
        };
        self.patch_mail_list(tenant, mail, &patch, &Precondition::None, rand::random).await
    }
}
