//! Watches the operations in progress: times each, finds operations that exceed their limit, and ends the run at the
//! first that is late or failed.

use crate::kinds::Kind;
use std::{
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// The longest time without the end of any operation, if there are several.
const STALL: Duration = Duration::from_secs(30);

/// An operation in progress.
#[derive(Clone)]
struct Running {
    kind: Kind,
    what: String,
    began: Instant,
}

/// The state to which all workers report.
pub(crate) struct Watch {
    running: Vec<Mutex<Option<Running>>>,
    /// The durations of the operations, in milliseconds, by kind.
    took: [Mutex<Vec<u32>>; Kind::COUNT],
    /// Changes that 389-ds did not make because too many others were in progress in the same folder.
    crowded_out: AtomicUsize,
    /// When the latest operation ended, since the start.
    latest: Mutex<Duration>,
    over: AtomicBool,
    failure: Mutex<Option<String>>,
    began: Instant,
}

impl Watch {
    /// A watch for a number of workers.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            running: (0..workers).map(|_| Mutex::default()).collect(),
            took: std::array::from_fn(|_| Mutex::default()),
            crowded_out: AtomicUsize::default(),
            latest: Mutex::default(),
            over: AtomicBool::new(false),
            failure: Mutex::default(),
            began: Instant::now(),
        }
    }

    /// Whether the workers should end.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Makes the workers end after their present operations.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Ends the run as failed; only the first reason counts, and none after the end of the run.
    pub(crate) fn fail(&self, reason: String) {
        let mut failure = self.failure.lock().unwrap();
        if failure.is_none() && !self.is_over() {
            *failure = Some(reason);
        }
        self.end();
    }

    /// Counts a change that was not made because of concurrent changes.
    pub(crate) fn crowded_out(&self) {
        self.crowded_out.fetch_add(1, Ordering::Relaxed);
    }

    /// The share of such changes in all operations, in percent.
    pub(crate) fn crowded_out_percent(&self) -> usize {
        100 * self.crowded_out.load(Ordering::Relaxed) / self.done().max(1)
    }

    fn done(&self) -> usize {
        self.took.iter().map(|took| took.lock().unwrap().len()).sum()
    }

    /// Why the run has failed.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap().clone()
    }

    /// Times an operation of a worker. An error ends the run.
    pub(crate) fn time<T>(
        &self,
        worker: usize,
        kind: Kind,
        what: &str,
        operation: impl FnOnce() -> Result<T, String>,
    ) -> Option<T> {
        let began = Instant::now();
        *self.running[worker].lock().unwrap() = Some(Running { kind, what: what.to_owned(), began });
        let outcome = operation();
        *self.running[worker].lock().unwrap() = None;
        let took = began.elapsed();
        *self.latest.lock().unwrap() = self.began.elapsed();
        self.took[kind.place()].lock().unwrap().push(u32::try_from(took.as_millis()).unwrap_or(u32::MAX));
        if took > kind.limit() {
            self.fail(late(kind, what, took));
        }
        match outcome {
            Ok(done) => Some(done),
            Err(reason) => {
                self.fail(format!("{}, {what}, after {took:.1?}: {reason}", kind.name()));
                None
            }
        }
    }

    /// Fails the run if an operation is late, or if no operation has ended for long: then the server hangs.
    pub(crate) fn look(&self) {
        let idle = self.began.elapsed().saturating_sub(*self.latest.lock().unwrap());
        if idle > STALL && self.running.iter().filter(|running| running.lock().unwrap().is_some()).count() > 1
        {
            self.failure
                .lock()
                .unwrap()
                .get_or_insert_with(|| format!("no operation has ended for {idle:.1?}"));
            self.end();
        }
        for running in &self.running {
            let running = running.lock().unwrap().clone();
            if let Some(Running { kind, what, began }) = running
                && began.elapsed() > kind.limit()
            {
                // Also after the end of the run: the operations in progress have to end in time, too.
                self.failure.lock().unwrap().get_or_insert_with(|| late(kind, &what, began.elapsed()));
                self.end();
            }
        }
    }

    /// The operations in progress, the longest first.
    pub(crate) fn under_way(&self) -> String {
        let running = self.running.iter().enumerate();
        let mut running: Vec<_> = running
            .filter_map(|(worker, running)| Some((worker, running.lock().unwrap().clone()?)))
            .collect();
        running.sort_by_key(|(_, running)| running.began);
        let line = |(worker, running): &(usize, Running)| {
            let (kind, took) = (running.kind.name(), running.began.elapsed());
            format!("  connection {worker}: {kind}, {}, for {took:.1?}\n", running.what)
        };
        running.iter().map(line).collect()
    }

    /// A line about the run so far.
    pub(crate) fn progress(&self) -> String {
        let done = self.done();
        let slowest = self.running.iter().filter_map(|running| running.lock().unwrap().clone());
        let slowest = slowest.max_by_key(|running| running.began.elapsed());
        let slowest = slowest.map_or_else(String::new, |running| {
            format!(", the longest under way for {:.1?}: {}", running.began.elapsed(), running.kind.name())
        });
        format!("{:6.1} s: {done} operations done{slowest}", self.began.elapsed().as_secs_f64())
    }

    /// The table of all kinds.
    pub(crate) fn report(&self) -> String {
        let mut table =
            format!("{:<30}{:>9}{:>10}{:>10}{:>10}{:>10}\n", "ms", "count", "p50", "p99", "max", "limit");
        for kind in Kind::all() {
            let mut took = self.took[kind.place()].lock().unwrap().clone();
            took.sort_unstable();
            let at = |share: usize| took.get((took.len() * share / 100).min(took.len().saturating_sub(1)));
            let [p50, p99, max] = [50, 99, 100].map(|share| at(share).copied().unwrap_or_default());
            let (name, count, limit) = (kind.name(), took.len(), kind.limit().as_millis());
            // Writing to a String does not fail.
            let _ = writeln!(table, "{name:<30}{count:>9}{p50:>10}{p99:>10}{max:>10}{limit:>10}");
        }
        let crowded_out = self.crowded_out.load(Ordering::Relaxed);
        table + &format!("{crowded_out} changes were not made because of many others in the same folder\n")
    }

    /// The kinds that were never done.
    pub(crate) fn never_done(&self) -> Vec<&'static str> {
        let never = Kind::all().filter(|kind| self.took[kind.place()].lock().unwrap().is_empty());
        never.map(Kind::name).collect()
    }
}

fn late(kind: Kind, what: &str, took: Duration) -> String {
    format!("late: {}, {what}: {took:.1?}, and its limit is {:?}", kind.name(), kind.limit())
}

/// Ends the run as failed if its worker panics.
pub(crate) struct FailOnPanic<'a>(pub(crate) &'a Watch);

impl Drop for FailOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("a worker has panicked, see above".to_owned());
        }
    }
}
