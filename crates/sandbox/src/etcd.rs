//! Owns the life of etcd servers, alone or as the members of a cluster: first start, kill, stop, start again.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use secrecy::{ExposeSecret as _, SecretString};

use crate::child::{Running, Server};
use crate::error::{SandboxError, at};
use crate::folder::Folder;
use crate::programs::{ETCD, ETCDCTL, Programs};
use crate::tls::TlsFiles;
use crate::{port, stray};

/// The options of an etcd server; ends in [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use]
pub struct EtcdServerOptions {
    folder: PathBuf,
    tls: bool,
    client_certificates: bool,
    token_seconds: u32,
    programs: Programs,
}

impl EtcdServerOptions {
    /// Whether the server accepts only TLS, with a certificate for 127.0.0.1 and localhost.
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Whether the server requires, with TLS, a certificate of its clients: see
    /// [`client_files`](EtcdServer::client_files).
    pub fn client_certificates(mut self, required: bool) -> Self {
        self.client_certificates = required;
        self
    }

    /// How long a token may be unused, in seconds; 300 by default.
    pub fn token_seconds(mut self, seconds: u32) -> Self {
        self.token_seconds = seconds;
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
    pub fn start(self) -> Result<EtcdServer, SandboxError> {
        let mut server = self.prepare("sandbox".to_owned())?;
        port::on_a_free_port(None, |port| {
            server.port = port;
            server.peer_port = port::free(Some(port))?;
            server.cluster = format!("{}={}", server.name, server.peer_url());
            server.run()
        })?;
        Ok(server)
    }

    /// Starts the members of one cluster, each in a folder of its own within the folder. Returns when all respond.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_cluster(self, members: usize) -> Result<Vec<EtcdServer>, SandboxError> {
        let mut servers = Vec::new();
        for number in 0..members {
            let name = format!("member{number}");
            let options = Self { folder: self.folder.join(&name), ..self.clone() };
            let mut server = options.prepare(name)?;
            server.port = port::free(None)?;
            server.peer_port = port::free(Some(server.port))?;
            servers.push(server);
        }
        let peers: Vec<_> =
            servers.iter().map(|server| format!("{}={}", server.name, server.peer_url())).collect();
        for server in &mut servers {
            server.cluster = peers.join(",");
        }
        // A member responds when most others run.
        thread::scope(|scope| {
            let starting: Vec<_> = servers.iter_mut().map(|server| scope.spawn(|| server.run())).collect();
            let joined =
                starting.into_iter().map(|member| member.join().unwrap_or_else(|panic| resume_unwind(panic)));
            joined.collect::<Result<(), _>>()
        })?;
        Ok(servers)
    }

    fn prepare(self, name: String) -> Result<EtcdServer, SandboxError> {
        self.programs.find(ETCD)?;
        let folder = Folder::claim(&self.folder, "etcd server")?;
        stray::stop_etcd_servers(folder.path())?;
        let tls = self.tls.then(|| TlsFiles::in_folder(folder.path())).transpose()?;
        Ok(EtcdServer {
            running: Running::default(),
            folder,
            name,
            port: 0,
            peer_port: 0,
            cluster: String::new(),
            tls,
            login: None,
            options: self,
        })
    }
}

/// A running etcd server. It stops when this is dropped.
#[derive(Debug)]
pub struct EtcdServer {
    running: Running,
    folder: Folder,
    name: String,
    port: u16,
    peer_port: u16,
    /// All members of the cluster: `name=url,…`.
    cluster: String,
    tls: Option<TlsFiles>,
    /// `name:password`, for [`command`](Self::command).
    login: Option<SecretString>,
    options: EtcdServerOptions,
}

impl EtcdServer {
    /// A server with all its files in `path`, which is created, empty, or the folder of an earlier run.
    pub fn in_folder(path: impl AsRef<Path>) -> EtcdServerOptions {
        EtcdServerOptions {
            folder: path.as_ref().to_path_buf(),
            tls: false,
            client_certificates: false,
            token_seconds: 300,
            programs: Programs::installed(),
        }
    }

    fn run(&mut self) -> Result<(), SandboxError> {
        let arguments = self.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let log = self.folder.path().join("log/console");
        let mut child = Server::spawn(&self.options.programs, ETCD, &arguments, &log)?;
        // Another server might respond on the port; the log belongs to this child only.
        child.wait_until_ready(|child| {
            let output = child.output();
            output.contains("ready to serve client requests") && output.contains("serving")
        })?;
        self.running.hold(child);
        Ok(())
    }

    fn arguments(&self) -> Vec<String> {
        let peers = self.peer_url();
        let mut arguments = vec![
            format!("--name={}", self.name),
            format!("--data-dir={}/data", self.folder.path().display()),
            format!("--listen-client-urls={}", self.url()),
            format!("--advertise-client-urls={}", self.url()),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster={}", self.cluster),
            format!("--auth-token-ttl={}", self.options.token_seconds),
        ];
        if let Some(tls) = &self.tls {
            arguments.push(format!("--cert-file={}", tls.certificate().display()));
            arguments.push(format!("--key-file={}", tls.key().display()));
            if self.options.client_certificates {
                arguments.push("--client-cert-auth".to_owned());
                arguments.push(format!("--trusted-ca-file={}", tls.ca().display()));
            }
        }
        arguments
    }

    fn peer_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.peer_port)
    }

    /// `http://127.0.0.1:PORT`; `https://…` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The certificate of the CA that signed the server's, in PEM, if TLS is on.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls.as_ref().map(TlsFiles::ca)
    }

    /// A certificate that the server accepts from clients, and its key, in PEM, if TLS is on.
    #[must_use]
    pub fn client_files(&self) -> Option<(PathBuf, PathBuf)> {
        self.tls.as_ref().map(|tls| (tls.certificate(), tls.key()))
    }

    /// The login that later commands use: `name:password`.
    pub fn log_in(&mut self, login: SecretString) {
        self.login = Some(login);
    }

    /// Runs a command of `etcdctl`, such as `["put", "key", "value"]`, and returns its output.
    ///
    /// # Errors
    /// When `etcdctl` is not installed, the server does not respond, or it refuses the command.
    pub fn command(&self, words: &[&str]) -> Result<String, SandboxError> {
        self.command_with_input(words, "")
    }

    /// Runs a command that reads standard input, such as `["txn"]`.
    ///
    /// # Errors
    /// As [`command`](Self::command).
    pub fn command_with_input(&self, words: &[&str], input: &str) -> Result<String, SandboxError> {
        let path = self.options.programs.find(ETCDCTL)?;
        let mut command = Command::new(&path);
        command.env("ETCDCTL_API", "3").env_remove("ETCDCTL_USER").arg(format!("--endpoints={}", self.url()));
        if let Some(tls) = &self.tls {
            command.arg(format!("--cacert={}", tls.ca().display()));
            command.arg(format!("--cert={}", tls.certificate().display()));
            command.arg(format!("--key={}", tls.key().display()));
        }
        if let Some(login) = &self.login {
            command.env("ETCDCTL_USER", login.expose_secret());
        }
        let child = command
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(at("run", &path))?;
        let output = feed(child, input).map_err(at("run", &path))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(SandboxError::EtcdCommand {
            command: words.first().copied().unwrap_or_default().to_owned(),
            answer: text(&output.stderr),
        })
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

fn feed(mut child: std::process::Child, input: &str) -> std::io::Result<std::process::Output> {
    use std::io::Write as _;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that reads nothing may already have closed it.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output()
}
