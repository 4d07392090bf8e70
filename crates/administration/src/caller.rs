//! The caller of a use case.

use mail_model::{
    tenant::TenantId,
    user::{account::Account, role::Role},
};
use std::sync::Arc;

/// The caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user with a token.
    Account(Arc<Account>),
    /// A request without a token from an address of `auth.allowed_subnets`: acts as a super administrator.
    TrustedSubnet,
    /// The operator who runs `pbm` on the command line, with the service account's password: acts as a super
    /// administrator.
    Operator,
}

impl Actor {
    /// The role of the caller.
    #[must_use]
    pub fn role(&self) -> Role {
        match self {
            Self::Account(account) => account.role,
            Self::TrustedSubnet | Self::Operator => Role::SuperAdministrator,
        }
    }

    /// Whether a tenant is the caller's own.
    #[must_use]
    pub fn is_of(&self, tenant: &TenantId) -> bool {
        match self {
            Self::Account(account) => account.tenant == *tenant,
            Self::TrustedSubnet | Self::Operator => tenant.is_default(),
        }
    }

    /// The tenant outside which the caller may do nothing; `None` for super administrators.
    #[must_use]
    pub fn only_tenant(&self) -> Option<&TenantId> {
        self.tenant().filter(|_| self.role() != Role::SuperAdministrator)
    }

    /// The caller's own tenant; `None` for a caller without an account.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Account(account) => Some(&account.tenant),
            Self::TrustedSubnet | Self::Operator => None,
        }
    }

    /// Whether the caller is the user with an identifier.
    #[must_use]
    pub fn is_user(&self, id: &str) -> bool {
        matches!(self, Self::Account(account) if account.id == id)
    }

    /// The name of the caller in the log: the identifier of the entry, never an address.
    #[must_use]
    pub fn log_id(&self) -> &str {
        match self {
            Self::Account(account) => &account.id,
            Self::TrustedSubnet => "trusted-subnet",
            Self::Operator => "operator",
        }
    }
}
