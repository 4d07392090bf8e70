//! Users in the directory: made, read, listed, changed, deleted, restored.

use crate::{
    Directory, Entry, Scope,
    error::{DirectoryError, PasswordRefusal},
};
use jiff::Timestamp;
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    filter::Filter,
    generalized_time,
    ldif::{Change, ChangeRecord},
};
use mail_model::{
    address::MailAddress,
    entry::EntryView,
    names,
    tenant::TenantId,
    user::{
        self, DeletedUser, LiveUser, User,
        command::{NewUser, UserPatch},
        list::{PageRequest, SortKey},
        plan,
    },
};
use std::{collections::BinaryHeap, sync::LazyLock};

/// How often a change is planned anew because someone else wrote the entry meanwhile. With ten writers
/// on one entry the last of them needs ten; more is no longer a race but a fault.
const MAX_TRIES: usize = 32;

/// How many entries of a page are read by one search: an OR of as many index look-ups.
const READ_BATCH: usize = 100;

static READ_ATTRIBUTES: LazyLock<Vec<AttributeName>> = LazyLock::new(user::read_attributes);

/// Why an operation on a user was not done.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// There is no such user, or not in this state of its life.
    #[error("no such user")]
    NotFound,
    /// An address belongs to another entry.
    #[error("an address is taken")]
    Taken(AddressTaken),
    /// Who asks may not touch this user.
    #[error("the user may not be touched by who asks")]
    Forbidden,
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
    pub owner_deleted_since: Option<Timestamp>,
}

/// Some of the matches of a list, and how many there are in all.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The users of the page, in order.
    pub users: Vec<T>,
    /// All matches.
    pub count: usize,
}

impl From<DirectoryError> for UserError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::NotFound => Self::NotFound,
            DirectoryError::PasswordRefused(refusal) => Self::PasswordRefused(refusal),
            other => Self::Directory(other),
        }
    }
}

impl Directory {
    /// Makes a user.
    ///
    /// # Errors
    /// [`UserError::Taken`] when the server finds one of its addresses elsewhere.
    pub async fn create_user(&self, tenant: &TenantId, new: &NewUser) -> Result<(), UserError> {
        match self.apply(&plan::creation(self.tree(), tenant, new)).await {
            Err(DirectoryError::Exists | DirectoryError::NotUnique) => {
                Err(self.who_has(tenant, &new.addresses(), None).await?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Reads a user that is not deleted.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<LiveUser>, DirectoryError> {
        let entry = self.user_entry(tenant, mail, &user::live_filter()).await?;
        Ok(entry.map(|entry| LiveUser::from_entry(mail.clone(), tenant.clone(), &entry)))
    }

    /// Reads a user that is deleted.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn deleted_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<DeletedUser>, DirectoryError> {
        let entry = self.user_entry(tenant, mail, &user::deleted_filter()).await?;
        Ok(entry.and_then(|entry| DeletedUser::from_entry(mail.clone(), tenant.clone(), &entry)))
    }

    async fn user_entry(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        filter: &Filter,
    ) -> Result<Option<Entry>, DirectoryError> {
        self.find(&self.tree().user(tenant, mail), Scope::Base, filter, &READ_ATTRIBUTES).await
    }

    /// Changes a user and returns its identifier. `may_touch` is asked about the very state that the change is
    /// planned on.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn patch_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        patch: &UserPatch,
        now: Timestamp,
        may_touch: impl Fn(&User) -> bool,
    ) -> Result<String, UserError> {
        let plan = |current: &LiveUser| plan::patch(self.tree(), current, patch, now);
        match self.change_live(tenant, mail, may_touch, plan).await {
            Err(UserError::Directory(DirectoryError::Exists | DirectoryError::NotUnique)) => {
                let own = self.tree().user(tenant, mail);
                Err(self.who_has(tenant, &patch.addresses(), Some(&own)).await?)
            }
            outcome => outcome,
        }
    }

    /// Deletes a user softly and returns its identifier.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn delete_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        now: Timestamp,
        may_touch: impl Fn(&User) -> bool,
    ) -> Result<String, UserError> {
        let plan = |current: &LiveUser| vec![plan::deletion(self.tree(), current, now)];
        self.change_live(tenant, mail, may_touch, plan).await
    }

    /// Undoes a deletion. Once a purge has claimed the user it is not found any more.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn restore_user(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        may_touch: impl Fn(&User) -> bool,
    ) -> Result<(), UserError> {
        let mut attempts = Attempts::default();
        loop {
            let deleted = self.deleted_user(tenant, mail).await?.ok_or(UserError::NotFound)?;
            if !may_touch(&deleted.user) {
                return Err(UserError::Forbidden);
            }
            let change = plan::restoration(self.tree(), &deleted).map_err(|_| UserError::NotFound)?;
            match self.apply(&change).await {
                Err(error) if attempts.may_go_on(&error) => {}
                outcome => return Ok(outcome?),
            }
        }
    }

    async fn change_live(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        may_touch: impl Fn(&User) -> bool,
        plan: impl Fn(&LiveUser) -> Vec<ChangeRecord>,
    ) -> Result<String, UserError> {
        let mut attempts = Attempts::default();
        loop {
            let current = self.user(tenant, mail).await?.ok_or(UserError::NotFound)?;
            if !may_touch(&current.user) {
                return Err(UserError::Forbidden);
            }
            match self.apply_in_turn(&plan(&current)).await {
                Err(error) if attempts.may_go_on(&error) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => return Ok(current.id),
            }
        }
    }

    /// Applies the changes of one plan. The first decides whether the plan still fits the entry; what
    /// follows belongs to a rename (see [`plan`]).
    async fn apply_in_turn(&self, changes: &[ChangeRecord]) -> Result<(), DirectoryError> {
        let Some((first, rest)) = changes.split_first() else { return Ok(()) };
        self.apply(first).await?;
        for change in rest {
            let outcome = self.apply(change).await.map_err(DirectoryError::after_a_write);
            match (&change.change, outcome) {
                // The reservation is gone already, which is what was wanted; or it stays behind, is
                // shown nowhere, and goes with the next rename.
                (Change::Modify(_), Err(DirectoryError::Stale)) => {}
                (Change::Modify(_), Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "user.rename.reservation_left");
                }
                (_, outcome) => outcome?,
            }
        }
        Ok(())
    }

    /// Which of some addresses another entry has.
    async fn who_has(
        &self,
        tenant: &TenantId,
        addresses: &[String],
        own: Option<&Dn>,
    ) -> Result<UserError, DirectoryError> {
        for address in addresses {
            let filter = Filter::any([
                Filter::equal(names::MAIL, address.as_str()),
                Filter::equal(names::MAIL_ALTERNATE_ADDRESS, address.as_str()),
            ]);
            let attributes = [names::DELETED_SINCE];
            let Some(owner) = self.find(self.tree().root(), Scope::Subtree, &filter, &attributes).await?
            else {
                continue;
            };
            let dn = owner.dn();
            if dn.as_ref() == own {
                continue;
            }
            let is_ours = dn.is_some_and(|dn| self.tree().is_of_tenant(&dn, tenant));
            let since =
                owner.first(&names::DELETED_SINCE).and_then(|since| generalized_time::parse(since).ok());
            return Ok(UserError::Taken(AddressTaken {
                address: address.clone(),
                owner_deleted_since: since.filter(|_| is_ours),
            }));
        }
        // Taken a moment ago and free again by now; the first is named, and asking again will do.
        let address = addresses.first().cloned().unwrap_or_default();
        Ok(UserError::Taken(AddressTaken { address, owner_deleted_since: None }))
    }

    /// A page of a tenant's users.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn users(
        &self,
        tenant: &TenantId,
        request: &PageRequest,
    ) -> Result<Page<User>, DirectoryError> {
        let read = |mail: MailAddress, entry: &Entry| Some(User::from_entry(mail, tenant.clone(), entry));
        self.page(tenant, user::live_filter(), request, read).await
    }

    /// A page of a tenant's deleted users.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn deleted_users(
        &self,
        tenant: &TenantId,
        request: &PageRequest,
    ) -> Result<Page<DeletedUser>, DirectoryError> {
        let read = |mail: MailAddress, entry: &Entry| DeletedUser::from_entry(mail, tenant.clone(), entry);
        self.page(tenant, user::deleted_filter(), request, read).await
    }

    /// 389-ds refuses to sort more than some thousand entries, so the sort keys alone are scanned, those
    /// up to the page are kept, and the page's entries are read.
    async fn page<T>(
        &self,
        tenant: &TenantId,
        who: Filter,
        request: &PageRequest,
        read: impl Fn(MailAddress, &Entry) -> Option<T>,
    ) -> Result<Page<T>, DirectoryError> {
        let (keys, count) = self.sort_keys(tenant, request.search.narrow(who.clone()), request).await?;
        let mut users = Vec::with_capacity(keys.len());
        for batch in keys.chunks(READ_BATCH) {
            users.extend(self.users_named(tenant, &who, batch, &read).await?);
        }
        Ok(Page { users, count })
    }

    /// The sort keys of a page's users in order, and the number of all matches.
    async fn sort_keys(
        &self,
        tenant: &TenantId,
        filter: Filter,
        request: &PageRequest,
    ) -> Result<(Vec<SortKey>, usize), DirectoryError> {
        let by = request.order_by.attribute();
        // The mail stands in the DN.
        let wanted = [by.clone().unwrap_or(names::NO_ATTRIBUTES)];
        let mut scan = self.scan(&self.tree().users(tenant), Scope::Children, &filter, &wanted).await?;
        let mut kept = Kept::new(request.offset().saturating_add(request.limit), request.descending);
        let mut count = 0;
        while let Some(entry) = scan.next().await? {
            let Some(mail) = mail_of(&entry) else { continue };
            count += 1;
            kept.offer(SortKey::new(mail, by.as_ref().and_then(|by| entry.first(by))));
        }
        Ok((kept.into_page(request.offset()), count))
    }

    async fn users_named<T>(
        &self,
        tenant: &TenantId,
        who: &Filter,
        keys: &[SortKey],
        read: impl Fn(MailAddress, &Entry) -> Option<T>,
    ) -> Result<Vec<T>, DirectoryError> {
        let named = Filter::any(keys.iter().map(|key| Filter::equal(names::MAIL, key.mail())));
        let filter = Filter::all([who.clone(), named]);
        let mut found: Vec<Option<T>> = keys.iter().map(|_| None).collect();
        let mut scan =
            self.scan(&self.tree().users(tenant), Scope::Children, &filter, &READ_ATTRIBUTES).await?;
        while let Some(entry) = scan.next().await? {
            let Some(mail) = mail_of(&entry) else { continue };
            let place = keys.iter().position(|key| key.mail() == mail).and_then(|place| found.get_mut(place));
            if let (Some(place), Ok(mail)) = (place, MailAddress::parse(&mail)) {
                *place = read(mail, &entry);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}

fn mail_of(entry: &Entry) -> Option<String> {
    let dn = entry.dn()?;
    dn.rdn()?.value_of(&names::MAIL).map(str::to_lowercase)
}

/// The first so many keys of an order, while they come in any order.
enum Kept {
    Ascending(BinaryHeap<SortKey>, usize),
    Descending(BinaryHeap<std::cmp::Reverse<SortKey>>, usize),
}

impl Kept {
    fn new(most: usize, descending: bool) -> Self {
        if descending {
            Self::Descending(BinaryHeap::new(), most)
        } else {
            Self::Ascending(BinaryHeap::new(), most)
        }
    }

    fn offer(&mut self, key: SortKey) {
        match self {
            Self::Ascending(heap, most) => offer(heap, *most, key),
            Self::Descending(heap, most) => offer(heap, *most, std::cmp::Reverse(key)),
        }
    }

    fn into_page(self, offset: usize) -> Vec<SortKey> {
        match self {
            Self::Ascending(heap, _) => heap.into_sorted_vec().into_iter().skip(offset).collect(),
            Self::Descending(heap, _) => {
                heap.into_sorted_vec().into_iter().skip(offset).map(|key| key.0).collect()
            }
        }
    }
}

fn offer<K: Ord>(heap: &mut BinaryHeap<K>, most: usize, key: K) {
    if heap.len() < most {
        heap.push(key);
    } else if let Some(mut largest) = heap.peek_mut()
        && key < *largest
    {
        *largest = key;
    }
}

/// Counts how often a change was planned in vain.
#[derive(Default)]
struct Attempts {
    stale: usize,
    refused: bool,
}

impl Attempts {
    /// Whether to read and plan again after an error. A refusal counts once: 389-ds answers a write to an
    /// entry that is gone with `insufficientAccessRights`, and reading again tells.
    fn may_go_on(&mut self, error: &DirectoryError) -> bool {
        match error {
            DirectoryError::Stale => {
                self.stale += 1;
                self.stale < MAX_TRIES
            }
            DirectoryError::Refused { .. } => !std::mem::replace(&mut self.refused, true),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_from_the_order_in_both_directions() {
        for (descending, expected) in [(false, ["c", "d"]), (true, ["c", "b"])] {
            let mut kept = Kept::new(4, descending);
            for mail in ["e", "a", "d", "c", "b"] {
                kept.offer(SortKey::new(mail.into(), None));
            }
            let page = kept.into_page(2);
            assert_eq!(
                page.iter().map(SortKey::mail).collect::<Vec<_>>(),
                expected,
                "descending: {descending}"
            );
        }
    }
}
