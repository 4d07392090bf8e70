//! Owns every error of a sandbox, worded for the person at the terminal.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::directory::backend::Backend;

/// Why a server could not be set up, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A required program is not installed.
    #[error("{program} not found: apt-get install {package}")]
    MissingProgram {
        /// The name of the program.
        program: &'static str,
        /// The Debian package of the program.
        package: &'static str,
    },
    /// A file of a Debian package does not exist.
    #[error("{} not found: apt-get install {package}", path.display())]
    MissingFile {
        /// The expected path.
        path: PathBuf,
        /// The Debian package of the file.
        package: &'static str,
    },
    /// The folder holds files that no sandbox made; it is not changed.
    #[error("{} is not empty and is not the folder of a {kind}: choose an empty folder", folder.display())]
    ForeignFolder {
        /// The folder asked for.
        folder: PathBuf,
        /// The kind of server to start in it.
        kind: &'static str,
    },
    /// Another live process runs a server in this folder.
    #[error("another process is using the sandbox in {}", folder.display())]
    FolderInUse {
        /// The folder asked for.
        folder: PathBuf,
    },
    /// The path contains characters that a server's configuration cannot hold.
    #[error("the path {} must be plain UTF-8 without control characters, quotes or %", path.display())]
    UnusablePath {
        /// The path in question.
        path: PathBuf,
    },
    /// The sandbox cannot create an entry for the suffix.
    #[error("suffix {suffix:?}: a plain ASCII name that begins with dc=, o= or ou= is allowed")]
    UnusableSuffix {
        /// The suffix asked for.
        suffix: String,
    },
    /// The folder was set up with another suffix.
    #[error("{} already holds {found}, not {asked}", folder.display())]
    OtherSuffix {
        /// The folder asked for.
        folder: PathBuf,
        /// The suffix it was set up with.
        found: String,
        /// The suffix asked for.
        asked: String,
    },
    /// The folder was set up with another database library.
    #[error(
        "{} was set up with the back end {found}, not {asked}: leave the choice out, choose another folder, or \
         move its data over by a backup and a restore", folder.display()
    )]
    OtherBackend {
        /// The folder asked for.
        folder: PathBuf,
        /// The back end it was set up with.
        found: Backend,
        /// The back end asked for.
        asked: Backend,
    },
    /// dse.ldif does not have the entry to change: the plug-in does not exist, or the file is damaged.
    #[error("{} has no entry {dn}", file.display())]
    NoSuchEntry {
        /// The dse.ldif in question.
        file: PathBuf,
        /// The DN of the missing entry.
        dn: String,
    },
    /// The port that clients already know was taken while the server was down.
    #[error("port {port} was taken by another process while the server was down")]
    PortTaken {
        /// The port in question.
        port: u16,
    },
    /// The server ended or did not respond during its start.
    #[error("{program} did not start; {} ends with:\n{lines}", log.display())]
    DidNotStart {
        /// Name of the program.
        program: &'static str,
        /// The log that contains the lines.
        log: PathBuf,
        /// Its last lines.
        lines: String,
    },
    /// A program that should do one thing and exit reported a failure.
    #[error("{program} failed; {} ends with:\n{lines}", log.display())]
    CommandFailed {
        /// Name of the program.
        program: &'static str,
        /// The log that contains the lines.
        log: PathBuf,
        /// Its last lines.
        lines: String,
    },
    /// A directory refused a change by LDIF, or was unreachable.
    #[error("ldapmodify failed:\n{lines}")]
    ChangeRefused {
        /// The last lines that the program wrote.
        lines: String,
    },
    /// The provisioning of a domain did not say which password it made.
    #[error("the provisioning of the domain did not print a password: see {}", log.display())]
    NoPassword {
        /// What it printed.
        log: PathBuf,
    },
    /// A server of an earlier run still runs and cannot be stopped.
    #[error("process {pid} still runs in this folder and cannot be stopped")]
    StrayProcess {
        /// Its process id.
        pid: u32,
    },
    /// The directory refused one of the few requests of the set-up.
    #[error("the directory refused to {request}: LDAP result {code}")]
    Refused {
        /// The refused request.
        request: &'static str,
        /// The result code of RFC 4511.
        code: u8,
    },
    /// Redis refused a command or was unreachable.
    #[error("redis-cli {command}: {answer}")]
    RedisCommand {
        /// The first word of the command; the others may be secret.
        command: String,
        /// The answer of Redis.
        answer: String,
    },
    /// etcd refused a command or was unreachable.
    #[error("etcdctl {command}: {answer}")]
    EtcdCommand {
        /// The first word of the command; the others may be secret.
        command: String,
        /// The answer of etcd.
        answer: String,
    },
    /// The HTTP API of doveadm did not answer a payload.
    #[error("doveadm: {answer}")]
    Doveadm {
        /// The first line of the answer, or the failure of the connection.
        answer: String,
    },
    /// The sentinels did not agree in time.
    #[error("the sentinels did not reach this state within {} s: {what}", after.as_secs())]
    SentinelsDisagree {
        /// The expected condition.
        what: &'static str,
        /// How long the sandbox waited.
        after: Duration,
    },
    /// The certificates could not be made.
    #[error("could not make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// Reading or writing failed.
    #[error("could not {doing} {}", path.display())]
    Io {
        /// The operation.
        doing: &'static str,
        /// The path of the operation.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
}

/// Adds the operation and the path to an I/O error: `fs::read(p).map_err(at("read", p))`.
pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SandboxError {
    let path = path.to_path_buf();
    move |source| SandboxError::Io { doing, path, source }
}
