//! An import: rows in chunks, the rows of a chunk concurrently, their reports in the order of the file.

use super::{
    Mode,
    apply::{Done, apply},
    chunk::{Chunk, Chunks},
    passwords::Comparisons,
    place::{Counts, Stop},
    report::{Outcome, Report, RowReport, Summary},
    rows::{Row, Rows},
    text::FileEncoding,
    trial::Trial,
};
use administration::imports::Importer;
use directory::{changing::WriteError, tenants::TenantAtHand};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use jiff::Timestamp;
use mail_model::{deletion::Retention, tenant::TenantId, user::language::Language};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{io::AsyncRead, sync::Mutex, task::JoinError};

/// The most consecutive rows that may fail because the directory is out of reach: more than the restart of a connection
/// or a busy moment causes, and few enough that an import does not report thousands of failures.
const MAX_OUT_OF_REACH: usize = 20;

/// Rows that are begun for each row that can be in work at a time. Reports follow the order of the file, so without
/// this a slow row would delay the rows after it; with passwords to hash, that cost one row in fifteen.
const AHEAD: usize = 4;

/// The number of rows, from the first, whose names are reported.
const NAMED_ROWS: usize = 3;

/// The settings of an import, and the rights of its caller.
#[derive(Clone)]
pub struct Import {
    /// Creates and changes users with the caller's rights.
    pub importer: Importer,
    /// The tenant of the users.
    pub tenant: TenantId,
    /// How rows are applied.
    pub mode: Mode,
    /// Whether to check everything but write nothing, and compare no passwords. What only a write can find out stays
    /// unknown, for instance that the user has the password already or that the policy refuses it. Earlier rows count
    /// only by the addresses that they would take.
    pub dry_run: bool,
    /// Limits how often a row's password may be compared with a user's; `None` if the importing person has the password
    /// of the service account.
    pub comparisons: Option<Comparisons>,
    /// How long deleted users keep their addresses, for messages about taken ones.
    pub retention: Retention,
    /// The language of new users whose tenant has none.
    pub default_language: Language,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// A running import.
pub(super) struct Work {
    pub(super) import: Import,
    /// The state of a dry run.
    pub(super) trial: Trial,
    /// The tenant, as last read.
    tenant: Mutex<Option<Arc<TenantAtHand>>>,
}

impl Work {
    /// The tenant, read again if the last read is too old: an import may take minutes.
    pub(super) async fn tenant(&self) -> Result<Arc<TenantAtHand>, WriteError> {
        let mut last = self.tenant.lock().await;
        if let Some(tenant) = last.as_ref().filter(|tenant| tenant.is_fresh()) {
            return Ok(tenant.clone());
        }
        let tenant = self.import.importer.directory().tenant(&self.import.tenant).await?;
        let tenant = Arc::new(tenant.ok_or(WriteError::NotFound)?);
        *last = Some(tenant.clone());
        Ok(tenant)
    }
}

/// Applies rows and reports each. A row is begun only when the stream is polled. A row that has begun runs to its end
/// even if the stream is not polled again, so a reader that takes no reports holds no permit and no connection that
/// others need. If the stream is dropped, no more rows are begun, and the rows in work are not reported.
pub fn run<R: AsyncRead + Unpin>(import: Import, rows: Rows<R>) -> impl Stream<Item = Report> {
    let tally = Tally {
        summary: Summary::default(),
        dry_run: import.dry_run,
        failures: 0,
        line: 1,
        stopping: Arc::new(AtomicBool::new(false)),
        told_why: false,
        encoding: FileEncoding { name: String::new(), guessed: false },
        ended: false,
    };
    let work = Arc::new(Work { import, trial: Trial::default(), tenant: Mutex::new(None) });
    let events = Box::pin(events(work, rows, tally.stopping.clone()).fuse());
    stream::unfold((tally, events), async |(mut tally, mut events)| {
        let report = tally.next(&mut events).await?;
        Some((report, (tally, events)))
    })
}

/// An event of an import.
enum Event {
    Row {
        report: RowReport,
        out_of_reach: bool,
    },
    /// A row was not begun because the import is stopping.
    NotBegun,
    Stop(Stop),
    /// Rows were read in this encoding.
    Read(FileEncoding),
}

fn events<R: AsyncRead + Unpin>(
    work: Arc<Work>,
    rows: Rows<R>,
    stopping: Arc<AtomicBool>,
) -> impl Stream<Item = Event> {
    let stopped = stopping.clone();
    let chunks = stream::unfold(Chunks::new(rows), move |mut chunks| {
        let stopped = stopped.load(Ordering::Relaxed);
        async move { if stopped { None } else { Some((chunks.next().await?, chunks)) } }
    });
    chunks.flat_map(move |Chunk { rows, stops, encoding }| {
        let (work, stopping) = (work.clone(), stopping.clone());
        let begun = work.import.importer.directory().permits() * AHEAD;
        let rows = stream::iter(rows).map(move |row| {
            let (work, stopping) = (work.clone(), stopping.clone());
            let done = tokio::spawn(async move {
                let _permit = work.import.importer.directory().permit().await;
                event(&work, row, &stopping).await
            });
            done.map(|done| done.unwrap_or_else(never_done))
        });
        let read = stream::iter([Event::Read(encoding)]);
        rows.buffered(begun).chain(stream::iter(stops).map(Event::Stop)).chain(read)
    })
}

/// The event of a row whose task did not end normally.
fn never_done(error: JoinError) -> Event {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // The process is ending.
        Err(_) => Event::NotBegun,
    }
}

async fn event(work: &Work, row: Row, stopping: &AtomicBool) -> Event {
    if stopping.load(Ordering::Relaxed) {
        return Event::NotBegun;
    }
    let (number, line, mail) = (row.number, row.line, row.mail.clone());
    let name = (number <= NAMED_ROWS).then(|| row.name()).flatten();
    let (done, refusal) = match Box::pin(apply(work, row)).await {
        Ok(done) => (done, None),
        Err(refusal) => (Done::nothing_but(Outcome::Error), Some(refusal)),
    };
    if let Some(cause) = refusal.as_ref().and_then(|refusal| refusal.cause.as_deref()) {
        let cause = cause as &(dyn std::error::Error + 'static);
        tracing::error!(row = number, error = cause, "bulk.row.failed");
    }
    let out_of_reach = refusal.as_ref().is_some_and(|refusal| refusal.out_of_reach);
    let message = refusal.map(|refusal| refusal.message);
    let Done { outcome, changed } = done;
    Event::Row {
        report: RowReport { row: number, line, mail, outcome, message, name, changed },
        out_of_reach,
    }
}

/// Counts the outcomes, and stops an import that has lost the directory.
struct Tally {
    summary: Summary,
    dry_run: bool,
    /// Consecutive rows that failed because the directory is out of reach.
    failures: usize,
    /// The line of the last reported row.
    line: usize,
    /// Set to begin no more rows; rows in work are still reported.
    stopping: Arc<AtomicBool>,
    told_why: bool,
    encoding: FileEncoding,
    ended: bool,
}

impl Drop for Tally {
    /// Stops the import, because its reader is gone.
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl Tally {
    async fn next(&mut self, events: &mut Pin<Box<impl Stream<Item = Event>>>) -> Option<Report> {
        while let Some(event) = events.next().await {
            match event {
                Event::Row { report, out_of_reach } => {
                    self.count(&report, out_of_reach);
                    return Some(Report::Row(report));
                }
                Event::NotBegun => {}
                Event::Stop(stop) => return Some(self.stop(stop)),
                Event::Read(encoding) => self.encoding = encoding,
            }
        }
        if self.stopping.load(Ordering::Relaxed) && !std::mem::replace(&mut self.told_why, true) {
            let message = format!(
                "the directory was out of reach for {MAX_OUT_OF_REACH} consecutive rows; the rows after this line were not tried"
            );
            return Some(self.stop(Stop::new(self.line, None, message).counting(Counts::Not)));
        }
        let ended = std::mem::replace(&mut self.ended, true);
        let FileEncoding { name, guessed } = self.encoding.clone();
        (!ended).then_some(Report::End {
            summary: self.summary,
            dry_run: self.dry_run,
            encoding: name,
            encoding_guessed: guessed,
        })
    }

    fn count(&mut self, report: &RowReport, out_of_reach: bool) {
        self.summary.count(report.outcome);
        self.line = report.line;
        self.failures = if out_of_reach { self.failures + 1 } else { 0 };
        if self.failures >= MAX_OUT_OF_REACH {
            self.stopping.store(true, Ordering::Relaxed);
        }
    }

    fn stop(&mut self, stop: Stop) -> Report {
        self.summary.count_stop(&stop);
        Report::Stop(stop)
    }
}
