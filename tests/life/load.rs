//! Clients that keep reading during an event on the servers.

use harness::{Answer, BUSY, Client, within};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

/// The longest time for a number of further requests.
const PATIENCE: Duration = Duration::from_secs(60);
/// The number of failures shown.
const SHOWN: usize = 5;

/// Whether a response is right.
type Check<'a> = Box<dyn Fn(&Answer) -> bool + Send + Sync + 'a>;

/// A client that repeats one request.
pub(crate) struct Reader<'a> {
    client: Client,
    path: String,
    is_right: Check<'a>,
}

impl<'a> Reader<'a> {
    /// Expects a response of 200 that passes a check.
    pub(crate) fn new(
        client: &Client,
        path: impl Into<String>,
        is_right: impl Fn(&Answer) -> bool + Send + Sync + 'a,
    ) -> Self {
        Self { client: client.clone(), path: path.into(), is_right: Box::new(is_right) }
    }

    /// Expects a response of 200 that contains a text.
    pub(crate) fn finds(client: &Client, path: impl Into<String>, text: &'a str) -> Self {
        Self::new(client, path, move |answer| answer.text().contains(text))
    }

    fn ask(&self, load: &Load) {
        let began = Instant::now();
        let answer = self.client.try_send("GET", &self.path, b"");
        let took = began.elapsed();
        let failure = match answer {
            Err(error) => Some(error.to_string()),
            Ok(answer) if answer.status != 200 => Some(format!("{}: {}", answer.status, answer.text())),
            Ok(answer) if !(self.is_right)(&answer) => Some(format!("wrong: {:.1000}", answer.text())),
            Ok(_) => None,
        };
        if let Some(failure) = failure {
            load.failures.lock().unwrap().push(format!("{} after {took:?}: {failure}", self.path));
        }
        load.slowest.lock().unwrap().record(took, &self.path);
        load.requests.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Slowest(Duration, String);

impl Slowest {
    fn record(&mut self, took: Duration, path: &str) {
        if took > self.0 {
            *self = Self(took, path.to_owned());
        }
    }
}

/// The running readers.
#[derive(Default)]
pub(crate) struct Load {
    over: AtomicBool,
    requests: AtomicUsize,
    failures: Mutex<Vec<String>>,
    slowest: Mutex<Slowest>,
}

impl Load {
    /// Waits until a number of further requests were answered.
    #[track_caller]
    pub(crate) fn go_on_for(&self, requests: usize) {
        let until = self.requests.load(Ordering::Relaxed) + requests;
        let goes_on = within(PATIENCE, || self.requests.load(Ordering::Relaxed) >= until);
        assert!(goes_on, "no {requests} requests in {PATIENCE:?}");
    }

    /// Requires that no request has failed so far, and none took longer than a limit.
    #[track_caller]
    pub(crate) fn assert_whole(&self, what: &str, limit: Duration) {
        let failures = self.failures.lock().unwrap();
        let count = self.requests.load(Ordering::Relaxed);
        let shown = failures.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
        assert!(failures.is_empty(), "{what}: {} of {count} requests failed\n  {shown}", failures.len());
        let slowest = self.slowest.lock().unwrap();
        assert!(slowest.0 <= limit + BUSY, "{what}: {} took {:?}", slowest.1, slowest.0);
    }
}

/// Stops the readers even if the trial fails.
struct EndOnDrop<'a>(&'a Load);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

/// Runs a function while readers send requests.
pub(crate) fn under_load<T>(readers: &[Reader<'_>], body: impl FnOnce(&Load) -> T) -> T {
    let load = Load::default();
    std::thread::scope(|scope| {
        let _end = EndOnDrop(&load);
        for reader in readers {
            let load = &load;
            scope.spawn(move || {
                while !load.over.load(Ordering::Relaxed) {
                    reader.ask(load);
                    sleep(Duration::from_millis(2));
                }
            });
        }
        body(&load)
    })
}
