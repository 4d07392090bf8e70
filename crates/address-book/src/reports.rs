//! This process records its own writes in the projection at once, without waiting for the feeder, so the next reader in
//! any process finds them. A write that cannot be recorded is remembered as missing, and this process does not answer
//! from the projection until the feeder has certainly recorded it. Other processes do not know that the write is
//! missing. So this write is answered only when they do not answer from the projection either, because Redis has taken
//! no writes for a while ([`OPEN`]).

use crate::{
    ahead::TwoHeartbeats,
    recording::{Outcome, RecordError, id_of, ids_below, record},
    store::{Condition, Link, OPEN, RedisAccess, Standing, Stored},
};
use directory::{
    Lookup,
    settings::LdapSettings,
    written::{Report, WriteObserver, Written},
};
use futures_util::future::BoxFuture;
use mail_model::tree::Tree;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

/// The number of reports that may wait to be recorded; further writers wait.
const WAITING: usize = 1024;
/// The number of reports that are recorded in one batch.
const TOGETHER: usize = 200;
/// How long an answer waits for earlier writes. A write that is not recorded by then is not in the copies of other
/// processes. They have stopped answering from those copies, unless Redis takes their writes; in that case the feeder
/// has recorded the write.
const PATIENCE: Duration = OPEN.saturating_add(Duration::from_millis(500));
/// The number of connections that read the written entries.
const CONNECTIONS: usize = 2;

enum Note {
    Report(Report),
    /// Signals that every report before it is recorded, or known to be missing.
    Marker(oneshot::Sender<()>),
}

/// Receives reports of writes.
pub(crate) struct ReportQueue {
    notes: mpsc::Sender<Note>,
    waiting: Mutex<Option<mpsc::Receiver<Note>>>,
    /// Whether writes are recorded at all.
    is_wanted: AtomicBool,
    missing: Missing,
}

impl WriteObserver for ReportQueue {
    fn saw(&self, report: Report) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if !self.is_wanted() || self.notes.send(Note::Report(report)).await.is_err() {
                self.missing.note(None);
            }
        })
    }
}

impl ReportQueue {
    /// A queue whose reports are recorded, or are missing in the projection.
    pub(crate) fn new(is_wanted: bool) -> Self {
        let (notes, waiting) = mpsc::channel(WAITING);
        let is_wanted = AtomicBool::new(is_wanted);
        Self { notes, waiting: Mutex::new(Some(waiting)), is_wanted, missing: Missing::default() }
    }

    /// Begins or ceases to record reports. What this process and others have written before it begins is missing.
    pub(crate) fn set_wanted(&self, wanted: bool) {
        self.missing.note(None);
        self.is_wanted.store(wanted, Ordering::Release);
    }

    fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Acquire)
    }

    /// The writes that the projection is known to lack.
    pub(crate) fn missing(&self) -> &Missing {
        &self.missing
    }

    /// Waits until every report is recorded, or is missing and no process answers without it.
    pub(crate) async fn flush(&self) {
        if !self.is_wanted() {
            return;
        }
        let (done, until) = oneshot::channel();
        let marked = async {
            if self.notes.send(Note::Marker(done)).await.is_ok() {
                // A dropped marker counts as done.
                let _done = until.await;
            }
        };
        if timeout(PATIENCE, marked).await.is_err() {
            self.missing.note(None);
        } else if let Some(until) = self.missing.answered_without_until() {
            sleep_until(until).await;
        }
    }

    /// Records the reports; never ends. Only the first call has an effect.
    pub(crate) async fn record(&self, place: &RedisAccess, ldap: &LdapSettings, tree: &Tree) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = waiting else { return std::future::pending().await };
        let mut recorder = Recorder { link: place.link(), ldap, tree, servers: HashMap::new() };
        let mut notes = Vec::with_capacity(TOGETHER);
        while waiting.recv_many(&mut notes, TOGETHER).await > 0 {
            let mut markers = Vec::new();
            let mut reports = Vec::new();
            for note in notes.drain(..) {
                match note {
                    Note::Report(report) => reports.push(report),
                    Note::Marker(marker) => markers.push(marker),
                }
            }
            match recorder.record(reports).await {
                Recorded::All => {}
                Recorded::Lacking { answered_without_until } => self.missing.note(answered_without_until),
            }
            for marker in markers {
                // The receiver may have stopped waiting.
                let _told = marker.send(());
            }
        }
    }
}

struct Recorder<'a> {
    link: Link,
    ldap: &'a LdapSettings,
    tree: &'a Tree,
    /// One client per directory server.
    servers: HashMap<Arc<str>, Lookup>,
}

/// The outcome of recording reports.
enum Recorded {
    All,
    /// Some reports are missing in the projection.
    Lacking {
        /// The time until which other processes may answer from a projection without them.
        answered_without_until: Option<Instant>,
    },
}

impl Recorder<'_> {
    async fn record(&mut self, reports: Vec<Report>) -> Recorded {
        let mut by_server: HashMap<Arc<str>, Vec<Written>> = HashMap::new();
        for Report { server, written } in reports {
            by_server.entry(server).or_default().push(written);
        }
        let mut recorded = Recorded::All;
        for (server, written) in by_server {
            let directory = self.server(&server).clone();
            match record_written(&mut self.link, &directory, &server, written).await {
                // A process that begins a projection reads it from the directory.
                Ok(Outcome::Recorded | Outcome::NoProjection) => {}
                // Other processes show the write when it has reached the server that feeds their projection.
                Ok(Outcome::OtherServer) => recorded = recorded.lacking(None),
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "addressbook.reports.missing");
                    let may_be_answered_from = self.link.may_be_answered_from().await;
                    recorded = recorded.lacking(may_be_answered_from.then(|| Instant::now() + OPEN));
                }
            }
        }
        recorded
    }

    fn server(&mut self, server: &Arc<str>) -> &Lookup {
        let (ldap, tree) = (self.ldap, self.tree);
        self.servers.entry(server.clone()).or_insert_with(|| {
            let settings = LdapSettings { connections: CONNECTIONS, ..ldap.only(server) };
            Lookup::new(Arc::new(settings), tree.clone())
        })
    }
}

impl Recorded {
    fn lacking(self, until: Option<Instant>) -> Self {
        let before = match self {
            Self::All => None,
            Self::Lacking { answered_without_until } => answered_without_until,
        };
        Self::Lacking { answered_without_until: before.max(until) }
    }
}

async fn record_written(
    link: &mut Link,
    directory: &Lookup,
    server: &str,
    written: Vec<Written>,
) -> Result<Outcome, RecordError> {
    let tree = directory.tree();
    let mut entries = Vec::new();
    let mut ids = Vec::new();
    for written in written {
        match written {
            // A newer state can exist only if another process has recorded one or the projection was rebuilt; the
            // condition excludes both.
            Written::New(entry) => {
                entries.extend(Stored::of_entry(tree, &entry, Condition::Since(link.seen())));
            }
            Written::Removed(entry) => entries.extend(Stored::removed(tree, &entry)),
            Written::Changed(entry) => ids.extend(id_of(&entry)),
            Written::Moved(dn) => ids.extend(ids_below(directory, &dn).await?),
        }
    }
    record(link, directory, server, &entries, ids).await
}

/// The writes of this process that the projection may lack.
#[derive(Default)]
pub(crate) struct Missing(Mutex<Lacking>);

#[derive(Default)]
struct Lacking {
    /// Waits for the feeder to record them.
    lack: Option<TwoHeartbeats>,
    answered_without_until: Option<Instant>,
}

impl Missing {
    /// Records that a write is missing, and until when other processes may answer without it.
    fn note(&self, answered_without_until: Option<Instant>) {
        let mut lacking = self.lacking();
        lacking.lack = Some(TwoHeartbeats::default());
        lacking.answered_without_until = lacking.answered_without_until.max(answered_without_until);
    }

    /// The time until which other processes may answer without the last missing writes.
    fn answered_without_until(&self) -> Option<Instant> {
        self.lacking().answered_without_until
    }

    /// Whether a write may be missing in this state of the projection.
    pub(crate) fn is_in(&self, standing: &Standing) -> bool {
        let mut lacking = self.lacking();
        lacking.lack.take_if(|wait| wait.have_passed(standing));
        lacking.lack.is_some()
    }

    fn lacking(&self) -> MutexGuard<'_, Lacking> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(heartbeats: u64) -> Standing {
        Standing { epoch: 1, origin: 1, newest: 1, horizon: 0, heartbeats }
    }

    #[test]
    fn what_is_missing_is_there_after_the_second_heartbeat() {
        let missing = Missing::default();
        assert!(!missing.is_in(&standing(5)));
        missing.note(None);
        assert!(missing.is_in(&standing(5)));
        assert!(missing.is_in(&standing(6)));
        assert!(!missing.is_in(&standing(7)));
        assert!(!missing.is_in(&standing(7)));
    }

    #[test]
    fn a_projection_that_was_begun_anew_counts_anew() {
        let missing = Missing::default();
        missing.note(None);
        assert!(missing.is_in(&standing(50)));
        assert!(missing.is_in(&standing(1)));
        assert!(missing.is_in(&standing(2)));
        assert!(!missing.is_in(&standing(3)));
    }
}
