//! The kinds of operation, and their time limits.

use std::{sync::LazyLock, time::Duration};

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    CreateUser,
    ReadUser,
    ChangeUser,
    RenameUser,
    DeleteUser,
    UndeleteUser,
    Conflict,
    CreateList,
    AddMembers,
    RemoveMembers,
    RenameList,
    DeleteList,
    CreateResource,
    RenameGroup,
    DeleteGroup,
    BulkImport,
    BulkDryRun,
    UsersPage,
    UsersPageWithoutRedis,
    DeletedUsersPage,
    ListsPage,
    ResourcesPage,
    GroupsPage,
    TenantsPage,
    TenantCounts,
    ReadList,
    ExpandList,
    Memberships,
    BookPage,
    BookPageWithoutRedis,
    Suggest,
    Changes,
    Export,
    LdapAdds,
    LdapChanges,
    LdapRenames,
    LdapDeletions,
    LdapReaders,
    TenantBackup,
    Backup,
    RestoreDryRun,
    Diff,
    PurgeDryRun,
    Purge,
}

/// One request.
const SHORT: Duration = Duration::from_secs(15);
/// A request that reads all entries of a tenant, or makes some dozens of changes.
const LONG: Duration = Duration::from_secs(30);
/// A command that reads the whole directory.
const WHOLE: Duration = Duration::from_secs(120);
/// The import that fills the directory, and the removal of all deleted data.
const MASS: Duration = Duration::from_secs(300);

/// All kinds with their names in the report and their limits. The limits detect operations that hang, even on a machine
/// that is busy with other tests and with an unoptimised pbm; they are not performance targets.
const TABLE: [(Kind, &str, Duration); 44] = [
    (Kind::CreateUser, "create a user", SHORT),
    (Kind::ReadUser, "read a user", SHORT),
    (Kind::ChangeUser, "change a user", SHORT),
    (Kind::RenameUser, "rename a user", SHORT),
    (Kind::DeleteUser, "delete a user", SHORT),
    (Kind::UndeleteUser, "undelete a user", SHORT),
    (Kind::Conflict, "ask for a taken address", SHORT),
    (Kind::CreateList, "create a list", SHORT),
    (Kind::AddMembers, "add members", SHORT),
    (Kind::RemoveMembers, "remove members", SHORT),
    (Kind::RenameList, "rename a list", SHORT),
    (Kind::DeleteList, "delete a list", SHORT),
    (Kind::CreateResource, "create a resource", SHORT),
    (Kind::RenameGroup, "rename a resource group", SHORT),
    (Kind::DeleteGroup, "delete a resource group", LONG),
    (Kind::BulkImport, "bulk import", MASS),
    (Kind::BulkDryRun, "bulk dry run", LONG),
    (Kind::UsersPage, "page of users", SHORT),
    (Kind::UsersPageWithoutRedis, "page of users, no Redis", LONG),
    (Kind::DeletedUsersPage, "page of deleted users", LONG),
    (Kind::ListsPage, "page of lists", SHORT),
    (Kind::ResourcesPage, "page of resources", SHORT),
    (Kind::GroupsPage, "page of groups", SHORT),
    (Kind::TenantsPage, "page of tenants", SHORT),
    (Kind::TenantCounts, "counts of a tenant", SHORT),
    (Kind::ReadList, "read a list", SHORT),
    (Kind::ExpandList, "expand a list", LONG),
    (Kind::Memberships, "lists of a user", SHORT),
    (Kind::BookPage, "page of contacts", SHORT),
    (Kind::BookPageWithoutRedis, "page of contacts, no Redis", LONG),
    (Kind::Suggest, "suggest", SHORT),
    (Kind::Changes, "page of changes", SHORT),
    (Kind::Export, "export", LONG),
    (Kind::LdapAdds, "LDAP: 10 adds", LONG),
    (Kind::LdapChanges, "LDAP: 10 changes", LONG),
    (Kind::LdapRenames, "LDAP: 5 renames", LONG),
    (Kind::LdapDeletions, "LDAP: 10 deletions", LONG),
    (Kind::LdapReaders, "LDAP: Postfix, address books", LONG),
    (Kind::TenantBackup, "backup of a tenant", WHOLE),
    (Kind::Backup, "backup", WHOLE),
    (Kind::RestoreDryRun, "restore --dry-run", WHOLE),
    (Kind::Diff, "diff", WHOLE),
    (Kind::PurgeDryRun, "purge --dry-run", WHOLE),
    (Kind::Purge, "purge", MASS),
];

/// The value of `PBM_STRESS_SLACK`: a factor for all limits, for a slow or busy machine.
static SLACK: LazyLock<f64> = LazyLock::new(|| {
    let slack = std::env::var("PBM_STRESS_SLACK").ok().filter(|slack| !slack.is_empty());
    slack.map_or(1.0, |slack| slack.parse().expect("PBM_STRESS_SLACK is a number"))
});

impl Kind {
    /// All kinds, in the order of the report.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(kind, ..)| *kind)
    }

    /// How many there are.
    pub(crate) const COUNT: usize = TABLE.len();

    /// Its position in the report.
    pub(crate) fn place(self) -> usize {
        self as usize
    }

    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        TABLE[self.place()].1
    }

    /// Its time limit.
    pub(crate) fn limit(self) -> Duration {
        TABLE[self.place()].2.mul_f64(*SLACK)
    }
}
