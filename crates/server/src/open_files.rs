//! The limit on open files: connections are files, and a server that cannot open more accepts no connection.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files besides client and directory connections: listeners, timers and events of each thread, logs, Redis,
/// uploads and scheduled backups.
const OTHERS: usize = 128;

/// Raises the limit as far as the system allows a process to, and returns it; `None` if there is no limit.
///
/// The soft limit is 1,024 on most systems, because of programs that use `select`; the hard limit, up to which a
/// process may raise it, is 524,288 under systemd.
#[must_use]
pub(crate) fn raise() -> Option<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(error = &error as &dyn std::error::Error, "files.limit.kept");
    }
    getrlimit(Resource::Nofile).current.map(|most| usize::try_from(most).unwrap_or(usize::MAX))
}

/// The number of client connections: as configured, or as the limit allows.
#[must_use]
pub(crate) fn connections(configured: usize, limit: Option<usize>, to_the_directory: usize) -> usize {
    let Some(limit) = limit else { return configured };
    let left = limit.saturating_sub(OTHERS + to_the_directory).max(1);
    if left < configured {
        tracing::warn!(configured, possible = left, files = limit, "http.connections.limited");
    }
    configured.min(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_everything_else() {
        assert_eq!(connections(8192, None, 100), 8192);
        assert_eq!(connections(8192, Some(524_288), 100), 8192);
        assert_eq!(connections(8192, Some(1024), 100), 1024 - OTHERS - 100);
        assert_eq!(connections(8192, Some(64), 100), 1);
    }

    #[test]
    fn the_limit_is_raised_to_what_is_allowed() {
        let raised = raise();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
        assert_eq!(raised, maximum.map(|most| usize::try_from(most).unwrap()));
    }
}
