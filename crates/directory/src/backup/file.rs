//! Files of LDIF: read as often as needed, unpacked on the way; written whole or not at all.

use super::utf16::InUtf8;
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile};

/// How much is read at a time, in bytes.
const BUFFER: usize = 256 * 1024;
/// The disk is waited for after so many bytes, while more is being read, so that it is not waited for at the end.
const SYNC_EVERY: usize = 8 * 1024 * 1024;
/// The first bytes of a gzip file (RFC 1952 section 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The first bytes of a zstd frame (RFC 8878 section 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A file of LDIF, plain or packed by gzip or zstd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdifFile(PathBuf);

impl LdifFile {
    /// The file of a name. It must be one that can be read more than once, not a pipe.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its size in bytes, as it is packed.
    ///
    /// # Errors
    /// What the system says.
    pub fn size(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.0)?.len())
    }

    /// Reads it from its beginning, unpacked whatever its name is, and in UTF-8 also where it is in UTF-16. A file of zstd may have a window of two to the power of
    /// `window_log` bytes, which are kept in memory. `on_read` hears of the bytes of the file, packed as they are.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(
        &self,
        window_log: u32,
        on_read: impl FnMut(usize) + Send + 'static,
    ) -> io::Result<Box<dyn Read + Send>> {
        let mut file = BufReader::with_capacity(BUFFER, Counted { input: File::open(&self.0)?, on_read });
        let start = file.fill_buf()?;
        Ok(if start.starts_with(GZIP) {
            Box::new(InUtf8::new(MultiGzDecoder::new(file), BUFFER))
        } else if start.starts_with(ZSTD) {
            let mut decoder = zstd::Decoder::with_buffer(file)?;
            decoder.window_log_max(window_log)?;
            Box::new(InUtf8::new(decoder, BUFFER))
        } else {
            Box::new(InUtf8::new(file, BUFFER))
        })
    }
}

struct Counted<R, F> {
    input: R,
    on_read: F,
}

impl<R: Read, F: FnMut(usize)> Read for Counted<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        (self.on_read)(read);
        Ok(read)
    }
}

/// A file that is being written. Under its name stands what was there before until it is whole.
pub struct NewFile {
    packer: Packer,
    path: PathBuf,
    /// Bytes since the disk was last waited for.
    unsynced: usize,
}

enum Packer {
    None(BufWriter<NamedTempFile>),
    Gzip(Box<GzEncoder<BufWriter<NamedTempFile>>>),
    Zstd(Box<zstd::Encoder<'static, BufWriter<NamedTempFile>>>),
}

impl NewFile {
    /// Begins a file, packed as the ending of its name says: `.gz`, `.zst`, or not at all. Only its owner can read it.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        let folder = folder(path);
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let file =
            Builder::new().prefix(&prefix).tempfile_in(folder).map_err(|error| of_folder(folder, &error))?;
        let file = BufWriter::with_capacity(BUFFER, file);
        let packer = match path.extension().and_then(OsStr::to_str) {
            Some("gz") => Packer::Gzip(Box::new(GzEncoder::new(file, Compression::default()))),
            Some("zst") => Packer::Zstd(Box::new(zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?)),
            _ => Packer::None(file),
        };
        Ok(Self { packer, path: path.to_owned(), unsynced: 0 })
    }

    fn file(&self) -> &BufWriter<NamedTempFile> {
        match &self.packer {
            Packer::None(file) => file,
            Packer::Gzip(packer) => packer.get_ref(),
            Packer::Zstd(packer) => packer.get_ref(),
        }
    }

    /// Ends the file: once this returns it is under its name, and on the disk.
    ///
    /// # Errors
    /// What the system says; then nothing has changed under the name.
    pub fn finish(self) -> io::Result<()> {
        let file = match self.packer {
            Packer::None(file) => file,
            Packer::Gzip(packer) => packer.finish()?,
            Packer::Zstd(packer) => packer.finish()?,
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        // The name is on the disk once its folder is.
        File::open(folder(&self.path))?.sync_all()
    }
}

impl Write for NewFile {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = match &mut self.packer {
            Packer::None(file) => file.write(piece),
            Packer::Gzip(packer) => packer.write(piece),
            Packer::Zstd(packer) => packer.write(piece),
        }?;
        self.unsynced += written;
        if self.unsynced >= SYNC_EVERY {
            self.unsynced = 0;
            self.file().get_ref().as_file().sync_data()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.packer {
            Packer::None(file) => file.flush(),
            Packer::Gzip(packer) => packer.flush(),
            Packer::Zstd(packer) => packer.flush(),
        }
    }
}

/// An error of a folder in which no file can be begun. The hidden name that the file would have says nothing to anybody.
fn of_folder(folder: &Path, error: &io::Error) -> io::Error {
    let folder = folder.display();
    let words = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no folder {folder}"),
        kind => format!("{kind}: the folder {folder}"),
    };
    io::Error::new(error.kind(), words)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest window that files are read with.
    const WINDOW: u32 = 27;

    #[test]
    fn what_was_written_is_read_however_it_is_packed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.ldif", "a.ldif.gz", "a.ldif.zst"] {
            let path = folder.path().join(name);
            let text = "dn: dc=x\n".repeat(100_000);
            let mut file = NewFile::create(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert!(!path.exists(), "not before it is whole");
            file.finish().unwrap();
            let mut read = String::new();
            LdifFile::new(&path).open(WINDOW, |_| {}).unwrap().read_to_string(&mut read).unwrap();
            assert!(read == text, "{name}");
        }
        for name in ["b.ldif", "b.ldif.gz", "b.ldif.zst"] {
            let path = folder.path().join(name);
            let mut file = NewFile::create(&path).unwrap();
            let bytes: Vec<_> = "dn: dc=я".encode_utf16().flat_map(u16::to_le_bytes).collect();
            file.write_all(&bytes).unwrap();
            file.finish().unwrap();
            let mut read = String::new();
            LdifFile::new(&path).open(WINDOW, |_| {}).unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, "dn: dc=я", "{name}");
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_is_not_finished_leaves_nothing_and_what_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ldif");
        fs::write(&path, "before").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_window_that_is_too_large_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zst");
        let mut packer = zstd::Encoder::new(File::create(&path).unwrap(), 3).unwrap();
        packer.window_log(25).unwrap();
        packer.write_all(&vec![b'x'; 1_000_000]).unwrap();
        packer.finish().unwrap();
        let read =
            |window| LdifFile::new(&path).open(window, |_| {}).unwrap().read_to_end(&mut Vec::new()).is_ok();
        assert!(read(25) && !read(24));
    }

    #[test]
    fn a_packed_file_that_is_cut_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.gz", "a.zst"] {
            let path = folder.path().join(name);
            let mut file = NewFile::create(&path).unwrap();
            file.write_all(&vec![b'x'; 100_000]).unwrap();
            file.finish().unwrap();
            let packed = fs::read(&path).unwrap();
            fs::write(&path, &packed[..packed.len() - 5]).unwrap();
            let mut read = Vec::new();
            assert!(
                LdifFile::new(&path).open(WINDOW, |_| {}).unwrap().read_to_end(&mut read).is_err(),
                "{name}"
            );
        }
    }
}
