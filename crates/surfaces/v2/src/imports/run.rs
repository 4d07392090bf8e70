//! An import: rows in chunks, those of a chunk at once, their reports in the order of the file.

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
use mail_model::{deletion::Retention, tenant::TenantId};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{io::AsyncRead, sync::Mutex, task::JoinError};

/// How many rows may fail one after the other because the directory is out of reach: more than a restart of a
/// connection or a busy moment costs, and soon enough that nobody waits for the failure of thousands.
const MAX_OUT_OF_REACH: usize = 20;

/// Rows that are begun for each that is done at a time. They are reported in the order of the file, so a slow one would
/// otherwise keep those behind it from being begun: with passwords to hash that cost one row in fifteen.
const AHEAD: usize = 4;

/// Of how many rows, from the first, the names are told.
const NAMED_ROWS: usize = 3;

/// What an import is to do, and in whose name.
#[derive(Clone)]
pub struct Import {
    /// Who makes and changes users, as far as whoever imports may.
    pub importer: Importer,
    /// The tenant whose users they are.
    pub tenant: TenantId,
    /// What is done with rows.
    pub mode: Mode,
    /// Whether everything is done but the writes, and the comparing of passwords. What only these find out, such as a
    /// password that the user has already or that the policy refuses, stays unknown. Of the rows before, the addresses that they would take count, and nothing else.
    pub dry_run: bool,
    /// What limits how often a row's password may be compared with a user's; `None` where whoever imports has the service
    /// account's password.
    pub comparisons: Option<Comparisons>,
    /// How long deleted users keep their addresses, for what is said of one that is taken.
    pub retention: Retention,
    /// What time it is.
    pub now: fn() -> Timestamp,
}

/// An import under way.
pub(super) struct Work {
    pub(super) import: Import,
    /// What a dry run remembers.
    pub(super) trial: Trial,
    /// The tenant, as it was read last.
    tenant: Mutex<Option<Arc<TenantAtHand>>>,
}

impl Work {
    /// The tenant, read again where that was too long ago: an import may take minutes.
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

/// Does rows and reports each. Nothing is begun but what the stream is asked for. What was begun comes to its end by
/// itself, whether or not anybody asks for more: so nothing that others need, neither a turn nor a connection, is kept by
/// who takes no report. Dropped half way, the stream leaves the rest undone, and of the rows under way nobody hears.
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

/// What happens in an import.
enum Event {
    Row {
        report: RowReport,
        out_of_reach: bool,
    },
    /// A row was not begun, since the import is stopping.
    NotBegun,
    Stop(Stop),
    /// Rows were read in an encoding.
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

/// A row whose task did not come to its end.
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

/// Counts, and ends an import that has lost the directory.
struct Tally {
    summary: Summary,
    dry_run: bool,
    /// Rows that failed one after the other because the directory is out of reach.
    failures: usize,
    /// The line of the row that was reported last.
    line: usize,
    /// Set so that no more rows are begun; those under way are still reported.
    stopping: Arc<AtomicBool>,
    told_why: bool,
    encoding: FileEncoding,
    ended: bool,
}

impl Drop for Tally {
    /// Nobody wants any more.
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
                "the directory was out of reach for {MAX_OUT_OF_REACH} rows one after the other; the rows after this line were not tried"
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
