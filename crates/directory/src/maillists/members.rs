//! Who the members of a request are: the entries that have their addresses, found many at a time.

use crate::{Directory, Entry, Scope, changing::WriteError, error::DirectoryError};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{
    address::MailAddress,
    deletion,
    entry::EntryView,
    maillist::member::{Member, address_of},
    names,
    tenant::{self, Tenant, TenantId},
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Addresses that are looked up by one search: an OR of twice as many index look-ups.
const LOOK_UP_BATCH: usize = 100;
/// Addresses that an error names.
const MAX_NAMED: usize = 10;

/// An entry that an address was found at.
struct Found {
    dn: Dn,
    is_deleted: bool,
}

impl Directory {
    /// Finds out who addresses belong to: users, lists and resources of the tenant, by address or alias, each once;
    /// all others are outside.
    ///
    /// # Errors
    /// [`WriteError::Parameter`] names addresses that nobody has, or that are another tenant's.
    pub(super) async fn find_members(
        &self,
        tenant: &Tenant,
        parameter: &'static str,
        addresses: &[MailAddress],
    ) -> Result<Vec<Member>, WriteError> {
        let (own, outside): (Vec<_>, Vec<_>) =
            addresses.iter().partition(|address| tenant.serves(address.domain()));
        self.refuse_other_tenants(parameter, &outside).await?;
        let found = self.find_owners(&tenant.id, &own).await?;
        let found: HashMap<_, _> = found.into_iter().filter(|(_, found)| !found.is_deleted).collect();
        let unknown = own.iter().filter(|address| !found.contains_key(address.as_str()));
        refuse(parameter, "names addresses that nobody here has", unknown.map(|a| a.as_str()))?;
        let mut seen = HashSet::new();
        let member = |address: &MailAddress| match found.get(address.as_str()) {
            Some(found) => Member::Inside(found.dn.clone()),
            None => Member::Outside(address.clone()),
        };
        Ok(addresses.iter().map(member).filter(|member| seen.insert(member.clone())).collect())
    }

    /// Whatever members addresses may stand for, those of deleted entries and of none among them.
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

    async fn find_owners(
        &self,
        tenant: &TenantId,
        addresses: &[&MailAddress],
    ) -> Result<HashMap<String, Found>, DirectoryError> {
        let mut owners = HashMap::with_capacity(addresses.len());
        let attributes = [names::MAIL, names::MAIL_ALTERNATE_ADDRESS, names::DELETED_SINCE, names::PURGING];
        for batch in addresses.chunks(LOOK_UP_BATCH) {
            let is_owner = |address: &&MailAddress| {
                [names::MAIL, names::MAIL_ALTERNATE_ADDRESS].map(|name| Filter::equal(name, address.as_str()))
            };
            let filter = Filter::any(batch.iter().flat_map(is_owner));
            let mut scan = self.scan(self.tree().root(), Scope::Subtree, &filter, &attributes).await?;
            while let Some(entry) = scan.next().await? {
                let Some(dn) = entry.dn().filter(|dn| self.tree().is_of_tenant(dn, tenant)) else { continue };
                let is_deleted = deletion::is_hidden(&entry);
                let all =
                    entry.values(&names::MAIL).iter().chain(entry.values(&names::MAIL_ALTERNATE_ADDRESS));
                for address in all {
                    owners.insert(address.to_lowercase(), Found { dn: dn.clone(), is_deleted });
                }
            }
        }
        Ok(owners)
    }

    async fn refuse_other_tenants(
        &self,
        parameter: &'static str,
        outside: &[&MailAddress],
    ) -> Result<(), WriteError> {
        let domains: BTreeSet<_> = outside.iter().map(|address| address.domain()).collect();
        let domains: Vec<_> = domains.into_iter().collect();
        let mut served = HashSet::new();
        for batch in domains.chunks(LOOK_UP_BATCH) {
            let any = batch.iter().map(|domain| Filter::equal(names::ASSOCIATED_DOMAIN, *domain));
            let filter = Filter::all([tenant::of_class(), Filter::any(any)]);
            let folder = self.tree().domains();
            let scan = self.scan(folder, Scope::Children, &filter, &[names::ASSOCIATED_DOMAIN]).await?;
            let domains = |entry: &Entry| entry.values(&names::ASSOCIATED_DOMAIN).to_vec();
            served.extend(scan.gather(domains).await?.into_iter().map(|domain| domain.to_lowercase()));
        }
        let foreign = outside.iter().filter(|address| served.contains(address.domain()));
        let reason = "names addresses of another tenant; members are the tenant's own, or outside";
        refuse(parameter, reason, foreign.map(|a| a.as_str()))
    }

    /// The addresses of members that are deleted, and so are not shown: of one list, with all nested in it, or of any
    /// list of a tenant.
    pub(super) async fn hidden_members(
        &self,
        tenant: &TenantId,
        list: Option<&MailAddress>,
    ) -> Result<HashSet<String>, DirectoryError> {
        let is_member = match list {
            Some(mail) => Filter::equal(names::MEMBER_OF, self.tree().list(tenant, mail).to_string()),
            None => Filter::present(names::MEMBER_OF),
        };
        let filter = Filter::all([deletion::is_deleted(), is_member]);
        let users = self.tree().users(tenant);
        let scan = self.scan(&users, Scope::Subtree, &filter, &[names::NO_ATTRIBUTES]).await?;
        Ok(scan.gather(|entry| address_of(entry.dn_text())).await?.into_iter().collect())
    }
}

/// An error that names the first addresses, where there are any.
fn refuse<'a>(
    parameter: &'static str,
    reason: &str,
    addresses: impl Iterator<Item = &'a str>,
) -> Result<(), WriteError> {
    let all: Vec<_> = addresses.collect();
    if all.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = all.iter().take(MAX_NAMED).copied().collect();
    let more = match all.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(WriteError::Parameter(parameter, format!("{reason}: {}{more}", named.join(", "))))
}
