//! Commands on resources.

use super::field::ResourceField;
use crate::{
    address::{AddressError, MailAddress},
    field::{Field, FieldError, FieldErrors, FieldValue},
    tenant::Tenant,
};
use std::collections::BTreeMap;

/// The fields that a request sets or clears.
pub type ResourceValues = BTreeMap<ResourceField, FieldValue>;

/// The default visibility of a new resource: suggestions and colleagues (design, section 8).
const DEFAULT_VISIBILITY: &str = "1";

/// A resource to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewResource {
    /// Its address.
    pub mail: MailAddress,
    pub(super) fields: ResourceValues,
}

impl NewResource {
    /// A resource of a tenant. `errors` contains the errors found so far.
    ///
    /// # Errors
    /// All errors at once.
    pub fn new(
        mail: Result<MailAddress, AddressError>,
        mut fields: ResourceValues,
        tenant: &Tenant,
        mut errors: FieldErrors,
    ) -> Result<Self, FieldErrors> {
        let mail = errors.keep(Field::ResourceMail, mail);
        if let Some(mail) = &mail {
            tenant.check_name(Field::ResourceMail, mail, &mut errors);
        }
        for field in ResourceField::ALL.into_iter().filter(|f| f.is_required() && !fields.contains_key(f)) {
            errors.add(Field::Resource(field), FieldError::Required);
        }
        errors.none()?;
        fields.retain(|_, value| !value.values().is_empty());
        fields.entry(ResourceField::Visibility).or_insert_with(|| FieldValue::one(DEFAULT_VISIBILITY));
        mail.map(|mail| Self { mail, fields }).ok_or_else(FieldErrors::default)
    }
}

/// Parses the values of some fields, and records the errors.
pub fn parse_fields<'a>(
    texts: impl IntoIterator<Item = (ResourceField, &'a str)>,
    errors: &mut FieldErrors,
) -> ResourceValues {
    let value = |(field, text): (ResourceField, &str)| {
        let kind = field.kind();
        let value = if text.is_empty() { kind.parse_empty(field.is_required()) } else { kind.parse(text) };
        Some((field, errors.keep(Field::Resource(field), value)?))
    };
    texts.into_iter().filter_map(value).collect()
}
