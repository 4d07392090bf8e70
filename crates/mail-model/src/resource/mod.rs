//! Resources: bookable things, such as a meeting room. Each belongs to a group, and has a mailbox for invitations
//! (guide, 3.12).

pub mod command;
pub mod field;
pub mod group;
pub mod plan;

use crate::{
    address::MailAddress,
    deletion::{self, is_hidden, is_of_class},
    entry::EntryView,
    list::Listing,
    names,
    revision::{self, Version},
    tenant::TenantId,
    tested,
};
use field::ResourceField;
use group::GroupName;
use ldap_text::{attribute::AttributeName, filter::Filter};

/// The pages of resources.
pub static LISTING: Listing = Listing {
    naming: names::MAIL,
    searched: &[names::MAIL, names::DISPLAY_NAME],
    orders: &[names::DISPLAY_NAME],
};

/// A resource, as answers show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its address.
    pub mail: MailAddress,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its group.
    pub group: GroupName,
    fields: Vec<(ResourceField, Vec<String>)>,
    /// The version that a write is planned on.
    pub version: Version,
}

impl Resource {
    /// Reads a resource from an entry with [`read_attributes`]; `None` if the entry is not a resource, is deleted, or
    /// is being removed.
    #[must_use]
    pub fn from_entry(
        mail: MailAddress,
        tenant: TenantId,
        group: GroupName,
        entry: &impl EntryView,
    ) -> Option<Self> {
        if is_hidden(entry) || !is_of_class(entry, names::RESOURCE_CLASS) {
            return None;
        }
        let read = |field: ResourceField| {
            let values = entry.values(&field.attribute()).to_vec();
            (!values.is_empty()).then_some((field, values))
        };
        let fields = ResourceField::ALL.into_iter().filter_map(read).collect();
        Some(Self { mail, tenant, group, fields, version: Version::of_entry(entry) })
    }

    /// Its fields that have values, in the directory's form.
    pub fn fields(&self) -> impl Iterator<Item = (ResourceField, &[String])> {
        self.fields.iter().map(|(field, values)| (*field, values.as_slice()))
    }

    /// The values of a field, in the directory's form.
    #[must_use]
    pub fn values(&self, field: ResourceField) -> &[String] {
        self.fields.iter().find(|(f, _)| *f == field).map_or(&[], |(_, values)| values)
    }
}

/// The attributes to read a resource.
#[must_use]
pub fn read_attributes() -> Vec<AttributeName> {
    let mut attributes: Vec<_> = ResourceField::ALL.iter().map(|field| field.attribute()).collect();
    attributes.extend([names::OBJECT_CLASS, names::DELETED_SINCE, names::PURGING]);
    attributes.extend_from_slice(revision::READ_ATTRIBUTES);
    attributes
}

/// Resources that are neither deleted nor being removed.
#[must_use]
pub fn live_filter() -> Filter {
    Filter::all([of_class(), deletion::is_shown()])
}

/// All resources.
#[must_use]
pub fn of_class() -> Filter {
    tested::of_class(names::RESOURCE_CLASS)
}
