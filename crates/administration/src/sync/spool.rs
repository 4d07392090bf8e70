//! Records that wait in a file until all of a source was read.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
};

/// The largest part of a record, in bytes: a photo, with room.
const MOST: u32 = 16 << 20;
/// The most parts of a record: a list with a million members.
const MOST_PARTS: u32 = 1 << 21;

/// The largest file, in bytes: some hundred thousand new photos.
const LARGEST: u64 = 16 << 30;

/// A part of a record: what it is, and its bytes.
pub(super) type Part = (u8, Vec<u8>);

/// Records that are being written. The file has no name, and is gone with the value.
pub(super) struct Spool {
    file: BufWriter<File>,
    records: u64,
    bytes: u64,
}

impl Spool {
    /// An empty spool in the system's folder for temporary files.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(tempfile::tempfile()?), records: 0, bytes: 0 })
    }

    /// Adds a record.
    pub(super) fn push(&mut self, parts: &[Part]) -> io::Result<()> {
        self.bytes += parts.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
        if self.bytes > LARGEST {
            return Err(io::Error::other("the source has more changes than a run can hold (16 GiB)"));
        }
        self.file.write_all(&length(parts.len())?)?;
        for (kind, bytes) in parts {
            self.file.write_all(&[*kind])?;
            self.file.write_all(&length(bytes.len())?)?;
            self.file.write_all(bytes)?;
        }
        self.records += 1;
        Ok(())
    }

    /// Reads the records from the first.
    pub(super) fn read(self) -> io::Result<Spooled> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Spooled { file: BufReader::new(file), left: self.records, all: self.records })
    }
}

/// Records that are being read.
pub(super) struct Spooled {
    file: BufReader<File>,
    left: u64,
    all: u64,
}

impl Spooled {
    /// Reads them once more from the first.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.left = self.all;
        self.file.rewind()
    }

    /// The next record.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<Part>>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let count = self.number(MOST_PARTS)?;
        let mut parts = Vec::new();
        for _ in 0..count {
            let mut kind = [0];
            self.file.read_exact(&mut kind)?;
            let mut bytes = vec![0; usize::try_from(self.number(MOST)?).unwrap_or(0)];
            self.file.read_exact(&mut bytes)?;
            let [kind] = kind;
            parts.push((kind, bytes));
        }
        Ok(Some(parts))
    }

    fn number(&mut self, most: u32) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.file.read_exact(&mut bytes)?;
        let number = u32::from_le_bytes(bytes);
        if number <= most { Ok(number) } else { Err(corrupt()) }
    }
}

/// The error of a record that is not one.
pub(super) fn corrupt() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn length(length: usize) -> io::Result<[u8; 4]> {
    let length = u32::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(length.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_in_order_and_again() {
        let mut spool = Spool::new().unwrap();
        let records =
            [vec![(b'a', b"x".to_vec()), (b'b', Vec::new())], vec![], vec![(b'c', vec![0; 70_000])]];
        for record in &records {
            spool.push(record).unwrap();
        }
        let mut spooled = spool.read().unwrap();
        for _ in 0..2 {
            for record in &records {
                assert_eq!(spooled.next().unwrap().as_ref(), Some(record));
            }
            assert_eq!(spooled.next().unwrap(), None);
            spooled.rewind().unwrap();
        }
    }
}
