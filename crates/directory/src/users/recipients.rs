//! The users and the mailing lists behind addresses, for actions on many mailboxes.

use crate::{Entry, Lookup, changing::has_address, error::DirectoryError};
use ldap_text::{attribute::AttributeName, filter::Filter};
use mail_model::{
    address::MailAddress,
    entry::EntryView,
    maillist::{self, MailList},
    names,
    tenant::TenantId,
    user::{self, role::Role},
};
use std::collections::{HashMap, HashSet};

const USER: &[AttributeName] = &[names::NS_UNIQUE_ID, names::MAIL_ALTERNATE_ADDRESS, names::EMPLOYEE_NUMBER];

/// A user who has a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The identifier of the entry in 389-ds.
    pub id: String,
    /// The address, which names the mailbox.
    pub mail: MailAddress,
    /// The tenant.
    pub tenant: TenantId,
    /// The role, which decides who may act on the mailbox.
    pub role: Role,
}

impl Lookup {
    /// The users who have some addresses, as their own or as an alias, by these addresses: users of one tenant, or of
    /// all tenants if none is given. Deleted users, and those of deleted tenants, have none. Takes a search for every ten
    /// addresses.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn recipients(
        &self,
        within: Option<&TenantId>,
        addresses: &[MailAddress],
    ) -> Result<HashMap<String, Recipient>, DirectoryError> {
        let values: Vec<_> = addresses.iter().map(|address| has_address(address.as_str())).collect();
        let base = within.map_or_else(|| self.tree().people().clone(), |tenant| self.tree().users(tenant));
        let of_entry = |entry: &Entry| self.recipient(entry);
        let found = self.find_by_values(&base, Some(&user::live_filter()), &values, USER, of_entry).await?;
        let live = self.live_among(found.iter().map(|(recipient, _)| &recipient.tenant)).await?;
        let found = found.into_iter().filter(|(recipient, _)| live.contains(&recipient.tenant));
        let by_address = found.flat_map(|(recipient, addresses)| {
            addresses.into_iter().map(move |address| (address, recipient.clone()))
        });
        Ok(by_address.collect())
    }

    /// A user, and all addresses in lower case.
    fn recipient(&self, entry: &Entry) -> Option<(Recipient, Vec<String>)> {
        let (tenant, mail) = self.tree().user_of(&entry.dn()?)?;
        let id = entry.first(&names::NS_UNIQUE_ID)?.to_owned();
        let aliases = entry.values(&names::MAIL_ALTERNATE_ADDRESS).iter().map(|alias| alias.to_lowercase());
        let addresses = std::iter::once(mail.to_string()).chain(aliases).collect();
        let role = Role::of_entry(entry.first(&names::EMPLOYEE_NUMBER), &tenant);
        Some((Recipient { id, mail, tenant, role }, addresses))
    }

    /// Those of some tenants that are not deleted. The entries of a deleted tenant follow one by one.
    async fn live_among(
        &self,
        tenants: impl Iterator<Item = &TenantId>,
    ) -> Result<HashSet<TenantId>, DirectoryError> {
        let mut live = HashSet::new();
        for tenant in tenants.collect::<HashSet<_>>() {
            if self.is_live_tenant(tenant).await? {
                live.insert(tenant.clone());
            }
        }
        Ok(live)
    }

    /// The mailing lists that have some addresses: lists of one tenant, or of all tenants if none is given. Takes a
    /// search for every ten addresses.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn mail_lists_of(
        &self,
        within: Option<&TenantId>,
        addresses: &[MailAddress],
    ) -> Result<Vec<MailList>, DirectoryError> {
        let values: Vec<_> = addresses.iter().map(|mail| Filter::equal(names::MAIL, mail.as_str())).collect();
        let [_, _, groups, ..] = self.tree().folders();
        let base = within.map_or_else(|| groups.clone(), |tenant| self.tree().lists(tenant));
        let list = |entry: &Entry| {
            let dn = entry.dn()?;
            let mail = MailAddress::parse(dn.rdn()?.value_of(&names::MAIL)?).ok()?;
            MailList::from_entry(mail, self.tree().owner_of(&dn)?, entry)
        };
        let (live, read) = (maillist::live_filter(), maillist::READ_ATTRIBUTES);
        let found = self.find_by_values(&base, Some(&live), &values, read, list).await?;
        let live = self.live_among(found.iter().map(|list| &list.tenant)).await?;
        Ok(found.into_iter().filter(|list| live.contains(&list.tenant)).collect())
    }
}
