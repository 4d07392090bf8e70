//! Backups to files, manual and scheduled.

mod keeping;
pub mod schedule;

use directory::{
    Lookup,
    backup::{BackedUp, BackupError, BackupProgress, BackupRequest, file::NewFile},
};
use std::{io::Write, path::Path};
use tokio::sync::mpsc;

/// The number of chunks that may wait to be written, some megabytes: reading continues while the disk is busy.
const PIECES: usize = 64;

/// Why a backup failed.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The directory cannot be backed up.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The file cannot be written.
    #[error("cannot write the backup")]
    File(#[source] std::io::Error),
}

/// The destination of a backup.
pub enum Target {
    /// A file, compressed as its name says, which appears when it is complete.
    File(NewFile),
    /// Any other destination, such as standard output.
    Stream(Box<dyn Write + Send>),
}

impl Target {
    /// Creates the file. A path that is not a regular file, such as a device or a named pipe, is written to directly.
    ///
    /// # Errors
    /// [`SaveError::File`].
    pub fn file(path: &Path) -> Result<Self, SaveError> {
        let begun = match std::fs::metadata(path) {
            Ok(there) if !there.is_file() && !there.is_dir() => {
                std::fs::File::options().write(true).open(path).map(|file| Self::Stream(Box::new(file)))
            }
            // The target of a symbolic link, not the link.
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

/// Makes a backup and returns a summary. This task reads the directory, and another thread writes the file.
///
/// # Errors
/// [`SaveError`]; in that case no new file exists.
pub async fn save(
    directory: &Lookup,
    request: &BackupRequest,
    mut target: Target,
    on_progress: impl FnMut(BackupProgress),
) -> Result<BackedUp, SaveError> {
    let (out, mut pieces) = mpsc::channel::<Vec<u8>>(PIECES);
    // Dropping an unfinished file deletes it.
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
