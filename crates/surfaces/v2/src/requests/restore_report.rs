//! What a restore answers: lines of JSON, sent while it goes on.

use actix_web::web::Bytes;
use directory::restore::{Event, Outcome, Summary};
use futures_util::{Stream, stream};
use serde::Serialize;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use utoipa::ToSchema;

/// Lines of a report that may wait for the client, and how many bytes of them: a change may be as large as a list.
const LINES: usize = 256;
const BYTES: u32 = 1 << 20;
/// How long in all a client may let the restore wait until it is told nothing more.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(1);

/// A line of the answer to a restore.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = RestoreReport)]
pub(crate) enum Line {
    /// Of an entry that is worth a word.
    Entry(EntryLine),
    /// How far it is, now and then.
    Progress {
        /// Entries done.
        done: u64,
        /// All entries.
        entries: u64,
    },
    /// Why it stopped.
    Stop {
        /// In words.
        message: String,
    },
    /// The end, where it came to one.
    End {
        /// What was done.
        summary: SummaryLine,
        /// Whether it was only tried.
        #[serde(rename = "dry-run")]
        dry_run: bool,
    },
}

/// What became of an entry.
#[derive(Serialize, ToSchema)]
#[schema(as = RestoreReportEntry)]
pub(crate) struct EntryLine {
    /// The line that it begins at, from 1.
    line: u64,
    /// Its name; empty where it can't be read.
    dn: String,
    /// `added` and `updated` (told in a dry run), `different`, `refused`.
    result: &'static str,
    /// The change as LDIF, without passwords.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ldif: Option<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
}

/// The numbers of entries by what became of them.
#[derive(Serialize, ToSchema)]
#[schema(as = RestoreSummary)]
pub(crate) struct SummaryLine {
    /// Added.
    added: u64,
    /// Brought to the file's state.
    updated: u64,
    /// As in the file already.
    same: u64,
    /// Different, and left so.
    different: u64,
    /// Refused.
    refused: u64,
    /// Those of the refused that are not told: only the first thousand are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unlisted: Option<u64>,
    /// Of another tenant, or of none.
    #[serde(rename = "left-out")]
    left_out: u64,
}

/// A line that is ready to be sent, and the room that it takes until then.
pub(super) struct Ready(Vec<u8>, Option<OwnedSemaphorePermit>);

/// What is told while a restore goes on.
pub(super) struct Report {
    lines: mpsc::Sender<Ready>,
    room: Arc<Semaphore>,
    entries: u64,
    done: u64,
    dry_run: bool,
    told: Instant,
    /// How long it may still wait for the client.
    patience: Duration,
}

/// A report on so many entries, and its lines as they are sent.
pub(super) fn report(entries: u64, dry_run: bool) -> (Report, impl Stream<Item = Bytes>) {
    let (lines, told) = mpsc::channel(LINES);
    let room = Arc::new(Semaphore::new(BYTES as usize));
    let now = Instant::now();
    let report = Report { lines, room, entries, done: 0, dry_run, told: now, patience: PATIENCE };
    let sent = stream::unfold(told, async |mut told: mpsc::Receiver<Ready>| {
        let Ready(text, _room) = told.recv().await?;
        Some((text.into(), told))
    });
    (report, sent)
}

impl Report {
    /// Tells what came of an entry, where that is worth a word.
    pub(super) async fn take(&mut self, event: &Event<'_>) {
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

    /// Tells something.
    pub(super) async fn tell(&mut self, line: Line) {
        if self.patience.is_zero() {
            return;
        }
        // No part of a line has a reason to be no JSON.
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        let since = Instant::now();
        // Whoever has gone away, or takes nothing for so long, misses it: others wait for the end of this.
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
