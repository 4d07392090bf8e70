//! Who asks.

use mail_model::{
    tenant::TenantId,
    user::{account::Account, role::Role},
};
use std::sync::Arc;

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user with a token.
    Account(Arc<Account>),
    /// A request without a token from an address of `auth.allowed_subnets`: acts as a super administrator.
    TrustedSubnet,
    /// Whoever runs `pbm` on the command line, with the service account's password: acts as a super administrator.
    Operator,
}

impl Actor {
    /// Its role.
    #[must_use]
    pub fn role(&self) -> Role {
        match self {
            Self::Account(account) => account.role,
            Self::TrustedSubnet | Self::Operator => Role::SuperAdministrator,
        }
    }

    /// Whether a tenant is its own.
    #[must_use]
    pub fn is_of(&self, tenant: &TenantId) -> bool {
        match self {
            Self::Account(account) => account.tenant == *tenant,
            Self::TrustedSubnet | Self::Operator => tenant.is_default(),
        }
    }

    /// Whether it is the user with an identifier.
    #[must_use]
    pub fn is_user(&self, id: &str) -> bool {
        matches!(self, Self::Account(account) if account.id == id)
    }

    /// How the log calls it: the identifier of its entry, never its address.
    #[must_use]
    pub fn log_id(&self) -> &str {
        match self {
            Self::Account(account) => &account.id,
            Self::TrustedSubnet => "trusted-subnet",
            Self::Operator => "operator",
        }
    }
}
