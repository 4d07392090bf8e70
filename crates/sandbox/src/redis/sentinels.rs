//! Owns a Redis master with a replica, and the sentinels that watch them, to test the death of the master.
//!
//! The sentinels wait half a second for a silent master, so a fail-over takes about one second.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::{RedisServer, cli, config};
use crate::child::{STEP, Server};
use crate::error::SandboxError;
use crate::folder::{Folder, write_private};
use crate::port::on_a_free_port;
use crate::programs::{Programs, REDIS_SERVER};
use crate::stray;
use crate::tls::TlsFiles;

const CONFIG: &str = "sentinel.conf";
const MASTER: &str = "mymaster";
const NUMBER: usize = 3;
const PATIENCE: Duration = Duration::from_secs(20);

/// The options of a watched pair of Redis servers; ends in [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use]
pub struct RedisSentinelsOptions {
    folder: PathBuf,
    number: usize,
    password: Option<SecretString>,
    sentinel_password: Option<SecretString>,
    tls: bool,
    programs: Programs,
}

impl RedisSentinelsOptions {
    /// The number of sentinels; three by default.
    pub fn number(mut self, number: usize) -> Self {
        self.number = number;
        self
    }

    /// The password of both servers; by default none.
    pub fn password(mut self, password: SecretString) -> Self {
        self.password = Some(password);
        self
    }

    /// The password of the sentinels themselves; by default none.
    pub fn sentinel_password(mut self, password: SecretString) -> Self {
        self.sentinel_password = Some(password);
        self
    }

    /// Whether servers and sentinels accept only TLS; one CA signs all certificates.
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Looks for the programs in this folder only, instead of in `PATH` and the system folders.
    pub fn programs_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.programs = Programs::only_in(folder.as_ref());
        self
    }

    /// Returns when the replica follows the master and all sentinels know each other.
    ///
    /// # Errors
    /// When the folder cannot be used, a program is not installed, or a process does not start.
    pub fn start(self) -> Result<RedisSentinels, SandboxError> {
        self.programs.find(REDIS_SERVER)?;
        let folder = Folder::claim(&self.folder, "Redis with sentinels")?;
        let tls = self.tls.then(|| TlsFiles::in_folder(folder.path())).transpose()?;
        let server = |name: &str, replica_of| {
            let mut options = RedisServer::in_folder(folder.path().join(name));
            options.password.clone_from(&self.password);
            options.programs = self.programs.clone();
            options.tls_files.clone_from(&tls);
            options.replica_of = replica_of;
            options.start()
        };
        let one = server("server-1", None)?;
        let two = server("server-2", Some(one.port()))?;
        let watched =
            RedisSentinels { sentinels: Vec::new(), servers: [one, two], tls, folder, options: self };
        watched.wait_for_replica()?;
        watched.with_sentinels()
    }
}

/// A running pair of Redis servers with sentinels. They stop when this is dropped.
#[derive(Debug)]
pub struct RedisSentinels {
    sentinels: Vec<Sentinel>,
    servers: [RedisServer; 2],
    tls: Option<TlsFiles>,
    folder: Folder,
    options: RedisSentinelsOptions,
}

#[derive(Debug)]
struct Sentinel {
    _child: Server,
    _folder: Folder,
    port: u16,
}

impl RedisSentinels {
    /// Servers and sentinels with all their files in `path`, which is created, empty, or the folder of an earlier run.
    /// Each start begins without data.
    pub fn in_folder(path: impl AsRef<Path>) -> RedisSentinelsOptions {
        RedisSentinelsOptions {
            folder: path.as_ref().to_path_buf(),
            number: NUMBER,
            password: None,
            sentinel_password: None,
            tls: false,
            programs: Programs::installed(),
        }
    }

    fn with_sentinels(mut self) -> Result<Self, SandboxError> {
        let [master, _] = &self.servers;
        let master = master.port();
        for index in 1..=self.options.number {
            let folder = self.folder.path().join(format!("sentinel-{index}"));
            self.sentinels.push(self.sentinel(&folder, master)?);
        }
        let others = self.options.number.saturating_sub(1).to_string();
        wait("each knows the replica and the others", || {
            self.sentinels.iter().all(|sentinel| {
                let known = self.ask(sentinel, &["SENTINEL", "MASTER", MASTER]).unwrap_or_default();
                field(&known, "num-slaves") == Some("1")
                    && field(&known, "num-other-sentinels") == Some(&others)
            })
        })?;
        Ok(self)
    }

    fn sentinel(&self, folder: &Path, master: u16) -> Result<Sentinel, SandboxError> {
        let folder = Folder::claim(folder, "Redis sentinel")?;
        stray::stop_redis_servers(folder.path())?;
        let file = folder.path().join(CONFIG);
        let (child, port) = on_a_free_port(config::last_port(&file), |port| {
            write_private(&file, self.config(port, folder.path(), master).as_bytes())?;
            let arguments = [&file.display().to_string(), "--sentinel"];
            let log = folder.path().join("log/console");
            let mut child = Server::spawn(&self.options.programs, REDIS_SERVER, &arguments, &log)?;
            child.wait_until_ready(|child| child.output().contains("+monitor master"))?;
            Ok((child, port))
        })?;
        Ok(Sentinel { _child: child, _folder: folder, port })
    }

    fn config(&self, port: u16, folder: &Path, master: u16) -> String {
        let mut config = config::base(port, folder, self.tls.as_ref());
        let majority = self.options.number / 2 + 1;
        // Writing to a String cannot fail.
        let _ = writeln!(
            config,
            "sentinel monitor {MASTER} 127.0.0.1 {master} {majority}\n\
             sentinel down-after-milliseconds {MASTER} 500\n\
             sentinel failover-timeout {MASTER} 2000"
        );
        let auth = format!("sentinel auth-pass {MASTER}");
        config::add_password(&mut config, &auth, self.options.password.as_ref());
        config::add_password(&mut config, "requirepass", self.options.sentinel_password.as_ref());
        config
    }

    fn ask(&self, sentinel: &Sentinel, words: &[&str]) -> Result<String, SandboxError> {
        let password = self.options.sentinel_password.as_ref();
        cli::ask(&self.options.programs, sentinel.port, password, self.tls.as_ref(), words)
    }

    /// Where the sentinels listen, as `127.0.0.1:PORT`.
    #[must_use]
    pub fn sentinel_addresses(&self) -> Vec<String> {
        self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect()
    }

    /// The name under which the sentinels know the pair.
    #[must_use]
    pub fn master_name(&self) -> &'static str {
        MASTER
    }

    /// The certificate of the CA that signed all servers' certificates, in PEM, if TLS is on.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls.as_ref().map(TlsFiles::ca)
    }

    /// The folder with all files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The running server that all sentinels name as the master and that reports itself as the master; `None` during a
    /// fail-over.
    #[must_use]
    pub fn master(&self) -> Option<&RedisServer> {
        let server = self.servers.iter().find(|server| server.pid().is_some() && is_master(server))?;
        let address = format!("127.0.0.1\n{}", server.port());
        let question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER];
        let agreed = |sentinel| self.ask(sentinel, &question).is_ok_and(|answer| answer == address);
        self.sentinels.iter().all(agreed).then_some(server)
    }

    /// Sends a command to the master; see [`RedisServer::command`].
    ///
    /// # Errors
    /// When no master is found within 20 seconds, or it refuses the command.
    pub fn command(&self, words: &[&str]) -> Result<String, SandboxError> {
        self.wait_for_master()?.command(words)
    }

    /// Waits until there is a master; after [`kill_master`](Self::kill_master) this is the other server.
    ///
    /// # Errors
    /// When there is none after 20 seconds.
    pub fn wait_for_master(&self) -> Result<&RedisServer, SandboxError> {
        wait("all name the same running master", || self.master().is_some())?;
        self.master().ok_or(SandboxError::SentinelsDisagree { what: "the master stays", after: PATIENCE })
    }

    /// Kills the master with SIGKILL, as a power failure would. The sentinels then make the other server the master.
    ///
    /// # Errors
    /// When no master is found within 20 seconds.
    pub fn kill_master(&mut self) -> Result<(), SandboxError> {
        let port = self.wait_for_master()?.port();
        self.servers.iter_mut().filter(|server| server.port() == port).for_each(RedisServer::kill);
        Ok(())
    }

    /// Starts a dead server as the replica of the other one, and waits until it follows.
    ///
    /// # Errors
    /// When there is no master, the server does not start, or it does not follow within 20 seconds.
    pub fn start_again(&mut self) -> Result<(), SandboxError> {
        let master = self.wait_for_master()?.port();
        for server in self.servers.iter_mut().filter(|server| server.port() != master) {
            server.options.replica_of = Some(master);
            server.start_again()?;
        }
        self.wait_for_replica()
    }

    fn wait_for_replica(&self) -> Result<(), SandboxError> {
        wait("the replica follows", || {
            self.servers.iter().any(|server| {
                let role = server.command(&["ROLE"]).unwrap_or_default();
                role.starts_with("slave") && role.lines().nth(3) == Some("connected")
            })
        })
    }
}

fn is_master(server: &RedisServer) -> bool {
    server.command(&["ROLE"]).is_ok_and(|role| role.starts_with("master"))
}

/// A value in an answer of alternating field names and values.
fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().skip_while(|line| *line != name).nth(1)
}

fn wait(what: &'static str, holds: impl Fn() -> bool) -> Result<(), SandboxError> {
    let since = Instant::now();
    while !holds() {
        if since.elapsed() > PATIENCE {
            return Err(SandboxError::SentinelsDisagree { what, after: PATIENCE });
        }
        sleep(STEP);
    }
    Ok(())
}
