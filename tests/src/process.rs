//! Child processes: run to their end with their output, signalled, and found.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// The result of a program.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit code; 128 and the signal's number if a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// Requires success.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Requires failure.
    #[track_caller]
    pub fn expect_failure(self) -> Self {
        assert_ne!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Both outputs together.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs a program to its end.
pub fn run_program<S: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = S>,
    environment: &[(&str, &str)],
    input: &str,
) -> Finished {
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    // A program that reads nothing may already have closed it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let ended_by = std::os::unix::process::ExitStatusExt::signal(&output.status);
    Finished {
        code: output.status.code().unwrap_or(128 + ended_by.unwrap_or_default()),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Sends a signal to a process that this program started and has not reaped.
pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    // It may already have ended.
    let _ = kill_process(pid, signal);
}

/// The processes whose command line names a folder, except those that have ended and wait to be reaped.
pub fn alive(folder: &Path) -> Vec<String> {
    let needle = folder.display().to_string();
    let commands = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|process| {
        process.file_name().to_str()?.parse::<u32>().ok()?;
        let command = std::fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&command).replace('\0', " "))
    });
    commands.filter(|command| command.contains(&needle)).collect()
}

/// How soon a change behind `pbm`'s back must be visible.
pub(crate) const SOON: Duration = Duration::from_secs(1);

/// Requires that a condition becomes true within a second.
#[track_caller]
pub fn soon(what: &str, holds: impl FnMut() -> bool) {
    assert!(within(SOON, holds), "not within {:?}: {what}", SOON + BUSY);
}

/// Added to every time limit: on a busy machine a process may not run for seconds. Speed is measured by the benchmarks.
pub const BUSY: Duration = Duration::from_secs(5);

/// Whether a condition becomes true within a time, or a little later on a busy machine.
pub fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let since = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if since.elapsed() > limit + BUSY {
            return false;
        }
        sleep(Duration::from_millis(20));
    }
}
