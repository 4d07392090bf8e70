//! Every kind of write and search at once, from 32 connections: no operation may exceed its time limit, and no response
//! may be a server error.
//!
//! `PBM_STRESS_MINUTES` sets the duration, otherwise the run is short; `PBM_BACKEND` sets the back end. A run ends at
//! the first operation that is late or fails. Then the stacks of 389-ds (if gdb is installed), the operations in
//! progress, and the ends of pbm's logs show the cause.

mod kinds;
mod others;
mod readers;
mod site;
mod watch;
mod worker;
mod writers;

use harness::Alone;
use site::Site;
use std::{
    process::ExitCode,
    sync::{Arc, OnceLock},
    thread::sleep,
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};
use watch::{FailOnPanic, Watch};
use worker::Worker;

/// The duration of a run within the test suite.
const SHORT_RUN: Duration = Duration::from_secs(20);
/// Users that exist in the first tenant throughout a short run, and a long one: their lists then have several pages.
const USERS: usize = 200;
const MANY_USERS: usize = 4000;
/// The additional time until each kind of operation was done.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the run reports its progress.
const PROGRESS: Duration = Duration::from_secs(10);
/// The interval between checks of the operations in progress.
const LOOK: Duration = Duration::from_millis(100);

/// The work of a worker until the run is over.
type Work = fn(&mut Worker<'_>) -> Option<()>;

/// The work of the connections.
const WORKERS: [(usize, Work); 9] = [
    (14, writers::users),
    (4, writers::lists),
    (2, writers::resources),
    (1, writers::bulk),
    (5, readers::with_redis),
    (2, readers::without_redis),
    (2, others::ldap_writer),
    (1, others::ldap_reader),
    (1, others::commands),
];

const TRIALS: &[Alone] = &[("no_operation_is_late", no_operation_is_late)];

fn main() -> ExitCode {
    harness::run_without_world(&[("stress", TRIALS)])
}

fn no_operation_is_late() {
    let (time, users) = length();
    let watch = Arc::new(Watch::new(WORKERS.iter().map(|(number, _)| number).sum()));
    end_on_signal(watch.clone());
    let site = Site::start(users);
    let (mut told, filled) = (None, OnceLock::new());
    std::thread::scope(|scope| {
        let crew = scope.spawn(|| crew(&site, &watch, &filled));
        let mut progress = Instant::now();
        while !crew.is_finished() {
            sleep(LOOK);
            watch.look();
            if told.is_none() && watch.failure().is_some() {
                told = Some(watch.under_way() + &site.post_mortem());
                site.kill();
            }
            if filled.get().is_some_and(|filled: &Instant| is_enough(&watch, filled.elapsed(), time)) {
                watch.end();
            }
            if progress.elapsed() > PROGRESS {
                eprintln!("{}", watch.progress());
                progress = Instant::now();
            }
        }
    });
    eprintln!("{}", watch.report());
    let left = site.stop();
    if let Some(failure) = watch.failure() {
        panic!("{failure}\nunder way:\n{}", told.unwrap_or_default());
    }
    assert_eq!(watch.never_done(), [""; 0], "these were never done");
    assert!(watch.crowded_out_percent() < 2, "too many changes were not made");
    assert_eq!(left, [""; 0], "these were left behind");
}

/// The duration of the run, and its number of users.
fn length() -> (Duration, usize) {
    let minutes = std::env::var("PBM_STRESS_MINUTES").ok().filter(|minutes| !minutes.is_empty());
    let minutes = minutes.map(|text| text.parse().expect("PBM_STRESS_MINUTES is a number of minutes"));
    let time = minutes.map_or(SHORT_RUN, |minutes: f64| Duration::from_secs_f64(minutes * 60.0));
    (time, if time > SHORT_RUN { MANY_USERS } else { USERS })
}

/// Whether a run is long enough: a short one continues until each kind of operation was done.
fn is_enough(watch: &Watch, run: Duration, time: Duration) -> bool {
    run > time && (watch.never_done().is_empty() || run > time + PATIENCE)
}

/// Fills the directory, and has all workers work until the run is over.
fn crew(site: &Site, watch: &Watch, filled: &OnceLock<Instant>) {
    let _fail = FailOnPanic(watch);
    if site.fill(watch).is_none() {
        return;
    }
    filled.get_or_init(Instant::now);
    std::thread::scope(|scope| {
        let work = WORKERS.iter().flat_map(|(number, work)| std::iter::repeat_n(work, *number));
        let start = |(number, work): (usize, &Work)| {
            let work = *work;
            scope.spawn(move || {
                let _fail = FailOnPanic(watch);
                // It ends when the run is over, or failed.
                let _over = work(&mut Worker::new(site, watch, number));
            })
        };
        let workers: Vec<_> = work.enumerate().map(start).collect();
        for worker in workers {
            // The watch has recorded a panic, and after the end of a failed run the servers are gone.
            let _ended = worker.join();
        }
    });
}

/// Ends the run on SIGINT and SIGTERM, so that nothing is left behind.
fn end_on_signal(watch: Arc<Watch>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || {
        runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate()).unwrap();
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            watch.fail("interrupted".to_owned());
        });
    });
}
