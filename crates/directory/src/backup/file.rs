//! LDIF files: read as often as needed and decompressed on the way; written completely or not at all.

use super::utf16::InUtf8;
use flate2::{Compression, bufread::MultiGzDecoder, write::GzEncoder};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile};

/// The size of one read, in bytes.
const BUFFER: usize = 256 * 1024;
/// After this many bytes the file is synced while more data is read, so that there is no long wait at the end.
const SYNC_EVERY: usize = 8 * 1024 * 1024;
/// The first bytes of a gzip file (RFC 1952 section 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];
/// The first bytes of a zstd frame (RFC 8878 section 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// An LDIF file, plain or compressed with gzip or zstd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdifFile(PathBuf);

impl LdifFile {
    /// The file with a given path. It must be a file that can be read more than once, not a pipe.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its size in bytes, without decompression.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn size(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.0)?.len())
    }

    /// Opens it for reading from the beginning, decompressed by its content (not its name) and converted from UTF-16
    /// to UTF-8 if necessary. A zstd file may have a window of 2^`window_log` bytes, which are kept in memory.
    /// `on_read` is called with the number of bytes read from the file, before decompression.
    ///
    /// # Errors
    /// The error of the operating system.
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

/// A file that is being written. Until it is complete, the old file stays under its name.
pub struct NewFile {
    packer: Packer,
    path: PathBuf,
    /// Bytes written since the last sync.
    unsynced: usize,
}

enum Packer {
    None(BufWriter<NamedTempFile>),
    Gzip(Box<GzEncoder<BufWriter<NamedTempFile>>>),
    Zstd(Box<zstd::Encoder<'static, BufWriter<NamedTempFile>>>),
}

impl NewFile {
    /// Begins a file, compressed according to the ending of its name: `.gz`, `.zst`, or not at all. Only its owner can
    /// read it.
    ///
    /// # Errors
    /// The error of the operating system.
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

    /// Completes the file: when this returns, the file has its name and is synced to disk.
    ///
    /// # Errors
    /// The error of the operating system; the file of that name is then unchanged.
    pub fn finish(self) -> io::Result<()> {
        let file = match self.packer {
            Packer::None(file) => file,
            Packer::Gzip(packer) => packer.finish()?,
            Packer::Zstd(packer) => packer.finish()?,
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        // The name is on the disk once the folder is synced.
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

/// The error for a folder in which no file can be created. It does not mention the temporary file, whose hidden name
/// means nothing to the user.
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

    /// The largest window for reading files.
    const WINDOW: u32 = 27;

    #[test]
    fn what_was_written_is_read_however_it_is_packed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.ldif", "a.ldif.gz", "a.ldif.zst"] {
            let path = folder.path().join(name);
            let text = "dn: dc=x\n".repeat(100_000);
            let mut file = NewFile::create(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert!(!path.exists(), "the file exists before it is complete");
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
