//! The connection pool: a request checks a connection out and returns it. A broken connection is discarded at
//! check-out, so the first request after the directory has come back opens a new one.

use crate::{
    connection::Connection,
    error::Unreachable,
    settings::{LdapSettings, LdapUrl},
};
use deadpool::managed::{self, Metrics, PoolConfig, PoolError, RecycleError, RecycleResult, Timeouts};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Connections to the directory.
#[derive(Clone)]
pub(crate) struct Pool(managed::Pool<Maker>);

/// A connection that returns to its pool when dropped.
pub(crate) type Checkout = managed::Object<Maker>;

pub(crate) struct Maker {
    settings: Arc<LdapSettings>,
    last_good: AtomicUsize,
}

impl Pool {
    /// A pool of connections for requests.
    pub(crate) fn for_requests(settings: &Arc<LdapSettings>) -> Self {
        Self::new(settings, settings.connections)
    }

    /// A pool of connections for checking passwords: a bind changes the identity of a connection. These
    /// connections too are bound as the service account first, which shows that the server answers.
    pub(crate) fn for_passwords(settings: &Arc<LdapSettings>) -> Self {
        Self::new(settings, settings.password_connections)
    }

    #[expect(clippy::expect_used, reason = "a build error means a missing runtime, given here")]
    fn new(settings: &Arc<LdapSettings>, size: usize) -> Self {
        let maker = Maker { settings: settings.clone(), last_good: AtomicUsize::new(0) };
        let config = PoolConfig {
            max_size: size.max(1),
            timeouts: Timeouts { wait: Some(settings.checkout_timeout), create: None, recycle: None },
            // The connection used last is the warmest; the server may have closed the others after its idle
            // limit.
            queue_mode: deadpool::managed::QueueMode::Lifo,
        };
        let pool = managed::Pool::builder(maker).config(config).runtime(deadpool::Runtime::Tokio1).build();
        Self(pool.expect("only a pool without a runtime fails, and one is given"))
    }

    /// The server to which the last connection was opened.
    pub(crate) fn server(&self) -> Option<&LdapUrl> {
        let maker = self.0.manager();
        maker.settings.urls.get(maker.last_good.load(Ordering::Relaxed))
    }

    /// Takes a connection.
    ///
    /// # Errors
    /// [`Unreachable`] if no connection can be opened or none becomes free in time.
    pub(crate) async fn check_out(&self) -> Result<Checkout, Unreachable> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            _ => Unreachable::AllBusy,
        })
    }
}

impl managed::Manager for Maker {
    type Type = Connection;
    type Error = Unreachable;

    async fn create(&self) -> Result<Connection, Unreachable> {
        Connection::open(&self.settings, &self.settings.credentials, &self.last_good).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Unreachable> {
        if connection.is_usable() { Ok(()) } else { Err(RecycleError::message("closed or left half way")) }
    }
}
