//! The members of a request: the entries with the given addresses, found many at a time.

use super::refused::{FirstAddresses, MembersRefused};
use crate::{
    Entry, Lookup, Scope,
    changing::{WriteError, has_address},
    error::DirectoryError,
    product::look_up::FEW,
};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{
    address::MailAddress,
    deletion,
    entry::EntryView,
    field::ListField,
    maillist::{
        edit::MemberEdit,
        member::{Member, address_of},
    },
    names,
    tenant::{self, Tenant, TenantId},
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The entry that was found for an address.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) dn: Dn,
    pub(super) is_deleted: bool,
}

impl Lookup {
    /// Finds the members for addresses: users, lists and resources of the tenant, by address or alias, without repeats;
    /// all other addresses are outside members.
    ///
    /// # Errors
    /// [`WriteError::Members`] names addresses that nothing in the tenant has, or that are another tenant's.
    pub(super) async fn find_members(
        &self,
        tenant: &Tenant,
        field: ListField,
        addresses: &[MailAddress],
    ) -> Result<Vec<Member>, WriteError> {
        let (own, outside): (Vec<_>, Vec<_>) =
            addresses.iter().partition(|address| tenant.serves(address.domain()));
        self.refuse_other_tenants(field, &outside).await?;
        let found = self.find_owners(&tenant.id, &own).await?;
        let found: HashMap<_, _> = found.into_iter().filter(|(_, found)| !found.is_deleted).collect();
        let unknown = own.iter().filter(|address| !found.contains_key(address.as_str()));
        if let Some(unknown) = FirstAddresses::of(unknown.map(|address| address.as_str())) {
            return Err(WriteError::Members(field, MembersRefused::Unknown(unknown)));
        }
        let mut seen = HashSet::new();
        let member = |address: &MailAddress| match found.get(address.as_str()) {
            Some(found) => Member::Inside(found.dn.clone()),
            None => Member::Outside(address.clone()),
        };
        Ok(addresses.iter().map(member).filter(|member| seen.insert(member.clone())).collect())
    }

    /// All members that the addresses may stand for, including those of deleted entries and bare addresses.
    pub(super) async fn find_leaving_members(
        &self,
        tenant: &Tenant,
        addresses: &[MailAddress],
    ) -> Result<Vec<Member>, DirectoryError> {
        let own: Vec<_> = addresses.iter().filter(|address| tenant.serves(address.domain())).collect();
        let found = self.find_owners(&tenant.id, &own).await?;
        let mut members: Vec<_> = found.into_values().map(|found| Member::Inside(found.dn)).collect();
        members.extend(addresses.iter().cloned().map(Member::Outside));
        Ok(members)
    }

    /// The entries of the tenant that have the addresses, deleted or not, by address.
    pub(super) async fn find_owners(
        &self,
        tenant: &TenantId,
        addresses: &[&MailAddress],
    ) -> Result<HashMap<String, Found>, DirectoryError> {
        let mut owners = HashMap::with_capacity(addresses.len());
        let attributes = [names::MAIL, names::MAIL_ALTERNATE_ADDRESS, names::DELETED_SINCE, names::PURGING];
        let values: Vec<_> = addresses.iter().map(|address| has_address(address.as_str())).collect();
        let owner = |entry: &Entry| {
            let dn = entry.dn().filter(|dn| self.tree().is_of_tenant(dn, tenant))?;
            let own = [names::MAIL, names::MAIL_ALTERNATE_ADDRESS]
                .into_iter()
                .flat_map(|name| entry.values(&name).to_vec());
            Some((Found { dn, is_deleted: deletion::is_hidden(entry) }, own.collect::<Vec<_>>()))
        };
        let root = self.tree().root();
        for (found, own) in self.find_by_values(root, None, &values, &attributes, owner).await? {
            owners.extend(own.iter().map(|address| (address.to_lowercase(), found.clone())));
        }
        Ok(owners)
    }

    async fn refuse_other_tenants(
        &self,
        field: ListField,
        outside: &[&MailAddress],
    ) -> Result<(), WriteError> {
        let domains: BTreeSet<_> = outside.iter().map(|address| address.domain()).collect();
        let domains: Vec<_> = domains.into_iter().collect();
        let values: Vec<_> =
            domains.iter().map(|domain| Filter::equal(names::ASSOCIATED_DOMAIN, *domain)).collect();
        let (folder, attributes) = (self.tree().domains(), [names::ASSOCIATED_DOMAIN]);
        let served = |entry: &Entry| {
            let is_tenant = entry.dn().and_then(|dn| dn.parent()).as_ref() == Some(folder);
            is_tenant.then(|| entry.values(&names::ASSOCIATED_DOMAIN).to_vec())
        };
        let served =
            self.find_by_values(folder, Some(&tenant::of_class()), &values, &attributes, served).await?;
        let served: HashSet<_> = served.iter().flatten().map(|domain| domain.to_lowercase()).collect();
        let foreign = outside.iter().filter(|address| served.contains(address.domain()));
        match FirstAddresses::of(foreign.map(|address| address.as_str())) {
            None => Ok(()),
            Some(foreign) => Err(WriteError::Members(field, MembersRefused::OfOtherTenant(foreign))),
        }
    }

    /// The part of a change that a list still needs; `None` if there is no such list. For few members the server is asked
    /// about each, since to read all members of a list of 50,000 takes longer than to remove one.
    pub(super) async fn needed(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        edit: &MemberEdit,
    ) -> Result<Option<MemberEdit>, DirectoryError> {
        if edit.add.len() + edit.remove.len() > FEW {
            return Ok(self.mail_list(tenant, mail).await?.map(|list| edit.needed_by(&list.members)));
        }
        if self.list_head(tenant, mail).await?.is_none() {
            return Ok(None);
        }
        let list = self.tree().list(tenant, mail);
        let mut needed = MemberEdit::default();
        for member in &edit.add {
            needed.add.extend((!self.has_member(&list, member).await?).then(|| member.clone()));
        }
        for member in &edit.remove {
            needed.remove.extend(self.has_member(&list, member).await?.then(|| member.clone()));
        }
        Ok(Some(needed))
    }

    /// Whether a list has a member.
    pub(super) async fn has_member(&self, list: &Dn, member: &Member) -> Result<bool, DirectoryError> {
        let has = Filter::equal(member.attribute(), member.text());
        Ok(self.find(list, Scope::Base, &has, &[names::NO_ATTRIBUTES]).await?.is_some())
    }

    /// The addresses of a tenant's deleted users, which are not shown as members of lists. They are few, because the
    /// purge removes them, and fewer than the members of a large list. Whether they are members of a list is not
    /// checked.
    pub(super) async fn hidden_members(&self, tenant: &TenantId) -> Result<HashSet<String>, DirectoryError> {
        let users = self.tree().users(tenant);
        let scan =
            self.scan(&users, Scope::Subtree, &deletion::is_deleted(), &[names::NO_ATTRIBUTES]).await?;
        Ok(scan.gather(|entry| address_of(entry.dn_text())).await?.into_iter().collect())
    }
}
