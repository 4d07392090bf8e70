//! The basic operations of all others: find one entry, scan many, apply a change.

use crate::{
    entry::Entry,
    error::{DirectoryError, Operation, check},
    pool::Pool,
    product::{patience::Patience, refusals::RecentRefusals},
    scan::{Scan, WholeScan},
    settings::LdapSettings,
    written::WriteObserver,
};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use ldap3::{
    Ldap, LdapError, LdapResult, SearchOptions,
    adapters::{Adapter, EntriesOnly, PagedResults},
    controls::RawControl,
};
use mail_model::{names, tree::Tree};
use std::{ops::Deref, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Entries that the server sends before it waits for the next request of a scan: this bounds the memory of a
/// scan whose reader is slow.
const SCAN_PAGE: i32 = 1000;
/// The page size for whole entries: each new page costs the server some time, and backups should be fast.
const WHOLE_SCAN_PAGE: i32 = 3000;

/// Candidates that the server is asked for when one entry is needed: the first ones may be conflict entries.
const CANDIDATES: i32 = 10;
/// The 389-ds control that limits a search to stored attributes, without virtual ones.
const REAL_ATTRIBUTES_ONLY: &str = "2.16.840.1.113730.3.4.17";

/// The result code of a search that found more entries than requested (RFC 4511 appendix A.2).
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// How far below the base a search goes (RFC 4511 section 4.5.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The base itself.
    Base,
    /// The children of the base.
    Children,
    /// The base and everything below it.
    Subtree,
}

/// The directory as its readers see it: searches, and what they find. It has no way to change anything. Clones share its
/// connections.
#[derive(Clone)]
pub struct Lookup {
    tree: Tree,
    settings: Arc<LdapSettings>,
    pub(crate) pool: Pool,
    passwords: Pool,
    /// Permits for bulk changes, half as many as connections, so that other requests still find a connection.
    permits: Arc<Semaphore>,
}

/// The directory, as one thread uses it: everything that [`Lookup`] has, and the changes.
#[derive(Clone)]
pub struct Directory {
    lookup: Lookup,
    pub(crate) observer: Option<Arc<dyn WriteObserver>>,
    pub(crate) patience: Option<Arc<Patience>>,
    pub(crate) refusals: RecentRefusals,
}

impl Deref for Directory {
    type Target = Lookup;

    fn deref(&self) -> &Lookup {
        &self.lookup
    }
}

impl Lookup {
    /// Creates a directory for reading that opens connections when they are needed, on the calling thread's runtime.
    #[must_use]
    pub fn new(settings: Arc<LdapSettings>, tree: Tree) -> Self {
        Self {
            pool: Pool::for_requests(&settings),
            passwords: Pool::for_passwords(&settings),
            permits: Arc::new(Semaphore::new(permits(&settings))),
            settings,
            tree,
        }
    }

    /// The layout of the directory tree.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The account that the connections bind as.
    #[must_use]
    pub fn bind_dn(&self) -> &Dn {
        &self.settings.credentials.dn
    }

    /// How many of many related changes are worth running at a time.
    #[must_use]
    pub fn permits(&self) -> usize {
        permits(&self.settings)
    }

    /// Waits for a permit to make one of many related changes; dropping the permit returns it.
    pub async fn permit(&self) -> Permit {
        // The semaphore is never closed, so this error never occurs.
        Permit(self.permits.clone().acquire_owned().await.ok())
    }

    pub(crate) fn settings(&self) -> &LdapSettings {
        &self.settings
    }

    pub(crate) fn passwords(&self) -> &Pool {
        &self.passwords
    }

    /// Whether all servers hang: an operation would fail, or wait, at once.
    #[must_use]
    pub fn hangs(&self) -> bool {
        self.settings.liveness.all_hang(&self.settings.urls)
    }

    /// Whether requests go to the server with a URL, as the configuration spells it. With several servers, each counts
    /// the changes of an entry for itself.
    #[must_use]
    pub fn is_of_server(&self, url: &str) -> bool {
        self.pool.server().is_some_and(|server| server.url().as_str() == url)
    }

    /// Makes one round trip to the server through a connection of the pool.
    ///
    /// # Errors
    /// [`DirectoryError::Unreachable`] if there is no connection.
    pub async fn ping(&self) -> Result<(), DirectoryError> {
        let filter = Filter::present(names::OBJECT_CLASS);
        self.find(self.tree.root(), Scope::Base, &filter, &[names::NO_ATTRIBUTES]).await.map(|_| ())
    }

    /// Finds one entry: any one if several match, `None` if none matches or the base does not exist.
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

    /// Like [`Self::find`], with the URL of the server that answered.
    pub(crate) async fn find_with_server(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
    ) -> Result<(Arc<str>, Option<Entry>), DirectoryError> {
        let (server, found) = self.search(base, scope, filter, attributes, CANDIDATES).await?;
        Ok((server, found.and_then(|found| found.into_iter().next())))
    }

    /// A connection that the server closed a moment ago is noticed only when it is used, so a read on it can be
    /// sent again. The same holds for a read on a server that began to hang, if another server answers.
    fn is_worth_another_try(&self, error: &DirectoryError) -> bool {
        error.is_broken_connection() || (error.is_hang() && !self.hangs())
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
        let scan = self.scan_with_conflicts(base, scope, filter, attributes).await?;
        Ok(scan.without_conflicts())
    }

    /// Like [`Self::scan`], including conflict entries.
    pub(crate) async fn scan_with_conflicts(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
    ) -> Result<Scan, DirectoryError> {
        let attributes = attributes.iter().map(ToString::to_string).collect();
        self.begin_scan(base, scope, filter, attributes, SCAN_PAGE, None).await
    }

    /// Like [`Self::scan_with_conflicts`], for whole entries: with all attributes that people can set, and
    /// without those that the server computes from other entries, such as classes of service and roles.
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
        let real = RawControl { ctype: REAL_ATTRIBUTES_ONLY.to_owned(), crit: false, val: None };
        let scan = self.begin_scan(base, scope, filter, attributes, WHOLE_SCAN_PAGE, Some(real)).await?;
        Ok(scan.into())
    }

    async fn begin_scan(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: Vec<String>,
        page: i32,
        control: Option<RawControl>,
    ) -> Result<Scan, DirectoryError> {
        let mut connection = self.pool.check_out().await?;
        let adapters: Vec<Box<dyn Adapter<'static, String, Vec<String>>>> =
            vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(page))];
        let ldap = connection.begin();
        ldap.controls.get_or_insert_default().extend(control);
        let stream = ldap
            .streaming_search_with(adapters, &base.to_string(), scope.into(), &filter.to_string(), attributes)
            .await;
        let stream = stream.map_err(|error| connection.failure(Operation::Read, error))?;
        Ok(Scan::begun(stream, connection))
    }

    /// At most `most` of the entries that a filter finds, in no particular order. Unlike a scan it holds no
    /// connection after it has returned.
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
        self.look(base, scope, filter, attributes, most).await.map(Option::unwrap_or_default)
    }

    /// Like [`Self::find_some`]; `None` if the base does not exist.
    pub(crate) async fn look(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
        most: i32,
    ) -> Result<Option<Vec<Entry>>, DirectoryError> {
        self.search(base, scope, filter, attributes, most).await.map(|(_, found)| found)
    }

    /// Like [`Self::look`], with the URL of the server that answered.
    async fn search(
        &self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        attributes: &[AttributeName],
        most: i32,
    ) -> Result<(Arc<str>, Option<Vec<Entry>>), DirectoryError> {
        let (base, filter) = (base.to_string(), filter.to_string());
        let attributes: Vec<&str> = attributes.iter().map(AttributeName::as_str).collect();
        match self.search_once(&base, scope, &filter, &attributes, most).await {
            Err(error) if self.is_worth_another_try(&error) => {
                self.search_once(&base, scope, &filter, &attributes, most).await
            }
            outcome => outcome,
        }
    }

    async fn search_once(
        &self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        most: i32,
    ) -> Result<(Arc<str>, Option<Vec<Entry>>), DirectoryError> {
        let mut connection = self.pool.check_out().await?;
        let read = async |ldap: &mut Ldap| read_some(ldap, base, scope, filter, attributes, most).await;
        let read = connection.run(read).await;
        let (entries, result) = read.map_err(|error| connection.failure(Operation::Read, error))?;
        let server = connection.server().clone();
        match check(result) {
            // More entries may match than were requested.
            Ok(()) | Err(DirectoryError::Refused { code: SIZE_LIMIT_EXCEEDED, .. }) => {
                Ok((server, Some(entries)))
            }
            Err(DirectoryError::NotFound) => Ok((server, None)),
            Err(error) => Err(error),
        }
    }
}

impl Directory {
    /// Creates a directory that opens connections when they are needed, on the calling thread's runtime.
    #[must_use]
    pub fn new(settings: Arc<LdapSettings>, tree: Tree) -> Self {
        let lookup = Lookup::new(settings, tree);
        Self { lookup, observer: None, patience: None, refusals: RecentRefusals::default() }
    }

    /// Adds an observer: it gets the resulting entries of all writes to entries that belong to a tenant.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn WriteObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Makes writes wait, up to `most`, while the server takes none. `report` is called after a second and
    /// every few seconds, with the time waited so far.
    #[must_use]
    pub fn patient(self, most: Duration, report: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { patience: Some(Arc::new(Patience::new(most, report))), ..self }
    }
}

fn permits(settings: &LdapSettings) -> usize {
    (settings.connections / 2).max(1)
}

/// The permit to make one of many changes.
pub struct Permit(#[expect(dead_code, reason = "held until it is dropped")] Option<OwnedSemaphorePermit>);

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
            found.extend(Entry::decode(result).filter(|entry| !entry.is_conflict()));
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
