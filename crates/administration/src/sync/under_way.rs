//! Runs that are under way: beginning them, waiting for them, and trying them.

use super::{
    PlanLine, SyncError, SyncRequest, SyncSettings, groups, people,
    run::{Plan, Run},
};
use crate::{
    administration::Administration,
    caller::Actor,
    clock,
    long_work::WorkInProgress,
    policy::{Action, Forbidden, Reach},
};
use directory::{Directory, Lookup, error::DirectoryError, sources::LockOutcome};
use futures_util::FutureExt;
use mail_model::{
    run::{Report, Source, State, Subject},
    tenant::TenantId,
};
use std::{
    io,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::{
    runtime,
    sync::mpsc::{self, error::TrySendError},
    task::LocalSet,
    time::sleep,
};

/// The interval at which the report of a run is read while a caller waits for its end.
const LOOK: Duration = Duration::from_millis(500);
/// Lines of a plan that wait to be read.
const LINES: usize = 256;
/// How long a plan waits while nobody reads its lines.
const PAUSE: Duration = Duration::from_millis(5);

/// Opens the directory for a run, on the run's own thread.
type OpenDirectory = dyn Fn() -> Directory + Send + Sync;

/// Begins runs.
#[derive(Clone)]
pub struct Syncs {
    settings: Arc<Mutex<Arc<SyncSettings>>>,
    open: Arc<OpenDirectory>,
}

/// A run that was begun, or that was under way already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The identifier of the run.
    pub id: String,
    /// Whether it was under way already.
    pub is_joined: bool,
}

impl Syncs {
    /// Begins runs with these settings, which open the directory on threads of their own.
    #[must_use]
    pub fn new(settings: SyncSettings, open: impl Fn() -> Directory + Send + Sync + 'static) -> Self {
        Self { settings: Arc::new(Mutex::new(Arc::new(settings))), open: Arc::new(open) }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> Arc<SyncSettings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the settings for runs that begin later.
    pub fn replace_settings(&self, settings: SyncSettings) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// How far a caller may synchronize a tenant.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn reach(caller: &Actor, tenant: &TenantId) -> Result<Reach, Forbidden> {
        caller.reach(Action::Synchronize, Some(tenant))
    }

    /// Begins a run, or joins the one that is under way.
    ///
    /// # Errors
    /// [`SyncError`].
    pub async fn begin(
        &self,
        directory: &Directory,
        request: SyncRequest,
        reach: Reach,
    ) -> Result<Begun, SyncError> {
        let settings = self.settings();
        directory.tenant(&request.tenant).await?.ok_or(SyncError::NoTenant)?;
        settings.require_set_up(&request, reach)?;
        let report = begun(&request);
        if let LockOutcome::HeldBy(id) = directory.begin_run(&report).await? {
            return Ok(Begun { id, is_joined: true });
        }
        let (id, open) = (report.id.clone(), self.open.clone());
        let run = move || {
            on_own_runtime(async {
                let directory = open();
                match Run::new(&directory, &settings, &request, reach, report, false) {
                    Ok(run) => drop(conduct(run, &mut |_| true).await),
                    Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "sync.lost"),
                }
            });
        };
        thread::Builder::new().name("sync".to_owned()).spawn(run)?;
        Ok(Begun { id, is_joined: false })
    }

    /// Waits for the end of a run.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn end_of(lookup: &Lookup, id: &str) -> Result<Option<Report>, DirectoryError> {
        loop {
            match present(lookup, id).await? {
                Some(report) if report.state == State::Running => sleep(LOOK).await,
                ended => return Ok(ended),
            }
        }
    }

    /// Tries a run on this thread: tells what it would do, and writes nothing. `on_line` returns `false` to end it.
    ///
    /// # Errors
    /// [`SyncError`].
    pub async fn try_out(
        &self,
        directory: &Directory,
        request: &SyncRequest,
        reach: Reach,
        on_line: &mut dyn FnMut(PlanLine) -> bool,
    ) -> Result<Report, SyncError> {
        let settings = self.settings();
        directory.tenant(&request.tenant).await?.ok_or(SyncError::NoTenant)?;
        settings.require_set_up(request, reach)?;
        let run = Run::new(directory, &settings, request, reach, begun(request), true)?;
        Ok(Box::pin(conduct(run, on_line)).await)
    }

    /// Tries a run on a thread of its own, and sends the lines; the last item is the report. The permit is held until the
    /// thread ends.
    ///
    /// # Errors
    /// The system's error when the thread cannot be started.
    pub fn plan(
        &self,
        request: SyncRequest,
        reach: Reach,
        permit: WorkInProgress,
    ) -> io::Result<mpsc::Receiver<Planned>> {
        let (sender, receiver) = mpsc::channel(LINES);
        let this = self.clone();
        let run = move || {
            let _permit = permit;
            on_own_runtime(async {
                let directory = (this.open)();
                let mut send = |line| send(&sender, line);
                let trial = Box::pin(this.try_out(&directory, &request, reach, &mut send));
                let outcome = tokio::select! {
                    outcome = trial => outcome,
                    // Nobody reads the lines any more.
                    () = sender.closed() => return,
                };
                let _gone = sender.send(Planned::End(outcome)).await;
            });
        };
        thread::Builder::new().name("sync-plan".to_owned()).spawn(run)?;
        Ok(receiver)
    }
}

/// Sends a line; `false` if the receiver is gone. It may block, since the thread has no other work.
fn send(sender: &mpsc::Sender<Planned>, line: PlanLine) -> bool {
    let mut item = Planned::Line(line);
    loop {
        match sender.try_send(item) {
            Ok(()) => return true,
            Err(TrySendError::Closed(_)) => return false,
            Err(TrySendError::Full(unsent)) => item = unsent,
        }
        thread::sleep(PAUSE);
    }
}

/// An item of a plan.
#[derive(Debug)]
pub enum Planned {
    /// What would be done with an entry.
    Line(PlanLine),
    /// The end.
    End(Result<Report, SyncError>),
}

/// The report of a run. A run whose process is gone has failed.
///
/// # Errors
/// [`DirectoryError`] when the directory does not answer.
pub async fn present(lookup: &Lookup, id: &str) -> Result<Option<Report>, DirectoryError> {
    Ok(lookup.run(id).await?.map(as_of_now))
}

/// The reports of the latest runs of a tenant, or of all.
///
/// # Errors
/// [`DirectoryError`] when the directory does not answer.
pub async fn latest(lookup: &Lookup, tenant: Option<&TenantId>) -> Result<Vec<Report>, DirectoryError> {
    Ok(lookup.runs(tenant).await?.into_iter().map(as_of_now).collect())
}

fn as_of_now(mut report: Report) -> Report {
    if report.is_abandoned(clock::now()) {
        report.state = State::Failed;
        report.message = Some("The process that ran it has ended. Start it again.".to_owned());
    }
    report
}

fn begun(request: &SyncRequest) -> Report {
    let id = format!("{:032x}", rand::random::<u128>());
    let SyncRequest { tenant, source, subject, .. } = request;
    let source: Source = *source;
    Report::begun(id, tenant.clone(), source, *subject, clock::now())
}

/// Runs to the end. The report holds the outcome.
async fn conduct(mut run: Run<'_>, plan: Plan<'_>) -> Report {
    let work = async {
        match run.request.subject {
            Subject::People => Box::pin(people::synchronize(&mut run, plan)).await,
            Subject::Groups => Box::pin(groups::synchronize(&mut run, plan)).await,
        }
    };
    // A run that ends by a panic must not hold its lock; nothing that the panic may have left half done is used again.
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    run.conclude(outcome.unwrap_or(Err(SyncError::Fault))).await
}

/// Runs work on a runtime of its own, on this thread.
fn on_own_runtime(work: impl Future<Output = ()>) {
    match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => LocalSet::new().block_on(&runtime, work),
        Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "sync.no_runtime"),
    }
}

impl Administration {
    /// Begins a run for a caller, or joins the one that is under way.
    ///
    /// # Errors
    /// [`SyncError`].
    pub async fn begin_sync(
        &self,
        caller: &Actor,
        syncs: &Syncs,
        request: SyncRequest,
    ) -> Result<Begun, SyncError> {
        let reach = Syncs::reach(caller, &request.tenant).map_err(|_| SyncError::NotSetUp)?;
        syncs.begin(&self.directory, request, reach).await
    }

    /// Waits for the end of a run. Later reads see what it has written.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn end_of_sync(&self, id: &str) -> Result<Option<Report>, DirectoryError> {
        self.change(Syncs::end_of(self.lookup(), id)).await
    }
}
