//! The listeners: they accept connections, do the TLS handshake if configured, and pass connections to the application
//! on the worker threads. They replace `HttpServer` of actix-web, and put [`CheckedHeads`] between the socket and the
//! library.

use super::{
    admission::{Admission, ConnectionBounds, Slot},
    checked_heads::{CheckedHeads, Transport},
    pace::{Patience, SEND_BUFFER},
};
use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App,
    dev::{AppConfig, ServiceRequest, ServiceResponse},
};
use ipnet::IpNet;
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustls::ServerConfig;
use std::{
    io::{self, Write},
    net::{Shutdown, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, sync::Notify};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::either::Either;
use uuid::Uuid;

/// Connections that may wait to be accepted, as in actix-web.
const BACKLOG: u32 = 1024;

/// A client's stream.
type Stream = CheckedHeads<Either<TcpStream, TlsStream<TcpStream>>>;

/// The settings of a server's listeners.
pub struct ListenerSettings {
    /// The number of worker threads.
    pub workers: usize,
    /// The limits on connections.
    pub connections: ConnectionBounds,
    /// The subnets of trusted proxies: each of their addresses forwards for many clients.
    pub trusted_proxies: Vec<IpNet>,
    /// How long clients may keep a connection waiting.
    pub patience: Patience,
    /// How long requests in flight may take to finish when the server is stopped.
    pub shutdown_timeout: Duration,
    /// The TLS settings for HTTPS; without them the listeners use HTTP.
    pub tls: Option<ServerConfig>,
}

/// Bound listeners of a server that does not run yet.
pub struct Listeners {
    builder: ServerBuilder,
    /// How each connection is set up.
    entrance: Entrance,
    /// The addresses of the listeners.
    addresses: Vec<SocketAddr>,
    /// Tells idle connections to close.
    closing: Arc<Notify>,
}

/// What happens to a connection before its first request.
#[derive(Clone)]
struct Entrance {
    admission: Admission,
    tls: Option<TlsAcceptor>,
    patience: Patience,
}

/// A running server.
pub struct RunningServer {
    server: Server,
    closing: Arc<Notify>,
}

impl Listeners {
    /// Creates a server without listeners.
    #[must_use]
    pub fn new(settings: ListenerSettings) -> Self {
        let ListenerSettings { workers, connections, trusted_proxies, patience, shutdown_timeout, tls } =
            settings;
        let builder = Server::build()
            .workers(workers)
            .backlog(BACKLOG)
            // Never reached: excess connections are refused, instead of waiting with all others behind them.
            .max_concurrent_connections(usize::MAX - 1)
            .disable_signals()
            .shutdown_timeout(shutdown_timeout.as_secs());
        let entrance = Entrance {
            admission: Admission::new(connections, trusted_proxies),
            tls: tls.map(|config| TlsAcceptor::from(Arc::new(config))),
            patience,
        };
        Self { builder, entrance, addresses: Vec::new(), closing: Arc::new(Notify::new()) }
    }

    /// The URLs of the listeners, without a path.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let scheme = if self.entrance.tls.is_some() { "https" } else { "http" };
        self.addresses.iter().map(|address| format!("{scheme}://{address}")).collect()
    }

    /// Binds an address for an application.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn bind<F, T>(mut self, address: SocketAddr, app: F) -> io::Result<Self>
    where
        F: Fn() -> App<T> + Send + Clone + 'static,
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse,
                Error = actix_web::Error,
                InitError = (),
            > + 'static,
    {
        let listener = TcpListener::bind(address)?;
        // Connections inherit it.
        set_socket_send_buffer_size(&listener, SEND_BUFFER)?;
        let local = listener.local_addr()?;
        let (entrance, closing) = (self.entrance.clone(), self.closing.clone());
        self.builder = self.builder.listen(local.to_string(), listener, move || {
            let (entrance, closing) = (entrance.clone(), closing.clone());
            let http = HttpService::<Stream, _, _>::build()
                .graceful_shutdown_signal(move || {
                    let closing = closing.clone();
                    async move { closing.notified().await }
                })
                .keep_alive(entrance.patience.idle)
                // The stream has a better timeout.
                .client_request_timeout(Duration::ZERO)
                .on_connect_ext(|stream, extensions| {
                    extensions.insert(stream.connection());
                })
                .local_addr(local)
                .finish(map_config(app(), |()| AppConfig::default()));
            fn_service(move |tcp: TcpStream| entrance.clone().accept(tcp)).and_then(http)
        })?;
        self.addresses.push(local);
        Ok(self)
    }

    /// Starts the workers.
    #[must_use]
    pub fn run(self) -> RunningServer {
        RunningServer { server: self.builder.run(), closing: self.closing }
    }
}

impl Entrance {
    async fn accept(self, tcp: TcpStream) -> Result<(Stream, Protocol, Option<SocketAddr>), DispatchError> {
        let peer = tcp.peer_addr().map_err(DispatchError::Io)?;
        let Some(slot) = self.admission.admit(peer.ip()) else {
            if self.tls.is_none() {
                refuse(tcp);
            }
            return Err(DispatchError::Io(io::ErrorKind::ConnectionRefused.into()));
        };
        let stream = self.open(tcp, slot).await?;
        Ok((stream, Protocol::Http1, Some(peer)))
    }

    async fn open(self, tcp: TcpStream, slot: Slot) -> Result<Stream, DispatchError> {
        tcp.set_nodelay(true).map_err(DispatchError::Io)?;
        let stream = match self.tls {
            None => Either::Left(tcp),
            Some(tls) => {
                let accepted = tokio::time::timeout(self.patience.head, tls.accept(tcp)).await;
                let accepted = accepted.map_err(|_| DispatchError::SlowRequestTimeout)?;
                Either::Right(accepted.map_err(DispatchError::Io)?)
            }
        };
        Ok(CheckedHeads::new(stream, self.patience, Some(slot)))
    }
}

/// The body of the answer to a connection over the limits.
const TOO_MANY: &str = r#"{"message":"There are too many connections from here. Try again later."}"#;

/// The answer to a connection over the limits, with the headers of every other answer.
fn too_many() -> String {
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\nx-request-id: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n{TOO_MANY}",
        TOO_MANY.len(),
        Uuid::new_v4(),
    )
}

/// Refuses a connection over the limits, without waiting until the client has read the answer.
fn refuse(tcp: TcpStream) {
    if let Ok(mut tcp) = tcp.into_std() {
        // The buffer of a new socket has room for it, and a client that has disconnected misses nothing.
        let _told = tcp.write(too_many().as_bytes());
        let _closed = tcp.shutdown(Shutdown::Write);
    }
}

impl Transport for Either<TcpStream, TlsStream<TcpStream>> {
    fn forget_unsent(&self) {
        let tcp = match self {
            Self::Left(tcp) => tcp,
            Self::Right(tls) => tls.get_ref().0,
        };
        // This fails only on a closed socket, which has no data to discard.
        let _set = tcp.set_zero_linger();
    }
}

impl RunningServer {
    /// Runs until `stop` completes; then requests in progress may finish.
    ///
    /// # Errors
    /// The error that ended the server earlier.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let handle = self.server.handle();
        let mut server = std::pin::pin!(self.server);
        tokio::select! {
            ended = &mut server => ended,
            () = stop => {
                self.closing.notify_waiters();
                // The server must run, since it processes the command to stop.
                let ((), ended) = tokio::join!(handle.stop(true), server);
                ended
            }
        }
    }
}
