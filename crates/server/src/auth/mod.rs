//! Who is asking: tokens, the accounts behind them, the limit on failed log-ins, the address of a client.

pub mod accounts;
pub mod attempts;
pub mod client;
pub mod tokens;

use mail_model::{
    address::MailAddress,
    tenant::TenantId,
    user::{account::Account, role::Role},
};
use std::sync::Arc;

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user with a token.
    Account(Arc<Account>),
    /// A request from an address of `auth.allowed_subnets`: acts as a super administrator.
    TrustedSubnet,
}

impl Actor {
    /// Its role.
    #[must_use]
    pub fn role(&self) -> Role {
        match self {
            Self::Account(account) => account.role,
            Self::TrustedSubnet => Role::SuperAdministrator,
        }
    }

    /// Whether a tenant is its own.
    #[must_use]
    pub fn is_of(&self, tenant: &TenantId) -> bool {
        match self {
            Self::Account(account) => account.tenant == *tenant,
            Self::TrustedSubnet => tenant.is_default(),
        }
    }

    /// Whether a user is itself.
    #[must_use]
    pub fn is_itself(&self, tenant: &TenantId, mail: &MailAddress) -> bool {
        matches!(self, Self::Account(account) if account.tenant == *tenant && account.mail == *mail)
    }

    /// How the log calls it: the identifier of its entry, never its address.
    #[must_use]
    pub fn log_id(&self) -> &str {
        match self {
            Self::Account(account) => &account.id,
            Self::TrustedSubnet => "trusted-subnet",
        }
    }
}
