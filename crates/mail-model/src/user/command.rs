//! Commands on users, checked against the tenant.

use super::{LiveUser, field::UserField, hash, language::Language};
use crate::{
    address::MailAddress,
    field::{Field, FieldError, FieldErrors, FieldValue, MAX_ALIASES},
    tenant::Tenant,
};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;

/// The longest password in octets. PBKDF2 hashes any length at the same cost; the limit keeps a bind request small and
/// is above that of every password manager.
pub const MAX_PASSWORD: usize = 512;

/// A password in clear text for the server, which hashes it. It is prepared by RFC 8265 section 4.2 (`OpaqueString`):
/// composed (NFC), with every kind of space as U+0020. So it is the same password on every keyboard.
///
/// Of the characters that the profile forbids, control characters are refused. The rest of its tables (unassigned and
/// ignorable characters) changes with each version of Unicode, which must not affect a password.
#[derive(Clone, Debug)]
pub struct Password {
    prepared: SecretString,
    /// The password as given, if that differs.
    given: Option<SecretString>,
}

impl Password {
    /// Parses a password. An empty one is refused, because an LDAP bind with an empty password succeeds as anonymous
    /// (RFC 4513 section 5.1.2).
    ///
    /// # Errors
    /// [`FieldError`] if it is empty, too long, has a control character, or is a hash.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        if text.is_empty() {
            return Err(FieldError::Required);
        }
        // Composition makes no character of a text more than three times as long in octets.
        if text.len() > MAX_PASSWORD * 3 {
            return Err(FieldError::TooManyBytes(MAX_PASSWORD));
        }
        let prepared = SecretString::from(prepared(text));
        if prepared.expose_secret().len() > MAX_PASSWORD {
            Err(FieldError::TooManyBytes(MAX_PASSWORD))
        } else if text.chars().any(char::is_control) {
            Err(FieldError::Control)
        } else if let Some(scheme) = hash::known_scheme(text) {
            Err(FieldError::Hash(scheme))
        } else {
            let differs = prepared.expose_secret() != text && text.len() <= MAX_PASSWORD;
            Ok(Self { prepared, given: differs.then(|| SecretString::from(text)) })
        }
    }

    /// The clear text, for the write.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.prepared
    }

    /// The clear texts to try in a bind: the prepared password, and the given one, which may have been set before
    /// passwords were prepared, or by another program.
    pub fn candidates(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.prepared).chain(&self.given)
    }

    /// The clear text as an LDIF value that is not printed.
    pub(crate) fn value(&self) -> ldap_text::ldif::Value {
        ldap_text::ldif::Value::secret(self.prepared.expose_secret())
    }
}

fn prepared(text: &str) -> String {
    text.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc().collect()
}

/// The space separators (`Zs`) of Unicode.
const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Parses the values of some fields, and records the errors.
pub fn parse_fields<'a>(
    texts: impl IntoIterator<Item = (UserField, &'a str)>,
    errors: &mut FieldErrors,
) -> FieldValues {
    let value =
        |(field, text): (UserField, &str)| Some((field, errors.keep(Field::User(field), field.parse(text))?));
    texts.into_iter().filter_map(value).collect()
}

/// The fields that a request sets or clears.
pub type FieldValues = BTreeMap<UserField, FieldValue>;

/// A user to create, with all required fields.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub(super) mail: MailAddress,
    pub(super) password: Password,
    pub(super) fields: FieldValues,
}

impl NewUser {
    /// A user of a tenant, with the defaults of the guide and the tenant for unset fields. `errors` contains the errors
    /// found so far; for an argument that is `None` because of an error, it has that error.
    ///
    /// # Errors
    /// All errors at once: `errors`, missing required fields, and addresses of foreign domains.
    pub fn new(
        mail: Option<MailAddress>,
        password: Option<Password>,
        mut fields: FieldValues,
        tenant: &Tenant,
        mut errors: FieldErrors,
    ) -> Result<Self, FieldErrors> {
        for field in UserField::ALL.into_iter().filter(|f| f.is_required() && !fields.contains_key(f)) {
            errors.add(Field::User(field), FieldError::Required);
        }
        if let Some(mail) = &mail {
            tenant.check_name(Field::UserMail, mail, &mut errors);
            check_fields(&fields, mail, tenant, &mut errors);
        }
        let mail = errors.keep(Field::UserMail, mail.ok_or(FieldError::Required));
        let password = errors.keep(Field::UserPassword, password.ok_or(FieldError::Required));
        fields.retain(|_, value| !value.values().is_empty());
        add_defaults(&mut fields, tenant);
        match (mail, password, errors.none()) {
            (Some(mail), Some(password), Ok(())) => Ok(Self { mail, password, fields }),
            (_, _, outcome) => Err(outcome.err().unwrap_or_default()),
        }
    }

    /// Its address.
    #[must_use]
    pub fn mail(&self) -> &MailAddress {
        &self.mail
    }

    /// All its addresses.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let aliases = self.fields.get(&UserField::Aliases).map_or(&[][..], FieldValue::values);
        std::iter::once(self.mail.as_str().to_owned()).chain(aliases.iter().cloned()).collect()
    }

    /// Whether it would be a super administrator.
    #[must_use]
    pub fn is_super(&self) -> bool {
        asks_for_super(&self.fields)
    }
}

/// Changes to a user.
#[derive(Clone, Debug, Default)]
pub struct UserPatch {
    pub(super) new_mail: Option<MailAddress>,
    pub(super) password: Option<Password>,
    pub(super) fields: FieldValues,
}

impl UserPatch {
    /// Changes to the user `mail` of a tenant. `errors` contains the errors found so far.
    ///
    /// # Errors
    /// All errors at once: `errors`, and addresses of foreign domains.
    pub fn new(
        mail: &MailAddress,
        new_mail: Option<MailAddress>,
        password: Option<Password>,
        fields: FieldValues,
        tenant: &Tenant,
        mut errors: FieldErrors,
    ) -> Result<Self, FieldErrors> {
        if let Some(new_mail) = &new_mail {
            tenant.check_name(Field::UserMail, new_mail, &mut errors);
        }
        check_fields(&fields, new_mail.as_ref().unwrap_or(mail), tenant, &mut errors);
        errors.none()?;
        Ok(Self { new_mail: new_mail.filter(|new| new != mail), password, fields })
    }

    /// The addresses in the patch, which the user may or may not have already.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let aliases = self.fields.get(&UserField::Aliases).map_or(&[][..], FieldValue::values);
        self.new_mail.iter().map(|m| m.as_str().to_owned()).chain(aliases.iter().cloned()).collect()
    }

    /// The addresses in the patch that a user does not have yet.
    #[must_use]
    pub fn new_addresses(&self, current: &LiveUser) -> Vec<String> {
        let had = current.user.addresses();
        self.addresses().into_iter().filter(|address| !had.contains(address)).collect()
    }

    /// The address of the user after the change.
    #[must_use]
    pub fn mail_after<'a>(&'a self, mail: &'a MailAddress) -> &'a MailAddress {
        self.new_mail.as_ref().unwrap_or(mail)
    }

    /// The new password.
    #[must_use]
    pub fn password(&self) -> Option<&Password> {
        self.password.as_ref()
    }

    /// The same changes without the password.
    #[must_use]
    pub fn without_password(self) -> Self {
        Self { password: None, ..self }
    }

    /// Whether it changes only the password.
    #[must_use]
    pub fn changes_password_only(&self) -> bool {
        self.new_mail.is_none() && self.fields.is_empty()
    }

    /// Whether it makes the user a super administrator.
    #[must_use]
    pub fn makes_super(&self) -> bool {
        asks_for_super(&self.fields)
    }
}

fn asks_for_super(fields: &FieldValues) -> bool {
    fields.get(&UserField::Role).and_then(FieldValue::first) == Some("3")
}

fn check_fields(fields: &FieldValues, mail: &MailAddress, tenant: &Tenant, errors: &mut FieldErrors) {
    let aliases = Field::User(UserField::Aliases);
    for address in fields.get(&UserField::Aliases).map_or(&[][..], FieldValue::values) {
        tenant.check_domain(aliases, address, errors);
        if address == mail.as_str() {
            errors.add(aliases, FieldError::OwnAddress(address.clone()));
        }
    }
    if asks_for_super(fields) && !tenant.id.is_default() {
        errors.add(Field::User(UserField::Role), FieldError::SuperOutsideDefault);
    }
}

/// The defaults of tables 1 and 2. They are written on creation, so that other programs see them.
fn add_defaults(fields: &mut FieldValues, tenant: &Tenant) {
    let language = tenant.default_language.unwrap_or(Language::DEFAULT);
    let defaults =
        [(UserField::Status, "1"), (UserField::Visibility, "3"), (UserField::Language, language.as_str())];
    for (field, text) in defaults {
        if let Ok(value) = field.parse(text) {
            fields.entry(field).or_insert(value);
        }
    }
    if let Some(quota) = tenant.default_quota
        && let Ok(value) = UserField::Quota.parse(&quota.megabytes().to_string())
    {
        fields.entry(UserField::Quota).or_insert(value);
    }
}

/// Parses a list of aliases, without repeats.
///
/// # Errors
/// The first invalid address, or that there are too many.
pub fn parse_aliases(texts: &[String]) -> Result<FieldValue, FieldError> {
    let mut addresses = Vec::new();
    for text in texts {
        let address = MailAddress::parse(text).map_err(|source| FieldError::address(text, source))?;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
        if addresses.len() > MAX_ALIASES {
            return Err(FieldError::TooManyAliases);
        }
    }
    Ok(FieldValue::addresses(&addresses))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(text: &str) -> Vec<String> {
        let password = Password::parse(text).unwrap();
        password.candidates().map(|text| text.expose_secret().to_owned()).collect()
    }

    #[test]
    fn a_password_is_composed_and_tried_as_it_was_given_too() {
        assert_eq!(candidates("Пароль-7"), ["Пароль-7"]);
        assert_eq!(candidates("Паро\u{301}ль"), ["Паро\u{301}ль"]);
        assert_eq!(candidates("Конои\u{306}-7"), ["Коной-7", "Конои\u{306}-7"]);
        assert_eq!(candidates("a\u{a0}b\u{3000}c"), ["a b c", "a\u{a0}b\u{3000}c"]);
        // No mapping of letter case or width.
        assert_eq!(candidates("Ａß"), ["Ａß"]);
        assert_eq!(Password::parse("Конои\u{306}").unwrap().secret().expose_secret(), "Коной");
    }

    #[test]
    fn what_can_be_no_password_is_refused() {
        for (text, error) in [
            ("", FieldError::Required),
            ("a\0b", FieldError::Control),
            ("a\u{85}b", FieldError::Control),
            (&"a".repeat(MAX_PASSWORD + 1), FieldError::TooManyBytes(MAX_PASSWORD)),
            (&"й".repeat(MAX_PASSWORD * 2), FieldError::TooManyBytes(MAX_PASSWORD)),
        ] {
            assert_eq!(Password::parse(text).unwrap_err(), error, "{}", text.len());
        }
        // Composed, it is short enough; as given, nobody can have set it.
        let long = "и\u{306}".repeat(MAX_PASSWORD / 2);
        assert_eq!(candidates(&long), ["й".repeat(MAX_PASSWORD / 2)]);
    }

    #[test]
    fn a_password_is_counted_in_bytes() {
        assert!(Password::parse(&"я".repeat(256)).is_ok());
        for long in ["x".repeat(513), format!("{}x", "я".repeat(256))] {
            let reason = Password::parse(&long).unwrap_err().to_string();
            assert_eq!(reason, "is too long: at most 512 bytes of UTF-8");
        }
    }

    #[test]
    fn a_hash_is_no_password() {
        for hash in [
            "{SSHA}Zm9v",
            "{ssha512}x",
            "{PBKDF2-SHA512}10000$x",
            "{CRYPT}$6$x",
            "{ARGON2}$argon2id$v",
            "{CLEAR}x",
        ] {
            let reason = Password::parse(hash).unwrap_err().to_string();
            assert!(
                reason.contains("hashes of passwords are not accepted") && !reason.contains("Zm9v"),
                "{reason}"
            );
        }
        for password in ["{Correct}Horse7", "SSHA}x", "x{SSHA}y", "{SSHA", "{}x", " {SSHA}"] {
            assert!(Password::parse(password).is_ok(), "{password}");
        }
    }
}
