//! Backups into files, by hand and on schedule.

mod keeping;
pub mod schedule;

use directory::{
    Directory,
    backup::{BackedUp, BackupError, BackupProgress, BackupRequest, file::NewFile},
};
use std::{io::Write, path::Path};
use tokio::sync::mpsc;

/// Pieces that may wait to be written, some megabytes: while the disk is waited for, reading goes on.
const PIECES: usize = 64;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The directory can't be backed up.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The file can't be written.
    #[error("cannot write the backup")]
    File(#[source] std::io::Error),
}

/// Where a backup goes.
pub enum Target {
    /// A file, packed as its name says, which is there once it is whole.
    File(NewFile),
    /// Anything else, such as standard output.
    Stream(Box<dyn Write + Send>),
}

impl Target {
    /// A file that is begun. What is no plain file, such as a device or a named pipe, is written to as it is.
    ///
    /// # Errors
    /// [`SaveError::File`].
    pub fn file(path: &Path) -> Result<Self, SaveError> {
        let begun = match std::fs::metadata(path) {
            Ok(there) if !there.is_file() && !there.is_dir() => {
                std::fs::File::options().write(true).open(path).map(|file| Self::Stream(Box::new(file)))
            }
            // The file that a link points to, not the link.
            Ok(_) => path.canonicalize().and_then(|path| NewFile::create(&path)).map(Self::File),
            Err(_) => NewFile::create(path).map(Self::File),
        };
        begun.map_err(SaveError::File)
    }

    fn write(&mut self, piece: &[u8]) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.write_all(piece),
            Self::Stream(stream) => stream.write_all(piece),
        }
    }

    fn finish(self) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.finish(),
            Self::Stream(mut stream) => stream.flush(),
        }
    }
}

/// Backs up, and tells what was saved. The directory is read here, and the file written on another thread.
///
/// # Errors
/// [`SaveError`]; then there is no file that was not there before.
pub async fn save(
    directory: &Directory,
    request: &BackupRequest,
    mut target: Target,
    on_progress: impl FnMut(BackupProgress),
) -> Result<BackedUp, SaveError> {
    let (out, mut pieces) = mpsc::channel::<Vec<u8>>(PIECES);
    // A file that is not finished is gone when it is dropped.
    let writer = tokio::task::spawn_blocking(move || {
        while let Some(piece) = pieces.blocking_recv() {
            target.write(&piece)?;
        }
        Ok::<_, std::io::Error>(target)
    });
    let read = Box::pin(directory.back_up(request, out, on_progress)).await;
    let written = writer.await.map_err(|error| SaveError::File(std::io::Error::other(error)))?;
    let target = written.map_err(SaveError::File)?;
    let saved = read?;
    let finished = tokio::task::spawn_blocking(move || target.finish()).await;
    finished.map_err(|error| SaveError::File(std::io::Error::other(error)))?.map_err(SaveError::File)?;
    Ok(saved)
}
