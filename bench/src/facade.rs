//! `pbm serve` as a child process, or a server with the same ready line: starting, measuring memory, stopping.

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The variable that enables Redis in pbm.
const CACHE_ENABLED: &str = "PBM_ADDRESS_BOOK__CACHE__ENABLED";

/// How to run pbm.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) binary: PathBuf,
    pub(crate) config: PathBuf,
    /// Receives the stderr of pbm.
    pub(crate) log: PathBuf,
}

/// A running `pbm serve`. It ends with this value.
pub(crate) struct Facade {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its line `ready`.
    pub(crate) took: Duration,
}

impl Program {
    /// The command, without variables of the environment that configure another pbm.
    pub(crate) fn command(&self, name: &str) -> anyhow::Result<Command> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.binary);
        for (variable, _) in std::env::vars_os().filter(|(v, _)| v.to_string_lossy().starts_with("PBM_")) {
            command.env_remove(variable);
        }
        command.arg(name).arg("--config").arg(&self.config).stdin(Stdio::null()).stderr(log);
        Ok(command)
    }

    /// Starts `pbm serve` and waits until it is ready.
    pub(crate) fn serve(&self) -> anyhow::Result<Facade> {
        Facade::start(self.command("serve")?, &self.log)
    }

    /// Starts it without Redis.
    pub(crate) fn serve_without_redis(&self) -> anyhow::Result<Facade> {
        let mut command = self.command("serve")?;
        command.env(CACHE_ENABLED, "false");
        Facade::start(command, &self.log)
    }

    /// Runs a command of pbm to its end.
    pub(crate) fn run(&self, command: &mut Command) -> anyhow::Result<()> {
        let status = command.stdout(Stdio::null()).status();
        let status = status.with_context(|| format!("cannot run {}", self.binary.display()))?;
        ensure!(status.success(), "{command:?} failed: {}", tail(&self.log));
        Ok(())
    }
}

impl Facade {
    /// Starts a server and waits for its ready line.
    pub(crate) fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let began = Instant::now();
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let mut line = String::new();
        let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        let took = began.elapsed();
        let address = read.and(line.trim().strip_prefix("ready http://")).map(str::parse);
        if let Some(Ok(address)) = address {
            return Ok(Self { child, address, took });
        }
        child.kill()?;
        child.wait()?;
        bail!("{command:?} did not start: {}", tail(log))
    }

    /// Stops it in order.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).context("no process")?;
        kill_process(pid, Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// Stops it with SIGKILL.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The present resident memory, in MB.
    pub(crate) fn memory(&self) -> anyhow::Result<f64> {
        self.status("VmRSS:")
    }

    /// The peak of resident memory since [`Self::forget_peak`], in MB.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<f64> {
        self.status("VmHWM:")
    }

    /// Resets the peak (proc(5), `clear_refs`).
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").context("cannot reset the peak")
    }

    fn status(&self, field: &str) -> anyhow::Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
        let kilobytes: f64 = value.with_context(|| format!("no {field} of pbm"))?.parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Facade {
    fn drop(&mut self) {
        // Both fail only if the process has already ended and was reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(10).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
