//! Tenants in the directory: create, read, list, change, delete and restore them with everything that belongs to them.

mod at_hand;
mod domains;
mod following;

use crate::{
    Directory, Entry, Lookup, Scope,
    changing::{Attempts, NameTaken, WriteError},
    error::DirectoryError,
    lists::{Collection, Page},
};
use jiff::Timestamp;
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter, ldif::ChangeRecord};
use mail_model::{
    address::Domain,
    deletion::{self, Since},
    entry::EntryView,
    list::PageRequest,
    maillist, names, resource,
    revision::Precondition,
    tenant::{
        self, DeletedTenant, LiveTenant, READ_ATTRIBUTES, Tenant, TenantId, command::TenantPatch, plan,
    },
    user,
};

pub use at_hand::TenantAtHand;

/// How many entries of each kind a tenant has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantCounts {
    /// Users that are not deleted.
    pub users: usize,
    /// Users that are deleted and not purged yet.
    pub deleted_users: usize,
    /// Mailing lists.
    pub mail_lists: usize,
    /// Resource groups.
    pub resource_groups: usize,
    /// Resources in all groups.
    pub resources: usize,
}

impl Lookup {
    /// Reads a tenant that is not deleted, with the version that a change can be planned on.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn live_tenant(&self, id: &TenantId) -> Result<Option<LiveTenant>, DirectoryError> {
        let entry = self.tenant_entry(id).await?;
        Ok(entry.and_then(|entry| LiveTenant::from_entry(id.clone(), &entry)))
    }

    /// Reads a tenant that is deleted.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn deleted_tenant(&self, id: &TenantId) -> Result<Option<DeletedTenant>, DirectoryError> {
        let entry = self.tenant_entry(id).await?;
        Ok(entry.and_then(|entry| DeletedTenant::from_entry(id.clone(), &entry)))
    }

    async fn tenant_entry(&self, id: &TenantId) -> Result<Option<Entry>, DirectoryError> {
        let anything = Filter::present(names::OBJECT_CLASS);
        self.find(&self.tree().tenant(id), Scope::Base, &anything, READ_ATTRIBUTES).await
    }

    /// A page of the tenants.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn tenants(&self, request: &PageRequest) -> Result<Page<Tenant>, DirectoryError> {
        let read = |entry: &Entry| Some(LiveTenant::from_entry(self.tenant_id(entry)?, entry)?.tenant);
        self.page(&self.collection_of_tenants(tenant::live_filter()), request, read).await
    }

    /// A page of the deleted tenants.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn deleted_tenants(
        &self,
        request: &PageRequest,
    ) -> Result<Page<DeletedTenant>, DirectoryError> {
        let read = |entry: &Entry| DeletedTenant::from_entry(self.tenant_id(entry)?, entry);
        self.page(&self.collection_of_tenants(tenant::deleted_filter()), request, read).await
    }

    fn collection_of_tenants(&self, who: Filter) -> Collection<'static> {
        let folder = self.tree().domains().clone();
        Collection {
            listing: &tenant::LISTING,
            folder,
            scope: Scope::Children,
            who,
            attributes: READ_ATTRIBUTES,
        }
    }

    fn tenant_id(&self, entry: &Entry) -> Option<TenantId> {
        self.tree().tenant_of(&entry.dn()?)
    }

    /// Counts the entries of a tenant, by the server's own counts of children and by searches for deleted entries.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn tenant_counts(&self, id: &TenantId) -> Result<TenantCounts, DirectoryError> {
        let tree = self.tree();
        let deleted_users = self.count(&tree.users(id), Scope::Subtree, &user::deleted_filter()).await?;
        let users = self.children_of(&tree.users(id)).await?;
        let groups = tree.resource_groups(id);
        let unfound = self.unfound_children(&groups).await?;
        let mut scan = self
            .scan(&groups, Scope::Children, &resource::group::live_filter(), resource::group::READ_ATTRIBUTES)
            .await?;
        let (mut resource_groups, mut resources) = (0, 0);
        while let Some(entry) = scan.next().await? {
            resource_groups += 1;
            resources += entry.dn().map_or(0, |dn| unfound.subtract_from(subordinates(&entry), &dn));
        }
        Ok(TenantCounts {
            users: users.saturating_sub(deleted_users),
            deleted_users,
            mail_lists: self.count(&tree.lists(id), Scope::Subtree, &maillist::live_filter()).await?,
            resource_groups,
            resources,
        })
    }

    /// The folders of all tenants that are not empty: of users, lists, resources and outside contacts.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn folders_of_tenants(&self) -> Result<Vec<Dn>, DirectoryError> {
        let [_, people, groups, resources, contacts, _] = self.tree().folders();
        let anything = Filter::present(names::OBJECT_CLASS);
        let mut folders = Vec::new();
        for folder in [people, groups, resources, contacts] {
            let scan = self.scan(folder, Scope::Children, &anything, &[names::NUM_SUBORDINATES]).await?;
            folders.extend(scan.gather(|entry| entry.dn().filter(|_| subordinates(entry) > 0)).await?);
        }
        Ok(folders)
    }

    /// How many children of a folder a search finds.
    async fn children_of(&self, folder: &Dn) -> Result<usize, DirectoryError> {
        let anything = Filter::present(names::OBJECT_CLASS);
        let entry = self.find(folder, Scope::Base, &anything, &[names::NUM_SUBORDINATES]).await?;
        let unfound = self.unfound_children(folder).await?;
        Ok(unfound.subtract_from(entry.as_ref().map_or(0, subordinates), folder))
    }

    async fn count(&self, base: &Dn, scope: Scope, filter: &Filter) -> Result<usize, DirectoryError> {
        let mut scan = self.scan(base, scope, filter, &[names::NO_ATTRIBUTES]).await?;
        let mut count = 0;
        while scan.next().await?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    async fn tenant_name_taken(&self, id: &TenantId) -> Result<Option<NameTaken>, DirectoryError> {
        let entry = self.tenant_entry(id).await?;
        let owner = entry.map(|entry| Since::of_entry(&entry));
        Ok(owner.map(|owner_deleted_since| NameTaken { name: id.to_string(), owner_deleted_since }))
    }

    /// Whether a tenant exists and is not deleted.
    pub(crate) async fn is_live_tenant(&self, id: &TenantId) -> Result<bool, DirectoryError> {
        let filter = deletion::is_live();
        let found = self.find(&self.tree().tenant(id), Scope::Base, &filter, &[names::NO_ATTRIBUTES]).await?;
        Ok(found.is_some())
    }
}

impl Directory {
    /// Creates a tenant. If it is interrupted, another request completes it: the tenant's own entry is written last.
    ///
    /// # Errors
    /// [`WriteError::NameTaken`] if the tenant exists, deleted or not, or the domain belongs to another tenant.
    pub async fn create_tenant(&self, id: &TenantId, domain: &Domain) -> Result<(), WriteError> {
        if let Some(taken) = self.tenant_name_taken(id).await? {
            return Err(WriteError::NameTaken(taken));
        }
        if let Some(taken) = self.domain_taken(domain).await? {
            return Err(WriteError::NameTaken(taken));
        }
        let changes = plan::creation(self.tree(), id, domain);
        let (entry, folders) = changes.split_last().unzip();
        for folder in folders.unwrap_or_default() {
            self.apply_unless_there(folder).await?;
        }
        let Some(entry) = entry else { return Ok(()) };
        let taken = |name: &str| NameTaken { name: name.to_owned(), owner_deleted_since: None };
        match self.apply(entry).await {
            Err(DirectoryError::Exists) => Err(WriteError::NameTaken(taken(id.as_str()))),
            Err(DirectoryError::NotUnique) => Err(WriteError::NameTaken(taken(domain.as_str()))),
            outcome => Ok(outcome?),
        }
    }

    /// Creates a tenant whose name is derived from its domain.
    ///
    /// # Errors
    /// [`WriteError::NameTaken`] if the domain belongs to another tenant.
    pub async fn create_tenant_of_domain(&self, domain: &Domain) -> Result<TenantId, WriteError> {
        for id in TenantId::suggestions(domain) {
            match self.create_tenant(&id, domain).await {
                Err(WriteError::NameTaken(taken)) if taken.name == id.as_str() => {}
                outcome => return outcome.map(|()| id),
            }
        }
        Err(WriteError::NotFound)
    }

    async fn apply_unless_there(&self, record: &ChangeRecord) -> Result<(), DirectoryError> {
        match self.apply(record).await {
            Err(DirectoryError::Exists) => Ok(()),
            outcome => outcome,
        }
    }

    /// Changes the defaults for new users of a tenant.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_tenant(
        &self,
        id: &TenantId,
        patch: &TenantPatch,
        precondition: &Precondition,
    ) -> Result<(), WriteError> {
        self.change_tenant(id, precondition, |current| plan::patch(self.tree(), current, patch)).await
    }

    /// Soft-deletes a tenant with everything that belongs to it.
    ///
    /// # Errors
    /// [`WriteError`]; once the tenant's own entry is marked as deleted, its other entries follow at the latest with
    /// the next hourly job.
    pub async fn delete_tenant(
        &self,
        id: &TenantId,
        precondition: &Precondition,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        if id.is_default() {
            return Err(WriteError::Conflict(
                "The tenant default can't be deleted: super administrators belong to it.".into(),
            ));
        }
        self.change_tenant(id, precondition, |current| Some(plan::deletion(self.tree(), current, now)))
            .await?;
        self.reconcile_whole_tenant(id, now).await?;
        // Also covers entries that were being created when the tenant was deleted.
        self.let_others_finish().await;
        self.reconcile_whole_tenant(id, now).await
    }

    /// Undoes the deletion of a tenant; everything that was deleted with it is restored.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn restore_tenant(&self, id: &TenantId, now: Timestamp) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(&Precondition::None);
        loop {
            let deleted = self.deleted_tenant(id).await?.ok_or(WriteError::NotFound)?;
            let change = plan::restoration(self.tree(), &deleted).ok_or(WriteError::NotFound)?;
            if attempts.judge(self.apply(&change).await)?.is_some() {
                break;
            }
        }
        self.reconcile_whole_tenant(id, now).await
    }

    /// Brings all entries of a tenant in line with the tenant's own state, which was written a moment ago.
    async fn reconcile_whole_tenant(&self, id: &TenantId, now: Timestamp) -> Result<(), WriteError> {
        let applied = self.reconcile_tenant(id, now).await.map_err(DirectoryError::after_a_write)?;
        Ok(applied.complete().map_err(DirectoryError::after_a_write)?)
    }

    async fn change_tenant(
        &self,
        id: &TenantId,
        precondition: &Precondition,
        plan: impl Fn(&LiveTenant) -> Option<ChangeRecord>,
    ) -> Result<(), WriteError> {
        let mut attempts = Attempts::under(precondition);
        loop {
            let current = self.live_tenant(id).await?.ok_or(WriteError::NotFound)?;
            attempts.allow(&current.version)?;
            let changes: Vec<_> = plan(&current).into_iter().collect();
            if attempts.judge(self.apply_in_turn(&changes).await)?.is_some() {
                return Ok(());
            }
        }
    }
}

fn subordinates(entry: &Entry) -> usize {
    let name: AttributeName = names::NUM_SUBORDINATES;
    entry.first(&name).and_then(|text| text.parse().ok()).unwrap_or(0)
}
