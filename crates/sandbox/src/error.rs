//! Owns every way a sandbox can fail, and words each one for the person at the terminal.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::directory::backend::Backend;

/// Why a server could not be set up, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A program this crate runs is not installed.
    #[error("{program} not found: apt-get install {package}")]
    MissingProgram {
        /// Name of the program.
        program: &'static str,
        /// The Debian package it comes in.
        package: &'static str,
    },
    /// A file that a Debian package brings is not there.
    #[error("{} not found: apt-get install {package}", path.display())]
    MissingFile {
        /// Where the file was looked for.
        path: PathBuf,
        /// The Debian package it comes in.
        package: &'static str,
    },
    /// The folder holds files that no sandbox made; it is left as it is.
    #[error("{} is not empty and holds no {kind}: choose an empty folder", folder.display())]
    ForeignFolder {
        /// The folder asked for.
        folder: PathBuf,
        /// What was to be started in it.
        kind: &'static str,
    },
    /// Another live process runs a server in this folder.
    #[error("another process is using the sandbox in {}", folder.display())]
    FolderInUse {
        /// The folder asked for.
        folder: PathBuf,
    },
    /// The path cannot be written into a server's configuration.
    #[error("the path {} must be plain UTF-8 without control characters, quotes or %", path.display())]
    UnusablePath {
        /// The path in question.
        path: PathBuf,
    },
    /// The suffix is not one the sandbox can make an entry for.
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
    /// dse.ldif has no entry to change: a plug-in of that name does not exist, or the file is damaged.
    #[error("{} has no entry {dn}", file.display())]
    NoSuchEntry {
        /// The dse.ldif in question.
        file: PathBuf,
        /// The entry that is not there.
        dn: String,
    },
    /// The port that clients already know was taken while the server was down.
    #[error("port {port} was taken by another process while the server was down")]
    PortTaken {
        /// The port in question.
        port: u16,
    },
    /// The server ended, or did not answer, instead of starting.
    #[error("{program} did not start; {} ends with:\n{lines}", log.display())]
    DidNotStart {
        /// Name of the program.
        program: &'static str,
        /// The log the lines are from.
        log: PathBuf,
        /// Its last lines.
        lines: String,
    },
    /// A program that should do one thing and end reported a failure.
    #[error("{program} failed; {} ends with:\n{lines}", log.display())]
    CommandFailed {
        /// Name of the program.
        program: &'static str,
        /// The log the lines are from.
        log: PathBuf,
        /// Its last lines.
        lines: String,
    },
    /// A server of an earlier run is still there and cannot be stopped.
    #[error("process {pid} still runs in this folder and cannot be stopped")]
    StrayProcess {
        /// Its process id.
        pid: u32,
    },
    /// The directory refused one of the few requests the set-up makes.
    #[error("the directory refused to {request}: LDAP result {code}")]
    Refused {
        /// What was asked.
        request: &'static str,
        /// The result code of RFC 4511.
        code: u8,
    },
    /// Redis refused a command, or was not there to answer it.
    #[error("redis-cli {command}: {answer}")]
    RedisCommand {
        /// The first word of the command; the others may be secret.
        command: String,
        /// What it said.
        answer: String,
    },
    /// The sentinels did not agree in time.
    #[error("after {} s the sentinels have not got so far: {what}", after.as_secs())]
    SentinelsDisagree {
        /// What was waited for.
        what: &'static str,
        /// For how long.
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
        /// What was tried.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
}

/// Adds to an I/O error what was tried and where: `fs::read(p).map_err(at("read", p))`.
pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SandboxError {
    let path = path.to_path_buf();
    move |source| SandboxError::Io { doing, path, source }
}
