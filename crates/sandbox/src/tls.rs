//! Owns the certificate files of Redis and etcd servers, which read them directly.

use std::path::{Path, PathBuf};

use crate::certificates::certificates;
use crate::error::SandboxError;
use crate::folder::{create_private, write_private};

/// The folder with the certificate of a CA, and the certificate and key of the servers.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    folder: PathBuf,
}

impl TlsFiles {
    /// The certificates of an earlier run, or new ones.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, SandboxError> {
        let files = Self { folder: folder.join("tls") };
        if !files.ca().exists() {
            create_private(&files.folder)?;
            let pems = certificates(&folder.file_name().unwrap_or_default().to_string_lossy())?;
            write_private(&files.certificate(), pems.server.as_bytes())?;
            write_private(&files.key(), pems.key.as_bytes())?;
            // Written last, because it tells the next start that the set-up is complete.
            write_private(&files.ca(), pems.ca.as_bytes())?;
        }
        Ok(files)
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }
}
