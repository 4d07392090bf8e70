//! A file that is read as often as needed, within limits, and only as long as the restore runs.

use super::{
    RestoreError,
    bounds::{Bounds, TooLarge},
};
use crate::backup::file::LdifFile;
use ldap_text::ldif::{LdifError, LdifReason};
use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

/// A file, and the limits for reading it.
#[derive(Clone)]
pub(super) struct Reading {
    file: LdifFile,
    pub(super) bounds: Bounds,
    since: Instant,
    is_stopped: Arc<AtomicBool>,
}

/// Stops the reading of a file when it is dropped.
pub(super) struct StopReading(Arc<AtomicBool>);

impl Drop for StopReading {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The reading of a file was stopped.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the reading of the file was stopped")]
struct Stopped;

impl Reading {
    /// Creates it; the time limit starts now.
    pub(super) fn of(file: LdifFile, bounds: Bounds) -> Self {
        Self { file, bounds, since: Instant::now(), is_stopped: Arc::new(AtomicBool::new(false)) }
    }

    /// Returns the guard that stops the reading.
    pub(super) fn stop(&self) -> StopReading {
        StopReading(self.is_stopped.clone())
    }

    /// Opens the file for reading from the beginning, decompressed. `on_read` is called with the number of compressed
    /// bytes.
    pub(super) fn open(
        &self,
        mut on_read: impl FnMut(usize) + Send + 'static,
    ) -> io::Result<Box<dyn Read + Send>> {
        let packed = Arc::new(AtomicU64::new(0));
        let counter = packed.clone();
        let input = self.file.open(self.bounds.window_log, move |bytes| {
            counter.fetch_add(bytes as u64, Ordering::Relaxed);
            on_read(bytes);
        })?;
        Ok(Box::new(Bounded { input, packed, unpacked: 0, reading: self.clone() }))
    }

    /// Requires that the time limit has not been reached.
    ///
    /// # Errors
    /// [`TooLarge::Time`] if it has.
    pub(super) fn check_time(&self) -> Result<(), TooLarge> {
        let limit = self.bounds.duration;
        if self.since.elapsed() > limit { Err(TooLarge::Time(limit)) } else { Ok(()) }
    }
}

/// A reader that fails if a limit is exceeded.
struct Bounded<R> {
    input: R,
    packed: Arc<AtomicU64>,
    unpacked: u64,
    reading: Reading,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.reading.is_stopped.load(Ordering::Relaxed) {
            return Err(io::Error::other(Stopped));
        }
        self.reading.check_time().map_err(io::Error::other)?;
        let read = self.input.read(buffer)?;
        self.unpacked = self.unpacked.saturating_add(read as u64);
        let bounds = &self.reading.bounds;
        let packed = self.packed.load(Ordering::Relaxed);
        let allowed = bounds.free.saturating_add(packed.saturating_mul(bounds.ratio)).min(bounds.unpacked);
        if self.unpacked > allowed { Err(io::Error::other(TooLarge::Unpacked(allowed))) } else { Ok(read) }
    }
}

impl From<LdifError> for RestoreError {
    fn from(error: LdifError) -> Self {
        let LdifReason::Io(io) = error.reason else { return Self::Ldif(error) };
        let cause = io.get_ref();
        if let Some(too_large) = cause.and_then(|cause| cause.downcast_ref::<TooLarge>()) {
            Self::TooLarge(*too_large)
        } else if cause.is_some_and(<dyn std::error::Error + Send + Sync>::is::<Stopped>) {
            Self::Stopped
        } else if io.raw_os_error().is_some() {
            Self::Io(io)
        } else {
            Self::Damaged(io)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backup::file::NewFile, restore::records::Records};
    use std::{io::Write, time::Duration};

    const SMALL: Bounds = Bounds { free: 1000, ratio: 10, unpacked: 1_000_000, ..Bounds::TENANT };

    /// Reads a file of `records` records `dn: dc=x`, compressed according to its name.
    fn read(name: &str, records: usize, bounds: Bounds, is_stopped: bool) -> Result<u64, RestoreError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut file = NewFile::create(&path).unwrap();
        file.write_all("dn: dc=x\n\n".repeat(records).as_bytes()).unwrap();
        file.finish().unwrap();
        let reading = Reading::of(LdifFile::new(&path), bounds);
        let stop = reading.stop();
        if is_stopped {
            drop(stop);
        }
        let (mut records, mut found) = (Records::open(&reading, |_| {})?, 0);
        while records.next_entry()?.is_some() {
            found += 1;
        }
        Ok(found)
    }

    #[test]
    fn a_file_unpacks_to_no_more_than_its_size_allows() {
        assert_eq!(read("a.ldif", 500, SMALL, false).unwrap(), 500);
        for name in ["a.ldif.zst", "a.ldif.gz"] {
            assert_eq!(read(name, 90, SMALL, false).unwrap(), 90);
            let outcome = read(name, 50_000, SMALL, false);
            assert!(matches!(outcome, Err(RestoreError::TooLarge(TooLarge::Unpacked(_)))), "{outcome:?}");
        }
        let outcome = read("a.ldif", 150_000, SMALL, false);
        assert!(matches!(outcome, Err(RestoreError::TooLarge(TooLarge::Unpacked(1_000_000)))), "{outcome:?}");
    }

    #[test]
    fn a_reading_ends_when_nobody_waits_for_it_and_when_its_time_is_over() {
        assert!(matches!(read("a.ldif", 5, SMALL, true), Err(RestoreError::Stopped)));
        let over = Bounds { duration: Duration::ZERO, ..SMALL };
        assert!(matches!(read("a.ldif", 5, over, false), Err(RestoreError::TooLarge(TooLarge::Time(_)))));
    }

    #[test]
    fn a_record_is_no_larger_than_the_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ldif");
        let text = format!("dn: dc=x\ndescription: {}\n", "a".repeat(20_000));
        std::fs::write(&path, text).unwrap();
        let next = |record| {
            let reading = Reading::of(LdifFile::new(&path), Bounds { record, ..Bounds::TENANT });
            let entry = Records::open(&reading, |_| {}).unwrap().next();
            entry.is_ok()
        };
        assert!(next(30_000) && !next(10_000));
    }
}
