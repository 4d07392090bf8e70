//! One connection: opened to any of the configured URLs, secured, bound, and used by one request at a time.

use crate::{
    error::{DirectoryError, Operation, Unreachable, broken, trimmed},
    liveness::Server,
    settings::{Credentials, LdapSettings, LdapUrl, OnHang, Referrals},
};
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError,
    controls::{Control, ManageDsaIt},
};
use secrecy::ExposeSecret;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::AbortHandle;

/// The control in the answer to a bind whose password must be changed.
const PASSWORD_EXPIRED: &str = "2.16.840.1.113730.3.4.4";
/// How often to check whether one of several hanging servers answers again.
const LOOK: Duration = Duration::from_millis(100);

/// A connection, and whether an operation on it was begun and not ended.
pub(crate) struct Connection {
    ldap: Ldap,
    /// Set while an operation runs. It stays set if the operation fails on the connection, times out or is dropped;
    /// such a connection is not used again.
    busy: bool,
    timeout: Duration,
    referrals: Referrals,
    server: Arc<str>,
    watched: Arc<Server>,
}

impl Connection {
    /// Opens a connection to the first server that answers, and binds. It begins with the server that answered last
    /// and skips servers that hang. If all hang, long work waits for one.
    ///
    /// # Errors
    /// [`Unreachable`] of the last URL tried; [`Unreachable::Hangs`] if all hang.
    pub(crate) async fn open(
        settings: &LdapSettings,
        credentials: &Credentials,
        last_good: &AtomicUsize,
    ) -> Result<Self, Unreachable> {
        settings.liveness.start(settings);
        // Boxed, since it is seldom needed and would add to the size of every operation's future.
        let opened = Box::pin(Self::open_any(settings, credentials, last_good)).await;
        if settings.on_hang == OnHang::Wait && matches!(opened, Err(Unreachable::Hangs)) {
            let answered = async {
                while settings.liveness.all_hang(&settings.urls) {
                    tokio::time::sleep(LOOK).await;
                }
            };
            // The attempt below shows whether the server answers.
            let _answered = tokio::time::timeout(settings.operation_timeout, answered).await;
            return Box::pin(Self::open_any(settings, credentials, last_good)).await;
        }
        opened
    }

    async fn open_any(
        settings: &LdapSettings,
        credentials: &Credentials,
        last_good: &AtomicUsize,
    ) -> Result<Self, Unreachable> {
        let first = last_good.load(Ordering::Relaxed);
        let mut failure = Unreachable::Hangs;
        for step in 0..settings.urls.len() {
            let index = (first + step) % settings.urls.len();
            let Some(url) = settings.urls.get(index) else { continue };
            match Self::open_one(settings, url, credentials).await {
                Ok(connection) => {
                    last_good.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Opens a connection to one server, unless the server hangs or is found to hang during the attempt.
    async fn open_one(
        settings: &LdapSettings,
        url: &LdapUrl,
        credentials: &Credentials,
    ) -> Result<Self, Unreachable> {
        let watched = settings.liveness.server(url);
        if settings.on_hang == OnHang::Fail && watched.is_incomplete() {
            return Err(Unreachable::Incomplete);
        }
        // Long work opens many connections at once, and each bind costs the server a password hash. The probes find
        // out if the server answers none of them.
        let limit = match settings.on_hang {
            OnHang::Fail => settings.connect_timeout,
            OnHang::Wait => settings.connect_timeout.max(settings.operation_timeout),
        };
        let open = async {
            let (ldap, driver) = connect(settings, url, limit).await?;
            let mut connection = Self::new(ldap, limit, url, watched.clone());
            connection.bind(credentials).await?;
            connection.timeout = settings.operation_timeout;
            connection.referrals = settings.referrals;
            if settings.on_hang == OnHang::Fail {
                watched.close_when_useless(driver);
            }
            Ok(connection)
        };
        tokio::select! {
            biased;
            () = watched.hung() => Err(Unreachable::Hangs),
            opened = open => opened,
        }
    }

    /// Opens a connection for a probe, which has to work on a server that hangs too. A refused bind is an answer.
    /// Returns whether the account is bound.
    ///
    /// # Errors
    /// [`Unreachable`]; the time limit applies to each step.
    pub(crate) async fn open_for_probes(
        settings: &LdapSettings,
        url: &LdapUrl,
        limit: Duration,
    ) -> Result<(Self, bool), Unreachable> {
        let (ldap, _) = connect(settings, url, limit).await?;
        let mut connection = Self::new(ldap, limit, url, settings.liveness.server(url));
        match connection.bind(&settings.credentials).await {
            Err(error) if !error.is_of_account() => Err(error),
            bound => Ok((connection, bound.is_ok())),
        }
    }

    fn new(ldap: Ldap, timeout: Duration, url: &LdapUrl, watched: Arc<Server>) -> Self {
        let (busy, referrals, server) = (false, Referrals::Followed, url.to_string().into());
        Self { ldap, busy, timeout, referrals, server, watched }
    }

    /// The meaning of an error of an operation on this connection.
    pub(crate) fn failure(&self, operation: Operation, error: LdapError) -> DirectoryError {
        match broken(operation, error) {
            DirectoryError::Unreachable(Unreachable::Connection(_)) if self.watched.hangs() => {
                Unreachable::Hangs.into()
            }
            failure => failure,
        }
    }

    /// Binds, and logs it if the account is refused.
    async fn bind(&mut self, credentials: &Credentials) -> Result<(), Unreachable> {
        let outcome = self.bind_silently(credentials).await;
        self.watched.accounts.note(&self.server, &credentials.dn, &outcome);
        outcome
    }

    /// Binds (RFC 4513 section 5.1.3). A password that must be changed does not make the bind fail, but everything
    /// after it; 389-ds reports it in a control.
    async fn bind_silently(&mut self, credentials: &Credentials) -> Result<(), Unreachable> {
        let (dn, password) = (credentials.dn.to_string(), credentials.password.expose_secret());
        let result = self.run(async |ldap| ldap.simple_bind(&dn, password).await).await;
        let result = result.map_err(Unreachable::Connection)?;
        match result.rc {
            0 if result.ctrls.iter().any(is_password_expired) => Err(Unreachable::PasswordExpired),
            0 => Ok(()),
            code => Err(Unreachable::Bind { code, diagnostic: trimmed(result.text) }),
        }
    }

    /// The URL of the connected server.
    pub(crate) fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// Whether it can take another request. If its server hangs, the connection is about to be closed.
    pub(crate) fn is_usable(&mut self) -> bool {
        !self.busy && !self.watched.hangs() && !self.ldap.is_closed()
    }

    /// Runs one operation. Nothing else is sent on the connection during it: several operations at a time on one
    /// connection make 389-ds much slower.
    ///
    /// # Errors
    /// The library's error; the connection is not used again after it.
    pub(crate) async fn run<T>(
        &mut self,
        operation: impl AsyncFnOnce(&mut Ldap) -> Result<T, LdapError>,
    ) -> Result<T, LdapError> {
        self.run_with(Duration::ZERO, operation).await
    }

    /// Like [`Self::run`], for an operation that may take longer than others by this time.
    ///
    /// # Errors
    /// As for [`Self::run`].
    pub(crate) async fn run_with<T>(
        &mut self,
        allowance: Duration,
        operation: impl AsyncFnOnce(&mut Ldap) -> Result<T, LdapError>,
    ) -> Result<T, LdapError> {
        let limit = self.timeout.saturating_add(allowance);
        let result = operation(self.begin().with_timeout(limit)).await;
        let reusable = matches!(&result, Ok(_) | Err(LdapError::LdapResult { .. }));
        self.busy = !reusable;
        if reusable {
            self.watched.note_answer();
        }
        result
    }

    /// Marks the connection as in use beyond one call, for a search that is read in pieces.
    pub(crate) fn begin(&mut self) -> &mut Ldap {
        self.busy = true;
        if self.referrals == Referrals::Managed {
            self.ldap.with_controls(ManageDsaIt);
        }
        self.ldap.with_timeout(self.timeout)
    }

    /// Gives the connection up to a search that never ends; it has no time limit.
    pub(crate) fn give_up(self) -> Ldap {
        self.ldap
    }

    /// Marks the end of the use that [`Self::begin`] began.
    pub(crate) fn end(&mut self) {
        self.busy = false;
    }
}

/// Whether a control says that a password has expired, or that an administrator set it and it must be changed
/// (draft-vchu-ldap-pwd-policy).
fn is_password_expired(control: &Control) -> bool {
    control.1.ctype == PASSWORD_EXPIRED
}

/// Connects, and returns the task that drives the connection. Aborting the task closes the connection and fails every
/// operation that waits for an answer on it.
async fn connect(
    settings: &LdapSettings,
    url: &LdapUrl,
    limit: Duration,
) -> Result<(Ldap, AbortHandle), Unreachable> {
    let wanted = LdapConnSettings::new()
        .set_conn_timeout(limit)
        .set_config(settings.tls.clone())
        .set_starttls(settings.start_tls && url.is_plain());
    let connected = LdapConnAsync::from_url_with_settings(wanted, url.url()).await;
    let (connection, ldap) = connected.map_err(Unreachable::Connection)?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.drive().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "ldap.connection.broken");
        }
    });
    Ok((ldap, driver.abort_handle()))
}

impl From<Unreachable> for DirectoryError {
    fn from(error: Unreachable) -> Self {
        Self::Unreachable(error)
    }
}
