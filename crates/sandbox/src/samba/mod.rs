//! Owns the life of one domain controller of Active Directory, by Samba. It needs root, and an address of its own among
//! 127.x.y.z, because the ports of a domain controller are fixed.

mod config;
mod options;

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

pub use self::options::SambaServerOptions;
use crate::child::{Running, Server};
use crate::error::SandboxError;
use crate::folder::Folder;
use crate::ldapmodify::{self, Account};
use crate::programs::{SAMBA, SAMBA_TOOL};

/// The port of LDAP.
const LDAP: u16 = 389;

/// A running domain controller of the domain `example.test`. It stops when this is dropped.
#[derive(Debug)]
pub struct SambaServer {
    running: Running,
    folder: Folder,
    options: SambaServerOptions,
}

impl SambaServer {
    /// A domain controller with all its files in `path`, which is created, empty, or the folder of an earlier run, whose
    /// data is removed.
    pub fn in_folder(path: impl AsRef<Path>) -> SambaServerOptions {
        SambaServerOptions::new(path.as_ref())
    }

    fn run(&mut self) -> Result<(), SandboxError> {
        let config = self.config_file().display().to_string();
        let arguments = ["-F", "--no-process-group", "-s", &config];
        let log = self.folder.path().join("log/console");
        let mut child = Server::spawn(&self.options.programs, SAMBA, &arguments, &log)?;
        let address = self.address();
        child.wait_until_ready(|_| TcpStream::connect((address, LDAP)).is_ok())?;
        self.running.hold(child);
        Ok(())
    }

    /// The address. LDAP is spoken on port 389, with `StartTLS`, and on 636.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.options.address
    }

    /// The DN of the domain.
    #[must_use]
    pub const fn domain_dn(&self) -> &'static str {
        "DC=example,DC=test"
    }

    /// The account that may do everything.
    #[must_use]
    pub const fn administrator(&self) -> &'static str {
        "Administrator@EXAMPLE.TEST"
    }

    /// Its password.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn password(&self) -> Result<SecretString, SandboxError> {
        self.folder.password(options::PASSWORD)
    }

    /// Changes entries by LDIF change records, over LDAP.
    ///
    /// # Errors
    /// When `ldapmodify` is not installed, or the server refuses a change.
    pub fn change(&self, ldif: &str) -> Result<(), SandboxError> {
        let url = format!("ldap://{}:{LDAP}", self.address());
        let password = self.folder.path().join(options::PASSWORD);
        let account = Account { url: &url, login: self.administrator(), password: &password };
        ldapmodify::apply(&self.options.programs, &account, ldif)
    }

    /// Runs `samba-tool` with these words, such as `["user", "disable", "ivan"]`.
    ///
    /// # Errors
    /// When it is not installed or fails.
    pub fn tool(&self, words: &[&str]) -> Result<(), SandboxError> {
        let config = self.config_file().display().to_string();
        let arguments = [words, &["-s", &config]].concat();
        let log = self.folder.path().join("log/samba-tool");
        Server::spawn(&self.options.programs, SAMBA_TOOL, &arguments, &log)?.finish()
    }

    /// Stops the server in order, or with SIGKILL after four seconds.
    pub fn stop(&mut self) {
        self.running.stop();
    }

    pub(super) fn config_file(&self) -> PathBuf {
        self.folder.path().join("s/etc/smb.conf")
    }
}
