//! Owns the life of one Redis server: first start, kill, stop, start again.

mod cli;
mod config;
mod options;
mod sentinels;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

pub use self::options::RedisServerOptions;
pub use self::sentinels::{RedisSentinels, RedisSentinelsOptions};
use crate::child::{Running, Server};
use crate::error::SandboxError;
use crate::folder::{Folder, remove, write_private};
use crate::percent;
use crate::programs::REDIS_SERVER;
use crate::tls::TlsFiles;

const CONFIG: &str = "redis.conf";

/// A running Redis server. It stops when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    running: Running,
    folder: Folder,
    port: u16,
    options: RedisServerOptions,
}

impl RedisServer {
    /// A server with all its files in `path`, which is created, empty, or the folder of an earlier run.
    pub fn in_folder(path: impl AsRef<Path>) -> RedisServerOptions {
        RedisServerOptions::new(path.as_ref())
    }

    fn run(&mut self) -> Result<(), SandboxError> {
        if !self.options.persistent {
            // A replica leaves the data of its master.
            remove(&self.folder.path().join("dump.rdb"))?;
        }
        let config = self.folder.path().join(CONFIG);
        write_private(&config, self.config().as_bytes())?;
        let log = self.folder.path().join("log/console");
        let config = config.display().to_string();
        let mut child = Server::spawn(&self.options.programs, REDIS_SERVER, &[&config], &log)?;
        // Another server might respond on the port; the log belongs to this child only.
        child.wait_until_ready(|child| child.output().contains("Ready to accept connections"))?;
        self.running.hold(child);
        Ok(())
    }

    fn config(&self) -> String {
        let options = &self.options;
        let mut config = config::base(self.port, self.folder.path(), self.tls());
        let appended = if options.persistent { "yes" } else { "no" };
        // Writing to a String cannot fail.
        let _ = writeln!(config, "save \"\"\nappendonly {appended}\nrepl-diskless-sync-delay 0");
        config::add_password(&mut config, "requirepass", options.password.as_ref());
        config::add_password(&mut config, "masterauth", options.password.as_ref());
        if let Some(master) = options.replica_of {
            let _ = writeln!(config, "replicaof 127.0.0.1 {master}");
        }
        config
    }

    fn tls(&self) -> Option<&TlsFiles> {
        self.options.tls_files.as_ref()
    }

    fn scheme(&self) -> &'static str {
        if self.tls().is_some() { "rediss" } else { "redis" }
    }

    /// `redis://127.0.0.1:PORT`, without the password; `rediss://…` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme(), self.port)
    }

    /// `redis://default:PASSWORD@127.0.0.1:PORT`; the same as [`url`](Self::url) if there is no password.
    #[must_use]
    pub fn url_with_password(&self) -> SecretString {
        match &self.options.password {
            None => self.url().into(),
            Some(password) => format!(
                "{}://default:{}@127.0.0.1:{}",
                self.scheme(),
                percent::encoded(password.expose_secret()),
                self.port
            )
            .into(),
        }
    }

    /// The certificate of the CA that signed the server's, in PEM, if TLS is on.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls().map(TlsFiles::ca)
    }

    /// The port on 127.0.0.1. It is constant for the life of this value.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
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

    /// Sends a command, such as `["INFO", "memory"]`, and returns the answer: only the values, one per line.
    ///
    /// # Errors
    /// When `redis-cli` is not installed, the server does not respond, or it refuses the command.
    pub fn command(&self, words: &[&str]) -> Result<String, SandboxError> {
        let password = self.options.password.as_ref();
        cli::ask(&self.options.programs, self.port, password, self.tls(), words)
    }

    /// Kills the server with SIGKILL, as a power failure would.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// Stops the server in order, or with SIGKILL after four seconds.
    pub fn stop(&mut self) {
        self.running.stop();
    }

    /// Starts the server on the same port after a kill or a stop. Has no effect while it runs.
    ///
    /// # Errors
    /// When another process has taken the port in the meantime, or the server does not start.
    pub fn start_again(&mut self) -> Result<(), SandboxError> {
        if self.running.must_start([self.port])? { self.run() } else { Ok(()) }
    }
}
