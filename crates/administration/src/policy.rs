//! All rules of access. Two of them hold everywhere: super administrators may do everything, and nobody else may do
//! anything in a tenant other than their own. The other rules are one table: what administrators and users may do in
//! their own tenant.

use crate::caller::Actor;
use mail_model::{
    tenant::TenantId,
    user::{
        LiveUser, User,
        command::{NewUser, UserPatch},
        role::Role,
    },
};

/// An action that a caller can request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// List the users of a tenant, including the deleted ones.
    ListUsers,
    /// Read everything about a user.
    ReadUser,
    /// Read the photo of a user.
    ReadPhoto,
    /// Replace or remove the photo of a user.
    ChangePhoto,
    /// Create a user.
    CreateUser,
    /// Change a user.
    ChangeUser,
    /// Soft-delete a user.
    DeleteUser,
    /// Undo the deletion of a user.
    RestoreUser,
    /// Create and change users from a table.
    ImportUsers,
    /// List the mailing lists of a user.
    ReadMemberships,
    /// List, create, change, delete and restore tenants, and change their domains.
    AdministerTenants,
    /// Read, create, change and delete mailing lists.
    AdministerMailLists,
    /// Read, create, change and delete resource groups and resources.
    AdministerResources,
    /// Read the address book of a tenant, and follow its changes.
    ReadAddressBook,
    /// Remove a message from mailboxes of users.
    RecallMessages,
    /// Take a backup, including password hashes.
    BackUp,
    /// Restore from a backup.
    RestoreBackup,
    /// Synchronize with a source from outside, and see the runs.
    Synchronize,
}

/// The reach of a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// No restriction.
    Everything,
    /// Everything except to create or change super administrators, or to touch their mail.
    AllButSuper,
    /// Only the caller's own entry, recognized by its identifier, since an address may belong to another user by now.
    Itself,
    /// Only the caller's own password, recognized in the same way.
    OwnPassword,
}

/// The caller may not do this at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the caller may not do that")]
pub struct Forbidden;

/// A row of the table: what callers below a super administrator may do in their own tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The reach for role 1; `None` if the action is not allowed.
    pub administrator: Option<Reach>,
    /// The reach for role 2.
    pub user: Option<Reach>,
}

impl Action {
    /// The row of the table for an action.
    #[must_use]
    #[rustfmt::skip]
    pub const fn rights(self) -> Rights {
        use Reach::{AllButSuper, Everything, Itself, OwnPassword};
        let (administrator, user) = match self {
            Self::AdministerTenants   => (None,              None),
            Self::ListUsers
            | Self::AdministerMailLists
            | Self::AdministerResources => (Some(Everything),  None),
            Self::CreateUser
            | Self::DeleteUser
            | Self::RestoreUser
            | Self::ImportUsers
            | Self::BackUp
            | Self::RestoreBackup
            | Self::RecallMessages
            | Self::Synchronize       => (Some(AllButSuper), None),
            Self::ChangeUser          => (Some(AllButSuper), Some(OwnPassword)),
            Self::ChangePhoto         => (Some(AllButSuper), Some(Itself)),
            Self::ReadUser
            | Self::ReadPhoto
            | Self::ReadMemberships   => (Some(Everything),  Some(Itself)),
            Self::ReadAddressBook     => (Some(Everything),  Some(Everything)),
        };
        Rights { administrator, user }
    }
}

impl Actor {
    /// How far the caller may do something in a tenant, or in all tenants if none is given.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn reach(&self, action: Action, tenant: Option<&TenantId>) -> Result<Reach, Forbidden> {
        let is_own = tenant.is_some_and(|tenant| self.is_of(tenant));
        let reach = match self.role() {
            Role::SuperAdministrator => Some(Reach::Everything),
            Role::Administrator => action.rights().administrator.filter(|_| is_own),
            Role::User => action.rights().user.filter(|_| is_own),
        };
        reach.ok_or(Forbidden)
    }
}

impl Actor {
    /// How far the caller may do something in each of some tenants, or in all tenants if none is given.
    ///
    /// # Errors
    /// [`Forbidden`] if the caller may not do it in one of them.
    pub fn reach_of_each(&self, action: Action, tenants: &[TenantId]) -> Result<Reach, Forbidden> {
        let Some((first, rest)) = tenants.split_first() else { return self.reach(action, None) };
        for tenant in rest {
            self.reach(action, Some(tenant))?;
        }
        self.reach(action, Some(first))
    }
}

impl Reach {
    /// Whether it covers only the caller's own entry.
    #[must_use]
    pub fn is_own_only(self) -> bool {
        matches!(self, Self::Itself | Self::OwnPassword)
    }

    /// Whether it covers a user.
    #[must_use]
    pub fn has(self, user: &User) -> bool {
        self.has_role(user.role())
    }

    /// Whether it covers users of a role.
    #[must_use]
    pub fn has_role(self, role: Role) -> bool {
        self != Self::AllButSuper || role != Role::SuperAdministrator
    }

    /// Whether it covers a user, given the caller, for reaches that may cover only the caller's own entry.
    #[must_use]
    pub fn has_of(self, actor: &Actor, user: &LiveUser) -> bool {
        (!self.is_own_only() || actor.is_user(&user.id)) && self.has(&user.user)
    }

    /// Whether it covers every user, or the caller's own entry if `id` is the identifier of that. Reaches that depend
    /// on the role of the user never do.
    #[must_use]
    pub fn has_entry(self, actor: &Actor, id: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Itself => actor.is_user(id),
            Self::AllButSuper | Self::OwnPassword => false,
        }
    }

    /// Whether a user may be created.
    #[must_use]
    pub fn may_make(self, new: &NewUser) -> bool {
        self == Self::Everything || !new.is_super()
    }

    /// Whether a change may be made, whichever user it concerns.
    #[must_use]
    pub fn may_change(self, patch: &UserPatch) -> bool {
        match self {
            Self::Everything => true,
            Self::OwnPassword => patch.changes_password_only(),
            Self::AllButSuper | Self::Itself => !patch.makes_super(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_model::{address::MailAddress, user::account::Account};
    use std::sync::Arc;

    fn actor(tenant: &str, role: Role) -> Actor {
        Actor::Account(Arc::new(Account {
            id: "1".to_owned(),
            mail: MailAddress::parse("a@b.c").unwrap(),
            tenant: TenantId::parse(tenant).unwrap(),
            role,
            tokens_valid_from: None,
        }))
    }

    #[test]
    fn super_administrators_reach_everything_and_others_their_own_tenant_at_most() {
        let (ours, theirs) = (TenantId::parse("acme").unwrap(), TenantId::parse("other").unwrap());
        for action in [Action::AdministerTenants, Action::ReadAddressBook, Action::BackUp] {
            for tenant in [Some(&ours), Some(&theirs), None] {
                let reach = actor("default", Role::SuperAdministrator).reach(action, tenant);
                assert_eq!(reach, Ok(Reach::Everything));
                assert_eq!(Actor::TrustedSubnet.reach(action, tenant), Ok(Reach::Everything));
            }
            for role in [Role::Administrator, Role::User] {
                for tenant in [Some(&theirs), None] {
                    assert_eq!(actor("acme", role).reach(action, tenant), Err(Forbidden));
                }
            }
        }
        let user = |action| actor("acme", Role::User).reach(action, Some(&ours));
        assert_eq!(user(Action::ChangeUser), Ok(Reach::OwnPassword));
        assert_eq!(user(Action::DeleteUser), Err(Forbidden));
        let administrator = |action| actor("acme", Role::Administrator).reach(action, Some(&ours));
        for action in [Action::ChangeUser, Action::RecallMessages] {
            let reach = administrator(action).unwrap();
            assert!(reach.has_role(Role::User) && !reach.has_role(Role::SuperAdministrator), "{action:?}");
        }
        assert_eq!(administrator(Action::AdministerTenants), Err(Forbidden));
    }
}
