//! Users: what one is, how it is read, and its life cycle as types. Changes are planned on a
//! [`LiveUser`] or a [`DeletedUser`], never on both alike.

pub mod account;
pub mod command;
pub mod field;
pub mod hash;
pub mod language;
pub mod plan;
pub mod quota;
pub mod role;
pub mod status;

use crate::{
    address::MailAddress,
    deletion::{self, Since},
    entry::EntryView,
    list::Listing,
    names,
    revision::{self, Version},
    tenant::TenantId,
    tested,
};
use field::UserField;
use jiff::Timestamp;
use ldap_text::{attribute::AttributeName, filter::Filter};
use role::Role;
use status::Status;

/// Lists of users.
pub static LISTING: Listing = Listing {
    naming: names::MAIL,
    searched: &[names::MAIL, names::CN, names::SN],
    orders: &[names::CN, names::SN],
};

/// A user's address, tenant and fields, as answers show them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User {
    mail: MailAddress,
    tenant: TenantId,
    fields: Vec<(UserField, Vec<String>)>,
}

impl User {
    /// Reads a user from its entry. An alias that repeats the address is left out: an interrupted
    /// rename leaves one behind (see [`plan`]). The status counts the lock of 389-ds (see [`status`]).
    #[must_use]
    pub fn from_entry(mail: MailAddress, tenant: TenantId, entry: &impl EntryView) -> Self {
        let status = Status::of_entry(entry);
        let read = |field: UserField| {
            let mut values = match field {
                UserField::Status => status.shown().map(str::to_owned).into_iter().collect(),
                _ => entry.values(&field.attribute()).to_vec(),
            };
            if field.is_list() {
                values.retain(|alias| !alias.eq_ignore_ascii_case(mail.as_str()));
                values.sort_unstable();
            }
            (!values.is_empty()).then_some((field, values))
        };
        let fields = UserField::ALL.into_iter().filter_map(read).collect();
        Self { mail, tenant, fields }
    }

    /// Its address.
    #[must_use]
    pub fn mail(&self) -> &MailAddress {
        &self.mail
    }

    /// Its tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Its address and its aliases.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let own = std::iter::once(self.mail.to_string());
        own.chain(self.values(UserField::Aliases).iter().map(|alias| alias.to_lowercase())).collect()
    }

    /// The values of a field, in the directory's form.
    #[must_use]
    pub fn values(&self, field: UserField) -> &[String] {
        self.fields.iter().find(|(f, _)| *f == field).map_or(&[], |(_, values)| values)
    }

    /// What it may do.
    #[must_use]
    pub fn role(&self) -> Role {
        Role::of_entry(self.values(UserField::Role).first().map(String::as_str), &self.tenant)
    }

    /// Whether it may log in as far as its status goes; without a status it is active.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.values(UserField::Status).first().is_none_or(|status| status::is_active(status))
    }

    /// Its fields that have values, in the directory's form.
    pub fn fields(&self) -> impl Iterator<Item = (UserField, &[String])> {
        self.fields.iter().map(|(field, values)| (*field, values.as_slice()))
    }
}

/// A user that is not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveUser {
    /// The identifier that 389-ds gave its entry.
    pub id: String,
    /// What answers show.
    pub user: User,
    /// What its entry says about being blocked.
    pub status: Status,
    /// What a write is planned on.
    pub version: Version,
}

impl LiveUser {
    /// Reads a user from an entry with [`read_attributes`]; `None` where it is no user, or deleted.
    #[must_use]
    pub fn from_entry(mail: MailAddress, tenant: TenantId, entry: &impl EntryView) -> Option<Self> {
        if !is_user(entry) || entry.first(&names::DELETED_SINCE).is_some() {
            return None;
        }
        let id = entry.first(&names::NS_UNIQUE_ID).unwrap_or_default().to_owned();
        let (status, version) = (Status::of_entry(entry), Version::of_entry(entry));
        Some(Self { id, user: User::from_entry(mail, tenant, entry), status, version })
    }
}

/// A user that was deleted softly: it keeps its address and can be restored until it is purged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedUser {
    /// What answers show.
    pub user: User,
    /// What a write is planned on.
    pub version: Version,
    /// When it was deleted.
    pub since: Since,
    /// Whether a purge has claimed it: it can no longer be restored.
    pub being_purged: bool,
}

impl DeletedUser {
    /// Reads a user from an entry with [`read_attributes`]; `None` where it is no user, or not deleted.
    #[must_use]
    pub fn from_entry(mail: MailAddress, tenant: TenantId, entry: &impl EntryView) -> Option<Self> {
        if !is_user(entry) {
            return None;
        }
        Some(Self {
            user: User::from_entry(mail, tenant, entry),
            version: Version::of_entry(entry),
            since: Since::of_entry(entry)?,
            being_purged: entry.first(&names::PURGING).is_some(),
        })
    }
}

/// Attributes that a user is shown and changed with.
#[must_use]
pub fn read_attributes() -> Vec<AttributeName> {
    let mut attributes: Vec<_> = UserField::ALL.iter().map(|field| field.attribute()).collect();
    attributes.extend([
        names::OBJECT_CLASS,
        names::NS_UNIQUE_ID,
        names::NS_ACCOUNT_LOCK,
        names::DELETED_SINCE,
        names::PURGING,
    ]);
    attributes.extend_from_slice(revision::READ_ATTRIBUTES);
    attributes
}

/// Users that are not deleted.
#[must_use]
pub fn live_filter() -> Filter {
    Filter::all([of_class(), Filter::not(Filter::present(names::DELETED_SINCE))])
}

/// Users that are deleted.
#[must_use]
pub fn deleted_filter() -> Filter {
    Filter::all([Filter::present(names::DELETED_SINCE), of_class()])
}

/// Users that were deleted on their own at a moment or before it; those deleted with their tenant are purged with it.
#[must_use]
pub fn deleted_by_filter(moment: Timestamp) -> Filter {
    Filter::all([
        deletion::deleted_by(moment),
        of_class(),
        Filter::not(Filter::present(names::DELETED_WITH_TENANT)),
    ])
}

fn is_user(entry: &impl EntryView) -> bool {
    entry.values(&names::OBJECT_CLASS).iter().any(|class| class.eq_ignore_ascii_case(names::USER_CLASS))
}

fn of_class() -> Filter {
    tested::of_class(names::USER_CLASS)
}
