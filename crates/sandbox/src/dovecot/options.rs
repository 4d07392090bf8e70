//! Owns the options of a Dovecot before its start.

use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::{CONFIG, DovecotServer, PASSWORD_FILE, config};
use crate::child::Running;
use crate::error::SandboxError;
use crate::folder::Folder;
use crate::programs::{DOVECOT, IMAP, Programs};
use crate::{port, stray};

/// The options of a Dovecot; ends in [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use]
pub struct DovecotServerOptions {
    folder: PathBuf,
    pub(super) shared: bool,
    pub(super) prefix: String,
    pub(super) programs: Programs,
}

impl DovecotServerOptions {
    pub(super) fn new(folder: &Path) -> Self {
        let programs = Programs::installed();
        Self { folder: folder.to_path_buf(), shared: false, prefix: String::new(), programs }
    }

    /// Whether users may share mailboxes with others, and there is a public namespace; by default neither.
    pub fn shared_mailboxes(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    /// The prefix of the names of a user's own mailboxes, such as `INBOX/`; by default there is none.
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Looks for the programs in this folder only, instead of in `PATH` and the system folders.
    pub fn programs_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.programs = Programs::only_in(folder.as_ref());
        self
    }

    /// Returns when the server responds. It has no users yet.
    ///
    /// # Errors
    /// When the folder cannot be used, a program is not installed, or the server does not start.
    pub fn start(self) -> Result<DovecotServer, SandboxError> {
        self.programs.find(DOVECOT)?;
        if !Path::new(IMAP.path).exists() {
            return Err(SandboxError::MissingFile { path: IMAP.path.into(), package: IMAP.package });
        }
        let folder = Folder::claim(&self.folder, "Dovecot")?;
        stray::stop_dovecots(folder.path())?;
        let [imap, http] =
            config::last_ports(&folder.path().join(CONFIG)).map_or([None; 2], |last| last.map(Some));
        let (identity, password) =
            (Identity::of_current_user(&self.programs)?, folder.password(PASSWORD_FILE)?);
        let ports = (0, 0);
        let mut server = DovecotServer {
            running: Running::default(),
            folder,
            imap_port: ports.0,
            http_port: ports.1,
            password,
            identity,
            options: self,
        };
        port::on_a_free_port(imap, |port| {
            server.imap_port = port;
            server.http_port = match http.filter(|last| *last != port && port::is_free(*last)) {
                Some(last) => last,
                None => port::free(Some(port))?,
            };
            server.run()
        })?;
        Ok(server)
    }
}
