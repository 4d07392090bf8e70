//! Owns the life of one `OpenLDAP` server (`slapd`): a directory of another make than ours, that pbm reads as a source.

mod options;

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

pub use self::options::SlapdServerOptions;
use crate::child::{Running, Server};
use crate::error::SandboxError;
use crate::folder::Folder;
use crate::ldapmodify::{self, Account};
use crate::programs::SLAPD;

/// A running `OpenLDAP` server. It stops when this is dropped.
#[derive(Debug)]
pub struct SlapdServer {
    running: Running,
    folder: Folder,
    port: u16,
    /// The port of `ldaps://`.
    tls_port: Option<u16>,
    options: SlapdServerOptions,
}

impl SlapdServer {
    /// A server with all its files in `path`, which is created, empty, or the folder of an earlier run, whose data is
    /// removed.
    pub fn in_folder(path: impl AsRef<Path>) -> SlapdServerOptions {
        SlapdServerOptions::new(path.as_ref())
    }

    fn run(&mut self) -> Result<(), SandboxError> {
        let mut urls = format!("ldap://127.0.0.1:{}/", self.port);
        if let Some(port) = self.tls_port {
            urls = format!("{urls} ldaps://127.0.0.1:{port}/");
        }
        let config = options::config_file(&self.folder).display().to_string();
        let arguments = ["-d", "none", "-f", &config, "-h", &urls];
        let log = self.folder.path().join("log/console");
        let mut child = Server::spawn(&self.options.programs, SLAPD, &arguments, &log)?;
        // Another server might respond on the ports, so the log of this child counts too; it says so a moment before the
        // ports are open.
        let ports: Vec<_> = [Some(self.port), self.tls_port].into_iter().flatten().collect();
        let is_open = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
        child.wait_until_ready(|child| {
            child.output().contains("slapd starting") && ports.iter().all(is_open)
        })?;
        self.running.hold(child);
        Ok(())
    }

    /// The port of `ldap://` on 127.0.0.1, where `StartTLS` is available if TLS is on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port of `ldaps://`, if TLS is on.
    #[must_use]
    pub fn tls_port(&self) -> Option<u16> {
        self.tls_port
    }

    /// The certificate of the CA that signed the server's, in PEM, if TLS is on.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls_port.map(|_| options::tls_folder(&self.folder).join("ca.pem"))
    }

    /// The account that may do everything.
    #[must_use]
    pub fn root_dn(&self) -> String {
        self.options.root_dn()
    }

    /// Its password.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn password(&self) -> Result<SecretString, SandboxError> {
        self.folder.password(options::PASSWORD)
    }

    /// Changes entries by LDIF change records.
    ///
    /// # Errors
    /// When `ldapmodify` is not installed, or the server refuses a change.
    pub fn change(&self, ldif: &str) -> Result<(), SandboxError> {
        let url = format!("ldap://127.0.0.1:{}", self.port);
        let (login, password) = (self.root_dn(), self.folder.path().join(options::PASSWORD));
        let account = Account { url: &url, login: &login, password: &password };
        ldapmodify::apply(&self.options.programs, &account, ldif)
    }

    /// Stops the server in order, or with SIGKILL after four seconds.
    pub fn stop(&mut self) {
        self.running.stop();
    }

    /// Starts the server on the same ports after a stop, with its data. Has no effect while it runs.
    ///
    /// # Errors
    /// When another process has taken a port in the meantime, or the server does not start.
    pub fn start_again(&mut self) -> Result<(), SandboxError> {
        if self.running.must_start([Some(self.port), self.tls_port].into_iter().flatten())? {
            self.run()
        } else {
            Ok(())
        }
    }
}
