//! How to reach and read a directory: as an administrator writes it, and as it is used.

use super::filter::SourceFilter;
use crate::{SourceError, mapping::Mapping};
use ldap_text::{AttributeName, Dn};
use mail_model::user::field::UserField;
use secrecy::{ExposeSecret as _, SecretString};
use std::{path::PathBuf, time::Duration};

/// How to reach and read a directory.
#[derive(Clone, Debug)]
pub struct LdapSourceSettings {
    /// The host name or address.
    pub host: String,
    /// The port; usually 389, or 636 with encryption.
    pub port: u16,
    /// Encryption.
    pub encryption: Encryption,
    /// Certificates of the authorities that are trusted besides the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// The account that reads: a DN, or `user@domain` for Active Directory.
    pub login: String,
    /// Its password.
    pub password: SecretString,
    /// The container of people.
    pub base_dn: String,
    /// The container of groups; without one, no groups are read.
    pub groups_dn: Option<String>,
    /// Which entries are people.
    pub users_filter: String,
    /// Which entries are groups.
    pub groups_filter: String,
    /// Which attributes become which fields.
    pub mapping: Mapping,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    None,
    /// From the beginning (`ldaps`).
    Tls,
    /// After the command `StartTLS`.
    StartTls,
}

impl LdapSourceSettings {
    /// Checks what can be checked without the server: the names, the filters, and that there is a login and a password.
    ///
    /// # Errors
    /// [`SourceError::Refused`], which names the setting.
    pub fn check(&self) -> Result<(), SourceError> {
        Plan::new(self).map(drop)
    }
}

/// What is read, with every name and filter parsed.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The container of people.
    pub(super) base: Dn,
    /// The container of groups.
    pub(super) groups_base: Option<Dn>,
    /// Which entries are people.
    pub(super) users: SourceFilter,
    /// Which entries are groups.
    pub(super) groups: SourceFilter,
    /// The attribute of each field.
    pub(super) mapping: Vec<(UserField, AttributeName)>,
}

impl Plan {
    /// # Errors
    /// [`SourceError::Refused`], which names the setting.
    pub(super) fn new(settings: &LdapSourceSettings) -> Result<Self, SourceError> {
        // A bind with a name and without a password succeeds as nobody (RFC 4513 section 5.1.2).
        if settings.login.trim().is_empty() || settings.password.expose_secret().is_empty() {
            return Err(SourceError::Login("the login or the password is empty".to_owned()));
        }
        let mapping = settings.mapping.iter().map(|(field, name)| Ok((field, attribute(name)?)));
        let groups_base = settings.groups_dn.as_deref().filter(|dn| !dn.trim().is_empty());
        Ok(Self {
            base: dn("base_dn", &settings.base_dn)?,
            groups_base: groups_base.map(|text| dn("groups_dn", text)).transpose()?,
            users: filter("users_filter", &settings.users_filter)?,
            groups: filter("groups_filter", &settings.groups_filter)?,
            mapping: mapping.collect::<Result<_, SourceError>>()?,
        })
    }
}

fn dn(setting: &str, text: &str) -> Result<Dn, SourceError> {
    match Dn::parse(text.trim()) {
        Ok(dn) if dn == Dn::empty() => Err(SourceError::Refused(format!("{setting} is empty"))),
        Ok(dn) => Ok(dn),
        Err(error) => Err(SourceError::Refused(format!("{setting} is not a DN: {error}"))),
    }
}

fn filter(setting: &str, text: &str) -> Result<SourceFilter, SourceError> {
    SourceFilter::parse(text).map_err(|error| SourceError::Refused(format!("{setting} {error}")))
}

fn attribute(name: &str) -> Result<AttributeName, SourceError> {
    AttributeName::parse(name)
        .map_err(|error| SourceError::Refused(format!("the mapping has {name:?}: {error}")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::mapping;

    /// Settings that are right, for a server that does not exist.
    pub(in crate::ldap) fn settings() -> LdapSourceSettings {
        LdapSourceSettings {
            host: "dc.example.test".into(),
            port: 636,
            encryption: Encryption::Tls,
            ca_file: None,
            login: "reader@example.test".into(),
            password: "secret".into(),
            base_dn: "OU=Staff,DC=example,DC=test".into(),
            groups_dn: Some("OU=Groups,DC=example,DC=test".into()),
            users_filter: "(&(objectClass=person)(mail=*))".into(),
            groups_filter: "(&(objectClass=group)(mail=*))".into(),
            mapping: Mapping::new(mapping::LDAP, &[].into()),
            timeout: Duration::from_secs(1),
        }
    }

    type Spoil = fn(&mut LdapSourceSettings);

    #[test]
    fn wrong_settings_are_named() {
        assert!(settings().check().is_ok());
        let cases: [(&str, Spoil); 6] = [
            ("empty", |settings| settings.password = "".into()),
            ("empty", |settings| settings.login = " ".into()),
            ("base_dn is empty", |settings| settings.base_dn.clear()),
            ("groups_dn is not a DN", |settings| settings.groups_dn = Some("groups".into())),
            ("users_filter is not", |settings| settings.users_filter = "mail=*".into()),
            ("the mapping has \"a b\"", |settings| {
                settings.mapping = Mapping::new(&[(UserField::City, "a b")], &[].into());
            }),
        ];
        for (word, spoil) in cases {
            let mut wrong = settings();
            spoil(&mut wrong);
            let text = wrong.check().unwrap_err().to_string();
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn an_empty_container_of_groups_is_none() {
        let none = LdapSourceSettings { groups_dn: Some(" ".into()), ..settings() };
        assert_eq!(Plan::new(&none).unwrap().groups_base, None);
    }
}
