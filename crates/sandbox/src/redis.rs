//! Owns the life of one Redis server: first start, kill, stop, start again.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use secrecy::{ExposeSecret as _, SecretString};

use crate::child::Server;
use crate::error::SandboxError;
use crate::folder::{Folder, write_private};
use crate::programs::{Programs, REDIS_SERVER};
use crate::{percent, port, stray};

const CONFIG: &str = "redis.conf";
/// How often a start may lose its port to somebody else.
const PORT_TRIES: usize = 5;

/// How a Redis server is to be set up; ends in [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use]
pub struct RedisServerOptions {
    folder: PathBuf,
    password: Option<SecretString>,
    persistent: bool,
    programs: Programs,
}

impl RedisServerOptions {
    /// Demands this password of clients; by default none.
    pub fn password(mut self, password: SecretString) -> Self {
        self.password = Some(password);
        self
    }

    /// Whether data outlives the process, in an append-only file; by default it does not.
    pub fn persistent(mut self, persistent: bool) -> Self {
        self.persistent = persistent;
        self
    }

    /// Looks for the programs in this folder only, instead of in `PATH` and the system folders.
    pub fn programs_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.programs = Programs::only_in(folder.as_ref());
        self
    }

    /// Returns once the server answers.
    ///
    /// # Errors
    /// When the folder cannot be used, something is not installed, or the server does not start.
    pub fn start(self) -> Result<RedisServer, SandboxError> {
        self.programs.find(REDIS_SERVER)?;
        let folder = Folder::claim(&self.folder, "Redis server")?;
        stray::stop_redis_servers(folder.path())?;
        let mut last = last_port(&folder.path().join(CONFIG));
        let mut server = RedisServer { child: None, folder, port: 0, options: self };
        for _ in 1..PORT_TRIES {
            server.port = match last.take().filter(|port| port::is_free(*port)) {
                Some(port) => port,
                None => port::free(None)?,
            };
            match server.run() {
                Err(SandboxError::DidNotStart { lines, .. }) if lines.contains("in use") => {}
                other => return other.map(|()| server),
            }
        }
        server.run().map(|()| server)
    }
}

/// A running Redis server. It stops when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    child: Option<Server>,
    folder: Folder,
    port: u16,
    options: RedisServerOptions,
}

impl RedisServer {
    /// A server with all its files in `path`, which is created, empty, or of an earlier run.
    pub fn in_folder(path: impl AsRef<Path>) -> RedisServerOptions {
        RedisServerOptions {
            folder: path.as_ref().to_path_buf(),
            password: None,
            persistent: false,
            programs: Programs::installed(),
        }
    }

    fn run(&mut self) -> Result<(), SandboxError> {
        let config = self.folder.path().join(CONFIG);
        write_private(&config, self.config().as_bytes())?;
        let log = self.folder.path().join("log/console");
        let config = config.display().to_string();
        let mut child = Server::spawn(&self.options.programs, REDIS_SERVER, &[&config], &log)?;
        // The port alone might be answered by another server; the log is this child's own.
        let port = self.port;
        child.wait_until_ready(|child| {
            child.output().contains("Ready to accept connections") && answers(port)
        })?;
        self.child = Some(child);
        Ok(())
    }

    fn config(&self) -> String {
        let mut config = format!(
            "bind 127.0.0.1\nport {}\ndir {}\ndaemonize no\nlogfile \"\"\nsave \"\"\nappendonly {}\n",
            self.port,
            quoted(&self.folder.path().display().to_string()),
            if self.options.persistent { "yes" } else { "no" }
        );
        if let Some(password) = &self.options.password {
            let _ = writeln!(config, "requirepass {}", quoted(password.expose_secret()));
        }
        config
    }

    /// `redis://127.0.0.1:PORT`, without the password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `redis://default:PASSWORD@127.0.0.1:PORT`; the same as [`url`](Self::url) when there is no password.
    #[must_use]
    pub fn url_with_password(&self) -> SecretString {
        match &self.options.password {
            None => self.url().into(),
            Some(password) => format!(
                "redis://default:{}@127.0.0.1:{}",
                percent::encoded(password.expose_secret()),
                self.port
            )
            .into(),
        }
    }

    /// The port on 127.0.0.1. It stays the same as long as this value lives.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with everything in it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's process id; `None` after [`kill`](Self::kill) or [`stop`](Self::stop).
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Server::pid)
    }

    /// Ends the server as a power failure would, with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill();
        }
    }

    /// Ends the server in order; after four seconds, with SIGKILL.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.stop();
        }
    }

    /// Starts the server on the same port, after a kill or a stop. Does nothing while it runs.
    ///
    /// # Errors
    /// When another process took the port meanwhile, or the server does not start.
    pub fn start_again(&mut self) -> Result<(), SandboxError> {
        if self.child.as_mut().is_some_and(Server::is_running) {
            return Ok(());
        }
        self.child = None;
        if port::is_free(self.port) { self.run() } else { Err(SandboxError::PortTaken { port: self.port }) }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn last_port(config: &Path) -> Option<u16> {
    let config = fs::read_to_string(config).ok()?;
    config.lines().find_map(|line| line.strip_prefix("port "))?.trim().parse().ok()
}

/// A word of redis.conf, with every byte that might mean something there escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            other => {
                let _ = write!(out, "\\x{other:02x}");
            }
        }
    }
    out + "\""
}

/// Whether PING is answered, be it with a demand for the password; not while data is being loaded.
fn answers(port: u16) -> bool {
    ping(port).is_ok_and(|answer| answer.starts_with(b"+PONG") || answer.starts_with(b"-NOAU"))
}

fn ping(port: u16) -> io::Result<[u8; 5]> {
    let patience = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"\n\\ é"), r#""a\x22\x0a\x5c\x20\xc3\xa9""#);
    }
}
