//! Resources and resource groups in the directory: create, read, list, change, remove.
//!
//! Deleting a group also deletes its resources. It begins with a claim of the group. From then on the group is not
//! found any more, and the only possible operation is to continue its deletion, by another request or by the hourly
//! job. So the deletion can be killed at any point.

use crate::{
    Directory, Entry, Lookup, Scope,
    changing::{Attempts, NameTaken, WriteError},
    error::{DirectoryError, NOT_ALLOWED_ON_NON_LEAF},
    lists::{Collection, Page},
    tenants::TenantAtHand,
};
use ldap_text::{attribute::AttributeName, filter::Filter};
use mail_model::{
    address::MailAddress,
    deletion,
    list::PageRequest,
    names,
    resource::{
        self, Resource,
        command::{NewResource, ResourceValues},
        group::{self, GroupName, ResourceGroup},
        plan,
    },
    revision::{FreshRevision, Precondition},
    tenant::TenantId,
};
use std::sync::LazyLock;

/// How often a group is emptied again because a resource was created in it at the last moment. There are few such
/// resources, since the group is not found any more.
const MOST_ROUNDS: usize = 8;

static READ_ATTRIBUTES: LazyLock<Vec<AttributeName>> = LazyLock::new(resource::read_attributes);

impl Lookup {
    /// A page of a tenant's resource groups.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn resource_groups(
        &self,
        tenant: &TenantId,
        request: &PageRequest,
    ) -> Result<Page<ResourceGroup>, DirectoryError> {
        let collection = Collection {
            listing: &group::LISTING,
            folder: self.tree().resource_groups(tenant),
            scope: Scope::Children,
            who: group::live_filter(),
            attributes: group::READ_ATTRIBUTES,
        };
        let mut page = self.page(&collection, request, group_of).await?;
        let unfound = self.unfound_children(&collection.folder).await?;
        for group in &mut page.items {
            let folder = self.tree().resource_group(tenant, &group.name);
            group.resources = unfound.subtract_from(group.resources, &folder);
        }
        Ok(page)
    }

    /// Reads a resource group.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn resource_group(
        &self,
        tenant: &TenantId,
        name: &GroupName,
    ) -> Result<Option<ResourceGroup>, DirectoryError> {
        let group = self.group_in_any_state(tenant, name).await?;
        Ok(group.filter(|group| !group.being_deleted))
    }

    async fn group_in_any_state(
        &self,
        tenant: &TenantId,
        name: &GroupName,
    ) -> Result<Option<ResourceGroup>, DirectoryError> {
        let dn = self.tree().resource_group(tenant, name);
        let entry = self.find(&dn, Scope::Base, &group::of_class(), group::READ_ATTRIBUTES).await?;
        Ok(entry.and_then(|entry| group_of(&entry)))
    }

    async fn group_conflict(
        &self,
        tenant: &TenantId,
        name: &GroupName,
    ) -> Result<WriteError, DirectoryError> {
        let being_deleted =
            self.group_in_any_state(tenant, name).await?.is_some_and(|group| group.being_deleted);
        Ok(if being_deleted {
            WriteError::Conflict(format!(
                "{name} is being deleted. Delete it again to complete the deletion."
            ))
        } else {
            WriteError::NameTaken(NameTaken { name: name.to_string(), owner_deleted_since: None })
        })
    }

    /// A page of a group's resources.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn resources(
        &self,
        tenant: &TenantId,
        group: &ResourceGroup,
        request: &PageRequest,
    ) -> Result<Page<Resource>, DirectoryError> {
        let collection = Collection {
            listing: &resource::LISTING,
            folder: self.tree().resource_group(tenant, &group.name),
            scope: Scope::Subtree,
            who: resource::live_filter(),
            attributes: READ_ATTRIBUTES.as_slice(),
        };
        let read = |entry: &Entry| {
            let mail = MailAddress::parse(entry.dn()?.rdn()?.value_of(&names::MAIL)?).ok()?;
            Resource::from_entry(mail, tenant.clone(), group.name.clone(), entry)
        };
        self.page(&collection, request, read).await
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn resource(
        &self,
        tenant: &TenantId,
        group: &GroupName,
        mail: &MailAddress,
    ) -> Result<Option<Resource>, DirectoryError> {
        let dn = self.tree().resource(tenant, group, mail);
        let anything = Filter::present(names::OBJECT_CLASS);
        let entry = self.find(&dn, Scope::Base, &anything, &READ_ATTRIBUTES).await?;
        Ok(entry.and_then(|e| Resource::from_entry(mail.clone(), tenant.clone(), group.clone(), &e)))
    }
}

impl Directory {
    /// Creates a resource group.
    ///
    /// # Errors
    /// [`WriteError::NameTaken`] if a group of that name exists.
    pub async fn create_resource_group(&self, tenant: &TenantId, name: &GroupName) -> Result<(), WriteError> {
        let revision = FreshRevision::from_random(rand::random());
        match self.apply(&plan::group_creation(self.tree(), tenant, name, revision)).await {
            Err(DirectoryError::Exists) => Err(self.group_conflict(tenant, name).await?),
            outcome => Ok(outcome?),
        }
    }

    /// Renames a resource group with all its resources.
    ///
    /// # Errors
    /// [`WriteError::NameTaken`] if another group of that name exists.
    pub async fn rename_resource_group(
        &self,
        tenant: &TenantId,
        name: &GroupName,
        new_name: &GroupName,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(precondition);
        loop {
            let current = self.resource_group(tenant, name).await?.ok_or(WriteError::NotFound)?;
            attempts.allow(&current.version)?;
            if current.name == *new_name {
                return Ok(());
            }
            let changes = plan::group_renaming(self.tree(), tenant, &current, new_name);
            match self.apply_in_turn(&changes).await {
                Err(DirectoryError::Exists) => return Err(self.group_conflict(tenant, new_name).await?),
                outcome => {
                    if attempts.judge(outcome)?.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Deletes a resource group with all its resources. If the deletion was begun before, it is completed whatever the
    /// precondition, which was met at the beginning.
    ///
    /// # Errors
    /// [`WriteError`]; what was removed until then stays removed, and another request continues the deletion.
    pub async fn delete_resource_group(
        &self,
        tenant: &TenantId,
        name: &GroupName,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(precondition);
        loop {
            let current = self.group_in_any_state(tenant, name).await?.ok_or(WriteError::NotFound)?;
            if current.being_deleted {
                break;
            }
            attempts.allow(&current.version)?;
            let dn = self.tree().resource_group(tenant, &current.name);
            let claim = deletion::claim_of(dn, &current.version.revision);
            if attempts.judge(self.apply(&claim).await)?.is_some() {
                break;
            }
        }
        match self.empty_and_remove_group(tenant, name).await {
            Err(DirectoryError::Refused { code: NOT_ALLOWED_ON_NON_LEAF, .. }) => {
                Err(WriteError::Conflict(format!(
                    "{name} can't be removed: entries stand below it that pbm has not made. Its resources are removed; the administrator of the directory must remove the other entries."
                )))
            }
            outcome => Ok(outcome.map_err(DirectoryError::after_a_write)?),
        }
    }

    /// Completes the deletion of a claimed group. A resource that was created at the last moment is deleted too. If
    /// entries that are not resources are below the group, they stay, and so does the group. Another process may do
    /// the same at the same time, and a group of this name may be created again before this process notices: only the
    /// claimed entries are removed.
    pub(crate) async fn empty_and_remove_group(
        &self,
        tenant: &TenantId,
        name: &GroupName,
    ) -> Result<(), DirectoryError> {
        let folder = self.tree().resource_group(tenant, name);
        let filter = Filter::all([resource::of_class(), deletion::is_claimed()]);
        let removal = |dn, _: &Entry| Some(deletion::removal(dn));
        let mut rounds = 0;
        while self.is_claimed(&folder).await? {
            self.claim_all(&folder, Scope::Children).await?;
            let resources = self
                .change_all_found(&folder, Scope::Children, &filter, &[names::NO_ATTRIBUTES], removal)
                .await?;
            rounds += 1;
            match self.remove_claimed(folder.clone()).await {
                Err(DirectoryError::Refused { code: NOT_ALLOWED_ON_NON_LEAF, .. })
                    if resources.done > 0 && rounds < MOST_ROUNDS => {}
                outcome => return outcome,
            }
        }
        Ok(())
    }

    /// Creates a resource.
    ///
    /// # Errors
    /// [`WriteError::Taken`] if another entry has its address.
    pub async fn create_resource(
        &self,
        tenant: &TenantAtHand,
        group: &GroupName,
        new: &NewResource,
    ) -> Result<(), WriteError> {
        let addresses = [new.mail.to_string()];
        let revision = FreshRevision::from_random(rand::random());
        match self.apply(&plan::creation(self.tree(), &tenant.id, group, new, revision)).await {
            Err(DirectoryError::Exists | DirectoryError::NotUnique) => {
                Err(self.address_conflict(&tenant.id, &addresses, None).await?)
            }
            outcome => Ok(outcome?),
        }?;
        let standing = self.still_stands(tenant, &addresses).await;
        if standing.is_err() {
            self.take_back(&deletion::abandonment(self.tree().resource(&tenant.id, group, &new.mail))).await;
            return standing;
        }
        self.adopt(&tenant.id, &self.tree().resource(&tenant.id, group, &new.mail), &addresses).await;
        Ok(())
    }

    /// Changes a resource.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_resource(
        &self,
        tenant: &TenantId,
        group: &GroupName,
        mail: &MailAddress,
        fields: &ResourceValues,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(precondition);
        loop {
            let current = self.resource(tenant, group, mail).await?.ok_or(WriteError::NotFound)?;
            attempts.allow(&current.version)?;
            let Some(change) = plan::patch(self.tree(), &current, fields) else { return Ok(()) };
            if attempts.judge(self.apply(&change).await)?.is_some() {
                return Ok(());
            }
        }
    }

    /// Removes a resource.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn delete_resource(
        &self,
        tenant: &TenantId,
        group: &GroupName,
        mail: &MailAddress,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(precondition);
        let dn = self.tree().resource(tenant, group, mail);
        loop {
            let current = self.resource(tenant, group, mail).await?.ok_or(WriteError::NotFound)?;
            attempts.allow(&current.version)?;
            let outcome = self.claim_and_remove(dn.clone(), &current.version.revision).await;
            if attempts.judge(outcome)?.is_some() {
                return Ok(());
            }
        }
    }
}

fn group_of(entry: &Entry) -> Option<ResourceGroup> {
    ResourceGroup::from_entry(entry.dn()?.rdn()?, entry)
}
