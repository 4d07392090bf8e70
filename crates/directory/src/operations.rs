//! The operations that everything else is made of: find one entry, scan many, apply a change.

use crate::{
    entry::Entry,
    error::{DirectoryError, Operation, broken, check},
    pool::{Checkout, Pool},
    settings::LdapSettings,
    written::{self, Witness},
};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    filter::Filter,
    ldif::{self, ChangeRecord},
};
use ldap3::{
    Ldap, LdapError, LdapResult, ResultEntry, SearchOptions, SearchStream,
    adapters::{Adapter, EntriesOnly, PagedResults},
};
use mail_model::{names, tree::Tree};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Entries that the server sends before it waits for the next request of a scan: bounds the memory of
/// a scan whose reader is slow.
const SCAN_PAGE: i32 = 1000;
/// The same for whole entries: each new page costs the server some time, and backups are to be fast.
const WHOLE_SCAN_PAGE: i32 = 3000;

/// The result code of a search that found more than was asked for (RFC 4511 appendix A.2).
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// How far below the base a search goes (RFC 4511 section 4.5.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The base itself.
    Base,
    /// Its children.
    Children,
    /// Itself and everything below.
    Subtree,
}

/// The directory, as one thread sees it. Clones share its connections.
#[derive(Clone)]
pub struct Directory {
    tree: Tree,
    settings: Arc<LdapSettings>,
    pool: Pool,
    passwords: Pool,
    /// Half of the connections: what many changes that belong together may take, so that other requests find one.
    lanes: Arc<Semaphore>,
    witness: Option<Arc<dyn Witness>>,
}

impl Directory {
    /// A directory whose connections are made when they are needed, on the calling thread's runtime.
    #[must_use]
    pub fn new(settings: Arc<LdapSettings>, tree: Tree) -> Self {
        Self {
            pool: Pool::for_requests(&settings),
            passwords: Pool::for_passwords(&settings),
            lanes: Arc::new(Semaphore::new(lanes(&settings))),
            witness: None,
            settings,
            tree,
        }
    }

    /// The same, and somebody is told what its writes have left of entries that belong to a tenant.
    #[must_use]
    pub fn witnessed_by(self, witness: Arc<dyn Witness>) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// Where things stand in it.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// How many changes that belong together are worth beginning at a time.
    #[must_use]
    pub fn lanes(&self) -> usize {
        lanes(&self.settings)
    }

    /// Waits for its turn to make one of many changes that belong together; the turn ends when this is dropped.
    pub async fn lane(&self) -> Lane {
        // Closed never, so the error of a closed one has no meaning.
        Lane(self.lanes.clone().acquire_owned().await.ok())
    }

    pub(crate) fn settings(&self) -> &LdapSettings {
        &self.settings
    }

    pub(crate) fn passwords(&self) -> &Pool {
        &self.passwords
    }

    /// A round trip to the server through a connection of the pool.
    ///
    /// # Errors
    /// [`DirectoryError::Unreachable`] when there is none.
    pub async fn ping(&self) -> Result<(), DirectoryError> {
        let filter = Filter::present(names::OBJECT_CLASS);
        self.find(self.tree.root(), Scope::Base, &filter, &[names::NO_ATTRIBUTES]).await.map(|_| ())
    }

    /// Finds an entry. An entry or base that is not there is `None`; of several, any.
    ///
    /// # Errors
    /// [`DirectoryError::Unreachable`], or a refusal.
    pub async fn find(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
    ) -> Result<Option<Entry>, DirectoryError> {
        self.find_with_server(base, scope, filter, attributes).await.map(|(_, entry)| entry)
    }

    /// The same, and the URL of the server that answered.
    pub(crate) async fn find_with_server(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
    ) -> Result<(Arc<str>, Option<Entry>), DirectoryError> {
        let (base, filter) = (base.to_string(), filter.to_string());
        let attributes: Vec<&str> = attributes.iter().map(AttributeName::as_str).collect();
        // A connection that the server closed a moment ago is noticed only when it is used; a read can
        // be sent again.
        match self.find_once(&base, scope, &filter, &attributes).await {
            Err(error) if error.is_broken_connection() => {
                self.find_once(&base, scope, &filter, &attributes).await
            }
            outcome => outcome,
        }
    }

    async fn find_once(
        &self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
    ) -> Result<(Arc<str>, Option<Entry>), DirectoryError> {
        let mut connection = self.pool.check_out().await?;
        let outcome =
            connection.run(async |ldap| read_some(ldap, base, scope, filter, attributes, 1).await).await;
        let (mut entries, result) = outcome.map_err(|error| broken(Operation::Read, error))?;
        let server = connection.server().clone();
        match check(result) {
            // More than the one that was asked for.
            Ok(()) | Err(DirectoryError::Refused { code: SIZE_LIMIT_EXCEEDED, .. }) => {
                Ok((server, entries.pop()))
            }
            Err(DirectoryError::NotFound) => Ok((server, None)),
            Err(error) => Err(error),
        }
    }

    /// Begins a search whose entries are read one by one, in bounded memory.
    ///
    /// # Errors
    /// [`DirectoryError::Unreachable`], or a refusal.
    pub async fn scan(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
    ) -> Result<Scan, DirectoryError> {
        let attributes = attributes.iter().map(ToString::to_string).collect();
        self.begin_scan(base, scope, filter, attributes, SCAN_PAGE).await
    }

    /// The same for whole entries: with everything that people can set.
    ///
    /// # Errors
    /// [`DirectoryError::Unreachable`], or a refusal.
    pub(crate) async fn scan_whole(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
    ) -> Result<WholeScan, DirectoryError> {
        let kept = names::KEPT_OPERATIONAL.iter().map(ToString::to_string);
        let attributes = std::iter::once(names::ALL_USER_ATTRIBUTES.to_owned()).chain(kept).collect();
        self.begin_scan(base, scope, filter, attributes, WHOLE_SCAN_PAGE).await.map(WholeScan)
    }

    async fn begin_scan(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: Vec<String>,
        page: i32,
    ) -> Result<Scan, DirectoryError> {
        let mut connection = self.pool.check_out().await?;
        let adapters: Vec<Box<dyn Adapter<'static, String, Vec<String>>>> =
            vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(page))];
        let stream = connection
            .begin()
            .streaming_search_with(adapters, &base.to_string(), scope.into(), &filter.to_string(), attributes)
            .await
            .map_err(|error| broken(Operation::Read, error))?;
        Ok(Scan { stream, connection: Some(connection) })
    }

    /// Some of the entries that a filter finds, at most `most`, in no order. Unlike a scan it holds no connection once
    /// they are here.
    ///
    /// # Errors
    /// [`DirectoryError::Unreachable`], or a refusal.
    pub async fn find_some(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
        most: i32,
    ) -> Result<Vec<Entry>, DirectoryError> {
        let (base, filter) = (base.to_string(), filter.to_string());
        let attributes: Vec<&str> = attributes.iter().map(AttributeName::as_str).collect();
        let mut connection = self.pool.check_out().await?;
        let read = async |ldap: &mut Ldap| read_some(ldap, &base, scope, &filter, &attributes, most).await;
        let (entries, result) = connection.run(read).await.map_err(|error| broken(Operation::Read, error))?;
        match check(result) {
            Ok(()) | Err(DirectoryError::Refused { code: SIZE_LIMIT_EXCEEDED, .. }) => Ok(entries),
            Err(DirectoryError::NotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Does a change. What this returns success for is stored.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::OutcomeUnknown`] when it may have been done.
    pub async fn apply(&self, record: &ChangeRecord) -> Result<(), DirectoryError> {
        let mut connection = self.pool.check_out().await?;
        let Some(witness) = self.witness.as_ref().filter(|_| self.tree.owner_of(&record.dn).is_some()) else {
            return written::write(&mut connection, record).await;
        };
        let report = written::write_and_look(&mut connection, record).await?;
        drop(connection);
        if let Some(report) = report {
            witness.saw(report).await;
        }
        Ok(())
    }
}

fn lanes(settings: &LdapSettings) -> usize {
    (settings.connections / 2).max(1)
}

/// A turn to make one of many changes.
pub struct Lane(#[expect(dead_code, reason = "held until it is dropped")] Option<OwnedSemaphorePermit>);

async fn read_some(
    ldap: &mut Ldap,
    base: &str,
    scope: Scope,
    filter: &str,
    attributes: &[&str],
    most: i32,
) -> Result<(Vec<Entry>, LdapResult), LdapError> {
    ldap.with_search_options(SearchOptions::new().sizelimit(most));
    let mut stream = ldap.streaming_search(base, scope.into(), filter, attributes).await?;
    let mut found = Vec::new();
    while let Some(result) = stream.next().await? {
        if !result.is_ref() && !result.is_intermediate() {
            found.extend(Entry::decode(result));
        }
    }
    Ok((found, stream.finish().await))
}

impl From<Scope> for ldap3::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Base => Self::Base,
            Scope::Children => Self::OneLevel,
            Scope::Subtree => Self::Subtree,
        }
    }
}

/// A search for whole entries under way. Unlike a [`Scan`] it passes over nothing.
pub(crate) struct WholeScan(Scan);

impl WholeScan {
    /// The next entry, with all its values, whatever bytes they are; `None` after the last.
    ///
    /// # Errors
    /// [`DirectoryError`], also where an entry can't be read.
    pub(crate) async fn next(&mut self) -> Result<Option<ldif::Entry>, DirectoryError> {
        let unreadable = || DirectoryError::InvalidValue("an entry of the server cannot be read".to_owned());
        let entry = self.0.next_as(|result| Some(Entry::decode_whole(result))).await?;
        entry.map(|entry| entry.ok_or_else(unreadable)).transpose()
    }
}

/// A search under way. It gives its connection back after the last entry; dropped half way, it gives it up.
pub struct Scan {
    stream: SearchStream<'static, String, Vec<String>>,
    /// `None` after the end.
    connection: Option<Checkout>,
}

impl Scan {
    /// Reads to the end, and keeps what is picked of each entry.
    ///
    /// # Errors
    /// [`DirectoryError`], and the scan is over.
    pub(crate) async fn gather<T, I: IntoIterator<Item = T>>(
        mut self,
        pick: impl Fn(&Entry) -> I,
    ) -> Result<Vec<T>, DirectoryError> {
        let mut gathered = Vec::new();
        while let Some(entry) = self.next().await? {
            gathered.extend(pick(&entry));
        }
        Ok(gathered)
    }

    /// The next entry; `None` after the last, however often one asks.
    ///
    /// # Errors
    /// [`DirectoryError`], and the scan is over.
    pub async fn next(&mut self) -> Result<Option<Entry>, DirectoryError> {
        self.next_as(Entry::decode).await
    }

    async fn next_as<T>(
        &mut self,
        decode: impl Fn(ResultEntry) -> Option<T>,
    ) -> Result<Option<T>, DirectoryError> {
        if self.connection.is_none() {
            return Ok(None);
        }
        while let Some(result) = self.stream.next().await.map_err(|error| broken(Operation::Read, error))? {
            if let Some(entry) = decode(result) {
                return Ok(Some(entry));
            }
        }
        let result = self.stream.finish().await;
        if let Some(mut connection) = self.connection.take() {
            connection.end();
        }
        match check(result) {
            // The base is not there, so nothing is below it.
            Ok(()) | Err(DirectoryError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
