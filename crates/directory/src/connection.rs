//! One connection: made over any of the configured URLs, secured, bound, used by one request at a time.

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

/// The control of the answer to a bind with a password that has to be changed.
const PASSWORD_EXPIRED: &str = "2.16.840.1.113730.3.4.4";
/// How often it is looked whether one of several servers that hang answers again.
const LOOK: Duration = Duration::from_millis(100);

/// A connection, and whether an operation on it was begun and not ended.
pub(crate) struct Connection {
    ldap: Ldap,
    /// Set while an operation runs. It stays set when the operation fails on the connection, times out,
    /// or is dropped half way; such a connection is not used again.
    busy: bool,
    timeout: Duration,
    referrals: Referrals,
    server: Arc<str>,
    watched: Arc<Server>,
}

impl Connection {
    /// Opens a connection to the first server that answers, and binds, beginning with the one that did last. Servers that
    /// hang are passed over; where all do, long work waits for one.
    ///
    /// # Errors
    /// [`Unreachable`] of the last URL tried; [`Unreachable::Hangs`] where all hang.
    pub(crate) async fn open(
        settings: &LdapSettings,
        credentials: &Credentials,
        last_good: &AtomicUsize,
    ) -> Result<Self, Unreachable> {
        settings.liveness.start(settings);
        // Boxed, since it is seldom needed, and the future of every operation would have room for it.
        let opened = Box::pin(Self::open_any(settings, credentials, last_good)).await;
        if settings.on_hang == OnHang::Wait && matches!(opened, Err(Unreachable::Hangs)) {
            let answered = async {
                while settings.liveness.all_hang(&settings.urls) {
                    tokio::time::sleep(LOOK).await;
                }
            };
            // Whether it does or not is found out below.
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

    /// Opens a connection to one server, unless it hangs or is found to hang meanwhile.
    async fn open_one(
        settings: &LdapSettings,
        url: &LdapUrl,
        credentials: &Credentials,
    ) -> Result<Self, Unreachable> {
        let watched = settings.liveness.server(url);
        // Long work makes many connections at once, and each bind costs the server the hash of a password. That none
        // is answered is found out by the probes.
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
                watched.close_on_hang(driver);
            }
            Ok(connection)
        };
        tokio::select! {
            biased;
            () = watched.hung() => Err(Unreachable::Hangs),
            opened = open => opened,
        }
    }

    /// Opens a connection that asks whether the server answers, and so is made while it does not. A refused bind is an
    /// answer.
    ///
    /// # Errors
    /// [`Unreachable`]; the time limit is one for each step.
    pub(crate) async fn open_for_probes(
        settings: &LdapSettings,
        url: &LdapUrl,
        limit: Duration,
    ) -> Result<Self, Unreachable> {
        let (ldap, _) = connect(settings, url, limit).await?;
        let mut connection = Self::new(ldap, limit, url, settings.liveness.server(url));
        match connection.bind(&settings.credentials).await {
            Err(error) if !error.is_of_account() => Err(error),
            _ => Ok(connection),
        }
    }

    fn new(ldap: Ldap, timeout: Duration, url: &LdapUrl, watched: Arc<Server>) -> Self {
        let (busy, referrals, server) = (false, Referrals::Followed, url.to_string().into());
        Self { ldap, busy, timeout, referrals, server, watched }
    }

    /// What an error of an operation on it means.
    pub(crate) fn failure(&self, operation: Operation, error: LdapError) -> DirectoryError {
        match broken(operation, error) {
            DirectoryError::Unreachable(Unreachable::Connection(_)) if self.watched.hangs() => {
                Unreachable::Hangs.into()
            }
            failure => failure,
        }
    }

    /// Binds, and has it logged where the account is refused.
    async fn bind(&mut self, credentials: &Credentials) -> Result<(), Unreachable> {
        let outcome = self.bind_silently(credentials).await;
        self.watched.accounts.note(&self.server, &credentials.dn, &outcome);
        outcome
    }

    /// Binds (RFC 4513 section 5.1.3). A password that has to be changed is no obstacle to the bind itself, but to everything
    /// after it: 389-ds says so in a control.
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

    /// The URL of the server at its other end.
    pub(crate) fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// Whether it can take another request. Where its server hangs it is about to be closed, if it is not yet.
    pub(crate) fn is_usable(&mut self) -> bool {
        !self.busy && !self.watched.hangs() && !self.ldap.is_closed()
    }

    /// Runs one operation. Nothing else is sent on the connection meanwhile: several operations in
    /// flight on one connection cost 389-ds most of its speed.
    ///
    /// # Errors
    /// What the library says; the connection is then not used again.
    pub(crate) async fn run<T>(
        &mut self,
        operation: impl AsyncFnOnce(&mut Ldap) -> Result<T, LdapError>,
    ) -> Result<T, LdapError> {
        let result = operation(self.begin()).await;
        let reusable = matches!(&result, Ok(_) | Err(LdapError::LdapResult { .. }));
        self.busy = !reusable;
        if reusable {
            self.watched.note_answer();
        }
        result
    }

    /// Marks the connection as in use beyond one call, for a search that is read bit by bit.
    pub(crate) fn begin(&mut self) -> &mut Ldap {
        self.busy = true;
        if self.referrals == Referrals::Managed {
            self.ldap.with_controls(ManageDsaIt);
        }
        self.ldap.with_timeout(self.timeout)
    }

    /// Marks the connection as in use for good, by a search without an end: nothing on it is late.
    pub(crate) fn give_up(self) -> Ldap {
        self.ldap
    }

    /// Marks the end of what [`Self::begin`] began.
    pub(crate) fn end(&mut self) {
        self.busy = false;
    }
}

/// Whether a control says that a password has expired or was set by an administrator and must be changed
/// (draft-vchu-ldap-pwd-policy).
fn is_password_expired(control: &Control) -> bool {
    control.1.ctype == PASSWORD_EXPIRED
}

/// Connects, and gives the task that drives the connection along: where that is ended, the connection is closed, and
/// whatever waits for an answer on it fails.
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
