//! Backups and restores over HTTP: what the commands `pbm backup` and `pbm restore` do, for whoever may.

use super::{
    find_tenant,
    parameters::{once, switch},
};
use crate::http::{
    answer::{Cut, Failure, Reply},
    call::Call,
    endpoint::Right,
    settling::Settling,
};
use actix_web::{
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, HeaderValue},
    },
    rt,
    web::{Bytes, Payload},
};
use directory::{
    Directory,
    backup::{BackupError, BackupRequest, Extent, file::LdifFile},
    restore::{Event, Existing, OtherRoot, Outcome, Restore, RestoreError, RestoreRequest, Summary},
};
use futures_util::{Stream, StreamExt, stream};
use mail_model::field::{FieldError, FieldErrors};
use serde::Serialize;
use std::{
    io,
    time::{Duration, Instant},
};
use strum::{EnumString, VariantNames};
use tempfile::NamedTempFile;
use tokio::{io::AsyncWriteExt, sync::mpsc};
use utoipa::ToSchema;

/// The media type of LDIF, as it is used; none is registered.
pub(super) const LDIF: &str = "text/x-ldif";
/// Pieces of a backup that may wait for the client.
const PIECES: usize = 4;
/// Lines of a report that may wait for the client.
const LINES: usize = 256;
/// How long a client may take nothing until it is told nothing more.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(1);

pub(super) async fn back_up(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let keeper = keeper(call)?.clone();
    let (extent, name) = match call.tenant() {
        Ok(tenant) => (Extent::Tenants(vec![tenant.clone()]), tenant.to_string()),
        Err(_) => (Extent::Everything, "everything".to_owned()),
    };
    let request = BackupRequest {
        extent,
        without_super: call.right == Right::AllButSuper,
        counts: false,
        now: call.now,
    };
    let (out, mut pieces) = mpsc::channel(PIECES);
    let backup = rt::spawn(async move { Box::pin(keeper.back_up(&request, out, |_| {})).await });
    // What fails before there is a first piece is an answer of its own.
    let first = pieces.recv().await;
    let Some(first) = first else {
        let failed = backup.await.map_err(|error| Failure::internal(error.into()))?;
        return Err(failed.err().map_or_else(|| Failure::not_found("entry"), failure_of_backup));
    };
    let rest = stream::unfold(pieces, async |mut pieces| Some((pieces.recv().await?, pieces)));
    let parts = stream::once(async { first }).chain(rest).map(|piece| Ok(Bytes::from(piece)));
    let end = stream::once(async move {
        match backup.await {
            Ok(Ok(entries)) => {
                tracing::info!(entries, "backup.sent");
                None
            }
            Ok(Err(error)) => Some(Err(cut(error.into()))),
            Err(error) => Some(Err(cut(error.into()))),
        }
    });
    let name = format!("attachment; filename=\"{name}.ldif\"");
    let name = HeaderValue::try_from(name).map_err(|error| Failure::internal(error.into()))?;
    let parts = parts.chain(end.filter_map(async |end| end));
    Ok(Reply::stream(LDIF, parts).with_header(CONTENT_DISPOSITION, name))
}

fn cut(error: Cut) -> Cut {
    tracing::error!(error = error.as_ref() as &dyn std::error::Error, "backup.cut");
    error
}

fn failure_of_backup(error: BackupError) -> Failure {
    match error {
        BackupError::Nothing => Failure::not_found("tenant"),
        BackupError::Directory(error) => error.into(),
        BackupError::Unwanted | BackupError::Blind => Failure::internal(error.into()),
    }
}

fn keeper<'a>(call: &Call<'a>) -> Result<&'a Directory, Failure> {
    call.keeper.ok_or_else(|| {
        let message =
            "Backups are not set up: this server has no account for them (backup.bind_password_file).";
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry()
    })
}

/// What is done with what is there and differs.
#[derive(Clone, Copy, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub(super) enum ExistingWord {
    /// It stays.
    Keep,
    /// It becomes as in the file.
    Update,
}

/// A line of the answer to a restore.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = RestoreReport)]
pub(super) enum Line {
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
pub(super) struct EntryLine {
    /// The line that it begins at, from 1.
    line: u64,
    /// Its name.
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
pub(super) struct SummaryLine {
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
    /// Of another tenant, or of none.
    #[serde(rename = "left-out")]
    left_out: u64,
}

pub(super) async fn restore(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let existing = once(&mut call.parameters, "existing", &mut errors).filter(|text| !text.is_empty());
    let existing = existing.map_or(Ok(ExistingWord::Keep), |text| text.parse());
    let wrong = |_| FieldError::Choice(ExistingWord::VARIANTS);
    let existing = errors.keep("existing", existing.map_err(wrong));
    let dry_run = switch(&mut call.parameters, "dry-run", &mut errors);
    errors.none()?;
    let existing = match existing {
        Some(ExistingWord::Update) => Existing::Update,
        _ => Existing::Keep,
    };
    let keeper = keeper(call)?.clone();
    let (extent, limited_to) = match (call.tenant(), call.right) {
        (Ok(tenant), Right::All) => (Extent::Tenants(vec![tenant.clone()]), None),
        (Err(_), Right::All) => (Extent::Everything, None),
        _ => {
            let tenant = find_tenant(call).await?;
            (Extent::BelongingsOf(tenant.id.clone()), Some((*tenant).clone()))
        }
    };
    let rows = call.rows.take().ok_or_else(|| Failure::internal("a restore without a body".into()))?;
    let file = spool(rows.payload).await?;
    let now = call.now;
    let request = RestoreRequest {
        extent,
        existing,
        dry_run,
        force: false,
        other_root: OtherRoot::Refused,
        limited_to,
        now,
    };
    let ldif = LdifFile::new(file.path());
    let prepared = Restore::prepare(keeper, &call.services.service, ldif, request, |_| {});
    let restore = Box::pin(prepared).await.map_err(failure_of_restore)?;
    let entries = restore.findings().entries;
    let (lines, told) = mpsc::channel(LINES);
    let settling = Settling::begin(call.desk);
    // To the end also where the client goes away: what is half done would have to be found out.
    rt::spawn(async move {
        let mut report = Report { lines, entries, done: 0, dry_run, told: Instant::now(), is_alone: false };
        let end = match Box::pin(restore.run(Vec::new(), async |event| report.take(&event).await)).await {
            Ok(summary) => {
                let Summary { added, updated, same, different, refused, .. } = summary;
                tracing::info!(added, updated, same, different, refused, dry_run, "restore.done");
                Line::End { summary: summary.into(), dry_run }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "restore.stopped");
                Line::Stop { message: message_of(&error) }
            }
        };
        settling.end().await;
        report.tell(end).await;
        drop(file);
    });
    Ok(Reply::lines(lines_of(told)))
}

fn lines_of(told: mpsc::Receiver<Line>) -> impl Stream<Item = Bytes> {
    stream::unfold(told, async |mut told| {
        let line = told.recv().await?;
        // No part of a line has a reason to be no JSON.
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        Some((text.into(), told))
    })
}

/// Keeps a body on the disk, for it is read twice. Nobody else can read it, and it is gone when it is dropped.
async fn spool(mut payload: Payload) -> Result<NamedTempFile, Failure> {
    let failed = |error: io::Error| Failure::internal(error.into());
    let file = NamedTempFile::new().map_err(failed)?;
    let mut out = tokio::fs::File::from_std(file.reopen().map_err(failed)?);
    while let Some(piece) = payload.next().await {
        let unreadable = "The body could not be read to its end.";
        let piece = piece.map_err(|_| Failure::new(StatusCode::BAD_REQUEST, unreadable))?;
        out.write_all(&piece).await.map_err(failed)?;
    }
    out.flush().await.map_err(failed)?;
    Ok(file)
}

/// What a file is refused for that was not begun with.
fn failure_of_restore(error: RestoreError) -> Failure {
    match error {
        RestoreError::Directory(error) => error.into(),
        RestoreError::Io(_) | RestoreError::Stopped => Failure::internal(error.into()),
        error => Failure::new(StatusCode::BAD_REQUEST, &message_of(&error)),
    }
}

fn message_of(error: &RestoreError) -> String {
    match error {
        // What is wrong with the file, and where.
        RestoreError::Ldif(error) => crate::config::chain(error),
        RestoreError::OtherRoot { .. } => {
            "the file is of another directory: nothing in it belongs here".to_owned()
        }
        error => error.to_string(),
    }
}

/// What is told while a restore goes on.
struct Report {
    lines: mpsc::Sender<Line>,
    entries: u64,
    done: u64,
    dry_run: bool,
    told: Instant,
    /// Nobody listens any more.
    is_alone: bool,
}

impl Report {
    async fn take(&mut self, event: &Event<'_>) {
        self.done += 1;
        let line = |result, ldif, message| {
            let (line, dn) = (event.line.unwrap_or_default(), event.dn.to_string());
            Some(Line::Entry(EntryLine { line, dn, result, ldif, message }))
        };
        let line = match event.outcome {
            Outcome::Added(change) if self.dry_run => line("added", Some(change.to_string()), None),
            Outcome::Updated(change) if self.dry_run => line("updated", Some(change.to_string()), None),
            Outcome::Different(change) => line("different", Some(change.to_string()), None),
            Outcome::Refused(refusal) => line("refused", None, Some(refusal.without_diagnostic())),
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

    async fn tell(&mut self, line: Line) {
        if !self.is_alone {
            // Whoever has gone away, or takes nothing for so long, misses it: others wait for the end of this.
            let told = tokio::time::timeout(PATIENCE, self.lines.send(line)).await;
            self.is_alone = !matches!(told, Ok(Ok(())));
        }
    }
}

impl From<Summary> for SummaryLine {
    fn from(summary: Summary) -> Self {
        let Summary { added, updated, removed: _, same, different, refused, left_out } = summary;
        Self { added, updated, same, different, refused, left_out }
    }
}
