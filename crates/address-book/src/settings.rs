//! What can be configured of the address book.

use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};

/// The address book.
#[derive(Clone, Debug)]
pub struct BookSettings {
    /// Where the projection is kept; without, every answer comes from the directory and there is no change feed.
    pub redis: Option<RedisSettings>,
    /// How long a projection may be answered from while nobody can bring it up to date.
    pub lifetime: Duration,
}

/// How Redis is reached.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// Where it is.
    pub place: RedisPlace,
    /// Number of the database.
    pub database: i64,
    /// Name to log in with; without, the password alone is given.
    pub username: Option<String>,
    /// Password to log in with.
    pub password: Option<SecretString>,
    /// TLS, where it is spoken.
    pub tls: Option<RedisTls>,
    /// What the names of all keys begin with.
    pub prefix: String,
    /// How long a connection may take to be made, and a command to be answered.
    pub timeout: Duration,
}

/// Where Redis is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisPlace {
    /// At an address.
    Server(RedisAddress),
    /// Where its sentinels say.
    Sentinels {
        /// The sentinels; the next is asked when one does not answer.
        sentinels: Vec<RedisAddress>,
        /// The name by which they know the master.
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
    /// File of the certificate authorities to trust, PEM; without, those of the system.
    pub ca_file: Option<PathBuf>,
}
