//! What a restore may cost. The administrator of a tenant shares the process with the administrators of all others, so
//! what their files can make it keep, read and do is bounded.

use std::time::Duration;

/// Refused records that are reported; the rest is counted. More than anybody reads, and little to keep.
pub(super) const MOST_LISTED: usize = 1000;
/// Most bytes of the names of records that stand at a wrong place, kept until they are reported. A parsed name takes up
/// to 25 times its text: 6 MiB.
pub(super) const MOST_NAMES: usize = 256 * 1024;
/// Longest name of an entry of a tenant, in bytes: an address of 254, a group of 128 characters of four bytes, and folders,
/// escaped, with room to spare.
pub(super) const LONGEST_NAME: usize = 4096;
/// How far below a folder of a tenant entries are looked at. The API makes two levels; deeper ones are never written, and
/// are looked at only to tell that they are the same.
pub(super) const DEEPEST: usize = 4;

/// What the readings of a file may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes that a file may unpack to, however small it is.
    pub(super) free: u64,
    /// Bytes that each further packed byte may unpack to.
    pub(super) ratio: u64,
    /// Bytes that a file may unpack to at most.
    pub(super) unpacked: u64,
    /// Logarithm of the largest window of zstd, which is kept in memory.
    pub(super) window_log: u32,
    /// The largest record, counted as in [`ldap_text::ldif::MAX_RECORD_SIZE`].
    pub(super) record: usize,
    /// Most entries.
    pub(super) entries: usize,
    /// Most lists that are members of lists.
    pub(super) nested: usize,
    /// Entries whose addresses others have that are tried again, and how often.
    pub(super) again: (usize, usize),
    /// Bytes of records that are on their way to the directory.
    pub(super) in_flight: u32,
    /// How long it may take.
    pub(super) duration: Duration,
}

impl Bounds {
    /// For the administrator of a tenant. Together it stays below 64 MiB: 33 bytes an entry in a table that is up to half
    /// empty make 17 MiB (26 while it grows), the names that nobody has met yet another 9; a window of 8 MiB; one record
    /// of 4 MiB that is being read; and 6 MiB on their way, each byte up to four times (read, planned, encoded, sent).
    ///
    /// A backup of 100,000 users is 120 MB, and packs to between a tenth and a hundredth.
    pub(super) const TENANT: Self = Self {
        free: 64 << 20,
        ratio: 200,
        unpacked: 4 << 30,
        // What `zstd -19` makes; `pbm backup` makes 21.
        window_log: 23,
        // A list of 35,000 members; 389-ds as installed takes requests of 2 MiB.
        record: 4 << 20,
        entries: 400_000,
        nested: 200_000,
        again: (MOST_LISTED, 8),
        in_flight: 6 << 20,
        duration: Duration::from_secs(3600),
    };

    /// For who may restore everything: memory grows with the file's entries, and with nothing else.
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

/// Which bound a file or a restore went over.
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
    /// It takes too long.
    #[error("the restore takes longer than {} seconds; what was done is done, and running again goes on from there", .0.as_secs())]
    Time(Duration),
}
