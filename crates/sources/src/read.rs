//! What readers of all sources have in common.

use crate::{bitrix24::Bitrix24Settings, ldap::LdapSourceSettings};
use mail_model::source::{SourceKind, card::Card, list::SourceList};
use tokio::sync::mpsc;

/// What a reader has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// A person.
    Person(Box<Card>),
    /// A group with an address.
    List(SourceList),
    /// Something that was left out, with the reason.
    Passed(Passed),
}

/// An entry, or a part of one, that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Which entry: its address, or its name or identifier in the source.
    pub what: String,
    /// Why, and what can be done.
    pub why: String,
    /// Whether all of the entry was left out. It then still exists in the source: what was made of it earlier must not
    /// be removed.
    pub keeps: Option<mail_model::source::SourceId>,
}

/// How much of a source is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// All of it.
    Whole,
    /// What has changed since a position that an earlier read returned. A source that cannot tell reads all.
    Since(String),
}

/// The end of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Whether all of the source was read, so that what was not found is not there any more.
    pub is_whole: bool,
    /// From where the next read can continue with what has changed, if the source can tell.
    pub position: Option<String>,
}

/// Why a source could not be read to its end. The messages say what to do, and contain no secret.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It could not be reached, or the connection ended.
    #[error("cannot reach {address}: {reason}")]
    Unreachable {
        /// The host and port, or the host of the URL.
        address: String,
        /// Why.
        reason: String,
    },
    /// It refused the login.
    #[error("the source refused the login: {0}")]
    Login(String),
    /// It refused a request, or answered something else than it should.
    #[error("{0}")]
    Refused(String),
    /// Whoever wanted the entries has gone.
    #[error("the run was ended")]
    Ended,
}

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
            Self::Ldap(settings) => crate::ldap::people(settings, sweep, out).await,
            Self::Bitrix24(settings) => crate::bitrix24::people(settings, out).await,
        }
    }

    /// Reads the groups that have an address, with the addresses of their members.
    ///
    /// # Errors
    /// [`SourceError`]; what was sent is then not all.
    pub async fn groups(&self, out: mpsc::Sender<Read>) -> Result<Ending, SourceError> {
        match self {
            Self::Ldap(settings) => crate::ldap::groups(settings, out).await,
            Self::Bitrix24(_) => {
                Err(SourceError::Refused("Bitrix24 has no groups with addresses".to_owned()))
            }
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
