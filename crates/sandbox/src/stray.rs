//! Owns stopping a server that an earlier run left running in a folder.
//!
//! A process is stopped only if its own `/proc` entry shows that it runs in that folder; a pid file is never trusted,
//! because its number may belong to another process by now.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::SandboxError;

const PATIENCE: Duration = Duration::from_secs(4);
const STEP: Duration = Duration::from_millis(10);

/// Stops every `ns-slapd` whose `-D` names a config folder `slapd-…` inside `folder`.
pub(crate) fn stop_directory_servers(folder: &Path) -> Result<(), SandboxError> {
    let prefix = format!("{}/slapd-", folder.display());
    stop_matching(|process| {
        let arguments = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        arguments.split('\0').any(|argument| argument.ends_with("ns-slapd"))
            && arguments
                .split('\0')
                .skip_while(|argument| *argument != "-D")
                .nth(1)
                .is_some_and(|value| value.starts_with(&prefix))
    })
}

/// Stops every `redis-server` that works in `folder`. (Redis rewrites its command line, so the working folder
/// identifies the process.)
pub(crate) fn stop_redis_servers(folder: &Path) -> Result<(), SandboxError> {
    stop_matching(|process| {
        fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "redis-server")
            && fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder)
    })
}

/// Stops every `etcd` whose data is in `folder`.
pub(crate) fn stop_etcd_servers(folder: &Path) -> Result<(), SandboxError> {
    let data = format!("--data-dir={}/", folder.display());
    stop_matching(|process| {
        let arguments = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        arguments.split('\0').any(|argument| argument.starts_with(&data))
    })
}

/// Stops every `dovecot` whose `-c` names a file in `folder`; its other processes follow it.
pub(crate) fn stop_dovecots(folder: &Path) -> Result<(), SandboxError> {
    let prefix = format!("{}/", folder.display());
    stop_matching(|process| {
        let arguments = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        arguments.split('\0').next().is_some_and(|program| program.ends_with("dovecot"))
            && arguments
                .split('\0')
                .skip_while(|argument| *argument != "-c")
                .nth(1)
                .is_some_and(|value| value.starts_with(&prefix))
    })
}

fn stop_matching(is_ours: impl Fn(&Path) -> bool) -> Result<(), SandboxError> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for entry in processes {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if is_ours(&entry.path())
            && is_alive(&entry.path())
            && let Some(pid) = Pid::from_raw(pid)
        {
            stop(pid, &entry.path(), &is_ours)?;
        }
    }
    Ok(())
}

fn stop(pid: Pid, process: &Path, is_ours: &impl Fn(&Path) -> bool) -> Result<(), SandboxError> {
    for signal in [Signal::TERM, Signal::KILL] {
        // A failure becomes visible below: the process is gone, or still exists at the end.
        let _ = kill_process(pid, signal);
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if !is_alive(process) || !is_ours(process) {
                return Ok(());
            }
            sleep(STEP);
        }
    }
    Err(SandboxError::StrayProcess { pid: pid.as_raw_nonzero().get().cast_unsigned() })
}

/// A zombie is not alive: it holds no file and no port, whether or not its parent has reaped it.
fn is_alive(process: &Path) -> bool {
    fs::read_to_string(process.join("stat")).is_ok_and(|stat| {
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| !matches!(rest.trim_start().chars().next(), Some('Z' | 'X')))
    })
}
