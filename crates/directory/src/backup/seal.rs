//! The seal by which a reader knows that a backup is complete: a line at the beginning, and two lines at the end with
//! the number of entries and a checksum of every byte above. They are comments, so every other tool reads the file as
//! ordinary LDIF.

use jiff::Timestamp;
use ldap_text::dn::Dn;
use mail_model::tenant::TenantId;
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write,
    io::{self, Read},
};

const HEAD: &str = "# pbm backup of ";
const BEGUN: &str = ", begun ";
const TENANTS: &str = "# pbm backup: tenants ";
const COUNT: &str = "# pbm backup: entries ";
const SUM: &str = "# pbm backup: sha256 ";
/// More bytes than the lines at the end can have.
const END: usize = 256;
/// The line at the beginning is within this many bytes: the length of a root is limited.
const BEGINNING: usize = 80 * 1024;

/// Computes the seal of what is written.
pub(super) struct Seal {
    sum: Sha256,
    entries: u64,
}

impl Seal {
    /// Begins a backup.
    pub(super) fn begin(out: &mut Vec<u8>, root: &Dn, tenants: &[TenantId], now: Timestamp) -> Self {
        // A DN with a line break in it is printed with an escape.
        out.extend_from_slice(format!("version: 1\n\n{HEAD}{root}{BEGUN}{now:.0}\n").as_bytes());
        if !tenants.is_empty() {
            let tenants: Vec<_> = tenants.iter().map(ToString::to_string).collect();
            out.extend_from_slice(format!("{TENANTS}{}\n", tenants.join(" ")).as_bytes());
        }
        out.push(b'\n');
        Self { sum: Sha256::new(), entries: 0 }
    }

    /// Counts an entry.
    pub(super) fn count(&mut self) {
        self.entries += 1;
    }

    /// The number of entries so far.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// Adds a piece that is about to be written.
    pub(super) fn take(&mut self, piece: &[u8]) {
        self.sum.update(piece);
    }

    /// Returns the last piece; nothing is written after it.
    pub(super) fn end(mut self) -> Vec<u8> {
        let count = format!("{COUNT}{}\n", self.entries);
        self.take(count.as_bytes());
        format!("{count}{SUM}{}\n", hex(&self.sum.finalize())).into_bytes()
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a `String` never fails.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

/// What the seal shows about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A backup by pbm, complete and unaltered.
    Whole {
        /// The number of its entries.
        entries: u64,
    },
    /// A backup by pbm without its end.
    Cut,
    /// A backup by pbm that was altered.
    Altered,
    /// A file from another program, without a seal.
    Foreign,
}

/// What the head of a backup says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The root of the backup.
    pub(crate) root: Option<Dn>,
    /// The tenants of the backup; empty if it is a backup of everything.
    pub(crate) tenants: Vec<TenantId>,
}

/// Reads a file, and computes its checksum on the way.
pub(crate) struct Sealed<R> {
    input: R,
    sum: Sha256,
    /// The last bytes that were read: they may belong to the end.
    held: Vec<u8>,
    /// The first bytes, which contain the head.
    beginning: Vec<u8>,
    /// Whether the compressed data is truncated.
    is_broken_off: bool,
}

impl<R: Read> Sealed<R> {
    /// Creates a reader.
    pub(crate) fn new(input: R) -> Self {
        Self { input, sum: Sha256::new(), held: Vec::new(), beginning: Vec::new(), is_broken_off: false }
    }

    fn take(&mut self, piece: &[u8]) {
        let room = BEGINNING - self.beginning.len();
        self.beginning.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
        self.held.extend_from_slice(piece);
        if let Some(surely) = self.held.len().checked_sub(END) {
            self.sum.update(self.held.get(..surely).unwrap_or_default());
            self.held.drain(..surely);
        }
    }

    /// The content of the head, available once it was read.
    pub(crate) fn head(&self) -> Head {
        let mut head = Head::default();
        for line in self.beginning.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok()) {
            let line = line.trim_end_matches('\r');
            if let Some((root, _)) = line.strip_prefix(HEAD).and_then(|rest| rest.rsplit_once(BEGUN)) {
                head.root = Dn::parse(root).ok();
            } else if let Some(tenants) = line.strip_prefix(TENANTS) {
                head.tenants = tenants.split(' ').filter_map(|id| TenantId::parse(id).ok()).collect();
            } else if line.starts_with("dn:") {
                break;
            }
        }
        head
    }

    /// Whether the end is missing; valid after the last byte was read.
    pub(crate) fn is_cut(&self) -> bool {
        let end = String::from_utf8_lossy(&self.held);
        let lines = end.rfind(COUNT).and_then(|lines| end.get(lines..));
        self.is_broken_off
            // If all line ends were changed, the checksum line is still there.
            || lines.map_or_else(|| self.head().root.is_some(), |lines| count_and_sum(lines).is_none() && !lines.contains(SUM))
    }

    /// Checks the seal after the last byte was read; `found` is the number of entries in the file.
    pub(crate) fn verdict(mut self, found: u64) -> Verdict {
        if self.is_cut() {
            return Verdict::Cut;
        }
        let end = String::from_utf8_lossy(&self.held).into_owned();
        let Some(lines) = end.rfind(COUNT).and_then(|lines| end.get(lines..)) else {
            return Verdict::Foreign;
        };
        let Some((entries, sum)) = count_and_sum(lines) else {
            return Verdict::Altered;
        };
        let above = self.held.len().saturating_sub(end.len() - end.find(SUM).unwrap_or(end.len()));
        self.sum.update(self.held.get(..above).unwrap_or_default());
        let is_right = sum.strip_suffix('\n') == Some(&hex(&self.sum.finalize())) && entries == found;
        if is_right { Verdict::Whole { entries } } else { Verdict::Altered }
    }
}

/// The number of entries and the checksum from the lines at the end.
fn count_and_sum(lines: &str) -> Option<(u64, &str)> {
    let (count, sum) = lines.strip_prefix(COUNT)?.split_once('\n')?;
    Some((count.parse().ok()?, sum.strip_prefix(SUM)?))
}

impl<R: Read> Read for Sealed<R> {
    /// Reads on. Truncated compressed data ends at the last byte that can be decompressed.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_broken_off {
            return Ok(0);
        }
        let read = match self.input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.is_broken_off = true;
                0
            }
            read => read?,
        };
        if let Some(piece) = buffer.get(..read) {
            self.take(piece);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(entries: u64) -> Vec<u8> {
        let mut text = Vec::new();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let mut seal = Seal::begin(&mut text, &Dn::parse("dc=x").unwrap(), &[], now);
        for number in 0..entries {
            text.extend_from_slice(format!("dn: ou={number},dc=x\nobjectClass: top\n\n").as_bytes());
            seal.count();
        }
        seal.take(&text);
        text.extend(seal.end());
        text
    }

    /// The verdict on a text that is read in pieces of a given size.
    fn verdict(text: &[u8], piece: usize, found: u64) -> Verdict {
        let mut sealed = Sealed::new(text);
        let mut buffer = vec![0; piece];
        while sealed.read(&mut buffer).unwrap() > 0 {}
        sealed.verdict(found)
    }

    #[test]
    fn a_whole_backup_is_known_however_it_is_read() {
        for (entries, piece) in [(0, 1), (1, 7), (50, 1), (50, 100), (50, 1 << 20)] {
            assert_eq!(verdict(&backup(entries), piece, entries), Verdict::Whole { entries });
        }
    }

    #[test]
    fn a_cut_one_is_known_wherever_it_is_cut() {
        let text = backup(9);
        let whole = String::from_utf8(text.clone()).unwrap();
        let head_ends = whole.find("begun ").unwrap() + "begun ".len();
        for end in head_ends..text.len() {
            let verdict = verdict(&text[..end], 64, 9);
            assert!(matches!(verdict, Verdict::Cut | Verdict::Altered), "{end}: {verdict:?}");
        }
    }

    #[test]
    fn a_packed_one_is_cut_though_all_of_it_came() {
        /// A reader of truncated compressed data.
        struct BrokenOff;
        impl Read for BrokenOff {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        for text in [backup(3), b"dn: dc=x\n".to_vec(), Vec::new()] {
            let mut sealed = Sealed::new(text.as_slice().chain(BrokenOff));
            io::copy(&mut sealed, &mut io::sink()).unwrap();
            assert!(sealed.is_cut());
            assert_eq!(sealed.verdict(3), Verdict::Cut);
        }
    }

    #[test]
    fn a_flipped_bit_is_known_wherever_it_is() {
        let text = backup(9);
        for place in 0..text.len() {
            let mut text = text.clone();
            text[place] ^= 1;
            assert!(!matches!(verdict(&text, 64, 9), Verdict::Whole { .. }), "{place}");
        }
    }

    #[test]
    fn what_was_added_taken_away_or_joined_is_known() {
        let text = backup(3);
        let added = [text.as_slice(), b"\ndn: ou=z,dc=x\nobjectClass: top\n"].concat();
        assert_ne!(verdict(&added, 64, 4), Verdict::Whole { entries: 4 });
        assert_ne!(verdict(&[text.clone(), text.clone()].concat(), 64, 6), Verdict::Whole { entries: 6 });
        assert_eq!(verdict(&text, 64, 2), Verdict::Altered, "an entry that could not be read");
    }

    #[test]
    fn the_head_says_of_which_root_and_tenants_it_is() {
        let (root, tenants) =
            (Dn::parse("o=a\\, begun b").unwrap(), ["t1", "t2"].map(|id| TenantId::parse(id).unwrap()));
        let mut text = Vec::new();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        Seal::begin(&mut text, &root, &tenants, now);
        let mut sealed = Sealed::new(text.as_slice());
        io::copy(&mut sealed, &mut io::sink()).unwrap();
        assert_eq!(sealed.head(), Head { root: Some(root), tenants: tenants.to_vec() });
    }

    #[test]
    fn line_ends_of_windows_are_an_alteration() {
        let text = String::from_utf8(backup(3)).unwrap().replace('\n', "\r\n");
        assert_eq!(verdict(text.as_bytes(), 64, 3), Verdict::Altered);
    }

    #[test]
    fn a_file_from_elsewhere_is_no_backup() {
        assert_eq!(verdict(b"dn: dc=x\nobjectClass: top\n", 5, 1), Verdict::Foreign);
        assert_eq!(verdict(b"", 5, 0), Verdict::Foreign);
    }
}
