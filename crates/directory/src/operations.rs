//! The operations that everything else is made of: find one entry, scan many, apply a change.

use crate::{
    entry::Entry,
    error::{DirectoryError, Operation, check},
    pool::Pool,
    product::patience::Patience,
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
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Entries that the server sends before it waits for the next request of a scan: bounds the memory of
/// a scan whose reader is slow.
const SCAN_PAGE: i32 = 1000;
/// The same for whole entries: each new page costs the server some time, and backups are to be fast.
const WHOLE_SCAN_PAGE: i32 = 3000;

/// Candidates that the server is asked for where one entry is wanted: the first may be conflict entries.
const CANDIDATES: i32 = 10;
/// The control of 389-ds by which a search finds the attributes that entries have, and none that are worked out.
const REAL_ATTRIBUTES_ONLY: &str = "2.16.840.1.113730.3.4.17";

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
    pub(crate) pool: Pool,
    passwords: Pool,
    /// Half of the connections: what many changes that belong together may take, so that other requests find one.
    permits: Arc<Semaphore>,
    pub(crate) observer: Option<Arc<dyn WriteObserver>>,
    pub(crate) patience: Option<Arc<Patience>>,
}

impl Directory {
    /// A directory whose connections are made when they are needed, on the calling thread's runtime.
    #[must_use]
    pub fn new(settings: Arc<LdapSettings>, tree: Tree) -> Self {
        Self {
            pool: Pool::for_requests(&settings),
            passwords: Pool::for_passwords(&settings),
            permits: Arc::new(Semaphore::new(permits(&settings))),
            observer: None,
            patience: None,
            settings,
            tree,
        }
    }

    /// The same, and somebody is told what its writes have left of entries that belong to a tenant.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn WriteObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// The same, and its writes wait up to `most` where the server takes none; `report` is called after a second and every few
    /// seconds, with the time waited so far.
    #[must_use]
    pub fn patient(self, most: Duration, report: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { patience: Some(Arc::new(Patience::new(most, report))), ..self }
    }

    /// Where things stand in it.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// How many changes that belong together are worth beginning at a time.
    #[must_use]
    pub fn permits(&self) -> usize {
        permits(&self.settings)
    }

    /// Waits for its turn to make one of many changes that belong together; the turn ends when this is dropped.
    pub async fn permit(&self) -> Permit {
        // Closed never, so the error of a closed one has no meaning.
        Permit(self.permits.clone().acquire_owned().await.ok())
    }

    pub(crate) fn settings(&self) -> &LdapSettings {
        &self.settings
    }

    pub(crate) fn passwords(&self) -> &Pool {
        &self.passwords
    }

    /// Whether all servers hang: whatever needs them would fail, or wait, at once.
    #[must_use]
    pub fn hangs(&self) -> bool {
        self.settings.liveness.all_hang(&self.settings.urls)
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
        let (server, found) = self.search(base, scope, filter, attributes, CANDIDATES).await?;
        Ok((server, found.and_then(|found| found.into_iter().next())))
    }

    /// A connection that the server closed a moment ago is noticed only when it is used; a read can be sent again. So can
    /// one that a server was busy with when it began to hang, where another server answers.
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

    /// The same, and conflict entries are found too.
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

    /// The same for whole entries: with everything that people can set, and nothing that the server works out of other
    /// entries, such as classes of service and roles.
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
        self.look(base, scope, filter, attributes, most).await.map(Option::unwrap_or_default)
    }

    /// The same; `None` where the base is not there.
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

    /// The same, and the URL of the server that answered.
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
            // There may be more than were asked for.
            Ok(()) | Err(DirectoryError::Refused { code: SIZE_LIMIT_EXCEEDED, .. }) => {
                Ok((server, Some(entries)))
            }
            Err(DirectoryError::NotFound) => Ok((server, None)),
            Err(error) => Err(error),
        }
    }
}

fn permits(settings: &LdapSettings) -> usize {
    (settings.connections / 2).max(1)
}

/// A turn to make one of many changes.
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
