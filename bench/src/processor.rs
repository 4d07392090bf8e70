//! Processor time of other processes: unlike rates, it shows where the time is spent, and other work on the machine
//! disturbs it less.

use anyhow::Context;
use std::fs;

/// Ticks per second of the times in proc(5), on every Linux.
const TICKS: f64 = 100.0;

/// The measured processes.
#[derive(Clone, Copy)]
pub(crate) struct Processes {
    pub(crate) directory: u32,
    pub(crate) pbm: u32,
}

/// The processor time used so far, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    directory: f64,
    pbm: f64,
}

impl Processes {
    pub(crate) fn used(self) -> anyhow::Result<Used> {
        Ok(Used { directory: seconds(self.directory)?, pbm: seconds(self.pbm)? })
    }
}

impl Used {
    /// The time used since then, per request, in microseconds.
    pub(crate) fn since(self, earlier: Self, requests: f64) -> String {
        let each = |now: f64, then: f64| (now - then) * 1_000_000.0 / requests.max(1.0);
        let (directory, pbm) = (each(self.directory, earlier.directory), each(self.pbm, earlier.pbm));
        format!("389-ds {directory:.0} us, pbm {pbm:.0} us")
    }
}

fn seconds(process: u32) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    ticks(&text).map(|ticks| ticks / TICKS).context("no times in /proc/PID/stat")
}

/// User and system time: fields 14 and 15. Field 2, the name, may contain blanks and ends with `)`.
fn ticks(stat: &str) -> Option<f64> {
    let (_, from_third) = stat.rsplit_once(')')?;
    let mut times = from_third.split_ascii_whitespace().skip(11);
    let (user, system): (f64, f64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added() {
        assert_eq!(ticks("1 (a ) b) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17"), Some(29.0));
        assert_eq!(ticks("1 (a"), None);
    }
}
