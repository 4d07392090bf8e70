//! Restores LDIF files, and compares them with the directory.
//!
//! A file is read at least twice. The first pass (`survey`) finds everything that is wrong with the file before any
//! change is made: a backup that is incomplete or was altered, records that can't be read, entries that can't be
//! restored. Then the directory is read once, and 33 bytes an entry are kept: a hash of its name and one of its
//! content. The second pass goes through the file entry by entry: an entry that is the same in the directory is
//! skipped, a missing one is added, and a different one is read and compared. So a restore over an identical directory
//! writes nothing, and costs two passes.
//!
//! A restore can be killed at any point and run again: each entry is added or changed by one operation (a very large one by
//! several, see `large`), and entries that are done count as the same in the next run. If the outcome of a write is
//! unknown, the restore looks at the entry and goes on (`doubt`). A dry run plans what a run then does, since it is the same code
//! without the sending. Only what the server alone knows, such as the syntax of values, shows in a real run.

mod bounds;
mod comparison;
mod condition;
mod doubt;
mod handover;
mod large;
mod meaning;
mod objections;
mod one;
mod out_of_place;
mod reading;
mod records;
mod refusal;
mod replace;
mod replication;
mod roots;
mod rules;
mod run;
mod server_file;
mod sift;
mod survey;
mod tally;
mod under_way;

pub use bounds::TooLarge;
pub use comparison::{Comparison, Told, compare_files};
pub use refusal::Refusal;
pub use replace::{OwnAccounts, ReplaceError, Replacement};
pub use run::Restore;
pub use tally::{Outcome, RestoreEvent, Summary};

use crate::{
    backup::{Extent, seal::Verdict},
    error::DirectoryError,
};
use jiff::Timestamp;
use ldap_text::{dn::Dn, ldif::LdifError};
use mail_model::tenant::Tenant;
use std::io;

/// What to do with an entry that exists in the directory and differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave the entry as it is and report the difference.
    Keep,
    /// Update the entry to the state in the file.
    Update,
}

/// What to do with a file of another root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherRoot {
    /// Refuse it.
    Refused,
    /// Restore it under the root of this directory, whatever its own root is.
    Any,
    /// Restore it under the root of this directory; its own root is this one.
    Named(Dn),
}

/// Options of a restore.
#[derive(Clone, Debug)]
pub struct RestoreRequest {
    /// The part of the file and of the directory.
    pub extent: Extent,
    /// What to do with entries that differ.
    pub existing: Existing,
    /// Whether to write nothing and report everything.
    pub dry_run: bool,
    /// Whether to accept a backup that is incomplete or was altered.
    pub force: bool,
    /// What to do with a file of another root.
    pub other_root: OtherRoot,
    /// The tenant, if its administrator restores; `None` if everything may be restored.
    pub limited_to: Option<Tenant>,
    /// The current time, for changes that depend on it.
    pub now: Timestamp,
}

/// Why a restore does not begin, or stops.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file can't be read.
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
    /// It is not valid LDIF.
    #[error("the file is not LDIF that can be restored")]
    Ldif(#[source] LdifError),
    /// It contains changes.
    #[error("line {line}: the file holds changes (`changetype:`), and only entries can be restored")]
    Changes {
        /// The line at which the first change begins.
        line: u64,
    },
    /// It has no entry of the requested part.
    #[error("the file has no entry of the requested tenants")]
    NothingOfIt,
    /// It has no entries at all.
    #[error("the file has no entry")]
    Empty,
    /// The file is a backup without its end, or a truncated compressed file.
    #[error("the backup is truncated: its end is missing")]
    Cut,
    /// It can't be decompressed, or its encoding changes within the file.
    #[error("the file is damaged")]
    Damaged(#[source] io::Error),
    /// It is a backup that was changed.
    #[error("the backup was altered since it was made: its checksum does not fit")]
    Altered,
    /// None of its entries is below the root of this directory.
    #[error("the root of the file is {found}, the root of the directory is {ours}")]
    OtherRoot {
        /// The common ending of all its names.
        found: Dn,
        /// The root of this directory.
        ours: Dn,
    },
    /// It is not sorted, and has too many levels.
    #[error(
        "entries stand before their parents, and the tree has more than {} levels: sort the file",
        survey::MAX_LEVELS
    )]
    TooDeep,
    /// The file, or restoring it, exceeds a limit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The tenant whose administrator restores, or its domains, have changed.
    #[error(
        "the tenant or its domains have changed; what was done stays done, and running it again continues from there"
    )]
    TenantChanged,
    /// The directory failed. Entries that were restored before stay restored.
    #[error("the directory failed; what was done stays done, and running it again continues from there")]
    Directory(#[from] DirectoryError),
    /// The reading was stopped.
    #[error("the reading of the file was stopped")]
    Stopped,
}

/// The result of the first pass over a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The verdict on its seal.
    pub verdict: Verdict,
    /// Entries of the requested part.
    pub entries: u64,
    /// Entries outside of the requested part.
    pub left_out: u64,
    /// Records whose names can't be read; if there are any, it is unknown which entries the file lacks.
    pub unnamed: u64,
}
