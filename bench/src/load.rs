//! Drives clients: each sends its next request when the last one is answered, for a duration or a number of requests,
//! and the time of every response is recorded.
//!
//! Both sides run on the same kind of runtime: two threads with a current-thread runtime each. The raw clients are
//! fastest on it, because `ldap3` gives every connection a task of its own and a multi-thread runtime moves the two
//! tasks of a connection between threads.

use crate::processor::Processes;
use anyhow::{Context, anyhow, ensure};
use hdrhistogram::Histogram;
use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::runtime;

/// The number of client threads.
const THREADS: usize = 2;
/// The longest time in microseconds that is resolved.
const LONGEST: u64 = 120_000_000;

/// Set when the benchmark should end early.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// One client.
pub(crate) trait Client: Send + 'static {
    /// Sends one request and waits for its response; an unexpected response is an error.
    fn once(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// When a client stops.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// After a duration.
    Elapsed(Duration),
    /// After a number of requests.
    Times(usize),
}

/// The result of a measurement.
pub(crate) struct Measured {
    seconds: f64,
    /// The number of operations; one per response, unless [`Self::of_each`] says otherwise.
    done: u64,
    latencies: Histogram<u64>,
}

impl Measured {
    fn nothing() -> anyhow::Result<Self> {
        Ok(Self { seconds: 0.0, done: 0, latencies: Histogram::new_with_bounds(1, LONGEST, 3)? })
    }

    /// Adds a concurrent measurement.
    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.seconds = self.seconds.max(other.seconds);
        self.done += other.done;
        Ok(self.latencies.add(&other.latencies)?)
    }

    /// Counts several operations per response.
    pub(crate) fn of_each(self, things: usize) -> Self {
        Self { done: self.done.saturating_mul(things as u64), ..self }
    }

    /// Operations per second.
    pub(crate) fn rate(&self) -> f64 {
        number(self.done) / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// The time in milliseconds below which a share of all responses stayed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        number(self.latencies.value_at_quantile(share)) / 1000.0
    }

    /// The longest time in milliseconds.
    pub(crate) fn slowest(&self) -> f64 {
        number(self.latencies.max()) / 1000.0
    }
}

/// Our results and those of the raw server, measured in turn.
pub(crate) struct Pair {
    /// Median of our rates.
    pub(crate) ours: f64,
    /// Median of the raw rates.
    pub(crate) raw: f64,
    /// Median of the ratios of the rounds: a disturbance affects both sides of a round.
    pub(crate) ratio: f64,
    /// All our responses.
    pub(crate) measured: Measured,
}

/// Measures the raw server and ours in turn.
pub(crate) fn in_turns(
    name: &str,
    rounds: u32,
    processes: Processes,
    ours: impl Fn() -> anyhow::Result<Measured>,
    raw: impl Fn() -> anyhow::Result<Measured>,
) -> anyhow::Result<Pair> {
    let mut rates = Vec::new();
    let mut measured = Measured::nothing()?;
    for round in 1..=rounds {
        let (of_raw, of_ours) = (
            watched(&format!("{name}, round {round}, raw"), processes, &raw)?,
            watched(&format!("{name}, round {round}, ours"), processes, &ours)?,
        );
        rates.push((of_ours.rate(), of_raw.rate()));
        measured.add(&of_ours)?;
    }
    let of = |value: fn(&(f64, f64)) -> f64| median(rates.iter().map(value).collect());
    Ok(Pair {
        ours: of(|(ours, _)| *ours),
        raw: of(|(_, raw)| *raw),
        ratio: of(|(ours, raw)| ours / raw.max(f64::MIN_POSITIVE)),
        measured,
    })
}

/// Measures, and prints the result and the cost per request to stderr.
pub(crate) fn watched(
    name: &str,
    processes: Processes,
    run: impl Fn() -> anyhow::Result<Measured>,
) -> anyhow::Result<Measured> {
    let before = processes.used()?;
    let measured = run()?;
    let each = processes.used()?.since(before, number(measured.done));
    let (rate, median) = (measured.rate(), measured.quantile(0.5));
    eprintln!("{name}: {rate:.1}/s, p50 {median:.1} ms; each takes {each}");
    Ok(measured)
}

/// Creates clients and runs them.
pub(crate) fn run<C: Client>(
    clients: usize,
    until: Until,
    connect: impl AsyncFn() -> anyhow::Result<C> + Sync,
) -> anyhow::Result<Measured> {
    let threads = THREADS.min(clients.max(1));
    let start = Barrier::new(threads);
    let one_thread = |number: usize| {
        let share = clients / threads + usize::from(number < clients % threads);
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let made = runtime.context("cannot start a runtime").and_then(|runtime| {
            let made = runtime.block_on(make_clients(share, &connect))?;
            Ok((runtime, made))
        });
        // Reached even after an error: the other threads wait here.
        start.wait();
        let (runtime, clients) = made?;
        runtime.block_on(run_clients(clients, until))
    };
    let mut all = Measured::nothing()?;
    thread::scope(|scope| {
        let one_thread = &one_thread;
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || one_thread(number))).collect();
        for thread in running {
            let measured = thread.join().map_err(|_| anyhow!("a thread of clients panicked"))?;
            all.add(&measured?)?;
        }
        ensure!(!INTERRUPTED.load(Ordering::Relaxed), "interrupted");
        Ok(all)
    })
}

async fn make_clients<C>(
    number: usize,
    connect: &impl AsyncFn() -> anyhow::Result<C>,
) -> anyhow::Result<Vec<C>> {
    let mut clients = Vec::with_capacity(number);
    for _ in 0..number {
        clients.push(connect().await?);
    }
    Ok(clients)
}

async fn run_clients<C: Client>(clients: Vec<C>, until: Until) -> anyhow::Result<Measured> {
    let began = Instant::now();
    let running: Vec<_> =
        clients.into_iter().map(|client| tokio::spawn(run_client(client, began, until))).collect();
    let mut all = Measured::nothing()?;
    for client in running {
        all.add(&client.await??)?;
    }
    Ok(all)
}

async fn run_client<C: Client>(mut client: C, began: Instant, until: Until) -> anyhow::Result<Measured> {
    let mut measured = Measured::nothing()?;
    let mut times = 0;
    let mut last = Instant::now();
    loop {
        let over = match until {
            Until::Elapsed(time) => last.duration_since(began) >= time,
            Until::Times(number) => times >= number,
        };
        if over || INTERRUPTED.load(Ordering::Relaxed) {
            break;
        }
        client.once().await?;
        let now = Instant::now();
        let took = u64::try_from(now.duration_since(last).as_micros()).unwrap_or(LONGEST);
        measured.latencies.saturating_record(took);
        measured.done += 1;
        last = now;
        times += 1;
    }
    measured.seconds = last.duration_since(began).as_secs_f64();
    Ok(measured)
}

/// The median; for an even number of values, the upper one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A count as a floating-point number; exact up to 4 billion, which no count here reaches.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sleeper;

    impl Client for Sleeper {
        async fn once(&mut self) -> anyhow::Result<()> {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok(())
        }
    }

    #[test]
    fn every_answer_is_counted() {
        let measured = run(3, Until::Times(10), async || Ok(Sleeper)).unwrap();
        assert_eq!(measured.latencies.len(), 30);
        assert!(measured.quantile(0.5) >= 2.0 && measured.slowest() >= measured.quantile(0.99));
        assert!(measured.rate() < 1500.0);
        let rate = measured.rate();
        assert!((measured.of_each(4).rate() - 4.0 * rate).abs() < 1e-6);
    }

    #[test]
    fn a_client_that_cannot_be_made_ends_the_run() {
        let outcome = run(2, Until::Times(1), async || Err::<Sleeper, _>(anyhow!("no")));
        assert_eq!(outcome.err().map(|error| error.to_string()), Some("no".into()));
    }

    #[test]
    fn one_outlier_does_not_move_the_median() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
