//! A source, whatever its kind.

use crate::{
    bitrix24::{self, Bitrix24Settings},
    ldap::{self, LdapSourceSettings, Limits},
    read::{Ending, Passed, Read, SourceError, Sweep},
};
use mail_model::source::SourceKind;
use tokio::sync::mpsc;

/// A source that can be read.
#[derive(Clone, Debug)]
pub enum Reader {
    /// Active Directory, or another directory.
    Ldap(LdapSourceSettings),
    /// Bitrix24.
    Bitrix24(Bitrix24Settings),
}

impl Reader {
    /// Reads the people, and sends each, as a [`Read`], in any order.
    ///
    /// # Errors
    /// [`SourceError`]; what was sent is then not all.
    pub async fn people(&self, sweep: &Sweep, out: mpsc::Sender<Read>) -> Result<Ending, SourceError> {
        match self {
            Self::Ldap(settings) => ldap::people(settings, &Limits::default(), sweep, out).await,
            Self::Bitrix24(settings) => bitrix24::people(settings, out).await,
        }
    }

    /// Reads the groups that have an address, with the addresses of their members.
    ///
    /// # Errors
    /// [`SourceError`]; what was sent is then not all.
    pub async fn groups(&self, out: mpsc::Sender<Read>) -> Result<Ending, SourceError> {
        match self {
            Self::Ldap(settings) => ldap::groups(settings, &Limits::default(), out).await,
            Self::Bitrix24(_) => {
                Err(SourceError::Refused("Bitrix24 has no groups with addresses".to_owned()))
            }
        }
    }

    /// Reaches the source and logs in. Returns what is missing without which a run works all the same.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn probe(&self) -> Result<Vec<Passed>, SourceError> {
        match self {
            Self::Ldap(settings) => ldap::probe(settings).await.map(|()| Vec::new()),
            Self::Bitrix24(settings) => bitrix24::probe(settings).await,
        }
    }

    /// The kinds of identifiers that its entries have.
    #[must_use]
    pub const fn kinds(&self) -> &'static [SourceKind] {
        match self {
            Self::Ldap(_) => &[SourceKind::ActiveDirectory, SourceKind::Ldap],
            Self::Bitrix24(_) => &[SourceKind::Bitrix24],
        }
    }
}
