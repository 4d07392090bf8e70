//! The answer to a restore: lines of JSON, sent while the restore runs.

use actix_web::web::Bytes;
use directory::restore::{Outcome, RestoreEvent, Summary};
use futures_util::{Stream, stream};
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use utoipa::ToSchema;

/// The most lines of a report that wait for the client, and their most bytes: a change may be as large as a list.
const LINES: usize = 256;
const BYTES: u32 = 1 << 20;
/// The longest time in all that a restore waits for its client; after that it sends no more lines.
const PATIENCE: Duration = Duration::from_secs(60);
/// The interval of progress lines.
const PROGRESS: Duration = Duration::from_secs(1);

/// A line of the answer to a restore.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = RestoreReport)]
pub(crate) enum Line {
    /// An entry to report.
    Entry(EntryLine),
    /// The progress, from time to time.
    Progress {
        /// Entries that are done.
        done: u64,
        /// All entries.
        entries: u64,
    },
    /// The reason why the restore stopped.
    Stop {
        /// The reason.
        message: String,
    },
    /// The end of a complete restore.
    End {
        /// The number of entries by outcome.
        summary: SummaryLine,
        /// Whether it was a dry run.
        #[serde(rename = "dry-run")]
        dry_run: bool,
    },
}

/// The outcome of an entry.
#[derive(Serialize, ToSchema)]
#[schema(as = RestoreReportEntry)]
pub(crate) struct EntryLine {
    /// The line where the entry begins, from 1.
    line: u64,
    /// The name of the entry; empty if it cannot be read.
    dn: String,
    /// `added` and `updated` (reported in a dry run only), `different`, `refused`.
    result: &'static str,
    /// The change as LDIF, without passwords.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ldif: Option<String>,
    /// Why the entry was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
}

/// The number of entries by outcome.
#[derive(Serialize, ToSchema)]
#[schema(as = RestoreSummary)]
pub(crate) struct SummaryLine {
    /// Added.
    added: u64,
    /// Changed to the file's state.
    updated: u64,
    /// Equal to the file already.
    same: u64,
    /// Different, and left as they are.
    different: u64,
    /// Refused.
    refused: u64,
    /// Refused entries that have no line: only the first thousand have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unlisted: Option<u64>,
    /// Entries of another tenant, or of none.
    #[serde(rename = "left-out")]
    left_out: u64,
}

/// A line to send, and its share of the buffer until then.
pub(super) struct Ready(Vec<u8>, Option<OwnedSemaphorePermit>);

/// Reports the progress of a restore.
pub(super) struct RestoreReport {
    lines: mpsc::Sender<Ready>,
    room: Arc<Semaphore>,
    entries: u64,
    done: u64,
    dry_run: bool,
    told: Instant,
    /// The time that it may still wait for the client.
    patience: Duration,
}

/// A report on this number of entries, and its lines to send.
pub(super) fn report(entries: u64, dry_run: bool) -> (RestoreReport, impl Stream<Item = Bytes>) {
    let (lines, told) = mpsc::channel(LINES);
    let room = Arc::new(Semaphore::new(BYTES as usize));
    let now = Instant::now();
    let report = RestoreReport { lines, room, entries, done: 0, dry_run, told: now, patience: PATIENCE };
    let sent = stream::unfold(told, async |mut told: mpsc::Receiver<Ready>| {
        let Ready(text, _room) = told.recv().await?;
        Some((text.into(), told))
    });
    (report, sent)
}

impl RestoreReport {
    /// Reports the outcome of an entry, if it has to be reported.
    pub(super) async fn take(&mut self, event: &RestoreEvent<'_>) {
        self.done += 1;
        let line = |result, ldif, message| {
            let (line, dn) = (event.line.unwrap_or_default(), event.dn.to_string());
            Some(Line::Entry(EntryLine { line, dn, result, ldif, message }))
        };
        let line = match event.outcome {
            Outcome::Added(change) if self.dry_run => line("added", Some(change.to_string()), None),
            Outcome::Updated(change) if self.dry_run => line("updated", Some(change.to_string()), None),
            Outcome::Different(change) => line("different", Some(change.to_string()), None),
            Outcome::Refused(refusal) => line("refused", None, Some(refusal.to_string())),
            _ => None,
        };
        if let Some(line) = line {
            self.tell(line).await;
        }
        if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            self.tell(Line::Progress { done: self.done, entries: self.entries }).await;
        }
    }

    /// Sends a line.
    pub(super) async fn tell(&mut self, line: Line) {
        if self.patience.is_zero() {
            return;
        }
        // Serializing a line cannot fail.
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        let since = Instant::now();
        // A client that has gone away or does not read loses the line, because others wait for the end of this restore.
        let is_told = tokio::time::timeout(self.patience, self.hand_on(text)).await == Ok(true);
        self.patience = if is_told { self.patience.saturating_sub(since.elapsed()) } else { Duration::ZERO };
    }

    async fn hand_on(&self, text: Vec<u8>) -> bool {
        let size = u32::try_from(text.len()).unwrap_or(u32::MAX).min(BYTES);
        let room = self.room.clone().acquire_many_owned(size).await.ok();
        self.lines.send(Ready(text, room)).await.is_ok()
    }
}

impl From<Summary> for SummaryLine {
    fn from(summary: Summary) -> Self {
        let Summary { added, updated, removed: _, same, different, refused, unlisted, left_out } = summary;
        let unlisted = (unlisted > 0).then_some(unlisted);
        Self { added, updated, same, different, refused, unlisted, left_out }
    }
}
