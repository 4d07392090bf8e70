//! The command line.

use clap::{Parser, ValueEnum};
use sandbox::Backend;
use std::{path::PathBuf, time::Duration};

/// Load benchmarks of pbm: pbm and the raw directory server side by side, in one run.
///
/// Starts a private 389-ds in a temporary folder (set by TMPDIR), prepares it with `pbm init`, fills it, serves it with
/// `pbm serve`, and measures. The exit code is 0 whether or not the targets are met.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// Number of users for every measurement except the address book.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..))]
    pub(crate) users: u32,
    /// Numbers of users for the address book: everything about it is measured once for each.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [10_000, 100_000], value_parser = clap::value_parser!(u32).range(1000..))]
    sizes: Vec<u32>,
    /// Duration of one measurement.
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Number of concurrent HTTP clients.
    #[arg(long, value_name = "C", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,
    /// How often each measurement is made, raw and ours in turn; medians are shown.
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Let 389-ds answer writes before they reach the disk; only on Berkeley DB, and not for production.
    #[arg(long)]
    pub(crate) fast_disk: bool,
    /// Database library of 389-ds: `mdb` (LMDB) or `bdb` (Berkeley DB).
    #[arg(long, value_name = "NAME", default_value_t)]
    pub(crate) backend: Backend,
    /// Measure only this; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<Operation>,
    /// The binary to measure [default: pbm beside this program].
    #[arg(long, value_name = "FILE")]
    pub(crate) pbm: Option<PathBuf>,
    /// Write a picture of how the figures of the address book grow with the number of users; needs two sizes.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Answer every request with an empty response, and do nothing else.
    #[arg(long, hide = true)]
    pub(crate) empty_handler: bool,
}

/// The measurements, in order: those that change a list or create users come after those that depend on their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    /// Start-up, and memory when idle.
    Start,
    /// Reading one user.
    Read,
    /// Pages of the list of users without Redis.
    Pages,
    /// Search by three letters.
    Search,
    /// Log-in.
    Login,
    /// Reading a list of 10,000.
    ReadList,
    /// Adding a member to a list of 10,000.
    AddMember,
    /// All users reached by nested lists.
    Expand,
    /// Making, reading and changing a list of 50,000.
    HugeList,
    /// Deleting a group of 1,000 resources.
    DeleteGroup,
    /// Creating users.
    Create,
    /// Creating users in bulk.
    Bulk,
    /// Writing and reading LDIF.
    Ldif,
    /// A backup of everything.
    Backup,
    /// Restores into an empty server, and into the same data.
    Restore,
    /// Synchronization of 100,000 people with another directory.
    Sync,
    /// Building the address book.
    BookBuild,
    /// Pages of the address book, and of the list of users.
    BookPages,
    /// Suggestions while people type.
    BookSuggest,
    /// An unchanged page.
    BookUnchanged,
    /// The whole address book as vCard.
    BookExport,
    /// Changes made behind pbm.
    BookBehind,
    /// Restarts.
    BookResume,
}

impl Operation {
    /// Whether the measurement belongs to the table of the address book.
    pub(crate) fn is_of_book(self) -> bool {
        match self {
            Self::BookBuild
            | Self::BookPages
            | Self::BookSuggest
            | Self::BookUnchanged
            | Self::BookExport
            | Self::BookBehind
            | Self::BookResume => true,
            Self::Start
            | Self::Read
            | Self::Pages
            | Self::Search
            | Self::Login
            | Self::ReadList
            | Self::AddMember
            | Self::Expand
            | Self::HugeList
            | Self::DeleteGroup
            | Self::Create
            | Self::Backup
            | Self::Restore
            | Self::Sync
            | Self::Bulk
            | Self::Ldif => false,
        }
    }
}

impl Arguments {
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    pub(crate) fn clients(&self) -> usize {
        usize::try_from(self.clients).unwrap_or(usize::MAX)
    }

    pub(crate) fn users(&self) -> usize {
        usize::try_from(self.users).unwrap_or(usize::MAX)
    }

    /// The numbers of users for the address book, ascending.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<_> =
            self.sizes.iter().map(|size| usize::try_from(*size).unwrap_or(usize::MAX)).collect();
        sizes.sort_unstable();
        sizes
    }

    /// The measurements to make, in order: those of the address book, or all others.
    pub(crate) fn operations(&self, of_book: bool) -> Vec<Operation> {
        let all = Operation::value_variants().iter().copied();
        let asked = |operation: &Operation| self.only.is_empty() || self.only.contains(operation);
        all.filter(|operation| operation.is_of_book() == of_book).filter(asked).collect()
    }
}
