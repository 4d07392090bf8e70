//! Users: reading them, and their life cycle as types. Changes are planned on a [`LiveUser`] or a [`DeletedUser`],
//! never on a type that covers both.

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

/// The pages of users.
pub static LISTING: Listing = Listing {
    naming: names::MAIL,
    searched: &[names::MAIL, names::CN, names::SN],
    orders: &[names::CN, names::SN],
};

/// A user's address, tenant and fields, for answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User {
    mail: MailAddress,
    tenant: TenantId,
    fields: Vec<(UserField, Vec<String>)>,
}

impl User {
    /// Reads a user from its entry. An alias that equals the address is left out: an interrupted rename leaves one (see
    /// [`plan`]). The status takes the lock of 389-ds into account (see [`status`]).
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

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        Role::of_entry(self.values(UserField::Role).first().map(String::as_str), &self.tenant)
    }

    /// Whether the status allows a log-in; a user without a status is active.
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
    /// The identifier of the entry in 389-ds.
    pub id: String,
    /// The data for answers.
    pub user: User,
    /// Whether and how the user is blocked.
    pub status: Status,
    /// The version that a write is planned on.
    pub version: Version,
}

impl LiveUser {
    /// Reads a user from an entry with [`read_attributes`]; `None` if the entry is not a user, or is deleted.
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

/// A softly deleted user: the address stays reserved, and the user can be restored until the purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedUser {
    /// The data for answers.
    pub user: User,
    /// The version that a write is planned on.
    pub version: Version,
    /// When it was deleted.
    pub since: Since,
    /// Whether a purge has claimed the user, who then cannot be restored.
    pub being_purged: bool,
}

impl DeletedUser {
    /// Reads a user from an entry with [`read_attributes`]; `None` if the entry is not a user, or is not deleted.
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

/// The attributes to show and to change a user.
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

/// Users that were deleted on their own at this time or earlier; those deleted with their tenant are purged with it.
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
