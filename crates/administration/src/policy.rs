//! Every rule about who may touch what. Two of them hold everywhere: super administrators may do everything, and nobody else
//! anything in a tenant that is not their own. What is left is one table: what administrators and users may do in their own.

use crate::caller::Actor;
use mail_model::{
    tenant::TenantId,
    user::{
        LiveUser, User,
        command::{NewUser, UserPatch},
        role::Role,
    },
};

/// Something that somebody can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See all users of a tenant, the deleted ones too.
    ListUsers,
    /// See everything that is known of a user.
    ReadUser,
    /// See the photo of a user.
    ReadPhoto,
    /// Give a user another photo, or none.
    ChangePhoto,
    /// Make a user.
    CreateUser,
    /// Change a user.
    ChangeUser,
    /// Delete a user softly.
    DeleteUser,
    /// Undo the deletion of a user.
    RestoreUser,
    /// Make and change users out of a table.
    ImportUsers,
    /// See which mailing lists a user is in.
    ReadMemberships,
    /// See, make, change, delete and restore tenants, and what they serve.
    AdministerTenants,
    /// See, make, change and delete mailing lists.
    AdministerMailLists,
    /// See, make, change and delete resource groups and what is in them.
    AdministerResources,
    /// See the address book of a tenant, and follow its changes.
    ReadAddressBook,
    /// Take a backup, with hashes of passwords.
    BackUp,
    /// Bring back what a backup has.
    RestoreBackup,
}

/// How far somebody may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Without bounds.
    Everything,
    /// Super administrators are neither made nor touched.
    AllButSuper,
    /// The caller's own entry only. Told by the identifier, since an address may be another user's by now.
    Itself,
    /// The caller's own password only, by the same rule.
    OwnPassword,
}

/// Nothing of this may be done by who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("who asks may not do that")]
pub struct Forbidden;

/// A row of the table: how far those below a super administrator may do something in their own tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Role 1; `None` where they may not.
    pub administrator: Option<Reach>,
    /// Role 2.
    pub user: Option<Reach>,
}

impl Action {
    /// The table.
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
            | Self::RestoreBackup     => (Some(AllButSuper), None),
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
    /// How far it may do something in a tenant, or where no tenant is named, with everything.
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
    /// How far it may do something in each of some tenants, or where none is named, with everything.
    ///
    /// # Errors
    /// [`Forbidden`] where it may not in one of them.
    pub fn reach_of_each(&self, action: Action, tenants: &[TenantId]) -> Result<Reach, Forbidden> {
        let Some((first, rest)) = tenants.split_first() else { return self.reach(action, None) };
        for tenant in rest {
            self.reach(action, Some(tenant))?;
        }
        self.reach(action, Some(first))
    }
}

impl Reach {
    /// Whether it ends at the caller's own entry.
    #[must_use]
    pub fn is_own_only(self) -> bool {
        matches!(self, Self::Itself | Self::OwnPassword)
    }

    /// Whether it reaches a user.
    #[must_use]
    pub fn has(self, user: &User) -> bool {
        self != Self::AllButSuper || user.role() != Role::SuperAdministrator
    }

    /// Whether it reaches a user, where it may end at the caller's own entry.
    #[must_use]
    pub fn has_of(self, actor: &Actor, user: &LiveUser) -> bool {
        (!self.is_own_only() || actor.is_user(&user.id)) && self.has(&user.user)
    }

    /// Whether a user may be made.
    #[must_use]
    pub fn may_make(self, new: &NewUser) -> bool {
        self == Self::Everything || !new.is_super()
    }

    /// Whether a change may be made, whoever it is made to.
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
        assert_eq!(administrator(Action::ChangeUser), Ok(Reach::AllButSuper));
        assert_eq!(administrator(Action::AdministerTenants), Err(Forbidden));
    }
}
