//! Lists in lists: a list must not contain itself; everyone in a list and its nested lists; all lists of a user.
//!
//! Two concurrent changes may each add a list to the other. So a change that adds lists searches for a cycle before the
//! write and again after it, and removes what it added if there is one: of two such changes, at least one finds the
//! other. Expanding a list visits each list once, so a cycle that another program has made is harmless.

use super::refused::MembersRefused;
use crate::{Directory, Entry, Lookup, Scope, changing::WriteError, error::DirectoryError};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use mail_model::{
    address::MailAddress,
    entry::EntryView,
    field::ListField,
    maillist::{
        self, MailList, READ_ATTRIBUTES,
        conditions::Conditions,
        member::{Member, address_of},
        plan,
    },
    names,
    tenant::{Tenant, TenantId},
    user::User,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A list with a certain user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The address.
    pub mail: String,
    /// The displayed name.
    pub display_name: String,
    /// Whether the user is a member without another list in between.
    pub is_direct: bool,
}

/// A list from a search, without its members.
struct FoundList {
    mail: MailAddress,
    display_name: String,
}

impl Lookup {
    /// The addresses of the members that are lists.
    pub(super) fn nested_of(&self, members: Option<&[Member]>, tenant: &TenantId) -> Vec<MailAddress> {
        let lists = self.tree().lists(tenant);
        let list = |member: &Member| match member {
            Member::Inside(dn) if dn.is_within(&lists) => {
                MailAddress::parse(dn.rdn()?.value_of(&names::MAIL)?).ok()
            }
            _ => None,
        };
        members.unwrap_or_default().iter().filter_map(list).collect()
    }

    /// Refuses to add lists that contain the list already.
    pub(super) async fn refuse_cycle(
        &self,
        tenant: &Tenant,
        list: &MailAddress,
        field: ListField,
        added: &[MailAddress],
    ) -> Result<(), WriteError> {
        match self.closed_path(&tenant.id, list, added).await? {
            None => Ok(()),
            Some(path) => Err(WriteError::Members(field, MembersRefused::Cycle(path))),
        }
    }

    /// The path from a list through one of the added lists back to the list, if there is one. The search goes up from
    /// the list, level by level.
    pub(super) async fn closed_path(
        &self,
        tenant: &TenantId,
        list: &MailAddress,
        added: &[MailAddress],
    ) -> Result<Option<Vec<String>>, DirectoryError> {
        if added.is_empty() {
            return Ok(None);
        }
        let mut seen = BTreeSet::from([list.clone()]);
        let mut levels = vec![vec![list.clone()]];
        while let Some(level) = levels.last().filter(|level| !level.is_empty()) {
            if levels.len() > 1
                && let Some(closing) = level.iter().find(|mail| added.contains(mail))
            {
                return self.path_down(tenant, closing.clone(), &levels).await.map(Some);
            }
            let dns: Vec<_> = level.iter().map(|mail| self.tree().list(tenant, mail)).collect();
            let parents = self.lists_with_members(tenant, &dns).await?;
            let new = parents.into_iter().map(|parent| parent.mail).filter(|mail| seen.insert(mail.clone()));
            levels.push(new.collect());
        }
        Ok(None)
    }

    /// The path from the list in the lowest level to `top`, and from there down again to the list.
    async fn path_down(
        &self,
        tenant: &TenantId,
        top: MailAddress,
        levels: &[Vec<MailAddress>],
    ) -> Result<Vec<String>, DirectoryError> {
        let bottom = levels.first().and_then(|level| level.first()).map(ToString::to_string);
        let mut path: Vec<_> = bottom.into_iter().collect();
        path.push(top.to_string());
        let mut current = top;
        for level in levels.iter().rev().skip(1) {
            let dn = self.tree().list(tenant, &current);
            for below in level {
                if self.has_member(&dn, &Member::Inside(self.tree().list(tenant, below))).await? {
                    path.push(below.to_string());
                    current = below.clone();
                    break;
                }
            }
        }
        Ok(path)
    }

    /// The lists that have any of the entries as a member.
    async fn lists_with_members(
        &self,
        tenant: &TenantId,
        members: &[Dn],
    ) -> Result<Vec<FoundList>, DirectoryError> {
        let parts: Vec<_> = members.iter().map(|dn| Filter::equal(names::MEMBER, dn.to_string())).collect();
        self.lists_that_meet_any(tenant, &parts, &[names::DISPLAY_NAME], found_list).await
    }

    /// The results of `pick` for the lists that meet any of the filters.
    async fn lists_that_meet_any<T>(
        &self,
        tenant: &TenantId,
        parts: &[Filter],
        attributes: &[AttributeName],
        pick: impl Fn(&Entry) -> Option<T>,
    ) -> Result<Vec<T>, DirectoryError> {
        let (folder, live) = (self.tree().lists(tenant), maillist::live_filter());
        self.find_by_values(&folder, Some(&live), parts, attributes, pick).await
    }

    /// The addresses of a list's direct members, sorted, without deleted ones.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn member_addresses(&self, list: &MailList) -> Result<Vec<String>, DirectoryError> {
        let hidden = self.hidden_members(&list.tenant).await?;
        Ok(list.members.addresses(&hidden))
    }

    /// The addresses that a list reaches, sorted and without repeats: nested lists are expanded, dynamic lists
    /// evaluated, and deleted users left out. Each level of nesting takes a search for every ten lists.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn expanded(&self, list: &MailList) -> Result<Vec<String>, DirectoryError> {
        Ok(self.expanded_up_to(list, usize::MAX).await?.unwrap_or_default())
    }

    /// The addresses that a list reaches, as [`expanded`](Self::expanded) returns them; `None` if there are more than
    /// `most`. No further list is read as soon as that is known.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn expanded_up_to(
        &self,
        list: &MailList,
        most: usize,
    ) -> Result<Option<Vec<String>>, DirectoryError> {
        let lists = self.tree().lists(&list.tenant);
        let hidden = self.hidden_members(&list.tenant).await?;
        let mut opened = HashSet::from([list.mail.to_string()]);
        let mut everyone = HashSet::new();
        let mut level = vec![list.clone()];
        while !level.is_empty() {
            let mut nested = Vec::new();
            for list in &level {
                everyone.extend(list.members.addresses(&hidden));
                nested.extend(list.members.within(&lists).filter(|mail| opened.insert(mail.clone())));
                if let Some(conditions) = &list.conditions {
                    everyone.extend(self.who_meets(&list.tenant, conditions).await?);
                }
                if everyone.len() > most {
                    everyone.retain(|address| !hidden.contains(address) && !opened.contains(address));
                }
                if everyone.len() > most {
                    return Ok(None);
                }
            }
            level = self.lists_named(&list.tenant, &nested).await?;
        }
        everyone.retain(|address| !hidden.contains(address) && !opened.contains(address));
        let mut everyone: Vec<_> = everyone.into_iter().collect();
        everyone.sort_unstable();
        Ok(Some(everyone))
    }

    async fn who_meets(
        &self,
        tenant: &TenantId,
        conditions: &Conditions,
    ) -> Result<Vec<String>, DirectoryError> {
        let users = self.tree().users(tenant);
        let scan = self.scan(&users, Scope::Subtree, &conditions.filter(), &[names::NO_ATTRIBUTES]).await?;
        scan.gather(|entry| address_of(entry.dn_text())).await
    }

    async fn lists_named(
        &self,
        tenant: &TenantId,
        mails: &[String],
    ) -> Result<Vec<MailList>, DirectoryError> {
        let parts: Vec<_> = mails.iter().map(|mail| Filter::equal(names::MAIL, mail.as_str())).collect();
        let list = |entry: &Entry| MailList::from_entry(found_list(entry)?.mail, tenant.clone(), entry);
        self.lists_that_meet_any(tenant, &parts, READ_ATTRIBUTES, list).await
    }

    /// The lists of a user: as a member, by the conditions of a dynamic list, and through other lists.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn memberships(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        user: &User,
    ) -> Result<Vec<Membership>, DirectoryError> {
        let mut found = BTreeMap::new();
        let mut level = self.lists_with_members(tenant, &[self.tree().user(tenant, mail)]).await?;
        level.extend(self.dynamic_lists_of(tenant, user).await?);
        let mut is_direct = true;
        while !level.is_empty() {
            let mut new = Vec::new();
            for FoundList { mail, display_name } in level {
                if !found.contains_key(mail.as_str()) {
                    new.push(self.tree().list(tenant, &mail));
                    let mail = mail.to_string();
                    found.insert(mail.clone(), Membership { mail, display_name, is_direct });
                }
            }
            level = self.lists_with_members(tenant, &new).await?;
            is_direct = false;
        }
        Ok(found.into_values().collect())
    }

    async fn dynamic_lists_of(
        &self,
        tenant: &TenantId,
        user: &User,
    ) -> Result<Vec<FoundList>, DirectoryError> {
        let filter = Filter::all([Filter::present(names::LIST_FILTER), maillist::live_filter()]);
        let attributes = [names::DISPLAY_NAME, names::LIST_FILTER];
        let folder = self.tree().lists(tenant);
        let is_met = |entry: &Entry| Conditions::of_entry(entry).is_some_and(|c| c.are_met_by(user));
        let scan = self.scan(&folder, Scope::Subtree, &filter, &attributes).await?;
        scan.gather(|entry| found_list(entry).filter(|_| is_met(entry))).await
    }
}

impl Directory {
    /// Removes added lists again if a concurrent change has closed a cycle.
    pub(super) async fn undo_cycle(
        &self,
        tenant: &Tenant,
        list: &MailAddress,
        field: ListField,
        added: &[MailAddress],
    ) -> Result<(), WriteError> {
        let outcome = self.refuse_cycle(tenant, list, field, added).await;
        if let Err(WriteError::Members(..)) = outcome {
            let remove: Vec<_> =
                added.iter().map(|mail| Member::Inside(self.tree().list(&tenant.id, mail))).collect();
            match self.apply(&plan::departure(self.tree().list(&tenant.id, list), remove)).await {
                Ok(()) | Err(DirectoryError::Stale | DirectoryError::NotFound) => {}
                Err(error) => return Err(error.after_a_write().into()),
            }
        }
        outcome
    }
}

fn found_list(entry: &Entry) -> Option<FoundList> {
    let mail = MailAddress::parse(&address_of(entry.dn_text())?).ok()?;
    let display_name = entry.first(&names::DISPLAY_NAME).unwrap_or_default().to_owned();
    Some(FoundList { mail, display_name })
}
