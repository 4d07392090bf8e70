//! Mailing lists. A list has members: users, lists and resources of its tenant, as names of entries, so that
//! renames and removals are followed by the server, and addresses elsewhere. Or it is dynamic: whoever meets its
//! conditions is a member.

pub mod command;
pub mod conditions;
pub mod member;
pub mod plan;
pub mod summary;

use crate::{
    address::MailAddress,
    deletion::{self, is_hidden, is_of_class},
    entry::EntryView,
    list::Listing,
    names,
    revision::Version,
    tenant::TenantId,
    tested,
};
use conditions::Conditions;
use ldap_text::{attribute::AttributeName, filter::Filter};
use member::Members;

/// Lists of mailing lists.
pub static LISTING: Listing = Listing {
    naming: names::MAIL,
    searched: &[names::MAIL, names::DISPLAY_NAME],
    orders: &[names::DISPLAY_NAME],
};

/// A mailing list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailList {
    /// Its address.
    pub mail: MailAddress,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its name in address books.
    pub display_name: String,
    /// Its members, as they stand in its entry.
    pub members: Members,
    /// Its conditions, where it is dynamic.
    pub conditions: Option<Conditions>,
    /// What a write is planned on.
    pub version: Version,
}

impl MailList {
    /// Reads a list from an entry with [`READ_ATTRIBUTES`]; `None` where it is none, deleted, or being removed.
    #[must_use]
    pub fn from_entry(mail: MailAddress, tenant: TenantId, entry: &impl EntryView) -> Option<Self> {
        if is_hidden(entry) || !is_of_class(entry, names::MAIL_LIST_CLASS) {
            return None;
        }
        Some(Self {
            display_name: entry.first(&names::DISPLAY_NAME).unwrap_or_default().to_owned(),
            members: Members::of_entry(entry),
            conditions: Conditions::of_entry(entry),
            version: Version::of_entry(entry),
            mail,
            tenant,
        })
    }
}

/// Attributes that a whole list is read with.
pub const READ_ATTRIBUTES: &[AttributeName] = &[
    names::OBJECT_CLASS,
    names::DISPLAY_NAME,
    names::LIST_FILTER,
    names::DELETED_SINCE,
    names::PURGING,
    names::REVISION,
    names::ENTRY_USN,
    names::MODIFY_TIMESTAMP,
    names::MEMBER,
    names::OUTSIDE_MEMBER,
];

/// All but the last two, the members: what of a list costs little to read.
pub const HEAD_ATTRIBUTES: &[AttributeName] = READ_ATTRIBUTES.split_at(READ_ATTRIBUTES.len() - 2).0;

/// Lists that are neither deleted nor being removed.
#[must_use]
pub fn live_filter() -> Filter {
    Filter::all([tested::of_class(names::MAIL_LIST_CLASS), deletion::is_shown()])
}
