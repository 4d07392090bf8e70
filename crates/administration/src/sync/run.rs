//! One run, from the lock to the report.

use super::{SyncRequest, SyncSettings};
use crate::{clock, policy::Reach};
use directory::{
    Directory,
    changing::WriteError,
    error::{DirectoryError, Unreachable},
};
use jiff::SignedDuration;
use mail_model::run::{Lock, Refused, Report, State};
use sources::{Reader, SourceError, Sweep};
use std::{
    io,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// How often a run says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// After a whole run, quick ones are enough for so long.
const WHOLE_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The source is not configured, or not for this tenant.
    #[error("this source is not set up for the tenant (sync.ad or sync.bitrix24, and sync.tenants)")]
    NotSetUp,
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoTenant,
    /// The source could not be read to its end; nothing was written.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The directory failed.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The file for what waits could not be written or read.
    #[error("the file for temporary data: {0}")]
    File(#[from] io::Error),
    /// A fault of the program.
    #[error("a fault of the program ended the run; the log has it")]
    Fault,
    /// Another process has taken the lock, since this one was silent for too long.
    #[error("another process has taken over")]
    LockLost,
}

/// What a run would do with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanLine {
    /// What.
    pub op: PlannedOp,
    /// The address.
    pub mail: String,
    /// The identifier of the person or group in the source, as far as there is one.
    pub source: Option<String>,
    /// What changes, or why it is left out.
    pub about: Vec<String>,
}

/// A planned operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlannedOp {
    /// A contact or list is made.
    Add,
    /// A contact or list is changed, or the card of a user.
    Update,
    /// A contact or list is removed.
    Remove,
    /// A person or group, or a part of one, is left out.
    Refuse,
}

/// Receives the lines of a plan; `false` ends the run.
pub type Plan<'a> = &'a mut dyn FnMut(PlanLine) -> bool;

/// A run: what it works with, and how far it is.
pub(super) struct Run<'a> {
    pub(super) directory: &'a Directory,
    pub(super) settings: &'a SyncSettings,
    pub(super) request: &'a SyncRequest,
    pub(super) reader: &'a Reader,
    /// Whom the run may touch.
    pub(super) reach: Reach,
    pub(super) report: Report,
    /// Whether a person was left out who may fit in later: then a quick run must not pass over them.
    pub(super) is_incomplete: bool,
    /// The lock, until the end; a dry run has none.
    lock: Option<Lock>,
    is_dry: bool,
    beat: Instant,
}

impl<'a> Run<'a> {
    /// A run that has the lock, or a dry run.
    pub(super) fn new(
        directory: &'a Directory,
        settings: &'a SyncSettings,
        request: &'a SyncRequest,
        reach: Reach,
        report: Report,
        is_dry: bool,
    ) -> Result<Self, SyncError> {
        let reader = settings.reader(request.source, &request.tenant).ok_or(SyncError::NotSetUp)?;
        let lock = (!is_dry).then(|| Lock { run: report.id.clone(), seen: report.began });
        Ok(Self {
            directory,
            settings,
            request,
            reader,
            reach,
            report,
            is_incomplete: false,
            lock,
            is_dry,
            beat: Instant::now(),
        })
    }

    /// Whether nothing may be written.
    pub(super) const fn is_dry(&self) -> bool {
        self.is_dry
    }

    /// Ends the run. The report holds the outcome.
    pub(super) async fn conclude(mut self, outcome: Result<(), SyncError>) -> Report {
        if let Err(error) = &outcome {
            self.report.message = Some(words(error));
        }
        self.report.state = if outcome.is_ok() { State::Done } else { State::Failed };
        if let Err(error) = self.end().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "sync.report_lost");
        }
        log(&self.report, self.is_dry);
        self.report
    }

    /// Releases the lock, and writes the last report. In this order, so that the next run can begin as soon as
    /// the report says that this one has ended.
    async fn end(&mut self) -> Result<(), DirectoryError> {
        if self.lock.take().is_none() {
            return Ok(());
        }
        self.report.seen = clock::now();
        let released = self.directory.release_lock(&self.report).await;
        self.directory.keep_report(&self.report).await.and(released)
    }

    /// Says now and then that the run lives.
    pub(super) async fn live(&mut self) -> Result<(), SyncError> {
        if self.beat.elapsed() < HEARTBEAT {
            return Ok(());
        }
        self.beat = Instant::now();
        let Some(lock) = &self.lock else { return Ok(()) };
        self.report.seen = clock::now();
        match self.directory.renew_lock(&self.report, lock).await {
            Ok(lock) => {
                self.lock = Some(lock);
                if let Err(error) = self.directory.keep_report(&self.report).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "sync.report_late");
                }
            }
            Err(DirectoryError::Stale | DirectoryError::NotFound) => {
                self.lock = None;
                return Err(SyncError::LockLost);
            }
            // The lease outlasts a short absence of the directory.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "sync.heartbeat_lost"),
        }
        Ok(())
    }

    /// Does work that may take long, and says before it and meanwhile that the run lives.
    pub(super) async fn alive_during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, SyncError> {
        self.live().await?;
        let mut work = std::pin::pin!(work);
        loop {
            match timeout(HEARTBEAT, &mut work).await {
                Ok(done) => return Ok(done),
                Err(_) => self.live().await?,
            }
        }
    }

    /// How much of the source is read.
    pub(super) async fn sweep(&self) -> Result<Sweep, SyncError> {
        if !self.request.may_be_quick {
            return Ok(Sweep::Whole);
        }
        let SyncRequest { tenant, source, subject, .. } = self.request;
        let [last, whole] = self.directory.last_runs(tenant, *source, *subject).await?;
        let is_recent = |report: &Report| clock::now().duration_since(report.began) < WHOLE_EVERY;
        let position = last.filter(|_| whole.is_some_and(|whole| is_recent(&whole)));
        Ok(position.and_then(|report| report.position).map_or(Sweep::Whole, Sweep::Since))
    }

    /// Leaves something out, and tells it.
    pub(super) fn refuse(&mut self, what: &str, why: &str, plan: &mut Plan<'_>) -> bool {
        let refused = Refused::new(what, why);
        let Refused { what, why } = refused.clone();
        self.report.refuse(refused);
        let line = PlanLine { op: PlannedOp::Refuse, mail: what, source: None, about: vec![why] };
        !self.is_dry() || plan(line)
    }
}

/// Why an entry was not written, in words for administrators, which disclose nothing about other tenants.
pub(super) fn reason(error: WriteError) -> Result<String, SyncError> {
    match error {
        // Of one entry the server says the same as of itself when it is busy: a name that it cannot store.
        WriteError::Directory(DirectoryError::Unreachable(Unreachable::Declined { code, .. })) => {
            tracing::warn!(code, "sync.entry_refused");
            Ok("the directory refused the change".to_owned())
        }
        WriteError::Directory(error @ DirectoryError::Unreachable(_)) => Err(error.into()),
        WriteError::Directory(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "sync.entry_refused");
            Ok("the directory refused the change; the log has the reason".to_owned())
        }
        WriteError::Taken(taken) => Ok(format!("the address {} is taken", taken.address)),
        WriteError::Forbidden => Ok("only a super administrator can change this user".to_owned()),
        WriteError::NotFound => Ok("the entry was removed meanwhile".to_owned()),
        other => Ok(other.to_string()),
    }
}

fn words(error: &SyncError) -> String {
    match error {
        SyncError::Directory(_) => "The directory did not answer. Start the run again.".to_owned(),
        other => other.to_string(),
    }
}

fn log(report: &Report, is_dry: bool) {
    let Report { id, tenant, source, subject, state, counts, is_whole, message, .. } = report;
    if let Some(message) = message {
        tracing::warn!(
            run = id,
            tenant = tenant.as_str(),
            source = source.name(),
            message,
            "sync.incomplete"
        );
    }
    tracing::info!(
        run = id,
        tenant = tenant.as_str(),
        source = source.name(),
        subject = subject.name(),
        state = state.name(),
        read = counts.read,
        added = counts.added,
        updated = counts.updated,
        removed = counts.removed,
        refused = counts.refused,
        whole = is_whole,
        dry = is_dry,
        "sync.ended"
    );
}
