//! Commands on tenants.

use crate::{
    address::Domain,
    field::{Field, FieldError, FieldErrors},
    user::{field::UserField, language::Language, quota::Quota},
};

/// Changes to a tenant: the defaults of its new users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantPatch {
    /// The quota; `Some(None)` removes it.
    pub default_quota: Option<Option<Quota>>,
    /// The language; `Some(None)` removes it.
    pub default_language: Option<Option<Language>>,
}

impl TenantPatch {
    /// Parses the defaults; an empty text removes one.
    ///
    /// # Errors
    /// The error of each field.
    pub fn parse(quota: Option<&str>, language: Option<&str>) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut read = |field: UserField, text: Option<&str>| {
            let text = text.filter(|text| !text.is_empty())?;
            errors.keep(Field::User(field), field.parse(text))
        };
        let quota_value = read(UserField::Quota, quota);
        let language_value = read(UserField::Language, language);
        errors.none()?;
        let default_quota = quota.map(|_| Quota::from_bytes_text(quota_value?.first()?));
        let default_language = language.map(|_| Language::parse(language_value?.first()?));
        Ok(Self { default_quota, default_language })
    }
}

/// Why a domain cannot be removed from a tenant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainKept {
    /// The tenant has no other domain.
    #[error("it is the last domain of the tenant")]
    Last,
    /// An address has the domain.
    #[error("addresses of the tenant use it, such as {0}")]
    InUse(String),
}

/// Parses a domain of a tenant.
///
/// # Errors
/// The error of [`Field::Domain`].
pub fn parse_domain(text: Option<&str>) -> Result<Domain, FieldErrors> {
    let mut errors = FieldErrors::default();
    let domain = match text.filter(|text| !text.is_empty()) {
        None => Err(FieldError::Required),
        Some(text) => Domain::parse(text).map_err(FieldError::from),
    };
    errors.keep(Field::Domain, domain).ok_or(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_default_is_removed_and_an_absent_one_stays() {
        let patch = TenantPatch::parse(Some("1024"), Some("")).unwrap();
        assert_eq!(patch.default_quota.unwrap().unwrap().megabytes(), 1024);
        assert_eq!(patch.default_language, Some(None));
        assert_eq!(TenantPatch::parse(None, None), Ok(TenantPatch::default()));
        let errors = TenantPatch::parse(Some("x"), Some("de-DE")).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [Field::User(UserField::Quota), Field::User(UserField::Language)]);
    }
}
