//! Mailing lists. A list has members: users, lists and resources of its tenant, by DN, so that the server follows
//! renames and removals, and outside addresses. Or it is dynamic: everyone who meets its conditions is a member.

pub mod command;
pub mod conditions;
pub mod edit;
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

/// The pages of mailing lists.
pub static LISTING: Listing = Listing {
    naming: names::MAIL,
    searched: &[names::MAIL, names::DISPLAY_NAME],
    orders: &[names::DISPLAY_NAME],
};

/// A mailing list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailList {
    /// The address.
    pub mail: MailAddress,
    /// The tenant.
    pub tenant: TenantId,
    /// The name in address books.
    pub display_name: String,
    /// The members, by the values in the entry.
    pub members: Members,
    /// The conditions, if the list is dynamic.
    pub conditions: Option<Conditions>,
    /// The version that a write is planned on.
    pub version: Version,
}

impl MailList {
    /// Reads a list from an entry with [`READ_ATTRIBUTES`]; `None` if the entry is not a list, is deleted, or is being
    /// removed.
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

/// All but the last two attributes, which hold the members: the part of a list that is cheap to read.
pub const HEAD_ATTRIBUTES: &[AttributeName] = READ_ATTRIBUTES.split_at(READ_ATTRIBUTES.len() - 2).0;

/// Lists that are neither deleted nor being removed.
#[must_use]
pub fn live_filter() -> Filter {
    Filter::all([tested::of_class(names::MAIL_LIST_CLASS), deletion::is_shown()])
}
