//! Owns the options of a directory server before its start.

use std::path::{Path, PathBuf};

use super::{Backend, DirectoryServer};
use crate::error::SandboxError;
use crate::programs::Programs;

/// The options of a directory server; ends in [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use]
pub struct DirectoryServerOptions {
    pub(super) folder: PathBuf,
    pub(super) suffix: Option<String>,
    pub(super) backend: Option<Backend>,
    pub(super) durable: bool,
    pub(super) tls: bool,
    pub(super) plugins: Vec<String>,
    pub(super) schema: Vec<PathBuf>,
    pub(super) import: Option<PathBuf>,
    pub(super) max_descriptors: u32,
    pub(super) database_cache: u64,
    pub(super) database_size: u64,
    pub(super) entry_cache: u64,
    pub(super) programs: Programs,
}

impl DirectoryServerOptions {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            suffix: None,
            backend: None,
            durable: true,
            tls: false,
            plugins: Vec::new(),
            schema: Vec::new(),
            import: None,
            max_descriptors: 2048,
            database_cache: 64 << 20,
            database_size: 16 << 30,
            entry_cache: 256 << 20,
            programs: Programs::installed(),
        }
    }

    /// The suffix of the tree; by default that of an earlier run, otherwise `dc=example,dc=com`.
    pub fn suffix(mut self, suffix: &str) -> Self {
        self.suffix = Some(suffix.to_owned());
        self
    }

    /// The database library; by default that of an earlier run, otherwise LMDB.
    ///
    /// A folder keeps its database library; a request for another one fails.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = Some(backend);
        self
    }

    /// Whether each write reaches the disk before the server responds; the default. Without it, the last writes before
    /// a kill may be lost on Berkeley DB; on LMDB 389-ds reads the setting but always syncs.
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// Whether to offer ldaps and `StartTLS`, with a certificate for 127.0.0.1 and localhost.
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Stock plug-ins to enable, by their names under `cn=plugins,cn=config`. Plug-ins that are already enabled stay
    /// enabled.
    pub fn plugins(mut self, names: &[&str]) -> Self {
        self.plugins.extend(names.iter().map(|&name| name.to_owned()));
        self
    }

    /// One more schema file in LDIF; the files are loaded in the given order.
    pub fn extra_schema(mut self, file: impl AsRef<Path>) -> Self {
        self.schema.push(file.as_ref().to_path_buf());
        self
    }

    /// Entries to load before the first start, the suffix entry first; ignored by later starts. An entry that cannot be
    /// loaded fails the start.
    pub fn import_ldif(mut self, file: impl AsRef<Path>) -> Self {
        self.import = Some(file.as_ref().to_path_buf());
        self
    }

    /// The maximum number of open files and connections; 2048 by default.
    pub fn max_descriptors(mut self, number: u32) -> Self {
        self.max_descriptors = number;
        self
    }

    /// The cache for database pages on Berkeley DB, in bytes; 64 MiB by default. LMDB uses the system's own cache
    /// instead.
    pub fn database_cache(mut self, bytes: u64) -> Self {
        self.database_cache = bytes;
        self
    }

    /// The maximum size of an LMDB database, in bytes; 16 GiB by default, and never more than the disk has. The file is
    /// as large as its contents.
    pub fn database_size(mut self, bytes: u64) -> Self {
        self.database_size = bytes;
        self
    }

    /// The upper bound of the entry cache, in bytes; 256 MiB by default.
    pub fn entry_cache(mut self, bytes: u64) -> Self {
        self.entry_cache = bytes;
        self
    }

    /// Looks for the programs in this folder only, instead of in `PATH` and the system folders.
    pub fn programs_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.programs = Programs::only_in(folder.as_ref());
        self
    }

    /// Sets the folder up if it is new, and returns when the server responds.
    ///
    /// # Errors
    /// When the folder cannot be used, a program is not installed, or the server does not start.
    pub fn start(self) -> Result<DirectoryServer, SandboxError> {
        DirectoryServer::start(&self)
    }
}
