//! The connection to Redis: made on demand, directly or through sentinels, with or without TLS. While Redis does not
//! respond, the attempts pause for growing intervals, so that requests do not wait in vain.

use super::{Keys, StoreError, recorded::RecordedStates};
use crate::settings::{RedisAddress, RedisPlace, RedisSettings, RedisTls};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, RedisConnectionInfo, RedisResult, TlsCertificates,
    TlsMode,
    aio::MultiplexedConnection,
    io::tcp::TcpSettings,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use secrecy::ExposeSecret;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// The shortest and the longest pause between attempts.
const REST: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// How to connect to Redis.
#[derive(Clone)]
pub(crate) struct RedisAccess(Arc<Inner>);

struct Inner {
    settings: RedisSettings,
    /// Sent with every other request, so it is built once.
    standing: Arc<Cmd>,
    keys: Keys,
    way: Way,
    recorded: RecordedStates,
}

enum Way {
    Straight(Client),
    // Only one task at a time asks the sentinels.
    Sentinels(Mutex<SentinelClient>),
}

impl RedisAccess {
    /// Prepares the parameters of connections; makes none.
    pub(crate) fn new(settings: &RedisSettings, keys: Keys) -> RedisResult<Self> {
        let certificates = settings.tls.as_ref().map(certificates).transpose()?;
        let way = match &settings.place {
            RedisPlace::Server(address) => {
                let address = connection_address(address, certificates.is_some());
                let info = redis::IntoConnectionInfo::into_connection_info(address)?;
                let info = info.set_redis_settings(log_in(settings)).set_tcp_settings(tcp());
                Way::Straight(match certificates {
                    Some(certificates) => Client::build_with_tls(info, certificates)?,
                    None => Client::open(info)?,
                })
            }
            RedisPlace::Sentinels { sentinels, master } => {
                Way::Sentinels(Mutex::new(sentinel_client(settings, sentinels, master, certificates)?))
            }
        };
        let standing = Arc::new(keys.standing());
        Ok(Self(Arc::new(Inner {
            settings: settings.clone(),
            standing,
            keys,
            way,
            recorded: RecordedStates::default(),
        })))
    }

    /// A link for one task.
    pub(crate) fn link(&self) -> Link {
        Link {
            place: self.clone(),
            connection: None,
            resting_until: None,
            rest: REST.0,
            refused: false,
            seen: 0,
        }
    }

    /// A connection, and the identity of the Redis process at the other end.
    pub(super) async fn open(&self) -> RedisResult<(MultiplexedConnection, Arc<str>)> {
        let mut connection = self.connect().await?;
        let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
        let identity = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default();
        Ok((connection, identity.trim().into()))
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let timeout = Some(self.0.settings.timeout);
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(timeout).set_response_timeout(timeout);
        match &self.0.way {
            Way::Straight(client) => client.get_multiplexed_async_connection_with_config(&config).await,
            Way::Sentinels(client) => client.lock().await.get_async_connection_with_config(&config).await,
        }
    }
}

fn certificates(tls: &RedisTls) -> RedisResult<TlsCertificates> {
    let root_cert = tls.ca_file.as_ref().map(std::fs::read).transpose()?;
    Ok(TlsCertificates { client_tls: None, root_cert })
}

fn connection_address(address: &RedisAddress, tls: bool) -> ConnectionAddr {
    let (host, port) = (address.host.clone(), address.port);
    if tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    }
}

fn log_in(settings: &RedisSettings) -> RedisConnectionInfo {
    let mut info = RedisConnectionInfo::default().set_db(settings.database);
    if let Some(username) = &settings.username {
        info = info.set_username(username);
    }
    if let Some(password) = &settings.password {
        info = info.set_password(password.expose_secret());
    }
    info
}

fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn sentinel_client(
    settings: &RedisSettings,
    sentinels: &[RedisAddress],
    master: &str,
    certificates: Option<TlsCertificates>,
) -> RedisResult<SentinelClient> {
    let addresses: Vec<_> =
        sentinels.iter().map(|address| connection_address(address, certificates.is_some())).collect();
    let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
        .set_client_to_redis_db(settings.database)
        .set_client_to_redis_tcp_settings(tcp())
        .set_client_to_sentinel_tcp_settings(tcp());
    if let Some(username) = &settings.username {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = &settings.password {
        builder = builder.set_client_to_redis_password(password.expose_secret());
    }
    if let Some(certificates) = certificates {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_certificates(certificates);
    }
    builder.build()
}

/// A connection that is made on demand, and made again after a failure.
pub(crate) struct Link {
    place: RedisAccess,
    connection: Option<(MultiplexedConnection, Arc<str>)>,
    resting_until: Option<Instant>,
    rest: Duration,
    /// The last attempt was refused: no process listened.
    refused: bool,
    /// The newest sequence number at the last recording.
    seen: u64,
}

impl Link {
    pub(super) fn keys(&self) -> &Keys {
        &self.place.0.keys
    }

    /// What this process has recorded of late.
    pub(super) fn recorded(&self) -> &RecordedStates {
        &self.place.0.recorded
    }

    pub(super) fn standing_command(&self) -> Arc<Cmd> {
        self.place.0.standing.clone()
    }

    /// The identity of the Redis process at the other end: it changes with a restart, and a replica has another one.
    pub(super) async fn home(&mut self) -> Result<Arc<str>, StoreError> {
        self.connected().await.map(|(_, home)| home.clone())
    }

    /// The identity at the present connection; `None` if there is no connection.
    pub(super) fn home_at_hand(&self) -> Option<&str> {
        self.connection.as_ref().map(|(_, home)| &**home)
    }

    /// Whether there is no connection because no process listened at the last attempt.
    pub(super) fn was_refused(&self) -> bool {
        self.connection.is_none() && self.refused
    }

    /// The newest sequence number at the last recording through this link; 0 before the first.
    pub(crate) const fn seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn saw(&mut self, newest: u64) {
        self.seen = newest;
    }

    pub(super) async fn connection(&mut self) -> Result<MultiplexedConnection, StoreError> {
        self.connected().await.map(|(connection, _)| connection.clone())
    }

    async fn connected(&mut self) -> Result<&(MultiplexedConnection, Arc<str>), StoreError> {
        if self.connection.is_none() {
            if self.resting_until.is_some_and(|until| Instant::now() < until) {
                return Err(StoreError::Resting);
            }
            match self.place.open().await {
                Ok(connection) => {
                    (self.rest, self.refused) = (REST.0, false);
                    self.connection = Some(connection);
                }
                Err(error) => {
                    self.refused = error.is_connection_refusal();
                    self.lie_down();
                    return Err(error.into());
                }
            }
        }
        self.connection.as_ref().ok_or(StoreError::Resting)
    }

    /// Returns the outcome, and drops the connection if it has failed.
    pub(super) fn judged<T>(&mut self, outcome: RedisResult<T>) -> Result<T, StoreError> {
        outcome.map_err(|error| {
            let is_answer = matches!(
                error.kind(),
                redis::ErrorKind::Server(_)
                    | redis::ErrorKind::Extension
                    | redis::ErrorKind::UnexpectedReturnType
                    | redis::ErrorKind::Parse
            );
            if !is_answer || is_elsewhere(&error) {
                self.connection = None;
                self.lie_down();
            }
            StoreError::Redis(error)
        })
    }

    fn lie_down(&mut self) {
        self.resting_until = Some(Instant::now() + self.rest);
        self.rest = (self.rest * 2).min(REST.1);
    }
}

/// Whether the error says that this Redis cannot serve any more (it became a replica, or is loading).
fn is_elsewhere(error: &redis::RedisError) -> bool {
    matches!(error.code(), Some("READONLY" | "LOADING" | "MASTERDOWN" | "NOAUTH"))
}
