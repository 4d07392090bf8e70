//! Every kind of write and of search at once, from 32 connections: no operation may take longer than its limit, and no answer
//! may be a fault of the server.
//!
//! `PBM_STRESS_MINUTES` says for how long, otherwise it is a short run; `PBM_BACKEND` says on which back end. A run ends at
//! the first operation that is late or fails. Then the stacks of 389-ds (where gdb is installed), the operations under way,
//! and the ends of pbm's logs tell why.

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

/// How long a run takes that is part of the test suite.
const SHORT_RUN: Duration = Duration::from_secs(20);
/// Users that stand in the first tenant through a short run, and through a long one: their lists have several pages then.
const USERS: usize = 200;
const MANY_USERS: usize = 4000;
/// How much longer a run may be until each kind of operation was done.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the run tells how far it is.
const PROGRESS: Duration = Duration::from_secs(10);
/// How often the operations under way are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What a worker does until the run is over.
type Work = fn(&mut Worker<'_>) -> Option<()>;

/// What the connections do.
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

/// How long the run is, and of how many users.
fn length() -> (Duration, usize) {
    let minutes = std::env::var("PBM_STRESS_MINUTES").ok().filter(|minutes| !minutes.is_empty());
    let minutes = minutes.map(|text| text.parse().expect("PBM_STRESS_MINUTES is a number of minutes"));
    let time = minutes.map_or(SHORT_RUN, |minutes: f64| Duration::from_secs_f64(minutes * 60.0));
    (time, if time > SHORT_RUN { MANY_USERS } else { USERS })
}

/// Whether a run has been long enough: a short one goes on until each kind of operation was done.
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
            // Of a panic the watch knows, and after the end of a failed run the servers are gone.
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
