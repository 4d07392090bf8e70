//! Roles of users.

use crate::tenant::TenantId;

/// The role of a user (guide, 2.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// 1, administrator: everything in their own tenant.
    Administrator,
    /// 2, user: their own entry and the address book of their tenant.
    User,
    /// 3, super administrator: everything.
    SuperAdministrator,
}

impl Role {
    /// The role of an entry. An invalid value counts as the lowest role, and 3 counts only in the tenant `default`,
    /// where only super administrators can write it.
    #[must_use]
    pub fn of_entry(number: Option<&str>, tenant: &TenantId) -> Self {
        match number {
            Some("1") => Self::Administrator,
            Some("3") if tenant.is_default() => Self::SuperAdministrator,
            _ => Self::User,
        }
    }

    /// Its number in the API.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Administrator => 1,
            Self::User => 2,
            Self::SuperAdministrator => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_three_outside_the_default_tenant_is_no_super_administrator() {
        let other = TenantId::parse("other").unwrap();
        assert_eq!(Role::of_entry(Some("3"), &other), Role::User);
        assert_eq!(Role::of_entry(Some("3"), &TenantId::default_tenant()), Role::SuperAdministrator);
        assert_eq!(Role::of_entry(None, &other), Role::User);
    }
}
