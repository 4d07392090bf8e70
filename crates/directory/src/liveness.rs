//! Whether the servers answer, and whether they have all of their entries. One thread of the process looks for the
//! folder of users of every configured server twice a second, each over a separate connection, and all pools of the
//! process use its findings.
//!
//! A server whose threads are deadlocked, or that was stopped by a signal, still accepts connections (its kernel does)
//! and answers nothing. A late answer to an operation does not prove this: a long list, a search without an index or a
//! restore keeps one connection busy while other connections get answers. The probe is as cheap as an operation can
//! be. If the server answers neither the probe nor any other operation of this process, it serves nobody; a busy
//! server answers some of them.

use crate::{
    connection::Connection,
    error::Unreachable,
    product::completeness::{self, Completeness},
    refused_accounts::RefusedAccounts,
    settings::{LdapSettings, LdapUrl},
};
use futures_util::future::join_all;
use ldap_text::dn::Dn;
use mail_model::names;
use std::{
    pin::pin,
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{runtime, sync::watch, task::AbortHandle, time};

/// The time between an answer and the next probe.
const PERIOD: Duration = Duration::from_millis(500);
/// Silence is counted in steps, not by the clock: if this process itself was stopped or got no CPU time, that counts
/// as one step, and the answer is read before the next one.
const STEP: Duration = Duration::from_millis(100);
/// Steps without an answer, to the probe or to anything else, after which a server counts as hanging: 2 s. A pause of
/// a second (a checkpoint, a loaded machine) stays well below; together with the time until the next probe, a hang is
/// known after 2.5 s.
const SILENT: u32 = 20;
/// Steps until a probe is abandoned for one over a new connection: 5 s. The old connection answers at once if the
/// server continues; the new one detects a server that was started again behind a network that dropped the old
/// connection.
const GIVEN_UP: u32 = 50;

/// What the log says about a server that hangs.
const ADVICE: &str = "if ns-slapd runs, save the stacks of its threads (gdb -p PID -batch -ex 'thread apply all bt'), then \
    kill and start it (systemctl kill -s KILL dirsrv@INSTANCE; systemctl start dirsrv@INSTANCE); \
    see OPERATIONS.md, A directory that hangs";

/// What this process knows about its servers. Clones share the state.
#[derive(Clone, Debug)]
pub struct Liveness(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    base: Dn,
    servers: Vec<Arc<Server>>,
    started: Once,
}

/// One server, as the last probes found it.
#[derive(Debug)]
pub(crate) struct Server {
    url: LdapUrl,
    hanging_since: watch::Sender<Option<Instant>>,
    /// The same as a flag; every check-out of a connection reads it.
    hangs: AtomicBool,
    /// Whether a restore of everything is not finished.
    is_incomplete: AtomicBool,
    /// Whether the server had all of its entries at some time.
    was_complete: AtomicBool,
    /// The number of answers to operations of this process so far.
    answers: AtomicU64,
    /// The tasks that drive the connections to be closed if the server hangs or is incomplete.
    drivers: Mutex<Vec<AbortHandle>>,
    /// The accounts that the server refuses.
    pub(crate) accounts: RefusedAccounts,
}

impl Liveness {
    /// Starts without any findings; the first connection starts the probes, which read `base`, the folder of users.
    #[must_use]
    pub fn new(urls: &[LdapUrl], base: &Dn) -> Self {
        let servers = urls.iter().map(|url| Arc::new(Server::new(url))).collect();
        Self(Arc::new(Shared { base: base.clone(), servers, started: Once::new() }))
    }

    /// Whether none of these servers answers.
    pub(crate) fn all_hang(&self, urls: &[LdapUrl]) -> bool {
        !urls.is_empty() && urls.iter().all(|url| self.server(url).hangs())
    }

    /// What is known about a server. A server that is not watched counts as one that does not hang.
    pub(crate) fn server(&self, url: &LdapUrl) -> Arc<Server> {
        let known = self.0.servers.iter().find(|server| server.url == *url);
        known.cloned().unwrap_or_else(|| Arc::new(Server::new(url)))
    }

    /// Starts the probes, once in the life of this process.
    pub(crate) fn start(&self, settings: &LdapSettings) {
        self.0.started.call_once(|| {
            let (shared, settings) = (self.0.clone(), settings.clone());
            let thread = std::thread::Builder::new().name("ldap-liveness".to_owned());
            let started = thread.spawn(move || {
                if let Err(error) = shared.watch(&settings) {
                    tracing::error!(error = &error as &dyn std::error::Error, "directory.probes.off");
                }
            });
            if let Err(error) = started {
                tracing::error!(error = &error as &dyn std::error::Error, "directory.probes.off");
            }
        });
    }
}

impl Shared {
    /// Probes all servers, without end.
    fn watch(&self, settings: &LdapSettings) -> std::io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(join_all(self.servers.iter().map(|server| self.watch_one(server, settings))));
        Ok(())
    }

    async fn watch_one(&self, server: &Server, settings: &LdapSettings) {
        let mut connection = None;
        loop {
            let probe = pin!(self.probe(settings, server, connection.take()));
            connection = server.judge(probe).await.flatten();
            if !server.hangs() {
                time::sleep(PERIOD).await;
            }
        }
    }

    /// Looks for the mark of an unfinished restore. Any result is an answer, including a refusal. Returns the connection
    /// if the account is bound; otherwise the next probe tries to bind again.
    async fn probe(
        &self,
        settings: &LdapSettings,
        server: &Server,
        connection: Option<Connection>,
    ) -> Result<Option<Connection>, Unreachable> {
        let (mut connection, is_bound) = match connection {
            Some(connection) => (connection, true),
            None => Connection::open_for_probes(settings, &server.url, STEP * GIVEN_UP * 2).await?,
        };
        let (base, filter) = (self.base.to_string(), completeness::is_marked().to_string());
        let no_attributes = names::NO_ATTRIBUTES;
        let read = async |ldap: &mut ldap3::Ldap| {
            ldap.search(&base, ldap3::Scope::Base, &filter, [no_attributes.as_str()]).await
        };
        let found = connection.run(read).await.map_err(Unreachable::Connection)?;
        if !is_bound {
            return Ok(None);
        }
        if let Some(found) = Completeness::of_answer(found.1.rc, found.0.len()) {
            server.note_completeness(found);
        }
        Ok(Some(connection))
    }
}

impl Server {
    fn new(url: &LdapUrl) -> Self {
        Self {
            url: url.clone(),
            hanging_since: watch::Sender::new(None),
            hangs: AtomicBool::new(false),
            is_incomplete: AtomicBool::new(false),
            was_complete: AtomicBool::new(false),
            answers: AtomicU64::new(0),
            drivers: Mutex::default(),
            accounts: RefusedAccounts::default(),
        }
    }

    /// Waits for a probe and records its result. Returns the connection if it can be used again.
    async fn judge<T>(&self, mut probe: impl Future<Output = Result<T, Unreachable>> + Unpin) -> Option<T> {
        let began = Instant::now();
        let (mut answers, mut silent) = (self.answers.load(Ordering::Relaxed), 0);
        for step in 1..=GIVEN_UP {
            match time::timeout(STEP, &mut probe).await {
                Ok(Ok(connection)) => {
                    self.end_hang(true);
                    return Some(connection);
                }
                Ok(Err(error)) => {
                    tracing::debug!(server = %self.url, error = &error as &dyn std::error::Error, "directory.probe.failed");
                    // If the connection fails at once, other callers get the error at once too, so this is no hang. A
                    // late failure may come from a network that takes seconds to report an unreachable host.
                    if step < SILENT {
                        self.end_hang(false);
                    }
                    return None;
                }
                Err(_) => {
                    let before = std::mem::replace(&mut answers, self.answers.load(Ordering::Relaxed));
                    silent = if answers == before { silent + 1 } else { 0 };
                    if silent == SILENT {
                        self.begin_hang(began);
                    }
                }
            }
        }
        None
    }

    /// Records an answer to any operation.
    pub(crate) fn note_answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the server was silent for too long and has not answered since.
    pub(crate) fn hangs(&self) -> bool {
        self.hangs.load(Ordering::Acquire)
    }

    /// Completes as soon as the server hangs.
    pub(crate) async fn hung(&self) {
        let mut changes = self.hanging_since.subscribe();
        // This fails only without a sender, and `self` holds the sender.
        let _hung = changes.wait_for(Option::is_some).await;
    }

    /// Whether a restore of everything is not finished on the server.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.is_incomplete.load(Ordering::Acquire)
    }

    /// Registers a connection, by the task that drives it, to be closed if the server hangs or is incomplete.
    pub(crate) fn close_when_useless(&self, driver: AbortHandle) {
        let mut drivers = self.drivers();
        if self.hangs() || self.is_incomplete() {
            driver.abort();
            return;
        }
        drivers.retain(|driver| !driver.is_finished());
        drivers.push(driver);
    }

    fn drivers(&self) -> std::sync::MutexGuard<'_, Vec<AbortHandle>> {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_hang(&self, since: Instant) {
        if self.hangs() {
            return;
        }
        let connections = self.close_connections(|| {
            self.hangs.store(true, Ordering::Release);
            self.hanging_since.send_replace(Some(since));
        });
        let silent_seconds = since.elapsed().as_secs_f64();
        tracing::error!(server = %self.url, silent_seconds, connections, advice = ADVICE, "directory.hang.began");
    }

    /// Records a state in which no connection is of use, and closes all of them; returns their number.
    fn close_connections(&self, record: impl FnOnce()) -> usize {
        // Under the lock, so that no connection is registered in between and left open.
        let mut drivers = self.drivers();
        record();
        let connections = drivers.len();
        for driver in drivers.drain(..) {
            driver.abort();
        }
        connections
    }

    /// Records whether the server has all of its entries, and logs it if that has changed. A server that never had any
    /// is new and not incomplete.
    fn note_completeness(&self, found: Completeness) {
        if found.is_complete() {
            self.was_complete.store(true, Ordering::Relaxed);
            if self.is_incomplete.swap(false, Ordering::AcqRel) {
                tracing::warn!(server = %self.url, "directory.complete");
            }
        } else if !self.is_incomplete()
            && (found == Completeness::Unfinished || self.was_complete.load(Ordering::Relaxed))
        {
            let connections = self.close_connections(|| self.is_incomplete.store(true, Ordering::Release));
            tracing::error!(server = %self.url, connections, advice = %found, "directory.incomplete");
        }
    }

    fn end_hang(&self, answers: bool) {
        if let Some(since) = self.hanging_since.send_replace(None) {
            self.hangs.store(false, Ordering::Release);
            let seconds = since.elapsed().as_secs_f64();
            tracing::warn!(server = %self.url, seconds, answers, "directory.hang.ended");
        }
    }
}

#[cfg(test)]
mod tests;
