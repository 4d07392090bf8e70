//! What this process writes goes into the projection at once, not when the feeder comes to it: so whoever reads next, in
//! whatever process, finds it. What cannot be recorded is remembered as missing, and until the feeder has surely come
//! to it this process does not answer from the projection. Other processes do not know of it; the write is answered when they do
//! not answer from the projection either, since Redis has taken no writes for a while ([`OPEN`]).

use crate::{
    ahead::TwoHeartbeats,
    recording::{Outcome, RecordError, id_of, ids_below, record},
    store::{Condition, Link, OPEN, RedisAccess, Standing, Stored},
};
use directory::{
    Directory,
    settings::LdapSettings,
    written::{Report, WriteObserver, Written},
};
use futures_util::future::BoxFuture;
use mail_model::tree::Tree;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};

/// Reports that may wait to be recorded; who writes more waits.
const WAITING: usize = 1024;
/// Reports that are recorded together.
const TOGETHER: usize = 200;
/// How long an answer waits for what was written before it. What is not recorded by then is not in the copies of others, and
/// those are no longer answered from, unless Redis takes writes of others; then the feeder has recorded it.
const PATIENCE: Duration = OPEN.saturating_add(Duration::from_millis(500));
/// Connections to read what was written.
const CONNECTIONS: usize = 2;

enum Note {
    Report(Report),
    /// Tells when everything before it is recorded, or known to be missing.
    Marker(oneshot::Sender<()>),
}

/// Where reports are handed in.
pub(crate) struct ReportQueue {
    notes: mpsc::Sender<Note>,
    waiting: Mutex<Option<mpsc::Receiver<Note>>>,
    missing: Missing,
}

impl Default for ReportQueue {
    fn default() -> Self {
        let (notes, waiting) = mpsc::channel(WAITING);
        Self { notes, waiting: Mutex::new(Some(waiting)), missing: Missing::default() }
    }
}

impl WriteObserver for ReportQueue {
    fn saw(&self, report: Report) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if self.notes.send(Note::Report(report)).await.is_err() {
                self.missing.note(None);
            }
        })
    }
}

impl ReportQueue {
    /// What is known to be missing in the projection.
    pub(crate) fn missing(&self) -> &Missing {
        &self.missing
    }

    /// Waits until everything that was handed in is recorded, or is missing and nobody answers without it.
    pub(crate) async fn flush(&self) {
        let (done, until) = oneshot::channel();
        let marked = async {
            if self.notes.send(Note::Marker(done)).await.is_ok() {
                // Dropped without a word, it is as good as done.
                let _done = until.await;
            }
        };
        if timeout(PATIENCE, marked).await.is_err() {
            self.missing.note(None);
        } else if let Some(until) = self.missing.answered_without_until() {
            sleep_until(until).await;
        }
    }

    /// Records what is handed in; never ends. Only the first call does anything.
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
                // Who has stopped waiting needs no answer.
                let _told = marker.send(());
            }
        }
    }
}

struct Recorder<'a> {
    link: Link,
    ldap: &'a LdapSettings,
    tree: &'a Tree,
    /// Directories that ask one server each.
    servers: HashMap<Arc<str>, Directory>,
}

/// What came of reports.
enum Recorded {
    All,
    /// Some are missing.
    Lacking {
        /// Until when other processes may answer from a projection without them.
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
                // Whoever begins one reads it from the directory.
                Ok(Outcome::Recorded | Outcome::NoProjection) => {}
                // Others show it once it has come to the server that they are fed from.
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

    fn server(&mut self, server: &Arc<str>) -> &Directory {
        let (ldap, tree) = (self.ldap, self.tree);
        self.servers.entry(server.clone()).or_insert_with(|| {
            let settings = LdapSettings { connections: CONNECTIONS, ..ldap.only(server) };
            Directory::new(Arc::new(settings), tree.clone())
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
    directory: &Directory,
    server: &str,
    written: Vec<Written>,
) -> Result<Outcome, RecordError> {
    let tree = directory.tree();
    let mut entries = Vec::new();
    let mut ids = Vec::new();
    for written in written {
        match written {
            // Nobody can have recorded anything newer of it, unless somebody has recorded it, or the projection was begun anew.
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

/// What the projection may lack of what this process has written.
#[derive(Default)]
pub(crate) struct Missing(Mutex<Lacking>);

#[derive(Default)]
struct Lacking {
    /// Until the feeder has come to it.
    lack: Option<TwoHeartbeats>,
    answered_without_until: Option<Instant>,
}

impl Missing {
    /// Something was written and not recorded; until when others may answer without it.
    fn note(&self, answered_without_until: Option<Instant>) {
        let mut lacking = self.lacking();
        lacking.lack = Some(TwoHeartbeats::default());
        lacking.answered_without_until = lacking.answered_without_until.max(answered_without_until);
    }

    /// Until when others may answer without what was noted last.
    fn answered_without_until(&self) -> Option<Instant> {
        self.lacking().answered_without_until
    }

    /// Whether something is missing in the projection as it stands.
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
