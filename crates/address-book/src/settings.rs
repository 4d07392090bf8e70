//! The settings of the address book.

use secrecy::SecretString;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The settings of the address book.
#[derive(Clone, Debug)]
pub struct BookSettings {
    /// Where the projection is kept. Without Redis every answer comes from the directory and there is no change feed.
    pub redis: Option<RedisSettings>,
    /// Whether the projection is used, if there is a place for it.
    pub is_used: bool,
    /// How long a projection may be used while no process can update it.
    pub lifetime: Duration,
}

/// A duration that may change while it is used, to the millisecond. Clones share it.
#[derive(Clone, Debug)]
pub struct LiveDuration(Arc<AtomicU64>);

impl LiveDuration {
    /// Begins with a value.
    #[must_use]
    pub fn new(value: Duration) -> Self {
        let live = Self(Arc::default());
        live.set(value);
        live
    }

    /// The present value.
    #[must_use]
    pub fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Changes the value.
    pub fn set(&self, value: Duration) {
        self.0.store(u64::try_from(value.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// How to reach Redis.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// Its address, or that of its sentinels.
    pub place: RedisPlace,
    /// The number of the database.
    pub database: i64,
    /// The user name for the log-in; if unset, only the password is sent.
    pub username: Option<String>,
    /// The password for the log-in.
    pub password: Option<SecretString>,
    /// The TLS settings, if TLS is used.
    pub tls: Option<RedisTls>,
    /// The prefix of all key names.
    pub prefix: String,
    /// The timeout of a connection attempt and of a command.
    pub timeout: Duration,
}

/// The location of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisPlace {
    /// A fixed address.
    Server(RedisAddress),
    /// The address that sentinels report.
    Sentinels {
        /// The sentinels; if one does not respond, the next one is asked.
        sentinels: Vec<RedisAddress>,
        /// The name under which the sentinels know the master.
        master: String,
    },
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisAddress {
    /// Name or IP address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// TLS with Redis (and its sentinels).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisTls {
    /// The file with trusted certificate authorities, PEM; if unset, those of the system are used.
    pub ca_file: Option<PathBuf>,
}
