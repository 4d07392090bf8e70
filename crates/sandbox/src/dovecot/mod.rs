//! Owns the life of one Dovecot: first start, kill, stop, start again, and its users.

mod api;
mod config;
mod identity;
mod options;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use self::identity::Identity;
pub use self::options::DovecotServerOptions;
use crate::child::{Running, Server};
use crate::error::SandboxError;
use crate::folder::{Folder, remove, write_private};
use crate::programs::DOVECOT;

const CONFIG: &str = "dovecot.conf";
const USERS: &str = "users";
const PASSWORD_FILE: &str = "doveadm.password";
/// The folders that Dovecot itself writes to: sockets, and one folder for the mail of each user.
const SUBFOLDERS: [&str; 2] = ["run", "mail"];

/// A running Dovecot with IMAP and the HTTP API of doveadm. It stops when this is dropped.
#[derive(Debug)]
pub struct DovecotServer {
    running: Running,
    folder: Folder,
    imap_port: u16,
    http_port: u16,
    password: SecretString,
    identity: Identity,
    options: DovecotServerOptions,
}

impl DovecotServer {
    /// A server with all its files in `path`, which is created, empty, or the folder of an earlier run.
    pub fn in_folder(path: impl AsRef<Path>) -> DovecotServerOptions {
        DovecotServerOptions::new(path.as_ref())
    }

    fn run(&mut self) -> Result<(), SandboxError> {
        for name in SUBFOLDERS {
            self.identity.own(&self.folder.path().join(name))?;
        }
        // After a kill its number may belong to another process.
        remove(&self.folder.path().join("run/master.pid"))?;
        let config = self.folder.path().join(CONFIG);
        write_private(&config, config::text(self)?.as_bytes())?;
        let log = self.folder.path().join("log/console");
        let arguments = ["-F", "-c", &config.display().to_string()];
        let (programs, privileges) = (&self.options.programs, self.identity.privileges());
        let mut child = Server::spawn_with(programs, &privileges, DOVECOT, &arguments, &log)?;
        let ports = [self.imap_port, self.http_port];
        let answers = |port: u16| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        child.wait_until_ready(|child| {
            child.output().contains("starting up") && ports.iter().all(|port| answers(*port))
        })?;
        self.running.hold(child);
        Ok(())
    }

    /// Replaces all users: address and password each. A user's box is created when it is used first.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_users(&self, users: &[(&str, &str)]) -> Result<(), SandboxError> {
        let mut lines = String::new();
        for (address, password) in users {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{address}:{{PLAIN}}{password}::::::");
        }
        write_private(&self.folder.path().join(USERS), lines.as_bytes())
    }

    /// Sends a payload to the HTTP API of doveadm, such as `[["mailboxList",{"user":"a@example.com"},"x"]]`, and returns
    /// the answer.
    ///
    /// # Errors
    /// When the server does not respond, or not with the status 200.
    pub fn doveadm(&self, payload: &str) -> Result<String, SandboxError> {
        api::ask(self.http_port, &self.password, payload)
    }

    /// `http://127.0.0.1:PORT/doveadm/v1`.
    #[must_use]
    pub fn doveadm_url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.http_port, api::PATH)
    }

    /// A file with the password of the HTTP API.
    #[must_use]
    pub fn doveadm_password_file(&self) -> PathBuf {
        self.folder.path().join(PASSWORD_FILE)
    }

    /// The port of IMAP on 127.0.0.1. It is constant for the life of this value.
    #[must_use]
    pub fn imap_port(&self) -> u16 {
        self.imap_port
    }

    /// The folder with all files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's process id; `None` after [`kill`](Self::kill) or [`stop`](Self::stop).
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.running.pid()
    }

    /// Kills the server with SIGKILL, as a power failure would; its processes follow it.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// Stops the server in order, or with SIGKILL after four seconds.
    pub fn stop(&mut self) {
        self.running.stop();
    }

    /// Starts the server on the same ports after a kill or a stop. Has no effect while it runs.
    ///
    /// # Errors
    /// When another process has taken a port in the meantime, or the server does not start.
    pub fn start_again(&mut self) -> Result<(), SandboxError> {
        if self.running.must_start([self.imap_port, self.http_port])? { self.run() } else { Ok(()) }
    }
}
