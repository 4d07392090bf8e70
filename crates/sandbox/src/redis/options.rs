//! Owns the options of a Redis server before its start.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{CONFIG, RedisServer, config};
use crate::child::Running;
use crate::error::SandboxError;
use crate::folder::Folder;
use crate::programs::{Programs, REDIS_SERVER};
use crate::tls::TlsFiles;
use crate::{port, stray};

/// The options of a Redis server; ends in [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use]
pub struct RedisServerOptions {
    folder: PathBuf,
    tls: bool,
    pub(super) password: Option<SecretString>,
    pub(super) persistent: bool,
    pub(super) programs: Programs,
    /// Certificates that several servers share.
    pub(super) tls_files: Option<TlsFiles>,
    /// The port of the server to follow.
    pub(super) replica_of: Option<u16>,
}

impl RedisServerOptions {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            tls: false,
            password: None,
            persistent: false,
            programs: Programs::installed(),
            tls_files: None,
            replica_of: None,
        }
    }

    /// The password that clients must send; by default none.
    pub fn password(mut self, password: SecretString) -> Self {
        self.password = Some(password);
        self
    }

    /// Whether the server accepts only TLS, with a certificate for 127.0.0.1 and localhost.
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Whether the data survives the process, in an append-only file; by default it does not.
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// Looks for the programs in this folder only, instead of in `PATH` and the system folders.
    pub fn programs_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.programs = Programs::only_in(folder.as_ref());
        self
    }

    /// Returns when the server responds.
    ///
    /// # Errors
    /// When the folder cannot be used, a program is not installed, or the server does not start.
    pub fn start(mut self) -> Result<RedisServer, SandboxError> {
        self.programs.find(REDIS_SERVER)?;
        let folder = Folder::claim(&self.folder, "Redis server")?;
        stray::stop_redis_servers(folder.path())?;
        if self.tls {
            self.tls_files = Some(TlsFiles::in_folder(folder.path())?);
        }
        let last = config::last_port(&folder.path().join(CONFIG));
        let mut server = RedisServer { running: Running::default(), folder, port: 0, options: self };
        port::on_a_free_port(last, |port| {
            server.port = port;
            server.run()
        })?;
        Ok(server)
    }
}
