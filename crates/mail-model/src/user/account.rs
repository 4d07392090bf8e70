//! Accounts: the part of a user that identifies the caller and determines their rights.

use super::{role::Role, status::Status};
use crate::{address::MailAddress, entry::EntryView, names, tenant::TenantId};
use ldap_text::attribute::AttributeName;

/// A user that may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The identifier of the entry in 389-ds.
    pub id: String,
    /// Its address.
    pub mail: MailAddress,
    /// Its tenant.
    pub tenant: TenantId,
    /// The role.
    pub role: Role,
    /// The mark that the tokens of the account must carry. It changes with the password, when the user is blocked, and
    /// on deletion.
    pub tokens_valid_from: Option<String>,
}

/// The attributes to read an account.
pub const READ_ATTRIBUTES: &[AttributeName] = &[
    names::NS_UNIQUE_ID,
    names::EMPLOYEE_NUMBER,
    names::INET_USER_STATUS,
    names::NS_ACCOUNT_LOCK,
    names::TOKENS_VALID_FROM,
];

impl Account {
    /// Reads an account from a live user's entry; `None` if the user may not log in.
    #[must_use]
    pub fn from_entry(tenant: TenantId, mail: MailAddress, entry: &impl EntryView) -> Option<Self> {
        if !Status::of_entry(entry).is_active() {
            return None;
        }
        Some(Self {
            id: entry.first(&names::NS_UNIQUE_ID)?.to_owned(),
            mail,
            role: Role::of_entry(entry.first(&names::EMPLOYEE_NUMBER), &tenant),
            tokens_valid_from: entry.first(&names::TOKENS_VALID_FROM).map(str::to_owned),
            tenant,
        })
    }
}
