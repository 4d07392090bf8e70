//! Limits of a restore. The administrator of a tenant shares the process with the administrators of all other tenants,
//! so the memory, the reads and the writes that their files can cause are limited.

use std::time::Duration;

/// Refused records that are reported; the others are only counted. This is more than anybody reads, and little to
/// keep.
pub(super) const MOST_LISTED: usize = 1000;
/// The size limit for the names of misplaced records that are kept until they are reported, in bytes. A parsed name
/// takes up to 25 times the size of its text: 6 MiB.
pub(super) const MOST_NAMES: usize = 256 * 1024;
/// The longest name of an entry of a tenant, in bytes: an address of 254 bytes, a group of 128 characters of four
/// bytes each, and folders, escaped, with room to spare.
pub(super) const LONGEST_NAME: usize = 4096;
/// How far below a folder of a tenant entries are compared. The API creates two levels; entries on deeper ones are
/// never written, only compared.
pub(super) const DEEPEST: usize = 4;

/// The limits for reading a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes that any file may decompress to, however small it is.
    pub(super) free: u64,
    /// Further bytes that each compressed byte may decompress to.
    pub(super) ratio: u64,
    /// Bytes that a file may decompress to at most.
    pub(super) unpacked: u64,
    /// The logarithm of the largest window of zstd, which is kept in memory.
    pub(super) window_log: u32,
    /// The largest record, counted as in [`ldap_text::ldif::MAX_RECORD_SIZE`].
    pub(super) record: usize,
    /// The largest number of entries.
    pub(super) entries: usize,
    /// The largest number of lists that are members of lists.
    pub(super) nested: usize,
    /// How many entries are tried again because another entry has one of their addresses, and how often.
    pub(super) again: (usize, usize),
    /// Bytes of records that are being sent to the directory.
    pub(super) in_flight: u32,
    /// The longest duration.
    pub(super) duration: Duration,
}

impl Bounds {
    /// For the administrator of a tenant. The total stays below 64 MiB: 33 bytes an entry in a table that is up to
    /// half empty make 17 MiB (26 while it grows), and the names of parents that have not been read yet another 9; a
    /// window of 8 MiB; one record of 4 MiB that is being read; and 6 MiB in progress, each byte up to four times
    /// (read, planned, encoded, sent).
    ///
    /// A backup of 100,000 users has 120 MB, and a tenth to a hundredth of that when compressed.
    pub(super) const TENANT: Self = Self {
        free: 64 << 20,
        ratio: 200,
        unpacked: 4 << 30,
        // The window of `zstd -19`; `pbm backup` uses 21.
        window_log: 23,
        // A list of 35,000 members; 389-ds accepts requests of 2 MiB by default.
        record: 4 << 20,
        entries: 400_000,
        nested: 200_000,
        again: (MOST_LISTED, 8),
        in_flight: 6 << 20,
        duration: Duration::from_secs(3600),
    };

    /// For accounts that may restore everything: memory grows with the number of entries in the file, and with nothing
    /// else.
    pub(super) const EVERYTHING: Self = Self {
        free: u64::MAX,
        ratio: 0,
        unpacked: u64::MAX,
        // The default of the library.
        window_log: 27,
        record: ldap_text::ldif::MAX_RECORD_SIZE,
        entries: usize::MAX,
        nested: usize::MAX,
        again: (usize::MAX, usize::MAX),
        in_flight: 256 << 20,
        duration: Duration::MAX,
    };
}

/// The limit that a file or a restore exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// Too many entries.
    #[error("the file has more than {0} entries of the tenant; a super administrator can restore it")]
    Entries(usize),
    /// Too many lists in lists.
    #[error(
        "the file has more than {0} lists that are members of lists; a super administrator can restore it"
    )]
    Nested(usize),
    /// Too many bytes for its packed size, or at all.
    #[error("the file unpacks to more than {0} bytes; a super administrator can restore it")]
    Unpacked(u64),
    /// The restore takes too long.
    #[error("the restore takes longer than {} seconds; what was done stays done, and running it again continues from there", .0.as_secs())]
    Time(Duration),
}
