//! The address book of a process: keeping its copy of the projection, and one reader for each worker thread.

mod of_thread;

pub use of_thread::{BookReader, NoFeed, Opened};

use crate::{
    ahead::Ahead,
    book::Render,
    copy::LocalCopy,
    feeder, reports,
    settings::{BookSettings, LiveDuration},
    snapshots::Snapshots,
    store::{Keys, Link, RedisAccess, Standing, StoreError},
};
use directory::{settings::LdapSettings, written::WriteObserver};
use mail_model::tree::Tree;
use redis::{ErrorKind, RedisError};
use std::{
    convert::Infallible,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};

/// How often the projection is checked while it may be older than answers that were given without it.
const CHANGE_OVER_LOOK: Duration = Duration::from_millis(20);
/// After this time a request is answered without the projection, as were the requests that keep it from being used.
const LONGEST_CHANGE_OVER: Duration = Duration::from_secs(1);
/// How often a process without a copy of the projection checks whether there is one.
const LOOK: Duration = Duration::from_millis(250);
/// How often unused books are dropped.
const TIDY: Duration = Duration::from_secs(15);

/// The address book of one process. Clones share their state.
#[derive(Clone)]
pub struct AddressBook(Arc<Shared>);

struct Shared {
    tree: Tree,
    render: Render,
    lifetime: LiveDuration,
    /// Access to the projection, if Redis is configured.
    place: Option<RedisAccess>,
    /// Whether the projection is used.
    used: watch::Sender<bool>,
    /// The copy of the projection that answers come from.
    copy: RwLock<Option<Arc<LocalCopy>>>,
    /// Held while the copy is updated.
    following: tokio::sync::Mutex<()>,
    /// Notified when the copy is not of the present projection.
    outdated: Notify,
    reports: Arc<reports::ReportQueue>,
    snapshots: Snapshots,
    /// Answers that were given without the projection although one is configured: no client may see an older state
    /// afterwards.
    ahead: Ahead,
}

/// An error in the settings of the address book.
#[derive(Debug, thiserror::Error)]
#[error("the settings of Redis cannot be used")]
pub struct SettingsError(#[source] RedisError);

/// Why Redis cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Neither Redis nor a sentinel can be reached, or the TLS handshake fails.
    #[error("the connection to Redis failed")]
    Connection(#[source] RedisError),
    /// The user name or the password is wrong or missing.
    #[error("Redis refused the log-in")]
    LogIn(#[source] RedisError),
    /// The sentinels know no reachable master of that name.
    #[error("the sentinels know no reachable master")]
    NoMaster(#[source] RedisError),
    /// Redis refuses a necessary command: because of its access rules, because it is a replica, or because it is full.
    #[error("Redis refused a command")]
    Refused(#[source] RedisError),
}

impl From<RedisError> for CheckError {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::AuthenticationFailed => Self::LogIn(error),
            _ if matches!(error.code(), Some("NOAUTH" | "WRONGPASS")) => Self::LogIn(error),
            ErrorKind::MasterNameNotFoundBySentinel | ErrorKind::NoValidReplicasFoundBySentinel => {
                Self::NoMaster(error)
            }
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Refused(error),
            _ => Self::Connection(error),
        }
    }
}

impl AddressBook {
    /// An address book that is not updated yet; see [`Self::run`]. Makes no connection. `render` renders the entries.
    ///
    /// # Errors
    /// [`SettingsError`]: a certificate file cannot be read.
    pub fn new(settings: &BookSettings, tree: Tree, render: Render) -> Result<Self, SettingsError> {
        let place =
            |redis| RedisAccess::new(redis, Keys::new(&redis.prefix, tree.root())).map_err(SettingsError);
        let place = settings.redis.as_ref().map(place).transpose()?;
        Ok(Self(Arc::new(Shared {
            lifetime: LiveDuration::new(settings.lifetime),
            place,
            used: watch::Sender::new(settings.is_used),
            copy: RwLock::default(),
            following: tokio::sync::Mutex::default(),
            outdated: Notify::new(),
            reports: Arc::new(reports::ReportQueue::new(settings.is_used)),
            snapshots: Snapshots::default(),
            ahead: Ahead::default(),
            tree,
            render,
        })))
    }

    /// Checks that Redis can be reached and allows the necessary commands. Succeeds if it is not configured.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn check(&self) -> Result<(), CheckError> {
        match &self.0.place {
            Some(place) => Ok(place.check().await?),
            None => Ok(()),
        }
    }

    /// Changes how long the projection may be used while no process can update it.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.0.lifetime.set(lifetime);
    }

    /// Begins or ceases to use the projection. Without it every answer comes from the directory, and Redis is not asked.
    pub fn set_used(&self, used: bool) {
        if self.0.used.send_if_modified(|before| std::mem::replace(before, used) != used) {
            self.0.reports.set_wanted(used);
        }
    }

    /// The observer of this process's writes, which records them in the projection at once; `None` if there is no
    /// projection.
    #[must_use]
    pub fn observer(&self) -> Option<Arc<dyn WriteObserver>> {
        self.0.place.as_ref().map(|_| self.0.reports.clone() as Arc<dyn WriteObserver>)
    }

    /// Keeps the copy up to date, and feeds the projection while no other process does. Never ends.
    pub async fn run(&self, ldap: &LdapSettings) -> Infallible {
        let Shared { tree, reports, .. } = &*self.0;
        let tidied = self.tidy();
        match &self.0.place {
            None => tidied.await,
            Some(place) => {
                tokio::select! {
                    never = tidied => never,
                    never = self.follow_while_used(place, ldap) => never,
                    () = reports.record(place, ldap, tree) => std::future::pending().await,
                }
            }
        }
    }

    async fn follow_while_used(&self, place: &RedisAccess, ldap: &LdapSettings) -> Infallible {
        let Shared { tree, lifetime, .. } = &*self.0;
        let mut used = self.0.used.subscribe();
        loop {
            // The sender is as old as this value, so waiting does not fail.
            drop(used.wait_for(|used| *used).await);
            tokio::select! {
                never = self.load(place) => match never {},
                never = feeder::feed(place, ldap, tree, lifetime) => match never {},
                _ = used.wait_for(|used| !used) => self.0.set_copy(None),
            }
        }
    }

    async fn tidy(&self) -> Infallible {
        loop {
            tokio::time::sleep(TIDY).await;
            self.0.snapshots.drop_idle();
        }
    }

    /// Keeps a copy of the projection in Redis.
    async fn load(&self, place: &RedisAccess) -> Infallible {
        let mut link = place.link();
        loop {
            if let Err(error) = self.look(&mut link).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "addressbook.copy.none");
                self.invalidate_corrupt(&mut link, &error).await;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.0.outdated.notified() => {}
            }
        }
    }

    async fn look(&self, link: &mut Link) -> Result<(), StoreError> {
        let _following = self.0.following.lock().await;
        let standing = link.standing().await?;
        let current = self.0.copy().filter(|copy| standing.is_some_and(|now| now.epoch == copy.epoch()));
        let (Some(standing), Some(copy)) = (standing, current) else {
            // This copy will not become current again. Two copies need twice the memory, and so do snapshots beside a
            // copy.
            self.0.set_copy(None);
            return match standing {
                Some(standing) => self.read(link, &standing).await,
                None => Ok(()),
            };
        };
        if standing.newest < copy.at() {
            // The number was set back: this copy would not find changes that are recorded from now on.
            return Err(StoreError::Corrupt);
        }
        copy.forget(standing.horizon);
        copy.follow(link, standing.newest, &self.0.tree).await
    }

    async fn read(&self, link: &mut Link, standing: &Standing) -> Result<(), StoreError> {
        let began = Instant::now();
        let copy = LocalCopy::read(link, standing, &self.0.tree, self.0.render).await?;
        let milliseconds = began.elapsed().as_millis();
        tracing::info!(epoch = standing.epoch, newest = copy.at(), milliseconds, "addressbook.copy.read");
        self.0.set_copy(Some(Arc::new(copy)));
        self.0.snapshots.clear();
        Ok(())
    }

    /// Invalidates a corrupt projection, so that the feeder rebuilds it.
    async fn invalidate_corrupt(&self, link: &mut Link, error: &StoreError) {
        if error.is_corrupt() {
            tracing::warn!(error = error as &dyn std::error::Error, "addressbook.projection.corrupt");
            self.0.set_copy(None);
            // If this fails, the next process that finds the corruption invalidates the projection.
            let _invalidated = link.invalidate().await;
        }
    }

    /// The copy, after an update to the present state of Redis; `None` if it cannot be used for answers.
    async fn current(&self, link: &mut Link) -> Option<Arc<LocalCopy>> {
        if !*self.0.used.borrow() {
            return None;
        }
        let asked = Instant::now();
        loop {
            match self.brought_up_to_date(link).await {
                Ok(Some((_, standing))) if self.0.ahead.is_of(&standing) => {
                    if asked.elapsed() > LONGEST_CHANGE_OVER {
                        return None;
                    }
                    tokio::time::sleep(CHANGE_OVER_LOOK).await;
                }
                Ok(copy) => return copy.map(|(copy, _)| copy),
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "addressbook.copy.unusable");
                    self.invalidate_corrupt(link, &error).await;
                    return None;
                }
            }
        }
    }

    async fn brought_up_to_date(
        &self,
        link: &mut Link,
    ) -> Result<Option<(Arc<LocalCopy>, Standing)>, StoreError> {
        let Some(standing) = link.standing().await? else { return Ok(None) };
        let Some(copy) = self.0.copy().filter(|copy| copy.epoch() == standing.epoch) else {
            self.0.outdated.notify_one();
            return Ok(None);
        };
        if self.0.reports.missing().is_in(&standing) {
            return Ok(None);
        }
        if copy.at() < standing.newest {
            let _following = self.0.following.lock().await;
            copy.follow(link, standing.newest, &self.0.tree).await?;
        }
        // It is lower if Redis was emptied in the meantime.
        Ok((copy.at() >= standing.newest).then_some((copy, standing)))
    }

    /// A reader for the calling thread.
    #[must_use]
    pub fn reader(&self) -> BookReader {
        BookReader::new(self.clone(), self.0.place.as_ref().map(RedisAccess::link))
    }
}

impl Shared {
    fn copy(&self) -> Option<Arc<LocalCopy>> {
        self.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_copy(&self, copy: Option<Arc<LocalCopy>>) {
        *self.copy.write().unwrap_or_else(PoisonError::into_inner) = copy;
    }
}
