//! Owns a sandbox's folder: the claim on it, its private files and its passwords.
//!
//! Refuses a folder that another live process uses, and one with other files: the set-up may delete files, so the
//! folder must belong to a sandbox.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use secrecy::SecretString;

use crate::error::{SandboxError, at};
use crate::random;

const LOCK: &str = "sandbox.lock";
const READY: &str = "sandbox.ready";

/// A claimed folder. The claim is a file lock, so it ends with the process, however the process ends.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    pub(crate) fn claim(path: &Path, kind: &'static str) -> Result<Self, SandboxError> {
        create_private(path)?;
        let path = path.canonicalize().map_err(at("find", path))?;
        if !is_plain(&path) {
            return Err(SandboxError::UnusablePath { path });
        }
        let lock_file = path.join(LOCK);
        // An empty lock file was left by a start that was killed before it could write the kind.
        let is_ours = fs::read_to_string(&lock_file).is_ok_and(|found| found.is_empty() || found == kind);
        if !is_ours && !is_empty(&path)? {
            return Err(SandboxError::ForeignFolder { folder: path, kind });
        }
        let mut lock = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&lock_file)
            .map_err(at("open", &lock_file))?;
        wait_for_lock(&lock, &path)?;
        if lock.metadata().map_err(at("read", &lock_file))?.len() == 0 {
            lock.write_all(kind.as_bytes()).map_err(at("write", &lock_file))?;
        }
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The name given to [`Self::mark_ready`]; `None` if the set-up never finished.
    pub(crate) fn ready(&self) -> Option<String> {
        fs::read_to_string(self.path.join(READY)).ok()
    }

    /// The last step of a set-up: without it the next start begins again.
    pub(crate) fn mark_ready(&self, name: &str) -> Result<(), SandboxError> {
        write_private(&self.path.join(READY), name.as_bytes())
    }

    /// Removes the files of an unfinished set-up, except the file `keep`.
    pub(crate) fn wipe(&self, keep: &str) -> Result<(), SandboxError> {
        for entry in fs::read_dir(&self.path).map_err(at("list", &self.path))? {
            let entry = entry.map_err(at("list", &self.path))?;
            let name = entry.file_name();
            if name != LOCK && name != keep {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// The password in `file` of this folder, generated at the first call. The file holds only the password, without a
    /// line break, as `ldapsearch -y` requires.
    pub(crate) fn password(&self, file: &str) -> Result<SecretString, SandboxError> {
        let path = self.path.join(file);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Ok(text.trim().into()),
            Ok(_) => new_password(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => new_password(&path),
            Err(error) => Err(at("read", &path)(error)),
        }
    }
}

fn new_password(path: &Path) -> Result<SecretString, SandboxError> {
    let password = random::hex::<16>()?;
    write_private(path, password.as_bytes())?;
    Ok(password.into())
}

/// Waits half a second: a process that was forked elsewhere in this program holds a copy of the lock until it calls
/// `exec`.
fn wait_for_lock(lock: &File, folder: &Path) -> Result<(), SandboxError> {
    for _ in 0..25 {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(20)),
            Err(TryLockError::Error(error)) => return Err(at("lock", folder)(error)),
        }
    }
    Err(SandboxError::FolderInUse { folder: folder.to_path_buf() })
}

/// The path is written unquoted into templates and configuration files.
pub(crate) fn is_plain(path: &Path) -> bool {
    path.to_str().is_some_and(|text| !text.chars().any(|c| c.is_control() || "\"'%\\".contains(c)))
}

fn is_empty(path: &Path) -> Result<bool, SandboxError> {
    Ok(fs::read_dir(path).map_err(at("list", path))?.next().is_none())
}

pub(crate) fn create_private(path: &Path) -> Result<(), SandboxError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at("create", path))
}

/// Replaces a whole file, readable only by its owner; a kill in between leaves the old file.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), SandboxError> {
    let mut half_done = path.as_os_str().to_owned();
    half_done.push(".new");
    let half_done = PathBuf::from(half_done);
    remove(&half_done)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&half_done)
        .and_then(|mut file| file.write_all(content))
        .map_err(at("write", &half_done))?;
    fs::rename(&half_done, path).map_err(at("write", path))
}

/// Removes a file, or a folder with its contents, if it exists.
pub(crate) fn remove(path: &Path) -> Result<(), SandboxError> {
    let done = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("remove", path)(error)),
        _ => Ok(()),
    }
}
