//! Owns the processes this crate starts: how they begin, how they end, where their output goes.
//!
//! Each is its own process group, so that Ctrl-C in a terminal reaches only the program that started it, which then
//! stops its servers in order. Each asks the kernel for SIGKILL on the death of its parent, so none survives even a
//! `kill -9` of that program. (SIGTERM is not enough: 389-ds 2.3, stopped just after a client closed its connection
//! without an unbind, as the clients in a killed parent do, was observed to hang for ever.) For the kernel the parent
//! is the *thread* that forked, so one thread here forks all servers and lives as long as the process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{SandboxError, at};
use crate::port;
use crate::programs::{Program, Programs, SETPRIV};

/// The interval between two checks of a condition.
pub(crate) const STEP: Duration = Duration::from_millis(10);
const START_LIMIT: Duration = Duration::from_secs(20);
const STOP_LIMIT: Duration = Duration::from_secs(4);
const LINES_SHOWN: usize = 15;

/// A child process and the offset in its log at which its own output begins.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    program: &'static str,
    log: PathBuf,
    log_from: u64,
}

impl Server {
    pub(crate) fn spawn(
        programs: &Programs,
        program: Program,
        arguments: &[&str],
        log: &Path,
    ) -> Result<Self, SandboxError> {
        Self::spawn_with(programs, &[], program, arguments, log)
    }

    /// Like [`Self::spawn`], with more options of `setpriv`.
    pub(crate) fn spawn_with(
        programs: &Programs,
        privileges: &[String],
        program: Program,
        arguments: &[&str],
        log: &Path,
    ) -> Result<Self, SandboxError> {
        let path = programs.find(program)?;
        let mut command = Command::new(programs.find(SETPRIV)?);
        command.args(["--pdeathsig", "KILL"]).args(privileges).arg("--").arg(&path).args(arguments);
        let output = open_log(log).map_err(at("open", log))?;
        let log_from = output.metadata().map_err(at("read", log))?.len();
        let errors = output.try_clone().map_err(at("open", log))?;
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            // The servers would report their state to the service manager that watches the parent.
            .env_remove("NOTIFY_SOCKET");
        let child = spawn_on_lasting_thread(command).map_err(at("run", &path))?;
        Ok(Self { child, program: program.name, log: log.to_path_buf(), log_from })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The output of this run so far.
    pub(crate) fn output(&self) -> String {
        let mut bytes = Vec::new();
        // Without the log there is no output, and no other remedy.
        let _ = File::open(&self.log).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.log_from))?;
            file.read_to_end(&mut bytes)
        });
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until `is_ready` holds; fails if the process ends or 20 seconds pass.
    pub(crate) fn wait_until_ready(&mut self, is_ready: impl Fn(&Self) -> bool) -> Result<(), SandboxError> {
        let since = Instant::now();
        while since.elapsed() < START_LIMIT {
            if !self.is_running() {
                break;
            }
            if is_ready(self) {
                return Ok(());
            }
            sleep(STEP);
        }
        self.kill();
        let lines = last_lines(self.output().lines());
        Err(SandboxError::DidNotStart { program: self.program, log: self.log.clone(), lines })
    }

    /// Waits for the end of a program that does one thing, without a time limit.
    pub(crate) fn finish(mut self) -> Result<(), SandboxError> {
        if self.child.wait().is_ok_and(|status: ExitStatus| status.success()) {
            return Ok(());
        }
        let lines = last_lines(self.output().lines());
        Err(SandboxError::CommandFailed { program: self.program, log: self.log.clone(), lines })
    }

    /// Sends SIGKILL and reaps the process.
    pub(crate) fn kill(&mut self) {
        // Both fail only if the process has already ended and was reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM, waits four seconds, then sends SIGKILL.
    pub(crate) fn stop(&mut self) {
        if self.is_running() {
            let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
            // The process has not been reaped, so the number is still this child's.
            let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
        }
        let since = Instant::now();
        while self.is_running() && since.elapsed() < STOP_LIMIT {
            sleep(STEP);
        }
        self.kill();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Holds a server while it runs: none before its first start, and after a kill or a stop.
#[derive(Debug, Default)]
pub(crate) struct Running(Option<Server>);

impl Running {
    pub(crate) fn hold(&mut self, server: Server) {
        self.0 = Some(server);
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.0.as_ref().map(Server::pid)
    }

    /// Sends SIGKILL and reaps the process.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.0.take() {
            server.kill();
        }
    }

    /// Sends SIGTERM, waits four seconds, then sends SIGKILL.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.0.take() {
            server.stop();
        }
    }

    /// Whether the server must be started to run; fails if another process has taken one of its ports in the meantime.
    pub(crate) fn must_start(&mut self, ports: impl IntoIterator<Item = u16>) -> Result<bool, SandboxError> {
        if self.0.as_mut().is_some_and(Server::is_running) {
            return Ok(false);
        }
        self.0 = None;
        let taken = ports.into_iter().find(|port| !port::is_free(*port));
        taken.map_or(Ok(true), |port| Err(SandboxError::PortTaken { port }))
    }
}

fn open_log(log: &Path) -> io::Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(log)
}

/// The last lines, as many as fit into an error message.
pub(crate) fn last_lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let lines: Vec<&str> = lines.collect();
    lines.get(lines.len().saturating_sub(LINES_SHOWN)..).unwrap_or_default().join("\n")
}

type Order = (Command, Sender<io::Result<Child>>);

static SPAWNER: Mutex<Option<Sender<Order>>> = Mutex::new(None);

fn spawn_on_lasting_thread(command: Command) -> io::Result<Child> {
    let (reply, answer) = channel();
    spawner()?.send((command, reply)).map_err(io::Error::other)?;
    answer.recv().map_err(io::Error::other)?
}

fn spawner() -> io::Result<Sender<Order>> {
    let mut spawner =
        SPAWNER.lock().map_err(|_| io::Error::other("the thread that starts servers is gone"))?;
    if let Some(sender) = &*spawner {
        return Ok(sender.clone());
    }
    let (sender, orders) = channel::<Order>();
    thread::Builder::new().name("sandbox-spawner".into()).spawn(move || {
        for (mut command, reply) in orders {
            // The caller waits for this answer.
            let _ = reply.send(command.spawn());
        }
    })?;
    *spawner = Some(sender.clone());
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_shown() {
        let text: String = (0..100).map(|n| n.to_string() + "\n").collect();
        assert!(last_lines(text.lines()).starts_with("85\n"));
        assert_eq!(last_lines("one".lines()), "one");
        assert_eq!(last_lines("".lines()), "");
    }
}
