//! Waiting while a server takes no writes: during one of its tasks and shortly after, or while an administrator has
//! made it read-only. A command waits for a bounded time; requests over HTTP do not wait.
//!
//! 389-ds refuses such a write before it begins, so sending the write again can't apply it twice.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How often a refused write is sent again.
const STEP: Duration = Duration::from_millis(100);
/// When the wait is first reported, and how often after that. A shorter wait is not reported.
const FIRST_REPORT: Duration = Duration::from_secs(1);
const REPORT_STEP: Duration = Duration::from_secs(5);

/// How long writes wait for a server that takes none. All writes of one command share this time, however many run at
/// once.
pub(crate) struct Patience {
    most: Duration,
    wait: Mutex<Option<Wait>>,
    report: Box<dyn Fn(Duration) + Send + Sync>,
}

/// The current wait.
struct Wait {
    since: Instant,
    next_report: Instant,
}

impl Patience {
    pub(crate) fn new(most: Duration, report: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { most, wait: Mutex::new(None), report: Box::new(report) }
    }

    /// Waits before the next try; `false` after the time is over.
    pub(crate) async fn is_left(&self) -> bool {
        let waited = self.waited();
        if waited < self.most {
            tokio::time::sleep(STEP.min(self.most)).await;
        }
        waited < self.most
    }

    /// How long the server has taken no writes so far. Reports it from time to time.
    fn waited(&self) -> Duration {
        let now = Instant::now();
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = wait.get_or_insert(Wait { since: now, next_report: now + FIRST_REPORT });
        let waited = now.duration_since(wait.since);
        if wait.next_report <= now {
            wait.next_report = now + REPORT_STEP;
            (self.report)(waited);
        }
        waited
    }

    /// Records that the server took a write: the next wait has the full time again.
    pub(crate) fn renew(&self) {
        *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    fn patience(most: Duration) -> (Patience, Arc<AtomicUsize>) {
        let reports = Arc::new(AtomicUsize::new(0));
        let counter = reports.clone();
        let report = move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        (Patience::new(most, report), reports)
    }

    #[tokio::test]
    async fn it_ends_and_is_reported_once_for_all_who_wait() {
        let (patience, reports) = patience(Duration::from_millis(1350));
        let wait = async || {
            let mut tries = 0;
            while patience.is_left().await {
                tries += 1;
                assert!(tries < 100, "the wait does not end");
            }
            tries
        };
        let before = Instant::now();
        let (one, other) = tokio::join!(wait(), wait());
        assert!(before.elapsed() >= Duration::from_millis(1350));
        assert!((1..=14).contains(&one) && (1..=14).contains(&other), "{one} {other}");
        assert_eq!(reports.load(Ordering::Relaxed), 1);
        assert!(!patience.is_left().await);
    }

    #[tokio::test]
    async fn a_write_that_is_taken_gives_the_time_back() {
        let (patience, reports) = patience(Duration::from_millis(50));
        while patience.is_left().await {}
        assert!(!patience.is_left().await);
        patience.renew();
        assert!(patience.is_left().await);
        assert_eq!(reports.load(Ordering::Relaxed), 0);
    }
}
