//! Restoring from LDIF, and comparing with it.
//!
//! A file is read at least twice. The first reading (`survey`) finds what is wrong with it before anything is done: a
//! backup that was cut or altered, records that can't be read, entries that can't be restored. Then the directory is
//! read once, of which 33 bytes an entry are kept: a number for its name and one for its content. The second reading
//! goes through the file entry by entry: what the directory has just so is passed over, what it lacks is added, and what
//! differs is read and compared. So a restore over an identical directory writes nothing, and costs two readings.
//!
//! It can be killed anywhere and run again: each entry is added or changed by one operation, and what is done already is
//! the same the next time. What a dry run plans is what a run then does, since it is the same code that sends nothing; only what
//! the server alone knows, such as the syntax of values, is found out by doing.

mod bounds;
mod comparison;
mod condition;
mod handover;
mod meaning;
mod objections;
mod one;
mod out_of_place;
mod reading;
mod records;
mod refusal;
mod replication;
mod roots;
mod rules;
mod run;
mod survey;
mod tally;

pub use bounds::TooLarge;
pub use comparison::{Comparison, Told, compare_files};
pub use refusal::Refusal;
pub use run::Restore;
pub use tally::{Event, Outcome, Summary};

use crate::{
    backup::{Extent, seal::Verdict},
    error::DirectoryError,
};
use jiff::Timestamp;
use ldap_text::{dn::Dn, ldif::LdifError};
use mail_model::tenant::Tenant;
use std::io;

/// What is done with an entry that the directory has already and that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the difference is told.
    Keep,
    /// It is brought to the file's state.
    Update,
}

/// What is done with a file of another root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherRoot {
    /// It is refused.
    Refused,
    /// It is restored as one of ours: of whatever root it turns out to be of.
    Any,
    /// It is restored as one of ours: of this root.
    Named(Dn),
}

/// How to restore.
#[derive(Clone, Debug)]
pub struct RestoreRequest {
    /// Which part of the file and of the directory.
    pub extent: Extent,
    /// What is done with what differs.
    pub existing: Existing,
    /// Whether nothing is written, and all is told.
    pub dry_run: bool,
    /// Whether a backup is taken that is cut or was altered.
    pub force: bool,
    /// What is done with a file of another root.
    pub other_root: OtherRoot,
    /// The tenant whose administrator restores; `None` for who may restore everything.
    pub limited_to: Option<Tenant>,
    /// The time, for what changes with it.
    pub now: Timestamp,
}

/// Why a restore does not begin, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file can't be read.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// It is no LDIF.
    #[error("the file is no LDIF that can be restored")]
    Ldif(#[source] LdifError),
    /// It holds changes.
    #[error("line {line}: the file holds changes (`changetype:`), and only entries can be restored")]
    Changes {
        /// Where the first one begins.
        line: u64,
    },
    /// It has nothing of the part that was asked for.
    #[error("the file has no entry of the tenants that were asked for")]
    NothingOfIt,
    /// There is nothing in it.
    #[error("the file has no entry")]
    Empty,
    /// It is a backup without its end, or a packed file without one.
    #[error("the backup is cut: its end is missing")]
    Cut,
    /// It is packed, and can't be unpacked; or it changes its encoding.
    #[error("the file is damaged")]
    Damaged(#[source] io::Error),
    /// It is a backup that somebody changed.
    #[error("the backup was altered since it was made: its checksum does not fit")]
    Altered,
    /// Not one of its entries is below our root.
    #[error("the file is of {found}, the directory of {ours}")]
    OtherRoot {
        /// What all its names end with.
        found: Dn,
        /// The root.
        ours: Dn,
    },
    /// It is not sorted, and has too many levels.
    #[error(
        "entries stand before those that they are below, and the tree has more than {} levels: sort the file",
        survey::MAX_LEVELS
    )]
    TooDeep,
    /// It, or restoring it, costs more than it may.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The tenant whose administrator restores is not as it was.
    #[error(
        "the tenant or its domains have changed meanwhile; what was done is done, and running again goes on from there"
    )]
    TenantChanged,
    /// The directory failed. What was done until then is done.
    #[error("the directory failed; what was done is done, and running again goes on from there")]
    Directory(#[from] DirectoryError),
    /// The reading was stopped.
    #[error("the reading of the file was stopped")]
    Stopped,
}

/// What is known of a file before it is restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// What its seal says.
    pub verdict: Verdict,
    /// Entries that are of the part that was asked for.
    pub entries: u64,
    /// Entries that are of no part that was asked for.
    pub left_out: u64,
    /// Records whose names can't be read: what the file lacks is not known.
    pub unnamed: u64,
}
