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
    source::{list::SourceList, plan},
    tenant::Tenant,
};
use std::collections::HashSet;

impl Lookup {
    /// The addresses of a group's members that a list of the tenant may have: those that the tenant has an entry for, and
    /// outside addresses. The others are counted.
    #[must_use]
    pub fn possible_members(
        tenant: &Tenant,
        own: &OwnEntries,
        list: &SourceList,
    ) -> (Vec<MailAddress>, usize) {
        let is_possible = |address: &&MailAddress| {
            own.with_address(address.as_str()).is_some() || !tenant.serves(address.domain())
        };
        let unique: HashSet<_> = list.members.iter().filter(|member| **member != list.mail).collect();
        let mut possible: Vec<_> = unique.iter().copied().filter(is_possible).cloned().collect();
        possible.sort_unstable();
        let left = unique.len() - possible.len();
        (possible, left)
    }

    /// Whether a list has exactly these members, and this name.
    ///
    /// # Errors
    /// [`WriteError`] when the directory does not answer, or there is no such list.
    pub async fn list_is(
        &self,
        tenant: &Tenant,
        own: &OwnEntries,
        mail: &MailAddress,
        display_name: &str,
        members: &[MailAddress],
    ) -> Result<bool, WriteError> {
        let list = self.mail_list(&tenant.id, mail).await?.ok_or(WriteError::NotFound)?;
        let member = |address: &MailAddress| {
            let place = own.with_address(address.as_str()).filter(|_| tenant.serves(address.domain()));
            let inside = place.and_then(|place| own.get(place)?.name());
            inside.map_or_else(|| Member::Outside(address.clone()), Member::Inside)
        };
        let wanted: Vec<_> = members.iter().map(member).collect();
        let (lacking, surplus) = list.members.difference(&wanted);
        Ok(lacking.is_empty() && surplus.is_empty() && list.display_name == display_name)
    }
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
        let new = NewMailList {
            mail: list.mail.clone(),
            display_name: list.display_name.clone(),
            content: Content::Members(members),
        };
        self.create_mail_list(tenant, &new).await?;
        let mark = plan::list_mark(self.tree(), &tenant.id, &list.mail, &list.id);
        Ok(self.apply(&mark).await?)
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
        let patch = MailListPatch {
            new_mail: Some(list.mail.clone()).filter(|new| new != mail),
            display_name: Some(list.display_name.clone()),
            content: Some(ContentChange::Replace(Content::Members(members))),
        };
        self.patch_mail_list(tenant, mail, &patch, &Precondition::None, rand::random).await
    }
}
