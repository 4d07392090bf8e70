//! Active Directory and other LDAP directories as sources.

use crate::{Read, SourceError, Sweep, mapping::Mapping, read::Ending};
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};
use tokio::sync::mpsc;

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

pub(crate) async fn people(
    _settings: &LdapSourceSettings,
    _sweep: &Sweep,
    _out: mpsc::Sender<Read>,
) -> Result<Ending, SourceError> {
    Err(SourceError::Ended)
}

pub(crate) async fn groups(
    _settings: &LdapSourceSettings,
    _out: mpsc::Sender<Read>,
) -> Result<Ending, SourceError> {
    Err(SourceError::Ended)
}
