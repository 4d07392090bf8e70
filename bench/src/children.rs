//! The servers and programs that this process has started.

use rustix::process::{Pid, Signal, kill_process};
use std::fs;

/// Kills all of them: a call that waits for one of them fails, and their files are removed as after any failure.
pub(crate) fn kill_all() -> std::io::Result<()> {
    let own = std::process::id().to_string();
    for process in fs::read_dir("/proc")?.flatten() {
        let pid = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        if let Some(pid) = pid.filter(|_| parent(&stat) == Some(&own)) {
            // It may have ended in the meantime. It is not reaped before its parent waits for it, so the number is
            // still its own.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    Ok(())
}

/// Field 4 of proc(5). Field 2, the name, may hold blanks and ends with `)`.
fn parent(stat: &str) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parent("17 (a ) b) S 4 5 6"), Some("4"));
        assert_eq!(parent(""), None);
    }
}
