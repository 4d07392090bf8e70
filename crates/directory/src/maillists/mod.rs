//! Mailing lists in the directory: creating, reading, listing, changing and removing them.

mod adoption;
mod leaving;
mod members;
mod nesting;
pub mod refused;

use crate::{
    Directory, Entry, Lookup, Scope,
    changing::{Attempts, WriteError},
    error::DirectoryError,
    lists::{Collection, Page},
    tenants::TenantAtHand,
};
use ldap_text::{attribute::AttributeName, filter::Filter};
use mail_model::{
    address::MailAddress,
    deletion,
    field::ListField,
    list::PageRequest,
    maillist::{
        self, HEAD_ATTRIBUTES, MailList, READ_ATTRIBUTES,
        command::{Addresses, Content, ContentChange, MailListPatch, NewMailList},
        edit::MemberEdit,
        member::Member,
        plan::{self, ContentPlan, FoundContent},
        summary::MailListSummary,
    },
    names,
    revision::{FreshRevision, Precondition},
    tenant::{Tenant, TenantId},
};

use adoption::Arrival;
pub use nesting::Membership;
use refused::MembersRefused;

impl Lookup {
    /// Reads a list with all its members.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn mail_list(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<MailList>, DirectoryError> {
        self.read_list(tenant, mail, READ_ATTRIBUTES).await
    }

    /// Reads a list without its members.
    async fn list_head(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
    ) -> Result<Option<MailList>, DirectoryError> {
        self.read_list(tenant, mail, HEAD_ATTRIBUTES).await
    }

    async fn read_list(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        attributes: &[AttributeName],
    ) -> Result<Option<MailList>, DirectoryError> {
        let anything = Filter::present(names::OBJECT_CLASS);
        let entry = self.find(&self.tree().list(tenant, mail), Scope::Base, &anything, attributes).await?;
        Ok(entry.and_then(|entry| MailList::from_entry(mail.clone(), tenant.clone(), &entry)))
    }

    /// A page of a tenant's lists.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn mail_lists(
        &self,
        tenant: &TenantId,
        request: &PageRequest,
    ) -> Result<Page<MailListSummary>, DirectoryError> {
        let hidden = self.hidden_members(tenant).await?;
        let collection = Collection {
            listing: &maillist::LISTING,
            folder: self.tree().lists(tenant),
            scope: Scope::Subtree,
            who: maillist::live_filter(),
            attributes: READ_ATTRIBUTES,
        };
        // Only the summary of each list is kept, because a page may have many lists with many members each.
        let read = |entry: &Entry| {
            let mail = MailAddress::parse(entry.dn()?.rdn()?.value_of(&names::MAIL)?).ok()?;
            Some(MailListSummary::of(&MailList::from_entry(mail, tenant.clone(), entry)?, &hidden))
        };
        self.page(&collection, request, read).await
    }

    /// The members that a change adds and removes, if it does so.
    async fn found_edit(
        &self,
        tenant: &Tenant,
        list: &MailList,
        patch: &MailListPatch,
    ) -> Result<Option<MemberEdit>, WriteError> {
        let Some(ContentChange::Edit { add, remove }) = &patch.content else { return Ok(None) };
        if list.conditions.is_some() {
            return Err(no_members(add));
        }
        let add = self.find_members(tenant, ListField::Added, add).await?;
        Ok(Some(MemberEdit { add, remove: self.find_leaving_members(tenant, remove).await? }))
    }
}

impl Directory {
    /// Creates a list.
    ///
    /// # Errors
    /// [`WriteError::Members`] for members that are not allowed, [`WriteError::Taken`] if another entry has the
    /// address.
    pub async fn create_mail_list(&self, tenant: &TenantAtHand, new: &NewMailList) -> Result<(), WriteError> {
        let revision = FreshRevision::from_random(rand::random());
        let members = match &new.content {
            Content::Members(addresses) => self.find_members(tenant, ListField::Added, addresses).await?,
            Content::Conditions(_) => Vec::new(),
        };
        let nested = self.nested_of(Some(&members), &tenant.id);
        let (first, later) = MemberEdit { add: members, remove: Vec::new() }.in_pieces();
        let content = match &new.content {
            Content::Members(_) => FoundContent::Members(&first.add),
            Content::Conditions(conditions) => FoundContent::Conditions(conditions),
        };
        let change = plan::creation(self.tree(), &tenant.id, new, &content, revision);
        let arrival = Arrival { mail: &new.mail, before: None, nested: &nested, field: ListField::Added };
        self.refuse_cycle_of_arrival(&tenant.id, &arrival).await?;
        match self.apply(&change).await {
            Err(DirectoryError::Exists | DirectoryError::NotUnique) => {
                Err(self.address_conflict(&tenant.id, &[new.mail.to_string()], None).await?)
            }
            outcome => Ok(outcome?),
        }?;
        let standing = self.still_stands(tenant, &[new.mail.to_string()]).await;
        let is_ours = standing.is_ok();
        let adopted = match standing {
            Ok(()) => {
                // Boxed, since these are seldom needed and would add to the size of the whole future.
                let edited = Box::pin(self.edit_later(tenant, &new.mail, later, rand::random)).await;
                Box::pin(self.adopt_list(&tenant.id, &arrival)).await.and(edited)
            }
            refused => refused,
        };
        if !is_ours || matches!(adopted, Err(WriteError::Members(..))) {
            let abandonment = deletion::abandonment(self.tree().list(&tenant.id, &new.mail));
            Box::pin(self.take_back(&abandonment)).await;
        }
        adopted
    }

    /// Changes a list. Two concurrent additions or removals of different members both succeed; all other changes are
    /// planned on the list as it was read. `random` makes the revision of changes that replace no revision.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_mail_list(
        &self,
        tenant: &TenantAtHand,
        mail: &MailAddress,
        patch: &MailListPatch,
        precondition: &Precondition,
        random: impl Fn() -> u64,
    ) -> Result<(), WriteError> {
        let head = self.list_head(&tenant.id, mail).await?.ok_or(WriteError::NotFound)?;
        let edit = self.found_edit(tenant, &head, patch).await?;
        let replaces = matches!(patch.content, Some(ContentChange::Replace(_)));
        let added = match &patch.content {
            Some(ContentChange::Replace(Content::Members(addresses))) => {
                Some(self.find_members(tenant, ListField::Members, addresses).await?)
            }
            _ => None,
        };
        let adds_members = added.is_some() || edit.as_ref().is_some_and(|edit| !edit.add.is_empty());
        let field = if replaces { ListField::Members } else { ListField::Added };
        let nested = self.nested_of(added.as_deref().or(edit.as_ref().map(|e| e.add.as_slice())), &tenant.id);
        self.refuse_cycle(tenant, mail, field, &nested).await?;
        let arrival = patch.new_mail.as_ref().map(|new_mail| Arrival {
            mail: new_mail,
            before: Some(mail),
            nested: &nested,
            field: ListField::NewMail,
        });
        if let Some(arrival) = &arrival {
            self.refuse_cycle_of_arrival(&tenant.id, arrival).await?;
        }
        let later = if replaces || patch.new_mail.is_some() || precondition.names_versions() {
            self.patch_as_read(tenant, mail, patch, edit.as_ref(), added.as_deref(), precondition).await?
        } else {
            self.patch_members(tenant, mail, edit.unwrap_or_default(), patch, &random).await?
        };
        let mail = patch.new_mail.as_ref().unwrap_or(mail);
        let edited = Box::pin(self.edit_later(tenant, mail, later, random)).await;
        // Even if the later members failed, since the first ones may have closed a cycle.
        self.undo_cycle(tenant, mail, field, &nested).await?;
        if let Some(arrival) = &arrival {
            self.adopt_list(&tenant.id, arrival).await?;
        }
        if adds_members {
            self.reconcile_outside_members(tenant, mail).await.map_err(DirectoryError::after_a_write)?;
        }
        edited
    }

    /// Changes members and the displayed name whatever the list's revision is. Returns members that are to be added and
    /// removed afterwards.
    async fn patch_members(
        &self,
        tenant: &Tenant,
        mail: &MailAddress,
        mut edit: MemberEdit,
        patch: &MailListPatch,
        random: &impl Fn() -> u64,
    ) -> Result<Vec<MemberEdit>, WriteError> {
        // An address to remove stands for several members, of which the list has one at most.
        if !edit.remove.is_empty() {
            edit = self.needed(&tenant.id, mail, &edit).await?.ok_or(WriteError::NotFound)?;
        }
        let (first, later) = edit.in_pieces();
        self.edit_members(tenant, mail, first, patch.display_name.as_deref(), random).await?;
        Ok(later)
    }

    /// Adds and removes members whatever the list's revision is. The first attempt assumes that the list has none of
    /// the new members and all of those to remove. If that is wrong, 389-ds refuses the whole change, and the list is read.
    async fn edit_members(
        &self,
        tenant: &Tenant,
        mail: &MailAddress,
        edit: MemberEdit,
        display_name: Option<&str>,
        random: &impl Fn() -> u64,
    ) -> Result<(), WriteError> {
        let no_condition = Precondition::None;
        let mut attempts = Attempts::under(&no_condition);
        let mut members = edit.clone();
        loop {
            let fresh = FreshRevision::from_random(random());
            let change = plan::edit(self.tree(), &tenant.id, mail, &members, display_name, fresh);
            let Some(change) = change else { return Ok(()) };
            if attempts.judge(self.apply(&change).await)?.is_some() {
                return Ok(());
            }
            members = self.needed(&tenant.id, mail, &edit).await?.ok_or(WriteError::NotFound)?;
        }
    }

    /// Adds and removes the members that did not fit into the operation with which a change began.
    async fn edit_later(
        &self,
        tenant: &Tenant,
        mail: &MailAddress,
        pieces: Vec<MemberEdit>,
        random: impl Fn() -> u64,
    ) -> Result<(), WriteError> {
        for piece in pieces {
            let edited = self.edit_members(tenant, mail, piece, None, &random).await;
            edited.map_err(WriteError::after_a_write)?;
        }
        Ok(())
    }

    /// Changes a list as it is read. Returns members that are to be added and removed afterwards.
    async fn patch_as_read(
        &self,
        tenant: &TenantAtHand,
        mail: &MailAddress,
        patch: &MailListPatch,
        edit: Option<&MemberEdit>,
        members: Option<&[Member]>,
        precondition: &Precondition,
    ) -> Result<Vec<MemberEdit>, WriteError> {
        let mut attempts = Attempts::under(precondition);
        loop {
            let current = self.mail_list(&tenant.id, mail).await?.ok_or(WriteError::NotFound)?;
            attempts.allow(&current.version)?;
            let ContentPlan { modifications, later } = match (&patch.content, members) {
                (Some(ContentChange::Replace(Content::Conditions(conditions))), _) => {
                    plan::replacement(self.tree(), &current, &FoundContent::Conditions(conditions))
                }
                (_, Some(members)) => {
                    plan::replacement(self.tree(), &current, &FoundContent::Members(members))
                }
                _ => edit.map_or_else(ContentPlan::default, |edit| {
                    ContentPlan::of_members(edit.needed_by(&current.members))
                }),
            };
            let (new_mail, display_name) = (patch.new_mail.as_ref(), patch.display_name.as_deref());
            let changes = plan::patch(self.tree(), &current, new_mail, display_name, modifications);
            let Some((first, rest)) = changes.split_first() else { return Ok(later) };
            let wanted: Vec<_> = new_mail.iter().map(ToString::to_string).collect();
            let outcome = match self.apply(first).await {
                Err(DirectoryError::Exists | DirectoryError::NotUnique) => {
                    let own = self.tree().list(&tenant.id, mail);
                    return Err(self.address_conflict(&tenant.id, &wanted, Some(&own)).await?);
                }
                outcome => outcome,
            };
            if attempts.judge(outcome)?.is_some() {
                if let Err(error) = self.still_stands(tenant, &wanted).await {
                    self.take_back(&[plan::retreat(self.tree(), &current, &wanted)]).await;
                    return Err(error);
                }
                self.apply_rest(rest).await?;
                return Ok(later);
            }
        }
    }

    /// Removes a list.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_mail_list(
        &self,
        tenant: &TenantId,
        mail: &MailAddress,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(precondition);
        let dn = self.tree().list(tenant, mail);
        loop {
            let current = self.list_head(tenant, mail).await?.ok_or(WriteError::NotFound)?;
            attempts.allow(&current.version)?;
            let outcome = self.claim_and_remove(dn.clone(), &current.version.revision).await;
            if attempts.judge(outcome)?.is_some() {
                return Ok(());
            }
        }
    }
}

fn no_members(add: &Addresses) -> WriteError {
    let field = if add.is_empty() { ListField::Removed } else { ListField::Added };
    WriteError::Members(field, MembersRefused::Dynamic)
}
