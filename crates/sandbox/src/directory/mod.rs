//! Owns the life of one 389 Directory Server: first start, kill, stop, start again.

pub(crate) mod backend;
mod dse;
mod instance;
mod ldap;
mod options;
mod settings;
mod suffix;
mod tls;

use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::{ExposeSecret as _, SecretString};

pub use self::backend::{Backend, UnknownBackend};
use self::dse::Dse;
use self::instance::{Instance, PASSWORD_FILE};
pub use self::options::DirectoryServerOptions;
use self::suffix::Suffix;
use crate::child::{Running, Server};
use crate::error::{SandboxError, at};
use crate::programs::{ID, NS_SLAPD, Programs};
use crate::{percent, port};

const MANAGER_DN: &str = "cn=Directory Manager";
const DEFAULT_SUFFIX: &str = "dc=example,dc=com";
/// The name of the one database.
const DATABASE: &str = "userRoot";
/// The server's usual log level, EMERG to INFO. Any level keeps the server in the foreground, but level 0 would also
/// suppress the reason for a failed start.
const LOG_LEVEL: &str = "266354688";
/// How often a start may lose its port to another process.
const PORT_TRIES: usize = 5;
const SUCCESS: u8 = 0;
const ENTRY_EXISTS: u8 = 68;

/// Where the server listens on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
struct Ports {
    plain: u16,
    tls: Option<u16>,
}

/// A running 389 Directory Server. It stops when this is dropped.
#[derive(Debug)]
pub struct DirectoryServer {
    running: Running,
    instance: Instance,
    programs: Programs,
    backend: Backend,
    suffix: Suffix,
    password: SecretString,
    password_file: PathBuf,
    ports: Ports,
}

impl DirectoryServer {
    /// A server with all its files in `path`, which is created, empty, or the folder of an earlier run.
    pub fn in_folder(path: impl AsRef<Path>) -> DirectoryServerOptions {
        DirectoryServerOptions::new(path.as_ref())
    }

    fn start(options: &DirectoryServerOptions) -> Result<Self, SandboxError> {
        // Checked before anything is written: a missing package should leave no half-made folder.
        options.programs.find(NS_SLAPD)?;
        let instance = Instance::open(&options.folder)?;
        let password = instance.password()?;
        let is_new = !instance.is_set_up();
        if is_new {
            let suffix = Suffix::parse(options.suffix.as_deref().unwrap_or(DEFAULT_SUFFIX))?;
            let backend = options.backend.unwrap_or_default();
            instance.set_up(&suffix, backend, &password, &user_name(&options.programs)?)?;
        }
        let mut server = Self {
            running: Running::default(),
            backend: backend_in(&instance, options.backend)?,
            suffix: suffix_in(&instance, options.suffix.as_deref())?,
            password_file: instance.folder().join(PASSWORD_FILE),
            programs: options.programs.clone(),
            ports: Ports { plain: 0, tls: None },
            instance,
            password,
        };
        server.configure_and_run(options, is_new)?;
        if is_new {
            server.add_suffix_entry()?;
            server.instance.mark_set_up()?;
        }
        Ok(server)
    }

    fn configure_and_run(
        &mut self,
        options: &DirectoryServerOptions,
        is_new: bool,
    ) -> Result<(), SandboxError> {
        self.instance.copy_schema(&options.schema)?;
        if options.tls {
            let workspace = self.instance.folder().join("tmp/tls");
            let (config, ca, log) = (self.instance.config(), self.ca_path(), self.instance.log());
            tls::prepare(&self.programs, &config, &ca, &workspace, &log)?;
        }
        let mut dse = Dse::read(&self.instance.dse_file())?;
        let (mut last, mut last_tls) = settings::last_ports(&dse);
        let mut tries = 0;
        loop {
            self.ports = choose_ports(last, options.tls.then_some(last_tls))?;
            settings::apply(&mut dse, &self.instance, options, self.backend, self.ports)?;
            dse.write()?;
            if tries == 0 && is_new {
                self.import(options.import.as_deref())?;
            }
            tries += 1;
            match self.run() {
                Err(SandboxError::DidNotStart { lines, .. })
                    if tries < PORT_TRIES && says_port_taken(&lines) =>
                {
                    (last, last_tls) = (0, 0);
                }
                other => return other,
            }
        }
    }

    fn import(&self, file: Option<&Path>) -> Result<(), SandboxError> {
        let Some(file) = file else { return Ok(()) };
        let file = file.canonicalize().map_err(at("read", file))?;
        let (file, config) = (file.display().to_string(), self.instance.config().display().to_string());
        self.instance.clear_for_start()?;
        let arguments = ["ldif2db", "-D", &config, "-n", DATABASE, "-i", &file];
        let import = Server::spawn(&self.programs, NS_SLAPD, &arguments, &self.instance.log())?;
        // The import also fails if entries were skipped; the reasons are in its other log.
        import.finish().map_err(|error| match error {
            SandboxError::CommandFailed { program, .. } => {
                let (log, lines) = self.instance.problems();
                SandboxError::CommandFailed { program, log, lines }
            }
            other => other,
        })
    }

    /// Runs the server with its present configuration.
    fn run(&mut self) -> Result<(), SandboxError> {
        self.instance.clear_for_start()?;
        let config = self.instance.config().display().to_string();
        let pid_file = self.instance.pid_file().display().to_string();
        let arguments = ["-D", &config, "-i", &pid_file, "-d", LOG_LEVEL];
        let mut child = Server::spawn(&self.programs, NS_SLAPD, &arguments, &self.instance.log())?;
        // The server opens its ports before it responds anywhere, and exits if it cannot. A response on a port might
        // come from another server; a response on the socket in this folder cannot.
        let socket = self.instance.socket();
        let started = child.wait_until_ready(|_| ldap::answers(&socket));
        if started.is_err() {
            self.instance.clear()?;
        }
        started?;
        self.running.hold(child);
        Ok(())
    }

    fn add_suffix_entry(&self) -> Result<(), SandboxError> {
        let socket = self.instance.socket();
        let mut connection = ldap::Connection::open(&socket).map_err(at("connect to", &socket))?;
        let bound =
            connection.bind(MANAGER_DN, self.password.expose_secret()).map_err(at("talk to", &socket))?;
        if bound != SUCCESS {
            return Err(SandboxError::Refused { request: "bind the Directory Manager", code: bound });
        }
        let (class, attribute, value) = self.suffix.entry();
        let attributes: [(&str, &[&str]); 2] = [("objectClass", &["top", class]), (attribute, &[value])];
        let added = connection.add(self.suffix.as_str(), &attributes).map_err(at("talk to", &socket))?;
        connection.close().map_err(at("talk to", &socket))?;
        match added {
            SUCCESS | ENTRY_EXISTS => Ok(()),
            code => Err(SandboxError::Refused { request: "add the suffix entry", code }),
        }
    }

    /// `ldap://127.0.0.1:PORT`. The port is constant for the life of this value.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.ports.plain)
    }

    /// `ldaps://127.0.0.1:PORT`, with TLS on.
    #[must_use]
    pub fn ldaps_url(&self) -> Option<String> {
        self.ports.tls.map(|port| format!("ldaps://127.0.0.1:{port}"))
    }

    /// The local socket. Root and the user who runs the server are the Directory Manager there, through a SASL EXTERNAL
    /// bind.
    #[must_use]
    pub fn ldapi_url(&self) -> String {
        format!("ldapi://{}", percent::encoded(&self.instance.socket().to_string_lossy()))
    }

    /// The certificate of the CA that signed the server's, in PEM, if TLS is on.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.ports.tls.map(|_| self.ca_path())
    }

    fn ca_path(&self) -> PathBuf {
        self.instance.folder().join("ca.pem")
    }

    /// The suffix of the tree in the server.
    #[must_use]
    pub fn suffix(&self) -> &str {
        self.suffix.as_str()
    }

    /// The database library of the server, chosen at the first start.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The DN to bind as.
    #[must_use]
    pub fn manager_dn(&self) -> &'static str {
        MANAGER_DN
    }

    /// The Directory Manager's password, generated once per folder.
    #[must_use]
    pub fn manager_password(&self) -> &SecretString {
        &self.password
    }

    /// A file that contains only that password, readable only by its owner.
    #[must_use]
    pub fn manager_password_file(&self) -> &Path {
        &self.password_file
    }

    /// The folder with all files; the server's own logs are under `log`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.instance.folder()
    }

    /// The server's process id; `None` after [`kill`](Self::kill) or [`stop`](Self::stop).
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.running.pid()
    }

    /// Kills the server with SIGKILL, as a power failure would, and leaves its files as they are.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// Stops the server in order, or with SIGKILL after four seconds.
    pub fn stop(&mut self) {
        self.running.stop();
        // A leftover costs 32 bytes of shared memory and is removed at the next start.
        let _ = self.instance.clear();
    }

    /// Starts the server on the same port after a kill or a stop. Has no effect while it runs.
    ///
    /// # Errors
    /// When another process has taken the port in the meantime, or the server does not start.
    pub fn start_again(&mut self) -> Result<(), SandboxError> {
        if self.running.must_start([Some(self.ports.plain), self.ports.tls].into_iter().flatten())? {
            self.run()
        } else {
            Ok(())
        }
    }
}

impl Drop for DirectoryServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn suffix_in(instance: &Instance, asked: Option<&str>) -> Result<Suffix, SandboxError> {
    let dse = Dse::read(&instance.dse_file())?;
    let found = Suffix::parse(settings::suffix(&dse).unwrap_or_default())?;
    match asked {
        Some(asked) if !found.is_same_as(asked) => Err(SandboxError::OtherSuffix {
            folder: instance.folder().to_path_buf(),
            found: found.as_str().to_owned(),
            asked: asked.to_owned(),
        }),
        _ => Ok(found),
    }
}

fn backend_in(instance: &Instance, asked: Option<Backend>) -> Result<Backend, SandboxError> {
    let dse = Dse::read(&instance.dse_file())?;
    let found = settings::backend_of(&dse);
    match asked {
        Some(asked) if asked != found => {
            Err(SandboxError::OtherBackend { folder: instance.folder().to_path_buf(), found, asked })
        }
        _ => Ok(found),
    }
}

/// The ports of the last run if they are still free, otherwise others.
fn choose_ports(last: u16, last_tls: Option<u16>) -> Result<Ports, SandboxError> {
    let again = |last: u16, except| {
        if last != 0 && Some(last) != except && port::is_free(last) { Ok(last) } else { port::free(except) }
    };
    let plain = again(last, None)?;
    let tls = last_tls.map(|last| again(last, Some(plain))).transpose()?;
    Ok(Ports { plain, tls })
}

fn says_port_taken(lines: &str) -> bool {
    lines.contains("PR_Bind") || lines.contains("in use")
}

/// The name of the user who runs this process; the server requires a name, not a number.
fn user_name(programs: &Programs) -> Result<String, SandboxError> {
    let path = programs.find(ID)?;
    let output = Command::new(&path).arg("-un").output().map_err(at("run", &path))?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !name.is_empty() {
        return Ok(name);
    }
    Err(at("tell the current user's name with", &path)(std::io::ErrorKind::NotFound.into()))
}

#[cfg(test)]
mod tests {
    use super::says_port_taken;

    #[test]
    fn a_lost_port_is_told_from_other_failures() {
        assert!(says_port_taken(
            "- ERR - createprlistensockets - PR_Bind() on Loopback port 389 failed: \
             Netscape Portable Runtime error -5982 (Local Network address is in use.)"
        ));
        assert!(!says_port_taken("- ERR - add_new_slapd_process - Unable to start slapd"));
    }
}
