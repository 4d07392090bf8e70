//! What readers of all sources have in common.

use mail_model::source::{card::Card, list::SourceList};

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
