//! One connection: made over any of the configured URLs, secured, bound, used by one request at a time.

use crate::{
    error::{DirectoryError, Unreachable},
    settings::{Credentials, LdapSettings, LdapUrl},
};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError};
use secrecy::ExposeSecret;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A connection, and whether an operation on it was begun and not ended.
pub(crate) struct Connection {
    ldap: Ldap,
    /// Set while an operation runs. It stays set when the operation fails on the connection, times out,
    /// or is dropped half way; such a connection is not used again.
    busy: bool,
    timeout: Duration,
    server: Arc<str>,
}

impl Connection {
    /// Opens a connection to the first server that answers, and binds, beginning with the one that did last.
    ///
    /// # Errors
    /// [`Unreachable`] of the last URL tried.
    pub(crate) async fn open(
        settings: &LdapSettings,
        credentials: &Credentials,
        last_good: &AtomicUsize,
    ) -> Result<Self, Unreachable> {
        let first = last_good.load(Ordering::Relaxed);
        let mut failure = Unreachable::Resting;
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

    async fn open_one(
        settings: &LdapSettings,
        url: &LdapUrl,
        credentials: &Credentials,
    ) -> Result<Self, Unreachable> {
        let ldap = connect(settings, url).await.map_err(Unreachable::Connection)?;
        // A server that takes connections and then says nothing is as good as none.
        let server = url.to_string().into();
        let mut connection = Self { ldap, busy: false, timeout: settings.connect_timeout, server };
        connection.bind(credentials).await?;
        connection.timeout = settings.operation_timeout;
        Ok(connection)
    }

    /// Binds (RFC 4513 section 5.1.3).
    async fn bind(&mut self, credentials: &Credentials) -> Result<(), Unreachable> {
        let (dn, password) = (credentials.dn.to_string(), credentials.password.expose_secret());
        let result = self.run(async |ldap| ldap.simple_bind(&dn, password).await).await;
        let result = result.map_err(Unreachable::Connection)?;
        match result.rc {
            0 => Ok(()),
            code => Err(Unreachable::Bind { code, diagnostic: result.text }),
        }
    }

    /// The URL of the server at its other end.
    pub(crate) fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// Whether it can take another request.
    pub(crate) fn is_usable(&mut self) -> bool {
        !self.busy && !self.ldap.is_closed()
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
        self.busy = true;
        self.ldap.with_timeout(self.timeout);
        let result = operation(&mut self.ldap).await;
        let reusable = matches!(&result, Ok(_) | Err(LdapError::LdapResult { .. }));
        self.busy = !reusable;
        result
    }

    /// Marks the connection as in use beyond one call, for a search that is read bit by bit.
    pub(crate) fn begin(&mut self) -> &mut Ldap {
        self.busy = true;
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

async fn connect(settings: &LdapSettings, url: &LdapUrl) -> Result<Ldap, LdapError> {
    let wanted = LdapConnSettings::new()
        .set_conn_timeout(settings.connect_timeout)
        .set_config(settings.tls.clone())
        .set_starttls(settings.start_tls && url.is_plain());
    let (connection, ldap) = LdapConnAsync::from_url_with_settings(wanted, url.url()).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.drive().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "ldap.connection.broken");
        }
    });
    Ok(ldap)
}

impl From<Unreachable> for DirectoryError {
    fn from(error: Unreachable) -> Self {
        Self::Unreachable(error)
    }
}
