//! Outside members that become entries of the tenant. A list may have an outside member in a domain that the tenant
//! serves only later. Once a user, list or resource has that address, the entry is the member. If the list kept the
//! bare address, it would have the member twice after the entry is added, keep it after the entry's deletion, and could
//! come to contain itself.
//!
//! So an operation that gives an entry an address searches, by an index, for lists that have the address as an outside
//! member, and replaces the address by the entry's DN. Decision 25 explains the consequences for races and cycles.

use super::refused::MembersRefused;
use crate::{
    Directory, Entry, Lookup, Scope, changing::WriteError, error::DirectoryError, product::look_up::FEW,
};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use mail_model::{
    address::{Domain, MailAddress},
    entry::EntryView,
    field::ListField,
    maillist::{
        self,
        member::{Member, Members, address_of},
        plan,
    },
    names,
    revision::FreshRevision,
    tenant::{Tenant, TenantId},
};
use std::collections::BTreeSet;

/// How often a replacement is planned again because others change the list.
const MAX_TRIES: usize = 32;

/// A list, and those of its outside members that are searched for.
struct Waiting {
    list: MailAddress,
    /// The identifier of the list's entry, for the log.
    id: String,
    addresses: Vec<MailAddress>,
}

/// The attributes to read a [`Waiting`].
const READ_ATTRIBUTES: &[AttributeName] = &[names::OUTSIDE_MEMBER, names::NS_UNIQUE_ID];

impl Waiting {
    fn of(entry: &Entry, is_wanted: impl Fn(&MailAddress) -> bool) -> Option<Self> {
        let mut addresses = parsed(entry.values(&names::OUTSIDE_MEMBER).iter());
        addresses.retain(is_wanted);
        Some(Self {
            list: MailAddress::parse(&address_of(entry.dn_text())?).ok()?,
            id: entry.first(&names::NS_UNIQUE_ID).unwrap_or_default().to_owned(),
            addresses,
        })
    }
}

/// A list that is about to have an address.
pub(super) struct Arrival<'a> {
    /// The new address.
    pub(super) mail: &'a MailAddress,
    /// The present address, if the list exists already.
    pub(super) before: Option<&'a MailAddress>,
    /// The lists that become its members in the same change.
    pub(super) nested: &'a [MailAddress],
    /// The field with the address.
    pub(super) field: ListField,
}

impl Arrival<'_> {
    fn cycle(&self, path: Vec<String>) -> WriteError {
        WriteError::Members(self.field, MembersRefused::Cycle(path))
    }
}

impl Lookup {
    /// Refuses a new address by which the list, or a list in it, would contain itself.
    pub(super) async fn refuse_cycle_of_arrival(
        &self,
        tenant: &TenantId,
        arrival: &Arrival<'_>,
    ) -> Result<(), WriteError> {
        let below: Vec<_> = arrival.nested.iter().chain(arrival.before).cloned().collect();
        for Waiting { list, .. } in
            self.lists_with_outside(tenant, std::slice::from_ref(arrival.mail)).await?
        {
            if arrival.before == Some(&list) {
                return Err(arrival.cycle(vec![arrival.mail.to_string(); 2]));
            }
            let path = if arrival.nested.contains(&list) {
                Some(vec![list.to_string(), list.to_string()])
            } else {
                self.closed_path(tenant, &list, &below).await?
            };
            if let Some(mut path) = path {
                path.retain(|mail| arrival.before.is_none_or(|before| mail != before.as_str()));
                path.insert(1, arrival.mail.to_string());
                return Err(arrival.cycle(path));
            }
        }
        Ok(())
    }

    async fn lists_with_outside(
        &self,
        tenant: &TenantId,
        addresses: &[MailAddress],
    ) -> Result<Vec<Waiting>, DirectoryError> {
        let has = |address: &MailAddress| Filter::equal(names::OUTSIDE_MEMBER, address.as_str());
        let parts: Vec<_> = addresses.iter().map(has).collect();
        self.waiting(tenant, &parts, |address| addresses.contains(address)).await
    }

    /// The live lists that meet any of the filters, each with its wanted outside members.
    async fn waiting(
        &self,
        tenant: &TenantId,
        parts: &[Filter],
        is_wanted: impl Fn(&MailAddress) -> bool,
    ) -> Result<Vec<Waiting>, DirectoryError> {
        let pick = |entry: &Entry| Waiting::of(entry, &is_wanted);
        let folder = self.tree().lists(tenant);
        let mut waiting = Vec::new();
        for parts in parts.chunks(FEW) {
            let filter = Filter::all([Filter::any(parts.iter().cloned()), maillist::live_filter()]);
            let scan = self.scan(&folder, Scope::Subtree, &filter, READ_ATTRIBUTES).await?;
            waiting.extend(scan.gather(pick).await?);
        }
        Ok(waiting)
    }
}

impl Directory {
    /// Makes an entry with new addresses a member of the lists that have these as outside members. A failure is only
    /// logged: the entry exists, mail reaches it by its address, and the hourly job tries again.
    pub(crate) async fn adopt(&self, tenant: &TenantId, owner: &Dn, addresses: &[String]) {
        if let Err(error) = self.try_to_adopt(tenant, owner, addresses).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "maillists.outside_members_left");
        }
    }

    async fn try_to_adopt(
        &self,
        tenant: &TenantId,
        owner: &Dn,
        addresses: &[String],
    ) -> Result<(), DirectoryError> {
        for waiting in self.lists_with_outside(tenant, &parsed(addresses.iter())).await? {
            self.exchange(tenant, &waiting.list, owner, &waiting.addresses).await?;
        }
        Ok(())
    }

    /// Makes a list with a new address a member of the lists that have the address as an outside member. If a
    /// concurrent change has closed a cycle, the additions are undone.
    pub(super) async fn adopt_list(
        &self,
        tenant: &TenantId,
        arrival: &Arrival<'_>,
    ) -> Result<(), WriteError> {
        let owner = self.tree().list(tenant, arrival.mail);
        let mut adopted = Vec::new();
        for Waiting { list, addresses, .. } in
            self.lists_with_outside(tenant, std::slice::from_ref(arrival.mail)).await?
        {
            self.exchange(tenant, &list, &owner, &addresses).await.map_err(DirectoryError::after_a_write)?;
            let path = self.closed_path(tenant, &list, std::slice::from_ref(arrival.mail)).await?;
            adopted.push(list);
            if let Some(path) = path {
                let (inside, outside) = (Member::Inside(owner), Member::Outside(arrival.mail.clone()));
                let back = |list| {
                    let members = (std::slice::from_ref(&inside), std::slice::from_ref(&outside));
                    plan::exchange(self.tree(), tenant, list, members, fresh())
                };
                self.take_back(&adopted.iter().map(back).collect::<Vec<_>>()).await;
                return Err(arrival.cycle(path));
            }
        }
        Ok(())
    }

    /// Replaces the outside members of one list whose addresses are the tenant's own.
    pub(super) async fn reconcile_outside_members(
        &self,
        tenant: &Tenant,
        list: &MailAddress,
    ) -> Result<(), DirectoryError> {
        let dn = self.tree().list(&tenant.id, list);
        let anything = Filter::present(names::OBJECT_CLASS);
        let entry = self.find(&dn, Scope::Base, &anything, READ_ATTRIBUTES).await?;
        let is_own = |address: &MailAddress| tenant.serves(address.domain());
        let waiting = entry.and_then(|entry| Waiting::of(&entry, is_own));
        self.reconcile(&tenant.id, waiting.into_iter().collect()).await
    }

    /// Replaces the outside members in a domain, in all lists of a tenant.
    pub(crate) async fn reconcile_outside_members_in(
        &self,
        tenant: &TenantId,
        domain: &Domain,
    ) -> Result<(), DirectoryError> {
        let end = format!("@{domain}");
        let filter = Filter::ends_with(names::OUTSIDE_MEMBER, end.as_str());
        let waiting = self.waiting(tenant, &[filter], |address| address.domain() == domain.as_str()).await?;
        self.reconcile(tenant, waiting).await
    }

    /// Replaces the outside members in all domains of all tenants: those left by interruptions, by restored files, and
    /// by other programs. A list that cannot be changed is logged, and does not stop the others.
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory does not work at all; the replacements until then stay.
    pub async fn reconcile_all_outside_members(&self) -> Result<(), DirectoryError> {
        for id in self.all_tenants().await? {
            let Some(tenant) = self.tenant(&id).await? else { continue };
            for domain in &tenant.domains {
                if let Err(error) = self.reconcile_outside_members_in(&id, domain).await {
                    self.of_one_entry(error).await?;
                }
            }
        }
        Ok(())
    }

    /// Replaces all outside members that can be replaced.
    ///
    /// # Errors
    /// The first failure, after all were tried.
    async fn reconcile(&self, tenant: &TenantId, waiting: Vec<Waiting>) -> Result<(), DirectoryError> {
        let all: BTreeSet<_> = waiting.iter().flat_map(|waiting| &waiting.addresses).collect();
        let owners = self.find_owners(tenant, &all.into_iter().collect::<Vec<_>>()).await?;
        let mut failed = None;
        for Waiting { list, id, addresses } in waiting {
            for address in addresses {
                let owner = owners.get(address.as_str()).filter(|owner| !owner.is_deleted);
                let Some(owner) = owner else { continue };
                let nested = self.nested_of(Some(&[Member::Inside(owner.dn.clone())]), tenant);
                if nested.contains(&list) || self.closed_path(tenant, &list, &nested).await?.is_some() {
                    // The list would contain itself. There is no caller to report this to, so the list stays as it is.
                    tracing::warn!(list = id, "maillists.cycle_left");
                    continue;
                }
                let exchanged = Box::pin(self.exchange(tenant, &list, &owner.dn, &[address])).await;
                if let Err(error) = exchanged {
                    let error = self.of_one_entry(error).await?;
                    let shown = &error as &dyn std::error::Error;
                    tracing::warn!(list = id, error = shown, "maillists.outside_member_left");
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Replaces outside members of a list by the DN of an entry, if the list still has them.
    async fn exchange(
        &self,
        tenant: &TenantId,
        list: &MailAddress,
        owner: &Dn,
        addresses: &[MailAddress],
    ) -> Result<(), DirectoryError> {
        let dn = self.tree().list(tenant, list);
        let anything = Filter::present(names::OBJECT_CLASS);
        for _ in 0..MAX_TRIES {
            let entry = self.find(&dn, Scope::Base, &anything, &[names::OUTSIDE_MEMBER]).await?;
            let Some(entry) = entry else { return Ok(()) };
            let outside: Vec<_> = addresses.iter().cloned().map(Member::Outside).collect();
            let outside = Members::of_entry(&entry).present(&outside);
            if outside.is_empty() {
                return Ok(());
            }
            let inside = Member::Inside(owner.clone());
            let inside = (!self.has_member(&dn, &inside).await?).then_some(inside);
            let change = plan::exchange(self.tree(), tenant, list, (&outside, inside.as_slice()), fresh());
            match self.apply(&change).await {
                Err(DirectoryError::Stale) => {}
                outcome => return outcome,
            }
        }
        Err(DirectoryError::Stale)
    }
}

fn parsed<'a>(addresses: impl Iterator<Item = &'a String>) -> Vec<MailAddress> {
    addresses.filter_map(|address| MailAddress::parse(address).ok()).collect()
}

fn fresh() -> FreshRevision {
    FreshRevision::from_random(rand::random())
}
